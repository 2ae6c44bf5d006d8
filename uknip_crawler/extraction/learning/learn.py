"""From studied captures to what is known of the site: same captures in, same rules out, whatever their order. Pure.

Lines, layouts and wordings are learned at once, over all stories and all designs of the site: a line is new where hardly
another story has its wording, it is not linked, and it tells no other story; new whole sentences are the surest sign of
story (`containers`), what stands in boxes is judged there (`boxes`), and wordings over the whole archive (`wording`).
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import mean
from typing import NamedTuple

from uknip_crawler.extraction.learning.branches import judge_boxes
from uknip_crawler.extraction.learning.containers import Sheet, containers_of, marks_of
from uknip_crawler.extraction.learning.counting import MIN_PAGES, Counts
from uknip_crawler.extraction.learning.layouts import Layout, Lore, State
from uknip_crawler.extraction.learning.lines import ALL_LINKED, CORE_WORDS, LINKED, Line, mark_cards
from uknip_crawler.extraction.learning.stories import (
    MIN_HEADLINE_WORDS,
    Stories,
    number,
    openings_of,
    other_story,
)
from uknip_crawler.extraction.learning.studying import Study, skeleton_in, unpack
from uknip_crawler.extraction.learning.templates import Templates, Words
from uknip_crawler.extraction.page.places import SEPARATOR

RECENT = 20
DRIFT_BELOW, HELD_BEFORE = 0.5, 0.8
RETIRED_AFTER = timedelta(days=180)
LARGE = 20
"""Stories from which a second copy of a line is allowed for."""


class Studied(NamedTuple):
    """A studied capture: the story it shows (any name, the same for all its captures), when it was taken, a digest that
    orders captures, and its packed study."""

    story: str
    seen_at: datetime
    digest: str
    packed: bytes


@dataclass(slots=True)
class Studies:
    """Studied captures by layout, packed: a thousand of them take 150 MB as they are."""

    _by_skeleton: dict[str, list[Studied]] = field(default_factory=lambda: defaultdict(list))

    def add(self, studied: Studied) -> None:
        self._by_skeleton[skeleton_in(studied.packed)].append(studied)

    def captures(self) -> Iterator[tuple[str, list[Studied]]]:
        """Yield each layout's captures, in an order that is theirs alone."""
        for skeleton, captures in sorted(self._by_skeleton.items()):
            yield skeleton, sorted(captures, key=lambda c: (c.digest, c.story))

    def sheets(self) -> Iterator[tuple[str, list[Sheet]]]:
        for skeleton, captures in self.captures():
            yield skeleton, [sheet_of(unpack(capture.packed), capture.story) for capture in captures]

    @property
    def newest(self) -> datetime | None:
        return max((c.seen_at for captures in self._by_skeleton.values() for c in captures), default=None)


def sheet_of(study: Study, story: str = "") -> Sheet:
    """Return a study to work on."""
    mark_cards(study.lines)
    return Sheet(story, study.headline, study.summary, study.lines)


@dataclass(slots=True)
class _Census:
    """What all pages say before anything is known of their layouts.

    `summaries` are those of one story alone, each with its headline: teasers quote them as they quote openings.
    """

    names: dict[str, bool]
    headlines: set[str]
    links: set[str]
    coverage: float
    stories: int
    summaries: list[tuple[str, str]]
    with_wording: Counter[str]
    in_layout: list[tuple[int, Counter[str]]]

    @classmethod
    def of(cls, studies: Studies) -> _Census:
        words, headlines, links = Words(), set[str](), Counter[str]()
        stories, summaries, wordings = set[str](), set[tuple[str, str, str]](), set[tuple[str, str]]()
        in_layout = []
        for _, sheets in studies.sheets():
            here = Counter[str]()
            in_layout.append((len(sheets), here))
            for text, times in Counter(line.text for sheet in sheets for line in sheet.lines).items():
                words.count(text, times)
            for sheet in sheets:
                stories.add(sheet.story)
                headlines.add(sheet.headline)
                summaries.add((sheet.summary, sheet.story, sheet.headline))
                for line in sheet.lines:
                    if line.linked >= ALL_LINKED and line.key.count(" ") >= MIN_HEADLINE_WORDS:
                        links[line.key] += 1
                said = {said for line in sheet.lines for said in (line.masked, line.says)}
                here.update(said)
                wordings.update((wording, sheet.story) for wording in said)
        held = sum(count for link, count in links.items() if link in headlines)
        told = Counter(summary for summary, _ in {(summary, story) for summary, story, _ in summaries})
        return cls(
            words.names(),
            headlines,
            set(links),
            held / max(1, links.total()),
            len(stories),
            [(summary, headline) for summary, _, headline in summaries if summary and told[summary] == 1],
            Counter(wording for wording, _ in wordings),
            in_layout,
        )

    def recurring(self) -> frozenset[str]:
        """Return the masked lines that come back: in the archive, or in a layout of which few pages are known."""
        found = {wording for wording, n in self.with_wording.items() if n > _rare(self.stories)}
        for pages, counts in self.in_layout:
            found |= {wording for wording, n in counts.items() if n > _rare(pages)}
        return frozenset(found)


