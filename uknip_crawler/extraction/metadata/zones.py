"""Time zones as pages print them behind a time of day: offsets, names that mean one zone, places."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from uknip_crawler.times import LONDON

_HOURS = {
    "NST": -3.5, "NDT": -2.5, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "AKST": -9, "AKDT": -8, "HST": -10, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2,
    "EET": 2, "EEST": 3, "MSK": 3, "SAST": 2, "HKT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_PLACES = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
}
NAMED: dict[str, tzinfo] = {
    **dict.fromkeys(("UTC", "GMT", "UT", "Z"), UTC),
    **{name: timezone(timedelta(hours=hours)) for name, hours in _HOURS.items()},
    **{name: ZoneInfo(place) for name, place in _PLACES.items()},
}
"""Names that mean one zone wherever a British page prints them; IST and AST, which mean several, are not among them."""

NAMES = "|".join(sorted(NAMED, key=len, reverse=True))
_NO_ZONES = re.compile(
    r"(?i)[ap]m|hrs?|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
)
_CLOCK = re.compile(r"(?i)\d[:.]\d\d|\d\s*[ap]\.?m\b|T\d\d")
_SIGNED = r"(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?"
_TAIL = re.compile(
    rf"(?P<core>.*?(?:\d|[apAP]\.?[mM]\.?))(?:"
    rf"\s*\(?(?:GMT|UTC|UT)\s?{_SIGNED}\)?"
    rf"|\s{_SIGNED.replace('<', '<far_')}"
    r"|\s*[\[(]?\b(?P<place>[A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?)[\])]?"
    r"|\s*\(?(?P<home>(?:UK|London|British) time)\)?"
    r"|\s*\(?(?P<name>[A-Za-z]{1,5})\)?"
    r")"
)
_REMARK = re.compile(
    r"(?:(?<=:\d\d)|(?<=\.\d{3})|(?<=[\sA-Z]))([+-]\d\d:?\d\d)\s*(?:\([^()]*\)|\[[^\[\]]*\]|[A-Z]{1,5})$"
)
_LEFT_OVER = re.compile(r"\b[A-Z]{2,5}\b|\d\s*[+-]\d\d:?\d\d\b")


def without_remark(text: str) -> str:
    """Return a date without what follows its offset, as in `+0100 (British Summer Time)` or `+02:00[Europe/Paris]`."""
    return _REMARK.sub(r"\1", text)


def split_zone(text: str) -> tuple[str, tzinfo | None]:
    """Return the text without the zone behind its time of day, and that zone; (text, None) where none is printed.

    Raises ValueError for a zone that is stated and not known: no other may take its place.
    """
    if not _CLOCK.search(text):
        return text, None
    match = _TAIL.fullmatch(text)
    if match is None:
        return text, None
    core = match["core"].rstrip(" ,")
    if match["sign"] or match["far_sign"]:
        far = "" if match["sign"] else "far_"
        return core, _offset(match[far + "sign"], match[far + "hours"], match[far + "minutes"] or "0")
    if match["home"]:
        return core, LONDON
    if place := match["place"]:
        try:
            return core, ZoneInfo(place)
        except (KeyError, OSError, ValueError):
            raise ValueError(text) from None
    name = match["name"]
    if zone := NAMED.get(name.upper()):
        return core, zone
    if _NO_ZONES.fullmatch(name) or not name.isupper():
        return text, None
    raise ValueError(text)


def states_a_zone(text: str) -> bool:
    """Tell whether something in a date looks like a zone, known or not."""
    return any(not _NO_ZONES.fullmatch(found) for found in _LEFT_OVER.findall(text))


def _offset(sign: str, hours: str, minutes: str) -> timezone:
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    if ahead > timedelta(hours=14) or int(minutes) % 15:
        raise ValueError(f"{sign}{hours}:{minutes}")
    return timezone(-ahead if sign == "-" else ahead)
