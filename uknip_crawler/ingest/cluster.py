"""Reading on a cluster's machines by Dask's distributed (the extra `cluster`, https://distributed.dask.org).

Each Dask worker has processes of its own that read, as many as it has threads: a page is held to the same seconds and the
same memory as on one machine, and one that crashes its process costs no Dask worker. What a worker that dies had under way
is given to another one by Dask; results come in the order in which they were asked for.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

from distributed import Client, Future, KilledWorker, Worker, WorkerPlugin, get_worker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from uknip_crawler import __version__
from uknip_crawler.errors import MachineError, UsageError
from uknip_crawler.extraction import EXTRACTOR_VERSION
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.extraction.learning.studying import STUDY_VERSION
from uknip_crawler.ingest.workers import WORKER_FAILURES, Workers

CONNECT_SECONDS = 10
LOOK_SECONDS = 5.0
LOST_SECONDS = 60.0
"""How long a cluster may be without any worker."""
SIGHT_SECONDS = 60.0
"""How long a network file system may show an old list of names (nfs(5): acdirmax)."""
_ADDRESS = re.compile(r"(?:tcp|tls)://[^\s/]+:\d{1,5}")
_VERSIONS = (__version__, EXTRACTOR_VERSION, STUDY_VERSION)
_GONE = (KilledWorker, FutureCancelledError, CommClosedError, OSError)
T = TypeVar("T")


class Cluster:
    """A Dask scheduler and its workers; use as a context.

    Raises UsageError for an address of another form, MachineError when there is no scheduler or no worker.
    """

    def __init__(self, address: str) -> None:
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--dask {address!r}: give the scheduler's address, such as tcp://10.0.0.1:8786")
        for name in ("distributed", "distributed.client"):  # what goes wrong is ours to say
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.address = address
        try:
            parts = urlsplit(address)
            # Dask would go on trying where nobody listens
            socket.create_connection((parts.hostname or "", parts.port or 0), CONNECT_SECONDS).close()
            self.client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="uknip")
        except (OSError, ValueError) as error:
            raise MachineError(
                f"{address}: no Dask scheduler answers: begin one with `dask scheduler`"
            ) from error
        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except (TimeoutError, OSError) as error:
            self.client.close()
            raise MachineError(
                f"{address}: the scheduler has no worker: begin some with `dask worker {address}`"
            ) from error
        self._alone_since: float | None = None
        self.is_lost = False

    @property
    def count(self) -> int:
        threads: list[int] = list(self.client.nthreads().values())
        return max(1, sum(threads))

    def pool(self, base_url: str, learned: Learned, folder: Path | None = None) -> ClusterPool:
        return ClusterPool(self, _Reading(base_url, learned, folder))

    def check(self) -> None:
        """Raise MachineError when no worker has been there for long."""
        try:
            is_alone = not self.client.nthreads()
        except _GONE as error:
            raise self.lost(error) from error
        if not is_alone:
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > LOST_SECONDS:
            raise MachineError(
                f"{self.address}: the scheduler has lost its last worker: begin some and give the command again"
            )

    def lost(self, error: BaseException) -> MachineError:
        """Return what is to be said when the cluster failed at a task; nothing more is asked of it."""
        self.is_lost = True
        if isinstance(error, KilledWorker):
            return MachineError(
                f"{self.address}: one worker after another died at the same pages: look at their logs (memory?)"
            )
        return MachineError(f"{self.address}: the scheduler is gone: begin one and give the command again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*_GONE, TimeoutError):
            self.client.close()


class ClusterPool:
    """The processes of all workers, which read with what was learned."""

    def __init__(self, cluster: Cluster, reading: _Reading) -> None:
        self._cluster = cluster
        self._name = f"uknip-{uuid.uuid4().hex}"
        try:
            cluster.client.register_plugin(reading, name=self._name)
        except _GONE as error:
            raise cluster.lost(error) from error
        except ImportError as error:
            raise MachineError(
                f"{cluster.address}: uknip is not installed there ({error}): it is wanted by scheduler and workers"
            ) from error

    def schedule(self, task: Callable[..., T], *arguments: Any, seconds: float) -> _Answer[T]:
        order = _Order(self._name, task, arguments, seconds)
        return _Answer(self._cluster, self._cluster.client.submit(_carry_out, order, pure=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._cluster.is_lost:
            return
        with contextlib.suppress(*_GONE, KeyError, TimeoutError):
            self._cluster.client.unregister_worker_plugin(self._name)


@dataclass(frozen=True, slots=True)
class _Order:
    """A task on its way; one value, into which Dask does not look."""

    plugin: str
    task: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Failed:
    """How a page ended its process: a value, for a TimeoutError could as well be Dask's own."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    cluster: Cluster
    future: Future[T]

    def result(self) -> T:
        while True:
            try:
                found = self.future.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                self.cluster.check()
                continue
            except _GONE as error:
                raise self.cluster.lost(error) from error
            if isinstance(found, _Failed):
                raise found.error
            answer: T = found
            return answer


# On a worker


class _Reading(WorkerPlugin):
    """What a Dask worker reads with: sent to each once, also to those that come later."""

    def __init__(self, base_url: str, learned: Learned, folder: Path | None) -> None:
        self._base_url = base_url
        self._learned = learned
        self._folder = folder
        self._files = frozenset(path.name for path in folder.iterdir()) if folder else frozenset[str]()
        self._versions = _VERSIONS

    def setup(self, worker: Worker) -> None:
        self._lock = threading.Lock()
        self._worker = worker
        self._processes: Workers | None = None

    def teardown(self, worker: Worker) -> None:
        with self._lock:
            if self._processes is not None:
                self._processes.stop()

    def read(self, order: _Order) -> Any:
        with self._lock:
            if self._processes is None:
                self._processes = self._begin()
        return self._processes.schedule(order.task, *order.arguments, seconds=order.seconds).result()

    def _begin(self) -> Workers:
        if self._versions != _VERSIONS:
            raise MachineError(
                f"worker {self._worker.address}: has uknip {_VERSIONS}, asked by {self._versions}: install the same there"
            )
        self._look()
        # a Dask worker may be a daemon of its nanny, which may not begin processes. Ours end with their pipe, as it does
        multiprocessing.current_process().daemon = False
        return Workers(self._base_url, self._learned, count=self._worker.state.nthreads)

    def _look(self) -> None:
        """Raise MachineError unless this machine sees the WARC files that the asking one sees."""
        if self._folder is None:
            return
        deadline = time.monotonic() + SIGHT_SECONDS
        while True:
            try:
                seen = self._files & {path.name for path in self._folder.iterdir()}
            except OSError:
                seen = frozenset()
            if seen == self._files:
                return
            if not seen or time.monotonic() > deadline:
                raise MachineError(
                    f"worker {self._worker.address}: sees {len(seen)} of {len(self._files)} WARC files in {self._folder}: "
                    "share that folder with it, at the same path"
                )
            time.sleep(1)


def _carry_out(order: _Order) -> Any:
    plugin = get_worker().plugins[order.plugin]
    assert isinstance(plugin, _Reading)
    try:
        return plugin.read(order)
    except WORKER_FAILURES as error:
        return _Failed(error)
