"""Years of a newsroom as its archive sees them, made in seconds: crawls every half hour, nights, weekends, quiet weeks,
Christmas, days on which nobody signs or illustrates; and whatever a test breaks from a moment on."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from uknip_crawler.health.checks import Finding
from uknip_crawler.health.judging import judge
from uknip_crawler.health.measures import History, Ran, Share
from uknip_crawler.times import LONDON

START = datetime(2025, 3, 1, tzinfo=UTC)
EVERY = timedelta(minutes=30)
_HOURS = (1, 0, 0, 0, 0, 1, 3, 6, 8, 8, 8, 7, 7, 7, 7, 6, 6, 6, 5, 4, 4, 3, 2, 1)
_QUIET_WEEKS = ((8, 4), (8, 11), (4, 18), (12, 27))
_HOLIDAYS = {(12, 24): 0.3, (12, 25): 0.0, (12, 26): 0.05, (12, 31): 0.4, (1, 1): 0.1}
_REVISITS = 6.0
_MOODS = ((("unsigned", "unillustrated"), 12), (("undated", "unfiled", "doubtful", "untrusted"), 40))
"""What people do differs from day to day as if a dozen coins were thrown, what templates do as if it were forty."""


@dataclass(frozen=True)
class Habits:
    """What is usual: `per_day` stories on a weekday, and shares of new stories, of visits and of readings."""

    per_day: float = 60.0
    undated: float = 0.01
    unfiled: float = 0.03
    unsigned: float = 0.2
    unillustrated: float = 0.1
    failed: float = 0.005
    no_story: float = 0.01
    gone: float = 0.005
    moved: float = 0.003
    new_layout: float = 0.003
    untrusted: float = 0.03
    doubtful: float = 0.03
    walls: float = 0.0005
    words: float = 250.0


def pace(habits: Habits, moment: datetime) -> float:
    """Return how many stories an hour a newsroom publishes at a moment."""
    local = moment.astimezone(LONDON)
    weekend = 0.5 if local.weekday() >= 5 else 1.0
    quiet = any(
        timedelta(0) <= local.date() - local.date().replace(month=month, day=day) < timedelta(days=7)
        for month, day in _QUIET_WEEKS
    )
    holiday = _HOLIDAYS.get((local.month, local.day), 0.4 if quiet else 1.0)
    return habits.per_day * _HOURS[local.hour] / sum(_HOURS) * weekend * holiday


def year(
    seed: int,
    habits: Habits = Habits(),
    *,
    days: int = 365,
    every: timedelta = EVERY,
    silent: Callable[[datetime], bool] = lambda moment: False,
) -> History:
    """Return the history of an archive whose crawls begin at START; its first takes what eight weeks before brought.

    `silent` says when nothing is published.
    """
    dice = random.Random(seed)
    published: list[datetime] = []
    runs: list[Ran] = []
    moment, taken = START - timedelta(days=56), 0
    today, factor, day = None, 1.0, habits
    while moment < START + timedelta(days=days):
        if moment.date() != today:
            today = moment.date()
            factor = dice.gammavariate(12, 1 / 12)  # news comes in heaps
            day = _mood(habits, dice)
        if not silent(moment):
            hours = every / timedelta(hours=1)
            for _ in range(_poisson(dice, pace(habits, moment) * factor * hours)):
                published.append(moment + dice.random() * every)
        moment += every
        if moment >= START:
            new = len(published) - taken
            ran = _crawl(dice, len(runs) + 1, moment, new, day)
            runs.append(ran)
            taken = len(published)
    return History(runs, published)


def _mood(habits: Habits, dice: random.Random) -> Habits:
    """Return one day's habits: shares differ from day to day by more than chance."""
    shares = {
        name: dice.betavariate(weight * value + 0.05, weight * (1 - value))
        for names, weight in _MOODS
        for name in names
        if (value := getattr(habits, name))
    }
    return replace(habits, **shares)


def _poisson(dice: random.Random, mean: float) -> int:
    count, product, floor = 0, dice.random(), math.exp(-mean)
    while product > floor:
        count, product = count + 1, product * dice.random()
    return count


def _crawl(dice: random.Random, number: int, moment: datetime, new: int, habits: Habits) -> Ran:
    def some(of: int, likely: float) -> Share:
        return Share(sum(dice.random() < likely for _ in range(of)), of)

    looked = _poisson(dice, _REVISITS)
    visited = new + looked
    # a reporter now and then files a batch alike: neither signed nor illustrated
    is_batch = new >= 3 and dice.random() < 0.05
    shares = {name: some(new, getattr(habits, name)) for name in ("undated", "unfiled")}
    shares |= {
        name: Share(new, new) if is_batch else some(new, getattr(habits, name))
        for name in ("unsigned", "unillustrated")
    }
    shares |= {name: some(visited, getattr(habits, name)) for name in ("failed", "walls", "no_story")}
    shares |= {name: some(looked, getattr(habits, name)) for name in ("gone", "moved")}
    shares |= {name: some(visited, getattr(habits, name)) for name in ("new_layout", "untrusted", "doubtful")}
    shares |= {"lists": some(1, 0.0005), "down": some(1, 0.001), "killed": some(1, 0.0005)}
    words = tuple(
        30 + int(dice.random() * 30)
        if dice.random() < 0.05
        else int(habits.words * math.exp(dice.gauss(0, 0.6)))
        for _ in range(new)
    )
    return Ran(number, moment, shares, words)


def share_of(ran: Ran, measure: str, likely: float = 1.0) -> Ran:
    """Return a crawl in which that share of a measure is amiss."""
    there = ran.shares[measure]
    return replace(ran, shares={**ran.shares, measure: Share(round(likely * there.of), there.of)})


def episodes(history: History, *, every: int = 1, since: datetime = START) -> dict[str, list[datetime]]:
    """Judge each (or each n-th) crawl, as its end would; return when findings began, by check."""
    begun: dict[str, list[datetime]] = {}
    held: set[str] = set()
    for ran in history.runs[::every]:
        if ran.started_at < since:
            continue
        found = {one.name for one in judge(history, ran.started_at)}
        for name in found - held:
            begun.setdefault(name, []).append(ran.started_at)
        held = found
    return begun


def found_at(history: History, moment: datetime) -> Mapping[str, Finding]:
    return {one.name: one for one in judge(history, moment)}


def runs_until(history: History, name: str, broken_at: datetime) -> int | None:
    """Return in which crawl after a fault began it was found, 1 being the first; None where it never was."""
    after: Sequence[Ran] = history.runs[history.first_since(broken_at) :]
    for number, ran in enumerate(after, start=1):
        if name in found_at(history, ran.started_at):
            return number
    return None