def _rare(stories: int) -> int:
    """Return how many stories may have a line that is still new."""
    return max(2 if stories >= LARGE else 1, stories // 100)


def learn(studies: Studies, stories: Stories) -> tuple[dict[str, Layout], Lore]:
    """Return the layouts that the studied captures show, by skeleton, and what they teach besides.

    `stories` are the archive's; those of the studies are known without. Memory is that of one layout's studies.
    """
    census = _Census.of(studies)
    templates, recurring, newest = Templates(census.names), census.recurring(), studies.newest

    def is_new(said: str) -> bool:
        return said not in recurring

    known = stories.joined(census.headlines, census.summaries)
    links = array("Q", sorted(map(number, census.links)))
    # what tells other stories needs the containers, and they need it
    openings: list[tuple[str, str]] = []
    for _, sheets in studies.sheets():
        _structure(sheets, is_new, known, links, templates)
        openings += [(opening, sheet.headline) for sheet in sheets for opening in _opening(sheet)]
    known = known.joined((), openings)
    counts, layouts = Counts(templates), dict[str, Layout]()
    for (skeleton, sheets), (_, captures) in zip(studies.sheets(), studies.captures(), strict=True):
        found = _structure(sheets, is_new, known, links, templates)
        layouts[skeleton] = _layout(skeleton, sheets, captures, found, newest)
        for sheet in sheets:
            counts.add(sheet, skeleton)
    pages = {skeleton: layout.studied for skeleton, layout in layouts.items()}
    wordings = counts.wordings(pages, census.coverage)
    return layouts, Lore(wordings, census.names, array("Q", sorted(map(number, recurring))), links)


def _opening(sheet: Sheet) -> list[str]:
    own = [x for x in sheet.level if not x.other_story and not x.is_echo and x.linked < LINKED]
    return openings_of([line.key for line in own])


def mark_lines(
    lines: Sequence[Line], headline: str, is_new: Callable[[str], bool], stories: Stories, links: array[int]
) -> None:
    """Find out which lines tell other stories, which are new, and which of those are core; `headline` is a key."""
    for line in lines:
        line.other_story = other_story(line, headline, stories, links)
        unlinked = line.linked < LINKED and not line.other_story and not line.is_echo
        line.is_new = unlinked and is_new(line.masked)
        is_sentence = unlinked and line.is_prose and line.words >= CORE_WORDS and not line.in_card
        line.is_core = is_sentence and (line.is_new or is_new(line.says))


def _structure(
    sheets: Sequence[Sheet],
    is_new: Callable[[str], bool],
    stories: Stories,
    links: array[int],
    templates: Templates,
) -> Layout:
    """Find containers and boxes of one layout's pages, and take the story's own level from them."""
    for sheet in sheets:
        mark_lines(sheet.lines, sheet.headline, is_new, stories, links)
    marks = marks_of(sheets)
    narrowed: dict[tuple[str, ...], tuple[str, ...]] = {}  # of a layout's lines most stand where others stand
    for sheet in sheets:
        for line in sheet.lines:
            if line.steps not in narrowed:
                narrowed[line.steps] = tuple(map(marks.narrowed, line.steps))
            line.place = narrowed[line.steps]
    containers = containers_of(sheets)
    for sheet in sheets:
        sheet.enter(containers)
    story, furniture = judge_boxes(sheets, templates)
    for sheet in sheets:
        sheet.leave(furniture)
    places = tuple(SEPARATOR.join(place) for place in containers)
    return Layout("", marks=marks, containers=places, story=story, furniture=furniture)


def _layout(
    skeleton: str,
    sheets: Sequence[Sheet],
    captures: Sequence[Studied],
    found: Layout,
    newest: datetime | None,
) -> Layout:
    held = [(capture.seen_at, _held(sheet)) for sheet, capture in zip(sheets, captures, strict=True)]
    told = sorted((at, share) for at, share in held if share is not None)
    agreement = mean(share for _, share in told) if told else 0.0
    state = _state([share for _, share in told], len(sheets), found)
    last = max(capture.seen_at for capture in captures)
    if state is State.TRUSTED and newest is not None and newest - last > RETIRED_AFTER:
        state = State.RETIRED
    return replace(found, skeleton=skeleton, state=state, studied=len(sheets), agreement=round(agreement, 4))


def _held(sheet: Sheet) -> float | None:
    """Return the share of a page's new sentences that stand in its container, None where it has none."""
    core = sheet.core_words
    return sum(line.words for line in sheet.inside if line.is_core) / core if core else None


def _state(held: Sequence[float], pages: int, found: Layout) -> State:
    """Return where a layout stands; `held` tells of each page, oldest first, how well its container fits."""
    if pages < MIN_PAGES or not found.containers:
        return State.LEARNING
    older, recent = held[:-RECENT], held[-RECENT:]
    if older and mean(older) >= HELD_BEFORE and mean(recent) < DRIFT_BELOW:
        return State.DRIFTING
    return State.TRUSTED if not held or mean(held) >= DRIFT_BELOW else State.LEARNING
