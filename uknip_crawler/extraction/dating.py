"""When a story was published and changed: everything its page says about it, and what of that is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from uknip_crawler.extraction import dates
from uknip_crawler.extraction.page import Element, Page, classes
from uknip_crawler.extraction.structured import Structured, text
from uknip_crawler.models import Finding, Moment
from uknip_crawler.sites import Site
from uknip_crawler.urls import address_date

STRUCTURED = frozenset({"json-ld", "meta", "markup"})
MAX_DRIFT = timedelta(days=120)
"""How far a date may lie from the one that the number in the address stands for: those days are known no better."""

_PUBLISHED = ("article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "date")
_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified")
_PUBLISHED_MARKS = frozenset({"published", "entry-date", "datepublished", "post-date", "dt-published"})
_MODIFIED_MARKS = frozenset({"updated", "modified", "datemodified", "dt-updated"})
_NUMBER = re.compile(r"/news-(\d{1,12})/")


class Dated(NamedTuple):
    """Where a date was found, its text, and what it was read as."""

    source: str
    raw: str
    moment: Moment | None


@dataclass(slots=True)
class Dating:
    """The dates believed, the text each was read from, the source it came from, and all that was said."""

    published_at: Moment | None = None
    published_raw: str | None = None
    modified_at: Moment | None = None
    modified_raw: str | None = None
    sources: dict[str, str] = field(default_factory=dict)
    evidence: list[Finding] = field(default_factory=list)


def read_dates(
    page: Page,
    data: Structured,
    site: Site,
    url: str,
    byline: tuple[list[str], int],
    near: list[Element],
    fetched_at: datetime,
) -> Dating:
    """Return a story's dates.

    `byline` are the lines below the headline and how many of them stand above the story, `near` the elements
    around it. Machine-readable dates are believed before labelled ones, those before the address, and that before
    a date that stands alone; a bare day gives way to an instant of the same day.
    """
    lines, above = byline
    labelled, rest = dates.labelled(lines, fetched_at)
    alone = dates.standing_alone(dates.labelled(lines[:above], fetched_at)[1], fetched_at) if rest else None
    day = dates.in_address(address_date(url) or address_date(page.url), fetched_at)
    said = {
        "published_at": [
            *_marked(data, "datePublished", _PUBLISHED, _time(near, "published")),
            *_printed("label", labelled.get("published")),
            *([("address", day.isoformat())] if day else []),
            *_printed("alone", alone),
        ],
        "modified_at": [
            *_marked(data, "dateModified", _MODIFIED, _time(near, "updated")),
            *_printed("label", labelled.get("modified")),
        ],
    }
    read = _read(said, fetched_at)
    found = Dating()
    number, expected = _expected(site, url, page.url)
    contradicting = [row for row in read["published_at"] if _contradicts(row.moment, expected)]
    believable = [row for row in read["published_at"] if row not in contradicting or row.source in STRUCTURED]
    taken = _taken(believable)
    found.published_at, found.published_raw = _believe(found, "published_at", taken, read["published_at"])
    if contradicting and expected:
        found.evidence.append(Finding("published_at", "news-id", number, expected.isoformat()))
    taken = _taken(read["modified_at"])
    found.modified_at, found.modified_raw = _believe(found, "modified_at", taken, read["modified_at"])
    return found


def _marked(
    data: Structured, node_name: str, meta_names: tuple[str, ...], time: str | None
) -> Iterator[tuple[str, str]]:
    """Yield (source, text) of the machine-readable dates, each once."""
    if said := text(data.article.get(node_name)):
        yield "json-ld", said
    yield from dict.fromkeys(("meta", value) for name in meta_names for value in data.meta.get(name, ())[:1])
    if time:
        yield "markup", time


def _printed(source: str, printed: dates.Printed | None) -> list[tuple[str, str]]:
    return [(source, printed.raw)] if printed else []


def _read(said: dict[str, list[tuple[str, str]]], fetched_at: datetime) -> dict[str, list[Dated]]:
    """Read all dates of a page in one order of day and month: the British, unless the page proves the other."""
    rows = [row for rows in said.values() for row in rows]
    doubtful = [both for _, raw in rows if (both := dates.both_orders(raw))]
    american = bool(doubtful) and _is_american(rows, doubtful, fetched_at)
    return {
        name: [Dated(source, raw, dates.parse(raw, fetched_at, american=american)) for source, raw in rows]
        for name, rows in said.items()
    }


def _is_american(
    rows: list[tuple[str, str]], doubtful: list[tuple[date, date]], fetched_at: datetime
) -> bool:
    """Tell whether a page writes the month first: by a date that has no thirteenth month, or by dates that say so."""
    clear = [(source, raw) for source, raw in rows if not dates.both_orders(raw)]
    if any(dates.is_month_first(raw) for _, raw in clear):
        return True
    moments = [dates.parse(raw, fetched_at) for source, raw in clear if source != "alone"]
    days = {dates.london_day(moment) for moment in moments if moment}
    return any(us in days for _, us in doubtful) and not any(british in days for british, _ in doubtful)


def _expected(site: Site, *addresses: str) -> tuple[str, date | None]:
    """Return `news-<id>` of an address and the day that such a number stands for, where that is known."""
    for address in addresses:
        if match := _NUMBER.search(address):
            return match[0].strip("/"), site.day_of_number(int(match[1]))
    return "", None


def _contradicts(moment: Moment | None, expected: date | None) -> bool:
    return bool(moment and expected) and abs(dates.london_day(moment) - expected) > MAX_DRIFT  # type: ignore[arg-type,operator]


def _taken(rows: list[Dated]) -> Dated | None:
    """Return the most trusted reading; a bare day gives way to a later one that knows the hour of that day."""
    read = [row for row in rows if row.moment is not None]
    if not read or isinstance(read[0].moment, datetime):
        return read[0] if read else None
    day = read[0].moment
    exact = (r for r in read if isinstance(r.moment, datetime) and dates.london_day(r.moment) == day)
    return next(exact, read[0])


def _believe(
    found: Dating, name: str, taken: Dated | None, rows: list[Dated]
) -> tuple[Moment | None, str | None]:
    """Note all that was said, what is believed first; return the moment and the text it was read from."""
    first = [taken] if taken else []
    found.evidence += [
        Finding(name, row.source, row.raw, dates.iso_text(row.moment))
        for row in dict.fromkeys([*first, *rows])
    ]
    if taken is None:
        return None, rows[0].raw if rows else None
    found.sources[name] = "label" if taken.source == "alone" else taken.source
    return taken.moment, taken.raw


def _time(near: list[Element], kind: str) -> str | None:
    """Return the machine-readable time by the headline that is marked as publication or update."""
    wanted = _PUBLISHED_MARKS if kind == "published" else _MODIFIED_MARKS
    times = [element for element in near if element.tag == "time" and element.get("datetime")]
    for element in times:
        marks = {*(token.lower() for token in classes(element)), (element.get("itemprop") or "").lower()}
        if marks & wanted and not (kind == "updated" and marks & _PUBLISHED_MARKS):
            return element.get("datetime")
    plain = [element for element in times if not classes(element) and not element.get("itemprop")]
    return plain[0].get("datetime") if kind == "published" and len(plain) == 1 else None
