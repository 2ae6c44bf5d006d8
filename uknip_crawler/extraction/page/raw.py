"""A block as the page has it, before cleaning."""

from __future__ import annotations

from dataclasses import dataclass

from uknip_crawler.extraction.page import Element, Page
from uknip_crawler.extraction.page.text import is_cut, is_sentence
from uknip_crawler.models import TEXT_KINDS, BlockKind, Image, Link

MIN_TOLD_WORDS = 12


@dataclass(slots=True, eq=False)
class RawBlock:
    """A block before cleaning. `element` holds it, `junk` is the nearest wrapper that looks like furniture.

    `linked` is the share of its characters inside anchors, 0 to 1. `is_spared` says that its place makes it story,
    whatever its words.
    """

    kind: BlockKind
    element: Element
    text: str = ""
    level: int | None = None
    ordered: bool | None = None
    url: str | None = None
    image: Image | None = None
    junk: Element | None = None
    linked: float = 0.0
    links: tuple[Link, ...] = ()
    is_spared: bool = False

    @property
    def is_text(self) -> bool:
        return self.kind in TEXT_KINDS

    @property
    def is_told(self) -> bool:
        """Whether it is a long sentence without links: what stories are made of, and little else is."""
        if not self.is_text or self.linked > 0.3 or not is_sentence(self.text) or is_cut(self.text):
            return False
        return len(self.text.split()) >= MIN_TOLD_WORDS


def after_headline(page: Page, raw: list[RawBlock], headline: Element | None) -> list[RawBlock]:
    """Return the blocks below the headline; all of them where no headline is printed, or nothing is below it."""
    if headline is None:
        return raw
    printed = next((index for index, block in enumerate(raw) if block.element is headline), None)
    if printed is not None:
        below = raw[printed + 1 :]
    else:
        start = page.position[headline]
        below = [block for block in raw if page.position[block.element] > start]
    return below if any(block.is_text for block in below) else raw
