"""The nouns every stage speaks: Capture, Reading, Article, Block, Image, and the ledger's outcomes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any


class Outcome(StrEnum):
    """How a scheduled URL ended. Every row of the ledger closes with exactly one of these."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REVISED = "revised"
    ALIAS = "alias"
    DUPLICATE = "duplicate"
    LISTED = "listed"  # a source or listing page whose addresses were taken
    GONE = "gone"
    NOT_ARTICLE = "not_article"
    SOFT_404 = "soft_404"
    PROTECTED = "protected"
    CHALLENGE = "challenge"
    INTERRUPTED = "interrupted"  # something stood in the story's place
    BLOCKED_HOST = "blocked_host"
    BLOCKED_URL = "blocked_url"
    ROBOTS_DENIED = "robots_denied"
    TRAP = "trap"
    REDACTED = "redacted"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    NETWORK_ERROR = "network_error"
    HTTP_ERROR = "http_error"
    PROTOCOL_ERROR = "protocol_error"
    SOURCE_FAILED = "source_failed"
    DATALOSS = "dataloss"
    BAD_ENCODING = "bad_encoding"
    REDIRECT_LOOP = "redirect_loop"
    REDIRECT_LIMIT = "redirect_limit"
    REFUSED = "refused"  # an image that is none, or breaks our limits
    EXTRACT_ERROR = "extract_error"
    EXTRACT_TIMEOUT = "extract_timeout"
    DEFERRED = "deferred"
    LOST = "lost"


FAILURES = frozenset(
    {
        Outcome.TOO_LARGE,
        Outcome.TIMEOUT,
        Outcome.NETWORK_ERROR,
        Outcome.HTTP_ERROR,
        Outcome.PROTOCOL_ERROR,
        Outcome.DATALOSS,
        Outcome.BAD_ENCODING,
        Outcome.REDIRECT_LOOP,
        Outcome.REDIRECT_LIMIT,
        Outcome.EXTRACT_ERROR,
        Outcome.EXTRACT_TIMEOUT,
        Outcome.CHALLENGE,
        Outcome.INTERRUPTED,
        Outcome.LOST,
    }
)
"""Outcomes after which a run is not green (exit status 3)."""


class _Record:
    """Travels between processes as its fields in their order: dataclasses' own way takes several times as long."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        kind: Any = type(self)
        return kind, _fields_of(kind)(self)


@cache
def _fields_of(kind: type) -> attrgetter[tuple[Any, ...]]:
    return attrgetter(*(field.name for field in fields(kind)))


@dataclass(frozen=True, slots=True)
class Capture(_Record):
    """One response as received: header values and body bytes untouched, still content-encoded. Each character of
    `headers` stands for one byte (Latin-1).

    `url` is the address asked for; `fetched_at` is aware UTC; `truncated` is a WARC-Truncated reason
    (WARC 1.1 §5.13) or None.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fetched_at: datetime
    truncated: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header as text, whatever its case, or None: UTF-8 where its bytes are."""
        wanted = name.lower()
        value = next((value for key, value in self.headers if key.lower() == wanted), None)
        try:
            return value and value.encode("latin-1").decode()
        except UnicodeError:
            return value

    @property
    def payload_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class BlockKind(StrEnum):
    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST_ITEM = "list_item"
    QUOTE = "quote"
    TABLE = "table"
    IMAGE = "image"
    EMBED = "embed"


TEXT_KINDS = frozenset(
    {BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.QUOTE, BlockKind.TABLE}
)
"""Kinds whose text is part of the body; captions, credits and embeds never are."""


@dataclass(frozen=True, slots=True)
class Image(_Record):
    """An image as the page shows it. `url` is absolute; the texts are as printed, or None."""

    url: str
    alt: str | None = None
    caption: str | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class Media(_Record):
    """What an image file is: its media type, and its pixels as stored: a turn noted in its EXIF data is not made."""

    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Block(_Record):
    """One piece of the story, in reading order.

    `level` (1-6) belongs to headings, `ordered` to list items, `url` to embeds, `image` to images.
    A table's `text` holds its rows on lines, cells separated by ` | `.
    """

    kind: BlockKind
    text: str = ""
    level: int | None = None
    ordered: bool | None = None
    url: str | None = None
    image: Image | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the block as `articles.blocks` keeps it: `kind` and whatever else is set."""
        record: dict[str, Any] = {"kind": self.kind.value}
        for name in ("text", "level", "ordered", "url"):
            value = getattr(self, name)
            if value not in (None, ""):
                record[name] = value
        if self.image:
            image = self.image
            record["image"] = {
                "url": image.url,
                "alt": image.alt,
                "caption": image.caption,
                "credit": image.credit,
            }
        return record


