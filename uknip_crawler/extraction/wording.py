"""Furniture among the story's own paragraphs, told by wording over all layouts of the archive.

A wording is furniture where it also stands in boxes, where it is on most pages of its layouts, or where it speaks to the
reader and names nobody. A line without an end mark (a label, a credit, a slogan) is furniture where its template comes
back. What newsrooms and police write under stories is story, however often it comes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise, zip_longest
from typing import Self

from uknip_crawler.extraction.containers import Sheet
from uknip_crawler.extraction.lines import (
    ALL_LINKED,
    ENGLISH,
    LINKED,
    QUOTES,
    Line,
    is_story_line,
    is_subheading,
)
from uknip_crawler.extraction.masking import NUMBER
from uknip_crawler.extraction.templates import SLOTS, Templates
from uknip_crawler.models import BlockKind

FEW = 3
"""Stories that make a wording recur."""
MIN_PAGES, MOST_PAGES = 5, 0.6
MOST = "most pages"
WHOLE = "template "
WHOLE_SHARE, PART_SHARE = 0.05, 0.15
"""Shares of a layout's pages from which what bare lines have in common is furniture: subheadings are put alike, too,
but on few pages of any layout."""
MOSTLY = 0.8
PARTS = frozenset({"bare: first words", "bare: last words"})
LIST, STEM = 4, 5
LONG = 8
"""Words of a line that no two stories have word for word by chance."""
OPENING = 2
"""Sentences of a story that teasers on other pages quote whole."""
OFTEN, MIN_EXPECTED = 0.08, 10
BOLD_SHARE = 0.1
MIN_CUT, CUT_TOLD = 5, 0.4
MIN_CUT_WORDS = 10
TAKEN = 1 / 3
"""Share of a body's words that wordings may take where nothing else says that they are furniture."""
_OPEN_END = (":", "”", '"', "’", ",")
_LISTED = frozenset({BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE})


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a wording is furniture, on how many stories and in how many layouts it was seen. `is_sure` says that it has
    a second reason besides coming back, `may_open` that it may be a story's opening, whole in teasers on other pages;
    `share` is that of the pages of the layout that has it most, 0 to 1."""

    why: str
    stories: int
    layouts: int
    is_sure: bool = False
    may_open: bool = False
    share: float = 0.0


@dataclass(frozen=True)
class Wordings:
    """What is known of wordings: rules by masked line, by the line's key, and by what bare lines share (`template …`,
    `first words …`, `last words …`); masked lines and templates that are headings or list items as well; whether lines
    cut short are teasers on this site."""

    lines: Mapping[str, Rule] = field(default_factory=dict)
    keys: Mapping[str, Rule] = field(default_factory=dict)
    bare: Mapping[str, Rule] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    cut_is_teaser: bool = False

    def rows(self) -> Iterator[tuple[str, str, str, int, int, int, float]]:
        """Yield (kind, text, why, stories, layouts, is sure) of each rule; the opposite of `of`."""
        for kind, rules in (("line", self.lines), ("key", self.keys), ("bare", self.bare)):
            for text, rule in rules.items():
                yield (
                    kind,
                    text,
                    rule.why,
                    rule.stories,
                    rule.layouts,
                    rule.is_sure + 2 * rule.may_open,
                    rule.share,
                )
        for text in self.listed:
            yield "listed", text, "a heading or list item as well", 0, 0, 1, 0.0
        if self.cut_is_teaser:
            yield "cut", "", "lines cut short open other stories", 0, 0, 1, 0.0

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, int, int, int, float]]) -> Self:
        """Return the rules that `rows` gave."""
        kinds: dict[str, dict[str, Rule]] = defaultdict(dict)
        for kind, text, why, stories, layouts, flags, share in rows:
            kinds[kind][text] = Rule(why, stories, layouts, bool(flags & 1), bool(flags & 2), share)
        return cls(kinds["line"], kinds["key"], kinds["bare"], frozenset(kinds["listed"]), "cut" in kinds)


def prepare(level: Sequence[Line], templates: Templates) -> None:
    """Find out which lines of a story's level are bare, and the templates of those."""
    alone = Counter(line.elements[-1] for line in level if line.elements)
    for line, below in zip_longest(level, level[1:]):
        prose = line.kind is BlockKind.PARAGRAPH and line.linked < LINKED and not line.is_echo
        closed = line.ends or line.is_cut or line.text.rstrip().endswith(_OPEN_END)
        # one sentence over two paragraphs: hard-wrapped mail
        goes_on = line.text[0].islower() or (below is not None and below.text[0].islower())
        alone_there = not line.elements or alone[line.elements[-1]] == 1
        line.is_bare = prose and not closed and not goes_on and alone_there
        if line.is_bare:
            line.template = line.template or templates.of(line.text)


