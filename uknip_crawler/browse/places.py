"""Which names are those of towns: the places of the United Kingdom, as GeoNames knows them."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

_RIVER = re.compile(r" (?:on|upon|in|by|under|le|super|next) .+")
_SHORTEST = 4


def is_place(name: str) -> bool:
    """Tell whether a name is a town's: whole, or without its river or sea (Southend for Southend-on-Sea)."""
    return _folded(name) in _places()


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("’", "'").split())


@lru_cache(1)
def _places() -> frozenset[str]:
    lines = files(__package__).joinpath("places.txt").read_text("utf-8").splitlines()
    names = {_folded(line) for line in lines if not line.startswith("#")}
    short = (_RIVER.sub("", name) for name in names)
    return frozenset({*names, *(name for name in short if len(name) >= _SHORTEST)})
