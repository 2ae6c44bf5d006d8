"""Where a command reads pages: the options `--workers` and `--dask`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import click

from uknip_crawler.errors import UsageError
from uknip_crawler.ingest.workers import Processes, Readers


def readers_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--workers` and `--dask`."""
    command = click.option(
        "--dask",
        metavar="ADDRESS",
        help="Read on a Dask cluster, whose scheduler this is: tcp://HOST:PORT. docs/scale.md says what it needs.",
    )(command)
    return click.option(
        "--workers",
        type=click.IntRange(1, 64),
        default=os.cpu_count() or 1,
        help="Processes that read pages.",
    )(command)


@contextlib.contextmanager
def readers(workers: int, dask: str | None) -> Iterator[Readers]:
    """Yield where to read. Raises UsageError without the extra, MachineError when there is no cluster."""
    if dask is None:
        yield Processes(workers)
        return
    try:
        from uknip_crawler.ingest.cluster import Cluster
    except ImportError as error:
        raise UsageError("--dask needs Dask's distributed: uv sync --extra cluster") from error
    with Cluster(dask) as cluster:
        yield cluster
