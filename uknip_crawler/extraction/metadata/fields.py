"""Everything about a story but its headline and text: who, when, where filed, under which address and image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from uknip_crawler.extraction.metadata.authors import read_authors
from uknip_crawler.extraction.metadata.dating import read_dates
from uknip_crawler.extraction.metadata.filing import is_category, read_filing, section_in_address
from uknip_crawler.extraction.metadata.headline import Headline, names_of
from uknip_crawler.extraction.metadata.surroundings import Surroundings
from uknip_crawler.extraction.page import Element, Page
from uknip_crawler.extraction.page.raw import RawBlock, after_headline
from uknip_crawler.extraction.page.structured import Structured, text
from uknip_crawler.extraction.page.text import is_cut, is_sentence
from uknip_crawler.models import Finding, Moment
from uknip_crawler.sites import Site
from uknip_crawler.urls import AddressKind, classify, post_number

__all__ = ["Metadata", "byline_lines", "is_category", "read_metadata", "section_in_address"]

MAX_BYLINE_LINES = 14
_WORDPRESS_POST = re.compile(r"post-(\d{1,18})")


@dataclass(slots=True)
class Metadata:
    """The fields found; in `sources` where each came from, in `evidence` all that is said of the disputed ones."""

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
    evidence: list[Finding] = field(default_factory=list)


def read_metadata(
    page: Page, data: Structured, site: Site, headline: Headline, raw: list[RawBlock], fetched_at: datetime
) -> Metadata:
    """Return the story's metadata; what the page does not say is None."""
    url, source = _address(page, data, site)
    found = Metadata(url, post_id=_post_id(page, data), language=_language(page, data))
    found.sources["url"] = source
    around = Surroundings(page, headline.element, (data.rel.get("canonical"), data.first("og:url"), url))
    lines, above = byline_lines(page, raw, headline.element, around)
    dating = read_dates(page, data, site, url, (lines, above), around, fetched_at)
    found.published_at, found.published_raw = dating.published_at, dating.published_raw
    found.modified_at, found.modified_raw = dating.modified_at, dating.modified_raw
    found.sources |= dating.sources
    found.evidence += dating.evidence
    house = [*site.house_accounts, *names_of(page, data, site)]
    found.authors, wrote, said = read_authors(data, around, lines[:above], house)
    filing = read_filing(page, data, around, url)
    found.section, found.tags = filing.section, filing.tags
    told = {"authors": wrote, "section": filing.section_source, "tags": filing.tags_source}
    found.sources |= {name: source for name, source in told.items() if source}
    found.evidence = list(dict.fromkeys([*found.evidence, *said, *filing.evidence]))
    return found


def byline_lines(
    page: Page, raw: list[RawBlock], headline: Element | None, around: Surroundings
) -> tuple[list[str], int]:
    """Return the lines printed below the headline, and how many of them stand above the first sentence."""
    if headline is None:
        return [], 0
    lines: list[str] = []
    above: int | None = None
    for block in after_headline(page, raw, headline):
        if not block.is_text or around.is_foreign(block.element):
            continue
        words = len(block.text.split())
        is_story = (words > 14 or (words > 6 and is_sentence(block.text))) and not is_cut(block.text)
        if above is None and is_story:
            above = len(lines)
        lines.append(block.text)
        if len(lines) >= MAX_BYLINE_LINES:
            break
    return lines, len(lines) if above is None else above


def _address(page: Page, data: Structured, site: Site) -> tuple[str, str]:
    own = page.canonical(page.url, site)
    for source, address in (("markup", data.rel.get("canonical")), ("meta", data.first("og:url"))):
        found = page.canonical(address, site)
        if found and found == own:
            return found, source
        if found and classify(found, site) in (AddressKind.ARTICLE, AddressKind.UNKNOWN):
            return found, source
    return own or page.url, "address"


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
