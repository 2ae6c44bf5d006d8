"""Folders that hold archives: which those are, and of which site each is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive.database import DATABASE, open_readonly
from uknip_crawler.errors import StorageError, UsageError

NO_SITE = "empty"


def archives_in(folders: Sequence[Path]) -> list[Path]:
    """Return the archives that folders are or hold. Raises UsageError for a folder that is none and holds none."""
    found: dict[Path, Path] = {}
    for folder in folders:
        inside = sorted(path.parent for path in folder.glob(f"*/{DATABASE}"))
        here = [folder] if (folder / DATABASE).is_file() or (not inside and len(folders) == 1) else inside
        if not here:
            raise UsageError(f"{folder}: there is no archive, neither here nor in a folder here")
        found |= {path.resolve(): path for path in here}
    return list(found.values())


def site_of(archive: Path) -> str:
    """Return the host that an archive is of, `empty` before the first run.

    Raises UsageError when there is no archive, StorageError when it cannot be read.
    """
    db = open_readonly(archive)
    try:
        db.conn.execute("SELECT 1 FROM articles LIMIT 1").fetchone()
        return site_in(db)
    except sqlite3.Error as error:
        raise StorageError(f"{archive}: cannot read the archive: {error}") from error
    finally:
        db.close()


def site_in(db: Database) -> str:
    """Return the host that an open archive is of."""
    row = db.conn.execute("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return (urlsplit(row[0]).netloc if row else "").removeprefix("www.") or NO_SITE
