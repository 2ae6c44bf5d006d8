"""The checks: data, read from checks.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["silence", "few", "share", "words", "streak", "fact", "overdue"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: the measure it looks at, how that is judged and by which bounds, what to say and what to do."""

    name: str
    kind: Kind
    measure: str
    what: str
    remedy: str
    because: str
    bounds: Mapping[str, Any]

    def bound(self, name: str) -> float:
        return float(self.bounds[name])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: what is so, in one line, since when, the value and what it was held against.

    `first_run` and `last_run` are the crawls whose rows show it.
    """

    check: Check
    what: str
    since: datetime
    value: float
    bound: float
    first_run: int
    last_run: int

    @property
    def name(self) -> str:
        return self.check.name


def _read() -> tuple[dict[str, Check], tuple[str, ...]]:
    told = tomllib.loads((files(__package__) / "checks.toml").read_text("utf-8"))
    quiet_days = tuple(told.pop("quiet_days"))
    said = ("kind", "measure", "what", "remedy", "because")
    checks = {
        name: Check(
            name,
            bounds={key: value for key, value in one.items() if key not in said},
            **{key: one[key] for key in said},
        )
        for name, one in told.items()
    }
    return checks, quiet_days


CHECKS, QUIET_DAYS = _read()
"""Every check by name, in the order in which findings are told; and the days (`MM-DD`) that no newsroom owes a story."""
