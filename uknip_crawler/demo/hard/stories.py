"""Stories of the hard newsroom: sentences put together from parts, and among them what only looks like furniture."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from uknip_crawler.demo.posts import Post
from uknip_crawler.demo.prose import Draft, Slots, Writer, data
from uknip_crawler.models import Block, BlockKind

TEMPLATED = {"planning": (20, 11), "weather": (25, 6)}
"""Stories that differ in figures and names only: every so-manieth, beginning with which."""
FOLLOW_UP_EVERY, FOLLOWED = 9, 4
"""Every ninth story has the people and places of the one four before it."""
LIKELY = 0.06
SUBJECT = (
    "village", "thing", "firm", "school", "club", "pounds", "few", "figure", "weekday", "trade", "road_name", "name", "beast",
    "planning_number",
)  # fmt: skip
"""What a headline and the sentence under it, or a whole notice, are about: the same words in both."""


@cache
def prose() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("prose.toml").read_text("utf-8"))


class HardSlots(Slots):
    """The words of one story; parts of sentences are slots as well, which are filled in turn."""

    def __init__(self, cast: Random, when: datetime) -> None:
        words = data()["words"] | prose()["words"] | prose()["sentences"]
        super().__init__(cast, cast.choice(data()["areas"]), when, words)

    def __missing__(self, key: str) -> str:
        number = self.random.randint
        match key:
            case "views":
                return f"{number(1, 40)},{number(0, 999):03}"
            case "few_figure":
                return str(number(1, 9))
            case "figure_day":
                return str(number(3, 28))
            case "band":
                return self.random.choice("ABCDEFG")
            case "planning_number":
                return f"{number(20, 26)}/{number(100, 9999):05}/{self.random.choice(('FUL', 'HSE', 'LBC'))}"
            case "reason_weather":
                return self.random.choice(("rain", "fog", "thunder", "frost", "a dry night"))
            case "lower_who" | "lower_fact" | "lower_teller":
                return self._inside(self.random.choice(self.words[key.removeprefix("lower_")]))
            case "beast_upper" | "animal_upper":
                text = self[key.removesuffix("_upper")]
                return text[0].upper() + text[1:]
        return super().__missing__(key)

    def _inside(self, template: str) -> str:
        """Return a sentence's beginning as it stands within one: names keep their capitals."""
        is_name = template.startswith(("{", "Councillor"))
        return (template if is_name else template[0].lower() + template[1:]).format_map(self)


