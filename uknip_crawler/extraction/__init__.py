"""One capture to one reading: an article, or the reason why there is none. Pure: no network, database or clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from lxml import etree

from uknip_crawler.errors import AddressRefused, ContentError, ContentTooLarge, ContentTruncated
from uknip_crawler.extraction import metadata
from uknip_crawler.extraction.blocks import RawBlock, read_blocks, read_region
from uknip_crawler.extraction.body import SHARE_OF_STORY, Body, locate, survey
from uknip_crawler.extraction.classify import PageKind, Verdict, classify
from uknip_crawler.extraction.cleaning import Cleaned, Context, clean, with_credit
from uknip_crawler.extraction.content import decode
from uknip_crawler.extraction.headline import Headline, find_headline
from uknip_crawler.extraction.images import gather_images, lead_address, stem
from uknip_crawler.extraction.layouts import UNLEARNED, Learned
from uknip_crawler.extraction.page import Page, links, next_page, parse, text_of
from uknip_crawler.extraction.paging import take_paging
from uknip_crawler.extraction.standfirst import own_standfirst, standfirst_block
from uknip_crawler.extraction.structured import Structured, read_structured
from uknip_crawler.extraction.studying import page_labels, skeleton_of
from uknip_crawler.extraction.teasers import drop_teasers
from uknip_crawler.extraction.text import key
from uknip_crawler.extraction.trusted import find_container, read_by_place
from uknip_crawler.extraction.verdicts import apply_keep, apply_strip
from uknip_crawler.models import Article, Block, BlockKind, Capture, Finding, Link, Outcome, Reading
from uknip_crawler.sites import Site, fold
from uknip_crawler.urls import AddressKind, canonicalise
from uknip_crawler.urls import classify as classify_address

EXTRACTOR_VERSION = "3"
"""Raised whenever the same capture may read differently."""

REFEREE_EVERY = 50
LAYOUT_DRIFT = "layout_drift"
"""Flag of a page whose layout is trusted and that could not be read by it, or that the referee read otherwise."""

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_NOT_HTML = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"RIFF")
_REFUSALS = {
    PageKind.LISTING: (Outcome.NOT_ARTICLE, "listing"),
    PageKind.PAGE: (Outcome.NOT_ARTICLE, "page"),
    PageKind.MAINTENANCE: (Outcome.NOT_ARTICLE, "maintenance"),
    PageKind.SOFT_404: (Outcome.SOFT_404, "soft_404"),
    PageKind.PROTECTED: (Outcome.PROTECTED, "password"),
    PageKind.CHALLENGE: (Outcome.CHALLENGE, "challenge"),
}


def read(
    capture: Capture,
    site: Site,
    *,
    expected_article: bool = False,
    learned: Learned = UNLEARNED,
    with_links: bool = True,
) -> Reading:
    """Return what a capture of a page turned out to be; never raises, whatever the bytes.

    `expected_article` vouches for a page whose address has no known form: a sitemap or feed lists it as a story.
    `learned` is what the archive has learned of the site so far. `with_links` False leaves out a story page's
    links to elsewhere, which only discovery needs.
    """
    try:
        return _read(capture, site, expected_article, learned, with_links)
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


def _read(
    capture: Capture, site: Site, expected_article: bool, learned: Learned, with_links: bool
) -> Reading:
    content_type = capture.header("Content-Type")
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in _HTML_TYPES:
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="not_html")
    data = decode(capture)
    if data.lstrip()[:8].startswith(_NOT_HTML):
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="not_html")
    page = parse(data, capture.url, content_type)
    structured = read_structured(page)
    verdict = classify(page, structured, site, expected_article=expected_article)
    if verdict.kind is not PageKind.ARTICLE:
        outcome, reason = _REFUSALS[verdict.kind]
        listing = verdict.kind is PageKind.LISTING
        if verdict.kind in (PageKind.LISTING, PageKind.PAGE) and not _has_text(page):
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
    told = _Story(page, structured, site, verdict, capture, learned, with_links).reading()
    return replace(told, paging=paging)


def version_of(learned: Learned, skeleton: str | None) -> str:
    """Return the `extractor_version` of a page of this layout when it is read with what was learned."""
    layout = learned.layouts.get(skeleton or "")
    rules = f".{layout.digest}" if layout is not None and layout.is_trusted else ""
    return EXTRACTOR_VERSION + rules + learned.verdicts


def _has_text(page: Page) -> bool:
    return any(block.text for block in read_blocks(page))


@dataclass(slots=True)
class _Story:
    page: Page
    data: Structured
    site: Site
    verdict: Verdict
    capture: Capture
    learned: Learned
    with_links: bool

    def reading(self) -> Reading:
        headline = find_headline(self.page, self.data, self.site)
        if headline is None:
            return self._nothing("no_headline" if read_blocks(self.page) else "empty")
        trusted = self._by_place(headline)
        if trusted is not None:
            return trusted
        raw = read_blocks(self.page)
        if not raw:
            return self._nothing("empty")
        seen = survey(self.page, raw, headline)
        skeleton = skeleton_of(headline, seen.container)
        reading = self._finish(headline, raw, locate(self.page, seen), skeleton)
        layout = self.learned.layouts.get(skeleton)
        drifts = reading is not None and layout is not None and layout.is_trusted
        if reading is None:
            return self._nothing("no_body")
        return replace(reading, flags=(*reading.flags, LAYOUT_DRIFT)) if drifts else reading

    def _by_place(self, headline: Headline) -> Reading | None:
        """Return the reading where the page's layout is trusted and holds what it promises."""
        layout = self.learned.layouts.get(skeleton_of(headline, None))
        if layout is None or not layout.is_trusted or self.page.is_bounded:
            return None
        container = find_container(self.page, layout)
        if container is None:
            return None
        raw = read_region(self.page, headline.element, container)
        below = [block for block in raw if block.element is not headline.element]
        body = read_by_place(layout, container, below, self.learned, page_labels(self.data, headline))
        if not body.blocks:
            return None
        reading = self._finish(headline, raw, body, layout.skeleton)
        if reading is not None and self._is_refereed() and not self._referee_agrees(headline, body):
            # on one short story the referee errs as well: learning looks at many pages before trust is withdrawn
            reading = replace(reading, flags=(*reading.flags, LAYOUT_DRIFT))
        return reading

    def _is_refereed(self) -> bool:
        return int(self.capture.payload_sha256[:8], 16) % REFEREE_EVERY == 0

    def _referee_agrees(self, headline: Headline, body: Body) -> bool:
        """Tell whether what trafilatura takes for story is in the body, above it, or known to be furniture."""
        seen = survey(self.page, read_blocks(self.page), headline)
        known = {key(b.text) for b in (*body.blocks, *body.above)} | {key(d.text) for d in body.dropped}
        told = sum(seen.approved.values())
        found = sum(n for i, n in seen.approved.items() if key(seen.blocks[i].text) in known)
        return found >= SHARE_OF_STORY * told

    def _nothing(self, reason: str) -> Reading:
        found = links(self.page) if self.with_links else ()
        return Reading(outcome=Outcome.EXTRACT_ERROR, reason=reason, links=found, flags=self.page.flags)

    def _finish(self, headline: Headline, raw: list[RawBlock], body: Body, skeleton: str) -> Reading | None:
        """Return the reading of a located story, or None when nothing is left of a page that may be no story."""
        found = metadata.read_metadata(
            self.page, self.data, self.site, headline, raw, self.capture.fetched_at
        )
        summary = standfirst_block([*body.above, *body.blocks])
        blocks = [block for block in body.blocks if block is not summary]
        names = page_labels(self.data, headline)
        blocks, overruled = apply_strip(blocks, self.learned, names)
        blocks, teasers = drop_teasers(
            blocks, self.learned.stories, headline, lambda url: _is_other_story(url, self.site, found.url)
        )
        cleaned = clean(blocks, self._context(raw, headline, found, body))
        apply_keep(blocks, cleaned, self.learned, names)
        if not cleaned.blocks and not self.verdict.certain:
            return None
        article = self._article(headline, body, cleaned, found, summary)
        stripped = [*body.dropped, *overruled, *teasers, *cleaned.furniture]
        furniture = dict.fromkeys(line for line in stripped if line.text != article.standfirst)
        return Reading(
            article=article,
            links=links(self.page) if self.with_links else (),
            furniture=tuple(furniture),
            flags=self._flags(article),
            skeleton=skeleton,
            version=version_of(self.learned, skeleton),
        )

    def _context(
        self, raw: list[RawBlock], headline: Headline, found: metadata.Metadata, body: Body
    ) -> Context:
        filed = [text_of(e) for e in self.page.filing_links if metadata.is_category(e)]
        labels = frozenset(fold(name) for name in (found.section, *found.tags, *filed) if name)
        alts = frozenset(key(b.image.alt) for b in raw if b.image and b.image.alt)
        pictures = any(block.image for block in (*body.blocks, *body.above))
        has_picture = pictures or bool(lead_address(self.data, self.page)[0])
        return Context(self.site, headline, labels, alts, has_picture)

    def _article(
        self,
        headline: Headline,
        body: Body,
        cleaned: Cleaned,
        found: metadata.Metadata,
        summary: RawBlock | None,
    ) -> Article:
        above = [block for block in body.above if not _leads_elsewhere(block, self.site, found.url)]
        shown = [block.image for block in (*above, *cleaned.blocks) if block.image]
        named, source = lead_address(self.data, self.page)
        images = gather_images(named, shown)
        if cleaned.credit and images:
            images = (*images[:-1], with_credit(images[-1], cleaned.credit))
        blocks = tuple(Block(b.kind, b.text, b.level, b.ordered, b.url, b.image) for b in cleaned.blocks)
        article = Article(
            url=found.url,
            headline=headline.text,
            blocks=blocks,
            post_id=found.post_id,
            kicker=headline.kicker,
            authors=found.authors,
            section=found.section or cleaned.crumb,
            tags=found.tags,
            published_at=found.published_at,
            published_raw=found.published_raw,
            modified_at=found.modified_at,
            modified_raw=found.modified_raw,
            language=found.language,
            lead_image=images[0] if images else None,
            images=images,
            links=_story_links(cleaned.blocks),
            evidence=(*headline.evidence, *found.evidence, *_said_by_crumb(cleaned.crumb)),
        )
        standfirst, told_by = own_standfirst(
            summary.text if summary else None, self.data, article.body, headline
        )
        sources = {**found.sources, "headline": headline.source}
        sources |= {"lead_image": source or "markup"} if images else {}
        sources |= {"standfirst": told_by} if standfirst else {}
        sources |= {"section": "label"} if article.section and not found.section else {}
        return replace(article, standfirst=standfirst, sources=sources)

    def _flags(self, article: Article) -> tuple[str, ...]:
        flags = list(self.page.flags)
        repeated = Counter(
            b.text for b in article.blocks if b.kind is BlockKind.PARAGRAPH and len(b.text.split()) > 7
        )
        if not article.body:
            flags.append("empty_body")
        if any(count > 1 for count in repeated.values()):
            flags.append("repeated_paragraphs")
        return tuple(flags)


def _leads_elsewhere(block: RawBlock, site: Site, own: str) -> bool:
    """Tell whether a picture is a link to another story or away from the site: a teaser or a banner."""
    for link in block.links if block.linked > 0.6 else ():
        if _is_other_story(link.url, site, own):
            return True
        try:
            canonicalise(link.url, site)
        except AddressRefused:
            return block.image is None or stem(link.url) != stem(block.image.url)
    return False


def _is_other_story(link: str, site: Site, own: str) -> bool:
    try:
        address = canonicalise(link, site)
    except AddressRefused:
        return False
    return classify_address(address, site) is AddressKind.ARTICLE and not address.startswith(own)


def _said_by_crumb(crumb: str | None) -> tuple[Finding, ...]:
    return (Finding("section", "label", crumb, crumb),) if crumb else ()


def _story_links(blocks: list[RawBlock]) -> tuple[Link, ...]:
    return tuple(dict.fromkeys(link for block in blocks for link in block.links))
