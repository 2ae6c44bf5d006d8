"""Opening the database: pragmas, migrations, transactions, and how instants are written."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import lock, sealing
from uknip_crawler.archive.migrations import FORMER, forget_former, migrations
from uknip_crawler.errors import ArchiveLocked, NewerArchive, StorageError, UsageError
from uknip_crawler.models import Moment
from uknip_crawler.times import utc_text

DATABASE = "uknip.db"
BRING_UP_SECONDS = 10.0
"""So long whoever reads an archive waits for its tables while somebody else writes to it."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a committed row survives power loss: https://sqlite.org/pragma.html#pragma_synchronous
    "PRAGMA busy_timeout = 30000",
    "PRAGMA secure_delete = ON",  # what is taken out leaves no bytes behind: https://sqlite.org/pragma.html#pragma_secure_delete
)


def connect(directory: Path, database: str = DATABASE) -> Database:
    """Open the database for writing, create or migrate it.

    Raises StorageError when the file is damaged, unwritable, or written by a newer version of this program.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        db = Database(directory / database)
        for pragma in _PRAGMAS:
            db.conn.execute(pragma).fetchall()
        forget_former(db)
        _is_outdated(db, directory)
        migrations.apply(db)
        db.conn.execute("PRAGMA foreign_keys = ON")  # a migration may make a table anew
        if sealing.unnoted(db.conn):
            with transaction(db):
                sealing.install(db.conn)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{directory}: cannot open the archive: {error}") from error
    return db


@cache
def _forms() -> frozenset[str]:
    return frozenset(migration.name for migration in migrations.pending(Database(memory=True)))


def _is_outdated(db: Database, directory: Path) -> bool:
    """Tell whether the tables are an earlier version's. Raises NewerArchive for those of a newer one."""
    if "_sqlite_migrations" not in db.table_names():
        return False
    stored = {
        row[0] for row in db.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'uknip'")
    }
    if stored >= FORMER:
        return True
    if stored <= _forms():
        return stored < _forms()
    db.close()
    if stored & FORMER:
        raise StorageError(
            f"{directory}: this archive is older than the first release: move {DATABASE} away and run `uknip rebuild`"
        )
    raise NewerArchive(f"{directory}: this archive was written by a newer version; upgrade uknip to open it")


def open_readonly(directory: Path, *, as_it_is: bool = False) -> Database:
    """Open an existing archive for reading, also while a crawl writes to it.

    One of an earlier version gets today's tables first, unless it is to stay as it is. Raises UsageError when there is
    none, StorageError when it cannot be read or is a newer version's, ArchiveLocked when an earlier version is writing to it.
    Never `immutable`: that would ignore the write-ahead log.
    """
    path = directory / DATABASE
    if not path.is_file():
        raise UsageError(
            f"no archive in {directory}: run `uknip crawl` first, or name another with --archive DIR"
        )
    try:
        db = Database(_connected(path))
        if not _is_outdated(db, directory) or as_it_is:
            return db
        db.close()
        if is_readonly(directory):
            raise StorageError(
                f"{directory}: an earlier version's archive, in a place that cannot be written: copy it to where it can be"
            )
        _bring_up(directory)
        return Database(_connected(path))
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{path}: cannot open the archive: {error}; `uknip verify` checks it") from error


def _bring_up(directory: Path) -> None:
    """Give an archive today's tables. Raises ArchiveLocked where somebody writes to it and does not do so by himself."""
    patience = time.monotonic() + BRING_UP_SECONDS
    while True:
        try:
            with lock.acquire(directory):
                connect(directory).close()
            return
        except ArchiveLocked:  # one that is being made just now
            time.sleep(0.05)
            with contextlib.closing(_connected(directory / DATABASE)) as connection:
                if not _is_outdated(Database(connection), directory):
                    return
            if time.monotonic() > patience:
                raise


