"""Everything about a story but its headline and text: who, when, where filed, under which address and picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uknip_crawler.errors import AddressRefused
from uknip_crawler.extraction import dates
from uknip_crawler.extraction.blocks import RawBlock, after_headline
from uknip_crawler.extraction.headline import Headline
from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.structured import Structured, text, texts, types_of
from uknip_crawler.extraction.text import is_cut, is_sentence, one_line
from uknip_crawler.models import Moment
from uknip_crawler.sites import Site, fold
from uknip_crawler.urls import AddressKind, address_date, canonicalise, classify, post_number

MAX_BYLINE_LINES = 14
_BYLINE = re.compile(r"(?i)^(?:words |written |report(?:ed)? |story )?by:?\s+(?P<names>.{2,80})$")
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: (?:[A-Z]\.?|[^\W\d_][\w.'’-]*)){0,4}")
_WORDPRESS_POST = re.compile(r"post-(\d{1,18})")


_PUBLISHED = ("article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "date")
_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified")

Dated = tuple[str, str, Moment | None]
"""Where a date was found, its text, and what it was read as."""


@dataclass(slots=True)
class Metadata:
    """The fields found and, in `sources`, where each came from."""

    url: str
    post_id: int | None = None
    authors: tuple[str, ...] = ()
    section: str | None = None
    tags: tuple[str, ...] = ()
    published_at: Moment | None = None
    published_raw: str | None = None
    modified_at: Moment | None = None
    modified_raw: str | None = None
    language: str | None = None
    sources: dict[str, str] = field(default_factory=dict)


def read_metadata(
    page: Page, data: Structured, site: Site, headline: Headline, raw: list[RawBlock], fetched_at: datetime
) -> Metadata:
    """Return the story's metadata; what the page does not say is None."""
    url, source = _address(page, data, site)
    found = Metadata(url, post_id=_post_id(page, data), language=_language(page, data))
    found.sources["url"] = source
    lines, above = byline_lines(page, raw, headline.element)
    near = _near(page, headline.element)
    _read_dates(found, page, data, (lines, above), near, fetched_at)
    _read_authors(found, data, site, lines[:above], near)
    _read_filing(found, page, data, near)
    return found


def byline_lines(page: Page, raw: list[RawBlock], headline: Element | None) -> tuple[list[str], int]:
    """Return the lines printed below the headline, and how many of them stand above the first sentence."""
    if headline is None:
        return [], 0
    lines: list[str] = []
    above: int | None = None
    for block in after_headline(page, raw, headline):
        if not block.is_text:
            continue
        words = len(block.text.split())
        is_story = (words > 14 or (words > 6 and is_sentence(block.text))) and not is_cut(block.text)
        if above is None and is_story:
            above = len(lines)
        lines.append(block.text)
        if len(lines) >= MAX_BYLINE_LINES:
            break
    return lines, len(lines) if above is None else above


def _near(page: Page, headline: Element | None) -> list[Element]:
    """Return the elements around the headline, up to the first paragraph after it."""
    if headline is None:
        return []
    start = page.position[headline]
    top: Element = headline
    for _ in range(4):
        parent = top.getparent()
        if parent is None or parent.tag in ("body", "main"):
            break
        top = parent
        if top.tag == "article":
            break
    around = []
    for element in top.iter():
        if (
            element.tag == "p"
            and page.position.get(element, 0) > start
            and len(text_of(element).split()) > 14
        ):
            break
        around.append(element)
    return around


def _address(page: Page, data: Structured, site: Site) -> tuple[str, str]:
    own = _canonical(page.url, site)
    for source, address in (("markup", data.rel.get("canonical")), ("meta", data.first("og:url"))):
        found = _canonical(address, site) if address else None
        if found and found == own:
            return found, source
        if found and classify(found, site) in (AddressKind.ARTICLE, AddressKind.UNKNOWN):
            return found, source
    return own or page.url, "address"


def _canonical(address: str, site: Site) -> str | None:
    try:
        return canonicalise(address, site)
    except AddressRefused:
        return None


