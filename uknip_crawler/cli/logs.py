"""What long commands say of their work on standard error: how much of it, and as lines for people or for machines."""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ParamSpec, TextIO

import click

from uknip_crawler.cli.program import as_typed
from uknip_crawler.errors import UsageError

_EXTRAS = ("url", "outcome", "exit_status")
_QUIET = "uknip.quiet"
_OURS = logging.getLogger("uknip_crawler")
_P = ParamSpec("_P")


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is at the moment: a progress bar puts lines above itself."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _Text(logging.Formatter):
    """`2026-11-29 03:14:07 message`, in the time of this place."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return as_typed(super().format(record))


class _Json(logging.Formatter):
    """One object a line: `at` (UTC), `level`, `logger`, `message`, and where it applies `error` and `_EXTRAS`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": as_typed(record.getMessage()),
        }
        line |= {name: value for name in _EXTRAS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_options(function: Callable[_P, None]) -> Callable[..., None]:
    """Give a command -v, -q and --log-format, and set up logging by them before it runs."""

    @click.option(
        "-v", "--verbose", is_flag=True, help="Log every visit and its outcome, and what the libraries tell."
    )
    @click.option("-q", "--quiet", is_flag=True, help="Say nothing unless something goes wrong.")
    @click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        envvar="UKNIP_LOG_FORMAT",
        show_envvar=True,
        help="What is logged, as lines for people or one JSON object a line.",
    )
    @functools.wraps(function)
    def set_up_first(*arguments: Any, verbose: bool, quiet: bool, log_format: str, **options: Any) -> None:
        if verbose and quiet:
            raise UsageError("-v and -q at once: say one of them")
        click.get_current_context().meta[_QUIET] = quiet
        ours = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
        set_up(ours, logging.INFO if verbose else logging.WARNING, as_json=log_format == "json")
        function(*arguments, **options)

    return set_up_first


def set_up(ours: int, libraries: int, *, as_json: bool) -> None:
    """Have our own lines from one level on, and those of the libraries from another, logged to standard error."""

    def is_wanted(
        record: logging.LogRecord,
    ) -> bool:  # asked here: Scrapy sets the levels of loggers when it starts
        return record.levelno >= (ours if record.name.startswith(_OURS.name) else libraries)

    handler = _Lines()
    handler.setFormatter(_Json() if as_json else _Text())
    handler.addFilter(is_wanted)
    logging.root.handlers = [handler]
    logging.root.setLevel(libraries)
    _OURS.setLevel(ours)
    logging.captureWarnings(as_json)


def is_quiet() -> bool:
    """Tell whether the running command was asked to say nothing of what goes well."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def is_json() -> bool:
    """Tell whether what is logged is read by a machine."""
    return any(isinstance(handler.formatter, _Json) for handler in logging.root.handlers)
