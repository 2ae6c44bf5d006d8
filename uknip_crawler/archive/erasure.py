"""Taking stories out of every table, down to the last byte of the file; what stays of each is a bare tombstone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.layouts import Layouts
from uknip_crawler.archive.redactions import hidden
from uknip_crawler.errors import StorageError

TOMBSTONE = "[redacted]"
_KEPT = frozenset({"redactions", "redaction_marks", "runs", "warcs", "images"})
_DELETED = frozenset({"frontier", "links", "furniture", "near_duplicates"})
"""Of these a row that holds a trace goes whole; of all others the trace is blacked out."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What to take out: stories with their redactions' numbers, every address of theirs, and how a trace is told.

    `blacken` returns a text without traces, the same object when there is none; `digest` tells a headline and a body
    as `articles.content_sha256` has it, `body_digest` a body as `articles.body_sha256`.
    """

    stories: dict[int, int]
    addresses: Collection[str]
    images: Collection[int]
    blacken: Callable[[str], str]
    digest: Callable[[str, str], str]
    body_digest: Callable[[str], str]


def erase(db: Database, what: Erasure, *, at: datetime) -> None:
    """Take stories out of all tables. Runs inside the caller's transaction."""
    used = {table: _used(db, table, what.stories) for table in _PARTS}
    _delete_rows(db, what)
    for table, ids in used.items():
        _delete_unused(db, table, ids)
    _bury(db, what, at)
    erase_traces(db, what)


def erase_traces(db: Database, what: Erasure) -> None:
    """Take what tells of the stories out of all other rows. Runs inside the caller's transaction."""
    Layouts(db).forget_studies()  # studies of other pages quote the story, and cannot be searched
    _hide_visits(db, what)
    for table in _tables(db):
        if table not in _KEPT:
            _clean(db, table, what)


def scour(db: Database) -> None:
    """Leave nothing of deleted rows in the database file, its search index or its write-ahead log.

    Raises StorageError when a reader keeps the log from being emptied.
    """
    with db.conn:
        db.conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")
    db.conn.execute("VACUUM")
    busy = db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise StorageError(
            "somebody is reading the archive, so old text is still in its log: close `uknip browse` and run `uknip redact` again"
        )


_PARTS = {
    "authors": ("article_authors", "author_id"),
    "tags": ("article_tags", "tag_id"),
    "furniture": ("article_furniture", "furniture_id"),
}


def _used(db: Database, table: str, stories: Collection[int]) -> set[int]:
    joining, column = _PARTS[table]
    return {
        number
        for story in stories
        for (number,) in db.conn.execute(f"SELECT {column} FROM {joining} WHERE article_id = ?", (story,))
    }


def _delete_unused(db: Database, table: str, ids: set[int]) -> None:
    """Delete people, tags and lines that no story has any more."""
    joining, column = _PARTS[table]
    db.conn.executemany(
        f"DELETE FROM {table} WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM {joining} WHERE {column} = ?1)",
        [(number,) for number in ids],
    )


def _hide_visits(db: Database, what: Erasure) -> None:
    """Keep every row of the ledger: a visit stays a visit. What it tells of the story goes."""
    telling = [
        (url if url.startswith("redacted:") else hidden(url), fetch_id)
        for fetch_id, url, story in db.conn.execute("SELECT id, url, article_id FROM fetches")
        if story in what.stories or url in what.addresses or what.blacken(url) != url
    ]
    db.conn.executemany(
        "UPDATE fetches SET url = ?, found_on = NULL, redirected_to = NULL, detail = NULL, etag = NULL, "
        "last_modified = NULL, payload_sha256 = NULL, layout_id = NULL, warc_name = NULL, warc_offset = NULL, "
        "warc_length = NULL WHERE id = ?",
        telling,
    )
    for url in what.addresses:
        db.conn.execute(
            "UPDATE fetches SET redirected_to = NULL, detail = NULL WHERE redirected_to = ?", (url,)
        )
        for table in ("fetches", "frontier"):
            db.conn.execute(f"UPDATE {table} SET found_on = NULL WHERE found_on = ?", (url,))
        db.conn.execute("DELETE FROM frontier WHERE url = ?", (url,))
        db.conn.execute("DELETE FROM links WHERE url = ?", (url,))