def _post_id(page: Page, data: Structured) -> int | None:
    for token in page.body_classes:
        if match := re.fullmatch(r"postid-(\d{1,18})", token):
            return int(match[1])
    own = [
        e
        for e in page.by_tag["article"]
        if _WORDPRESS_POST.fullmatch(e.get("id") or "") and e.find(".//h1") is not None
    ]
    if len(own) == 1 and (match := _WORDPRESS_POST.fullmatch(own[0].get("id") or "")):
        return int(match[1])
    return post_number(data.rel.get("shortlink", "")) or post_number(page.url)


def _language(page: Page, data: Structured) -> str | None:
    declared = page.root.get("lang") or text(data.article.get("inLanguage"))
    match = re.fullmatch(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8})*)", (declared or "").strip())
    return match[1].lower() + match[2].replace("_", "-") if match else None


def _read_dates(
    found: Metadata,
    page: Page,
    data: Structured,
    printed_lines: tuple[list[str], int],
    near: list[Element],
    fetched_at: datetime,
) -> None:
    published = [
        ("json-ld", text(data.article.get("datePublished"))),
        ("meta", data.first(*_PUBLISHED)),
        ("markup", _time(near, "published")),
    ]
    modified = [
        ("json-ld", text(data.article.get("dateModified"))),
        ("meta", data.first(*_MODIFIED)),
        ("markup", _time(near, "updated")),
    ]
    first = [(source, raw, dates.parse(raw, fetched_at)) for source, raw in published if raw]
    last = [(source, raw, dates.parse(raw, fetched_at)) for source, raw in modified if raw]
    if not (_is_exact(first) and _is_exact(last)):
        _read_printed_dates(first, last, *printed_lines, fetched_at)
    if day := dates.in_address(address_date(found.url) or address_date(page.url), fetched_at):
        before_alone = next((i for i, row in enumerate(first) if row[0] == "alone"), len(first))
        first.insert(before_alone, ("address", day.isoformat(), day))
    found.published_at, found.published_raw = _trusted(found, "published_at", first)
    found.modified_at, found.modified_raw = _trusted(found, "modified_at", last)


def _is_exact(readings: list[Dated]) -> bool:
    return any(isinstance(moment, datetime) for _, _, moment in readings)


def _read_printed_dates(
    first: list[Dated], last: list[Dated], lines: list[str], above: int, fetched_at: datetime
) -> None:
    """Add the dates that the page prints by the headline, labelled ones before one that stands alone."""
    labelled = dates.labelled(lines, fetched_at)[0]
    for name, readings in (("published", first), ("modified", last)):
        if printed := labelled.get(name):
            readings.append(("label", printed.raw, printed.moment))
    alone = dates.standing_alone(dates.labelled(lines[:above], fetched_at)[1], fetched_at)
    if alone and not _is_exact(first):
        first.append(("alone", alone.raw, alone.moment))


def _trusted(found: Metadata, name: str, readings: list[Dated]) -> tuple[Moment | None, str | None]:
    """Return the most trusted reading; a bare day gives way to a later one that knows the hour of that day."""
    read = [(source, raw, moment) for source, raw, moment in readings if moment is not None]
    if not read:
        return None, readings[0][1] if readings else None
    source, raw, moment = read[0]
    if not isinstance(moment, datetime):
        exact = [row for row in read if isinstance(row[2], datetime) and dates.london_day(row[2]) == moment]
        source, raw, moment = exact[0] if exact else read[0]
    found.sources[name] = "label" if source == "alone" else source
    return moment, raw


def _time(near: list[Element], kind: str) -> str | None:
    """Return the machine-readable time by the headline that is marked as publication or update."""
    wanted = {
        "published": {"published", "entry-date", "datepublished", "post-date"},
        "updated": {"updated", "datemodified"},
    }
    times = [e for e in near if e.tag == "time" and e.get("datetime")]
    for element in times:
        names = {*(token.lower() for token in classes(element)), (element.get("itemprop") or "").lower()}
        if names & wanted[kind] and not (kind == "updated" and names & wanted["published"]):
            return element.get("datetime")
    plain = [e for e in times if not classes(e) and not e.get("itemprop")]
    return plain[0].get("datetime") if kind == "published" and len(plain) == 1 else None


