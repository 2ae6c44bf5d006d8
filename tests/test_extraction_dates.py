"""Dates are exact to the minute, in the right zone, and never invented."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dateparser
import pytest

from uknip_crawler.extraction.metadata import dates
from uknip_crawler.models import Moment

FETCHED = datetime(2026, 3, 20, 9, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2024-06-19T08:05:00+01:00", utc(2024, 6, 19, 7, 5)),
        ("2024-06-19T07:05:00Z", utc(2024, 6, 19, 7, 5)),
        ("2024-06-19T07:05:00+0000", utc(2024, 6, 19, 7, 5)),
        ("2024-06-19T08:05:00", utc(2024, 6, 19, 7, 5)),
        ("2024-12-19 08:05:00", utc(2024, 12, 19, 8, 5)),
        ("2024-06-30T23:30:00-05:00", utc(2024, 7, 1, 4, 30)),
        ("2024-06-19", date(2024, 6, 19)),
        ("Wed, 19 Jun 2024 08:05:00 +0100", utc(2024, 6, 19, 7, 5)),
        ("September 16, 2020", date(2020, 9, 16)),
        ("19th June 2024", date(2024, 6, 19)),
        ("4:21 pm March 13, 2026", utc(2026, 3, 13, 16, 21)),
        ("4:54 am October 8, 2025", utc(2025, 10, 8, 3, 54)),
        ("15:50, 31 December 2025", utc(2025, 12, 31, 15, 50)),
        ("January 5th, 2024 at 7.12am", utc(2024, 1, 5, 7, 12)),
        ("19/06/2024 10:32 BST", utc(2024, 6, 19, 9, 32)),
        ("03/04/2024", date(2024, 4, 3)),
        ("Friday 1 March 2024", date(2024, 3, 1)),
    ],
)
def test_a_printed_date_is_read_to_the_minute(raw: str, moment: Moment) -> None:
    """ISO keeps its zone, anything else is London's; a bare day stays a day; slashes are day first."""
    assert dates.parse(raw, FETCHED) == moment
    assert type(dates.parse(raw, FETCHED)) is type(moment)


@pytest.mark.fault("X15")
@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2024-10-27T01:30:00+01:00", utc(2024, 10, 27, 0, 30)),
        ("2024-10-27T01:30:00+00:00", utc(2024, 10, 27, 1, 30)),
        ("27/10/2024 01:30 BST", utc(2024, 10, 27, 0, 30)),
        ("27/10/2024 01:30 GMT", utc(2024, 10, 27, 1, 30)),
        ("27/10/2024 01:30", utc(2024, 10, 27, 0, 30)),
        ("27/10/2024 02:30", utc(2024, 10, 27, 2, 30)),
        ("31 March 2024 00:30", utc(2024, 3, 31, 0, 30)),
        ("31 March 2024 01:30", date(2024, 3, 31)),
        ("31 March 2024 02:30", utc(2024, 3, 31, 1, 30)),
    ],
)
def test_the_nights_when_the_clocks_change(raw: str, moment: Moment) -> None:
    """The hour that comes twice is the first unless the zone is printed; the hour that never came is only a day."""
    assert dates.parse(raw, FETCHED) == moment


@pytest.mark.fault("X08")
@pytest.mark.parametrize(
    "raw",
    [
        "", "0001-01-01T00:00:00Z", "0000-00-00", "1970-01-01T00:00:00Z", "2026-03-22T00:00:00Z", "2024-02-30",
        "3 weeks ago", "yesterday at 5pm", "2024", "May", "10:32", "June 2024", "not a date", "x" * 5000,
        "1" * 90, "Today: December 9, 2023",
    ],
)  # fmt: skip
def test_what_is_no_date_stays_unread(raw: str) -> None:
    """Placeholders, the future, relative times and fragments of dates give no date."""
    assert dates.parse(raw, FETCHED) is None


def test_a_label_may_be_split_from_its_date() -> None:
    """`Updated: 15:50` and `, 31 December 2025` on the next line are one date, and not the publication's."""
    found, rest = dates.labelled(["Updated: 15:50", ", 31 December 2025", "Location"], FETCHED)
    assert found["modified"].moment == utc(2025, 12, 31, 15, 50)
    assert "published" not in found
    assert rest == ["Location"]


