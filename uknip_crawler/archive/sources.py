"""What is known of the site's own lists: REST, sitemaps, feed. One row a document, with what makes the next read cheap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text

Status = Literal["complete", "partial", "unchanged", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class Source:
    """One document that lists stories. `cursor` is how far its last complete read came, in its own words."""

    url: str
    kind: str
    status: str = "never read"
    listed: int = 0
    cursor: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    last_read_at: str | None = None
    last_complete_at: str | None = None
    detail: str | None = None


class Sources:
    """`save` runs inside the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, url: str, kind: str) -> Source:
        """Return what is known of a source; a blank one when it was never read."""
        row = self._db.conn.execute(
            "SELECT url, kind, status, listed, cursor, etag, last_modified, last_read_at, last_complete_at, detail "
            "FROM sources WHERE url = ?",
            (url,),
        ).fetchone()
        return Source(*row) if row else Source(url, kind)

    def save(self, source: Source, status: Status, *, at: datetime, detail: str | None = None) -> Source:
        """Store a source as read now; return it as stored."""
        now = as_text(at)
        saved = replace(
            source,
            status=status,
            detail=detail,
            last_read_at=now,
            last_complete_at=now if status == "complete" else source.last_complete_at,
        )
        self._db.table("sources").upsert({name: getattr(saved, name) for name in Source.__slots__}, pk="url")
        return saved
