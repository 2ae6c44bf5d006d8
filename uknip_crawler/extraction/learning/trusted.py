"""The story of a page whose layout is trusted: read where it stands, without a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import eq

from uknip_crawler.extraction.body.finding import Body
from uknip_crawler.extraction.learning.layouts import Layout
from uknip_crawler.extraction.learning.lines import ALL_LINKED
from uknip_crawler.extraction.learning.masking import mask
from uknip_crawler.extraction.page import Element, Page, text_of
from uknip_crawler.extraction.page.places import SEPARATOR, ancestors, branches, listed_as, step
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.models import BlockKind, Stripped


def find_container(page: Page, layout: Layout) -> Element | None:
    """Return the element at the first of the layout's places that the page has: of several the one with most text."""
    narrowed = layout.marks.narrowed
    for fits in (eq, _is_like):
        for place in layout.containers:
            found = page.by_tag["body"] or [page.root]
            for wanted in place.split(SEPARATOR):
                found = [
                    child for element in found for child in element if fits(narrowed(step(child)), wanted)
                ]
            if found:
                return max(found, key=lambda element: len(text_of(element))) if len(found) > 1 else found[0]
    return None


def _is_like(one: str, wanted: str) -> bool:
    """Tell whether a step has the tag of another and half of its marks: a page may lack what all pages had that were
    learned from, as `has-thumb` where there is no image."""
    tag, *marks = one.split(" ")
    other, *own = wanted.split(" ")
    return tag == other and 2 * len(set(own).intersection(marks)) >= len(own)


def read_by_place(
    layout: Layout, container: Element, region: list[RawBlock], keep: frozenset[str] = frozenset()
) -> Body:
    """Return the story's blocks and those above it, without the boxes that are furniture by their place.

    `region` holds the blocks from below the headline to the end of the container; `keep` are masked lines that stay.
    """
    body, found = Body([], [], []), []
    for block in region:
        chain = ancestors(block.element)
        if container in chain or container.tag == "body":
            inner = chain[: chain.index(container)] if container in chain else chain
            found.append((block, *_rule_of(block, inner, layout)))
        elif not found:
            body.above.append(block)
    doubted = _doubted(found)
    for block, rule, place in found:
        if place in doubted:
            rule = None
        if rule is None or (keep and mask(block.text) in keep):
            body.blocks.append(block)
            continue
        body.boxed.append(block)
        if not body.blocks:
            body.above.append(block)
        if block.text and block.is_text:
            body.dropped.append(Stripped(block.text, rule, place, layout.furniture.get(place, 0), 1))
    return body


def _doubted(found: Sequence[tuple[RawBlock, str | None, str]]) -> set[str]:
    """Return the places of furniture that may be others on this page: of nameless boxes alone, and most of the page's
    sentences stand there."""
    told = Counter[str]()
    for block, rule, place in found:
        if block.is_told:
            told[place if rule else ""] += len(block.text.split())
    return {
        place
        for place, words in told.items()
        if place and " ." not in place and " #" not in place and 2 * words > told.total()
    }


def _rule_of(block: RawBlock, inner: list[Element], layout: Layout) -> tuple[str | None, str]:
    """Return the rule under which a block is furniture, or None, and its place."""
    place, known = "", True
    for place in branches(tuple(layout.marks.narrowed(step(element)) for element in reversed(inner))):
        if name := listed_as(place, layout.furniture):
            return "place", name
        known = place in layout.story
    if not known:
        if block.kind is BlockKind.HEADING and block.linked > ALL_LINKED:
            return "teaser_card", place
        if block.junk is not None and block.junk in inner:
            return "wrapper", place
    return None, place
