"""What commands print: JSON for scripts, and how far long work is."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

REPORT_SECONDS = 60.0


class Report(Protocol):
    """Hears how much of how much is done."""

    def __call__(self, done: int, of: int, /) -> None: ...


def json_text(record: Any) -> str:
    """Return a record as commands with `--json` print it."""
    return json.dumps(record, indent=2, ensure_ascii=False)


@contextlib.contextmanager
def progress(doing: str) -> Iterator[Report]:
    """Yield what draws a bar on a terminal's standard error, and else writes there one line a minute."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(doing)
        return
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _lines(doing: str) -> Report:
    due = time.monotonic() + REPORT_SECONDS

    def report(done: int, of: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            click.echo(f"{doing}: {done:,} of {of:,}", err=True)
            due = time.monotonic() + REPORT_SECONDS

    return report
