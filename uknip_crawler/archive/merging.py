"""Two rows that turn out to be one story, because a capture from between them came in later: put together again."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from uknip_crawler.archive.articles import Articles
from uknip_crawler.urls import slug

_FOLLOWING = ("fetches", "frontier", "aliases", "events", "audit_stories")
"""Tables whose rows go over to the story that stays; others are told anew from its captures."""


def merge_split_stories(db: Database) -> int:
    """Put together the stories that share WordPress's number and, in any of their versions, text, headline or slug.

    The row whose capture is the newest stays; its versions are told anew when it is next read. Returns how many rows
    went. Runs inside the caller's transaction.
    """
    numbers = db.conn.execute(
        "SELECT post_id FROM articles WHERE post_id IS NOT NULL AND status <> 'redacted' "
        "GROUP BY post_id HAVING count(*) > 1"
    ).fetchall()
    merged = 0
    for (number,) in numbers:
        rows = db.conn.execute(
            "SELECT id FROM articles WHERE post_id = ? AND status <> 'redacted' ORDER BY captured_at DESC, id",
            (number,),
        ).fetchall()
        stay = [rows[0][0]]
        for (other,) in rows[1:]:
            same = next((one for one in stay if _are_one(db, one, other)), None)
            if same is None:
                stay.append(other)
                continue
            merge(db, same, other, why="post number")
            merged += 1
    return merged


def _are_one(db: Database, one: int, other: int) -> bool:
    shared = db.conn.execute(
        "SELECT 1 FROM revisions AS a JOIN revisions AS b ON a.content_sha256 = b.content_sha256 "
        "OR a.headline = b.headline COLLATE NOCASE WHERE a.article_id = ? AND b.article_id = ? LIMIT 1",
        (one, other),
    ).fetchone()
    return shared is not None or bool(_slugs(db, one) & _slugs(db, other))


def _slugs(db: Database, article_id: int) -> set[str]:
    addresses = db.conn.execute(
        "SELECT url FROM articles WHERE id = ?1 UNION SELECT url FROM aliases WHERE article_id = ?1",
        (article_id,),
    )
    return {slug(url) for (url,) in addresses} - {""}


def merge(db: Database, stay: int, go: int, *, why: str) -> None:
    """Put one story's row into another's, whose alias its address becomes. Runs inside the caller's transaction."""
    execute = db.conn.execute
    address, captured_at, first, last = execute(
        "SELECT url, captured_at, first_seen_at, last_seen_at FROM articles WHERE id = ?", (go,)
    ).fetchone()
    execute("UPDATE articles SET duplicate_of = nullif(?1, id) WHERE duplicate_of = ?2", (stay, go))
    for table in _FOLLOWING:
        execute(f"UPDATE OR IGNORE {table} SET article_id = ? WHERE article_id = ?", (stay, go))
    remove(db, go)
    execute(
        "UPDATE articles SET first_seen_at = min(first_seen_at, ?), last_seen_at = max(last_seen_at, ?), "
        "extractor_version = '' WHERE id = ?",
        (first, last, stay),
    )
    Articles(db).add_alias(stay, address, why, at=datetime.fromisoformat(captured_at))


def remove(db: Database, article_id: int) -> None:
    """Take out a row that is no story, with all that hangs on it; visits and addresses stay, and are nobody's."""
    execute = db.conn.execute
    for table in ("fetches", "frontier"):
        execute(f"UPDATE {table} SET article_id = NULL WHERE article_id = ?", (article_id,))
    execute("UPDATE articles SET duplicate_of = NULL WHERE duplicate_of = ?", (article_id,))
    for table in db.table_names():
        if table == "articles" or table.startswith(("articles_fts", "_", "sqlite_")):
            continue
        for key in execute(f"PRAGMA foreign_key_list({table})").fetchall():
            if key[2] == "articles":
                execute(f"DELETE FROM {table} WHERE {key[3]} = ?", (article_id,))
    execute("DELETE FROM articles WHERE id = ?", (article_id,))
