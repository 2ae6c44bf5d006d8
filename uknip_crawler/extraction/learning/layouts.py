"""What is known of the site: where each layout keeps its story and its furniture, and which wordings are none of it."""

from __future__ import annotations

import hashlib
import json
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from uknip_crawler.extraction.learning.masking import mask
from uknip_crawler.extraction.learning.rules import Wordings
from uknip_crawler.extraction.learning.stories import Stories, holds, number
from uknip_crawler.extraction.learning.templates import Templates
from uknip_crawler.extraction.page.places import Marks
from uknip_crawler.models import layout_name


class State(StrEnum):
    """`learning`: too few pages; `trusted`: read by place; `drifting`: lately the story stands elsewhere on its pages;
    `retired`: no longer seen while others are."""

    LEARNING = "learning"
    TRUSTED = "trusted"
    DRIFTING = "drifting"
    RETIRED = "retired"


@dataclass(frozen=True)
class Layout:
    """What was learned of the pages that share a skeleton.

    `containers` are the places of the body, likeliest first. `story` and `furniture` are places below them; of furniture
    the pages are told that have it. `agreement` is the share of the studied pages' new sentences that stand in the
    container, 0 to 1.
    """

    skeleton: str
    state: State = State.LEARNING
    studied: int = 0
    agreement: float = 0.0
    marks: Marks = field(default_factory=Marks)
    containers: tuple[str, ...] = ()
    story: frozenset[str] = frozenset()
    furniture: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_trusted(self) -> bool:
        return self.state in (State.TRUSTED, State.RETIRED) and bool(self.containers)

    @property
    def name(self) -> str:
        return layout_name(self.skeleton)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits that change whenever a page may be read differently."""
        rules = self._rules()
        shown = [self.is_trusted, *({**rules, "furniture": sorted(self.furniture)}).values()]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:8]

    def _rules(self) -> dict[str, Any]:
        return {
            "marks": sorted(self.marks.own),
            "counters": sorted(self.marks.counters),
            "containers": list(self.containers),
            "story": sorted(self.story),
            "furniture": dict(sorted(self.furniture.items())),
        }

    def rules(self) -> str:
        """Return what the archive keeps of the learned rules, as JSON."""
        return json.dumps(self._rules(), ensure_ascii=False)

    @classmethod
    def of(cls, skeleton: str, state: str, studied: int, agreement: float, rules: str) -> Self:
        """Return a layout as the archive kept it; the opposite of `rules`."""
        kept: dict[str, Any] = json.loads(rules)
        marks = Marks(frozenset(kept["marks"]), frozenset(kept["counters"]))
        places = tuple(kept["containers"]), frozenset(kept["story"]), kept["furniture"]
        return cls(skeleton, State(state), studied, agreement, marks, *places)


@dataclass(frozen=True)
class Lore:
    """What the archive teaches besides its layouts: rules of wording, which words are names, the numbers
    (`stories.number`) of masked lines that come back and of headlines as links name them."""

    wordings: Wordings = field(default_factory=Wordings)
    names: Mapping[str, bool] = field(default_factory=dict)
    recurring: array[int] = field(default_factory=lambda: array("Q"))
    links: array[int] = field(default_factory=lambda: array("Q"))

    @cached_property
    def templates(self) -> Templates:
        return Templates(self.names)

    def kept(self) -> dict[str, bytes]:
        """Return what the archive keeps besides the rules of wording, by name; with those the opposite of `of`."""
        names = json.dumps(self.names, ensure_ascii=False).encode()
        return {
            "names": zlib.compress(names),
            "recurring": self.recurring.tobytes(),
            "links": self.links.tobytes(),
        }

    @classmethod
    def of(cls, wordings: Wordings, kept: Mapping[str, bytes]) -> Self:
        if not kept:
            return cls(wordings)
        names = json.loads(zlib.decompress(kept["names"]))
        return cls(wordings, names, array("Q", kept["recurring"]), array("Q", kept["links"]))


@dataclass(frozen=True)
class Learned:
    """Everything a page is read with besides the page itself and the site's own rules.

    `keep` and `strip` are the researcher's verdicts, as masked lines (`masking.mask`).
    """

    layouts: Mapping[str, Layout] = field(default_factory=dict)
    stories: Stories = field(default_factory=Stories)
    keep: frozenset[str] = frozenset()
    strip: frozenset[str] = frozenset()
    lore: Lore = field(default_factory=Lore)

    def is_new(self, text: str) -> bool:
        """Tell whether no other pages are known to have this line."""
        return not holds(self.lore.recurring, number(mask(text)))

    @cached_property
    def verdicts(self) -> str:
        """Four hexadecimal digits that stand for the researcher's verdicts, none for no verdicts."""
        if not (self.keep or self.strip):
            return ""
        text = json.dumps([sorted(self.keep), sorted(self.strip)])
        return "." + hashlib.sha256(text.encode()).hexdigest()[:4]


UNLEARNED = Learned()
