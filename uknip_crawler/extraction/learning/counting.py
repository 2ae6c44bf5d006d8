"""Rules of wording counted over the pages of all layouts: what comes back, where, and how it is put."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache

from uknip_crawler.extraction.learning.containers import Sheet
from uknip_crawler.extraction.learning.lines import ALL_LINKED, ENGLISH, QUOTES, is_story_line
from uknip_crawler.extraction.learning.rules import Rule, Wordings
from uknip_crawler.extraction.learning.templates import SLOTS, Templates
from uknip_crawler.extraction.learning.wording import MOST, SEEN, WHOLE, bare_keys, fixed_in, prepare
from uknip_crawler.models import BlockKind

FEW = 3
"""Stories that make a wording recur."""
MIN_PAGES, MOST_PAGES = 5, 0.6
WHOLE_SHARE, PART_SHARE = 0.05, 0.15
"""Shares of a layout's pages from which what bare lines have in common is furniture: subheadings are put alike, too,
but on few pages of any layout."""
MOSTLY = 0.8
LONG = 8
"""Words of a line that no two stories have word for word by chance."""
OFTEN, MIN_EXPECTED = 0.08, 10
MIN_CUT, CUT_TOLD = 5, 0.4
MIN_FIXED = 5
"""Words of a sentence, besides names and numbers, that boxes and stories share by no chance."""
_LISTED = frozenset({BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE})


class Counts:
    """Counts wordings over the pages of all layouts, a page at a time; a story in several captures counts once."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._template_of = lru_cache(8192)(templates.of)  # boxes say the same on many pages
        self._boxed: Counter[str] = Counter()
        self._boxed_as: dict[str, set[str]] = defaultdict(set)
        self._last: Counter[str] = Counter()
        self._opens: Counter[str] = Counter()
        self._quoted: Counter[str] = Counter()
        self._paragraphs: Counter[str] = Counter()
        self._unlike: Counter[str] = Counter()
        self._on: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._keys: dict[str, set[str]] = defaultdict(set)
        self._bare: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._long: dict[str, set[str]] = defaultdict(set)
        self._cut = self._cut_told = 0

    def add(self, sheet: Sheet, skeleton: str) -> None:
        """Count a page whose container, boxes and lines of other stories are known."""
        level = sheet.level
        self._count_boxed(sheet)
        prepare(level, self._templates)
        begins = next((index for index, line in enumerate(level) if line.words >= LONG), 0)
        for index, line in enumerate(level):
            masked = line.masked
            self._on[masked][skeleton].add(sheet.story)
            self._keys[masked].add(line.key)
            if line.words >= LONG:
                self._long[sheet.story].add(masked)
            self._quoted[masked] += line.text[:1] in QUOTES or line.kind is BlockKind.QUOTE
            told = self._unlike if line.kind in _LISTED else self._paragraphs
            template = line.template or self._template_of(line.text)
            told.update({" ".join(template), masked})
            self._last[masked] += index == len(level) - 1
            self._opens[masked] += index == begins
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
                template = self._template_of(line.text) if not line.in_card else ()
                if fixed_in(template) and any(slot in template for slot in SLOTS):
                    self._boxed_as[" ".join(template)].add(line.key)

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
            kind = "template" if whole else " ".join(shared.split(" ")[:2])
            if (often and owned) or filled or (whole and every >= FEW and ENGLISH.reader.search(shared)):
                why = f"bare: {kind}"
            elif every >= 2:
                why = SEEN
            else:
                continue
            bare[shared] = Rule(why, every, len(where), share=round(max(shares.values()), 3))
        templates = {shared.removeprefix(WHOLE) for shared in self._bare}
        listed = frozenset(words for words in templates if self._unlike[words] and self._is_listed(words))
        cut = self._cut >= MIN_CUT and self._cut_told >= CUT_TOLD * coverage * self._cut > 0
        boxed = {
            said: Rule("in boxes", len(texts), 1, is_sure=fixed_in(said.split(" ")) >= MIN_FIXED)
            for said, texts in self._boxed_as.items()
            if len(texts) >= max(FEW, 2 * (self._paragraphs[said] + self._unlike[said]))
        }
        return Wordings(lines, keys, bare, boxed, listed, cut)

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
        shares = {skeleton: len(stories) / pages[skeleton] for skeleton, stories in where.items()}

        def rule(why: str, *, is_sure: bool = False, may_open: bool = False) -> Rule:
            every, share = len(set().union(*where.values())), max(shares.values())
            return Rule(why, every, len(where), is_sure, may_open, round(share, 3))

        if times < 2:
            is_known = boxed >= FEW and masked.count(" ") >= 3 and slots <= 1
            return rule("in boxes", is_sure=True, may_open=slots > 0) if is_known else None
        nameless = slots == 0 or (len(keys) == 1 and times >= MIN_PAGES)
        to_reader = ENGLISH.reader.search(masked) is not None
        plain = nameless or slots <= 1 or (to_reader and slots <= max(2, 0.2 * words))
        if plain and words >= 3 and boxed >= max(FEW, 0.5 * times):
            return rule("in boxes", is_sure=True, may_open=not nameless and not to_reader)
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
        closed = masked.rstrip("\"'’”)").endswith((".", "!", "?"))  # hard-wrapped mail goes on below
        named = promises and len(keys) == 1
        told = len(keys) == 1 and not self._quoted[masked] and words >= LONG
        told = told and (closed or masked.endswith(SLOTS))  # a name takes its full stop with it
        if told and times >= MIN_PAGES and self._opens[masked] >= MOST_PAGES * times and shares[top] >= OFTEN:
            return rule("opens stories")  # no two stories open with the same sentence
        if (slots == 0 or named) and words >= LONG and closed and self._is_one_layouts(masked, pages):
            return rule("one layout")
        return None

    def _is_one_layouts(self, masked: str, pages: Mapping[str, int]) -> bool:
        """Tell whether a line comes often in one layout and never ends a story there, and never comes in others where
        a story's own would be expected. Two stories are enough where they share no other long line, as follow-ups do."""
        where = self._on[masked]
        if len(where) > 1 or self._last[masked]:
            return False
        ((skeleton, stories),) = where.items()
        share = len(stories) / pages[skeleton]
        expected = share * (sum(pages.values()) - pages[skeleton])
        shared = set.intersection(*(self._long[story] for story in stories)) - {masked}
        alone = all(len(set().union(*self._on[other].values())) > len(stories) for other in shared)
        least = 2 if alone else FEW
        return len(stories) >= least and share >= OFTEN and expected >= MIN_EXPECTED