def bare_keys(line: Line) -> Iterator[str]:
    """Yield what recurs in bare lines: the template; of those without a verb the first three words and the last four."""
    template, fixed = line.template, [word not in (*SLOTS, ":") for word in line.template]
    if (
        fixed[:1] == [True] or sum(fixed) >= 3
    ):  # mere names and numbers are a line-up, or the story's own list
        yield WHOLE + " ".join(template)
    if line.tells:
        return
    if sum(fixed[:3]) >= 2 or (":" in template[:3] and any(fixed[:3])):
        yield "first words " + " ".join(template[:3])
    if sum(fixed[-4:]) >= 3 and len(template) >= 5:
        yield "last words " + " ".join(template[-4:])


# Learning


class Counts:
    """Counts wordings over the pages of all layouts, a page at a time; a story in several captures counts once."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._boxed: Counter[str] = Counter()
        self._last: Counter[str] = Counter()
        self._quoted: Counter[str] = Counter()
        self._paragraphs: Counter[str] = Counter()
        self._unlike: Counter[str] = Counter()
        self._on: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._keys: dict[str, set[str]] = defaultdict(set)
        self._bare: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._cut = self._cut_told = 0

    def add(self, sheet: Sheet, skeleton: str) -> None:
        """Count a page whose container, boxes and lines of other stories are known."""
        level = sheet.level
        self._count_boxed(sheet)
        prepare(level, self._templates)
        for index, line in enumerate(level):
            masked = line.masked
            self._on[masked][skeleton].add(sheet.story)
            self._keys[masked].add(line.key)
            self._quoted[masked] += line.text[:1] in QUOTES
            told = self._unlike if line.kind in _LISTED else self._paragraphs
            template = line.template or self._templates.of(line.text)
            told.update({" ".join(template), masked})
            self._last[masked] += index == len(level) - 1
            if line.is_bare:
                for rule in bare_keys(line):
                    self._bare[rule][skeleton].add(sheet.story)
            if line.is_cut and line.kind is BlockKind.PARAGRAPH and index > 0 and line.words >= 6:
                self._cut += 1
                self._cut_told += line.other_story is not None

    def _count_boxed(self, sheet: Sheet) -> None:
        chosen, held = set(sheet.level), set(sheet.inside)
        below = max((index for index, line in enumerate(sheet.lines) if line in held), default=-1)
        for index, line in enumerate(sheet.lines):
            boxed = line not in chosen if line in held else index > below
            if boxed and line.linked < ALL_LINKED and not line.other_story:
                self._boxed[line.masked] += 1

    def wordings(self, pages: Mapping[str, int], coverage: float) -> Wordings:
        """Return the rules; `pages` are those of each layout, `coverage` the share of linked headlines whose stories
        the archive holds: excerpts of others cannot be told."""
        lines = {masked: rule for masked in self._on if (rule := self._rule(masked, pages))}
        lines |= {
            masked: rule
            for masked in self._boxed
            if masked not in self._on and (rule := self._rule_of_boxes(masked))
        }
        few = {masked: rule for masked, rule in lines.items() if len(self._keys[masked]) <= 2}
        keys = {k: rule for masked, rule in few.items() for k in self._keys[masked] if k.count(" ") >= 3}
        bare = {}
        for shared, where in self._bare.items():
            shares = {at: len(stories) / pages[at] for at, stories in where.items()}
            whole, every = shared.startswith(WHOLE), len(set().union(*where.values()))
            least = WHOLE_SHARE if whole else PART_SHARE
            often = any(len(stories) >= max(FEW, least * pages[at]) for at, stories in where.items())
            # a layout's habit, not the newsroom's way with subheadings, which other layouts have as well
            habit = sum(len(stories) for at, stories in where.items() if shares[at] >= WHOLE_SHARE)
            owned = whole or habit >= MOSTLY * sum(map(len, where.values()))
            # a fact box's line, wherever it comes: its label and what fills it
            filled = (
                whole and every >= MIN_PAGES and any(mark in shared.split(" ")[2:] for mark in (":", "0"))
            )
            if (often and owned) or filled or (whole and every >= FEW and ENGLISH.reader.search(shared)):
                kind = "template" if whole else " ".join(shared.split(" ")[:2])
                bare[shared] = Rule(f"bare: {kind}", every, len(where), share=round(max(shares.values()), 3))
        templates = {shared.removeprefix(WHOLE) for shared in self._bare}
        listed = frozenset(words for words in templates if self._unlike[words] and self._is_listed(words))
        cut = self._cut >= MIN_CUT and self._cut_told >= CUT_TOLD * coverage * self._cut > 0
        return Wordings(lines, keys, bare, listed, cut)

    def _is_listed(self, words: str) -> bool:
        """Tell whether a wording or template is a heading or list item as well: the story's own advice, a form."""
        return self._unlike[words] > 0.2 * self._paragraphs[words]

    def _rule_of_boxes(self, masked: str) -> Rule | None:
        """Return the rule on a line that only boxes have: in a layout of which nothing is known it may stand free."""
        slots = sum(masked.count(slot) for slot in SLOTS)
        is_known = (
            self._boxed[masked] >= FEW and masked.count(" ") >= 3 and slots <= 1 and not is_story_line(masked)
        )
        return (
            Rule("in boxes", self._boxed[masked], 1, is_sure=True, may_open=slots > 0) if is_known else None
        )

    def _rule(self, masked: str, pages: Mapping[str, int]) -> Rule | None:
        keys = self._keys[masked]
        if is_story_line(masked) or any(map(is_story_line, sorted(keys)[:3])):
            return None
        where = self._on[masked]
        times = sum(map(len, where.values()))
        template = self._templates.of(masked.replace("§", "X"))
        words, slots = len(template), sum(template.count(slot) for slot in SLOTS)
        boxed = self._boxed[masked]

        def rule(why: str, *, is_sure: bool = False, may_open: bool = False) -> Rule:
            every = len(set().union(*where.values()))
            share = max(len(stories) / pages[at] for at, stories in where.items())
            return Rule(why, every, len(where), is_sure, may_open, round(share, 3))

        if times < 2:
            is_known = boxed >= FEW and masked.count(" ") >= 3 and slots <= 1
            return rule("in boxes", is_sure=True, may_open=slots > 0) if is_known else None
        nameless = slots == 0 or (len(keys) == 1 and times >= MIN_PAGES)
        to_reader = ENGLISH.reader.search(masked) is not None
        plain = nameless or slots <= 1 or (to_reader and slots <= max(2, 0.2 * words))
        if plain and words >= 3 and boxed >= max(FEW, 0.5 * times):
            return rule("in boxes", is_sure=True, may_open=slots > 0 and not to_reader)
        shares = {skeleton: len(stories) / pages[skeleton] for skeleton, stories in where.items()}
        top = max(shares, key=lambda skeleton: (shares[skeleton], skeleton))
        everywhere = all(share >= MOST_PAGES or pages[at] < MIN_PAGES for at, share in shares.items())
        if len(where[top]) >= MIN_PAGES and everywhere:
            return rule(MOST, is_sure=slots == 0)
        if self._is_listed(masked):
            return None
        if FEW <= len(where[top]) == times and shares[top] == 1:
            return rule("all pages")
        ends = self._last[masked] / times
        promises = to_reader and not self._quoted[masked] and words >= 4 and ends < MOST_PAGES
        verbatim = nameless or (len(keys) == 1 and words >= LONG)
        nearly = slots <= 2 and words >= LONG and times >= MIN_PAGES
        if promises and ((verbatim and times >= FEW) or nearly):
            return rule("to the reader")
        if slots == 0 and words >= LONG and self._is_one_layouts(masked, pages, 2 if promises else FEW):
            return rule("one layout")
        return None

    def _is_one_layouts(self, masked: str, pages: Mapping[str, int], least: int) -> bool:
        """Tell whether a line comes often in one layout and never ends a story there, and never comes in others where
        a story's own would be expected."""
        where = self._on[masked]
        if len(where) > 1 or self._last[masked]:
            return False
        ((skeleton, stories),) = where.items()
        share = len(stories) / pages[skeleton]
        expected = share * (sum(pages.values()) - pages[skeleton])
        return len(stories) >= least and share >= OFTEN and expected >= MIN_EXPECTED


