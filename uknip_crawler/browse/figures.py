"""Figures that take seconds to reckon: shown as last reckoned, and reckoned anew behind the reader's back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.reports.coverage import Coverage, coverage
from uknip_crawler.errors import UknipError

T = TypeVar("T")

_YOUNG_SECONDS = 60
"""A crawl changes the archive all the time: figures younger than this are good enough."""

PATIENCE_SECONDS = 0.8
"""How long a page waits for figures that nobody has asked for before."""

STATE = """SELECT (SELECT max(id) FROM runs), (SELECT finished_at FROM runs ORDER BY id DESC LIMIT 1),
    (SELECT max(id) FROM fetches)"""
"""What tells whether a crawl or an import has touched the archive."""


@dataclass(frozen=True, slots=True)
class _Reckoned(Generic[T]):
    figures: T
    state: tuple[Any, ...]
    at: float


class Slow(Generic[T]):
    """Figures of an archive that `reckon` takes long to get; safe to ask from several threads."""

    def __init__(self, reckon: Callable[[Database], T]) -> None:
        self._reckon = reckon
        self._known: dict[Path, _Reckoned[T]] = {}
        self._failed: dict[Path, Exception] = {}
        self._busy: dict[Path, threading.Lock] = {}
        self._told: dict[Path, threading.Event] = {}
        self._lock = threading.Lock()

    def of(self, archive: Path, state: tuple[Any, ...]) -> T | None:
        """Return the figures, None while the first are still being reckoned; the asker waits PATIENCE_SECONDS for those.

        `state` is equal while the archive has not changed.
        """
        known = self._known.get(archive)
        if known is None:
            with self._lock:
                told = self._told.setdefault(archive, threading.Event())
            self.prepare(archive)
            told.wait(PATIENCE_SECONDS)
            known = self._known.get(archive)
            if known is None and (error := self._failed.pop(archive, None)):
                told.clear()
                raise error
            return known.figures if known else None
        if known.state != state and time.monotonic() - known.at > _YOUNG_SECONDS:
            self.prepare(archive)
        return known.figures

    def prepare(self, archive: Path) -> None:
        """Reckon in the background; nothing happens where somebody does already."""
        threading.Thread(target=self._behind, args=(archive,), daemon=True).start()

    def _behind(self, archive: Path) -> None:
        with self._lock:
            busy = self._busy.setdefault(archive, threading.Lock())
            told = self._told.setdefault(archive, threading.Event())
        if busy.acquire(blocking=False):
            try:
                self._anew(archive)
            except (UknipError, sqlite3.Error, ValueError) as error:  # told to whoever asks next
                self._failed[archive] = error
            finally:
                busy.release()
                told.set()

    def _anew(self, archive: Path) -> _Reckoned[T]:
        db = open_readonly(archive)
        try:
            state = tuple(db.execute(STATE).fetchone())
            known = _Reckoned(self._reckon(db), state, time.monotonic())
        finally:
            db.close()
        self._known[archive] = known
        return known


@dataclass(frozen=True, slots=True)
class Days:
    """Coverage, and by day how many stories the site lists and how many of those are held."""

    coverage: Coverage
    expected: Counter[str]
    held: Counter[str]


def _days(db: Database) -> Days:
    found = coverage(db)
    expected, held = Counter[str](), Counter[str]()
    for day in found.calendar:
        expected[day.day] += day.expected
        held[day.day] += day.held
    return Days(found, expected, held)


COVERAGE = Slow(_days)