class Author(Writer):
    """Writes one story as `Writer` does; `number` decides on its kind, `seed` and `number` on its people and places.

    `older` are the stories published before, of which it may quote one. `emergency` is a line that belongs to the
    stories of one layout, for a quarter of which it is given.
    """

    def __init__(
        self,
        random: Random,
        when: datetime,
        *,
        seed: int,
        number: int,
        older: Sequence[Post],
        emergency: str | None,
    ) -> None:
        self.random, self.older, self.emergency = random, older, emergency
        follows = number % FOLLOW_UP_EVERY == FOLLOW_UP_EVERY - 1
        cast = Random(f"{seed} cast {number - FOLLOWED * follows}")
        self.slots = HardSlots(cast, when)
        self.slots.random = random
        self.alike = prose()["alike"]
        self.shared = data()["shared"] | self.alike
        self.kind = random.choice(prose()["kinds"]) | {"tips": self.alike["tips"] * 4}
        kinds = (name for name, (every, first) in TEMPLATED.items() if number % every == first)
        self.template: dict[str, Any] | None = prose()["templated"].get(next(kinds, ""))

    def draft(self, *, plain: bool = False, subheadings: bool = False) -> Draft:
        self.kind = self.kind | (self.template or {})
        self.slots |= {key: self.slots[key] for key in SUBJECT}
        return super().draft(plain=plain, subheadings=subheadings)

    def paragraph(self) -> str:
        size = self.random.choice((1, 1, 2, 2, 3))
        return self._sentences(size) if size > 1 else self.line(self.slots.words["alone"])

    def _sentences(self, count: int) -> str:
        return " ".join(self.line(self.slots.words["patterns"]) for _ in range(count))

    def _blocks(self, *, plain: bool, subheadings: bool) -> Iterator[Block]:
        if self.template:
            yield from self._paragraphs([self.line([line]) for line in self.template["lines"]])
            return
        lead = f"{self.line(self.kind['leads'])}, {self.slots['aside']}."
        for key in SUBJECT:
            del self.slots[key]
        yield Block(BlockKind.PARAGRAPH, " ".join((lead, self._sentences(self.random.randint(0, 1)))).strip())
        if self.random.random() < LIKELY:  # one-line stories are normal on the site
            return
        pieces = [self._paragraphs([self.paragraph()]) for _ in range(self.random.randint(3, 9))]
        for alike in self._alike():
            pieces.insert(self.random.randint(0, len(pieces)), alike)
        if not plain:
            pieces += [piece for piece in (list(self._quote()), list(self._list())) if piece]
        headed = subheadings or self.random.random() < 0.2
        for number, piece in enumerate(pieces):
            if headed and number % 3 == 1:
                yield self._subheading(plain)
            yield from piece
        if self.emergency:
            yield Block(BlockKind.PARAGRAPH, self.emergency)
        for refrain in self.random.sample(self.alike["refrains"], self.random.choice((0, 0, 0, 1, 1, 2))):
            yield Block(BlockKind.PARAGRAPH, self.line([refrain]))

    @staticmethod
    def _paragraphs(lines: Sequence[str]) -> list[Block]:
        return [Block(BlockKind.PARAGRAPH, line) for line in lines]

    def _subheading(self, plain: bool) -> Block:
        """Return a heading of any kind: one that the page marks as such, or a short paragraph."""
        if plain or self.random.random() < 0.4:
            return Block(BlockKind.PARAGRAPH, self.line(self.alike["subheadings"]))
        fixed = self.random.random() < 0.5
        return Block(
            BlockKind.HEADING, self.line(self.alike["fixed_subheadings" if fixed else "subheadings"]), level=2
        )

    def _quote(self) -> Iterator[Block]:
        if self.random.random() < 0.4:
            yield Block(BlockKind.PARAGRAPH, self.line(self.alike["said"]))
            yield Block(BlockKind.QUOTE, f"“{self.line(['{quote}. {quote}.'])}”")

    def _alike(self) -> Iterator[list[Block]]:
        """Yield now and then what a rule might take for furniture."""
        if self._is_likely():
            yield self._paragraphs([self.line(self.alike["begins_alike"])])
        if self._is_likely():
            yield self._paragraphs([self.line(["“{reader_quote}. {quote},” said {speaker}."])])
        if self._is_likely():
            names = [self.random.choice(self.alike["dead"])] * self.random.randint(3, 6)
            yield self._paragraphs(
                [self.line(self.alike["dead_intro"]), *(self.line([name]) for name in names)]
            )
        if self._is_likely():
            teams = [self.line(self.alike["team"]) for _ in range(2)]
            yield self._paragraphs([self.line(self.alike["match_intro"]), *teams])
        if self._is_likely() and (quoted := self._quoted("quoted")):
            yield self._paragraphs([quoted])
        if self._is_likely() and (quoted := self._quoted("attributed")):
            yield self._paragraphs([quoted])

    def _is_likely(self) -> bool:
        return self.random.random() < LIKELY

    def _quoted(self, manner: str) -> str | None:
        """Return another story's whole opening inside a sentence of this one."""
        opening = self.random.choice(self.older).opening if self.older else ""
        if not opening.endswith(".") or "“" in opening:
            return None
        self.slots |= {"opening": opening, "bare_opening": opening.removesuffix(".")}
        return self.line(self.alike[manner])