def test_a_story_that_opens_with_the_word_published_is_no_label() -> None:
    """A sentence about a publication gives no date."""
    assert dates.labelled(["Published figures show 4,000 fewer swans than in 2019"], FETCHED)[0] == {}


def test_a_label_that_cannot_be_read_keeps_its_text() -> None:
    """`Published: 31 Febtober 2024` is unknown, not forgotten."""
    printed = dates.labelled(["Published: 31 Febtober 2024"], FETCHED)[0]["published"]
    assert (printed.raw, printed.moment) == ("31 Febtober 2024", None)


def test_a_header_clock_and_a_relative_time_are_no_dates() -> None:
    """Lines that name today, a weekday or a distance in time are passed over for the date below them."""
    lines = ["Sunday, November 27, 2022", "9 mins ago", "Ann Lee | October 27, 2021", "June 1, 2020"]
    found = dates.standing_alone(lines, FETCHED)
    assert found is not None
    assert found.moment == date(2021, 10, 27)


DAYS = [
    date(year, month, day)
    for year, month, day in [
        (2018, 5, 9), (2020, 2, 29), (2020, 9, 16), (2021, 3, 28), (2021, 10, 31), (2022, 7, 1), (2022, 11, 27),
        (2023, 12, 9), (2024, 1, 5), (2024, 6, 19), (2025, 4, 30), (2025, 8, 12), (2025, 10, 8), (2026, 3, 13),
    ]
]  # fmt: skip
"""Every month, both sides of both changes of the clocks, a leap day."""

DAY_FORMS = [
    "{d:%B} {d.day}, {d.year}", "{d:%b} {d.day} {d.year}", "{d.day} {d:%B} {d.year}", "{d.day} {d:%b}, {d.year}",
    "{d:%A}, {d:%B} {d.day}, {d.year}", "{d:%A} {d.day} {d:%B} {d.year}", "{d:%a}, {d.day} {d:%b} {d.year}",
    "{d:%d/%m/%Y}", "{d.day}.{d.month}.{d.year}", "{d:%Y-%m-%d}", "{d:%d-%m-%Y}",
]  # fmt: skip
TIMES = [("4:21 pm", 16, 21), ("12:05 am", 0, 5), ("12:40pm", 12, 40), ("15:50", 15, 50), ("9.07am", 9, 7)]


@pytest.mark.parametrize("form", DAY_FORMS)
def test_every_form_of_a_day_is_read_in_every_season(form: str) -> None:
    """Long and short months, weekdays, slashes and dots; dateparser, which knows far more forms, agrees."""
    for day in DAYS:
        text = form.format(d=day)
        assert dates.parse(text, FETCHED) == day, text
        settings = {"DATE_ORDER": "YMD" if text[:4].isdigit() else "DMY", "STRICT_PARSING": True}
        told = dateparser.parse(text, languages=["en"], settings=settings)
        assert told is not None, text
        assert told.date() == day, text


@pytest.mark.parametrize("joined", ["{time} {day}", "{time}, {day}", "{day}, {time}", "{day} at {time}"])
def test_every_form_of_an_instant_is_read_in_every_season(joined: str) -> None:
    """London's offset is reckoned by hand here: an hour from the last Sunday of March to that of October."""
    summers = {  # the days on which summer time begins and ends
        2018: (date(2018, 3, 25), date(2018, 10, 28)), 2020: (date(2020, 3, 29), date(2020, 10, 25)),
        2021: (date(2021, 3, 28), date(2021, 10, 31)), 2022: (date(2022, 3, 27), date(2022, 10, 30)),
        2023: (date(2023, 3, 26), date(2023, 10, 29)), 2024: (date(2024, 3, 31), date(2024, 10, 27)),
        2025: (date(2025, 3, 30), date(2025, 10, 26)), 2026: (date(2026, 3, 29), date(2026, 10, 25)),
    }  # fmt: skip
    for day in DAYS:
        begins, ends = summers[day.year]
        for printed, hour, minute in TIMES:
            is_summer = begins < day < ends or (day == begins and hour >= 2) or (day == ends and hour < 1)
            expected = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
            expected -= timedelta(hours=is_summer)
            for form in DAY_FORMS[:8]:
                text = joined.format(time=printed, day=form.format(d=day))
                assert dates.parse(text, FETCHED) == expected, text


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("4:21 pm Friday, March 13, 2026", utc(2026, 3, 13, 16, 21)),
        ("4pm, 13 March 2026", utc(2026, 3, 13, 16)),
        ("13:05 pm March 13, 2026", utc(2026, 3, 13, 13, 5)),
        ("12/31/2025", date(2025, 12, 31)),
        ("Monday 06/01/2025", date(2025, 1, 6)),
        ("Sunday 06/01/2025", date(2025, 6, 1)),
        ("Wednesday 06/01/2025", date(2025, 1, 6)),
        ("25:10 March 13, 2026", None),
        ("0:15 pm March 13, 2026", None),
        ("13pm March 13, 2026", None),
        ("30 February 2024", None),
        ("13/13/2025", None),
    ],
)
def test_odd_forms_are_read_where_they_can_mean_only_one_thing(raw: str, moment: Moment | None) -> None:
    """A weekday settles which number is the month; a weekday that fits neither settles nothing."""
    assert dates.parse(raw, FETCHED) == moment


