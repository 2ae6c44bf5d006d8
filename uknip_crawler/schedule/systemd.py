"""A crawl as a service and a timer of systemd: systemd.service(5), systemd.exec(5), systemd.timer(5)."""

from __future__ import annotations

import re
from pathlib import Path

from uknip_crawler.errors import UsageError
from uknip_crawler.schedule.job import NO_FAULT, Job

STOP_SECONDS = 180
"""How long a crawl that was asked to stop may take: a request under way (45 s) and the page after it are kept whole."""

_MADE_BY = "# Made by `uknip schedule`: install again to change it, or add to it with `systemctl edit`."
_PLAIN = re.compile(r"[\w@:./=+,-]+", re.ASCII)
_TEMPORARY = ("/tmp", "/var/tmp")

_HARDENED = """\
NoNewPrivileges=true
ProtectSystem=strict
RestrictSUIDSGID=true
RestrictRealtime=true
LockPersonality=true
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
"""
# What takes capabilities away fails in a user's own manager (status 218), which has none to take.
_HARDENED_SYSTEM = """\
CapabilityBoundingSet=
PrivateDevices=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
"""


def service(job: Job, user: str | None) -> str:
    """Return the service unit; `user` runs it under the system's manager, None means a user's own manager.

    Raises UsageError for a program that systemd does not start.
    """
    folder = _quoted(str(job.archive))
    program, *arguments = job.command
    if set(program) & set("\\\"'"):
        raise UsageError(
            f"{program}: systemd starts no program with quotes in its path: install uknip elsewhere"
        )
    # only arguments know $variables, the program does not: systemd.service(5)
    command = " ".join([_quoted(program), *(_quoted(word).replace("$", "$$") for word in arguments)])
    is_temporary = any(
        path.is_relative_to(place) for path in (job.archive, Path(program)) for place in _TEMPORARY
    )
    network = "Wants=network-online.target\nAfter=network-online.target\n"
    return (
        f"{_MADE_BY}\n[Unit]\nDescription=uknip: keep {_shown(job)} up to date\n"
        f"RequiresMountsFor={folder}\n{'' if user is None else network}\n"
        f"[Service]\nType=oneshot\n{'' if user is None else f'User={user}{chr(10)}'}ExecStart={command}\n"
        f"SuccessExitStatus={' '.join(map(str, NO_FAULT))}\n"
        # the signal goes to the crawl alone, which ends its own workers
        f"KillMode=mixed\nTimeoutStopSec={STOP_SECONDS}\n"
        f"{_HARDENED}ReadWritePaths={' '.join([folder, *(_quoted(f'-{path}') for path in job.also_writes)])}\n{'ReadWritePaths=/tmp' if is_temporary else 'PrivateTmp=true'}\n"
        f"{'' if user is None else _HARDENED_SYSTEM}"
    )


def timer(job: Job) -> str:
    """Return the timer unit. A run that was missed while the machine was off is made up for."""
    return (
        f"{_MADE_BY}\n[Unit]\nDescription=uknip: crawl into {_shown(job)} {job.cadence.spoken()}\n\n"
        f"[Timer]\nOnCalendar={job.cadence.calendar()}\nRandomizedDelaySec={job.cadence.delay_seconds}\n"
        "Persistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )


def _shown(job: Job) -> str:
    """Return the archive as a description names it: descriptions know specifiers and no quotes."""
    return str(job.archive).replace("%", "%%")


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
