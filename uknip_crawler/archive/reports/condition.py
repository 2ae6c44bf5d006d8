"""What tells whether an archive, and the SQLite beneath it, are in working order, without reading it all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import lock, open_readonly
from uknip_crawler.errors import StorageError


@dataclass(frozen=True, slots=True)
class Condition:
    """The newest crawl (None before the first), the latest instant on record, captures left open, and who writes now.

    `exit_status` is None while a run is not finished; `writer` is a process number. `is_derived` once the newest crawl's
    stories were read again.
    """

    run: int | None
    started_at: datetime | None
    exit_status: int | None
    latest_at: datetime | None
    open_warcs: tuple[str, ...]
    writer: str | None
    is_derived: bool = False

    @property
    def is_whole(self) -> bool:
        """Tell whether the newest crawl came to its end, stories read again included."""
        return self.exit_status is not None and self.is_derived


def condition(directory: Path) -> Condition:
    """Return an archive's condition. Raises UsageError when there is none, StorageError when it cannot be read."""
    writer = lock.holder(directory)
    db = open_readonly(directory, as_it_is=True)
    try:
        columns = {column.name for column in db.table("runs").columns}
        derived = (
            "derived_at" if "derived_at" in columns else "rested_at"
        )  # its name in an earlier version's archive
        newest = db.execute(
            f"SELECT id, started_at, exit_status, {derived} FROM runs WHERE kind = 'crawl' ORDER BY id DESC LIMIT 1"
        ).fetchone() or (None, None, None, None)
        (latest,) = db.execute("SELECT max(coalesce(finished_at, started_at)) FROM runs").fetchone()
        warcs = db.execute("SELECT name FROM warcs WHERE closed_at IS NULL ORDER BY name").fetchall()
    except sqlite3.Error as error:
        raise StorageError(f"{directory}: the database cannot be read: {error}") from error
    finally:
        db.close()
    run, started, exit_status, derived_at = newest
    return Condition(
        run,
        _instant(started),
        exit_status,
        _instant(latest),
        tuple(name for (name,) in warcs),
        writer,
        derived_at is not None,
    )


def sqlite_version() -> str:
    """Return the version of the SQLite in use. Raises StorageError when it lacks what an archive needs."""
    db = Database(memory=True)
    try:
        db.execute("CREATE TABLE strict_table (a TEXT) STRICT")
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (a)")
    except sqlite3.Error as error:
        raise StorageError(f"SQLite {sqlite3.sqlite_version}: {error}") from error
    finally:
        db.close()
    return str(sqlite3.sqlite_version)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
