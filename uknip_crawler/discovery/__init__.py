"""Discovery: what the site itself lists, read from REST, sitemaps, feeds, robots.txt and listing pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from uknip_crawler.errors import UknipError


class SourceUnusable(UknipError):
    """A source answered something that cannot be read as what it should be."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One address that a source names: absolute, else as printed.

    Instants are aware UTC; None when the source is silent or prints junk. They are the source's word:
    whether one lies in the future is for the caller to judge. `post_id` is WordPress's number of the story.
    """

    url: str
    post_id: int | None = None
    modified_at: datetime | None = None
    published_at: datetime | None = None


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


def absolute(address: str | None, base: str) -> str | None:
    """Return an address resolved against its document, or None when there is none.

    What cannot be resolved stays as printed, so that its refusal can be recorded.
    """
    printed = (address or "").strip()
    try:
        return urljoin(base, printed) if printed else None
    except ValueError:
        return printed
