"""The stories that the archive holds, by headline and opening, and how lines of other pages tell them."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from typing import Self

from uknip_crawler.extraction.learning.lines import Line
from uknip_crawler.extraction.page.text import key

MAX_OPENING = 600
STARTS = 2
RUNNING = 4
COMPARED = 100
"""Bytes by which an opening is told: no two stories share so many by chance."""
MIN_OPENING = 30
"""Characters of a cut line that tell whose opening it is."""
MIN_HEADLINE_WORDS = 4
MAX_LABEL_WORDS = 5
_PART = re.compile(r"\s*[:–—|-]\s+")
_ELLIPSIS = re.compile(r"[….\s\[\]]+$")


def openings_of(lines: Sequence[str]) -> list[str]:
    """Return the running words with which a story begins, as teasers quote them; `lines` are keys.

    A teaser runs on across paragraphs, and a label may stand above the paragraph that it quotes.
    """
    told = [line for line in lines if " " in line][: STARTS + RUNNING - 1]
    return [" ".join(told[start : start + RUNNING]) for start in range(min(STARTS, len(told)))]


class Stories:
    """Every worker holds them, and an archive has many: some 350 bytes a story, no Python object for any of them."""

    def __init__(self, rows: Iterable[Sequence[str]] = ()) -> None:
        """Take (headline, beginning of the body, further summaries …) of each story; of the body `MAX_OPENING`
        characters are enough."""
        headlines, openings = set[int](), set[tuple[bytes, int]]()
        for headline, body, *summaries in rows:
            own = number(key(headline))
            headlines.add(own)
            running = openings_of([key(line) for line in body[:MAX_OPENING].split("\n\n")])
            openings.update(
                (opening.encode()[:COMPARED], own) for opening in (*running, *map(key, summaries))
            )
        self._fill(headlines, openings)

    def _fill(self, headlines: set[int], openings: set[tuple[bytes, int]]) -> None:
        ordered = sorted(row for row in openings if len(row[0]) >= MIN_OPENING)
        self._headlines = array("Q", sorted(headlines))
        self._openings = b"".join(opening for opening, _ in ordered)
        self._ends = array("L", accumulate((len(opening) for opening, _ in ordered), initial=0))
        self._owners = array("Q", (owner for _, owner in ordered))

    def joined(self, headlines: Collection[str], openings: Iterable[tuple[str, str]]) -> Self:
        """Return these stories and more: keys of headlines, and (opening, headline) of stories, keys as well."""
        more = {(opening.encode()[:COMPARED], number(headline)) for opening, headline in openings}
        held = {(self._opening(index), owner) for index, owner in enumerate(self._owners)}
        found = type(self)()
        found._fill({*self._headlines, *map(number, headlines)}, held | more)
        return found

    def has_headline(self, words: str) -> bool:
        """Tell whether some story has exactly this headline; `words` is a text's key."""
        return holds(self._headlines, number(words))

    def has_opening(self, words: str, headline: str) -> bool:
        """Tell whether a story other than that of this headline opens with these words; both are keys."""
        wanted, own = words.encode()[:COMPARED], number(headline)
        if len(words) < MIN_OPENING:
            return False
        count = len(self._owners)
        for index in range(bisect_left(range(count), wanted, key=self._opening), count):
            if not self._opening(index).startswith(wanted):
                return False
            if self._owners[index] != own:
                return True
        return False

    def _opening(self, index: int) -> bytes:
        return self._openings[self._ends[index] : self._ends[index + 1]]


def number(words: str) -> int:
    """Return eight bytes that stand for a text."""
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest())


def holds(numbers: array[int], wanted: int) -> bool:
    """Tell whether a sorted array has a number."""
    index = bisect_left(numbers, wanted)
    return index < len(numbers) and numbers[index] == wanted


def other_story(line: Line, headline: str, stories: Stories, links: array[int]) -> str | None:
    """Return why a line tells another story than the one of this headline (a key), or None.

    It is that story's headline, alone, after a short label or after capitals; or cut, and the story opens with it.
    `links` are numbers of headlines as links name them.
    """
    if line.is_echo:
        return None

    def is_other(words: str) -> bool:
        return words != headline and (stories.has_headline(words) or holds(links, number(words)))

    if line.words >= MIN_HEADLINE_WORDS and is_other(line.key):
        return "headline"
    for part in _PART.finditer(line.text):
        label, rest = line.text[: part.start()], key(line.text[part.end() :])
        if len(label.split()) > MAX_LABEL_WORDS:
            break
        if rest.count(" ") >= MIN_HEADLINE_WORDS - 1 and is_other(rest):
            return "label and headline"
    printed = line.text.split()
    for count in range(1, min(MAX_LABEL_WORDS, len(printed) - MIN_HEADLINE_WORDS + 1)):
        if not printed[count - 1].isupper():
            break
        if is_other(key(" ".join(printed[count:]))):
            return "kicker and headline"
    told = key(_ELLIPSIS.sub("", line.text)) if line.is_cut else ""
    return "opening" if told and stories.has_opening(told, headline) else None
