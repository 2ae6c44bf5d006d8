"""The lines of a page: its text blocks below the headline, as learning and reading look at them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from uknip_crawler.extraction.learning.masking import NAME, NUMBER, mask
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.text import is_cut, key
from uknip_crawler.models import BlockKind
from uknip_crawler.sites import fold
from uknip_crawler.sites.language import load_language

CORE_WORDS = 8
"""Words of a whole sentence that no two stories share by chance."""
NAMED = 2
"""Names and numbers with which a sentence is told by its words."""
LINKED = 0.6
"""Share of linked characters from which a line is no prose any more."""
ALL_LINKED = 0.9
CARD_LINES = 3
QUOTES = "“\"‘'"

ENGLISH = load_language()
_ENDS = re.compile(r"[.!?][\"'’”»)\]]*$")
_PROSE = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.QUOTE})


@dataclass(slots=True, eq=False)
class Line:
    """One text block. `elements` lead from below `body` (or below the container) down to its own, `steps` say where
    each stands; `linked` is the share of characters inside anchors, 0 to 1; `is_echo` says that it repeats the headline.

    The second group is found out with what is known of other pages: the `place` in the layout's own terms, the `branches`
    below the container, why it tells another story, whether it stands in a teaser's card, is new to the archive, is a
    new whole sentence (`is_core`), is a paragraph without an end mark (`is_bare`), is put as boxes elsewhere put it
    (`is_boxed`).
    """

    text: str
    kind: BlockKind
    linked: float
    is_bold: bool
    is_echo: bool
    steps: tuple[str, ...]
    elements: tuple[Hashable, ...]
    key: str = ""
    masked: str = ""
    words: int = 0
    ends: bool = False
    is_cut: bool = False

    place: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    template: tuple[str, ...] = ()
    other_story: str | None = None
    in_card: bool = False
    is_new: bool = False
    is_core: bool = False
    is_bare: bool = False
    is_boxed: bool = False

    def __post_init__(self) -> None:
        self.key, self.masked, self.words, self.ends, self.is_cut = _told_by(self.text)

    @property
    def says(self) -> str:
        """What must be new for the line to be: the wording, but of a whole sentence with several names or numbers the
        words themselves, for newsrooms put many stories the same way."""
        slots = self.masked.count(NAME) + self.masked.count("0")
        return self.key if slots >= NAMED and self.is_prose and self.words >= CORE_WORDS else self.masked

    @property
    def is_prose(self) -> bool:
        return self.kind in _PROSE and self.ends and not self.is_cut

    @property
    def is_story_line(self) -> bool:
        """Whether it is of the kind that police and newsrooms write under stories."""
        return is_story_line(self.masked) or is_story_line(self.key)

    @property
    def tells(self) -> bool:
        """Whether it reports or quotes, and is no mere label."""
        return self.text[0] in QUOTES or bool(ENGLISH.telling.search(fold(self.text))) or self.is_story_line


@lru_cache(8192)
def _told_by(text: str) -> tuple[str, str, int, bool, bool]:
    """Return a line's key, its mask and how many words it has; whether it ends as sentences do, or is cut."""
    return key(text), mask(text), len(text.split()), _ENDS.search(text) is not None, is_cut(text)


def numberless(text: str) -> str:
    """Return a line as the language's patterns are matched against: folded, numbers as 0."""
    return NUMBER.sub("0", fold(text))


def is_story_line(folded: str) -> bool:
    """Tell whether a folded or masked line is of the kind that police and newsrooms write under stories."""
    return ENGLISH.story.search(folded) is not None


def is_bold(block: RawBlock) -> bool:
    """Tell whether nearly all of a block's text is set bold."""
    bold = sum(len("".join(map(str, e.itertext()))) for e in block.element.iter("strong", "b"))
    return bold >= 0.9 * len(block.text)


def is_subheading(level: Sequence[Line], index: int) -> bool:
    """Tell whether an unlinked line is set as a heading or all bold, and a sentence of the story follows it."""
    line = level[index]
    below = level[index + 1] if index + 1 < len(level) else None
    is_set = line.kind is BlockKind.HEADING or (line.is_bold and not line.text.rstrip().endswith("."))
    return below is not None and below.is_core and line.linked == 0 and is_set


def mark_cards(lines: Sequence[Line]) -> None:
    """Mark the lines that stand in teasers' cards: elements that begin with a headline-like link and hold three
    lines at most. A short story with a link below it is none."""
    held = Counter(element for line in lines for element in line.elements)
    begins: dict[Hashable, Line] = {}
    for line in reversed(lines):
        begins.update(dict.fromkeys(line.elements, line))
    cards = set[Hashable]()
    for line in lines:
        if line.linked >= ALL_LINKED and line.words >= 4:
            for element in reversed(line.elements):
                first = begins[element]
                if held[element] > CARD_LINES or (
                    first.is_prose and first.words >= CORE_WORDS and not first.linked
                ):
                    break
                cards.add(element)
    for line in lines:
        line.in_card = not cards.isdisjoint(line.elements)
