"""Worker processes that read pages: a runaway or crashing page costs its worker and one row, and nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from uknip_crawler.archive import warc
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.errors import StorageError
from uknip_crawler.extraction import read, study_capture
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.models import Capture, Outcome, Reading
from uknip_crawler.sites import Site, load_site

PAGE_SECONDS = 20
PAGE_BYTES = 2**30
WORKER_FAILURES = (TimeoutError, ProcessExpired, MemoryError)
"""What the future of a task raises when its worker had to go."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(slots=True)
class _Worker:
    """What a worker process knows all its life."""

    site: Site
    learned: Learned


_worker: _Worker


def _begin(base_url: str, learned: Learned, limit_bytes: int) -> None:
    global _worker
    os.setsid()  # a signal to the whole group is the main process's to answer: what is being read is read
    for number in signal.sigpending() & set(_SIGNALS):  # that came while this process was born
        signal.sigwait({number})
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    _worker = _Worker(load_site(base_url), learned)
    with contextlib.suppress(OSError, ValueError):  # macOS knows the limit and does not let us set it
        limit = _reserved_bytes() + limit_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _reserved_bytes() -> int:
    """Return the addresses that this process holds already: an allocator may reserve a GiB that it never uses, and a
    worker imports what its user's own script does. 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


class Pending(Protocol[T_co]):
    """What a task will have found."""

    def result(self) -> T_co:
        """Wait for it. Raises one of `WORKER_FAILURES` when the task took too much, or what the task itself raised."""


class Pool(Protocol):
    """Processes that read with what was learned; use as a context."""

    def schedule(self, task: Callable[..., T], *arguments: Any, seconds: float) -> Pending[T]:
        """Run a module's function in one of them, `seconds` at most."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Readers(Protocol):
    """Where pages are read: in processes of this machine (`Processes`), or on a cluster (`cluster.Cluster`)."""

    @property
    def count(self) -> int:
        """Pages that are read at a time."""

    def pool(self, base_url: str, learned: Learned, folder: Path | None = None) -> Pool:
        """Return a pool that reads with what was learned; `folder` has the WARC files that tasks will open."""


@dataclass(frozen=True, slots=True)
class Processes:
    """So many processes of this machine."""

    count: int

    def pool(self, base_url: str, learned: Learned, folder: Path | None = None) -> Workers:
        return Workers(base_url, learned, count=self.count)


class Workers:
    """A pool of processes of this machine."""

    def __init__(self, base_url: str, learned: Learned, *, count: int, limit_bytes: int = PAGE_BYTES) -> None:
        # this process has threads: a plain fork could deadlock
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["uknip_crawler.ingest.workers"])
        resource_tracker.ensure_running()  # whose start lets the signals through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        forkserver.ensure_running()  # deaf to what the whole group is told
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._pool = ProcessPool(
            context=context,
            max_workers=count,
            initializer=_begin,
            initargs=[base_url, learned, limit_bytes],
        )

    def schedule(self, task: Callable[..., T], *arguments: Any, seconds: float) -> Future[T]:
        """Run a module's function in a worker; the future raises one of `WORKER_FAILURES` when it takes too much."""
        future: Future[T] = self._pool.schedule(task, args=arguments, timeout=seconds)
        return future

    def stop(self) -> None:
        self._pool.stop()  # whoever needs an answer has waited for it
        self._pool.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def unread(error: BaseException, seconds: float) -> Reading:
    """Return what is stored of a page whose reading ended with one of `WORKER_FAILURES`."""
    if isinstance(error, TimeoutError):
        return Reading(outcome=Outcome.EXTRACT_TIMEOUT, reason=f"not read within {seconds} s")
    return Reading(outcome=Outcome.EXTRACT_ERROR, reason=f"worker ended: {error}")


# What workers do


def read_page(capture: Capture, expected_article: bool) -> Reading:
    return read(
        capture, _worker.site, expected_article=expected_article, learned=_worker.learned, for_now=True
    )


def read_records(folder: Path, records: list[RecordRef]) -> list[Reading]:
    """Read pages again from their WARC records; only a story's own links are kept."""
    return [_read_record(folder, record) for record in records]


def _read_record(folder: Path, record: RecordRef) -> Reading:
    try:
        capture = warc.read(folder, record)
    except StorageError as error:
        return Reading(outcome=Outcome.LOST, reason=str(error))
    reading = read(capture, _worker.site, expected_article=True, learned=_worker.learned, with_links=False)
    return replace(reading, links=())


def study_records(folder: Path, records: list[RecordRef]) -> list[bytes | None]:
    """Return what captures show of their layouts, packed; None of one that shows no story."""
    found: list[bytes | None] = []
    for record in records:
        try:
            found.append(study_capture(warc.read(folder, record), _worker.site))
        except StorageError:
            found.append(None)
    return found