# Reading


def judge(level: Sequence[Line], known: Wordings, templates: Templates) -> dict[Line, Rule]:
    """Return the lines of a story's level that are furniture, and why; they tell already whether they are new or
    another story's."""
    prepare(level, templates)
    lists = _enumerations(level)
    opening = [line for line in level if line.is_prose][:OPENING]
    why = {
        line: rule
        for index, line in enumerate(level)
        if line not in lists and (rule := _why_not(level, index, opening, known))
    }
    _judge_runs(level, lists, why)
    return _within_measure(level, why)


WORDINGS = frozenset({"in boxes", MOST, "all pages", "to the reader", "one layout", "cut"})
"""Rules that take a line by its wording alone."""


def may_go(line: Line, known: Wordings, templates: Templates) -> bool:
    """Tell whether a rule of wording may take a line, whatever stands around it."""
    if line.masked in known.lines or line.key in known.keys:
        return True
    if line.is_cut and line.words >= MIN_CUT_WORDS:
        return known.cut_is_teaser
    if line.ends:
        return False
    line.template = templates.of(line.text)
    return " ".join(line.template) not in known.listed and any(one in known.bare for one in bare_keys(line))


def _why_not(level: Sequence[Line], index: int, opening: Collection[Line], known: Wordings) -> Rule | None:
    line, is_opening = level[index], level[index] in opening
    if line.is_echo:
        return None
    if line.linked and len(NUMBER.findall(line.text)) >= max(2, line.words - 1):
        return Rule("page numbers", 1, 1, is_sure=True)
    subheading = is_subheading(level, index)
    if line.other_story and index and line.kind is not BlockKind.QUOTE and not subheading:
        return Rule(line.other_story, 1, 1, is_sure=True)
    rule = known.lines.get(line.masked) or known.keys.get(line.key)
    if rule and not (is_opening and rule.may_open) and not (subheading and not _beats(rule, line)):
        return rule
    cut = line.is_cut and index and line.kind is BlockKind.PARAGRAPH and line.words >= MIN_CUT_WORDS
    if cut and known.cut_is_teaser and not any(mark in line.text for mark in '“”"'):
        return Rule("cut", 1, 1, is_sure=True)
    label = line.is_bare and not line.is_story_line and " ".join(line.template) not in known.listed
    if not label:
        return None
    shared = next((one for one in bare_keys(line) if one in known.bare), None)
    if shared is None:
        return None
    if not shared.startswith(WHOLE) and (_may_head(level, index) or _is_of_story(line, shared, level)):
        return None
    return None if subheading and not _beats(known.bare[shared], line) else known.bare[shared]


