"""Which of the posts we know does the site no longer list? Told from a few pages of its numbered list, not from all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Span:
    """Pages `first` to before `end` of their list, and what we know between: `low` to before `high` of ours."""

    first: int
    end: int
    low: int
    high: int


class Census:
    """Compares our posts' numbers with a list of `total` numbers in rising order, `per_page` on a page, from page 1.

    Ask `next_page` which page to read and give its numbers to `take` until it is None; `missing` are ours that are
    not listed. Places in their list tell how many posts stand between two pages, so that a stretch in which as many
    stand as we know needs no look: one missing post costs as many pages as halving the list takes, many cost at most
    all pages. A post of theirs that we do not know can hide one of ours that is missing: see `len(missing)`.
    """

    def __init__(self, ours: Iterable[int], total: int, per_page: int) -> None:
        self._ours = sorted(set(ours))
        self._total, self._per_page = total, per_page
        self._spans = [_Span(1, -(-total // per_page) + 1, 0, len(self._ours))]
        self.missing: list[int] = []

    def next_page(self) -> int | None:
        while self._spans:
            span = self._spans[-1]
            if span.high - span.low != self._listed(span):
                if span.first < span.end:
                    return (span.first + span.end) // 2
                self.missing += self._ours[span.low : span.high]
            self._spans.pop()
        return None

    def take(self, numbers: Sequence[int]) -> None:
        """Hear what stands on the page asked for. Raises ValueError when nothing does: the list has changed."""
        if not numbers:
            raise ValueError("an empty page within the list")
        span = self._spans.pop()
        page = (span.first + span.end) // 2
        left = max(span.low, min(bisect_left(self._ours, min(numbers)), span.high))
        right = max(left, min(bisect_right(self._ours, max(numbers)), span.high))
        listed = set(numbers)
        self.missing += [number for number in self._ours[left:right] if number not in listed]
        self._spans += [
            _Span(page + 1, span.end, right, span.high),
            _Span(span.first, page, span.low, left),
        ]

    def _listed(self, span: _Span) -> int:
        before = (span.first - 1) * self._per_page
        return max(min((span.end - 1) * self._per_page, self._total) - before, 0)
