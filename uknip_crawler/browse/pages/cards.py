"""Stories in short, as lists show them: time, headline, opening words, picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from uknip_crawler.browse.pages.asking import Ask

_OPENING_CHARACTERS = 240

FIELDS = f"""a.id, a.url, a.headline, a.kicker, a.section, a.published_at, a.status, a.revision_count,
    a.last_changed_at, substr(coalesce(nullif(a.standfirst, ''), a.body), 1, {_OPENING_CHARACTERS + 1}) AS opening"""


@dataclass(frozen=True, slots=True)
class Card:
    """A story in short. `picture` is the digest of a kept picture, `alt` what is said of it."""

    story: Any
    picture: str | None
    alt: str

    @property
    def opening(self) -> str:
        """The story's first words, whole ones, with an ellipsis where there are more."""
        text = str(self.story["opening"])
        if len(text) <= _OPENING_CHARACTERS:
            return text
        return f"{text.rsplit(None, 1)[0]} …" if " " in text else f"{text[:-1]}…"


def cards(ask: Ask, ids: Sequence[int]) -> list[Card]:
    """Return stories in short, in the order of their numbers given."""
    if not ids:
        return []
    marks = ", ".join(str(int(number)) for number in ids)
    stories = {
        row["id"]: row for row in ask.rows(f"SELECT {FIELDS} FROM articles AS a WHERE a.id IN ({marks})")
    }
    kept = ask.rows(
        f"""SELECT article_id, sha256, coalesce(caption, alt, '') AS alt FROM article_images
        JOIN images ON images.id = image_id WHERE article_id IN ({marks}) AND sha256 IS NOT NULL
        ORDER BY article_id, is_lead, position DESC"""
    )
    pictures = {row["article_id"]: row for row in kept}  # the lead image, else the first
    return [
        Card(
            stories[number],
            pictures[number]["sha256"] if number in pictures else None,
            pictures[number]["alt"] if number in pictures else "",
        )
        for number in ids
        if number in stories
    ]
