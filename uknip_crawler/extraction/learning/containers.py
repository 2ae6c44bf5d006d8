"""Where a layout keeps its story: the place whose new words are best the page's own, element by element.

A story is written once, so its sentences stand on one page of the archive, while promotions, labels, boxes and teasers
come again. No second extractor is asked.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from uknip_crawler.extraction.learning.lines import Line
from uknip_crawler.extraction.page.places import DIGITS, Marks, branches, is_of_post, is_wrapper, listed_as

Place = tuple[str, ...]

CHAIN_PAGES = 0.9
"""A mark on fewer pages, on the story's own elements, says something of the story ("has an image") and is loose."""
COMMON_MARK, NUMBERED_MARK = 0.05, 0.15
CLOSE = 0.05
MIN_PAGES_OF_A_PLACE = 3
MAX_CONTAINERS = 3


@dataclass(slots=True, eq=False)
class Sheet:
    """A page being worked on: all `lines` below its headline, those `inside` the container, and those on the story's own
    `level`, which no box of furniture holds."""

    story: str
    headline: str
    summary: str
    lines: list[Line]
    container: Place | None = None
    inside: list[Line] = field(default_factory=list)
    level: list[Line] = field(default_factory=list)

    @property
    def core_words(self) -> int:
        return sum(line.words for line in self.lines if line.is_core)

    def enter(self, containers: Sequence[Place]) -> None:
        """Find the container: of the elements at the first place that the page has, the one with most new words."""
        self.container, self.inside = None, []
        for place in containers:
            size = len(place)
            below = [line for line in self.lines if line.place[:size] == place]
            new: Counter[Hashable] = Counter()
            for line in below:
                new[line.elements[size - 1]] += line.words * line.is_new
            if not new:
                continue
            element = max(new, key=new.__getitem__)  # of equals the first
            self.container = place
            self.inside = [line for line in below if line.elements[size - 1] == element]
            for line in self.inside:
                line.branches = tuple(branches(line.place[size:]))
            return

    def leave(self, furniture: Iterable[str]) -> None:
        """Take the lines that no place of furniture holds for the story's own level."""
        places = frozenset(furniture)
        self.level = [
            line for line in self.inside if not any(listed_as(place, places) for place in line.branches)
        ]


def marks_of(sheets: Sequence[Sheet]) -> Marks:
    """Return the marks of a layout: on enough pages, with a number in them on many, and none that is loose."""
    found: Counter[str] = Counter()
    for sheet in sheets:
        steps = {step for line in sheet.lines for step in line.steps}
        found.update({mark for step in steps for mark in step.split(" ")[1:]})
    size = len(sheets)
    own = {
        mark
        for mark, count in found.items()
        if count >= max(min(2, size), size * (NUMBERED_MARK if re.search(r"\d", mark) else COMMON_MARK))
        and not is_of_post(mark)
    }
    return Marks(frozenset(own - _loose(sheets)), _counters(sheets))


def containers_of(sheets: Sequence[Sheet]) -> list[Place]:
    """Return up to three places of the story, the one of most pages first; pages without it vote again."""
    chosen: list[Place] = []
    left = [sheet for sheet in sheets if sheet.core_words] or list(sheets)
    while left and len(chosen) < MAX_CONTAINERS:
        votes: dict[Place, float] = defaultdict(float)
        for sheet in left:
            best: dict[Place, float] = {}
            for score, line, depth in _fits(sheet).values():
                place = line.place[: depth + 1]
                best[place] = max(score, best.get(place, 0.0))
            for place, fit in best.items():
                votes[place] += fit
        most = max(votes.values(), default=0)
        if most <= 0:
            break
        enough = most - CLOSE * len(left)
        place = max((p for p, score in votes.items() if score >= enough), key=lambda p: (len(p), p))
        chosen.append(place)
        rest = [sheet for sheet in left if not any(x.place[: len(place)] == place for x in sheet.lines)]
        left = rest if len(rest) >= MIN_PAGES_OF_A_PLACE else []
    return chosen


def _fits(sheet: Sheet) -> dict[Hashable, tuple[float, Line, int]]:
    """Return for each wrapper how well its new words match the page's core words (F1), a line of it, its depth."""
    total = sheet.core_words
    core: Counter[Hashable] = Counter()
    new: Counter[Hashable] = Counter()
    at: dict[Hashable, tuple[Line, int]] = {}
    for line in sheet.lines:
        if not (line.is_core or (line.is_new and not line.in_card)):
            continue
        for depth, element in enumerate(line.elements):
            if is_wrapper(line.steps[depth]):
                at.setdefault(element, (line, depth))
                core[element] += line.words * line.is_core
                new[element] += line.words * (line.is_new and not line.in_card)
    return {e: (2 * core[e] / max(1, total + new[e]), *found) for e, found in at.items()}


def _loose(sheets: Sequence[Sheet]) -> set[str]:
    """Return the ids and classes that only some pages have on the elements that hold the story: more than the odd page
    that holds no story, whose new words stand in some box. Of few pages a single one counts where its story stands as
    deep as most."""
    on, odd = Counter[str](), Counter[str]()
    chains = []
    for sheet in sheets:
        if sheet.core_words and (found := _fits(sheet)):
            _, line, depth = max(found.values(), key=lambda row: (row[0], row[2]))
            chains.append(line.steps[: depth + 1])
    usual = Counter(map(len, chains)).most_common(1)[0][0] if chains else 0
    for chain in chains:
        marks = {mark for one in chain for mark in one.split(" ")[1:]}
        on.update(marks)
        if len(chain) != usual:
            odd.update(marks)
    pages = len(chains)
    return {
        mark
        for mark, count in on.items()
        if COMMON_MARK * pages < count < CHAIN_PAGES * pages and not (count == odd[mark] == 1)
    }


@lru_cache(8192)
def _numbered(step: str) -> tuple[str, ...]:
    return tuple(mark for mark in step.split(" ")[1:] if mark[-1] in DIGITS)


def _counters(sheets: Sequence[Sheet]) -> frozenset[str]:
    found: Counter[str] = Counter()
    for sheet in sheets:
        numbers: dict[tuple[Hashable, str], set[str]] = defaultdict(set)
        for line in sheet.lines:
            for holder, one in zip((None, *line.elements), line.steps, strict=False):
                for mark in _numbered(one):
                    numbers[holder, mark.rstrip(DIGITS)].add(mark)
        found.update({stem for (_, stem), marks in numbers.items() if len(marks) >= 3})
    return frozenset(stem for stem, count in found.items() if 2 * count >= len(sheets))
