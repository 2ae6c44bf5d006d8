"""A post of the sample newsroom: what its pages must be read as, its address and its layout."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from uknip_crawler.models import Block, BlockKind, Image
from uknip_crawler.times import LONDON

HOUSE_ACCOUNT = "uknip247"
_BODY_KINDS = (BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.QUOTE)


class Status(StrEnum):
    """Where a post is in its life; only `publish` is ever served."""

    PUBLISH = "publish"
    DRAFT = "draft"
    TRASH = "trash"
    DELETED = "deleted"


class Era(NamedTuple):
    """A stretch of the site's history: the share of stories it ends at, its address scheme and its layout."""

    until: float
    scheme: str
    layout: str


ERAS = (
    Era(0.05, "A", "plain"),
    Era(0.14, "B", "plain"),
    Era(0.24, "C", "classic"),
    Era(0.36, "C", "newspaper"),
    Era(0.40, "D", "newspaper"),
    Era(0.49, "E", "jnews"),
    Era(0.53, "F", "jnews"),
    Era(0.64, "G", "soledad"),
    Era(0.75, "G", "builder"),
    Era(0.84, "G", "block"),
    Era(0.92, "G", "modern"),
    Era(1.01, "G", "regional"),
)
CREDITED_BELOW = ("newspaper", "builder", "block")
"""Layouts that print no caption under the lead picture, and so may credit it in the story's last line."""
REBUILT = Era(1.01, "G", "rebuilt")
"""What the site becomes when it is redesigned."""


def only(eras: Sequence[Era], layouts: Collection[str]) -> tuple[Era, ...]:
    """Return the eras of some layouts, stretched to fill the site's whole history in the same proportions.

    Raises ValueError when a layout has no era.
    """
    if unknown := set(layouts) - {era.layout for era in eras}:
        raise ValueError(f"no era with layout {', '.join(sorted(unknown))}")
    spans = [
        (era, era.until - before)
        for era, before in zip(eras, (0.0, *(era.until for era in eras)), strict=False)
        if era.layout in layouts
    ]
    whole, chosen, until = sum(span for _, span in spans), list[Era](), 0.0
    for era, span in spans:
        until += span / whole
        chosen.append(era._replace(until=until))
    chosen[-1] = chosen[-1]._replace(until=1.01)  # beyond one: sums of fractions fall short of it
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class InsertedLine:
    """A paragraph of furniture: a word before it, its text, where the text leads, and the tag it is set in."""

    text: str
    label: str = ""
    path: str | None = None
    tag: str = ""

    @property
    def shown(self) -> str:
        return f"{self.label} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Insert:
    """Furniture that is stored with a post, after `slot` of its blocks but never within a list."""

    slot: int
    kind: str
    lines: tuple[InsertedLine, ...]


class Setting(NamedTuple):
    """How a story was put into its post: the tag of its paragraphs, the boxes around them (`columns`, `media`) and the
    prefix of a page builder's classes, and whether headings are bold paragraphs."""

    tag: str = "p"
    boxes: str = ""
    builder: str = ""
    bold_headings: bool = False


PLAINLY = Setting()


@dataclass(frozen=True, slots=True)
class Post:
    """One story and the truth about it. Instants are aware UTC; `path` and picture addresses are site-relative.

    `blocks` is the running story without the lead picture. `printed_author` is the byline on the page, which
    may be the house account; `authors` names people only. `unstructured` layouts tell headline, day of
    publication, pictures and body, and nothing else. `copy_of` is the post that this one repeats. `inserts` stand
    in the post and are no part of the story.
    """

    post_id: int
    slug: str
    scheme: str
    layout: str
    headline: str
    kicker: str | None
    standfirst: str | None
    section: str
    tags: tuple[str, ...]
    printed_author: str
    published_at: datetime
    modified_at: datetime
    blocks: tuple[Block, ...]
    lead_image: Image | None
    town: str
    force: str
    status: Status = Status.PUBLISH
    copy_of: int | None = None
    inserts: tuple[Insert, ...] = ()
    setting: Setting = PLAINLY

    @property
    def authors(self) -> tuple[str, ...]:
        return () if self.printed_author == HOUSE_ACCOUNT else (self.printed_author,)

    @property
    def unstructured(self) -> bool:
        return self.layout == "plain"

    @property
    def section_slug(self) -> str:
        return slugify(self.section)

    @property
    def path(self) -> str:
        """The address below the host, in the scheme of the story's time; dates in it are London's."""
        day = self.published_at.astimezone(LONDON)
        match self.scheme:
            case "A":
                return f"/{day:%Y/%m/%d}/breaking/{self.slug}/"
            case "B":
                return f"/{day:%Y/%m/%d}/{self.slug}/"
            case "C":
                return f"/{self.section_slug}/news-{self.post_id}/{self.slug}/"
            case "D":
                return f"/blog/{day:%Y/%m/%d}/{self.slug}/"
            case "E":
                return f"/Breaking/News/breaking/{self.slug}/"
            case "F":
                return f"/News/breaking/{self.slug}/"
        return f"/news/uk/{self.section_slug}/{self.slug}" + ("" if self.post_id % 5 == 0 else "/")

    @property
    def images(self) -> tuple[Image, ...]:
        """Every picture once, lead image first."""
        lead = (self.lead_image,) if self.lead_image else ()
        return lead + tuple(block.image for block in self.blocks if block.image)

    @property
    def credit_line(self) -> str | None:
        """The last line of the story's page where that credits the lead picture; no part of the text."""
        lead = self.lead_image
        if self.layout not in CREDITED_BELOW or not lead or not lead.caption:
            return None
        return f"{lead.caption} credit {lead.credit}"

    @property
    def embeds(self) -> tuple[str, ...]:
        return tuple(block.url for block in self.blocks if block.kind is BlockKind.EMBED and block.url)

    @property
    def body(self) -> str:
        """The story as plain text: blocks parted by one blank line, list items led by `- `."""
        return "\n\n".join(
            ("- " if block.kind is BlockKind.LIST_ITEM else "") + block.text
            for block in self.blocks
            if block.kind in _BODY_KINDS
        )

    @property
    def content(self) -> tuple[Block | InsertedLine, ...]:
        """The blocks with the furniture among them, in the order of the page."""
        found: list[Block | InsertedLine] = []
        waiting = list(self.inserts)
        for place, block in enumerate(self.blocks):
            in_list = place and block.kind is self.blocks[place - 1].kind is BlockKind.LIST_ITEM
            while waiting and waiting[0].slot <= place and not in_list:
                found += waiting.pop(0).lines
            found.append(block)
        return (*found, *(line for insert in waiting for line in insert.lines))

    @property
    def opening(self) -> str:
        """The first paragraph, as teasers and descriptions quote it."""
        return next(block.text for block in self.blocks if block.kind is BlockKind.PARAGRAPH)


def slugify(text: str) -> str:
    """Return text as WordPress makes slugs of it: ASCII, hyphens, cut at 190 characters even in mid-word."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "-")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:190].strip("-")


def title_case(text: str) -> str:
    """Return text with each word's first letter raised, the form in which stock pictures get their alt text."""
    return re.sub(r"(?<![\w’])[a-z]", lambda match: match[0].upper(), text)
