"""What the site lists against what the archive holds: every missing story with its reason, day by day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_moment
from uknip_crawler.models import Outcome
from uknip_crawler.times import LONDON
from uknip_crawler.urls import address_date

UNKNOWN = "unknown"
FORBIDDEN = frozenset({Outcome.ROBOTS_DENIED, Outcome.TRAP, Outcome.BLOCKED_HOST, Outcome.BLOCKED_URL})
"""Outcomes of addresses that another visit may not change: we do not ask for them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A story that the site lists and the archive does not hold. `reason` is one line for people."""

    url: str
    reason: str
    outcome: str | None
    listed_by: str
    day: str

    @property
    def can_be_fetched(self) -> bool:
        return self.outcome not in FORBIDDEN


@dataclass(frozen=True, slots=True)
class Day:
    """Stories of one London day and one section: how many the site lists, and how many of those are held."""

    day: str
    section: str
    expected: int
    held: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """`listed` stories named by the site's lists, `held` of them archived; `unlisted` are archived though live and on
    no list, `gone` those that the site has given up. `lists` are the lists as last read."""

    listed: int
    held: int
    unlisted: int
    gone: int
    lists: list[dict[str, Any]]
    missing: list[Missing] = field(default_factory=list)
    calendar: list[Day] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def coverage(db: Database) -> Coverage:
    """Reconcile the site's lists, as last read, with the archive.

    A story counts once, by WordPress's number where it is known. REST and sitemaps vouch for what they list; feed
    and archive pages only where neither has ever been read whole.
    """
    stories = _listed(db)
    missing, days = [], Counter[tuple[str, str]]()
    held_days = Counter[tuple[str, str]]()
    for story in stories:
        days[story.day, story.section] += 1
        held_days[story.day, story.section] += story.is_held
        if not story.is_held:
            missing.append(Missing(story.url, _reason(story), story.outcome, story.listed_by, story.day))
    held_ids = {story.article_id for story in stories if story.is_held}
    live = {row[0] for row in db.execute("SELECT id FROM articles WHERE status = 'live'")}
    return Coverage(
        listed=len(stories),
        held=len(stories) - len(missing),
        unlisted=len(live - held_ids),
        gone=db.execute("SELECT count(*) FROM articles WHERE status = 'gone'").fetchone()[0],
        lists=_lists(db),
        missing=sorted(missing, key=lambda one: (one.day, one.url)),
        calendar=[Day(*key, days[key], held_days[key]) for key in sorted(days)],
    )


@dataclass(frozen=True, slots=True)
class _Story:
    url: str
    listed_by: str
    article_id: int | None
    outcome: str | None
    visited_at: str | None
    detail: str | None
    day: str
    section: str

    @property
    def is_held(self) -> bool:
        return self.article_id is not None


def _listed(db: Database) -> list[_Story]:
    """Return every story the site lists, once each; of several addresses the one that is held."""
    whole = "SELECT 1 FROM sources WHERE kind IN ('rest', 'sitemap') AND last_complete_at IS NOT NULL"
    rows = db.execute(
        f"""
        SELECT f.url, f.post_id, coalesce(f.listed_on, f.found_by), f.last_outcome, f.last_fetched_at, f.listed_said,
            a.id, a.published_at, a.section,
            (SELECT detail FROM fetches WHERE fetches.url = f.url ORDER BY id DESC LIMIT 1)
        FROM frontier AS f
        LEFT JOIN articles AS a ON a.id = coalesce(
            (SELECT id FROM articles WHERE url = f.url), (SELECT article_id FROM aliases WHERE url = f.url))
        WHERE f.listed_on IS NOT NULL
            OR (f.kind = 'article' AND f.found_by IN ('feed', 'listing') AND NOT EXISTS ({whole}))
        ORDER BY a.id IS NULL, f.url
        """
    )
    stories: dict[Any, _Story] = {}
    for url, post_id, listed_by, outcome, visited, said, article_id, published, section, detail in rows:
        key = ("post", post_id) if post_id is not None else ("story", article_id or url)
        day = _day(published) or _day(_said(said)) or _day_of(url)
        story = _Story(
            url, listed_by, article_id, outcome, visited, detail, day or UNKNOWN, section or UNKNOWN
        )
        stories.setdefault(key, story)
    return list(stories.values())


def _said(listed_said: str | None) -> str | None:
    """Return the publication that REST, else the feed, tells."""
    said = json.loads(listed_said) if listed_said else {}
    for source in ("rest", "feed"):
        for name, _, value in said.get(source, []):
            if name == "published_at" and value:
                return str(value)
    return None


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    moment = as_moment(text)
    day = moment.astimezone(LONDON).date() if isinstance(moment, datetime) else moment
    return day.isoformat()


def _day_of(url: str) -> str | None:
    try:
        found = address_date(url)
        return date(*found).isoformat() if found else None
    except ValueError:
        return None


def _reason(story: _Story) -> str:
    if story.outcome is None:
        return "never visited"
    when = f" on {story.visited_at[:10]}" if story.visited_at else ""
    return f"{story.outcome}{when}" + (f": {story.detail}" if story.detail else "")


def _lists(db: Database) -> list[dict[str, Any]]:
    names = ("kind", "url", "status", "listed", "last_read_at", "last_complete_at", "last_asked_at", "detail")
    rows: Iterator[tuple[Any, ...]] = db.execute(
        f"SELECT {', '.join(names)} FROM sources WHERE kind <> 'robots' AND listed > 0 ORDER BY kind, url"
    )
    return [dict(zip(names, row, strict=True)) for row in rows]
