"""Boxes below the container: story or furniture, judged on the pages that have them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from operator import or_
from statistics import mean

from uknip_crawler.extraction.learning.containers import Sheet
from uknip_crawler.extraction.learning.lines import ALL_LINKED, Line, is_story_line, is_subheading
from uknip_crawler.extraction.learning.rules import Rule
from uknip_crawler.extraction.learning.templates import SLOTS, Templates
from uknip_crawler.extraction.page.places import ANYWHERE, SEPARATOR, is_wrapper, own_step
from uknip_crawler.models import BlockKind

MIN_BOXES = 3
STORY_SHARE, OWN_SHARE = 0.3, 0.5
"""Shares of the core words, of all pages and of the pages that have the box, from which it is story."""
MOST_BOXES = 0.6
SAME, KIN_PAGES, LABELLED_KIN_PAGES = 0.2, 8, 4
"""Pages that tell a box with a name of its own wherever it stands; fewer where it has a label or link of its own, too. From
ten pages of each layout of the hard sample site: 87 and 89 % of bodies exact with 8 alone (seeds 1, 2), 97 and 94 with both.
"""
NUMBERS = re.compile(r"\d+")
_EDITORS = re.compile(r" \.(?:wp-block-|has-|is-|align)\S+")
"""Classes that the block editor gives to boxes of any kind."""
HALF = 0.5
LABEL = 4
"""Words of a box's label."""
_PLAIN = frozenset({BlockKind.PARAGRAPH, BlockKind.HEADING})
Box = tuple[Sheet, list[Line]]


def judge_boxes(sheets: Sequence[Sheet], templates: Templates) -> tuple[frozenset[str], dict[str, int]]:
    """Return the places below the container that are story's, and those of furniture with the pages that have them."""
    boxes: dict[str, list[Box]] = defaultdict(list)
    for sheet in sheets:
        held: dict[str, list[Line]] = defaultdict(list)
        for line in sheet.inside:
            for branch in line.branches:
                held[branch].append(line)
        for branch, lines in held.items():
            boxes[branch].append((sheet, lines))
    judge = _Judge(sheets, templates)
    story, furniture = _parted(boxes, judge)
    for branch in _columns(boxes, furniture, judge):
        del furniture[branch]
    furniture |= _found_anywhere(boxes, story, judge)
    return frozenset(story), furniture


def _parted(boxes: Mapping[str, Sequence[Box]], judge: _Judge) -> tuple[set[str], dict[str, int]]:
    """Return the places of story, and those of furniture with their pages; places inside furniture are neither."""
    story, furniture = set[str](), dict[str, int]()
    for branch in sorted(boxes, key=lambda b: (b.count(SEPARATOR), b)):
        if any(branch.startswith(outer + SEPARATOR) for outer in furniture):
            continue
        if judge.is_furniture(branch, boxes[branch]):
            furniture[branch] = len(boxes[branch])
        elif len(boxes[branch]) >= min(MIN_BOXES, judge.pages):
            story.add(branch)
    return story, furniture


def _columns(boxes: Mapping[str, Sequence[Box]], furniture: Collection[str], judge: _Judge) -> frozenset[str]:
    """Return the places of furniture that only numbers tell from others, as the columns of a row, and that have
    sentences of their own as well; of a few pages those that nothing else tells from the story's."""
    stems = Counter(NUMBERS.sub("", own_step(one)) for one in boxes if one not in furniture)
    found = set()
    for branch in furniture:
        own = own_step(branch)
        stem = NUMBERS.sub("", own)
        if stem == own or not stems[stem] or not is_wrapper(own):
            continue
        if judge.tells(boxes[branch]) or (
            len(boxes[branch]) < KIN_PAGES and not judge.has_constant(branch, boxes[branch])
        ):
            found.add(branch)
    return frozenset(found)


def _found_anywhere(
    boxes: Mapping[str, Sequence[Box]], story: Collection[str], judge: _Judge
) -> dict[str, int]:
    """Return the steps that are furniture wherever they stand: with a mark of their own, at several places, story at
    none, and in every box something that the others say as well."""
    places: dict[str, set[str]] = defaultdict(set)
    for branch in boxes:
        last = own_step(branch)
        if _EDITORS.sub("", last).count(" ") and is_wrapper(last):
            places[last].add(branch)
    found: dict[str, int] = {}
    for last, kin in sorted(places.items()):
        if len(kin) < 2 or not kin.isdisjoint(story):
            continue
        alike: dict[int, Box] = {}
        for branch in sorted(kin):
            for sheet, lines in boxes[branch]:
                held = alike.setdefault(id(sheet), (sheet, []))[1]
                held += [line for line in lines if line not in held]
        pooled = list(alike.values())
        enough = LABELLED_KIN_PAGES if judge.has_constant(last, pooled) else KIN_PAGES
        if len(pooled) >= enough and judge.says_the_same(last, pooled) and judge.is_furniture(last, pooled):
            found[ANYWHERE + last] = len(pooled)
    return found


