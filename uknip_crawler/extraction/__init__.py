"""One capture to one reading: an article, or the reason why there is none. Pure: no network, database or clock."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from uknip_crawler.errors import ContentError, ContentTooLarge, ContentTruncated
from uknip_crawler.extraction.body.blocks import read_below, read_blocks
from uknip_crawler.extraction.classify import PageKind, classify
from uknip_crawler.extraction.interruptions import Interruption, interruption
from uknip_crawler.extraction.learning.layouts import UNLEARNED, Learned
from uknip_crawler.extraction.learning.studying import pack, study
from uknip_crawler.extraction.metadata.headline import find_headline
from uknip_crawler.extraction.page import Page, links, next_page, parse
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.extraction.page.structured import read_structured
from uknip_crawler.extraction.paging import take_paging
from uknip_crawler.extraction.story import EXTRACTOR_VERSION, FOR_NOW, LAYOUT_DRIFT, Ask, Story, version_of
from uknip_crawler.models import Capture, Outcome, Reading
from uknip_crawler.sites import Site

__all__ = ["EXTRACTOR_VERSION", "FOR_NOW", "LAYOUT_DRIFT", "read", "study_capture", "version_of"]

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_NOT_HTML = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"RIFF")
_REFUSALS = {
    PageKind.LISTING: (Outcome.NOT_ARTICLE, "listing"),
    PageKind.PAGE: (Outcome.NOT_ARTICLE, "page"),
    PageKind.MAINTENANCE: (Outcome.INTERRUPTED, "maintenance"),
    PageKind.SOFT_404: (Outcome.SOFT_404, "soft_404"),
    PageKind.PROTECTED: (Outcome.PROTECTED, "password"),
    PageKind.CHALLENGE: (Outcome.CHALLENGE, "challenge"),
}
_INTERRUPTIONS = {
    Interruption.CHECK: (Outcome.CHALLENGE, "challenge"),
    Interruption.STOP: (Outcome.INTERRUPTED, "a notice that lets nobody on"),
    Interruption.MISSING: (Outcome.SOFT_404, "soft_404"),
}


def read(
    capture: Capture,
    site: Site,
    *,
    expected_article: bool = False,
    learned: Learned = UNLEARNED,
    with_links: bool = True,
    for_now: bool = False,
) -> Reading:
    """Return what a capture of a page turned out to be; never raises, whatever the bytes.

    `expected_article` vouches for a page whose address has no known form: a sitemap or feed lists it as a story.
    `learned` is what the archive has learned of the site so far. `with_links` False leaves out a story page's
    links to elsewhere, which only discovery needs; `for_now` is for a page that is read
    again once more is known: where its layout is none so far, the element with most new sentences will do, and what
    is learned from is added to the reading.
    """
    try:
        return _read(capture, site, expected_article, Ask(learned, with_links, for_now))
    except ContentTooLarge as error:
        return Reading(outcome=Outcome.TOO_LARGE, reason=str(error))
    except ContentTruncated as error:
        return Reading(outcome=Outcome.DATALOSS, reason=str(error))
    except ContentError as error:
        return Reading(outcome=Outcome.BAD_ENCODING, reason=str(error))
    except etree.ParserError:
        return Reading(outcome=Outcome.EXTRACT_ERROR, reason="empty")
    except Exception as error:  # noqa: BLE001  one broken page must cost one row, never the run
        return Reading(outcome=Outcome.EXTRACT_ERROR, reason=f"{type(error).__name__}: {error}"[:300])


def _read(capture: Capture, site: Site, expected_article: bool, ask: Ask) -> Reading:
    content_type = capture.header("Content-Type")
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in _HTML_TYPES:
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="not_html")
    data = decode(capture)
    if data.lstrip()[:8].startswith(_NOT_HTML):
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="not_html")
    page = parse(data, capture.url, content_type)
    structured = read_structured(page)
    if (stands := interruption(page, structured, capture)) is not None:
        outcome, reason = _INTERRUPTIONS[stands]
        return Reading(outcome=outcome, reason=reason, links=links(page), flags=page.flags)
    classified = classify(page, structured, site, expected_article=expected_article)
    if classified.kind is not PageKind.ARTICLE:
        outcome, reason = _REFUSALS[classified.kind]
        listing = classified.kind is PageKind.LISTING
        if classified.kind in (PageKind.LISTING, PageKind.PAGE) and not _has_text(page):
            outcome, reason, listing = Outcome.EXTRACT_ERROR, "empty", False
        following = next_page(page) if listing else None
        return Reading(
            outcome=outcome,
            reason=reason,
            is_listing=listing,
            links=links(page),
            next_page=following,
            flags=page.flags,
        )
    paging = take_paging(page, structured, site)
    told = Story(page, structured, site, classified, capture, ask, paging).reading()
    return replace(told, paging=paging)


def study_capture(capture: Capture, site: Site) -> bytes | None:
    """Return what a capture of a story shows of its layout, packed, or None where it shows no story."""
    try:
        page = parse(decode(capture), capture.url, capture.header("Content-Type"))
    except (ContentError, etree.ParserError):
        return None
    data = read_structured(page)
    if classify(page, data, site, expected_article=True).kind is not PageKind.ARTICLE:
        return None
    take_paging(page, data, site)
    headline = find_headline(page, data, site)
    if headline is None:
        return None
    return pack(study(page, read_below(page, headline.element), headline, data))


def _has_text(page: Page) -> bool:
    return any(block.text for block in read_blocks(page))
