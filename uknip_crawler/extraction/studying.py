"""What one capture shows of its layout, with trafilatura as teacher: the material that layouts are learned from."""

from __future__ import annotations

from lxml import etree

from uknip_crawler.errors import ContentError
from uknip_crawler.extraction.blocks import RawBlock, read_blocks
from uknip_crawler.extraction.body import survey
from uknip_crawler.extraction.classify import PageKind, classify
from uknip_crawler.extraction.content import decode
from uknip_crawler.extraction.headline import Headline, find_headline
from uknip_crawler.extraction.layouts import Line, Study
from uknip_crawler.extraction.masking import labels, mask
from uknip_crawler.extraction.page import Element, Page, parse
from uknip_crawler.extraction.places import ancestors, path, step
from uknip_crawler.extraction.structured import Structured, read_structured, text, texts
from uknip_crawler.extraction.text import key
from uknip_crawler.models import Capture
from uknip_crawler.sites import Site

MAX_LINES = 400
MAX_TEXT = 400


def study(capture: Capture, site: Site) -> Study | None:
    """Return what a capture of a story shows of its layout, or None where it shows no story."""
    try:
        page = parse(decode(capture), capture.url, capture.header("Content-Type"))
    except (ContentError, etree.ParserError):
        return None
    data = read_structured(page)
    if classify(page, data, site, expected_article=True).kind is not PageKind.ARTICLE:
        return None
    raw, headline = read_blocks(page), find_headline(page, data, site)
    if headline is None or not raw:
        return None
    seen = survey(page, raw, headline)
    names = page_labels(data, headline)
    approved = {id(seen.blocks[index]) for index in seen.approved}
    rows = [b for b in seen.blocks if b.is_text and key(b.text) not in headline.echoes][:MAX_LINES]
    lines = tuple(_line(page, block, names, id(block) in approved) for block in rows)
    home = tuple(map(step, reversed(ancestors(seen.container)))) if seen.container is not None else None
    return Study(
        skeleton=skeleton_of(headline, seen.container),
        seen_at=capture.fetched_at,
        digest=capture.payload_sha256,
        headline=key(headline.text),
        container=home,
        lines=lines,
    )


def skeleton_of(headline: Headline, container: Element | None) -> str:
    """Return the name of a page's layout: the way from `body` down to its headline."""
    if headline.element is not None:
        return path(headline.element)
    return "without a headline: " + (path(container) if container is not None else "body")


def page_labels(data: Structured, headline: Headline) -> frozenset[str]:
    """Return the words that a page's furniture may repeat from its head: section, tags, authors, headline."""
    sections = [*texts(data.article.get("articleSection")), *data.meta.get("article:section", ())]
    keywords = data.article.get("keywords")
    tags = [*data.meta.get("article:tag", ()), *(texts(keywords) or [text(keywords) or ""])]
    author = data.resolve(data.article.get("author"))
    names = [text(author.get("name")) or ""] if isinstance(author, dict) else texts(author)
    return labels(headline.text, *sections, *tags, *names, *data.meta.get("author", ()))


def _line(page: Page, block: RawBlock, names: frozenset[str], taught: bool) -> Line:
    chain = [*reversed(ancestors(block.element))]
    return Line(
        place=tuple(map(step, chain)),
        wrappers=tuple(page.position[element] for element in chain),
        kind=block.kind.value,
        text=block.text[:MAX_TEXT],
        masked=mask(block.text, names)[:MAX_TEXT],
        words=len(block.text.split()),
        linked=round(block.linked, 2),
        taught=taught,
    )
