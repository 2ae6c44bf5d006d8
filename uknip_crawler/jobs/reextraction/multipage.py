"""A story in pages read whole: at each moment the newest capture of every part, joined in the order of the parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import takewhile

from uknip_crawler.archive.readings import Captured
from uknip_crawler.models import Article, BlockKind, Image, Link, Reading, Stripped
from uknip_crawler.urls import is_same_address

ReadCaptures = list[tuple[Captured, Reading]]
"""Captures of one story in the order of their time, each with its reading; all of them show the story."""

ROUND = timedelta(days=1)
"""Imported captures of different parts that are no farther apart show one state of the story."""
WHOLE = 0
"""In the place of a part's number: the page that shows all parts in one."""


def join(read_captures: ReadCaptures, *, not_there: frozenset[int] = frozenset()) -> ReadCaptures:
    """Return one reading of the whole story for each round of captures; a story in one page is returned as it came.

    A part that had not been seen yet is taken from its first capture later on: that it was seen late is no edit.
    `not_there` are parts whose addresses lead back to the story. What cannot be had is in `missing_parts`.
    """
    if all(captured.part == 1 and reading.paging is None for captured, reading in read_captures):
        return read_captures
    story = _Story(_numbered(read_captures))
    return [story.after(taken, not_there) for taken in _rounds(story.read_captures)]


@dataclass(frozen=True, slots=True)
class _Part:
    number: int
    captured: Captured
    reading: Reading

    @property
    def article(self) -> Article:
        assert self.reading.article is not None
        return self.reading.article

    @property
    def named(self) -> int:
        """The highest number of a part that the page tells of, itself included."""
        return self.reading.paging.last if self.reading.paging else self.number


def _numbered(read_captures: ReadCaptures) -> list[_Part]:
    wholes = [r.paging.whole for _, r in read_captures if r.paging and r.paging.whole]
    parts = [_Part(c.part, c, r) for c, r in read_captures]
    return [
        replace(part, number=WHOLE)
        if part.number == 1 and any(is_same_address(part.captured.url, url) for url in wholes)
        else part
        for part in parts
    ]


def _rounds(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """Cut captures, the oldest first, into those that show one state: of one crawl, or taken by others on one day."""
    taken: list[_Part] = []
    for part in parts:
        again = any(part.number == other.number for other in taken)
        if taken and (again or not _are_near(taken[0].captured, part.captured)):
            yield taken
            taken = []
        taken.append(part)
    if taken:
        yield taken


def _are_near(one: Captured, other: Captured) -> bool:
    if one.imported or other.imported:
        return one.imported == other.imported and other.captured_at - one.captured_at <= ROUND
    return one.run_id == other.run_id


class _Story:
    """What is known of a story's parts after each round."""

    def __init__(self, read_captures: list[_Part]) -> None:
        self.read_captures = read_captures
        self._now: dict[int, _Part] = {}
        self._first_seen = {part.number: part for part in reversed(read_captures)}
        self._openings = {part.article.body for part in read_captures if part.number == 1}
        # a list of all parts is the first page's last word; a mere link to the next one says nothing of the others
        self._lists_all = any(part.named > 2 for part in read_captures if part.number == 1)
        named = {n for part in read_captures if part.reading.paging for n, _ in part.reading.paging.others}
        self._unnamed = self._first_seen.keys() - named
        # a theme whose first pages print no way on: its further pages speak for themselves
        firsts = [part.reading for part in read_captures if part.number == 1]
        self._silent = {r.skeleton for r in firsts} - {r.skeleton for r in firsts if r.paging}

    def after(self, taken: list[_Part], not_there: frozenset[int]) -> tuple[Captured, Reading]:
        """Take in one round; return the story as it then stood, and the capture that showed its change first."""
        changed = [part for part in taken if self._is_news(part)]
        self._now |= {part.number: part for part in taken}
        last = self._last(not_there)
        parts = {number: part for number in range(1, last + 1) if (part := self._at(number))}
        missing = tuple(number for number in range(1, last + 1) if number not in parts)
        whole = self._at(WHOLE)
        if whole is not None and (missing or not parts):
            missing, parts = (), {WHOLE: whole}
        first = next((part for part in taken if part.number == 1), taken[-1])
        captured = (changed[0] if changed else first).captured
        return captured, _joined(list(parts.values()), last, missing)

    def _at(self, number: int) -> _Part | None:
        return self._now.get(number) or self._first_seen.get(number)

    def _is_news(self, part: _Part) -> bool:
        held = self._now.get(part.number)
        if held is None:
            return True
        one, other = held.article, part.article
        return one.body != other.body or (part.number == 1 and one.headline != other.headline)

    def _last(self, not_there: frozenset[int]) -> int:
        """Return how many parts the story has, by the word of its pages."""
        number, last = 1, 1
        first = self._at(1)
        if first is None:
            return max(part.named for part in (*self._now.values(), *self._first_seen.values()))
        while True:
            part = self._at(number)
            if number > 1 and (number in not_there if part is None else part.article.body in self._openings):
                return number - 1
            if part is None:
                return last
            if not self._lists_all or part.captured.captured_at >= first.captured.captured_at:
                last = max(last, part.named)
            number += 1
            unnamed = self._first_seen.keys() if first.reading.skeleton in self._silent else self._unnamed
            if number > last and number not in unnamed:
                return last
            last = max(last, number)


def _joined(parts: list[_Part], last: int, missing: tuple[int, ...]) -> Reading:
    """Return the first part's reading with the text of all of them."""
    base = parts[0]
    article = base.article
    blocks = list(article.blocks)
    for part in parts[1:]:
        read_captures = part.article.blocks
        # what stands above the text of every page: the image, the introduction
        repeated = sum(
            1
            for _ in takewhile(
                lambda pair: pair[0] == pair[1], zip(read_captures, article.blocks, strict=False)
            )
        )
        shown = {block.image.url for block in blocks if block.image}
        fresh = [block for block in read_captures[repeated:] if block.text or block.url or block.image]
        while fresh and fresh[0].kind is BlockKind.IMAGE and fresh[0].image and fresh[0].image.url in shown:
            del fresh[0]
        blocks += fresh
    images: dict[str, Image] = {}
    links: dict[Link, None] = {}
    furniture: dict[Stripped, None] = {}
    for part in parts:
        for image in part.article.images:
            images.setdefault(image.url, image)
        links |= dict.fromkeys(part.article.links)
        furniture |= dict.fromkeys(part.reading.furniture)
    whole = replace(
        article,
        blocks=tuple(blocks),
        images=tuple(images.values()),
        links=tuple(links),
        parts=last,
        missing_parts=missing,
    )
    return replace(base.reading, article=whole, furniture=tuple(furniture))