def _read_authors(
    found: Metadata, data: Structured, site: Site, lines: list[str], near: list[Element]
) -> None:
    candidates = [
        ("json-ld", list(_people(data.article.get("author"), data))),
        ("meta", [data.first("author", "article:author", "parsely-author") or ""]),
        ("markup", [text_of(e) for e in near if e.tag == "a" and "author" in (e.get("rel") or "").split()]),
        ("label", [name for line in lines if (m := _BYLINE.match(line)) for name in _names(m["names"])]),
    ]
    house = site.house_accounts | {fold(name) for name in site.names}
    for source, names in candidates:
        people = [one_line(re.sub(r"(?i)^by:?\s+", "", name)) for name in names if name]
        people = [
            name for name in people if fold(name) not in house and "://" not in name and len(name) <= 80
        ]
        if people:
            found.authors = tuple(dict.fromkeys(people))
            found.sources["authors"] = source
            return


def _people(value: Any, data: Structured) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        node = data.resolve(item)
        if isinstance(node, dict) and "Organization" not in types_of(node):
            yield from texts(node.get("name"))
        elif isinstance(node, str):
            yield from texts(node)


def _names(byline: str) -> list[str]:
    """Return the people a byline names; one word that is no name, such as a role, is nobody."""
    bare = re.split(r"\s+[|·•–-]\s+|\s+on\s+(?=[A-Z0-9])", byline)[0]
    names = [name.strip(" .,") for name in re.split(r",\s*|\s+(?:and|&)\s+", bare)]
    return names if all(_NAME.fullmatch(name) and name[0].isupper() and " " in name for name in names) else []


def _read_filing(found: Metadata, page: Page, data: Structured, near: list[Element]) -> None:
    categories = [text_of(e) for e in near if e.tag == "a" and is_category(e)]
    sections = [
        ("json-ld", texts(data.article.get("articleSection"))),
        ("meta", [data.first("article:section") or ""]),
        ("json-ld", _crumb_names(data)),
        ("markup", _crumb_links(page)),
        ("markup", categories),
    ]
    source, names = next(((s, names) for s, names in sections if any(names)), ("", []))
    if names:
        found.section, found.sources["section"] = next(name for name in names if name), source
    keywords = [part.strip() for value in texts(data.article.get("keywords")) for part in value.split(",")]
    links = [text_of(e) for e in page.by_tag["a"] if e.get("rel") == "tag" and not is_category(e)]
    for source, tags in (
        ("meta", data.meta.get("article:tag", [])),
        ("json-ld", keywords),
        ("markup", links),
    ):
        if kept := tuple(dict.fromkeys(one_line(tag).lstrip("#") for tag in tags if one_line(tag))):
            found.tags, found.sources["tags"] = kept, source
            return


def is_category(anchor: Element) -> bool:
    """Tell whether a link files a story under a category: WordPress's `rel`, or its block themes' wrapper."""
    if "category" in (anchor.get("rel") or "").split():
        return True
    parent = anchor.getparent()
    return anchor.get("rel") == "tag" and parent is not None and "taxonomy-category" in classes(parent)


def _crumb_names(data: Structured) -> list[str]:
    """Return the section a BreadcrumbList names: the last step before the story, never the home page."""
    for node in data.nodes:
        steps = node.get("itemListElement")
        if "BreadcrumbList" in types_of(node) and isinstance(steps, list):
            names = [
                text(step.get("name"))
                or (text(step["item"].get("name")) if isinstance(step.get("item"), dict) else None)
                for step in steps
                if isinstance(step, dict)
            ]
            return [name for name in names[1:-1] if name][-1:]
    return []


def _crumb_links(page: Page) -> list[str]:
    for element in page.elements:
        marks = " ".join(
            [*classes(element), element.get("aria-label") or "", element.get("itemtype") or ""]
        ).lower()
        if "breadcrumb" in marks:
            names = [text_of(anchor) for anchor in element.iter("a")]
            inner = [name for name in names if name and fold(name) != "home"]
            if inner:
                return inner[-1:] if len(inner[-1].split()) <= 5 else inner[-2:-1]
    return []