class _Judge:
    """What the pages of a layout say of any box below their container."""

    def __init__(self, sheets: Sequence[Sheet], templates: Templates) -> None:
        self.pages = len(sheets)
        self._templates = templates
        self._core = {id(sheet): _core_words(sheet.inside) for sheet in sheets}
        self._with_wording = Counter(
            said for sheet in sheets for said in {line.masked for line in sheet.inside}
        )
        self._subheadings = {
            line
            for sheet in sheets
            for index, line in enumerate(sheet.inside)
            if is_subheading(sheet.inside, index)
        }

    def is_furniture(self, branch: str, boxes: Sequence[Box]) -> bool:
        """Tell whether the boxes at one place, with the pages that have them, are furniture."""
        last = own_step(branch)
        every = [line for _, lines in boxes for line in lines]
        if len(boxes) < MIN_BOXES:
            words, new = _words_and_new(every)
            sure = sum(x.words for x in every if x.linked >= ALL_LINKED or x.other_story or x.in_card)
            return is_wrapper(last) and sure >= HALF * words and new < 0.2 * words
        if self._holds_story(boxes):
            return False
        single = mean(_count(lines, last) for _, lines in boxes) <= 1.5
        if not is_wrapper(last):
            words, new = _words_and_new(every)
            if sum(line.words * line.linked for line in every) >= 0.8 * words:
                return True
            heads = sum(line in self._subheadings for line in every)
            # advice and quotes repeat by chance, in lists and quotations, and so do subheadings
            is_label = all(line.kind in _PLAIN for line in every) and 2 * heads < len(every)
            return is_label and new < HALF * words and single and _has_constant_line([x for _, x in boxes])
        words, new = _words_and_new([line for lines in self._without_guests(branch, boxes) for line in lines])
        return new < HALF * words or (single and self.has_constant(branch, boxes))

    def has_constant(self, branch: str, boxes: Sequence[Box]) -> bool:
        """Tell whether a line comes with most of the boxes at one place, names and numbers aside, or a link does."""
        own = self._without_guests(branch, boxes)
        return _has_constant_line(own) or _has_constant_link(branch, boxes) or self._has_constant_label(own)

    def _has_constant_label(self, boxes: Sequence[Sequence[Line]]) -> bool:
        """Tell whether most boxes begin with one label, whoever it names: `About Joan Smith`."""
        labels = [
            self._said(lines[0]) for lines in boxes if lines and not lines[0].ends and lines[0].words <= LABEL
        ]
        counts = Counter(said[0] for said in labels if said[0] not in SLOTS)
        return len(boxes) >= MIN_BOXES and any(n >= MOST_BOXES * len(boxes) for n in counts.values())

    def _holds_story(self, boxes: Sequence[Box]) -> bool:
        """Tell whether boxes hold a good part of the new sentences, of all pages or of those that have them. A sentence
        that most of the boxes put alike is the box's, whoever it names, if there are others on the page."""
        told = Counter(said for _, lines in boxes for said in {self._said(x) for x in lines if x.is_core})
        alike = {said for said, n in told.items() if n >= max(MIN_BOXES, MOST_BOXES * len(boxes))}
        shares, pages = [], Counter(self._core)
        for sheet, lines in boxes:
            core = _core_words(lines)
            filled = sum(x.words for x in lines if x.is_core and self._said(x) in alike) if alike else 0
            pages[id(sheet)] -= filled
            if pages[id(sheet)] > 0:
                shares.append((core - filled) / pages[id(sheet)])
        if not shares and alike:
            pages = Counter(self._core)
            shares = [_core_words(lines) / pages[id(sheet)] for sheet, lines in boxes if pages[id(sheet)]]
        every = sum(count > 0 for count in pages.values())
        return bool(shares) and (sum(shares) >= STORY_SHARE * every or mean(shares) >= OWN_SHARE)

    def tells(self, boxes: Sequence[Box]) -> bool:
        """Tell whether a third of the boxes hold sentences of their own, new in every way."""
        own = [any(x.is_core and x.is_new for x in lines) for _, lines in boxes]
        return 3 * sum(own) >= len(own)

    def says_the_same(self, branch: str, boxes: Sequence[Box]) -> bool:
        """Tell whether every box holds a line of its own that comes in a good part of them, names and numbers aside."""
        told = [
            {said for x in lines if not _is_deeper(x, branch) and _is_worded(said := self._said(x))}
            for _, lines in boxes
        ]
        counts = Counter(said for one in told for said in one)
        least = max(MIN_BOXES, SAME * len(boxes))
        return all(any(counts[said] >= least for said in one) for one in told)

    def _said(self, line: Line) -> tuple[str, ...]:
        line.template = line.template or self._templates.of(line.text)
        return line.template

    def _without_guests(self, branch: str, boxes: Sequence[Box]) -> list[list[Line]]:
        """Return what each box holds but for the boxes in it that stand mostly elsewhere: a promotion set into a part
        of the story. Where nothing would be left, all is returned."""
        here = Counter(said for _, lines in boxes for said in {line.masked for line in lines})

        def is_guest(line: Line) -> bool:
            away = self._with_wording[line.masked] - here[line.masked]
            return away >= MIN_BOXES and away > here[line.masked] and _is_deeper(line, branch)

        own = [[line for line in lines if not is_guest(line)] for _, lines in boxes]
        return own if any(own) else [lines for _, lines in boxes]


