"""What is known of wordings, as rules: why each is furniture, and how it is kept in the archive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self


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
    """What is known of wordings: rules by masked line, by the line's key, by what bare lines share (`template …`,
    `first words …`, `last words …`), and by the template of what boxes say; masked lines and templates that are headings
    or list items as well; whether lines cut short are teasers on this site."""

    lines: Mapping[str, Rule] = field(default_factory=dict)
    keys: Mapping[str, Rule] = field(default_factory=dict)
    bare: Mapping[str, Rule] = field(default_factory=dict)
    boxed: Mapping[str, Rule] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    cut_is_teaser: bool = False

    def rows(self) -> Iterator[tuple[str, str, str, int, int, int, float]]:
        """Yield (kind, text, why, stories, layouts, is sure) of each rule; the opposite of `of`."""
        kinds = (("line", self.lines), ("key", self.keys), ("bare", self.bare), ("boxed", self.boxed))
        for kind, rules in kinds:
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
        return cls(
            lines=kinds["line"],
            keys=kinds["key"],
            bare=kinds["bare"],
            boxed=kinds["boxed"],
            listed=frozenset(kinds["listed"]),
            cut_is_teaser="cut" in kinds,
        )
