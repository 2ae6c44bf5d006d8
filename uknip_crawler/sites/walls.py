"""Pages that stand in a story's place, as data: consent pages, checks, notices of known products."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Walls:
    """Patterns over folded text: `checks`, `stops` and `missing` for whole titles and headlines, the others to search for."""

    checks: re.Pattern[str]
    stops: re.Pattern[str]
    missing: re.Pattern[str]
    machinery: re.Pattern[str]
    puzzles: re.Pattern[str]
    visit: re.Pattern[str]

    def named(self, head: str) -> bool:
        """Tell whether a title or headline is one of a known wall or notice."""
        return any(pattern.fullmatch(head) for pattern in (self.checks, self.stops, self.missing))


@cache
def load_walls() -> Walls:
    """Return what is known of walls and notices."""
    data = tomllib.loads(resources.files("uknip_crawler.sites").joinpath("walls.toml").read_text("utf-8"))
    return Walls(*(re.compile("|".join(data[part])) for part in Walls.__slots__))
