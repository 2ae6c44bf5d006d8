"""What is known of the site's own lists: REST, sitemaps, feed. One row a document, with what makes the next read cheap."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text

Status = Literal["complete", "partial", "unchanged", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class Source:
    """One document that lists stories. `cursor` is how far its last complete read came, in its own words.

    It was last asked for at `last_asked_at`; if it could not be read then, `last_read_at` is earlier, or None.
    """

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
    last_asked_at: str | None = None


_COLUMNS = ", ".join(field.name for field in fields(Source))


class Sources:
    """`save` runs inside the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, url: str, kind: str) -> Source:
        """Return what is known of a source; a blank one when it was never read."""
        row = self._db.conn.execute(f"SELECT {_COLUMNS} FROM sources WHERE url = ?", (url,)).fetchone()
        return Source(*row) if row else Source(url, kind)

    def working(self, kind: str) -> Source | None:
        """Return the list of a kind that was last read whole, or None when none ever was."""
        row = self._db.conn.execute(
            f"SELECT {_COLUMNS} FROM sources WHERE kind = ? AND last_complete_at IS NOT NULL "
            "ORDER BY last_read_at DESC, last_complete_at DESC, url LIMIT 1",
            (kind,),
        ).fetchone()
        return Source(*row) if row else None

    def save(self, source: Source, status: Status, *, at: datetime, detail: str | None = None) -> Source:
        """Store a source as asked for now; return it as stored. One that failed or is absent was not read."""
        now = as_text(at)
        is_read = status in ("complete", "partial", "unchanged")
        saved = replace(
            source,
            status=status,
            detail=detail,
            last_asked_at=now,
            last_read_at=now if is_read else source.last_read_at,
            last_complete_at=now if status == "complete" else source.last_complete_at,
        )
        self._db.table("sources").upsert(asdict(saved), pk="url")
        return saved


def told(
    kind: str, status: str, listed: int, read_at: str | None, asked_at: str | None, detail: str | None
) -> str:
    """Return what is known of a list in one line for people; one that failed was asked for, and not read."""
    said = f"{kind}: {listed:,} listed, read {read_at}" if read_at else f"{kind}: never read"
    if status in ("failed", "absent"):
        return f"{said}; {status} when asked {asked_at}" + (f" ({detail})" if detail else "")
    return said if status in ("complete", "unchanged") else f"{said}, {status}"
