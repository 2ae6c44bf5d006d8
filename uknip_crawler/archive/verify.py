"""Checking an archive against itself: database, search index, WARC records, and every article's way back to its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import sealing, warc
from uknip_crawler.archive.database import is_readonly
from uknip_crawler.archive.images import Images
from uknip_crawler.errors import StorageError


def verify(
    db: Database, directory: Path, *, progress: Callable[[str], None] = lambda _: None
) -> Iterator[str]:
    """Yield one line for each thing that is wrong; nothing when all is well. Nothing is changed.

    A check that stumbles over damage says so, and the others go on.
    """
    checks: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
        ("database pages and foreign keys", lambda: _database(db)),
        ("rows", lambda: sealing.broken(db.conn)),
        ("search index", lambda: _search_index(db, is_readonly=is_readonly(directory))),
        ("article texts", lambda: _texts(db)),
        ("captures", lambda: _files(db, directory / "warc")),
        ("images", lambda: Images(db, directory).check()),
        ("articles and their captures", lambda: _records(db, directory / "warc")),
    )
    for what, check in checks:
        progress(what)
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001  # whatever damage made of a value
            yield f"{what}: cannot be checked to the end: {error or type(error).__name__}"


def count_articles(db: Database) -> int:
    """Return how many articles can be checked; 0 where their table cannot be read, which `verify` names."""
    try:
        return db.table("articles").count_where("status <> 'redacted'")
    except sqlite3.DatabaseError:
        return 0


def _database(db: Database) -> Iterator[str]:
    for (line,) in db.conn.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"database: {line}"
    for table, rowid, parent, _ in db.conn.execute("PRAGMA foreign_key_check"):
        yield f"database: {table} row {rowid} points at a missing row of {parent}"
    open_rows = "SELECT fetches.url FROM fetches JOIN runs ON runs.id = run_id WHERE outcome IS NULL AND finished_at IS NOT NULL"
    for (url,) in db.conn.execute(open_rows):
        yield f"ledger: {url} was scheduled by a finished run and never closed"
    unfinished = "SELECT id FROM redactions WHERE finished_at IS NULL"
    for (number,) in db.conn.execute(unfinished):
        yield f"redactions: number {number} is not finished; the next crawl or `uknip redact` does it"
    unrevised = "SELECT url FROM articles WHERE revision_count <> (SELECT count(*) FROM revisions WHERE article_id = articles.id)"
    for (url,) in db.conn.execute(unrevised):
        yield f"articles: {url} does not have as many revisions as it says"


def _search_index(db: Database, *, is_readonly: bool) -> Iterator[str]:
    # the check is written as an insertion, so it needs a database that can be written to, though it writes nothing
    with TemporaryDirectory() as folder:
        try:
            connection = db.conn
            if is_readonly:
                connection = sqlite3.connect(Path(folder) / "copy.db")
                db.conn.backup(connection)
            # rank = 1 also compares the index with the table it indexes: https://sqlite.org/fts5.html#the_integrity_check_command
            connection.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            yield f"search index: {error}; rebuild it with `sqlite-utils rebuild-fts uknip.db articles`"
        finally:
            connection.rollback()
            if connection is not db.conn:
                connection.close()


def _texts(db: Database) -> Iterator[str]:
    for url, body, digest in db.conn.execute(
        "SELECT url, body, body_sha256 FROM articles WHERE status <> 'redacted'"
    ):
        if hashlib.sha256(body.encode()).hexdigest() != digest:
            yield f"articles: the text of {url} does not match its SHA-256"


def _files(db: Database, folder: Path) -> Iterator[str]:
    known = {
        name: (closed, size)
        for name, closed, size in db.conn.execute("SELECT name, closed_at, size_bytes FROM warcs")
    }
    for name, (closed, size) in known.items():
        path = warc.locate(folder, name)
        if path is None:
            yield f"captures: {name} is missing"
            continue
        if closed and path.stat().st_size != size:
            yield f"captures: {name} has {path.stat().st_size:,} bytes, not {size:,}"
        for member in warc.members(path):
            if not member.is_whole and (closed or member.offset + member.length < path.stat().st_size):
                yield f"captures: {name} is damaged at byte {member.offset:,} ({member.length:,} bytes)"
    for path in sorted(folder.glob("*")):
        if path.name.removesuffix(".open") not in known:
            yield f"captures: {path.name} is not of this archive"


def _records(db: Database, folder: Path) -> Iterator[str]:
    rows = db.conn.execute(
        "SELECT articles.url, fetches.url, status_code, warc_name, warc_offset, warc_length, payload_sha256 FROM articles "
        "LEFT JOIN (SELECT id, url, status AS status_code, warc_name, warc_offset, warc_length, payload_sha256 FROM fetches)"
        " AS fetches ON fetches.id = articles.fetch_id WHERE articles.status <> 'redacted'"
    )
    for article, _, _, name, offset, length, digest in rows:
        if name is None:
            yield f"articles: {article} rests on no capture"
            continue
        try:
            capture = warc.read(folder, warc.RecordRef(name, offset, length))
        except (StorageError, OSError) as error:
            yield f"articles: the capture of {article} cannot be read: {error}"
            continue
        if capture.payload_sha256 != digest:
            yield f"articles: the capture of {article} in {name} is not the one recorded"
