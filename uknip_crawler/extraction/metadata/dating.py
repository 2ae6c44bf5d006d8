"""When a story was published and changed: everything its page says about it, and what of that is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from uknip_crawler.extraction.metadata import dates
from uknip_crawler.extraction.metadata.surroundings import MAX_LABELS, MAX_MARKED, Surroundings, is_prose
from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.structured import Structured, scalar
from uknip_crawler.models import Finding, Moment
from uknip_crawler.sites import Site
from uknip_crawler.times import london_day
from uknip_crawler.urls import address_date

MAX_MARKS = 500
STRUCTURED = frozenset({"json-ld", "meta", "markup"})
MAX_DRIFT = timedelta(days=120)
"""How far a date may lie from the one that the number in the address stands for: those days are known no better."""

_PUBLISHED = (
    "article:published_time", "og:published_time", "og:article:published_time", "article:published", "published_time",
    "datepublished", "dc.date.issued", "dcterms.issued", "dcterms.available", "parsely-pub-date", "sailthru.date",
    "cxenseparse:recs:publishtime", "cxenseparse:publishtime", "article.published", "publishdate", "publish-date",
    "publish_date", "publisheddate", "published-date", "published_date", "publication_date", "publication-date",
    "date_published", "originalpublicationdate", "article_date_original", "citation_publication_date", "citation_date",
    "bt:pubdate", "pubdate", "pub_date", "dc.date", "dcterms.date", "displaydate", "date",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "og:updated_time", "og:article:modified_time", "article:updated_time", "article:modified",
    "modified_time", "datemodified", "dc.date.modified", "dcterms.modified", "article.updated", "lastmod",
    "last-modified", "last_modified", "lastmodified", "date_modified", "modified-date", "updated_time",
)  # fmt: skip
_CREATED = ("datecreated", "dc.date.created", "dcterms.created", "article.created")
_PUBLISHED_MARKS = frozenset(
    {
        "published", "entry-date", "datepublished", "post-date", "dt-published", "entry-published", "date-published",
        "published-date", "publish-date", "pubdate", "posted-on", "post-published",
    }
)  # fmt: skip
_MODIFIED_MARKS = frozenset(
    {"updated", "modified", "datemodified", "dt-updated", "date-modified", "updated-date", "last-updated"}
)
_CREATED_MARKS = frozenset({"datecreated"})
_DATED = frozenset({"title", "itemprop", "property"})
_NUMBER = re.compile(r"/news-(\d{1,12})/")


class Dated(NamedTuple):
    """Where a date was found, its text, and what it was read as."""

    source: str
    raw: str
    moment: Moment | None


class _Mark(NamedTuple):
    """A date in the page's own markup: what it is called, and its text; `is_plain` where it is not called anything."""

    names: frozenset[str]
    raw: str
    is_plain: bool
    is_microdata: bool


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
    around: Surroundings,
    fetched_at: datetime,
) -> Dating:
    """Return a story's dates.

    `byline` are the lines below the headline and how many of them stand above the story. Machine-readable dates are
    believed before labelled ones, those before the address, that before the day a page was made, and that before a
    date that stands alone; a bare day gives way to an instant of the same day.
    """
    lines, above = byline
    labelled, rest = dates.labelled(lines[:above], fetched_at)
    alone = dates.standing_alone(rest, fetched_at)
    below = _lone_labels(lines[above:], fetched_at)
    day = dates.in_address(address_date(url) or address_date(page.url), fetched_at)
    marks = list(_marks(around))
    said = {
        "published_at": [
            *_marked(data, "datePublished", _PUBLISHED, _PUBLISHED_MARKS, marks),
            *_printed("label", labelled.get("published") or below.get("published")),
            *([("address", day.isoformat())] if day else []),
            *_marked(data, "dateCreated", _CREATED, _CREATED_MARKS, marks),
            *_printed("alone", alone),
        ],
        "modified_at": [
            *_marked(data, "dateModified", _MODIFIED, _MODIFIED_MARKS, marks),
            *_printed("label", labelled.get("modified") or below.get("modified")),
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


def _lone_labels(lines: list[str], fetched_at: datetime) -> dict[str, dates.Printed]:
    """Return the labelled dates below the first sentence; labels that recur are those of a live blog's updates."""
    found, _ = dates.labelled(lines, fetched_at)
    each = sum(bool(dates.labelled([line], fetched_at)[0]) for line in lines) if found else 0
    return found if each <= len(found) else {}


def _marked(
    data: Structured, node_name: str, meta_names: tuple[str, ...], wanted: frozenset[str], marks: list[_Mark]
) -> Iterator[tuple[str, str]]:
    """Yield (source, text) of the machine-readable dates, each once: the head's, then the first marked in the page."""
    nodes = [data.article, data.page] if node_name != "dateCreated" else [data.article]
    if said := next((value for node in nodes if (value := scalar(node.get(node_name)))), None):
        yield "json-ld", said
    yield from dict.fromkeys(("meta", value) for name in meta_names for value in data.meta.get(name, ())[:1])
    named = [mark.raw for mark in marks if mark.names & wanted]
    if wanted is _MODIFIED_MARKS:  # `published updated` on one element is a story that was never changed
        named = [mark.raw for mark in marks if mark.names & wanted and not mark.names & _PUBLISHED_MARKS]
    plain = [mark.raw for mark in marks if mark.is_plain] if wanted is _PUBLISHED_MARKS and not named else []
    yield from (("markup", raw) for raw in (named[:1] or (plain if len(plain) == 1 else [])))


def _marks(around: Surroundings) -> Iterator[_Mark]:
    """Yield what the page marks as a date of its story: those by the headline first, microdata before classes."""
    near = set(around.near)
    rows = [
        (element not in near, mark)
        for element in [element for element in around.own if may_be_dated(element)][:MAX_MARKS]
        if (element in near or around.holds(element)) and (mark := _mark(element, element in near))
    ]
    yield from (mark for _, mark in sorted(rows, key=lambda row: (row[0], not row[1].is_microdata)))


def may_be_dated(element: Element) -> bool:
    """Tell whether an element may hold a date for machines: `time`, microdata, hAtom's `title`."""
    if element.tag == "time":
        return True
    if _DATED.isdisjoint(element.keys()):  # nearly all
        return False
    named = element.get("itemprop", "") + " " + element.get("property", "")
    return "date" in named or element.get("title", "").startswith(("19", "20"))


def _mark(element: Element, is_near: bool) -> _Mark | None:
    """Return an element's date and what it is called; None for what says no date, or stands in a sentence."""
    properties = {
        *(element.get("itemprop") or "").lower().split(),
        *(element.get("property") or "").lower().split(),
    }
    names = {*(token.lower() for token in classes(element))} | properties
    names = {name.rpartition(":")[2] for name in names}
    names |= {"pubdate"} if element.get("pubdate") is not None else set()
    raw = element.get("datetime") or element.get("content") or element.get("title") or ""
    known = _PUBLISHED_MARKS | _MODIFIED_MARKS | _CREATED_MARKS
    is_microdata = bool(properties & known)
    inner = next(element.iter("time"), None)
    if not raw and inner is not None:
        raw = inner.get("datetime") or ""
    if not raw and (is_microdata or element.tag == "time"):
        raw = text_of(element)
        raw = raw if dates.has_day(raw) else ""
    in_footer = any(e.tag == "footer" for e in ancestors(element))
    is_plain = element.tag == "time" and not names & known and (is_near or in_footer)
    if (
        not raw
        or (element.tag != "meta" and is_prose(element, MAX_MARKED if names & known else MAX_LABELS))
        or not (is_plain or names & known)
    ):
        return None
    return _Mark(frozenset(names), raw, is_plain, is_microdata or "pubdate" in names)


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
    days = {london_day(moment) for moment in moments if moment}
    return any(us in days for _, us in doubtful) and not any(british in days for british, _ in doubtful)


def _expected(site: Site, *addresses: str) -> tuple[str, date | None]:
    """Return `news-<id>` of an address and the day that such a number stands for, where that is known."""
    for address in addresses:
        if match := _NUMBER.search(address):
            return match[0].strip("/"), site.day_of_number(int(match[1]))
    return "", None


def _contradicts(moment: Moment | None, expected: date | None) -> bool:
    return bool(moment and expected) and abs(london_day(moment) - expected) > MAX_DRIFT  # type: ignore[arg-type,operator]


def _taken(rows: list[Dated]) -> Dated | None:
    """Return the most trusted reading; a bare day gives way to a later one that knows the hour of that day."""
    read = [row for row in rows if row.moment is not None]
    if not read or isinstance(read[0].moment, datetime):
        return read[0] if read else None
    day = read[0].moment
    exact = (r for r in read if isinstance(r.moment, datetime) and london_day(r.moment) == day)
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
