"""Holding the newest crawl against the archive's history and the fixed floors.

Shares are held against their usual share by the binomial distribution, silence by Poisson's; a deviation counts when it is
both too unlikely (`odds`) and large enough to matter (`more`, `at_most`).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from uknip_crawler.health.checks import CHECKS, QUIET_DAYS, Check, Finding
from uknip_crawler.health.measures import WINDOW, Fact, History, Share
from uknip_crawler.times import LONDON

WEEKS = 8
USUAL_OF = 30
USUAL_DAYS = 10
"""So many pages or stories, seen on so many days, make a habit; of fewer nothing is usual yet."""
POOLED = (1, 5, 20)
"""The newest crawl alone, and with those before it until there are so many pages or stories."""
POOLED_FOR = timedelta(days=7)
LATEST = 3
BAD_DAY = 0.95
"""Shares vary from day to day more than coins do: what one day in twenty reached is still usual."""
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


def judge(
    history: History,
    now: datetime,
    facts: Mapping[str, Fact] | None = None,
    checks: Iterable[Check] = CHECKS.values(),
) -> list[Finding]:
    """Return what is amiss at a moment, in the checks' order. What the history has after it is not seen."""
    end = history.end(now)
    found: list[Finding] = []
    for check in checks:
        if check.name == "few_stories" and any(one.name == "silence" for one in found):
            continue  # said already
        if end and (finding := _KINDS[check.kind](check, history, end, now, facts or {})):
            found.append(finding)
    return found


def _finding(
    check: Check,
    history: History,
    since: datetime,
    value: float,
    bound: float,
    runs: tuple[int, int],
    **said: Any,
) -> Finding:
    first, end = runs
    what = check.what.format(value=value, bound=bound, **said)
    return Finding(check, what, since, value, bound, history.runs[first].run, history.runs[end - 1].run)


# How many stories


