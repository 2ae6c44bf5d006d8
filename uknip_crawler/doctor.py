"""A look over machine and archive: what is in order, what is not, and what to do about it. Nothing is changed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from typing import Literal
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from packaging.requirements import Requirement

from uknip_crawler import __version__
from uknip_crawler.archive import DATABASE
from uknip_crawler.archive.reports.condition import Condition, condition, sqlite_version
from uknip_crawler.configuration import FILE, Configuration, settle
from uknip_crawler.errors import NewerArchive, UknipError
from uknip_crawler.health.checks import CHECKS
from uknip_crawler.schedule.installing import scheduled

State = Literal["ok", "warn", "fail"]
LITTLE_BYTES, TOO_LITTLE_BYTES = CHECKS["disk"].bound("at_least"), 2 * 10**8
LONG_AGO = timedelta(days=8)
"""The longest span that `uknip schedule` offers is a week."""
SITE_SECONDS = 10.0
CLOCKS_DIFFER = timedelta(minutes=5)
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time than this program was written."""
_IN_ORDER = (0, 130, 143)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` says what to do unless it is in order."""

    check: str
    state: State
    what: str
    remedy: str | None = None


def examine(directory: Path, *, now: datetime) -> Iterator[Finding]:
    """Yield what is found, in a fixed order, on the machine and in the archive at `directory`, if there is one."""
    yield from _found(
        "versions", _versions, "install it anew: `uv sync`, or `uv tool install --reinstall uknip`"
    )
    yield from _found("sqlite", _sqlite, "use a Python with SQLite 3.37 or later and FTS5, such as uv's own")
    yield _space(directory)
    if not (directory / DATABASE).is_file():
        yield _clock(None, now)
        yield from _found("settings", lambda: _settings(directory), "correct the file")
        if (directory / FILE).is_file():
            yield from _site(directory)
        yield Finding(
            "archive",
            "warn",
            f"none in {directory} yet",
            "run `uknip crawl`, or name another with --archive DIR",
        )
        return
    yield from _permissions(directory)
    try:
        state = condition(directory)
    except NewerArchive as error:
        yield Finding(
            "archive", "fail", str(error), "upgrade uknip; a backup from before can be restored too"
        )
        return
    except UknipError as error:
        yield Finding(
            "archive", "fail", str(error), "run `uknip verify`; `uknip rebuild` makes a lost database anew"
        )
        return
    yield _clock(state.latest_at, now)
    yield from _found(
        "settings", lambda: _settings(directory), "correct the file, or the address that was named"
    )
    yield from _site(directory)
    yield _last_run(state, now)
    yield _captures(state)
    yield from _found("schedule", lambda: _schedule(directory), "look with `uknip schedule --status`")


def _found(check: str, look: Callable[[], Finding], remedy: str) -> Iterator[Finding]:
    """Yield what a look finds; its own failure is a finding too."""
    try:
        yield look()
    except UknipError as error:
        yield Finding(check, "fail", str(error), remedy)


def _versions() -> Finding:
    for text in metadata.requires("uknip") or ():
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            raise UknipError(f"{wanted.name} is not installed") from None
        if not wanted.specifier.contains(version, prereleases=True):
            raise UknipError(f"{wanted.name} {version} is installed, {wanted.specifier} is needed")
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "versions", "ok", f"uknip {metadata.version('uknip')}, Python {python}, every library as needed"
    )


def _sqlite() -> Finding:
    return Finding("sqlite", "ok", f"{sqlite_version()}, with strict tables and full-text search")


def _space(directory: Path) -> Finding:
    there = next(path for path in (directory.resolve(), *directory.resolve().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    state: State = "ok" if free >= LITTLE_BYTES else "warn" if free >= TOO_LITTLE_BYTES else "fail"
    remedy = (
        None if state == "ok" else f"make room on the disk of {there}, or move the archive to a larger one"
    )
    return Finding("disk", state, f"{free / 1e9:,.1f} GB free", remedy)


def _permissions(directory: Path) -> Iterator[Finding]:
    owner = directory.stat().st_uid
    paths = [directory, *directory.iterdir(), *(directory / "warc").glob("*")]
    if closed := [path for path in paths if not os.access(path, os.R_OK | os.W_OK)]:
        remedy = f"say `chown -R` to whom crawls run as, or `chmod -R u+rwX {directory}`"
        yield Finding("permissions", "fail", f"this user cannot read and write {_some(closed)}", remedy)
    elif strange := [path for path in paths if path.lstat().st_uid != owner]:
        remedy = f"say `chown -R --reference={directory} {directory}`, and run every command as one user"
        yield Finding("permissions", "warn", f"of another owner than the folder: {_some(strange)}", remedy)
    else:
        yield Finding("permissions", "ok", "readable and writable, all of one owner")


def _some(paths: list[Path]) -> str:
    return str(paths[0]) + (f" and {len(paths) - 1:,} more" if len(paths) > 1 else "")


def _clock(latest_at: datetime | None, now: datetime) -> Finding:
    remedy = "set the clock, and keep it right (`timedatectl set-ntp true`): times of captures come from it"
    shown = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < WRITTEN:
        return Finding("clock", "fail", f"{shown} is before this program was written", remedy)
    if latest_at and now + CLOCKS_DIFFER < latest_at:
        return Finding(
            "clock", "fail", f"{shown} is before the archive's newest run, {latest_at:%Y-%m-%d %H:%M}", remedy
        )
    return Finding("clock", "ok", shown)


def _settings(directory: Path) -> Finding:
    settled = settle(directory, Configuration())
    if settled.contact.value is None:
        remedy = "say `uknip init --contact you@university.example`"
        return Finding("settings", "warn", f"{settled.site.value} is not told how to reach you", remedy)
    return Finding("settings", "ok", f"{settled.site.value}, contact {settled.contact.value}")


def _site(directory: Path) -> Iterator[Finding]:
    """Ask the site for robots.txt, as a crawl does first."""
    try:
        settled = settle(directory, Configuration())
    except UknipError:
        return  # said already
    address = urljoin(settled.site.value, "/robots.txt")
    contact = f"; {settled.contact.value}" if settled.contact.value else ""
    agent = f"uknip/{__version__} (news archive for research{contact})"
    try:
        with urlopen(Request(address, headers={"User-Agent": agent}), timeout=SITE_SECONDS) as answer:
            status = answer.status
    except HTTPError as error:
        status = error.code
    except (OSError, ValueError, HTTPException) as error:
        remedy = "look at it in a browser; if it is up, see to this machine's network, names and proxy"
        yield Finding("site", "fail", f"{address} cannot be had: {error}", remedy)
        return
    if status in (401, 403, 429) or status >= 500:
        remedy = "look at it in a browser; if it is up, ask it what it minds, or crawl more slowly (`uknip init --delay 5`)"
        yield Finding("site", "warn", f"{address} answers {status}", remedy)
    else:
        yield Finding("site", "ok", f"{address} answers {status}")


def _last_run(state: Condition, now: datetime) -> Finding:
    if state.run is None or state.started_at is None:
        return Finding("last run", "warn", "no crawl yet", "run `uknip crawl`")
    age = now - state.started_at
    what = f"run {state.run} began {_spoken(age)} ago"
    if state.writer:
        return Finding("last run", "ok", f"process {state.writer} is writing; {what}")
    if state.exit_status is None:
        return Finding(
            "last run", "warn", f"{what} and was killed", "run `uknip crawl`: it goes on where that was"
        )
    if state.exit_status not in _IN_ORDER:
        condition: State = "fail" if state.exit_status == 5 else "warn"
        return Finding(
            "last run",
            condition,
            f"{what} and ended with status {state.exit_status}",
            "look with `uknip status`",
        )
    if age > LONG_AGO:
        return Finding("last run", "warn", what, "run `uknip crawl`, or have it run: `uknip schedule`")
    return Finding("last run", "ok", f"{what}, status {state.exit_status}")


def _captures(state: Condition) -> Finding:
    if state.open_warcs and not state.writer:
        what = f"{len(state.open_warcs)} left open by a killed run: {', '.join(state.open_warcs[:3])}"
        return Finding("captures", "warn", what, "run `uknip crawl`: it recovers them")
    return Finding("captures", "ok", "no WARC file was left open")


def _schedule(directory: Path) -> Finding:
    there = scheduled(directory.resolve())
    for one in there:
        if one.is_enabled:
            due = f", next {one.next_at}" if one.next_at else ""
            return Finding("schedule", "ok", f"by {one.form}{due}")
    what = f"by {there[0].form}, but not enabled" if there else "not scheduled"
    return Finding("schedule", "warn", what, "say `uknip schedule --every 3h --install`")


def _spoken(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return (
        f"{hours / 24:,.0f} days"
        if hours >= 48
        else f"{hours:.0f} hours"
        if hours >= 2
        else f"{hours * 60:.0f} minutes"
    )