def _delete_rows(db: Database, what: Erasure) -> None:
    """Delete the stories' rows of every table that points at articles."""
    for story in what.stories:
        for (first,) in db.conn.execute(
            "SELECT min(id) FROM articles WHERE duplicate_of = ? HAVING min(id) IS NOT NULL", (story,)
        ).fetchall():  # the oldest of the copies that stay takes the original's place
            db.conn.execute(
                "UPDATE articles SET duplicate_of = nullif(?1, id) WHERE duplicate_of = ?2", (first, story)
            )
        for table in _tables(db):
            if table in ("articles", "fetches", "redactions"):
                continue
            for key in db.conn.execute(f"PRAGMA foreign_key_list({table})").fetchall():
                if key[2] == "articles":
                    db.conn.execute(f"DELETE FROM {table} WHERE {key[3]} = ?", (story,))
    db.conn.executemany("DELETE FROM images WHERE id = ?", [(number,) for number in what.images])


def _bury(db: Database, what: Erasure, at: datetime) -> None:
    """Leave a tombstone: the row of the story with nothing in it but the time."""
    now = as_text(at)
    emptied = {
        "headline": TOMBSTONE, "body": "", "blocks": "[]", "word_count": 0, "status": "redacted",
        "first_seen_at": now, "last_seen_at": now, "last_changed_at": now, "captured_at": now,
        "revision_count": 0, "extractor_version": "", "body_sha256": "", "content_sha256": "", "sources": "{}",
        "missed_runs": 0, "modified_is_migration": 0, "parts": 1,
    }  # fmt: skip
    kept = {"id", "url", "fetch_id", "month"}
    columns = [row[1] for row in db.conn.execute("PRAGMA table_info(articles)") if row[1] not in kept]
    set_all = ", ".join(f"{name} = ?" for name in columns)
    values = [emptied.get(name) for name in columns]
    for story, number in what.stories.items():
        db.conn.execute(
            f"UPDATE articles SET url = ?, {set_all} WHERE id = ?", (f"redacted:{number}", *values, story)
        )
        db.conn.execute(
            "INSERT INTO events (article_id, run_id, kind, at, detail) SELECT article_id, (SELECT max(id) FROM runs), "
            "'redacted', ?, reason FROM redactions WHERE id = ?",
            (now, number),
        )


def _tables(db: Database) -> list[str]:
    """Return our own tables, not those of the search index or of SQLite."""
    return [name for name in db.table_names() if not name.startswith(("articles_fts", "_", "sqlite_"))]


def _clean(db: Database, table: str, what: Erasure) -> None:
    """Black out traces in every text of a table, or delete the rows that hold one."""
    info = db.conn.execute(f"PRAGMA table_info({table})").fetchall()
    texts = [row[1] for row in info if row[2] == "TEXT"]
    keys = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]]
    for key, changed in list(_changes(db, table, keys, texts, what.blacken)):
        here = " AND ".join(f"{name} = ?" for name in keys)
        if table in _DELETED:
            if table == "furniture":
                db.conn.execute("DELETE FROM article_furniture WHERE furniture_id = ?", key)
            db.conn.execute(f"DELETE FROM {table} WHERE {here}", key)
            continue
        sets = ", ".join(f"{name} = ?" for name in changed)
        db.conn.execute(f"UPDATE {table} SET {sets} WHERE {here}", (*changed.values(), *key))
        if table in ("articles", "revisions") and changed.keys() & {"headline", "body"}:
            _digest_again(db, table, key[0], what)


def _changes(
    db: Database, table: str, keys: list[str], texts: list[str], blacken: Callable[[str], str]
) -> Iterator[tuple[tuple[int | str, ...], dict[str, str]]]:
    if not texts:
        return
    for row in db.conn.execute(f"SELECT {', '.join((*keys, *texts))} FROM {table}"):
        values = zip(texts, row[len(keys) :], strict=True)
        changed = {name: new for name, old in values if old is not None and (new := blacken(old)) is not old}
        if changed:
            yield tuple(row[: len(keys)]), changed


def _digest_again(db: Database, table: str, number: int | str, what: Erasure) -> None:
    headline, body = db.conn.execute(f"SELECT headline, body FROM {table} WHERE id = ?", (number,)).fetchone()
    digests = {"content_sha256": what.digest(headline, body)}
    if table == "articles":
        digests["body_sha256"] = what.body_digest(body)
    sets = ", ".join(f"{name} = ?" for name in digests)
    db.conn.execute(f"UPDATE {table} SET {sets} WHERE id = ?", (*digests.values(), number))