def usual_stories(history: History, start: datetime, end: datetime) -> float:
    """Return how many stories a site publishes at the least in the same hours of other weeks.

    The second lowest count of the past eight weeks; hours of days on which nobody owes a story are left out.
    """
    counts = sorted(
        sum(history.stories(a - week * _WEEK, b - week * _WEEK) for a, b in spans)
        for spans in [list(_owed(start, end))]
        # the weeks before a long silence, not those within it
        for week in range(1 + (end - start) // _WEEK, 1 + (end - start) // _WEEK + WEEKS)
    )
    return float(counts[1])


def _owed(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of a span of time that are no quiet day's, in London."""
    while start < end:
        local = start.astimezone(LONDON)
        midnight = (local + _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        until = min(end, midnight.astimezone(start.tzinfo))
        if f"{local:%m-%d}" not in QUIET_DAYS:
            yield start, until
        start = until


def _silence(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    last = history.last_story(now)
    if last is None:
        return None
    usual = usual_stories(history, last, now)
    if math.exp(-check.bound("quiet_share") * usual) >= check.bound("odds"):
        return None
    hours = (now - last) / timedelta(hours=1)
    runs = (min(history.first_since(last), end - 1), end)
    return _finding(check, history, last, hours, usual, runs, hours=hours, usual=usual)


def _few(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    for days in check.bounds["days"]:
        start = now - days * _DAY
        count, usual = history.stories(start, now), usual_stories(history, start, now)
        if count > check.bound("at_most") * usual:
            continue
        if poisson_to(count, check.bound("quiet_share") * usual) < check.bound("odds"):
            runs = (min(history.first_since(start), end - 1), end)
            return _finding(check, history, start, count, usual, runs, count=count, days=days, usual=usual)
    return None


# Shares


def _share(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    floor = history.first_since(now - POOLED_FOR)
    end = history.last_with(check.measure, end)  # a crawl that saw none of it says nothing, well or ill
    if end <= floor:
        return None
    base = history.first_since(now - WINDOW)
    latest = history.share(check.measure, history.reaching(check.measure, end, LATEST, floor), end)
    for of in POOLED:
        first = min(history.reaching(check.measure, end, of, floor), end - 1)
        recent = history.share(check.measure, first, end)
        usual = _usual(check.measure, history, base, first)
        if not _is_large(recent, usual, check) or not _is_still_so(latest, usual, check):
            continue
        if usual.of:
            likely = _bad_day(check.measure, history, base, first)
            if binomial_from(recent.count, recent.of, likely) >= check.bound("odds"):
                continue
        since = _since(check.measure, history, base, end, (usual.value + recent.value) / 2)
        said = {"count": recent.count, "of": recent.of, "usual": usual.value}
        moment = history.runs[since].started_at
        return _finding(check, history, moment, recent.value, usual.value, (first, end), **said)
    return None


def _usual(measure: str, history: History, base: int, first: int) -> Share:
    """Return the share of the crawls before; 0 of 0 where they make no habit yet."""
    share = history.share(measure, base, first)
    if (
        share.of < USUAL_OF
        or history.runs[first].started_at - history.runs[base].started_at < USUAL_DAYS * _DAY
    ):
        return Share(0, 0)
    return share


def _is_large(recent: Share, usual: Share, check: Check) -> bool:
    """Tell whether a share is beyond what is usual by enough to matter, or without a habit beyond the fixed floor."""
    if recent.count < check.bound("least"):
        return False
    if usual.of:
        return recent.value - usual.value >= check.bound("more")
    return recent.of >= check.bounds.get("at_least_of", math.inf) and recent.value > check.bound("at_most")


def _bad_day(measure: str, history: History, base: int, first: int) -> float:
    """Return the share that one day in twenty reached, counting a story more of each kind; never 0 or 1."""
    shares, end = [], first
    while end > base:
        begin = max(base, history.first_since(history.runs[end - 1].started_at - _DAY))
        one = history.share(measure, begin, end)
        shares += [(one.count + 0.5) / (one.of + 1)] if one.of else []
        end = begin
    usual = history.share(measure, base, first)
    place = min(int(BAD_DAY * len(shares)), len(shares) - 1)
    return max((usual.count + 1) / (usual.of + 2), sorted(shares)[place])


def _is_still_so(latest: Share, usual: Share, check: Check) -> bool:
    return latest.value >= usual.value + check.bound("more") / 2


def _since(measure: str, history: History, base: int, end: int, middle: float) -> int:
    """Return the index of the crawl from which on all have had more than a middling share."""
    since = end - 1
    for index in range(end - 1, base - 1, -1):
        share = history.share(measure, index, index + 1)
        if share.of and share.value <= middle:
            break
        if share.of:
            since = index
    return since


def _words(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    end = history.last_with_words(end)
    if end <= history.first_since(now - POOLED_FOR):
        return None
    base = history.first_since(now - WINDOW)
    is_short = check.bounds["tail"] == "short"
    first, recent = _newest_words(history, max(base, history.first_since(now - POOLED_FOR)), end)
    known = sorted(history.words(base, first))
    if len(known) < USUAL_OF:
        floor = check.bounds.get("at_least_words", 0)
        count = sum(words < floor for words in recent)
        if len(recent) < check.bounds.get("at_least_of", math.inf) or 2 * count <= len(recent):
            return None
        limit, likely = int(floor), 0.0
    else:
        limit = known[int(check.bound("quantile") * len(known))]
        if is_short:
            count, likely = sum(words < limit for words in recent), bisect_left(known, limit) / len(known)
        else:
            count, likely = (
                sum(words > limit for words in recent),
                1 - bisect_right(known, limit) / len(known),
            )
        share = Share(count, len(recent))
        if count < check.bound("least") or share.value - likely < check.bound("more"):
            return None
        if binomial_from(count, share.of, max(likely, 1 / len(known))) >= check.bound("odds"):
            return None
    value = count / len(recent)
    said = {"count": count, "of": len(recent), "words": limit, "usual": likely}
    return _finding(check, history, history.runs[first].started_at, value, likely, (first, end), **said)


def _newest_words(history: History, floor: int, end: int) -> tuple[int, list[int]]:
    """Return the lengths of the newest crawl's stories, with those before it until there are five, and from which crawl."""
    first, found = end - 1, list(history.runs[end - 1].words)
    while len(found) < POOLED[1] and first > floor:
        first -= 1
        found += history.runs[first].words
    return first, found


# Crawls in a row, and figures of now


def _streak(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    """Count the crawls in a row that show something; those that had no chance to are left out."""
    first, count = end, 0
    for index in range(end - 1, history.first_since(now - WINDOW) - 1, -1):
        share = history.share(check.measure, index, index + 1)
        if share.of and not share.count:
            break
        if share.count:
            first, count = index, count + 1
    if count < check.bound("runs"):
        return None
    moment = history.runs[first].started_at
    return _finding(check, history, moment, count, check.bound("runs"), (first, end), count=count)


def _fact(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    fact = facts.get(check.measure)
    if fact is None or (fact.of is not None and fact.of < check.bounds.get("at_least_of", 0)):
        return None
    if "at_most" in check.bounds:
        bound, is_amiss = check.bound("at_most"), fact.value > check.bound("at_most")
    else:
        bound, is_amiss = check.bound("at_least"), fact.value < check.bound("at_least")
    if not is_amiss:
        return None
    started = history.runs[end - 1].started_at
    said = {"of": fact.of, "value_gb": fact.value / 1e9}
    return _finding(check, history, started, fact.value, bound, (end - 1, end), **said)


def _overdue(
    check: Check, history: History, end: int, now: datetime, facts: Mapping[str, Fact]
) -> Finding | None:
    starts = [ran.started_at for ran in history.runs[max(0, end - 21) : end]]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    longest = timedelta(days=check.bound("longest_days"))
    if len(gaps) >= 5:
        longest = min(longest, check.bound("gaps") * max(gaps) + _DAY)
    age = now - starts[-1]
    if age <= longest:
        return None
    days = age / _DAY
    return _finding(check, history, starts[-1], days, longest / _DAY, (end - 1, end), days=days)


_KINDS: dict[str, Callable[[Check, History, int, datetime, Mapping[str, Fact]], Finding | None]] = {
    "silence": _silence,
    "few": _few,
    "share": _share,
    "words": _words,
    "streak": _streak,
    "fact": _fact,
    "overdue": _overdue,
}


# Chances


def binomial_from(count: int, of: int, likely: float) -> float:
    """Return the chance of `count` or more of `of` where each is `likely`, 0 < likely < 1."""
    log, log_not = math.log(likely), math.log1p(-likely)
    whole = math.lgamma(of + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(n + 1) - math.lgamma(of - n + 1) + n * log + (of - n) * log_not)
        for n in range(count, of + 1)
    )


def poisson_to(count: int, mean: float) -> float:
    """Return the chance of `count` or fewer where so many are to be expected."""
    return math.fsum(
        math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) if mean else float(n == 0)
        for n in range(count + 1)
    )
