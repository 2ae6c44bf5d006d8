"""Invented stories: sentences of prose.toml put together by a seeded random generator."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from uknip_crawler.models import Block, BlockKind
from uknip_crawler.times import LONDON


@dataclass(frozen=True, slots=True)
class Draft:
    """A story as written, before it has an address, a picture or a layout."""

    headline: str
    kicker: str
    standfirst: str
    section: str
    town: str
    force: str
    tags: tuple[str, ...]
    author: str
    caption: str
    credit: str
    blocks: tuple[Block, ...]


@cache
def data() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("prose.toml").read_text("utf-8"))


class Slots(dict[str, str]):
    """The words of one story; what is not fixed for the story is drawn anew each time it is asked for."""

    def __init__(
        self, random: Random, area: dict[str, Any], when: datetime, words: dict[str, Any] | None = None
    ) -> None:
        self.random, self.area, self.words = random, area, words or data()["words"]
        local = when.astimezone(LONDON)
        first, last = random.choice(self.words["first"]), random.choice(self.words["last"])
        age = random.randint(19, 79)
        super().__init__(
            {key: area[key] for key in ("county", "force", "brigade", "hospital", "court")},
            county_word=re.sub(r"\W", "", area["county"].lower()),
            town=random.choice(area["towns"]),
            road=random.choice(area["roads"]),
            street=random.choice(self.words["street"]),
            car=random.choice(self.words["car"]),
            shop=random.choice(self.words["shop"]),
            plant=random.choice(self.words["plant"]),
            animal=random.choice(self.words["animal"]),
            age=str(age),
            decade=str(age // 10 * 10),
            clock=self._clock(),
            day=local.strftime("%A"),
            date=f"{local.day} {local:%B}",
            person=f"{first} {last}",
            surname=last,
            officer=f"{random.choice(self.words['rank'])} {self._name()}",
            reference=f"{random.randint(10, 99)}/{random.randint(10000, 99999)}/{local:%y}",
        )

    def _name(self) -> str:
        return f"{self.random.choice(self.words['first'])} {self.random.choice(self.words['last'])}"

    def _clock(self) -> str:
        return f"{self.random.randint(1, 11)}.{self.random.choice(('05', '10', '20', '35', '40', '55'))}pm"

    def __missing__(self, key: str) -> str:
        match key:
            case "number":
                return str(self.random.randint(4, 19))
            case "other_clock":
                return self._clock()
            case "first_last":
                return self._name()
            case "other_town":
                return str(self.random.choice([town for town in self.area["towns"] if town != self["town"]]))
            case "other_street" | "other_car":
                name = key.removeprefix("other_")
                return str(self.random.choice([word for word in self.words[name] if word != self[name]]))
        return str(self.random.choice(self.words[key])).format_map(self)


class Writer:
    """Writes one story; everything follows from `random`, the day, and what the layout can carry.

    `plain` keeps to paragraphs (the oldest pages knew nothing else); `subheadings` puts a Title Case heading
    before every second paragraph.
    """

    def __init__(self, random: Random, when: datetime) -> None:
        self.random = random
        self.kind = random.choice(data()["kinds"])
        self.shared = data()["shared"]
        self.slots = Slots(random, random.choice(data()["areas"]), when)

    def draft(self, *, plain: bool = False, subheadings: bool = False) -> Draft:
        slots, random = self.slots, self.random
        tags = [slots["town"], slots["force"], slots["road"], "Search & Rescue", "Fire & Rescue"]
        return Draft(
            headline=self.line(self.kind["headlines"]),
            kicker=random.choice(self.kind["kickers"]),
            standfirst=self.line(self.shared["standfirsts"]),
            section=random.choice([*self.kind["sections"], slots["county"]]),
            town=slots["town"],
            force=slots["force"],
            tags=tuple(sorted(random.sample(tags, random.randint(1, 3)))),
            author=slots["first_last"],
            caption=self.line(self.shared["captions"]),
            credit=self.line(self.shared["credits"]),
            blocks=tuple(self._blocks(plain=plain, subheadings=subheadings)),
        )

    def line(self, choices: list[str]) -> str:
        text = self.random.choice(choices).format_map(self.slots)
        return text[0].upper() + text[1:]

    def update(self) -> Block:
        """Return a closing paragraph such as `Update: …`, for a story that goes on."""
        return Block(BlockKind.PARAGRAPH, self.line(self.shared["updates"]))

    def _blocks(self, *, plain: bool, subheadings: bool) -> Iterator[Block]:
        yield Block(BlockKind.PARAGRAPH, self.line(self.kind["leads"]))
        if self.random.random() < 0.08:  # one-line stories are normal on the site
            return
        for number, text in enumerate(self._middles()):
            if subheadings and number % 2 == 1:
                yield Block(BlockKind.HEADING, self.line(self.shared["subheadings"]), level=2)
            yield Block(BlockKind.PARAGRAPH, text)
        if not plain:
            yield from self._quote()
            yield from self._list()
        for closing in self.random.sample(self.shared["closings"], self.random.randint(1, 2)):
            yield Block(BlockKind.PARAGRAPH, self.line([closing]))

    def _middles(self) -> list[str]:
        choices = self.kind["middles"] + self.random.sample(self.shared["middles"], 2)
        lines = [self.line([choice]) for choice in self.random.sample(choices, self.random.randint(3, 9))]
        paragraphs = []
        while lines:
            size = self.random.choice((1, 2, 2))
            paragraphs.append(" ".join(lines[:size]))
            lines = lines[size:]
        return paragraphs

    def _quote(self) -> Iterator[Block]:
        if self.random.random() < 0.5:
            yield Block(BlockKind.PARAGRAPH, self.line(self.shared["said"]))
            yield Block(BlockKind.QUOTE, f"“{self.line(self.shared['quotes'])}”")

    def _list(self) -> Iterator[Block]:
        if self.random.random() < 0.35:
            yield Block(BlockKind.PARAGRAPH, self.line(self.shared["advice"]))
            for tip in self.random.sample(self.kind["tips"], self.random.randint(3, 4)):
                yield Block(BlockKind.LIST_ITEM, self.line([tip]), ordered=False)
