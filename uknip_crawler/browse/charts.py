"""Figures over time as shapes that a template draws as SVG."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 960, 220
_LEFT, _TOP, _BOTTOM = 44, 12, 24
_GAP_SHARE = 0.22
SERIES = 6
"""How many sections have a colour of their own; the others share one."""
OTHERS = "other sections"
NO_SECTION = "no section"
CURVE_WIDTH, CURVE_HEIGHT = 120, 24
_CURVE_STEPS = 60
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of a column: its series from 0, what it counts, and its place in the drawing's units."""

    series: int
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One month: its name, its counts by series, its pieces from the bottom up."""

    month: str
    counts: list[int]
    bars: list[Bar]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked columns, one a month. `lines` are (y, value) of the scale, `years` (x, year) below it."""

    names: list[str]
    columns: list[Column]
    lines: list[tuple[float, int]]
    years: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


@dataclass(frozen=True, slots=True)
class Curve:
    """The course of one name's stories over the whole time shown: `points` of a polygon, and the same `told` in words."""

    points: str
    told: str
    width: int = CURVE_WIDTH
    height: int = CURVE_HEIGHT


def curves(counts: Mapping[object, Counter[str]]) -> dict[object, Curve]:
    """Return a curve for each name that has a month, all over the same time, each on a scale of its own."""
    months = [month for those in counts.values() for month in those]
    if not months:
        return {}
    every = _every_month(min(months), max(months))
    wide = -(-len(every) // _CURVE_STEPS)  # months that one step of the curve stands for
    return {key: _curve(those, every, wide) for key, those in counts.items() if those}


def _curve(counts: Counter[str], every: list[str], wide: int) -> Curve:
    steps = [sum(counts[month] for month in every[at : at + wide]) for at in range(0, len(every), wide)]
    top, step = max(*steps, 1), CURVE_WIDTH / len(steps)
    points = [f"0,{CURVE_HEIGHT}"]
    for place, count in enumerate(steps):
        y = round(CURVE_HEIGHT * (1 - count / top), 1)
        points += [f"{round(place * step, 1)},{y}", f"{round((place + 1) * step, 1)},{y}"]
    best = max(counts, key=lambda month: (counts[month], month))
    told = f"{min(counts)} to {max(counts)}, most in {best}: {counts[best]:,}"
    return Curve(" ".join([*points, f"{CURVE_WIDTH},{CURVE_HEIGHT}"]), told)


def is_month(text: str | None) -> bool:
    """Tell whether a text is a month, `2024-06`: pages may claim anything."""
    return text is not None and _MONTH.fullmatch(text) is not None


def by_month(counts: Iterable[tuple[str, str | None, int]]) -> Chart | None:
    """Return stories per month by section from (month, section, stories); None where there are none.

    Months without a story are there too; the largest sections come first, so that they stand at the bottom.
    """
    months: dict[str, Counter[str]] = defaultdict(Counter)
    totals = Counter[str]()
    for month, section, stories in counts:
        name = section or NO_SECTION
        months[month][name] += stories
        totals[name] += stories
    if not months:
        return None
    own = [name for name, _ in totals.most_common(SERIES + 1)]
    names = own if len(own) <= SERIES else [*own[:SERIES], OTHERS]
    every = _every_month(min(months), max(months))
    top = _round_up(max(months[month].total() for month in every))
    step = (WIDTH - _LEFT) / len(every)
    columns = [
        _column(month, _by_series(months[month], names), _LEFT + place * step, step, top)
        for place, month in enumerate(every)
    ]
    lines = [(_y(value, top), value) for value in sorted({0, top // 2, top})]
    years = [
        (round(_LEFT + place * step, 1), month[:4])
        for place, month in enumerate(every)
        if month.endswith("-01") or place == 0
    ]
    return Chart(names, columns, lines, _without_crowding(years))


def _by_series(counts: Counter[str], names: list[str]) -> list[int]:
    listed = [counts[name] for name in names]
    if names[-1] == OTHERS:
        listed[-1] = counts.total() - sum(listed[:-1])
    return listed


def _column(month: str, counts: list[int], x: float, step: float, top: int) -> Column:
    bars, below = [], 0
    for series, count in enumerate(counts):
        if count:
            y, bottom = _y(below + count, top), _y(below, top)
            gap = step * _GAP_SHARE
            bars.append(
                Bar(series, count, round(x + gap / 2, 2), y, round(step - gap, 2), round(bottom - y, 2))
            )
            below += count
    return Column(month, counts, bars)


def _y(value: int, top: int) -> float:
    return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 2)


def _round_up(value: int) -> int:
    """Return the next round number: 1, 2, 5, 10, 20, 50 …, at least 2."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size >= max(value, 2):
                return factor * size
        size *= 10


def _every_month(first: str, last: str) -> list[str]:
    """Return all months from first to last; only those within 60 years of the last, whatever a page claims."""
    end = int(last[:4]) * 12 + int(last[5:7]) - 1
    start = max(int(first[:4]) * 12 + int(first[5:7]) - 1, end - 12 * 60)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(start, end + 1)]


def _without_crowding(years: list[tuple[float, str]]) -> list[tuple[float, str]]:
    kept: list[tuple[float, str]] = []
    for x, year in reversed(years):
        if not kept or kept[-1][0] - x >= 64:
            kept.append((x, year))
    return kept[::-1]


def colour_of(name: str) -> str:
    """Return the colour that a site's name always gets, seen on light and dark: CSS, of any hue."""
    return f"hsl({hashlib.sha256(name.encode()).digest()[0] * 360 // 256} 55% 50%)"
