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

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.reports.coverage import Coverage, coverage

T = TypeVar("T")

_YOUNG_SECONDS = 60
"""A crawl changes the archive all the time: figures younger than this are good enough."""


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
        self._busy: dict[Path, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, archive: Path, state: tuple[Any, ...]) -> T:
        """Return the figures; only the first asker waits. `state` is equal while the archive has not changed."""
        with self._lock:
            busy = self._busy.setdefault(archive, threading.Lock())
            known = self._known.get(archive)
        if known is None:
            with busy:
                known = self._known.get(archive) or self._anew(archive)
        elif known.state != state and time.monotonic() - known.at > _YOUNG_SECONDS:
            self.prepare(archive)
        return known.figures

    def prepare(self, archive: Path) -> None:
        """Reckon in the background; nothing happens where somebody does already."""
        threading.Thread(target=self._behind, args=(archive,), daemon=True).start()

    def _behind(self, archive: Path) -> None:
        with self._lock:
            busy = self._busy.setdefault(archive, threading.Lock())
        if busy.acquire(blocking=False):
            try:
                self._anew(archive)
            finally:
                busy.release()

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
