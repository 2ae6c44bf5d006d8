"""Dates as pages print them, turned into instants or bare days; what cannot be read stays unread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from uknip_crawler.extraction.metadata.zones import NAMED, NAMES, split_zone, states_a_zone, without_remark
from uknip_crawler.extraction.page.text import one_line
from uknip_crawler.models import Moment
from uknip_crawler.times import LONDON, utc_text

EARLIEST = date(1990, 1, 1)
MAX_LENGTH = 100

_ISO = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2}|(?:19|20)\d{6})"
    r"(?:[Tt ]?(?P<clock>\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,12})?)?|\d{4}(?:\d{2}(?:[.,]\d{1,12})?)?)"
    r"(?: ?(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?))?)?"
)
_EPOCH = re.compile(r"(?P<seconds>[1-9]\d{9})(?:\.\d{1,9}|(?P<millis>\d{3}))?")
_UNIX = re.compile(r"(\w{3} \w{3} +\d{1,2}) (\d\d:\d\d:\d\d)( [A-Z]{1,5}| [+-]\d{4})? (\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+"
_ORDINAL = r"(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:(?P<us_month>{_MONTH}) (?P<us_day>\d{{1,2}}){_ORDINAL},? (?P<us_year>\d{{4}})"
    rf"|(?P<uk_day>\d{{1,2}}){_ORDINAL}(?: of)? (?P<uk_month>{_MONTH}),? (?P<uk_year>\d{{4}})"
    r"|(?P<first>\d{1,2})(?P<slash>[/.-])(?P<second>\d{1,2})(?P=slash)(?P<year>\d{4})"
    r"|(?P<iso>\d{4}-\d\d-\d\d))"
)
_TIME = (
    r"(?P<hour{n}>\d{{1,2}})(?:[:.](?P<minute{n}>\d{{2}})(?:[:.](?P<second{n}>\d{{2}}))?"
    r"(?:\s*(?P<half{n}>[ap])\.?m\b\.?)?|\s*(?P<bare_half{n}>[ap])\.?m\b\.?)(?: ?\(?(?P<zone{n}>NAMES)\b\)?)?"
).replace("NAMES", NAMES)
_AT = r"(?:\s*(?:,|at|on|@|-|–)\s*|\s+)"
_PRINTED = re.compile(
    rf"(?i)(?:{_TIME.format(n=0)}{_AT})?(?:{_WEEKDAY})?{_DATE}(?:{_AT}{_TIME.format(n=1)})?(?![\w/])"
)
_TIME_ALONE = re.compile(rf"(?i){_TIME.format(n=0)}")
_NAMES_WEEKDAY = re.compile(rf"(?i){_WEEKDAY}")
_BYLINE_ON = re.compile(r"(?i)^(?:(?:by\s.{2,60}?\s)?on\s+|by\s.{2,60}?,\s+(?=\d))(?=\S)")
_LABEL = re.compile(
    r"(?i)^(?:(?P<published>(?:first |date )?published|posted|publish(?:ed)? date)"
    r"|(?P<modified>(?:last |date )?(?:updated|modified)))\b(?:\s*(?:on|at)\b)?\s*(?P<colon>:?)\s*(?P<rest>.*)$"
)
_BEFORE_LABEL = re.compile(
    r"(?i)\s+[|·•–-]\s+|[,;]?\s+(?=(?:(?:first|last|date) )?(?:published|posted|updated|modified)(?: on| at)?\s*:)"
)
_AFTER_DATE = re.compile(r"(?i)\s*(?:$|[|·•,;(–-]|by\b)")
_STATED_ZONE = re.compile(r"\s*(?:\((?!UK\b)[A-Z]{2,5}\)|[+-]\d)")
_WHOLE_YEAR = re.compile(
    rf"(?i)\b(?:19|20)\d\d[/.-]\d|\b{_MONTH}(?:\b|\d).*(?:19|20)\d\d\b|(?:19|20)\d\d\b.*\b{_MONTH}\b"
)
_RELATIVE = re.compile(r"(?i)\b(?:ago|today|yesterday|tomorrow|now|last|next|in)\b")
_CLOCK = re.compile(r"(?i)\d[:.]\d\d|\d\s*[ap]\.?m\b")


@dataclass(frozen=True, slots=True)
class Printed:
    """A date found in visible text; `moment` is None where the text could not be read."""

    raw: str
    moment: Moment | None


def parse(raw: str | None, fetched_at: datetime, *, american: bool = False) -> Moment | None:
    """Return the instant in UTC, a bare day when no time of day is printed, or None.

    A time without a zone is London's, with a zone that is not known it is unread; the hour that happens twice is taken as its first, and a time that never
    happened is only a day. `06/01/2026` is 6 January unless it names a weekday that says otherwise, or `american`.
    A day outside 1990 … `fetched_at` + 1 day is None.
    """
    text = one_line(raw or "").strip(" ,;.")
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        moment = _read(text, american)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if moment and _is_plausible(moment, fetched_at) else None


def _read(text: str, american: bool) -> Moment | None:
    if epoch := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch["seconds"]) + int(epoch["millis"] or 0) / 1000, UTC)
    text = without_remark(text)
    if iso := _ISO.fullmatch(text):
        return _iso(iso)
    core, zone = split_zone(_UNIX.sub(r"\1 \4 \2\3", text))
    moment = _read_without_zone(core, american)
    if not isinstance(moment, datetime):
        return moment
    return _as_utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _iso(match: re.Match[str]) -> Moment:
    day = date.fromisoformat(match["date"])
    if not match["clock"]:
        return day
    return _as_utc(datetime.fromisoformat(f"{day}T{match['clock']}{(match['zone'] or '').upper()}"))


def _read_without_zone(text: str, american: bool) -> Moment | None:
    """Return the day or the instant that a date names, which has a zone only where it stands amid the text."""
    if iso := _ISO.fullmatch(text):
        return datetime.fromisoformat(f"{date.fromisoformat(iso['date'])}T{iso['clock']}")
    match = _PRINTED.fullmatch(text)
    if match is None:
        return _read_otherwise(text)
    day = _day(match, american)
    return next((_at(match, n, day) for n in ("0", "1") if match["hour" + n]), day)


def _read_otherwise(text: str) -> Moment | None:
    """Return a date in a form that this site has not shown so far, such as `13-Mar-2026`: dateparser knows hundreds.

    Only with a whole year and a month in letters or the year first, and without a zone, which dateparser drops:
    what is vaguer would be a guess.
    """
    if not _WHOLE_YEAR.search(text) or _RELATIVE.search(text) or states_a_zone(text):
        return None
    import dateparser  # a quarter of a second, and hardly any page needs it

    settings = {"DATE_ORDER": "DMY", "STRICT_PARSING": True, "RETURN_AS_TIMEZONE_AWARE": False}
    found = dateparser.parse(text, languages=["en"], settings=settings)
    if found is None:
        return None
    return found if _CLOCK.search(text) else found.date()


def _day(match: re.Match[str], american: bool) -> date:
    """Return the day that a printed date names. Raises ValueError when there was no such day."""
    if match["iso"]:
        return date.fromisoformat(match["iso"])
    if match["first"]:
        british, us = _orders(match)
        day = (
            us
            if british is None or (us is not None and _is_american(match, british, us, american))
            else british
        )
        if day is None:
            raise ValueError(match[0])
        return day
    style = "us" if match["us_month"] else "uk"
    month = _MONTHS.index(match[style + "_month"][:3].lower()) + 1
    return date(int(match[style + "_year"]), month, int(match[style + "_day"]))


def _orders(match: re.Match[str]) -> tuple[date | None, date | None]:
    """Return the day a numeric date means when the day stands first, and when the month does."""
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    return _date(year, second, first), _date(year, first, second)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_american(match: re.Match[str], british: date, us: date, otherwise: bool) -> bool:
    if match["weekday"]:
        weekday = _WEEKDAYS.index(match["weekday"][:3].lower())
        if (british.weekday() == weekday) != (us.weekday() == weekday):
            return us.weekday() == weekday
    return otherwise


def both_orders(raw: str) -> tuple[date, date] | None:
    """Return the British and the American day of a numeric date, or None where it can mean only one."""
    match = _printed(raw)
    if match is None or not match["first"]:
        return None
    british, us = _orders(match)
    if british is None or us is None or british == us:
        return None
    is_settled = _is_american(match, british, us, True) == _is_american(match, british, us, False)
    return None if is_settled else (british, us)


def _printed(raw: str) -> re.Match[str] | None:
    try:
        return _PRINTED.fullmatch(split_zone(one_line(raw).strip(" ,;."))[0])
    except ValueError:
        return None


def is_month_first(raw: str) -> bool:
    """Tell whether a numeric date makes sense only when the month stands first, as `12/31/2025`."""
    match = _printed(raw)
    if match is None or not match["first"]:
        return False
    british, us = _orders(match)
    return us is not None and us != british and (british is None or _is_american(match, british, us, False))


def _at(match: re.Match[str], n: str, day: date) -> datetime:
    hour = int(match["hour" + n])
    half = (match["half" + n] or match["bare_half" + n] or "").lower()
    if (half and hour > 12 and (half == "a" or match["bare_half" + n])) or (half == "p" and hour == 0):
        raise ValueError(match[0])
    if half:
        hour = hour % 12 + (12 if half == "p" else 0) if hour <= 12 else hour
    zone = NAMED[match["zone" + n].upper()] if match["zone" + n] else None
    return datetime(
        day.year,
        day.month,
        day.day,
        hour,
        int(match["minute" + n] or 0),
        int(match["second" + n] or 0),
        tzinfo=zone,
    )


def _as_utc(moment: datetime) -> Moment:
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    local = moment.replace(tzinfo=LONDON)
    instant = local.astimezone(UTC)
    never_happened = instant.astimezone(LONDON).replace(tzinfo=None) != moment
    return moment.date() if never_happened else instant


def _is_plausible(moment: Moment, fetched_at: datetime) -> bool:
    day = moment.date() if isinstance(moment, datetime) else moment
    return EARLIEST <= day <= (fetched_at + timedelta(days=1)).date()


def iso_text(moment: Moment | None) -> str | None:
    """Return an instant as `2024-06-19T09:32:00Z`, a bare day as `2020-09-16`."""
    if isinstance(moment, datetime):
        return utc_text(moment)
    return moment.isoformat() if moment else None


def labelled(lines: Iterable[str], fetched_at: datetime) -> tuple[dict[str, Printed], list[str]]:
    """Return the dates that say what they are, `published` and `modified`, and the lines that gave none.

    `Published: 4:21 pm March 13, 2026`; or a label alone, or with a time, and its date on one of the next lines;
    or several of them in one line.
    """
    found: dict[str, Printed] = {}
    rows = [piece for line in lines for piece in _pieces(line)]
    rest: list[str] = []
    index = 0
    while index < len(rows):
        match = _LABEL.match(rows[index]) if len(rows[index]) <= MAX_LENGTH else None
        printed, used = _complete(match, rows[index + 1 : index + 3], fetched_at) if match else (None, 1)
        if match and printed:
            name = "published" if match["published"] else "modified"
            if name not in found or found[name].moment is None:
                found[name] = printed
        else:
            rest.append(rows[index])
        index += used
    return found, rest


def _pieces(line: str) -> Iterator[str]:
    """Yield the parts of a line that holds labels among other things, else the line."""
    pieces = _BEFORE_LABEL.split(line) if len(line) <= 2 * MAX_LENGTH else [line]
    yield from pieces if len(pieces) > 1 and any(map(_LABEL.match, pieces)) else [line]


def _complete(label: re.Match[str], following: list[str], fetched_at: datetime) -> tuple[Printed | None, int]:
    """Return a label's date and how many lines it took."""
    own = label["rest"].strip(" ,")
    if own and not _TIME_ALONE.fullmatch(own):
        if isinstance(whole_line := parse(own, fetched_at), datetime):
            return Printed(own, whole_line), 1
        inner = _PRINTED.match(own)
        if inner and _AFTER_DATE.match(own, inner.end()) and not _STATED_ZONE.match(own, inner.end()):
            moment = parse(inner[0], fetched_at)
            clock = following[0].strip(" ,") if following else ""
            if moment and not isinstance(moment, datetime) and _TIME_ALONE.fullmatch(clock):
                whole = f"{inner[0]} {clock}"
                return Printed(whole, parse(whole, fetched_at)), 2
            return Printed(inner[0], moment), 1
        return (Printed(own, None) if label["colon"] and re.search(r"\d", own) else None), 1
    pieces = [own] if own else []
    for used, line in enumerate(following, start=2):
        text = line.strip(" ,")
        if _PRINTED.fullmatch(text):
            raw = " ".join([*pieces, text])
            return Printed(raw, parse(raw, fetched_at)), used
        if pieces or not _TIME_ALONE.fullmatch(text):
            break
        pieces = [text]
    return (Printed(own, None) if own else None), 1


