"""A story's page to its reading: by the places of its layout where they are known, else by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from zlib import crc32

from uknip_crawler.extraction.body.blocks import read_below, read_blocks, read_region
from uknip_crawler.extraction.body.cleaning import Cleaned, Context, clean, with_credit
from uknip_crawler.extraction.body.doubt import COLD_RULES, leaves_story_out, may_leave_story_out
from uknip_crawler.extraction.body.finding import Body, locate, survey
from uknip_crawler.extraction.body.images import gather_images, lead_address, stem
from uknip_crawler.extraction.body.particulars import Particulars
from uknip_crawler.extraction.classify import Classified
from uknip_crawler.extraction.learning.judging import drop_furniture, own_container
from uknip_crawler.extraction.learning.layouts import Layout, Learned
from uknip_crawler.extraction.learning.lines import CORE_WORDS
from uknip_crawler.extraction.learning.studying import Study, pack, skeleton_of, study
from uknip_crawler.extraction.learning.trusted import find_container, read_by_place
from uknip_crawler.extraction.learning.verdicts import apply_keep, apply_strip
from uknip_crawler.extraction.metadata import fields as metadata
from uknip_crawler.extraction.metadata.headline import Headline, find_headline
from uknip_crawler.extraction.metadata.standfirst import own_standfirst, standfirst_block
from uknip_crawler.extraction.page import Element, Page, links, text_of
from uknip_crawler.extraction.page.raw import RawBlock, after_headline
from uknip_crawler.extraction.page.structured import Structured
from uknip_crawler.extraction.page.text import is_sentence, key
from uknip_crawler.models import (
    DOUBTFUL_BODY,
    Article,
    Block,
    BlockKind,
    Capture,
    Finding,
    Link,
    Outcome,
    Paging,
    Reading,
    Stripped,
)
from uknip_crawler.sites import Site, fold
from uknip_crawler.urls import AddressKind, canonical_or_none
from uknip_crawler.urls import classify as classify_address

EXTRACTOR_VERSION = "4"
"""Raised whenever the same capture may read differently."""

FOR_NOW = f"{EXTRACTOR_VERSION}-for-now"
"""Version of a reading that is made again when its run has ended."""

REFEREE_EVERY = 50
FEW_STUDIED = 120
"""Studied pages from which a layout's further pages need not be studied as they come."""
LAYOUT_DRIFT = "layout_drift"
"""Flag of a page whose layout is trusted and that could not be read by it, or that the referee read otherwise."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What to read a page with: what was learned, whether its links are wanted, whether it is read again soon."""

    learned: Learned
    with_links: bool
    for_now: bool


def version_of(learned: Learned, skeleton: str | None) -> str:
    """Return the `extractor_version` of a page of this layout when it is read with what was learned."""
    layout = learned.layouts.get(skeleton or "")
    rules = f".{layout.digest}" if layout is not None and layout.is_trusted else ""
    return EXTRACTOR_VERSION + rules + learned.verdicts


