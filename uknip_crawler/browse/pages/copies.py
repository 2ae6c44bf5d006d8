"""Two stories that are nearly the same, side by side, what both say marked."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from uknip_crawler.browse.pages.addresses import by_key, permalink
from uknip_crawler.browse.pages.asking import Ask, Elsewhere, NotHere, Page
from uknip_crawler.browse.pages.story import found, tombstone
from uknip_crawler.extraction.page.text import key

SHARED_WORDS = 6
"""Words in a row that both say, to be marked: fewer are any two stories' own."""


@dataclass(frozen=True, slots=True)
class Side:
    """A story and its paragraphs, with `<mark>` around what the other says too; `share` is that of its words."""

    story: object
    paragraphs: list[Markup]
    share: float


def show(ask: Ask) -> Page:
    """Show two stories beside each other."""
    story = found(ask, f"/copy/{ask.path['other']}")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    number = by_key(ask, ask.path["other"])
    other = ask.row("SELECT * FROM articles WHERE id = :id AND status <> 'redacted'", id=number)
    if other is None or other["id"] == story["id"]:
        raise NotHere("This archive has no such story to hold beside it.")
    if permalink(other["url"]) != f"/read/story/{ask.path['other']}":
        raise Elsewhere(f"{permalink(story['url'])}/copy/{permalink(other['url']).rpartition('/')[2]}")
    sides = [Side(one, *shared(one["body"], two["body"])) for one, two in ((story, other), (other, story))]
    return Page("copies", {"story": story, "sides": sides})


def shared(text: str, other: str) -> tuple[list[Markup], float]:
    """Return a text's paragraphs, words marked that stand in the other in the same order, and their share."""
    paragraphs = [_words(paragraph) for paragraph in text.split("\n\n")]
    theirs = [word for word in map(key, other.split()) if word]
    runs = {tuple(theirs[at : at + SHARED_WORDS]) for at in range(len(theirs) - SHARED_WORDS + 1)}
    places = [(line, at, key(word)) for line, words in enumerate(paragraphs) for at, word in enumerate(words)]
    is_shared = [False] * len(places)
    for at in range(len(places) - SHARED_WORDS + 1):
        if tuple(word for _, _, word in places[at : at + SHARED_WORDS]) in runs:
            is_shared[at : at + SHARED_WORDS] = [True] * SHARED_WORDS
    told = {(line, at) for (line, at, _), same in zip(places, is_shared, strict=True) if same}
    printed = [
        _printed(words, {at for line, at in told if line == number})
        for number, words in enumerate(paragraphs)
    ]
    return printed, sum(is_shared) / (len(places) or 1)


def _words(text: str) -> list[str]:
    """Return a text's words, each with what stands behind it and is none, such as a dash."""
    words: list[str] = []
    for piece in text.split():
        if words and not key(piece):
            words[-1] += f" {piece}"
        else:
            words.append(piece)
    return words


def _printed(words: list[str], told: set[int]) -> Markup:
    pieces: list[Markup] = []
    start = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or (end in told) != (start in told):
            run = Markup.escape(" ".join(words[start:end]))
            pieces.append(Markup("<mark>{}</mark>").format(run) if start in told else run)
            start = end
    return Markup(" ").join(pieces)
