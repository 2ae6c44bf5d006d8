"""Furniture that is stored with a post, among the story's own paragraphs: feed and REST carry it too.

Each layout has habits of its own: some kinds of line on a tenth to two fifths of its pages, the others on none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from uknip_crawler.demo.hard.layouts import LAYOUTS
from uknip_crawler.demo.hard.stories import HardSlots, prose
from uknip_crawler.demo.posts import Insert, InsertedLine, Post
from uknip_crawler.models import BlockKind

RATES = (0.1, 0.4)
RATE_OF_FEW_PAGES = 0.5
WANDERING = -1
FIRST, LAST = 0, 1000
TEASED_AMONG = 40


@dataclass(frozen=True, slots=True)
class Habit:
    """What one layout's editors add: on which share of the pages, in which words, set how, and where.

    `slot` is the number of blocks above, or `WANDERING`.
    """

    kind: str
    rate: float
    slot: int
    wordings: tuple[str, ...]
    tag: str


@dataclass(slots=True)
class _Desk:
    """Writes furniture for one post."""

    random: Random
    slots: HardSlots
    older: Sequence[Post]

    def line(self, wordings: Sequence[str]) -> str:
        text = self.random.choice(wordings).format_map(self.slots)
        return text[:1].upper() + text[1:]

    def wording(self, habit: Habit) -> list[InsertedLine]:
        return [InsertedLine(self.line(habit.wordings), tag=habit.tag)]

    def read_more(self, habit: Habit) -> list[InsertedLine]:
        """A label and another story's headline, with or without a link."""
        other = self._other()
        if other is None:
            return []
        path = other.path if self.random.random() < 0.5 else None
        return [InsertedLine(other.headline, self.random.choice(habit.wordings), path, habit.tag)]

    def facts(self, habit: Habit) -> list[InsertedLine]:
        label = InsertedLine(self.line(habit.wordings), tag=habit.tag or "strong")
        facts = self.random.sample(prose()["clutter"]["facts"], self.random.randint(3, 5))
        return [label, *(InsertedLine(self.line([fact])) for fact in facts)]

    def headline(self, habit: Habit) -> list[InsertedLine]:
        """Another story's headline and nothing else, or with a word before it."""
        other = self._other()
        return [InsertedLine(self.line(habit.wordings) + other.headline)] if other else []

    def opening(self, habit: Habit) -> list[InsertedLine]:
        """Another story's first paragraph, cut."""
        other = self._other()
        return self._cut(other.opening, self.random.randint(80, 150), habit) if other else []

    def long_opening(self, habit: Habit) -> list[InsertedLine]:
        """Another story's opening, cut within its second paragraph."""
        other = self._other()
        texts = [block.text for block in other.blocks if block.text] if other else []
        if len(texts) < 2:
            return []
        return self._cut(" ".join(texts[:2]), len(texts[0]) + self.random.randint(15, 60), habit)

    def _cut(self, text: str, size: int, habit: Habit) -> list[InsertedLine]:
        if len(text) <= size:
            return []
        kept = text[:size].rstrip() if self.random.random() < 0.5 else text[:size].rpartition(" ")[0]
        return [InsertedLine(f"{kept}{habit.wordings[0]}", tag=habit.tag)]

    def _other(self) -> Post | None:
        return self.random.choice(self.older[-TEASED_AMONG:]) if self.older else None


_MAKERS: dict[str, Callable[[_Desk, Habit], list[InsertedLine]]] = {
    "continue": _Desk.wording,
    "labels": _Desk.read_more,
    "sponsors": _Desk.wording,
    "newsletter": _Desk.wording,
    "support": _Desk.wording,
    "comment": _Desk.wording,
    "follow": _Desk.wording,
    "counters": _Desk.wording,
    "fact_labels": _Desk.facts,
    "teaser_marks": _Desk.headline,
    "openings": _Desk.opening,
    "long_openings": _Desk.long_opening,
}
KINDS = tuple(_MAKERS)
MANIFOLD, STOCK = ("labels", "sponsors", "teaser_marks"), 3
_ENDS = ("…", "...", " […]")


def habits(seed: int, layout: str, *, few_pages: bool = False) -> tuple[Habit, ...]:
    """Return what the editors of a layout add to its stories; wordings come from a small stock of the whole site.

    Kinds go round the layouts, so that each is some layouts' habit.
    """
    random, order = Random(f"{seed} habits {layout}"), list(KINDS)
    Random(f"{seed} kinds").shuffle(order)
    turn = 5 * LAYOUTS.index(layout) if layout in LAYOUTS else 0
    kinds = [order[(turn + place) % len(order)] for place in range(random.randint(4, 7))]
    found = []
    for kind in kinds:
        stock = list(_ENDS if kind.endswith("openings") else prose()["clutter"][kind])
        Random(f"{seed} stock {kind}").shuffle(stock)
        if kind not in MANIFOLD:
            stock = stock[:STOCK]
        wordings = random.sample(stock, min(len(stock), 4 if kind in MANIFOLD else random.randint(1, 2)))
        slot = random.choice((WANDERING, WANDERING, WANDERING, 1, 2, 3, LAST))
        if kind == "counters":
            slot = random.choice((FIRST, FIRST, LAST))
        rate = RATE_OF_FEW_PAGES if few_pages else random.uniform(*RATES)
        found.append(Habit(kind, rate, slot, tuple(wordings), random.choice(("", "", "strong", "em"))))
    return tuple(found)


def cluttered(post: Post, older: Sequence[Post], seed: int, *, few_pages: bool = False) -> Post:
    """Return the post with the furniture that its layout's editors have added; `older` are what they may tease."""
    random = Random(f"{seed} clutter {post.post_id}")
    slots = HardSlots(Random(f"{seed} slots {post.post_id}"), post.published_at)
    slots |= {"town": post.town, "paper": Random(f"{seed} paper").choice(prose()["clutter"]["papers"])}
    desk, inserts = (
        _Desk(random, slots, [one for one in older if one.headline != post.headline]),
        list[Insert](),
    )
    for habit in habits(seed, post.layout, few_pages=few_pages):
        if random.random() >= habit.rate:
            continue
        slot = habit.slot if habit.slot != WANDERING else random.randint(1, len(post.blocks))
        lines = _MAKERS[habit.kind](desk, habit)
        told = {block.text for block in post.blocks if block.kind is not BlockKind.IMAGE}
        lines = [line for line in lines if line.shown not in told]
        if lines:
            inserts.append(Insert(min(slot, len(post.blocks)), habit.kind, tuple(lines)))
    return replace(post, inserts=tuple(sorted(inserts, key=lambda one: one.slot)))
