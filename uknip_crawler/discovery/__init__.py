"""Discovery: what the site itself lists, read from REST, sitemaps, feeds, robots.txt and listing pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from urllib.parse import urljoin

from uknip_crawler.errors import UknipError
from uknip_crawler.models import Finding
from uknip_crawler.times import utc_text

_LONGEST = 500  # characters of what a source says of one field


@dataclass(frozen=True, slots=True)
class Content:
    """A story's own content as REST or the feed hands it out: HTML, its address, number and last change if told."""

    url: str
    post_id: int | None
    html: str
    modified_at: datetime | None


class SourceUnusable(UknipError):
    """A source answered something that cannot be read as what it should be."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One address that a source names: absolute, else as printed.

    Instants are aware UTC; None when the source is silent or prints junk. They are the source's word:
    whether one lies in the future is for the caller to judge. `post_id` is WordPress's number of the story,
    `said` what the source says of it in its own words: two entries that differ only there are equal.
    """

    url: str
    post_id: int | None = None
    modified_at: datetime | None = None
    published_at: datetime | None = None
    said: tuple[Finding, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """What one document of a source names, in its order.

    `complete` is False when the document was cut short. `total` and `pages` are what the source says it
    holds altogether, where it says so.
    """

    entries: tuple[Listed, ...]
    complete: bool
    total: int | None = None
    pages: int | None = None


def instant_said(name: str, source: str, raw: str | None, instant: datetime | None) -> tuple[Finding, ...]:
    """Return what a source says of a date: its text, and the instant it was read as in UTC."""
    printed = _plain(raw or "")
    value = utc_text(instant) if instant else None
    return (Finding(name, source, printed, value),) if printed else ()


def text_said(name: str, source: str, raw: str | None) -> tuple[Finding, ...]:
    """Return what a source says in words, as sent and without markup."""
    printed = _plain(raw or "")
    value = _plain(re.sub(r"<[^<>]{1,200}>", "", unescape(unescape(printed))))
    return (Finding(name, source, printed, value or None),) if printed else ()


def _plain(text: str) -> str:
    """Return one line that any database takes: no controls, no halves of characters."""
    line = " ".join(text.split())[:_LONGEST]
    return "".join(character for character in line if character.isprintable())


def absolute(address: str | None, base: str) -> str | None:
    """Return an address resolved against its document, or None when there is none.

    What cannot be resolved stays as printed, so that its refusal can be recorded.
    """
    printed = (address or "").strip()
    try:
        return urljoin(base, printed) if printed else None
    except ValueError:
        return printed
