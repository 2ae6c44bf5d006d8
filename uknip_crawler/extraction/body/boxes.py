"""The boxes inside a story's container: which hold pieces of the story, whatever their names, and which furniture."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from uknip_crawler.extraction.page import Element
from uknip_crawler.extraction.page.marks import holds_remarks, is_junk, names_gate
from uknip_crawler.extraction.page.places import TEXT_TAGS, ancestors, stable_classes
from uknip_crawler.extraction.page.raw import RawBlock

MAX_FORM_WORDS = 100
MAX_TIME_WORDS = 8
_CLOCK = re.compile(
    r"(?i)(?:(?:updated|posted|published|at|on)\b:? ?)*(?:[a-z]{3,9},? )?(?:\d{1,2} [a-z]{3,9}(?: \d{4})?,? (?:at )?)?"
    r"\d{1,2}[:.h]\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?(?: ?\(?(?:gmt|bst|utc|cet|cest|e[sd]t|local time)\)?)?"
    r"(?:,? (?:on )?(?:\d{1,2} [a-z]{3,9}|[a-z]{3,9} \d{1,2})(?:,? \d{4})?)?(?![\w:])"
)


class Boxes:
    """What the elements between a container and its blocks hold: words of long unlinked sentences, links, forms."""

    def __init__(
        self, blocks: list[RawBlock], cards: set[Element], approved: dict[int, int], container: Element
    ) -> None:
        self._cards, self._container = cards, container
        self._approved: Counter[Element] = Counter()
        self._told: Counter[Element] = Counter()
        self._words: Counter[Element] = Counter()
        self._linked: Counter[Element] = Counter()
        self._sentences: Counter[Element] = Counter()
        self._all_approved = sum(approved.values())
        for index, block in enumerate(blocks):
            words = len(block.text.split()) if block.is_text else 0
            for element in self._inner(block):
                self._approved[element] += approved.get(index, 0)
                self._words[element] += words
                self._linked[element] += block.is_text and block.linked > 0.9 and words > 2
                if block.is_told:
                    self._told[element] += words
                    self._sentences[element] += 1
        told = [block for block in blocks if block.is_told and self._is_open(block)]
        self._all_told = sum(len(block.text.split()) for block in told)
        junk = [block for block in told if block.junk is not None and block.junk in self._inner(block)]
        self._names_lie = 2 * sum(len(block.text.split()) for block in junk) > self._all_told
        self._kin: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self._kin_size: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for element in self._told:
            if is_junk(element, str(element.tag)):
                self._kin[_mark(element)] += max(self._told[element], self._approved[element])
                self._kin_size[_mark(element)] += 1
        self._forms = self._boxes_of_forms(blocks)
        self._updates = self._boxes_of_updates()

    def _inner(self, block: RawBlock) -> list[Element]:
        chain = ancestors(block.element)  # without `body`
        if self._container in chain:
            return chain[: chain.index(self._container)]
        return chain if self._container.tag in ("body", "html") else []

    def _is_open(self, block: RawBlock) -> bool:
        inner = self._inner(block)
        is_inside = bool(inner) or block.element is self._container
        return is_inside and not any(e in self._cards or holds_remarks(e) for e in inner)

    def rule_of(self, block: RawBlock) -> str | None:
        """Return the rule under which a block in a box of furniture is dropped, or None."""
        inner = self._inner(block)
        if self._cards.intersection(inner):
            return "teaser_card"
        if self._forms.intersection(inner):
            return "form"
        if block.junk is not None and block.junk in inner and not self._is_story(block.junk):
            heads = block.junk.tag == "header" and block.kind == "heading" and block.linked < 0.5
            return None if heads and self._updates.intersection(inner) else "wrapper"
        if any(holds_remarks(e) and 3 * self._approved[e] < self._all_approved for e in inner):
            return "comments"
        return None

    def _is_story(self, box: Element) -> bool:
        """Tell whether a box named like furniture holds so much of the story that its name lies."""
        told, approved = self._told[box], self._approved[box]
        if 3 * approved >= self._all_approved > 0:
            return True
        if not told or any(holds_remarks(e) for e in (box, *box.iterancestors()) if e in self._told):
            return False
        if self._linked[box] >= max(1, self._sentences[box]) or not self._is_beside_story(box):
            return False
        is_unshown = box.get("hidden") is not None or "display:none" in (box.get("style") or "").replace(
            " ", ""
        )
        if self._names_lie or (3 if is_unshown else 2) * told >= self._all_told:
            return True
        mark = _mark(box)
        return self._kin_size[mark] > 1 and 3 * self._kin[mark] >= self._all_told

    def keeps(self, block: RawBlock) -> bool:
        """Tell whether a block after all that trafilatura knows stands in an update, or in a box with much of the story."""
        if self._updates.intersection(self._inner(block)):
            return True
        inner = [e for e in self._inner(block) if e.tag not in TEXT_TAGS]
        return any(
            4 * self._told[box] >= self._all_told > 0
            and self._linked[box] <= self._sentences[box]
            and self._is_beside_story(box)
            and not holds_remarks(box)
            for box in inner
        )

    def _is_beside_story(self, box: Element) -> bool:
        """Tell whether what holds the box holds sentences of the story besides, as no player or widget does."""
        parent = box.getparent()
        around = (
            self._all_told if parent is self._container else self._told[parent] if parent is not None else 0
        )
        return around > self._told[box] or self._told[box] >= self._all_told

    def time_of(self, block: RawBlock) -> str | None:
        """Return the time that a line above or below an update of a live report tells, or None."""
        if block.kind != "paragraph" or not self._updates.intersection(self._inner(block)):
            return None
        found = _CLOCK.match(block.text)
        rest = block.text[found.end() :] if found else ""
        return found[0] if found and len(rest.split()) <= MAX_TIME_WORDS else None

    def _boxes_of_forms(self, blocks: list[RawBlock]) -> set[Element]:
        """Return the boxes around forms and gates: a few words, none of the story's sentences."""
        found: set[Element] = set()
        starts = list(self._container.iter("form", "input"))
        starts += [e for e in self._words if names_gate(e) and e.tag not in TEXT_TAGS]
        for start in starts:
            box = None
            for element in ancestors(start):
                if element is self._container or not self._may_be_form(element):
                    break
                box = element
            if box is not None:
                found.add(box)
        return found

    def _may_be_form(self, element: Element) -> bool:
        words, told = self._words[element], self._told[element]
        if words > MAX_FORM_WORDS or 3 * told >= self._all_told:
            return False
        asks = any(e.get("type", "text") in ("text", "email") for e in element.iter("input"))
        is_call = asks and self._sentences[element] < 2 and 4 * told < self._all_told
        return is_call or not self._approved[element] or 2 * told < words

    def _boxes_of_updates(self) -> set[Element]:
        """Return the boxes of a live report's updates: alike, side by side, each with sentences under its heading."""
        kin: dict[tuple[Element | None, str, tuple[str, ...]], list[Element]] = defaultdict(list)
        for element in self._told:
            if element.tag not in TEXT_TAGS or element.tag == "li":
                kin[(element.getparent(), *_mark(element))].append(element)
        units: set[Element] = set()
        for alike in kin.values():
            headed = [e for e in alike if any(True for _ in e.iter("h2", "h3", "h4", "time"))]
            if len(headed) > 1 and not any(self._linked[e] or holds_remarks(e) for e in headed):
                units.update(headed)
        return units


def _mark(element: Element) -> tuple[str, tuple[str, ...]]:
    return str(element.tag), stable_classes(element.get("class") or "")
