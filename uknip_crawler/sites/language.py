"""How newsrooms of a language write, as data: what tells a story's own lines from a page's."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Language:
    """Patterns to search for in a folded line: `story` for what police and newsrooms write under stories, `reader`
    for what speaks to the reader, `telling` for what reports."""

    story: re.Pattern[str]
    reader: re.Pattern[str]
    telling: re.Pattern[str]


@cache
def load_language(name: str = "english") -> Language:
    """Return a language by the name of its file. Raises FileNotFoundError for one that nobody has described."""
    data = tomllib.loads(resources.files("uknip_crawler.sites").joinpath(f"{name}.toml").read_text("utf-8"))
    return Language(*(re.compile("|".join(data[part])) for part in ("story", "reader", "telling")))
