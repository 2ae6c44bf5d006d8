"""What the site's lists name, as the frontier remembers it: which stories, and which no longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlite_utils import Database

from uknip_crawler.archive.database import as_precise_text, as_text
from uknip_crawler.archive.frontier import Candidate

_MOVED = """EXISTS (SELECT 1 FROM frontier AS new WHERE new.post_id = frontier.post_id
                    AND new.listed_on IS NOT NULL AND new.listed_at >= :before)"""
"""The post is listed at another address since."""


class Listings:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def redated(self, candidates: Iterable[Candidate]) -> tuple[int, list[str]]:
        """Return how many of these addresses were visited before, and which of those a source now dates later."""
        known, redated = 0, []
        for candidate in candidates:
            row = self._db.conn.execute(
                "SELECT coalesce(? > coalesce(listed_modified_at, last_fetched_at, ''), 0) FROM frontier "
                "WHERE url = ? AND last_fetched_at IS NOT NULL",
                (as_text(candidate.modified_at), candidate.url),
            ).fetchone()
            known += row is not None
            redated += [candidate.url] if row and row[0] else []
        return known, redated

    def unlisted(self) -> Iterator[tuple[str, str]]:
        """Yield (address, last outcome) of the pages visited that no list names and whose form promises no story."""
        yield from self._db.conn.execute(
            "SELECT url, last_outcome FROM frontier WHERE listed_on IS NULL AND last_outcome IS NOT NULL "
            "AND (kind <> 'article' OR instr(url, '?'))"
        )

    def count_posts(self) -> int:
        """Return how many WordPress posts any source vouches for; one that moved counts once."""
        row = self._db.conn.execute(
            "SELECT count(DISTINCT post_id) FROM frontier WHERE listed_on IS NOT NULL"
        )
        return int(row.fetchone()[0])

    def posts(self) -> list[int]:
        """Return the numbers of those posts."""
        rows = self._db.conn.execute(
            "SELECT DISTINCT post_id FROM frontier WHERE listed_on IS NOT NULL AND post_id IS NOT NULL"
        )
        return [row[0] for row in rows]

    def retract_posts(self, post_ids: Iterable[int], *, due_at: datetime) -> list[str]:
        """Take back the sources' word for some WordPress posts; return their addresses, now due for a look."""
        urls = []
        for post_id in post_ids:
            rows = self._db.conn.execute(
                "UPDATE frontier SET due_at = ?, listed_on = NULL, reason = 'unlisted' "
                "WHERE post_id = ? AND listed_on IS NOT NULL RETURNING url",
                (as_precise_text(due_at), post_id),
            ).fetchall()
            urls += [row[0] for row in rows]
        return urls

    def no_longer_listed(self, listed_on: str | None, *, before: datetime) -> tuple[int, int]:
        """Return how many stories a source (None: all of them) lists no longer, and of how many it listed.

        An address that its post has left for another listed one is not counted as lost, and of the others as many
        less as the list names for the first time: a site that moves all its stories loses none.
        """
        row = self._db.conn.execute(
            f"SELECT coalesce(sum(listed_at < :before AND NOT {_MOVED}), 0), count(*), "
            "coalesce(sum(first_seen_at >= :before), 0) FROM frontier "
            f"WHERE listed_on {'= :listed_on' if listed_on else 'IS NOT NULL'}",
            {"listed_on": listed_on, "before": as_precise_text(before)},
        ).fetchone()
        lost, listed, fresh = map(int, row)
        return max(0, lost - fresh), listed - fresh

    def retract(self, listed_on: str | None, *, before: datetime, due_at: datetime) -> list[str]:
        """Take back a source's word for what it no longer lists; return the addresses that are due for a look.

        None stands for all sources: then one that lists every story has been read. What was listed last before
        `before` becomes due for a look, unless the same WordPress post is now listed at another address: then
        the post has moved and its new address will say so.
        """
        rows = self._db.conn.execute(
            f"""
            UPDATE frontier SET due_at = CASE WHEN {_MOVED} THEN NULL ELSE :due_at END, listed_on = NULL,
                reason = 'unlisted'
            WHERE listed_on {"= :listed_on" if listed_on else "IS NOT NULL"} AND listed_at < :before
            RETURNING url, due_at
            """,
            {"listed_on": listed_on, "before": as_precise_text(before), "due_at": as_precise_text(due_at)},
        ).fetchall()
        return [url for url, due in rows if due is not None]
