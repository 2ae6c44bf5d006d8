"""What `--json` prints: a contract. Keys are added, and none is renamed or dropped before the next major version."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from uknip_crawler.archive.reports import status, statuses


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys of a command's record, in their order, and what each means; `about` says of what it is one, or what else is there."""

    keys: Mapping[str, str]
    about: str = ""


def _read() -> dict[str, Shape]:
    told = tomllib.loads((files(__package__) / "contract.toml").read_text("utf-8"))
    own = {
        "status": Shape(status.KEYS),
        "status NAME": Shape(statuses.KEYS, "Of several archives, or a folder of some."),
    }
    return {**own, **{name: Shape(**one) for name, one in told.items()}}


SHAPES = _read()
"""By command, or command and option: `schedule --status`."""


def shape_of(arguments: Sequence[str]) -> Shape:
    """Return what a command line's `--json` prints. Raises KeyError for a command that prints none."""
    command, *others = arguments
    special = [f"{command} {other}" for other in others]
    if others and not others[0].startswith("-"):
        special.append(f"{command} NAME")
    return SHAPES[next((name for name in special if name in SHAPES), command)]


def breach(arguments: Sequence[str], printed: Any) -> str | None:
    """Return how what a command printed breaks the contract; None where it keeps it."""
    wanted = list(shape_of(arguments).keys)
    for record in printed if isinstance(printed, list) else [printed]:
        if (found := list(record)[-len(wanted) :]) != wanted:
            return f"{' '.join(arguments[:1])} prints {found}, promised is {wanted}"
    return None
