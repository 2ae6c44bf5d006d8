"""What travels from the spider through the pipelines: one visit of one address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from uknip_crawler.archive.frontier import Due
from uknip_crawler.archive.ledger import Response
from uknip_crawler.models import Outcome, Reading


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect followed on the way: its open ledger row, its address, and the redirecting response, if one came."""

    fetch_id: int
    url: str
    response: Response | None


@dataclass(slots=True)
class Visit:
    """One claimed address, what it answered, and what became of it.

    The spider sets `outcome` where the answer alone decides (404, time-out, refused redirect); otherwise
    the extraction pipeline sets `reading` and the archive pipeline decides; `part` is which of its story's pages it
    turned out to be. `cookies` are what its redirects asked to be told again, and `is_remembered` that they were.
    """

    due: Due
    response: Response | None = None
    hops: tuple[Hop, ...] = ()
    outcome: Outcome | None = None
    detail: str | None = None
    reading: Reading | None = None
    part: int = 1
    origin_changes: int = 0
    attempts: int = 0
    cookies: dict[str, str] = field(default_factory=dict)
    is_remembered: bool = False


@dataclass(slots=True)
class CrawlRun:
    """The run every component works for. What it walks is known once the site's lists are read: `walks_listings` follows archive pages and their pagination.

    `walks_back` follows the pagination only as far as there are stories that were not known before the run.

    A run that is not `is_live` takes in captures of another time: they say nothing of the site as it is now.
    """

    id: int
    started_at: datetime
    clock: Callable[[], datetime]
    since: datetime | None = None
    walks_listings: bool = True
    walks_back: bool = False
    is_live: bool = True
