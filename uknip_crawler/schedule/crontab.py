"""A crawl as a marked block of a crontab, in the midst of what else stands there: crontab(5)."""

from __future__ import annotations

import re
import shlex

from uknip_crawler.errors import UsageError
from uknip_crawler.schedule.job import NO_FAULT, Job

LONGEST_LINE = 990
"""Bytes: what is beyond the thousandth is cut off by cron without a word."""


def block(job: Job) -> str:
    """Return the lines that schedule a crawl. It says nothing while all is well, so that cron mails only what is not.

    Raises UsageError when cron could not read the line.
    """
    command = " ".join(map(shlex.quote, job.command))
    if "\\%" in command:  # cron would take our own escape for an escaped backslash
        raise UsageError(f"{command}: cron cannot have a backslash before a percent sign: rename the folder")
    well = "|".join(map(str, (0, *NO_FAULT)))
    run = f"out=$({command} 2>&1); s=$?; case $s in {well}) ;; "
    run += '*) printf \'%s\\n\' "$out" "exit status $s"; exit $s;; esac'
    line = f"{job.cadence.cron()} " + run.replace("%", "\\%") + "\n"
    if len(line.encode()) > LONGEST_LINE:
        raise UsageError(
            f"{job.archive}: the line of {len(line.encode())} bytes is longer than cron reads: use a shorter path"
        )
    return f"{_begin(job.name)} (made by `uknip schedule`: change it there)\n{line}{_end(job.name)}\n"


def put_in(table: str, name: str, lines: str) -> str:
    """Return a crontab with a block in place of the one of that name, or at its end."""
    start, end = _place(table, name)
    before = table[:start]
    return before + ("" if before.endswith("\n") or not before else "\n") + lines + table[end:]


def taken_out(table: str, name: str) -> str:
    """Return a crontab without the block of that name."""
    start, end = _place(table, name)
    return table[:start] + table[end:]


def holds(table: str, name: str) -> bool:
    """Tell whether a crontab has the block of that name."""
    return bool(_begun(table, name))


def _place(table: str, name: str) -> tuple[int, int]:
    begun = _begun(table, name)
    if not begun:
        return len(table), len(table)
    ended = re.compile(rf"^{re.escape(_end(name))}[ \t]*(?:\n|\Z)", re.MULTILINE).search(table, begun.end())
    if not ended:
        raise UsageError(
            f"the crontab begins `{_begin(name)}` and never ends it: mend it with `crontab -e`, then try again"
        )
    return begun.start(), ended.end()


def _begun(table: str, name: str) -> re.Match[str] | None:
    return re.search(rf"^{re.escape(_begin(name))}(?: .*)?$", table, re.MULTILINE)


def _begin(name: str) -> str:
    return f"# BEGIN {name}"


def _end(name: str) -> str:
    return f"# END {name}"
