"""Dates are exact to the minute, in the right zone, and never invented."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from uknip_crawler.extraction import dates
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
