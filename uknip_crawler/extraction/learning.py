"""From studied captures to layouts: same captures in, same layouts out, whatever their order. Pure.

Nothing is known beforehand but how newsrooms print stories: a story's words are its own, what surrounds it comes
again on other pages. trafilatura teaches where the story sits; the pages themselves tell what is furniture.
"""

from __future__ import annotations

import pickle
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean

from uknip_crawler.extraction.layouts import Layout, Line, State, Stories, Study
from uknip_crawler.extraction.places import SEPARATOR, branches, is_wrapper, narrowed
from uknip_crawler.extraction.recurrence import Level, is_story_line, recurring
from uknip_crawler.extraction.text import is_cut, key

MIN_PAGES = 5
MIN_AGREEMENT = 0.9
TAUGHT_SHARE = 0.9
KEPT_SHARE = 0.5
RECENT = 20
DRIFT_BELOW = 0.8
RETIRED_AFTER = timedelta(days=180)
COMMON_MARK = 0.15
RARE_MARK = 0.05
MAIN_SHARE = 0.3
MIN_NOVELTY = 0.5
CONSTANT_LINE = 0.6
MIN_PAGES_OF_A_PLACE = 3
MOSTLY_LINKED = 0.8
CLOSE = 0.03


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line with its place in the layout's own marks: the steps from `body`, and those below the container."""

    line: Line
    full: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Page:
    study: Study
    lines: tuple[_Placed, ...]

    def below(self, container: tuple[str, ...]) -> list[_Placed]:
        size = len(container)
        return [placed for placed in self.lines if placed.full[:size] == container]


def learn(studies: Iterable[Study], stories: Stories) -> tuple[Layout, ...]:
    """Return the layouts that the studied captures show, in the order of their skeletons.

    Studies are held packed, and unpacked one layout at a time: a thousand of them take 150 MB as they are.
    """
    groups: dict[str, dict[str, bytes]] = defaultdict(dict)
    newest: datetime | None = None
    for study in studies:
        groups[study.skeleton][study.digest] = zlib.compress(pickle.dumps(study), 1)
        newest = max(newest or study.seen_at, study.seen_at)
    drafts = {
        skeleton: _Draft.of(
            skeleton, [pickle.loads(zlib.decompress(group[digest])) for digest in sorted(group)], stories
        )
        for skeleton, group in sorted(groups.items())
    }
    levels = {skeleton: draft.level for skeleton, draft in drafts.items()}
    return tuple(draft.layout(levels, newest) for draft in drafts.values())


@dataclass(frozen=True, slots=True)
class _Told:
    """What a page tells of a draft: words the teacher found in all and in the container, and of the story's own level
    each masked line with its words."""

    seen_at: datetime
    has_container: bool
    wanted: int
    held: int
    kept: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, page: _Page, containers: Sequence[tuple[str, ...]], furniture: frozenset[str]) -> _Told:
        container = _container_of(page, containers)
        level = _story_level(page, containers, furniture)
        return cls(
            page.study.seen_at,
            container is not None,
            _taught_words(page.lines),
            _taught_words(page.below(container)) if container is not None else 0,
            tuple((p.line.masked, p.line.words) for p in level if p.line.taught and p.is_new),
        )

    def agrees(self, texts: frozenset[str]) -> bool:
        """Tell whether reading by place finds what the teacher found: all of it, and most of it no furniture."""
        if not self.has_container or not self.wanted:
            return self.has_container
        kept = sum(words for masked, words in self.kept if masked not in texts)
        return self.held >= TAUGHT_SHARE * self.wanted and kept >= KEPT_SHARE * self.wanted


