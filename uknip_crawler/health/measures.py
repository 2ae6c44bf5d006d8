"""What the checks look at: what each crawl brought, and when the site published."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

WINDOW = timedelta(days=56)
"""How far back the past teaches what is usual: eight weeks, so that every hour of the week was seen eight times."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else 0.0


class Fact(NamedTuple):
    """A figure of the archive or its disk as it stands now; `of` where it is a share of so many."""

    value: float
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """One crawl: its number, when it began, what it brought by measure, and the words of each new story's text."""

    run: int
    started_at: datetime
    shares: Mapping[str, Share] = field(default_factory=dict)
    words: tuple[int, ...] = ()


class History:
    """Crawls in the order in which they began, and the instants at which the site published, as far as is known.

    Audits, imports, rebuilds and re-readings are no crawls. What lies after the moment of a question is not seen, so
    that one history of a year can be asked at each of its hours.
    """

    def __init__(self, runs: Sequence[Ran], published: Sequence[datetime]) -> None:
        self.runs = runs
        self._starts = [ran.started_at for ran in runs]
        self.published = sorted(published)
        self._words = [words for ran in runs for words in ran.words]
        self._words_before = [0, *accumulate(len(ran.words) for ran in runs)]
        names = {name for ran in runs for name in ran.shares}
        nothing = Share(0, 0)
        self._sums = {
            name: (
                [0, *accumulate(ran.shares.get(name, nothing).count for ran in runs)],
                [0, *accumulate(ran.shares.get(name, nothing).of for ran in runs)],
            )
            for name in names
        }

    def end(self, now: datetime) -> int:
        """Return how many crawls had begun by then."""
        return bisect_right(self._starts, now)

    def first_since(self, moment: datetime) -> int:
        """Return the index of the first crawl that began then or later."""
        return bisect_left(self._starts, moment)

    def share(self, measure: str, first: int, end: int) -> Share:
        """Return a measure over the crawls from one index to before another."""
        if measure not in self._sums or first >= end:
            return Share(0, 0)
        counts, ofs = self._sums[measure]
        return Share(counts[end] - counts[first], ofs[end] - ofs[first])

    def reaching(self, measure: str, end: int, of: int, floor: int) -> int:
        """Return the index from which the crawls before `end` have so many of a measure, not below `floor`."""
        if measure not in self._sums:
            return floor
        ofs = self._sums[measure][1]
        return max(floor, bisect_right(ofs, ofs[end] - of, 0, end + 1) - 1)

    def last_with(self, measure: str, end: int) -> int:
        """Return the index after the newest crawl before `end` that has any of a measure; 0 where none has."""
        if measure not in self._sums:
            return 0
        ofs = self._sums[measure][1]
        return bisect_left(ofs, ofs[end], 0, end + 1)

    def last_with_words(self, end: int) -> int:
        """Return the index after the newest crawl before `end` that brought a new story; 0 where none did."""
        return bisect_left(self._words_before, self._words_before[end], 0, end + 1)

    def words(self, first: int, end: int) -> list[int]:
        """Return the lengths of the new stories of the crawls from one index to before another."""
        return self._words[self._words_before[first] : self._words_before[end]] if first < end else []

    def stories(self, start: datetime, end: datetime) -> int:
        """Return how many stories were published after one instant and not after another."""
        return bisect_right(self.published, end) - bisect_right(self.published, start)

    def last_story(self, now: datetime) -> datetime | None:
        """Return when the newest story known then was published."""
        place = bisect_right(self.published, now)
        return self.published[place - 1] if place else None
