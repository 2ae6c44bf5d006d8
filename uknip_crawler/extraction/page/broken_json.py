"""JSON as pages hold it: wrapped in comments, several values in a row, with stray quotes, cut off, or hostile."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, SupportsIndex

MAX_STRICT = 5_000_000
MAX_REPAIR = 100_000
MAX_READS = 100_000
"""How many characters a repair may look at, again and again: a fraction of a second. Without a limit it takes minutes."""

_WRAPPER = re.compile(
    r"^(?:<!--|//\s{0,9}<!\[CDATA\[|/\*\s{0,9}<!\[CDATA\[\s{0,9}\*/|<!\[CDATA\[|/\*.{0,40}?\*/)"
    r"|(?:-->|//\s{0,9}\]\]>|/\*\s{0,9}\]\]>\s{0,9}\*/|\]\]>);?$"
)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_BETWEEN = re.compile(r"[\s;,]*")
_ARTICLE = re.compile(r"""["']@type["']\s*:[\s\[]*["']((?:\w*Article|\w*BlogPosting))["']""")
_DATE = re.compile(r"""["'](date(?:Published|Modified|Created))["']\s*:\s*["']([^"'\\<>{}]{8,60})["']""")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The values read, and whether any had to be repaired: such text is only a guess at what was meant."""

    values: tuple[Any, ...] = ()
    is_repaired: bool = False


class Overdrawn(Exception):
    """A repair has looked at more characters than it may."""


@dataclass(slots=True)
class Budget:
    """The characters that the repairs of one page may still look at."""

    left: int = MAX_READS

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Overdrawn


class _Metered(str):
    """Text that counts how often it is read; what is cut out of it and joined to it counts on."""

    __slots__ = ("budget",)
    budget: Budget

    def __getitem__(self, index: SupportsIndex | slice) -> str:
        part = str.__getitem__(self, index)
        self.budget.spend(1 + len(part) // 64)
        return _metered(part, self.budget) if isinstance(index, slice) else part

    def __add__(self, other: str) -> str:
        return _metered(str.__add__(self, other), self.budget)


def _metered(text: str, budget: Budget) -> _Metered:
    metered = _Metered(text)
    metered.budget = budget
    return metered


def parse(text: str, budget: Budget) -> Parsed:
    """Return the values in a text: strictly read, then mended in the usual ways, then repaired within the budget.

    Of what is too big or too broken for that, the dates alone, as an article's.
    """
    bare = text.strip()
    for _ in range(3 if bare[:1] in ("<", "/") or bare[-1:] in (">", "/", ";") else 0):
        bare = _WRAPPER.sub("", bare).strip()
    if len(bare) > MAX_STRICT:
        return _dates_alone(bare)
    partly: tuple[Any, ...] = ()
    for mended in _mended(bare):
        values, is_whole = _in_a_row(mended)
        if is_whole:
            return Parsed(values)
        partly = partly or values
    return _repaired(html.unescape(bare) if "&quot;" in bare else bare, budget, partly)


def _mended(text: str) -> Iterator[str]:
    yield text
    without_commas = _TRAILING_COMMA.sub(r"\1", text)
    if without_commas != text:
        yield without_commas
    if "&" in text:
        yield html.unescape(without_commas)


def _in_a_row(text: str) -> tuple[tuple[Any, ...], bool]:
    """Return the values that stand one after the other, and whether nothing else does."""
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    index = 0
    while index < len(text):
        try:
            value, index = decoder.raw_decode(text, index)
        except (ValueError, RecursionError):
            return tuple(values), False
        values.append(value)
        between = _BETWEEN.match(text, index)
        index = between.end() if between else len(text)
    return tuple(values), bool(values)


def _repaired(text: str, budget: Budget, partly: tuple[Any, ...]) -> Parsed:
    if not text.startswith(("{", "[")) and "{" not in text[:2000]:
        return Parsed(partly)
    if len(text) > MAX_REPAIR:
        return Parsed(partly) if partly else _dates_alone(text)
    import json_repair  # hardly any page needs it

    try:
        value = json_repair.loads(_metered(text, budget), skip_json_loads=True)
    except (Overdrawn, ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError):
        return Parsed(partly) if partly else _dates_alone(text)
    values = tuple(value) if isinstance(value, list) else (value,)
    return Parsed(values, True) if any(isinstance(v, dict | list) for v in values) else Parsed(partly)


def _dates_alone(text: str) -> Parsed:
    """Return an article of nothing but the first dates that follow its type."""
    kind = _ARTICLE.search(text)
    if kind is None:
        return Parsed()
    found: dict[str, str] = {}
    for match in _DATE.finditer(text):
        found.setdefault(match[1], match[2])
        if len(found) == 3:
            break
    return Parsed(({"@type": kind[1], **found},), True) if found else Parsed()
