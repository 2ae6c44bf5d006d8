"""Furniture among the story's own paragraphs: told by recurrence together with place, never by recurrence alone.

Police lines recur too ("More to follow", "Anyone with information …"), but wherever the story ends, and in every
layout at the same rate. A promotion comes on most pages of a layout, or always after the same paragraph. In a young
layout two or three times are enough for a long line that no other layout knows, on pages with nothing else in common;
when more pages come and it does not, the line is story again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from uknip_crawler.extraction.masking import NAME

MIN_PAGES = 8
MOST_PAGES = 0.6
MIN_TIMES = 5
SOME_PAGES = 0.08
MIN_PAGES_FOR_SOME = 20
SAME_SLOT = 0.9
FEW_TIMES = 3
FEW_TIMES_NAMELESS = 2
FEW_WORDS = 8
MIN_PAGES_ELSEWHERE = 60
# what newsrooms and police write under stories is story, however often it comes
_STORY = re.compile(
    r"more to follow|approached for (?:a )?comment|contacted for (?:a )?comment|anyone (?:with|who)\b|crimestoppers"
    r"|diversion|avoid the area|dash ?cam|quot(?:e|ing)\b|^updat|^correction|enquiries (?:are|were)|call(?:ing)? 0\b"
)


class _Told(Protocol):
    @property
    def masked(self) -> str: ...
    @property
    def kind(self) -> str: ...


class _Row(Protocol):
    @property
    def line(self) -> _Told: ...


class Level:
    """The lines on the story's own level of a layout's pages, counted by wording and by slot.

    A slot is the number of paragraphs above; the lines of one page count once.
    """

    def __init__(self, pages: Iterable[Sequence[_Row]]) -> None:
        self.pages = 0
        self.counts: Counter[str] = Counter()
        self.unlike_paragraphs: set[str] = set()
        self._pages_of: dict[str, list[frozenset[str]]] = {}
        self._slots: dict[str, Counter[int]] = {}
        for lines in pages:
            self.pages += 1
            seen: set[str] = set()
            slot = 0
            for row in lines:
                masked = row.line.masked
                if masked not in seen:
                    seen.add(masked)
                    if row.line.kind != "paragraph":
                        self.unlike_paragraphs.add(masked)
                    self._slots.setdefault(masked, Counter())[slot] += 1
                slot += row.line.kind == "paragraph"
            self.counts.update(seen)
            long = frozenset(masked for masked in seen if len(masked.split()) >= FEW_WORDS)
            for masked in long:
                self._pages_of.setdefault(masked, []).append(long)

    def share(self, masked: str) -> float:
        return self.counts[masked] / self.pages if self.pages else 0.0

    def slot_share(self, masked: str) -> float:
        """Return how often a line stands in its commonest slot, 0 to 1; the first slot is the story's opening."""
        slots = self._slots.get(masked)
        if not slots:
            return 0.0
        slot, times = slots.most_common(1)[0]
        return times / slots.total() if slot else 0.0

    def stands_alone(self, masked: str, others: Sequence[Level]) -> bool:
        """Tell whether the pages with a long line share no other that is this layout's own, as follow-ups do."""
        shared = Counter(line for page in self._pages_of.get(masked, ()) for line in page)
        return all(
            times == 1 or any(other.counts[line] for other in others)
            for line, times in shared.items()
            if line != masked
        )


def is_story_line(masked: str) -> bool:
    """Tell whether a masked line is of the kind that police and newsrooms write under stories."""
    return _STORY.search(masked) is not None


def recurring(level: Level, others: Sequence[Level]) -> frozenset[str]:
    """Return the masked lines on the story's level that are furniture."""
    return frozenset(
        masked
        for masked, times in level.counts.items()
        if times > 1 and masked and not is_story_line(masked) and _is_furniture(masked, level, others)
    )


def _is_furniture(masked: str, level: Level, others: Sequence[Level]) -> bool:
    share, times = level.share(masked), level.counts[masked]
    elsewhere = [other for other in others if other.pages >= MIN_PAGES and other.counts[masked]]
    if level.pages >= MIN_PAGES and share >= MOST_PAGES:
        return all(other.share(masked) >= MOST_PAGES for other in elsewhere)
    if masked in level.unlike_paragraphs:
        return False  # the same few subheadings and pieces of advice come after the same paragraphs
    nameless = (
        NAME not in masked and "0" not in masked
    )  # a story's own background has names and numbers in it
    few = FEW_TIMES_NAMELESS if nameless else FEW_TIMES
    if not elsewhere and times >= few and share >= SOME_PAGES and level.pages >= MIN_PAGES:
        unseen = sum(other.pages for other in others) >= MIN_PAGES_ELSEWHERE
        is_long = len(masked.split()) >= FEW_WORDS
        if unseen and is_long and level.slot_share(masked) == 1.0 and level.stands_alone(masked, others):
            return True
    if level.pages >= MIN_PAGES_FOR_SOME and times >= MIN_TIMES and share >= SOME_PAGES:
        slots = [level.slot_share(masked), *(other.slot_share(masked) for other in elsewhere)]
        return all(slot >= SAME_SLOT for slot in slots)
    return False
