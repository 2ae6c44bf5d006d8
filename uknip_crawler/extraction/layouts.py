"""What is known of the site's layouts: where each keeps its story, and what stands around and inside it."""

from __future__ import annotations

import hashlib
import json
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Any, Self

from uknip_crawler.extraction.text import key
from uknip_crawler.models import layout_name

MAX_OPENING = 600
OPENINGS = 2
COMPARED = 100
"""Bytes by which the beginning of a cut line is told: no two stories share so many by chance."""


class State(StrEnum):
    """`learning`: too few pages, or no agreement yet; `trusted`: read by place; `drifting`: lately the referee
    disagrees; `retired`: no longer seen while others are."""

    LEARNING = "learning"
    TRUSTED = "trusted"
    DRIFTING = "drifting"
    RETIRED = "retired"


@dataclass(frozen=True)
class Layout:
    """What was learned of the pages that share a skeleton.

    `marks` are the ids and classes that belong to the layout and not to a page; places are made of them alone.
    `containers` are the places of the body, likeliest first. `story` and `furniture` are places below them,
    `texts` masked lines that recur on the story's own level. `agreement` is the share of studied pages on which
    the teacher found the same story, 0 to 1.
    """

    skeleton: str
    state: State = State.LEARNING
    studied: int = 0
    agreement: float = 0.0
    marks: frozenset[str] = frozenset()
    containers: tuple[str, ...] = ()
    story: frozenset[str] = frozenset()
    furniture: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    @property
    def is_trusted(self) -> bool:
        return self.state in (State.TRUSTED, State.RETIRED) and bool(self.containers)

    @property
    def name(self) -> str:
        return layout_name(self.skeleton)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits that change whenever a page may be read differently."""
        rules = [self.is_trusted, *self._rules().values()]
        return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:8]

    def _rules(self) -> dict[str, list[str]]:
        return {
            "marks": sorted(self.marks),
            "containers": list(self.containers),
            "story": sorted(self.story),
            "furniture": sorted(self.furniture),
            "texts": sorted(self.texts),
        }

    def rules(self) -> str:
        """Return what the archive keeps of the learned rules, as JSON."""
        return json.dumps(self._rules(), ensure_ascii=False)

    @classmethod
    def of(cls, skeleton: str, state: str, studied: int, agreement: float, rules: str) -> Self:
        """Return a layout as the archive kept it; the opposite of `rules`."""
        kept: dict[str, Any] = json.loads(rules)
        return cls(
            skeleton,
            State(state),
            studied,
            agreement,
            frozenset(kept["marks"]),
            tuple(kept["containers"]),
            *(frozenset(kept[name]) for name in ("story", "furniture", "texts")),
        )


class Stories:
    """The headlines and openings of archived stories, to tell their teasers on other stories' pages.

    Every worker holds them, and an archive has many: some 250 bytes a story, no Python object for any of them.
    """

    def __init__(self, rows: Iterable[tuple[str, str]] = ()) -> None:
        """Take (headline, beginning of the body) of each story; `MAX_OPENING` characters of the body are enough.

        A cut line may quote each of the first paragraphs: a label may stand above the one that teasers quote.
        """
        headlines, firsts, openings = set[int](), set[int](), set[bytes]()
        for headline, body in rows:
            lines = [key(line) for line in body[:MAX_OPENING].split("\n\n")[:OPENINGS]]
            headlines.add(_number(key(headline)))
            firsts.add(_number(lines[0]))
            openings.update(line.encode()[:COMPARED] for line in lines if line.count(" ") >= 7)
        ordered = sorted(openings)
        self._headlines, self._firsts = (array("Q", sorted(numbers)) for numbers in (headlines, firsts))
        self._openings = b"".join(ordered)
        self._ends = array("L", accumulate(map(len, ordered), initial=0))

    def has_headline(self, words: str) -> bool:
        """Tell whether some story has exactly this headline; `words` is a text's key."""
        return _holds(self._headlines, _number(words))

    def has_first(self, words: str) -> bool:
        """Tell whether some story's first paragraph is exactly this; `words` is a text's key."""
        return _holds(self._firsts, _number(words))

    def has_opening(self, words: str) -> bool:
        """Tell whether some story opens with these words; `words` is the key of a line that is cut."""
        wanted, count = words.encode()[:COMPARED], len(self._ends) - 1
        index = bisect_left(range(count), wanted, key=self._opening)
        return index < count and self._opening(index).startswith(wanted)

    def _opening(self, index: int) -> bytes:
        return self._openings[self._ends[index] : self._ends[index + 1]]


def _number(words: str) -> int:
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest())


def _holds(numbers: array[int], number: int) -> bool:
    index = bisect_left(numbers, number)
    return index < len(numbers) and numbers[index] == number


@dataclass(frozen=True)
class Learned:
    """Everything a page is read with besides the page itself and the site's own rules.

    `keep` and `strip` are the researcher's verdicts, as masked lines (`masking.mask`).
    """

    layouts: Mapping[str, Layout] = field(default_factory=dict)
    stories: Stories = field(default_factory=Stories)
    keep: frozenset[str] = frozenset()
    strip: frozenset[str] = frozenset()

    @cached_property
    def verdicts(self) -> str:
        """Four hexadecimal digits that stand for the researcher's verdicts, none for no verdicts."""
        if not (self.keep or self.strip):
            return ""
        text = json.dumps([sorted(self.keep), sorted(self.strip)])
        return "." + hashlib.sha256(text.encode()).hexdigest()[:4]


UNLEARNED = Learned()


@dataclass(frozen=True, slots=True)
class Line:
    """One block of a studied page. `place` holds the steps from `body` to it (`places.steps`); `wrappers` are the
    document positions of the elements along that path, so that two blocks of one box can be told to share it."""

    place: tuple[str, ...]
    wrappers: tuple[int, ...]
    kind: str
    text: str
    masked: str
    words: int
    linked: float
    taught: bool


@dataclass(frozen=True, slots=True)
class Study:
    """What one capture shows of its layout: the material that `learning.learn` works on.

    `digest` orders studies and tells captures apart; `container` holds the steps to where the teacher saw the story.
    """

    skeleton: str
    seen_at: datetime
    digest: str
    headline: str
    container: tuple[str, ...] | None
    lines: tuple[Line, ...]
