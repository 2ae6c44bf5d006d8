"""Schedules in place: units in systemd's folders, blocks in the user's crontab, through `systemctl` and `crontab`."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from uknip_crawler.errors import StorageError, UknipError, UsageError
from uknip_crawler.schedule import crontab, systemd
from uknip_crawler.schedule.job import Job, name_of

SYSTEM_UNITS = Path("/etc/systemd/system")
CRONTAB = "crontab"


class Form(StrEnum):
    """Who starts the crawl: the machine's systemd, a user's own, or cron."""

    SYSTEM = "system"
    USER = "user"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An archive's schedule as it stands: its places, whether it is switched on, and when it is due next if that is
    told.
    """

    form: Form
    places: tuple[str, ...]
    is_enabled: bool
    next_at: str | None


def usual_form() -> Form:
    """Return what this machine would use: systemd where it runs, the system's for root; else cron."""
    if not Path("/run/systemd/system").is_dir():  # sd_booted(3)
        return Form.CRON
    return Form.SYSTEM if os.geteuid() == 0 else Form.USER


def contents(job: Job, form: Form, user: str) -> dict[str, str]:
    """Return what there is to install, by place. `user` runs a system's service."""
    if form is Form.CRON:
        return {CRONTAB: crontab.block(job)}
    service, timer = _units(form, job.name)
    return {
        str(service): systemd.service(job, user if form is Form.SYSTEM else None),
        str(timer): systemd.timer(job),
    }


def install(job: Job, form: Form, user: str) -> None:
    """Put a schedule in place and switch it on; one of the same form is replaced.

    Raises UsageError when the archive is scheduled in another form, UknipError or StorageError when the machine
    refuses; then the units are as they were before.
    """
    wanted = contents(job, form, user)
    for other in scheduled(job.archive):
        if other.form is not form:
            raise UsageError(
                f"{job.archive} is scheduled already ({other.form}): `uknip schedule --remove` it first"
            )
    if form is Form.CRON:
        _write_crontab(crontab.put_in(_read_crontab(), job.name, wanted[CRONTAB]))
        return
    before = {place: Path(place).read_text("utf-8") for place in wanted if Path(place).exists()}
    try:
        _write_units(wanted)
        _systemctl(form, "daemon-reload")
        _systemctl(form, "enable", "--now", f"{job.name}.timer")
    except UknipError:
        for place in wanted.keys() - before.keys():
            Path(place).unlink(missing_ok=True)
        _write_units(before)
        raise


def _write_units(units: dict[str, str]) -> None:
    try:
        for place, text in units.items():
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            Path(place).write_text(text, "utf-8")
    except OSError as error:
        raise StorageError(f"{error.filename}: cannot be written: {error.strerror}") from error


def remove(archive: Path) -> list[Scheduled]:
    """Take away every schedule of an archive and return them. A crawl that is under way goes on."""
    there = scheduled(archive)
    name = name_of(archive)
    for one in there:
        if one.form is Form.CRON:
            _write_crontab(crontab.taken_out(_read_crontab(), name))
            continue
        try:
            _systemctl(one.form, "disable", "--now", f"{name}.timer")
            for place in one.places:
                Path(place).unlink()
            _systemctl(one.form, "daemon-reload")
        except OSError as error:
            raise StorageError(f"{error.filename}: cannot be removed: {error.strerror}") from error
    return there


def scheduled(archive: Path) -> list[Scheduled]:
    """Return an archive's schedules, as a rule one or none."""
    name = name_of(archive)
    found = []
    for form in (Form.SYSTEM, Form.USER):
        if places := tuple(str(path) for path in _units(form, name) if path.exists()):
            found.append(
                Scheduled(form, places, _is_enabled(form, f"{name}.timer"), _next(form, f"{name}.timer"))
            )
    try:
        table = _read_crontab()
    except UsageError:  # no cron on this machine
        return found
    return [*found, Scheduled(Form.CRON, (CRONTAB,), True, None)] if crontab.holds(table, name) else found


def _units(form: Form, name: str) -> tuple[Path, Path]:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    folder = SYSTEM_UNITS if form is Form.SYSTEM else home / "systemd" / "user"
    return folder / f"{name}.service", folder / f"{name}.timer"


def _is_enabled(form: Form, unit: str) -> bool:
    try:
        return _systemctl(form, "is-enabled", unit).strip() == "enabled"
    except UknipError:
        return False


def _next(form: Form, unit: str) -> str | None:
    try:
        told = _systemctl(form, "show", "--property=NextElapseUSecRealtime", "--value", unit)
    except UknipError:
        return None
    return told.strip() or None


def _systemctl(form: Form, *arguments: str) -> str:
    scope = ("--user",) if form is Form.USER else ()
    return _run(("systemctl", *scope, *arguments), "there is no systemd here: schedule with --cron").stdout


def _read_crontab() -> str:
    try:
        return _run(("crontab", "-l"), "there is no cron here: schedule with --user or --system").stdout
    except UsageError:
        raise
    except UknipError as error:  # only an empty one is taken for none: another's lines must not be lost
        if any(words in str(error).lower() for words in ("no crontab for", "no such file")):
            return ""
        raise


def _write_crontab(table: str) -> None:
    _run(("crontab", "-"), "there is no cron here: schedule with --user or --system", given=table)


def _run(command: tuple[str, ...], advice: str, *, given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # what others wrote in a crontab goes back as it was
            check=False,
            timeout=60,
            env=os.environ | {"LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise UsageError(f"{command[0]} is not installed: {advice}") from None
    except subprocess.TimeoutExpired:
        raise UknipError(f"`{' '.join(command)}` does not answer") from None
    if done.returncode:
        told = " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}"
        raise UknipError(f"`{' '.join(command)}` failed: {told}")
    return done