def standing_alone(lines: Iterable[str], fetched_at: datetime) -> Printed | None:
    """Return the first line, or part of a line, that is a date and nothing else.

    A line that names the weekday is the clock in a page's header, a relative time is no date: both are passed over.
    """
    for line in lines:
        for part in re.split(r"\s+[·|•–-]\s+", line) if len(line) <= MAX_LENGTH else []:
            text = _BYLINE_ON.sub("", part.strip(" ,|·•–—/-"))
            if _NAMES_WEEKDAY.search(text):
                continue
            if _printed(text) and (moment := parse(text, fetched_at)):
                return Printed(text, moment)
    return None


def printed_days(text: str) -> Iterator[tuple[str, date]]:
    """Yield the dates in a line, each with its time of day as printed, and their days; `06/01/2026` is 6 January."""
    for match in _PRINTED.finditer(text):
        try:
            yield match[0], _day(match, american=False)
        except ValueError:
            continue


def has_day(text: str) -> bool:
    """Tell whether a short text names a whole day: a time alone or a distance in time does not."""
    return len(text) <= MAX_LENGTH and bool(_WHOLE_YEAR.search(text) or _printed(text))


def in_address(parts: tuple[int, int, int] | None, fetched_at: datetime) -> date | None:
    """Return the day printed in an address, if there was such a day."""
    try:
        day = date(*parts) if parts else None
    except ValueError:
        return None
    return day if day and _is_plausible(day, fetched_at) else None
