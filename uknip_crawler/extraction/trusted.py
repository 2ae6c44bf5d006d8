"""The story of a page whose layout is trusted: read where it stands, without a search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from lxml import etree

from uknip_crawler.extraction.blocks import RawBlock
from uknip_crawler.extraction.body import Body
from uknip_crawler.extraction.layouts import Layout, Learned
from uknip_crawler.extraction.masking import mask
from uknip_crawler.extraction.page import Element, Page
from uknip_crawler.extraction.places import SEPARATOR, ancestors, branches, narrowed, step, steps
from uknip_crawler.extraction.verdicts import is_among
from uknip_crawler.models import BlockKind, Stripped


def find_container(page: Page, layout: Layout) -> Element | None:
    """Return the element at the first of the layout's places that the page has."""
    for place in layout.containers:
        for element in _candidates(page, place.rpartition(SEPARATOR)[2]):
            if SEPARATOR.join(narrowed(one, layout.marks) for one in steps(element)) == place:
                return element
    return None


def _candidates(page: Page, last: str) -> list[Element]:
    """Return the elements whose own step may be `last`, in document order."""
    tag, *marks = last.split(" ")
    if tag == "body" or not tag:
        return page.by_tag["body"][:1]
    return cast(list[Element], _having(tag, tuple(marks))(page.root))


@lru_cache(256)
def _having(tag: str, marks: tuple[str, ...]) -> etree.XPath:
    quoted = [(mark[0], mark[1:]) for mark in marks if not re.search(r"[\"'\\]", mark)]
    tests = [
        f'starts-with(@id, "{name}")' if kind == "#" else f'contains(@class, "{name}")'
        for kind, name in quoted
    ]
    return etree.XPath(f"//{tag}" + "".join(f"[{test}]" for test in tests))


def read_by_place(
    layout: Layout, container: Element, region: list[RawBlock], learned: Learned, labels: frozenset[str]
) -> Body:
    """Return the story's blocks and those above it; furniture goes by its place or its words.

    `region` holds the blocks from below the headline to the end of the container.
    """
    body = Body([], [], [])
    knowledge = _Knowledge(layout, learned.keep, labels)
    for block in region:
        chain = ancestors(block.element)
        if container not in chain and container.tag != "body":
            body.above.append(block)
            continue
        inner = chain[: chain.index(container)] if container in chain else chain
        rule, place = knowledge.rule_of(block, inner)
        if rule is None:
            body.blocks.append(block)
            continue
        if not body.blocks:
            body.above.append(block)
        if block.text and block.is_text:
            body.dropped.append(Stripped(block.text, rule, place))
    return body


@dataclass(slots=True)
class _Knowledge:
    layout: Layout
    keep: frozenset[str]
    labels: frozenset[str]

    def rule_of(self, block: RawBlock, inner: list[Element]) -> tuple[str | None, str]:
        """Return the rule under which a block is furniture, or None, and its place."""
        if self.keep and is_among(block.text, self.keep, self.labels):
            return None, ""
        layout = self.layout
        place, known = "", True
        for place in branches(tuple(narrowed(step(element), layout.marks) for element in reversed(inner))):
            if place in layout.furniture:
                return "place", place
            known = place in layout.story
        if not known:
            if block.kind is BlockKind.HEADING and block.linked > 0.9:
                return "teaser_card", place
            if block.junk is not None and block.junk in inner:
                return "wrapper", place
        if layout.texts and block.is_text and mask(block.text, self.labels) in layout.texts:
            return "recurs", place
        return None, place
