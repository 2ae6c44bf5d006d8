"""Whether two texts are copies of one story, and the passages they share. A function of the two texts alone."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from uknip_crawler.duplicates.fingerprints import Shingle, Text

LONG = 60
"""Shingles from which the texts themselves can bear a name or figure that differs; shorter ones cannot."""

ORDERED = 0.2
EVIDENCE = 1.2
"""What two long texts need: a fifth of their shingles in common and in the same order, and this share and the share of
common facts together. Measured by bench/near_duplicates.py; docs/schema.md tells how."""

REORDERED = 0.6
"""Share of common shingles from which their order says nothing more."""

SHORT = ((0.35, 5), (0.7, 3))
"""What two short texts need, besides having no fact against one another: so much in common and in order, and so many
facts. With the larger number of facts, the same words below any headline will do."""

PASSAGES = 3
SHORTEST, LONGEST = 8, 60
"""How many passages to show, and of how many words."""


@dataclass(frozen=True, slots=True)
class Match:
    """How alike two copies are (common shingles, of those that either has) and the longest passages of both."""

    similarity: float
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two texts have in common.

    `ordered` is the similarity when only shingles count that stand in the same order in both; `facts` are how many
    names and figures they share, `against` how many each has that the other lacks, whichever is less; `shingles` are
    those of the shorter text.
    """

    similarity: float
    ordered: float
    facts: int
    against: int
    shingles: int
    same_body: bool

    @property
    def agreement(self) -> float:
        """Share of the facts of the text with fewer that the other has too; without facts, the order must do."""
        known = self.facts + self.against
        return self.facts / known if known else self.ordered

    @property
    def is_copy(self) -> bool:
        """Tell whether these are copies: rewritten, cut or longer ones too, but never two stories from one template."""
        if self.shingles < LONG:
            if self.same_body and self.facts >= max(facts for _, facts in SHORT):
                return True
            enough = any(self.ordered >= ordered and self.facts >= facts for ordered, facts in SHORT)
            return self.against == 0 and enough
        alike = self.similarity if self.similarity >= REORDERED else self.ordered
        return alike >= ORDERED and alike + self.agreement >= EVIDENCE


def match(one: Text, other: Text) -> Match | None:
    """Return how two copies match, whichever comes first; None when they are different stories."""
    one, other = sorted((one, other), key=lambda text: text.printed)
    ours, theirs = one.shingles(), other.shingles()
    chain = _in_order(ours, theirs)
    if not _likeness(one, other, ours, theirs, len(chain)).is_copy:
        return None
    both, either = set(ours) & set(theirs), set(ours) | set(theirs)
    return Match(len(both) / len(either), _passages(one, other, chain))


def identical(text: Text) -> Match:
    """Return how two stories of this same text match."""
    return Match(1.0, _printed(text, [(0, len(text.words))]))


def likeness(one: Text, other: Text) -> Likeness:
    """Return what two texts have in common."""
    ours, theirs = one.shingles(), other.shingles()
    return _likeness(one, other, ours, theirs, len(_in_order(ours, theirs)))


def _likeness(
    one: Text, other: Text, ours: Sequence[Shingle], theirs: Sequence[Shingle], in_order: int
) -> Likeness:
    left, right = set(ours), set(theirs)
    either = len(left | right)
    return Likeness(
        similarity=len(left & right) / either if either else 0.0,
        ordered=in_order / (len(left) + len(right) - in_order) if either else 0.0,
        facts=len(one.facts & other.facts),
        against=min(len(one.facts - other.facts), len(other.facts - one.facts)),
        shingles=min(len(left), len(right)),
        same_body=one.body == other.body,
    )


def _in_order(ours: Sequence[Shingle], theirs: Sequence[Shingle]) -> list[tuple[int, int]]:
    """Return the places of the longest row of shingles, each once in either text, that both have in the same order.

    Patience sorting: https://en.wikipedia.org/wiki/Patience_sorting; time grows with n log n, whatever the texts.
    """
    once = {shingle for shingle, count in Counter(theirs).items() if count == 1}
    places = {shingle: place for place, shingle in enumerate(theirs) if shingle in once}
    counts = Counter(ours)
    ends: list[int] = []
    heads: list[int] = []
    before: dict[int, int | None] = {}
    for here, shingle in enumerate(ours):
        there = places.get(shingle)
        if there is None or counts[shingle] > 1:
            continue
        pile = bisect_left(ends, there)
        ends[pile : pile + 1] = [there]
        heads[pile : pile + 1] = [here]
        before[here] = heads[pile - 1] if pile else None
    chain = []
    at = heads[-1] if heads else None
    while at is not None:
        chain.append((at, places[ours[at]]))
        at = before[at]
    return chain[::-1]


def _passages(one: Text, other: Text, chain: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return the longest passages of both texts, at most three, longest first; a very long one is cut."""
    found: list[tuple[int, int]] = []
    done = 0
    for here, there in chain:
        if here < done:
            continue
        start, end = _grown(one.words, other.words, here, there)
        start, done = max(start, done), end
        found.append((start, end))
    found = sorted(found, key=lambda span: (span[0] - span[1], span))[:PASSAGES]
    return _printed(
        one, [span for number, span in enumerate(found) if number == 0 or span[1] - span[0] >= SHORTEST]
    )


def _printed(text: Text, spans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    return tuple(
        text.passage(start, min(end, start + LONGEST)) + (" …" if end - start > LONGEST else "")
        for start, end in spans
    )


def _grown(ours: Sequence[str], theirs: Sequence[str], here: int, there: int) -> tuple[int, int]:
    start, end = here, here
    while start and there - (here - start) and ours[start - 1] == theirs[there - (here - start) - 1]:
        start -= 1
    while end < len(ours) and there + end - here < len(theirs) and ours[end] == theirs[there + end - here]:
        end += 1
    return start, end
