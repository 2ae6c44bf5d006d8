"""Second copies of a page's blocks, for other screens: told by classes such as `mobile-only`."""

from __future__ import annotations

from collections.abc import Iterable

from uknip_crawler.extraction.page import Element
from uknip_crawler.extraction.page.marks import screen_of
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.models import BlockKind


def once(blocks: Iterable[RawBlock]) -> list[RawBlock]:
    """Return the blocks without second copies for other screens; what an author repeats stays."""
    first: dict[tuple[BlockKind, str], RawBlock] = {}
    kept = []
    screens = _Screens()
    for block in blocks:
        known = first.setdefault((block.kind, block.text), block) if block.text else block
        if known is block or not screens.differ(known.element, block.element):
            kept.append(block)
    return kept


class _Screens:
    """For which screens a page's elements are."""

    def __init__(self) -> None:
        self._named: dict[Element, bool] = {}

    def differ(self, one: Element, other: Element) -> bool:
        """Tell whether two elements with the same text are for different screens."""
        if not self._names_screens(one) and not self._names_screens(other):
            return False
        ours, theirs = ancestors(one), ancestors(other)
        while ours and theirs and ours[-1] is theirs[-1]:
            ours.pop()
            theirs.pop()
        screens = [frozenset().union(*map(screen_of, chain)) for chain in (ours, theirs)]
        return screens[0] != screens[1]

    def _names_screens(self, element: Element) -> bool:
        """Tell whether an element, or what holds it, is named for some screens: asked once of each."""
        passed: list[Element] = []
        part: Element | None = element
        named: bool | None = None
        while part is not None and (named := self._named.get(part)) is None:
            passed.append(part)
            part = part.getparent()
        result = bool(named)
        for one in reversed(passed):
            result = self._named[one] = result or bool(screen_of(one))
        return result
