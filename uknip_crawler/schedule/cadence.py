"""How often a crawl runs, as times of the clock that systemd's calendar and cron both express."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uknip_crawler.errors import UsageError

HOUR, DAY, WEEK = 60, 24 * 60, 7 * 24 * 60
_MINUTES = tuple(n for n in range(1, 60) if 60 % n == 0)
_HOURS = tuple(n for n in range(1, 24) if 24 % n == 0)
_UNITS = {"m": 1, "min": 1, "minute": 1, "h": HOUR, "hr": HOUR, "hour": HOUR, "d": DAY, "day": DAY, "w": WEEK}
_UNITS |= {"week": WEEK}
_NAMES = {"hourly": HOUR, "daily": DAY, "weekly": WEEK}
_PART = re.compile(r"(\d{1,6})\s*([a-z]+?)s?\s*(?![a-z])")
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_LONGEST_DELAY = 15 * 60


@dataclass(frozen=True, slots=True)
class Cadence:
    """A run every `minutes`, which divide the hour, the day or are a week; `shift` says when first after midnight
    (of Sunday), in minutes, so that not everybody calls at the full hour.
    """

    minutes: int
    shift: int = 0

    @property
    def delay_seconds(self) -> int:
        """By how much each run may come later at random: a tenth of the span, a quarter of an hour at most."""
        return min(self.minutes * 6, _LONGEST_DELAY)

    def spoken(self) -> str:
        """Return the span as people say it, such as `every 3 hours`."""
        sizes = ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (1, "minute"))
        count, name = next((self.minutes // size, name) for size, name in sizes if self.minutes % size == 0)
        return f"every {name}" if count == 1 else f"every {count} {name}s"

    def cron(self) -> str:
        """Return the five fields of a crontab's line (crontab(5))."""
        minute, hour, day = self._first()
        if self.minutes < HOUR:
            return f"{minute}-59/{self.minutes} * * * *"
        if self.minutes < DAY:
            return f"{minute} {hour}-23/{self.minutes // HOUR} * * *"
        return f"{minute} {hour} * * {day if self.minutes == WEEK else '*'}"

    def calendar(self) -> str:
        """Return the calendar event of a timer (systemd.time(7))."""
        minute, hour, day = self._first()
        if self.minutes < HOUR:
            return f"*-*-* *:{minute:02}/{self.minutes}:00"
        if self.minutes < DAY:
            return f"*-*-* {hour:02}/{self.minutes // HOUR}:{minute:02}:00"
        return (f"{_DAYS[day]} " if self.minutes == WEEK else "") + f"*-*-* {hour:02}:{minute:02}:00"

    def _first(self) -> tuple[int, int, int]:
        shift = self.shift % self.minutes
        return shift % HOUR, shift // HOUR % 24, shift // DAY


def cadence(text: str, *, shift: int = 0) -> Cadence:
    """Read a span such as `30m`, `3h`, `1 day` or `daily`. Raises UsageError for one that no clock repeats."""
    wanted = text.strip().lower()
    minutes = _NAMES.get(wanted, 0)
    if not minutes and re.fullmatch(rf"({_PART.pattern})+", wanted):
        minutes = sum(int(count) * _UNITS.get(unit, 0) for count, unit in _PART.findall(wanted))
        minutes = 0 if any(unit not in _UNITS for _, unit in _PART.findall(wanted)) else minutes
    if minutes not in (*_MINUTES, *(n * HOUR for n in _HOURS), DAY, WEEK):
        raise UsageError(
            f"--every {text}: timers go by the clock, so give {_listed(_MINUTES, 'minutes')}, "
            f"{_listed(_HOURS, 'hours')}, 1d or 1w, such as 30m or 3h"
        )
    return Cadence(minutes, shift)


def _listed(numbers: tuple[int, ...], unit: str) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last} {unit}"