@dataclass(slots=True)
class _Draft:
    """A layout as far as its own pages tell."""

    skeleton: str
    told: list[_Told]
    marks: frozenset[str]
    containers: tuple[tuple[str, ...], ...]
    story: frozenset[str]
    furniture: frozenset[str]
    level: Level

    @classmethod
    def of(cls, skeleton: str, studies: Sequence[Study], stories: Stories) -> _Draft:
        marks, rare = _marks(studies), _rare_lines(studies)
        pages = [_placed(study, marks, rare, stories) for study in studies]
        containers = _containers(pages, marks)
        story, furniture = _judge(pages, containers)
        level = Level([_story_level(page, containers, furniture) for page in pages])
        told = [_Told.of(page, containers, furniture) for page in pages]
        return cls(skeleton, told, marks, containers, story, furniture, level)

    def layout(self, levels: Mapping[str, Level], newest: datetime | None) -> Layout:
        others = [level for skeleton, level in levels.items() if skeleton != self.skeleton]
        texts = recurring(self.level, others)
        agreed = [(told.seen_at, told.agrees(texts)) for told in self.told]
        agreement = mean(agrees for _, agrees in agreed)
        state = self._state([agrees for _, agrees in sorted(agreed)], newest)
        containers = tuple(SEPARATOR.join(place) for place in self.containers)
        return Layout(
            self.skeleton,
            state,
            len(self.told),
            round(agreement, 4),
            self.marks,
            containers,
            self.story,
            self.furniture,
            texts,
        )

    def _state(self, agreed: Sequence[bool], newest: datetime | None) -> State:
        """Return where the layout stands; `agreed` tells of each page, oldest first, whether the teacher agrees."""
        older, recent = agreed[:-RECENT], agreed[-RECENT:]
        if len(agreed) < MIN_PAGES or not self.containers:
            return State.LEARNING
        if older and mean(older) >= MIN_AGREEMENT and mean(recent) < DRIFT_BELOW:
            return State.DRIFTING
        if mean(agreed) < MIN_AGREEMENT:
            return State.LEARNING
        last = max(told.seen_at for told in self.told)
        return State.RETIRED if newest is not None and newest - last > RETIRED_AFTER else State.TRUSTED


def _taught_words(lines: Iterable[_Placed]) -> int:
    return sum(p.line.words for p in lines if p.line.taught and p.is_new)


def _marks(studies: Sequence[Study]) -> frozenset[str]:
    """Return the ids and classes of the layout: on enough pages, with a number in them on many."""
    counts: Counter[str] = Counter()
    for study in studies:
        full = {step for line in study.lines for step in line.place} | set(study.container or ())
        counts.update({mark for step in full for mark in step.split(" ")[1:]})
    total = len(studies)
    return frozenset(
        mark
        for mark, pages in counts.items()
        if pages >= min(2, total)
        and pages >= total * (COMMON_MARK if any(map(str.isdigit, mark)) else RARE_MARK)
    )


