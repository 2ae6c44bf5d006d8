"""What surrounds the sample stories: promotions, polls, boxes and teasers, page by page. Each line is known by name,
so that a test can tell whether one of them was taken for story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from uknip_crawler.demo.posts import Post
from uknip_crawler.demo.prose import Writer
from uknip_crawler.demo.shapes import pieces
from uknip_crawler.models import BlockKind

# which kinds of furniture stand inside the element that holds the story, layout by layout
INSIDE: dict[str, tuple[str, ...]] = {
    "plain": (),
    "classic": (),
    "jnews": (),
    "soledad": ("whatsapp", "inline"),
    "modern": (),
    "newspaper": ("stray", "poll", "donation", "teaser", "author_box"),
    "builder": ("stray", "so_far", "podcast", "town_line", "cut_teaser"),
    "block": ("stray", "newsletter", "notes", "inline", "town_line"),
    "regional": ("stray", "so_far", "poll", "grid", "cut_teaser"),
    "rebuilt": ("stray", "donation", "podcast", "inline", "teaser"),
    # layouts of the hard site
    "columns": ("newsletter", "inline", "so_far", "author_box"),
    "mediatext": ("podcast", "notes", "donation"),
    "pasted": ("poll", "inline", "town_line"),
    "tabloid": ("newsletter", "so_far", "podcast", "author_box"),
    "pamphlet": ("donation", "inline"),
    "almanac": ("newsletter", "podcast"),
}
# after how many pieces of the story a kind stands; a story that ends there or before goes without it
AFTER: dict[str, dict[str, int]] = {
    "soledad": {"inline": 3},
    "newspaper": {"poll": 3, "teaser": 4},
    "builder": {"so_far": 3, "podcast": 3},
    "block": {"inline": 2, "notes": 4},
    "regional": {"so_far": 2, "poll": 4},
    "rebuilt": {"inline": 3, "podcast": 3},
    "columns": {"newsletter": 3, "inline": 2, "so_far": 5},
    "mediatext": {"podcast": 3, "notes": 4},
    "pasted": {"poll": 3, "inline": 2},
    "tabloid": {"newsletter": 4, "so_far": 2, "podcast": 5},
    "pamphlet": {"inline": 2},
    "almanac": {"podcast": 3},
}
# one bare paragraph after the second of the story, on a quarter of a layout's pages
_STRAY = {
    "newspaper": "Hear the people behind the headlines in The Long Shift, our new weekly series of conversations.",
    "builder": "A small monthly gift keeps reporters on the road in every corner of the county.",
    "block": "Neighbours compare notes on stories like this one every evening in our members' room.",
    "regional": "Take our map of every incident with you: it now fits on a single folded sheet.",
    "rebuilt": "We have moved to a new home and kept the lights on; look around and tell us what you think.",
}
_QUESTIONS = (
    "Should {road} have a lower speed limit?",
    "Do you feel safe after dark in {town}?",
    "Has {town} enough officers on the beat?",
    "Would you like to see cameras on {street}?",
)


@dataclass(frozen=True)
class Furniture:
    """The furniture of one post's page. What its layout has no room for, or its story is too short for, is empty."""

    post: Post
    others: tuple[Post, ...]
    promo: str

    def _has(self, kind: str) -> bool:
        layout = self.post.layout
        after = AFTER.get(layout, {}).get(kind, 0)
        return kind in INSIDE.get(layout, ()) and pieces(self.post.content) > after

    @cached_property
    def _random(self) -> Random:
        return Random(f"furniture {self.post.post_id}")

    @cached_property
    def stray(self) -> str | None:
        paragraphs = sum(block.kind is BlockKind.PARAGRAPH for block in self.post.blocks)
        own = self._has("stray") and paragraphs > 1 and self.post.post_id * 7 % 4 == 1
        return _STRAY[self.post.layout] if own else None

    @cached_property
    def donation(self) -> tuple[str, ...]:
        lines = (
            f"Did this story from {self.post.town} matter to you?",
            "Four pounds a month pays for a morning in court. There is no owner behind us and no wall in front.",
            "Give what you can",
        )
        return lines if self._has("donation") else ()

    @cached_property
    def podcast(self) -> tuple[str, ...]:
        lines = (
            "Listen while you walk the dog",
            "Twenty minutes, one case, nobody shouting: every Thursday.",
        )
        return lines if self._has("podcast") else ()

    @cached_property
    def newsletter(self) -> tuple[str, ...]:
        lines = (
            f"The {self.post.section} letter",
            f"One message at seven each morning with everything that happened in {self.post.town} overnight.",
        )
        return lines if self._has("newsletter") else ()

    @cached_property
    def poll(self) -> tuple[str, ...]:
        if not self._has("poll"):
            return ()
        writer = Writer(Random(f"poll {self.post.post_id}"), self.post.published_at)
        return (
            writer.line(list(_QUESTIONS)),
            "Yes, and soon",
            "No, leave it be",
            "I would rather not say",
            "Cast your vote",
        )

    @cached_property
    def so_far(self) -> tuple[str, ...]:
        """A label and two to five lines in words of their own, without a link."""
        if not self._has("so_far") or self.post.post_id % 3 == 0:
            return ()
        writer = Writer(Random(f"so far {self.post.post_id}"), self.post.published_at)
        count = 2 + self.post.post_id % 4
        return (
            "What we know so far",
            *dict.fromkeys(writer.line(writer.shared["middles"]) for _ in range(count)),
        )

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Other stories' headlines without a link, one to four of them."""
        if not self._has("notes"):
            return ()
        return (
            "Also on the desk today",
            *(other.headline for other in self.others[: 1 + self.post.post_id % 4]),
        )

    @cached_property
    def town_line(self) -> str | None:
        return f"Get {self.post.town} news on your phone" if self._has("town_line") else None

    @cached_property
    def teaser(self) -> Post | None:
        """Another story whose linked headline is a paragraph of its own, on every third page."""
        return (
            self.others[2]
            if self._has("teaser") and self.post.post_id % 3 == 1 and len(self.others) > 2
            else None
        )

    @cached_property
    def cut_teaser(self) -> str | None:
        """Another story's opening, cut and unlinked, on every third page."""
        if not self._has("cut_teaser") or self.post.post_id % 3 != 1 or len(self.others) < 4:
            return None
        return f"{self.others[3].opening[:140].rstrip()}…"

    @cached_property
    def grid(self) -> tuple[str, ...]:
        """Openings of other stories as bare paragraphs, often longer than the story itself, on every other page."""
        if not self._has("grid") or self.post.post_id % 2:
            return ()
        return tuple(f"{other.opening[:150].rstrip()}..." for other in self.others[:12])

    @cached_property
    def inline(self) -> tuple[Post, ...]:
        return self.others[:2] if self._has("inline") else ()

    @cached_property
    def author_box(self) -> tuple[str, ...]:
        name = self.post.printed_author
        lines = (
            f"About {name}",
            f"{name} has covered {self.post.town} and its neighbours since the old paper closed.",
        )
        return lines if self._has("author_box") else ()

    @cached_property
    def whatsapp(self) -> tuple[str, ...]:
        lines = (
            "social media2",
            "Never miss another Breaking story again",
            self.promo,
            "It is free, you can leave whenever you like, and nobody else in the group can see your number.",
            "We also treat our members to special offers and promotions from partners.",
            "Click here to join our WhatsApp community.",
        )
        return lines if self._has("whatsapp") else ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Every line of furniture inside the element that holds the story."""
        alone = (self.stray, self.town_line, self.cut_teaser, self.teaser.headline if self.teaser else None)
        boxes = (
            self.donation, self.podcast, self.newsletter, self.poll, self.so_far, self.notes, self.grid,
            self.author_box, self.whatsapp,
        )  # fmt: skip
        found: list[str] = [line for line in alone if line]
        for box in boxes:
            found += box
        found += [other.headline for other in self.inline]
        return (*found, *(line.shown for insert in self.post.inserts for line in insert.lines))


def furniture(post: Post, others: Sequence[Post], promo: str) -> Furniture:
    return Furniture(post, tuple(others), promo)