Moment = datetime | date
"""An aware UTC instant, or a bare day in London where the page prints no time of day."""


@dataclass(frozen=True, slots=True)
class Link(_Record):
    """An anchor of a page: absolute address and visible text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding(_Record):
    """What one place says about one field: `raw` as printed, `value` as read (ISO for dates), None if unreadable.

    `source` is `json-ld`, `meta`, `label`, `markup`, `address`, `feed`, `rest`, `alone` (a date without a label), or
    `news-id`: the day about which the number in the address was given out, where a date contradicts it.
    """

    field: str
    source: str
    raw: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Article(_Record):
    """A clean article as one capture shows it. Unknown is None, never a guess.

    `url` is the canonical address, `post_id` WordPress's number for the story. `sources` says where a field
    came from: field name → `json-ld`, `meta`, `label`, `address`, `markup`, `rest`, `feed`. `published_raw` and
    `modified_raw` keep the text a date was read from, also when it could not be read. `images` holds
    every image once, lead image first.
    `evidence` is everything the page says about a dated or disputed field, the finding that was taken first.
    `parts` is how many pages the story has on the site; the text of `missing_parts` (their numbers) is not in it.
    """

    url: str
    headline: str
    blocks: tuple[Block, ...]
    post_id: int | None = None
    kicker: str | None = None
    standfirst: str | None = None
    authors: tuple[str, ...] = ()
    section: str | None = None
    tags: tuple[str, ...] = ()
    published_at: Moment | None = None
    published_raw: str | None = None
    modified_at: Moment | None = None
    modified_raw: str | None = None
    language: str | None = None
    lead_image: Image | None = None
    images: tuple[Image, ...] = ()
    links: tuple[Link, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    evidence: tuple[Finding, ...] = ()
    parts: int = 1
    missing_parts: tuple[int, ...] = ()

    @property
    def body(self) -> str:
        """Plain text: blocks separated by one blank line, list items starting with `- `."""
        return "\n\n".join(
            f"- {block.text}" if block.kind is BlockKind.LIST_ITEM else block.text
            for block in self.blocks
            if block.kind in TEXT_KINDS and block.text
        )

    @property
    def word_count(self) -> int:
        """Words of the body, split at white space; the list marker is not a word."""
        return len(re.sub(r"(?m)^- ", "", self.body).split())

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()


def layout_name(skeleton: str) -> str:
    """Return the short name that the same markup always gets: `L` and six hexadecimal digits."""
    return "L" + hashlib.sha256(skeleton.encode()).hexdigest()[:6]


@dataclass(frozen=True, slots=True)
class Stripped(_Record):
    """A line taken out of a body as furniture, the rule that took it, where it stood in the layout, and of a learned
    rule on how many pages and in how many layouts it was seen."""

    text: str
    rule: str
    place: str = ""
    pages: int = 0
    layouts: int = 0


DOUBTFUL_BODY = "doubtful_body"
"""Flag of a reading that leaves out sentences which look like the story's own."""


@dataclass(frozen=True, slots=True)
class Paging(_Record):
    """What a page of a story in pages says of its place: its own `number`, from 1, and the address of the first page.

    `others` are (number, address) of the pages it names besides itself; `whole` shows all of them in one.
    """

    number: int
    first: str
    others: tuple[tuple[int, str], ...]
    whole: str | None = None

    @property
    def last(self) -> int:
        """The highest number it tells of."""
        return max(self.number, *(number for number, _ in self.others))


@dataclass(frozen=True, slots=True)
class Reading(_Record):
    """What one capture turned out to be.

    Exactly one of `article` and `outcome` is set: `outcome` (not_article, soft_404, protected, challenge,
    …) with `reason` says why there is no article. `links` are the addresses the page links to, for discovery;
    `next_page` is the following page of a listing. `flags` name doubts, such as `truncated_parse`.
    `skeleton` names the layout of a story's page, `version` the rules it was read by: the extractor's, and the
    digest of what was learned of the layout where it was used. `study` is what it shows of a layout that few pages are
    known of, packed, to learn from. `paging` is set on the page of a story in pages.
    """

    article: Article | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    is_listing: bool = False
    links: tuple[str, ...] = ()
    next_page: str | None = None
    furniture: tuple[Stripped, ...] = ()
    flags: tuple[str, ...] = ()
    skeleton: str | None = None
    version: str = ""
    study: bytes | None = None
    paging: Paging | None = None