def _beats(rule: Rule, subheading: Line) -> bool:
    """Tell whether a rule holds for what is set as a subheading: newsrooms head many stories alike, but hardly a
    tenth of any layout's in bold paragraphs."""
    return rule.why == MOST or (subheading.kind is not BlockKind.HEADING and rule.share >= BOLD_SHARE)


def _may_head(level: Sequence[Line], index: int) -> bool:
    """Tell whether a bare line that names nobody may be a subheading set like any paragraph: a sentence follows it."""
    nameless = not any(slot in level[index].template for slot in SLOTS)
    return nameless and index + 1 < len(level) and level[index + 1].is_core


def _is_of_story(line: Line, shared: str, level: Sequence[Line]) -> bool:
    """Tell whether what a line has besides words shared with other pages is what this story is about: most of its
    words come in the sentences."""
    told = {word[:STEM] for other in level if other.is_prose for word in other.key.split()}
    own = [word for word in line.key.split() if len(word) > 3 and word not in shared.split(" ")]
    return bool(own) and 2 * sum(word[:STEM] in told for word in own) >= len(own)


def _enumerations(level: Sequence[Line]) -> set[Line]:
    """Return bare lines of one shape that come three times on the page: a list of people or places, the story's."""
    shapes = Counter(line.template for line in level if line.is_bare)
    named = {shape for shape, n in shapes.items() if n >= 3 and sum(shape.count(slot) for slot in SLOTS) >= 2}
    return {line for line in level if line.is_bare and line.template in named}


def _judge_runs(level: Sequence[Line], lists: Collection[Line], why: dict[Line, Rule]) -> None:
    """A run of bare lines of which half are known furniture goes as one, but for what still is prose."""
    follows = dict(pairwise(level))
    for bare, group in groupby(level, lambda line: line.is_bare):
        run = [line for line in group if line not in lists]
        if not bare or len(run) < 2 or run[0] is level[0]:
            continue
        known = sum(line in why for line in run)
        if 2 * known >= len(run) and known > 1:
            below = follows.get(run[-1])
            heads = below is not None and below.is_core  # the last may be a subheading set like any paragraph
            for line in run[: -1 if heads else None]:
                if not line.tells:
                    why.setdefault(line, Rule("run", 1, 1))
        elif len(run) >= LIST:
            for line in run:
                if line in why and why[line].why in PARTS:
                    del why[line]


def _within_measure(level: Sequence[Line], why: dict[Line, Rule]) -> dict[Line, Rule]:
    """Give a body back what only comes back on other pages, where hardly anything of its own would be left: twenty
    notices from one template are twenty stories."""
    if any(line.is_new and line not in why for line in level):
        return why
    taken = sum(line.words for line, rule in why.items() if not rule.is_sure)
    if taken <= TAKEN * sum(line.words for line in level):
        return why
    return {line: rule for line, rule in why.items() if rule.is_sure}