def _connected(path: Path) -> Any:
    try:
        return _reading(path, "mode=ro")
    except sqlite3.OperationalError:
        # a log needs a file beside it to be read (https://sqlite.org/wal.html#read_only_databases), for which there
        # may be no leave; then nobody writes either, and a copy or the file as it lies is what the archive holds
        if os.access(path.parent, os.W_OK):
            raise
    log = path.with_name(f"{path.name}-wal")
    if not log.is_file() or not log.stat().st_size:
        return _reading(path, "immutable=1")
    with TemporaryDirectory() as folder:
        copy = shutil.copyfile(path, Path(folder) / path.name)
        shutil.copyfile(log, Path(folder) / log.name)
        with contextlib.closing(_reading(copy, "mode=rw")) as whole:
            whole.execute("PRAGMA journal_mode = DELETE")  # folds the log in
        return _reading(copy, "immutable=1")  # stays open when the folder goes


def _reading(path: Path, mode: str) -> Any:
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True)
    try:
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute(
            "SELECT count(*) FROM sqlite_schema"
        ).fetchone()  # reads the file's head, and its log
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def is_readonly(directory: Path) -> bool:
    """Tell whether there is no leave to write to an archive: a medium or a folder that is read-only."""
    return not all(os.access(path, os.W_OK) for path in (directory, directory / DATABASE))


@contextlib.contextmanager
def sound(directory: Path) -> Iterator[None]:
    """Read in a block what the archive holds. Raises StorageError for a database or a value in it that cannot be read."""
    try:
        yield
    except (sqlite3.DatabaseError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise StorageError(
            f"{directory}: the database holds what cannot be read ({error}): check it with `uknip verify`"
        ) from error


def damage(error: BaseException) -> str | None:
    """Return what SQLite says of a database that it cannot read; None for every other error."""
    return str(error) if isinstance(error, sqlite3.DatabaseError) else None


@contextlib.contextmanager
def transaction(db: Database) -> Iterator[None]:
    """Run a block in one write transaction, taking the write lock first.

    BEGIN IMMEDIATE waits for another writer; a deferred BEGIN that reads first fails with BUSY_SNAPSHOT at
    once. Raises StorageError when the disk is full or the file cannot be written.
    """
    if db.conn.in_transaction:
        raise RuntimeError("transactions do not nest")
    try:
        db.conn.execute("BEGIN IMMEDIATE")
        with db.atomic():
            yield
            sealing.seal(db.conn)
        db.conn.execute("COMMIT")
    except BaseException as error:
        db.rollback()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError):
            raise StorageError(f"the archive cannot be written: {error}") from error
        raise


def replace(db: Database, by: Database) -> bool:
    """Put the content of another database in the place of one's own, in one transaction: who reads sees the old or the new.

    Returns whether nothing of the old is left in the log, where a reader may keep it. Raises StorageError when the disk is full or the file cannot be written; then all is as it was.
    """
    try:
        by.conn.backup(db.conn)
        return not db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise StorageError(f"the archive cannot be written: {error}") from error


@contextlib.contextmanager
def savepoint(db: Database) -> Iterator[None]:
    """Run a block whose changes are undone when it raises, without ending the transaction around it.

    Raises StorageError, which the whole transaction does not survive, when the disk refuses.
    """
    try:
        with db.atomic():
            yield
    except sqlite3.OperationalError as error:
        raise StorageError(f"the archive cannot be written: {error}") from error


def as_text(moment: Moment | None) -> str | None:
    """Write an instant as `2024-06-19T09:32:00Z` and a bare day as `2020-09-16`."""
    if moment is None:
        return None
    if isinstance(moment, datetime):
        return utc_text(moment)
    return moment.isoformat()


def as_precise_text(instant: datetime) -> str:
    """Write an instant with microseconds, for the order of visits within one second."""
    return utc_text(instant, "microseconds")


def as_moment(text: str) -> Moment:
    """Read what `as_text` wrote."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
