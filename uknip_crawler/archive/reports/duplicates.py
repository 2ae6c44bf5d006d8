"""What to tell of near-duplicates: the groups of copies, and the copies of one story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.reports.runs import rows_of

_STORY = "url, headline, published_at, status"
_PAIRS = (
    "SELECT article_id AS one, other_id AS other, similarity, shared FROM near_duplicates WHERE article_id = :id "
    "UNION ALL SELECT other_id, article_id, similarity, shared FROM near_duplicates WHERE other_id = :id"
)


def groups(db: Database, article_id: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the groups of copies, or the one group that a story is in: `first` and `copies`, each with its address,
    headline, date and status.

    A copy also has `like`, the address of the story of its group it was found by (the first if it can be, else the one
    most alike), their `similarity` and the passages they `shared`; all None while it waits to be compared.
    """
    rows = db.execute(
        "SELECT id FROM articles WHERE status != 'redacted' AND id IN (SELECT duplicate_of FROM articles WHERE :id IS NULL "
        "UNION ALL SELECT coalesce(duplicate_of, id) FROM articles WHERE id = :id) ORDER BY published_at IS NULL, "
        "published_at, url",
        {"id": article_id},
    ).fetchall()
    for (first,) in rows:
        copies = db.execute(
            "SELECT id FROM articles WHERE duplicate_of = ? AND status != 'redacted' "
            "ORDER BY published_at IS NULL, published_at, url",
            (first,),
        ).fetchall()
        if copies:
            yield {"first": _story(db, first), "copies": [_copy(db, row[0], first) for row in copies]}


def copies_of(db: Database, article_id: int) -> list[dict[str, Any]]:
    """Return the stories found to be copies of one, most alike first: address, headline, `similarity` and `shared`."""
    pairs = db.execute(_PAIRS, {"id": article_id}).fetchall()
    found = [
        {**_story(db, other), "similarity": round(similarity, 4), "shared": json.loads(shared)}
        for _, other, similarity, shared in pairs
    ]
    return sorted(
        (one for one in found if one["status"] != "redacted"),
        key=lambda one: (-one["similarity"], one["url"]),
    )


def _story(db: Database, article_id: int) -> dict[str, Any]:
    return rows_of(db, f"SELECT {_STORY} FROM articles WHERE id = ?", article_id)[0]


def _copy(db: Database, article_id: int, first: int) -> dict[str, Any]:
    pairs = db.execute(_PAIRS, {"id": article_id}).fetchall()
    story = _story(db, article_id)
    if not pairs:
        return {**story, "like": None, "similarity": None, "shared": None}
    _, other, similarity, shared = min(pairs, key=lambda pair: (pair[1] != first, -pair[2]))
    like = _story(db, other)["url"]
    return {**story, "like": like, "similarity": round(similarity, 4), "shared": json.loads(shared)}