def _is_worded(template: Sequence[str]) -> bool:
    return any(word not in (*SLOTS, ":") for word in template)


def _core_words(lines: Sequence[Line]) -> int:
    return sum(line.words for line in lines if line.is_core)


def _words_and_new(lines: Sequence[Line]) -> tuple[int, int]:
    """Return the words of some lines, one at least, and how many of them are new."""
    new = sum(line.words for line in lines if line.is_new and not line.in_card)
    return sum(line.words for line in lines) or 1, new


def _below(line: Line, branch: str) -> str:
    """Return the place of a line below a box, empty where it is the box's own."""
    whole, mark = line.branches[-1] + SEPARATOR, branch + SEPARATOR
    return (
        whole.removeprefix(mark)
        if whole.startswith(mark)
        else whole.partition(own_step(branch) + SEPARATOR)[2]
    )


def _is_deeper(line: Line, branch: str) -> bool:
    """Tell whether a box inside the box at this place holds a line."""
    return any(map(is_wrapper, filter(None, _below(line, branch).split(SEPARATOR))))


def _has_constant_line(boxes: Sequence[Sequence[Line]]) -> bool:
    """Tell whether one line comes with most of the boxes: a box's label, or the choices of a poll."""
    counts = Counter(masked for lines in boxes for masked in {line.masked for line in lines})
    return any(
        n >= MOST_BOXES * len(boxes) and not is_story_line(masked) for masked, n in counts.most_common(20)
    )


def _has_constant_link(branch: str, boxes: Sequence[Box]) -> bool:
    """Tell whether most of the boxes hold a line at one place of its own that is nothing but a link: an author's name
    above his life, a sponsor's above her offer."""
    on: Counter[str] = Counter()
    for _, lines in boxes:
        within = {line: place for line in lines if (place := _below(line, branch))}
        linked = {place for line, place in within.items() if line.linked >= ALL_LINKED}
        on.update(linked - {place for line, place in within.items() if line.linked < ALL_LINKED})
    return any(count >= MOST_BOXES * len(boxes) for count in on.values())


def _count(lines: Sequence[Line], last: str) -> int:
    """Return how many boxes of one place, whose own step is `last`, stand on a page."""
    return len({line.elements[len(line.place) - 1 - line.place[::-1].index(last)] for line in lines})


def judge_copies(inside: Sequence[Line], level: Sequence[Line], why: dict[Line, Rule]) -> None:
    """Add to `why` the lines of boxes on one page that hold known furniture or links, and besides only other stories,
    headings that are not this story's alone, or short labels among many links.

    `inside` are the lines below the container, their steps and elements from there on.
    """
    chosen = set(level)
    subheadings = {
        line
        for index, line in enumerate(level)
        if is_subheading(level, index) and not level[index + 1].is_boxed and level[index + 1] not in why
    }
    held: dict[Hashable, list[Line]] = defaultdict(list)
    for line in inside:
        for element, step in zip(line.elements, line.steps, strict=True):
            if is_wrapper(step):
                held[element].append(line)
    for lines in held.values():
        known = [line in why or line not in chosen or line.linked >= ALL_LINKED for line in lines]
        if not any(known):
            continue
        words = sum(line.words for line in lines)
        mostly = 2 * sum(line.words for line in lines if line.linked >= ALL_LINKED) >= words
        poor = [_is_poor(line, mostly) and line not in subheadings for line in lines]
        if all(map(or_, known, poor)) and sum(line in chosen for line in lines) < len(chosen):
            for line in lines:
                why.setdefault(line, Rule("box", 1, 1, is_sure=True))


def _is_poor(line: Line, among_links: bool) -> bool:
    label = among_links and line.words <= 5 and not line.ends
    if label or line.is_boxed or line.other_story is not None:
        return True
    return line.kind is BlockKind.HEADING and not (line.is_new or line.is_story_line)