def _rare_lines(studies: Sequence[Study]) -> frozenset[str]:
    """Return the masked lines that hardly any two pages share: a second copy of a story is allowed for."""
    counts = Counter(masked for study in studies for masked in {line.masked for line in study.lines})
    most = 1 if len(studies) < MIN_PAGES else max(2, len(studies) // 50)
    return frozenset(masked for masked, pages in counts.items() if pages <= most)


def _placed(study: Study, marks: frozenset[str], rare: frozenset[str], stories: Stories) -> _Page:
    placed = []
    for line in study.lines:
        words = key(line.text)
        foreign = (words != study.headline and stories.has_headline(words)) or (
            is_cut(line.text) and stories.has_opening(key(line.text.rstrip("….] [")))
        )
        is_new = line.masked in rare and line.linked < 0.6 and not foreign
        placed.append(_Placed(line, tuple(narrowed(step, marks) for step in line.place), is_new))
    return _Page(study, tuple(placed))


# Where the story sits


def _containers(pages: Sequence[_Page], marks: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """Return the story's places, the one that fits most pages first; then one for pages that lack it."""
    votes = Counter(
        tuple(narrowed(step, marks) for step in page.study.container)
        for page in pages
        if page.study.container is not None
    )
    candidates = {place[:size] for place in votes for size in range(1, len(place) + 1)}
    candidates = {place for place in candidates if is_wrapper(place[-1])}
    chosen: list[tuple[str, ...]] = []
    left = [page for page in pages if _taught_words(page.lines)]
    while left and len(chosen) < 3:
        fits = {place: mean(_fit(page, place) for page in left) for place in candidates}
        best = max(fits.values(), default=0.0)
        if best <= 0.0:
            break
        place = max((place for place in fits if fits[place] >= best - CLOSE), key=lambda p: (len(p), p))
        chosen.append(place)
        without = [page for page in left if not page.below(place)]
        if len(without) < MIN_PAGES_OF_A_PLACE or len(without) == len(left):
            break
        left = without
    return tuple(chosen)


def _fit(page: _Page, place: tuple[str, ...]) -> float:
    """Return how well a place holds the taught story of a page, F1 over words, 0 to 1."""
    inside = page.below(place)
    taught = _taught_words(page.lines)
    found = _taught_words(inside)
    total = sum(p.line.words for p in inside)
    return 2 * found / (taught + total) if taught + total else 0.0


def _container_of(page: _Page, containers: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    return next((place for place in containers if page.below(place)), None)


# What stands in it


def _judge(
    pages: Sequence[_Page], containers: Sequence[tuple[str, ...]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the places below the container that are proven story, and those that are furniture."""
    boxes: dict[str, list[tuple[int, list[_Placed]]]] = defaultdict(list)
    told = []
    for number, page in enumerate(pages):
        container = _container_of(page, containers)
        inside = page.below(container) if container else []
        told.append(_taught_words(inside))
        depth = len(container or ())
        held: dict[str, list[_Placed]] = defaultdict(list)
        for placed in inside:
            for place in branches(placed.full[depth:]):
                held[place].append(placed)
        for place, lines in held.items():
            boxes[place].append((number, lines))
    story, furniture = set[str](), set[str]()
    for place in sorted(boxes, key=lambda place: (place.count(SEPARATOR), place)):
        if any(place.startswith(outer + SEPARATOR) for outer in furniture):
            continue
        verdict = _verdict(place, boxes[place], told)
        if verdict is not None:
            (story if verdict else furniture).add(place)
    return frozenset(story), frozenset(furniture)


def _verdict(place: str, boxes: list[tuple[int, list[_Placed]]], told: list[int]) -> bool | None:
    """Return True for story, False for furniture, None where too few pages tell."""
    if len(boxes) < MIN_PAGES_OF_A_PLACE:
        return None
    shares = [_taught_words(lines) / told[number] for number, lines in boxes if told[number]]
    if shares and sum(shares) / max(1, sum(map(bool, told))) >= MAIN_SHARE:
        return True
    words = sum(p.line.words for _, lines in boxes for p in lines)
    novel = sum(p.line.words for _, lines in boxes for p in lines if p.is_new)
    constant = _has_constant_line([lines for _, lines in boxes])
    single = mean(_boxes(lines, place) for _, lines in boxes) <= 1.5
    if not is_wrapper(place.rpartition(SEPARATOR)[2]):
        linked = sum(p.line.words * p.line.linked for _, lines in boxes for p in lines)
        if linked >= MOSTLY_LINKED * words:
            return False
        repeats = constant and single and novel < MIN_NOVELTY * words
        # advice and quotes repeat by chance, in lists and quotations
        return not (
            repeats and all(p.line.kind in ("paragraph", "heading") for _, lines in boxes for p in lines)
        )
    return not (novel < MIN_NOVELTY * words or (constant and single))


def _has_constant_line(boxes: Sequence[Sequence[_Placed]]) -> bool:
    """Tell whether one line comes with most of the boxes: a box's label, or the choices of a poll."""
    counts = Counter(masked for lines in boxes for masked in {p.line.masked for p in lines})
    return any(
        times >= CONSTANT_LINE * len(boxes) and not is_story_line(masked)
        for masked, times in counts.most_common(20)
    )


def _boxes(lines: Sequence[_Placed], place: str) -> int:
    """Return how many boxes stand at a place on one page."""
    last = place.rpartition(SEPARATOR)[2]
    found = set()
    for placed in lines:
        depth = max(index for index, step in enumerate(placed.full) if step == last)
        found.add(placed.line.wrappers[depth])
    return len(found)


def _story_level(
    page: _Page, containers: Sequence[tuple[str, ...]], furniture: frozenset[str]
) -> list[_Placed]:
    """Return the page's lines that no place rules out."""
    container = _container_of(page, containers)
    if container is None:
        return []
    depth = len(container)
    return [placed for placed in page.below(container) if furniture.isdisjoint(branches(placed.full[depth:]))]
