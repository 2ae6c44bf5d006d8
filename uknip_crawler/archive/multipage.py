"""Stories in pages: the addresses of their parts, when to ask for them, and which of them are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.database import as_precise_text
from uknip_crawler.models import Article
from uknip_crawler.urls import is_same_address, part_of

PART = "part"
"""The kind of the ledger rows whose capture shows a further page of a story."""
_MISSING = "missing_parts"
"""What the ledger says of a visit to the first page of a story that could not be had whole."""
_PRIORITY = 30
"""Before everything else: the parts of one story are captured close together."""


class Named(NamedTuple):
    """A further page as the frontier knows it: which part of which story."""

    number: int
    article_id: int


class Pages:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def at(self, url: str) -> Named | None:
        """Return which part of which story an address is, or None where nobody says that it is one."""
        row = self._db.conn.execute(
            "SELECT part, article_id FROM frontier WHERE url = ? AND part IS NOT NULL AND article_id IS NOT NULL",
            (url,),
        ).fetchone()
        return Named(*row) if row else None

    def name(
        self, article_id: int, parts: Mapping[int, str], *, found_on: str, at: datetime, due_at: datetime
    ) -> None:
        """Record the addresses of a story's parts by number, each due at once unless it was visited before
        (and was there, or is due again)."""
        self._db.conn.executemany(
            """
            INSERT INTO frontier (url, kind, found_by, found_on, first_seen_at, due_at, priority, reason, part, article_id)
            VALUES (?, 'unknown', 'part', ?, ?, ?, ?, 'new', ?, ?)
            ON CONFLICT (url) DO UPDATE SET part = excluded.part, article_id = excluded.article_id,
                (priority, due_at) = (SELECT CASE WHEN is_wanted THEN excluded.priority ELSE frontier.priority END,
                    CASE WHEN is_wanted THEN excluded.due_at ELSE frontier.due_at END FROM (SELECT
                    last_fetched_at IS NULL OR (frontier.due_at IS NULL AND last_outcome = 'gone') AS is_wanted))
            WHERE listed_on IS NULL AND url NOT IN (SELECT url FROM articles)
                AND (part IS NOT excluded.part OR article_id IS NOT excluded.article_id
                    OR (frontier.due_at IS NULL AND last_outcome = 'gone'))
            """,
            [
                (url, found_on, as_precise_text(at), as_precise_text(due_at), _PRIORITY, number, article_id)
                for number, url in parts.items()
            ],
        )

    def make_due(
        self, article_id: int, run_id: int, *, but_for: Sequence[str] = (), due_at: datetime
    ) -> None:
        """Have a story's parts looked at again that a run has not visited yet, except for some addresses."""
        self._db.conn.execute(
            "UPDATE frontier SET due_at = ?, reason = 'changed', priority = ? WHERE article_id = ? AND part IS NOT NULL "
            f"AND url NOT IN ({', '.join('?' * len(but_for))}) "
            "AND NOT EXISTS (SELECT 1 FROM fetches WHERE run_id = ? AND fetches.url = frontier.url)",
            (as_precise_text(due_at), _PRIORITY, article_id, *but_for, run_id),
        )

    def named_on(self, article_id: int, url: str) -> list[str]:
        """Return the addresses of the parts that were found on a page."""
        rows = self._db.conn.execute(
            "SELECT url FROM frontier WHERE article_id = ? AND part IS NOT NULL AND found_on = ?",
            (article_id, url),
        )
        return [row[0] for row in rows]

    def strays(self, article_id: int, first: str, post_id: int | None) -> list[tuple[int, str]]:
        """Return (number, address) of stories that have WordPress's number of this one and the address of a part of it."""
        rows = self._db.conn.execute(
            "SELECT url FROM articles WHERE post_id = ? AND id <> ? AND status <> 'redacted'",
            (post_id, article_id),
        ).fetchall()
        parts = [(part, url) for (url,) in rows if (part := part_of(url)) is not None]
        return [(part[1], url) for part, url in parts if is_same_address(part[0], first)]

    def not_there(self, article_id: int) -> frozenset[int]:
        """Return the parts whose addresses led back to the story when they were last asked for."""
        rows = self._db.conn.execute(
            "SELECT part FROM frontier WHERE article_id = ? AND part IS NOT NULL AND EXISTS (SELECT 1 FROM fetches "
            "WHERE fetches.url = frontier.url AND redirected_to IS NOT NULL AND outcome = 'alias' "
            "AND fetches.article_id = frontier.article_id)",
            (article_id,),
        )
        return frozenset(row[0] for row in rows)

    def settle(self, article_id: int, story: Article, fetch_id: int) -> None:
        """Ask no more for what stands behind a story's last part, and have the visit of its first page say what is
        missing."""
        execute = self._db.conn.execute
        execute(
            "UPDATE frontier SET due_at = NULL WHERE article_id = ? AND part > ? AND due_at IS NOT NULL",
            (article_id, story.parts),
        )
        (detail,) = execute("SELECT detail FROM fetches WHERE id = ?", (fetch_id,)).fetchone()
        flags = [flag for flag in (detail or "").split(", ") if flag and not flag.startswith(_MISSING)]
        flags += [f"{_MISSING}: {' '.join(map(str, story.missing_parts))}"] if story.missing_parts else []
        said = ", ".join(flags) or None
        if said != detail:
            execute("UPDATE fetches SET detail = ? WHERE id = ?", (said, fetch_id))

    def is_part(self, fetch_id: int) -> None:
        """Record that a visit's capture shows a further page; an AMP or print form stays one."""
        self._db.conn.execute(
            "UPDATE fetches SET kind = ? WHERE id = ? AND kind <> 'variant'", (PART, fetch_id)
        )

    def are_part(self, article_id: int, url: str) -> None:
        """Record the same of all visits of an address that passed for a story's own."""
        self._db.conn.execute(
            "UPDATE fetches SET kind = ? WHERE article_id = ? AND url = ? AND kind <> 'variant'",
            (PART, article_id, url),
        )
