"""How our readings compare with the site's own content: a sample of stories, and what each audit found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text


class Sampled(NamedTuple):
    """A story to compare: WordPress's number for it, where one is known, and what we hold."""

    article_id: int
    url: str
    post_id: int | None
    body: str
    captured_at: str


class Compared(NamedTuple):
    """What the comparison of one story gave; shares are of words, 0 to 1."""

    article_id: int
    url: str
    precision: float
    recall: float
    is_exact: bool
    diff: str


class Totals(NamedTuple):
    """What became of a sample: compared, edited since our capture, not offered by the site."""

    sampled: int
    edited_since: int
    not_offered: int


class Audits:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def sample(self, size: int) -> list[Sampled]:
        """Return up to `size` live stories: the newest half, and others spread evenly over the whole archive."""
        columns = (
            "a.id, a.url, coalesce(a.post_id, (SELECT max(f.post_id) FROM frontier AS f WHERE f.article_id = a.id)), "
            "a.body, a.captured_at"
        )
        live = self._db.conn.execute(
            "SELECT id FROM articles WHERE status = 'live' ORDER BY published_at DESC, url"
        ).fetchall()
        ids = [row[0] for row in live]
        newest, rest = ids[: size - size // 2], ids[size - size // 2 :]
        others = size - len(newest)
        step = max(1.0, len(rest) / others) if others else 1.0
        spread = [rest[int(place * step)] for place in range(min(others, len(rest)))]
        marks = ",".join("?" * len(newest + spread))
        rows = self._db.conn.execute(
            f"SELECT {columns} FROM articles AS a WHERE a.id IN ({marks}) ORDER BY a.published_at DESC, a.url",
            newest + spread,
        )
        return [Sampled(*row) for row in rows]

    def save(
        self, run_id: int, source: str, stories: Sequence[Compared], totals: Totals, *, at: datetime
    ) -> int:
        """Record an audit with every story compared; return its number."""
        count = len(stories)
        means = [
            sum(values) / count if count else None
            for values in (
                [story.precision for story in stories],
                [story.recall for story in stories],
                [float(story.is_exact) for story in stories],
            )
        ]
        row = (
            run_id,
            as_text(at),
            source,
            totals.sampled,
            count,
            totals.edited_since,
            totals.not_offered,
            *means,
        )
        audit = self._db.conn.execute(
            "INSERT INTO audits (run_id, at, source, sampled, compared, edited_since, not_offered, precision, "
            "recall, exact_share) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid
        assert audit is not None
        self._db.conn.executemany(
            "INSERT INTO audit_stories VALUES (?, ?, ?, ?, ?, ?)",
            [(audit, s.article_id, s.precision, s.recall, int(s.is_exact), s.diff) for s in stories],
        )
        return audit
