"""Near-duplicates on disk: fingerprints of texts, the bands they are found by, pairs of copies, and their groups."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from sqlite_utils import Database

CROWD = 50
"""Stories that a band may hold. What more of them share is a template, and tells nothing of any two."""

_BODY = "SELECT headline, body, content_sha256 FROM articles WHERE id = ? AND status != 'redacted'"
_ORDER = "coalesce({0}.published_at, '~'), {0}.url"  # '~' stands behind every date


class Duplicates:
    """All methods run inside the caller's transaction, except those that only read.

    `regroup` must follow `link`, `unlink` and `remove` in the same transaction: it brings `duplicate_of` up to date.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._touched: set[int] = set()

    # What is to be compared

    def pending(self) -> list[int]:
        """Return the stories whose text is not the one last compared, and those redacted since, in order of id."""
        rows = self._db.conn.execute(
            "SELECT id FROM articles WHERE status != 'redacted' AND id IN (SELECT a.id FROM articles AS a "
            "LEFT JOIN fingerprints AS f ON f.article_id = a.id WHERE f.content_sha256 IS NOT a.content_sha256) UNION "
            "SELECT id FROM articles JOIN fingerprints ON article_id = id WHERE status = 'redacted' ORDER BY 1"
        )
        return [row[0] for row in rows]

    def text(self, article_id: int) -> tuple[str, str, str] | None:
        """Return a story's headline, body and their digest; None when it is redacted."""
        row: tuple[str, str, str] | None = self._db.conn.execute(_BODY, (article_id,)).fetchone()
        return row

    def fingerprint(self, article_id: int) -> tuple[str, bytes] | None:
        """Return the digest and the signature of the text last compared; None when there was none."""
        row: tuple[str, bytes] | None = self._db.conn.execute(
            "SELECT content_sha256, signature FROM fingerprints WHERE article_id = ?", (article_id,)
        ).fetchone()
        return row

    # Fingerprints and bands

    def place(
        self, article_id: int, content_sha256: str, signature: bytes, bands: Iterable[int]
    ) -> tuple[set[int], list[list[int]]]:
        """Put a story into its bands; return those it may be a copy of, and the stories of bands now crowded."""
        candidates: set[int] = set()
        crowds = []
        execute = self._db.conn.execute
        execute("INSERT INTO fingerprints VALUES (?, ?, ?)", (article_id, content_sha256, signature))
        for band in bands:
            members = self.members(band)
            if len(members) < CROWD:
                candidates.update(members)
            elif len(members) == CROWD:
                crowds.append([*members, article_id])
            execute("INSERT OR IGNORE INTO fingerprint_bands VALUES (?, ?)", (band, article_id))
        return candidates - {article_id}, crowds

    def remove(self, article_id: int, bands: Iterable[int]) -> list[list[int]]:
        """Take a story's fingerprint and pairs away; return the stories of bands that are crowded no longer."""
        freed = []
        execute = self._db.conn.execute
        for band in bands:
            was_crowded = len(self.members(band)) > CROWD
            execute("DELETE FROM fingerprint_bands WHERE band = ? AND article_id = ?", (band, article_id))
            members = self.members(band) if was_crowded else []
            if was_crowded and len(members) == CROWD:
                freed.append(members)
        execute("DELETE FROM fingerprints WHERE article_id = ?", (article_id,))
        for other in self._neighbours(article_id):
            self.unlink(article_id, other)
        self._touched.add(article_id)
        return freed

    def members(self, band: int) -> list[int]:
        """Return the stories of a band, at most one more than make a crowd."""
        rows = self._db.conn.execute(
            "SELECT article_id FROM fingerprint_bands WHERE band = ? LIMIT ?", (band, CROWD + 1)
        )
        return [row[0] for row in rows]

    # Pairs

    def link(self, one: int, other: int, similarity: float, shared: Sequence[str]) -> None:
        """Record two stories as copies of one another."""
        first, second = sorted((one, other))
        self._db.conn.execute(
            "INSERT OR REPLACE INTO near_duplicates VALUES (?, ?, ?, ?)",
            (first, second, similarity, json.dumps(shared, ensure_ascii=False)),
        )
        self._touched |= {one, other}

    def unlink(self, one: int, other: int) -> None:
        first, second = sorted((one, other))
        self._db.conn.execute(
            "DELETE FROM near_duplicates WHERE article_id = ? AND other_id = ?", (first, second)
        )
        self._touched |= {one, other}

    def pairs_among(self, members: Sequence[int]) -> list[tuple[int, int]]:
        """Return the pairs of copies among some stories whose texts differ."""
        marks = ", ".join("?" * len(members))
        return self._db.conn.execute(
            f"SELECT n.article_id, other_id FROM near_duplicates AS n JOIN fingerprints AS f USING (article_id) "
            f"JOIN fingerprints AS g ON g.article_id = other_id AND g.content_sha256 != f.content_sha256 "
            f"WHERE n.article_id IN ({marks}) AND other_id IN ({marks})",
            (*members, *members),
        ).fetchall()

    def twins(self, content_sha256: str) -> tuple[list[int], set[tuple[int, int]]]:
        """Return the compared stories of one text, the first of them first, and the pairs recorded among them."""
        rows = self._db.conn.execute(
            "SELECT id FROM articles AS a JOIN fingerprints AS f ON f.article_id = a.id "
            f"WHERE f.content_sha256 = :text AND a.content_sha256 = :text ORDER BY {_ORDER.format('a')}",
            {"text": content_sha256},
        ).fetchall()
        ids = [row[0] for row in rows]
        held = set(ids)
        pairs = {
            (min(one, other), max(one, other))
            for one in ids
            for other in self._neighbours(one)
            if other in held
        }
        return ids, pairs

    def _neighbours(self, article_id: int) -> list[int]:
        rows = self._db.conn.execute(
            "SELECT other_id FROM near_duplicates WHERE article_id = :id UNION ALL "
            "SELECT article_id FROM near_duplicates WHERE other_id = :id",
            {"id": article_id},
        )
        return [row[0] for row in rows]

    # Groups

    def out_of_order(self) -> tuple[list[int], list[str]]:
        """Return stories older than the first of their group, since dates and addresses change; and texts that more than
        two stories have."""
        rows = self._db.conn.execute(
            "SELECT c.id FROM articles AS c JOIN articles AS f ON f.id = c.duplicate_of "
            f"WHERE ({_ORDER.format('c')}) < ({_ORDER.format('f')})"
        ).fetchall()
        texts = self._db.conn.execute(
            "SELECT content_sha256 FROM articles GROUP BY content_sha256 HAVING count(*) > 2"
        ).fetchall()
        return [row[0] for row in rows], [row[0] for row in texts]

    def regroup(self, more: Collection[int] = ()) -> None:
        """Point every story in the groups that have changed, or hold one of these, at the first of its group."""
        waiting = {*self._touched, *more}
        self._touched.clear()
        while waiting:
            group = self._group(waiting.pop())
            waiting -= group.keys()
            first = min(group, key=lambda one: group[one])
            for article_id in group:
                self._db.conn.execute(
                    "UPDATE articles SET duplicate_of = :first WHERE id = :id AND duplicate_of IS NOT :first",
                    {"first": None if article_id == first else first, "id": article_id},
                )

    def _group(self, article_id: int) -> dict[int, tuple[str, str]]:
        """Return the stories that pairs connect with this one, and what orders them."""
        order = f"SELECT {_ORDER.format('articles')} FROM articles WHERE id = ?"
        group: dict[int, tuple[str, str]] = {}
        waiting = [article_id]
        while waiting:
            one = waiting.pop()
            if one not in group:
                group[one] = self._db.conn.execute(order, (one,)).fetchone()
                waiting += self._neighbours(one)
        return group
