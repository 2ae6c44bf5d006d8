"""A consistent copy of the database, also while a crawl writes; and the list of the copies that were made."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive.database import DATABASE, as_text, open_readonly
from uknip_crawler.archive.warc import sync_folder
from uknip_crawler.errors import StorageError, UsageError

LIST = "backups.jsonl"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy: how many articles are in it, and its size. `unlisted` says why the archive's list of backups does
    not name it, which `uknip redact` reads."""

    path: Path
    articles: int
    size_bytes: int
    unlisted: str | None = None


def back_up(directory: Path, target: Path, *, force: bool, at: datetime) -> Backup:
    """Copy an archive's database to `target`, which appears whole and checked or not at all.

    Raises UsageError when there is no archive or the target cannot be meant, StorageError when the disk refuses.
    """
    source = open_readonly(directory, as_it_is=True)
    partial = target.with_name(f"{target.name}.partial")
    try:
        _refuse(directory, target, force=force)
        articles = copy_database(source, partial, of=directory)
        unlisted = _remember(
            directory, target, at
        )  # before it is there: a redaction must know of every backup
        size = partial.stat().st_size
        partial.replace(target)
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{target}: the backup cannot be written: {error}") from error
    finally:
        source.close()
        for left in (partial, partial.with_name(f"{partial.name}-journal")):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)
    return Backup(target, articles, size, unlisted)


def known_backups(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, when it was made) of the backups that are still where they were written."""
    path = directory / LIST
    if not path.is_file():
        return
    made: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines():
        with contextlib.suppress(
            ValueError, KeyError, TypeError
        ):  # a killed backup may have left half a line
            record = json.loads(line)
            made[record["file"]] = record["at"]
    yield from ((file, at) for file, at in made.items() if Path(file).exists())


def _refuse(directory: Path, target: Path, *, force: bool) -> None:
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"{target}: name a file in a folder that exists")
    if target.name.startswith(DATABASE) and target.parent.resolve() == directory.resolve():
        raise UsageError(f"{target} is the archive's own database: name another file")
    if target.exists() and not force:
        raise UsageError(f"{target} exists: name another file, or replace it with --force")


def copy_database(source: Database, partial: Path, *, of: Path) -> int:
    """Copy one moment of an archive's database, check the copy and flush it; return how many articles are in it.

    Raises StorageError, naming the archive, when the copy is damaged.
    """
    partial.unlink(missing_ok=True)
    copy = sqlite3.connect(partial)
    try:
        # all pages in one step: a copy in several begins anew whenever a crawl writes in between
        source.conn.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole without a log beside it
        for (line,) in copy.execute("PRAGMA integrity_check"):
            if line != "ok":
                raise StorageError(
                    f"{of}: a copy of the database is damaged ({line}): check it with `uknip verify`"
                )
        articles = int(copy.execute("SELECT count(*) FROM articles").fetchone()[0])
    finally:
        copy.close()
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    return articles


def _remember(directory: Path, target: Path, at: datetime) -> str | None:
    """Note a backup in the archive; return why it cannot be noted."""
    try:
        with (directory / LIST).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"file": str(target.resolve()), "at": as_text(at)}) + "\n")
    except OSError as error:
        return f"{directory / LIST}: {error.strerror}"
    return None
