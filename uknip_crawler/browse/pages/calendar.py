"""The calendar of coverage: what the site lists against what is held, day by day."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime

from uknip_crawler.archive.reports.coverage import UNKNOWN
from uknip_crawler.browse.figures import COVERAGE, STATE
from uknip_crawler.browse.pages.asking import Ask, Page
from uknip_crawler.export.selection import day_start
from uknip_crawler.times import LONDON

_SHOWN_MISSING = 200


@dataclass(frozen=True, slots=True)
class Day:
    """One day: stories published then that are held, how many the site lists, and how many of those are held."""

    day: str
    stories: int
    expected: int
    held: int

    @property
    def missing(self) -> int:
        return self.expected - self.held

    @property
    def level(self) -> str:
        if self.missing:
            return "partial" if self.held else "absent"
        return f"full{min((self.stories - 1) // 4, 3)}" if self.stories else "empty"


def show(ask: Ask) -> Page:
    """Show a year, a line for each month; below it, what is missing and why."""
    found = COVERAGE.of(ask.archive, tuple(ask.row(STATE)))
    if found is None:
        return Page("reckoning", {"what": "Calendar of coverage"})
    expected, held = found.expected, found.held
    years = _years(ask, expected)
    year = ask.number("year", years[-1] if years else 1, most=2999)
    stories = _stories(ask, year)
    months = [
        (
            f"{calendar.month_name[month]}",
            [
                Day(day, stories[day], expected[day], held[day])
                for day in (
                    f"{year:04d}-{month:02d}-{number:02d}"
                    for number in range(1, calendar.monthrange(year, month)[1] + 1)
                )
            ],
        )
        for month in range(1, 13)
    ]
    missing = [
        one for one in found.coverage.missing if one.day.startswith(f"{year:04d}-") or one.day == UNKNOWN
    ]
    return Page(
        "calendar",
        {
            "year": year,
            "years": years,
            "months": months,
            "coverage": found.coverage,
            "undated": expected[UNKNOWN],
            "missing": missing[:_SHOWN_MISSING],
            "missing_count": len(missing),
        },
        keeps=("year",),
    )


def _years(ask: Ask, expected: Counter[str]) -> list[int]:
    """Return the years from the first story to the last, held or listed; what a page claims beyond is left out."""
    ends = [
        ask.value(f"SELECT {end}(month) FROM articles WHERE month BETWEEN '1900' AND '2999'")
        for end in ("min", "max")
    ]
    named = [
        int(text[:4])
        for text in (*expected, *ends)
        if text and text[:4].isdigit() and "1900" <= text < "3000"
    ]
    return list(range(min(named), max(named) + 1)) if named else []


def _stories(ask: Ask, year: int) -> Counter[str]:
    """Return how many stories are held of each London day of a year; London is whole hours from UTC."""
    hours = ask.rows(
        """SELECT substr(published_at, 1, 13) AS hour, count(*) AS stories FROM articles
        WHERE published_at >= :begin AND published_at < :end GROUP BY hour""",
        begin=day_start(date(year, 1, 1)),
        end=day_start(date(year + 1, 1, 1)),
    )
    days = Counter[str]()
    for row in hours:
        days[_london_day(row["hour"])] += row["stories"]
    return days


def _london_day(hour: str) -> str:
    try:
        instant = datetime.fromisoformat(hour)
    except ValueError:
        return UNKNOWN
    return instant.replace(tzinfo=UTC).astimezone(LONDON).date().isoformat() if "T" in hour else hour