@dataclass
class Story:
    """One page of a story, and what it is read with."""

    page: Page
    data: Structured
    site: Site
    classified: Classified
    capture: Capture
    ask: Ask
    paging: Paging | None = None
    place: Element | None = None
    is_read_again: bool = False
    studied: Study | None = None
    below: list[RawBlock] | None = None

    @property
    def learned(self) -> Learned:
        return self.ask.learned

    @property
    def goes_on(self) -> bool:
        """Whether a further page goes on where this one ends."""
        return self.paging is not None and any(n > self.paging.number for n, _ in self.paging.others)

    def reading(self) -> Reading:
        headline = find_headline(self.page, self.data, self.site)
        if headline is None:
            return self._nothing("no_headline" if self.raw else "empty")
        layout = self.learned.layouts.get(skeleton_of(headline, None))
        reading = None
        if layout is not None and layout.is_trusted and not self.page.is_bounded:
            reading = self._by_place(headline, layout)
        reading = reading or self._by_itself(headline)
        if self.ask.for_now and reading.article and (layout is None or layout.studied < FEW_STUDIED):
            return replace(reading, study=pack(self._study(headline)))
        return reading

    @property
    def is_further(self) -> bool:
        """Whether it is a page of a story that begins on another."""
        return self.paging is not None and self.paging.number > 1

    @cached_property
    def raw(self) -> list[RawBlock]:
        return read_blocks(self.page)

    def _by_itself(self, headline: Headline) -> Reading:
        """Return the reading of a page of whose layout nothing is known."""
        if self.ask.for_now and (reading := self._for_now(headline)) is not None:
            return reading
        self.place, self.is_read_again = None, False
        if not self.raw:
            return self._nothing("empty")
        seen = survey(self.page, self.raw, headline)
        skeleton = skeleton_of(headline, seen.container)
        return self._finish(headline, self.raw, locate(self.page, seen), skeleton) or self._nothing("no_body")

    def _for_now(self, headline: Headline) -> Reading | None:
        """Return a reading that will do until its layout is learned, or None where only a search can tell."""
        skeleton = skeleton_of(headline, None)
        if headline.element is None or self.page.is_bounded:
            return None
        container = self._own_container(headline)
        if container is None:
            return None
        self.place, self.is_read_again = container, True
        raw = self._below(headline)
        below = after_headline(self.page, raw, headline.element)
        body = read_by_place(Layout(skeleton), container, below, self.learned.keep)
        reading = self._finish(headline, raw, body, skeleton) if body.blocks else None
        return replace(reading, version=FOR_NOW) if reading is not None else None

    def _by_place(self, headline: Headline, layout: Layout) -> Reading | None:
        """Return the reading of a page whose layout is trusted, or None where nothing stands at its places."""
        container = find_container(self.page, layout)
        self.place, drifts = container, container is None
        if container is None:
            container = self._own_container(headline)
        if container is None:
            return None
        raw = read_region(self.page, headline.element, container)
        below = [block for block in raw if block.element is not headline.element]
        body = read_by_place(layout, container, below, self.learned.keep)
        if not body.blocks:
            return None
        reading = self._finish(headline, raw, body, layout.skeleton)
        if reading is None:
            return None
        drifts = drifts or (self._is_refereed() and not self._referee_agrees(headline, body))
        return replace(reading, flags=(*reading.flags, LAYOUT_DRIFT)) if drifts else reading

    def _own_container(self, headline: Headline) -> Element | None:
        """Return the element of this one page whose new words are best its own, or None."""
        return own_container(self._study(headline), self.learned)

    def _study(self, headline: Headline) -> Study:
        if self.studied is None:
            self.studied = study(self.page, self._below(headline), headline, self.data)
        return self.studied

    def _below(self, headline: Headline) -> list[RawBlock]:
        if self.below is None:
            self.below = read_below(self.page, headline.element)
        return self.below

    def _is_refereed(self) -> bool:
        return crc32(self.capture.url.encode()) % REFEREE_EVERY == 0

    def _referee_agrees(self, headline: Headline, body: Body) -> bool:
        """Tell whether most whole sentences that trafilatura takes for story are in the body, above it, or known to
        be furniture. It is heard only on what it can be right about: sentences that no other page has; and only where
        some of them stand elsewhere on the page."""
        known = {key(b.text) for b in (*body.blocks, *body.above, *body.boxed)}
        if all(key(block.text) in known for block in self.raw if self._can_tell(block)):
            return True
        seen = survey(self.page, self.raw, headline)
        told = {
            key(block.text): words
            for index, words in seen.approved.items()
            if self._can_tell(block := seen.blocks[index])
        }
        return 2 * sum(words for line, words in told.items() if line in known) >= sum(told.values())

    def _can_tell(self, block: RawBlock) -> bool:
        """Tell whether a block is a whole sentence that no other page has."""
        is_whole = block.is_text and is_sentence(block.text) and len(key(block.text).split()) >= CORE_WORDS
        return is_whole and self.learned.is_new(block.text)

    def _nothing(self, reason: str) -> Reading:
        found = links(self.page) if self.ask.with_links else ()
        return Reading(outcome=Outcome.EXTRACT_ERROR, reason=reason, links=found, flags=self.page.flags)

    def _finish(self, headline: Headline, raw: list[RawBlock], body: Body, skeleton: str) -> Reading | None:
        """Return the reading of a located story, or None when nothing is left of a page that may be no story."""
        found = metadata.read_metadata(
            self.page, self.data, self.site, headline, raw, self.capture.fetched_at
        )
        summary = standfirst_block([*body.above, *body.blocks], self.data)
        blocks = [block for block in body.blocks if block is not summary]
        blocks, overruled = apply_strip(blocks, self.learned)
        blocks, learned = drop_furniture(
            blocks, body.boxed, headline, self.learned, may_be_empty=self.is_further
        )
        cleaned = clean(blocks, self._context(raw, headline, found, body))
        apply_keep(blocks, cleaned, self.learned)
        if not cleaned.blocks and not (self.classified.certain or self.is_further):
            return None
        article = self._article(headline, body, cleaned, found, summary)
        stripped = [*body.dropped, *overruled, *learned, *cleaned.furniture]
        furniture = dict.fromkeys(line for line in stripped if line.text != article.standfirst)
        return Reading(
            article=article,
            links=links(self.page) if self.ask.with_links else (),
            furniture=tuple(furniture),
            flags=self._flags(article, cleaned, furniture),
            skeleton=skeleton,
            version=version_of(self.learned, skeleton),
        )

    def _context(
        self, raw: list[RawBlock], headline: Headline, found: metadata.Metadata, body: Body
    ) -> Context:
        filed = [text_of(e) for e in self.page.filing_links if metadata.is_category(e)]
        labels = frozenset(fold(name) for name in (found.section, *found.tags, *filed) if name)
        alts = frozenset(key(b.image.alt) for b in raw if b.image and b.image.alt)
        images = any(block.image for block in (*body.blocks, *body.above))
        has_image = images or bool(lead_address(self.data, self.page)[0])
        addresses = map(self.page.absolute, (a.get("href") for a in self.page.filing_links if _files(a)))
        moments = [moment for moment in (found.published_at, found.modified_at) if moment]
        particulars = Particulars(found.authors, moments, labels, frozenset(filter(None, addresses)))
        return Context(self.site, headline, labels, alts, has_image, self.page.url, self.goes_on, particulars)

    def _article(
        self,
        headline: Headline,
        body: Body,
        cleaned: Cleaned,
        found: metadata.Metadata,
        summary: RawBlock | None,
    ) -> Article:
        above = [block for block in body.above if not _leads_elsewhere(block, self.site, found.url)]
        named, source = lead_address(self.data, self.page)
        shown = [[block.image for block in blocks if block.image] for blocks in (above, cleaned.blocks)]
        images = gather_images(named, *shown)
        if cleaned.credit and images:
            images = (*images[:-1], with_credit(images[-1], cleaned.credit))
        blocks = tuple(Block(b.kind, b.text, b.level, b.ordered, b.url, b.image) for b in cleaned.blocks)
        filed = found.section or cleaned.crumb
        told = None if filed else metadata.section_in_address(self.page, found.url)
        article = Article(
            url=found.url,
            headline=headline.text,
            blocks=blocks,
            post_id=found.post_id,
            kicker=headline.kicker,
            authors=found.authors,
            section=filed or (told.value if told else None),
            tags=found.tags,
            published_at=found.published_at,
            published_raw=found.published_raw,
            modified_at=found.modified_at,
            modified_raw=found.modified_raw,
            language=found.language,
            lead_image=images[0] if images else None,
            images=images,
            links=_story_links(cleaned.blocks),
            evidence=(
                *headline.evidence,
                *found.evidence,
                *_said_by_crumb(cleaned.crumb),
                *filter(None, [told]),
            ),
        )
        standfirst, told_by = own_standfirst(
            summary.text if summary else None, self.data, article.body, headline
        )
        sources = {**found.sources, "headline": headline.source}
        sources |= {"lead_image": source or "markup"} if images else {}
        sources |= {"standfirst": told_by} if standfirst else {}
        if article.section and not found.section:
            sources["section"] = told.source if told else "label"
        return replace(article, standfirst=standfirst, sources=sources)

    def _flags(self, article: Article, cleaned: Cleaned, furniture: Iterable[Stripped]) -> tuple[str, ...]:
        flags = list(self.page.flags)
        repeated = Counter(
            b.text for b in article.blocks if b.kind is BlockKind.PARAGRAPH and len(b.text.split()) > 7
        )
        if not article.body:
            flags.append("empty_body")
        if any(count > 1 for count in repeated.values()):
            flags.append("repeated_paragraphs")
        told = [block.text for block in cleaned.blocks] + [article.standfirst or ""]
        known = {line.text for line in furniture if line.rule not in COLD_RULES}
        is_new, place = self.learned.is_new, self.place
        may_lack = place is None or may_leave_story_out(self.page, place, article.body, is_new)
        if may_lack and not self.is_read_again and leaves_story_out(self.raw, told, known):
            flags.append(DOUBTFUL_BODY)
        return tuple(flags)


def _files(link: Element) -> bool:
    """Tell whether a link says that it leads to a section, a tag or an author."""
    return not {"tag", "category", "author"}.isdisjoint((link.get("rel") or "").split())


def _leads_elsewhere(block: RawBlock, site: Site, own: str) -> bool:
    """Tell whether an image is a link to another story or away from the site: a teaser or a banner."""
    for link in block.links if block.linked > 0.6 else ():
        address = canonical_or_none(link.url, site)
        if address is None:
            return block.image is None or stem(link.url) != stem(block.image.url)
        if classify_address(address, site) is AddressKind.ARTICLE and not address.startswith(own):
            return True
    return False


def _said_by_crumb(crumb: str | None) -> tuple[Finding, ...]:
    return (Finding("section", "label", crumb, crumb),) if crumb else ()


def _story_links(blocks: list[RawBlock]) -> tuple[Link, ...]:
    return tuple(dict.fromkeys(link for block in blocks for link in block.links))