def test_numbers_that_may_be_day_or_month_are_known_as_such() -> None:
    """British first, then American; nothing where the number or the weekday leaves no doubt."""
    assert dates.both_orders("06/01/2026 16:21") == (date(2026, 1, 6), date(2026, 6, 1))
    assert dates.both_orders("31/12/2025") is None
    assert dates.both_orders("05/05/2025") is None
    assert dates.both_orders("Sunday 06/01/2025") is None
    assert [
        raw
        for raw in ("12/31/2025", "Sunday 06/01/2025", "31/12/2025", "06/01/2026")
        if dates.is_month_first(raw)
    ] == [
        "12/31/2025",
        "Sunday 06/01/2025",
    ]


@pytest.mark.parametrize(
    ("lines", "published", "modified"),
    [
        (["Published: 4:21 pm March 13, 2026"], utc(2026, 3, 13, 16, 21), None),
        (["Published: 4:21 pm March 13, 2026 Updated: 9:05 am March 14, 2026"], utc(2026, 3, 13, 16, 21), utc(2026, 3, 14, 9, 5)),
        (["By Ann Lee | Published 3 March 2024 | Updated 4 March 2024"], date(2024, 3, 3), date(2024, 3, 4)),
        (["First published: Monday, 4 March 2024 at 10:32", "Last updated: 11:00, 5 March 2024"], utc(2024, 3, 4, 10, 32), utc(2024, 3, 5, 11)),
        (["Published", "31 December 2025"], date(2025, 12, 31), None),
        (["Published: 31 December 2025", "15:50"], utc(2025, 12, 31, 15, 50), None),
        (["Published: 13 March 2026 by Ann Lee"], date(2026, 3, 13), None),
        (["Posted on 19th June 2024 at 7.12am"], utc(2024, 6, 19, 6, 12), None),
        (["Updated: 5 minutes ago"], None, None),
        (["Updated 12 March 2024 saw the bridge reopen at last"], None, None),
    ],
)  # fmt: skip
def test_a_label_says_which_date_it_is(
    lines: list[str], published: Moment | None, modified: Moment | None
) -> None:
    """One a line, several in a line, split over lines, among bylines; never a sentence that happens to begin so."""
    found, _ = dates.labelled(lines, FETCHED)
    assert found.get("published", dates.Printed("", None)).moment == published
    assert found.get("modified", dates.Printed("", None)).moment == modified


@pytest.mark.parametrize(
    "line",
    [
        "Today: December 9, 2023", "Sunday, November 27, 2022", "10:15 Sunday, November 27, 2022", "3 weeks ago",
        "Yesterday", "Fri 13 Mar 2026",
    ],
)  # fmt: skip
def test_a_clock_in_the_header_is_never_a_date(line: str) -> None:
    """Whatever it looks like: it shows the day of the capture."""
    assert dates.standing_alone([line], FETCHED) is None


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("13-Mar-2026", date(2026, 3, 13)),
        ("2026/03/13", date(2026, 3, 13)),
        ("13-Mar-2026 16:21", datetime(2026, 3, 13, 16, 21, tzinfo=UTC)),
        ("31-Feb-2026", None),
        ("in March 2026", None),
        ("Mar 2026", None),
    ],
)
def test_a_form_the_site_has_not_shown_is_left_to_dateparser(printed: str, read: date | None) -> None:
    """Whole dates only; what is vague stays unread."""
    assert dates.parse(printed, datetime(2026, 4, 1, tzinfo=UTC)) == read
