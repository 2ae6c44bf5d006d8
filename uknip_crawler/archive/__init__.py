"""The archive: the only code that opens the database, and the WARC files beside it."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sqlite_utils import Database

from uknip_crawler import __version__
from uknip_crawler.archive import lock, warc
from uknip_crawler.archive.articles import Articles
from uknip_crawler.archive.audits import Audits
from uknip_crawler.archive.database import (
    DATABASE,
    as_text,
    connect,
    open_readonly,
    replace,
    savepoint,
    transaction,
)
from uknip_crawler.archive.duplicates import Duplicates
from uknip_crawler.archive.findings import Findings
from uknip_crawler.archive.frontier import Frontier
from uknip_crawler.archive.images import Images
from uknip_crawler.archive.interruptions import Interruptions
from uknip_crawler.archive.layouts import Layouts
from uknip_crawler.archive.ledger import Ledger
from uknip_crawler.archive.listings import Listings
from uknip_crawler.archive.multipage import Pages
from uknip_crawler.archive.readings import Readings
from uknip_crawler.archive.redactions import Redactions
from uknip_crawler.archive.sources import Sources
from uknip_crawler.models import Capture

__all__ = ["DATABASE", "Archive", "archived_site", "open_readonly"]


def archived_site(directory: Path) -> str | None:
    """Return the address of the site archived in a folder, or None while there is no archive, or nothing in it."""
    if not (directory / DATABASE).is_file():
        return None
    db = open_readonly(directory, as_it_is=True)
    try:
        return _base_url(db)
    finally:
        db.close()


def _base_url(db: Database) -> str | None:
    row = db.execute(
        "SELECT base_url FROM runs WHERE EXISTS (SELECT 1 FROM frontier) ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None


class Archive:
    """An archive open for writing. It holds the lock until closed; everything is stored through it.

    `Archive(directory)` creates the folder and its tables when there are none. Raises ArchiveLocked when another
    run writes there, StorageError when it cannot be opened.
    """

    def __init__(self, directory: Path, *, database: str = DATABASE, anew: bool = False) -> None:
        """Open a database of that name; `anew` deletes the one that is there first."""
        self.directory = directory
        self._lock: IO[str] = lock.acquire(directory)
        try:
            for left in directory.glob(f"{database}*") if anew else ():
                left.unlink()
            self.db: Database = connect(directory, database)
        except BaseException:
            self._lock.close()
            raise
        self.redactions = Redactions(self.db)
        self.frontier = Frontier(self.db, keeps_out=self.redactions.keeps_out)
        self.listings = Listings(self.db)
        self.pages = Pages(self.db)
        self.ledger = Ledger(self.db)
        self.sources = Sources(self.db)
        self.articles = Articles(self.db)
        self.layouts = Layouts(self.db)
        self.readings = Readings(self.db)
        self.interruptions = Interruptions(self.db)
        self.audits = Audits(self.db)
        self.findings = Findings(self.db)
        self.duplicates = Duplicates(self.db)
        self.images = Images(self.db, directory)
        self._warc: warc.WarcFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def warc_folder(self) -> Path:
        return self.directory / "warc"

    def transaction(self) -> AbstractContextManager[None]:
        """One write transaction; see `database.transaction`."""
        return transaction(self.db)

    def savepoint(self) -> AbstractContextManager[None]:
        """A part of a transaction that can fail alone; see `database.savepoint`."""
        return savepoint(self.db)

    def base_url(self) -> str | None:
        """Return the address of the site archived here, or None while no run has found anything."""
        return _base_url(self.db)

    def holds_stories(self) -> bool:
        """Tell whether any story was ever archived, though it may be gone."""
        return self.db.conn.execute("SELECT 1 FROM articles LIMIT 1").fetchone() is not None

    # Captures

    def capture(
        self,
        run_id: int,
        capture: Capture,
        request_headers: tuple[tuple[str, str], ...] | None,
        *,
        at: datetime,
    ) -> warc.RecordRef:
        """Append a response to the run's WARC file, and its request unless others made it (None).

        Not yet durable: `sync_captures` before a row points at it.
        """
        if self._warc is None or self._warc.is_full:
            self._close_warc(at)
            self._open_warc(run_id, at)
        assert self._warc is not None
        return self._warc.write(capture, request_headers)

    def sync_captures(self) -> None:
        """Return once every capture written so far is on the disk."""
        if self._warc is not None:
            self._warc.sync()

    def read_capture(self, record: warc.RecordRef) -> Capture:
        return warc.read(self.warc_folder, record)

    def _open_warc(self, run_id: int, at: datetime) -> None:
        serial = (
            self.db.conn.execute("SELECT count(*) FROM warcs WHERE run_id = ?", (run_id,)).fetchone()[0] + 1
        )
        name = f"uknip-{at:%Y%m%d%H%M%S}-{run_id:05d}-{serial:04d}.warc.gz"
        with (
            self.transaction()
        ):  # first the row, then the file: a file without a row would never be recovered
            self.db.conn.execute(
                "INSERT INTO warcs (name, run_id, opened_at) VALUES (?, ?, ?)", (name, run_id, as_text(at))
            )
        kind, base_url = self.ledger.kind_of(run_id)
        about = {"software": f"uknip/{__version__}", "isPartOf": base_url, "description": kind}
        self._warc = warc.WarcFile(self.warc_folder, name, about)

    def _close_warc(self, at: datetime) -> None:
        if self._warc is None:
            return
        size = self._warc.close()
        with self.transaction():
            self.db.conn.execute(
                "UPDATE warcs SET closed_at = ?, size_bytes = ? WHERE name = ?",
                (as_text(at), size, self._warc.name),
            )
        self._warc = None

    def open_warcs(self) -> list[tuple[str, int]]:
        """Return (name, run id) of every WARC file that was never closed: its run was killed."""
        return self.db.conn.execute(
            "SELECT name, run_id FROM warcs WHERE closed_at IS NULL ORDER BY name"
        ).fetchall()

    def enrol_warc(self, name: str, run_id: int, *, at: datetime) -> None:
        """Record a WARC file that is there, as the run's; whole, unless its name ends in `.open`."""
        with self.transaction():
            self.db.conn.execute(
                "INSERT INTO warcs (name, run_id, opened_at) VALUES (?, ?, ?)",
                (name, run_id, as_text(at)),
            )
        self.adopt_warc(name, at=at)

    def adopt_warc(self, name: str, *, at: datetime) -> None:
        """Close a file that a killed run left open; a file that never came to be loses its row."""
        path = warc.locate(self.warc_folder, name)
        with self.transaction():
            if path is None:
                self.db.conn.execute("DELETE FROM warcs WHERE name = ?", (name,))
                return
            final = path.rename(self.warc_folder / name)
            self.db.conn.execute(
                "UPDATE warcs SET closed_at = ?, size_bytes = ? WHERE name = ?",
                (as_text(at), final.stat().st_size, name),
            )

    # Making a database anew

    def hurry(self) -> None:
        """Leave writes to the system's own time: for a database that is thrown away if anything goes wrong."""
        self.db.conn.execute("PRAGMA synchronous = OFF")

    def settle_down(self) -> None:
        """Put everything written in a hurry on the disk."""
        self.db.conn.execute("PRAGMA synchronous = FULL")
        self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def replace_with(self, other: Archive) -> bool:
        """Hold what another archive's database holds from now on, in one transaction; see `database.replace`."""
        return replace(self.db, other.db)

    # Ends

    def finish_captures(self, *, at: datetime) -> None:
        """Close the run's WARC file in order."""
        self._close_warc(at)

    def close(self) -> None:
        """Fold the write-ahead log back, close the database, let go of the lock. A WARC file still open stays `.open`."""
        with contextlib.suppress(Exception):  # a reader may hold the log; it is folded back another time
            self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if self._warc is not None:
            self._warc.abandon()
        self.images.close()
        self.db.close()
        self._lock.close()
