"""What commands print: words for people, JSON for scripts, how far long work is, and what went wrong."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uknip_crawler.cli import logs
from uknip_crawler.cli.program import as_typed

logger = logging.getLogger(__name__)

REPORT_SECONDS = 60.0


class Report(Protocol):
    """Hears how much of how much is done."""

    def __call__(self, done: int, of: int, /) -> None: ...


def echo(text: str, *, err: bool = False) -> None:
    """Print a line, its commands as the user types them: the one way in which commands speak."""
    click.echo(as_typed(text), err=err)


def conclude(report: str, record: Any, exit_status: int, *, as_json: bool) -> NoReturn:
    """Print a command's report, in words or as JSON, and end with its exit status.

    With -q the words of what went well are not printed.
    """
    if as_json:
        echo(json_text(record))
    elif exit_status or not logs.is_quiet():
        echo(report)
    sys.exit(exit_status)


def fail(message: str, exit_status: int) -> NoReturn:
    """Say in one line what is wrong, as those who read the log expect it, and end with the exit status."""
    if logs.is_json():
        logger.error(message, extra={"exit_status": exit_status})
    else:
        echo(f"uknip: {message}", err=True)
    sys.exit(exit_status)


def json_text(record: Any) -> str:
    """Return a record as commands with `--json` print it."""
    return json.dumps(record, indent=2, ensure_ascii=False)


@contextlib.contextmanager
def progress(doing: str) -> Iterator[Report]:
    """Yield what draws a bar on a terminal's standard error, and else logs one line a minute; with -q nothing."""
    console = Console(stderr=True)
    if logs.is_quiet():
        yield lambda done, of: None
        return
    if not console.is_terminal or logs.is_json():
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
            told = f"{doing}: {done:,} of {of:,}"
            if logger.isEnabledFor(logging.INFO):
                logger.info(told)
            else:  # a command that has no log
                echo(told, err=True)
            due = time.monotonic() + REPORT_SECONDS

    return report
