"""Dates as pages print them, turned into instants or bare days; what cannot be read stays unread."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from uknip_crawler.extraction.text import one_line
from uknip_crawler.models import Moment

LONDON = ZoneInfo("Europe/London")
EARLIEST = date(1990, 1, 1)
MAX_LENGTH = 100

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3}, )?\d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})? (?:[A-Z]{1,5}|[+-]\d{4})"
)
_CLOCK = re.compile(r"(?i)\b\d{1,2}[:.]\d{2}\b(?:[:.]\d{2}\b)?|\b\d{1,2}\s*[ap]\.?m\b")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = rf"(?:{_MONTH} {_DAY},? \d{{4}}|{_DAY}(?: of)? {_MONTH},? \d{{4}}|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}}|\d{{4}}-\d\d-\d\d)"
_TIME = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s*(?:[ap]\.?m\.?)?(?: ?(?:BST|GMT|UTC))?"
_AT = r"(?:\s*(?:,|at|on|@|-|–)\s*|\s+)"
_PRINTED = re.compile(rf"(?i)(?:{_TIME}{_AT})?{_DATE}(?:{_AT}{_TIME})?")
_TIME_ALONE = re.compile(rf"(?i){_TIME}")
_WEEKDAY = re.compile(r"(?i)^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\s+")
_LABEL = re.compile(
    r"(?i)^(?:(?P<published>(?:first |date )?published|posted|publish date)|(?P<modified>(?:last )?(?:updated|modified)))"
    r"\b(?:\s*(?:on|at)\b)?\s*(?P<colon>:?)\s*(?P<rest>.*)$"
)
_ZONES = {"BST": "+0100", "GMT": "+0000", "UTC": "+0000"}


@dataclass(frozen=True, slots=True)
class Printed:
    """A date found in visible text; `moment` is None where the text could not be read."""

    raw: str
    moment: Moment | None


def parse(raw: str | None, fetched_at: datetime) -> Moment | None:
    """Return the instant in UTC, a bare day when no time of day is printed, or None.

    A time without a zone is London's; the hour that happens twice is taken as its first, and a time that never
    happened is only a day. A day outside 1990 … `fetched_at` + 1 day is None.
    """
    text = one_line(raw or "").strip(" ,;.")
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        moment = _read(text, fetched_at)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if moment and _is_plausible(moment, fetched_at) else None


def _read(text: str, fetched_at: datetime) -> Moment | None:
    if _ISO.fullmatch(text):
        return date.fromisoformat(text) if len(text) == 10 else _as_utc(datetime.fromisoformat(text))
    if _RFC822.fullmatch(text):
        return _as_utc(parsedate_to_datetime(text))
    bare = _WEEKDAY.sub("", text)
    if not _PRINTED.fullmatch(bare):
        return None
    return _read_printed(bare, fetched_at)


def _read_printed(text: str, fetched_at: datetime) -> Moment | None:
    import dateparser  # costs a quarter of a second, and most pages never need it

    zone = re.search(r"(?i)\b(BST|GMT|UTC)\b", text)
    plain = text.replace(zone[0], "") if zone else text
    settings = {
        "DATE_ORDER": "DMY",
        "TIMEZONE": "Europe/London",
        "STRICT_PARSING": True,
        "PREFER_DATES_FROM": "past",
        "RETURN_AS_TIMEZONE_AWARE": False,
        "RELATIVE_BASE": fetched_at.astimezone(LONDON).replace(tzinfo=None),
    }
    found = dateparser.parse(re.sub(r"\s*[@–]\s*", " ", plain), languages=["en"], settings=settings)
    if found is None:
        return None
    if not _CLOCK.search(re.sub(_DATE, " ", text, flags=re.IGNORECASE)):
        return found.date()
    if zone:
        offset = _ZONES[zone[0].upper()]
        return datetime.strptime(f"{found:%Y-%m-%d %H:%M:%S} {offset}", "%Y-%m-%d %H:%M:%S %z").astimezone(
            UTC
        )
    return _as_utc(found)


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


def london_day(moment: Moment) -> date:
    """Return the day in London on which a moment falls."""
    return moment.astimezone(LONDON).date() if isinstance(moment, datetime) else moment


def labelled(lines: Iterable[str], fetched_at: datetime) -> tuple[dict[str, Printed], list[str]]:
    """Return the dates that say what they are, `published` and `modified`, and the lines that gave none.

    `Published: 4:21 pm March 13, 2026`; or a label alone, or with a time, and its date on one of the next lines.
    """
    found: dict[str, Printed] = {}
    rows, rest = list(lines), []
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


def _complete(label: re.Match[str], following: list[str], fetched_at: datetime) -> tuple[Printed | None, int]:
    """Return a label's date and how many lines it took."""
    own = label["rest"].strip(" ,")
    if own and not _TIME_ALONE.fullmatch(own):
        inner = _PRINTED.match(_WEEKDAY.sub("", own))
        if inner:
            return Printed(own, parse(inner[0], fetched_at)), 1
        return (Printed(own, None) if label["colon"] and re.search(r"\d", own) else None), 1
    pieces = [own] if own else []
    for used, line in enumerate(following, start=2):
        text = line.strip(" ,")
        if _PRINTED.fullmatch(_WEEKDAY.sub("", text)):
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
            text = part.strip(" ,")
            if _PRINTED.fullmatch(text) and (moment := parse(text, fetched_at)):
                return Printed(text, moment)
    return None


def in_address(parts: tuple[int, int, int] | None, fetched_at: datetime) -> date | None:
    """Return the day printed in an address, if there was such a day."""
    try:
        day = date(*parts) if parts else None
    except ValueError:
        return None
    return day if day and _is_plausible(day, fetched_at) else None
