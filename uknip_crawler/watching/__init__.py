"""Telling others how a crawl went: notices, a metrics file, a dead man's switch. None of it fails a crawl."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.reports.status import archive_status
from uknip_crawler.errors import UknipError
from uknip_crawler.watching.metrics import write_metrics
from uknip_crawler.watching.notices import run_command, send, text_of
from uknip_crawler.watching.switch import ask

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told: Apprise's addresses, a command, a metrics file, the address of a dead man's switch."""

    notices: tuple[str, ...] = ()
    notice_command: str | None = None
    metrics: str | None = None
    ping: str | None = None


def tell(directory: Path, watchers: Watchers, *, exit_status: int, now: Any) -> None:
    """Tell everybody who is to know of the crawl that has ended; what fails is logged in one line."""
    if watchers.notices or watchers.notice_command:
        _attempt("notices", lambda: _notify(directory, watchers))
    if not (watchers.metrics or watchers.ping):
        return
    db = open_readonly(directory)
    try:
        status = archive_status(db, now)
    finally:
        db.close()
    if watchers.metrics:
        _attempt("metrics", lambda: write_metrics(Path(watchers.metrics or ""), status))
    if watchers.ping and exit_status == 0 and is_healthy(status):
        _attempt("ping", lambda: ask(watchers.ping or ""))


def is_healthy(status: Mapping[str, Any]) -> bool:
    return bool(status["verdict"] == "healthy")


def _attempt(what: str, do: Callable[[], None]) -> None:
    try:
        do()
    except (UknipError, OSError) as error:
        logger.warning("%s: %s", what, error)


def _notify(directory: Path, watchers: Watchers) -> None:
    with Archive(directory) as archive:
        due = archive.findings.untold()
        if not due:
            return
        subject, body = text_of(due, archive.base_url() or str(directory))
        if watchers.notices:
            send(watchers.notices, subject, body)
        if watchers.notice_command:
            run_command(watchers.notice_command, subject, body)
        with archive.transaction():
            archive.findings.mark_noticed(due)
