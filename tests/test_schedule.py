"""Schedules as text: spans, units as systemd reads them, crontab lines as cron reads them."""

from __future__ import annotations

import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from capabilities import need_programs

from uknip_crawler.errors import UsageError
from uknip_crawler.schedule import crontab, systemd
from uknip_crawler.schedule.cadence import Cadence, cadence
from uknip_crawler.schedule.job import Job

SHIFT = 4 * 1440 + 5 * 60 + 41
"""Thursday, 05:41."""
SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "a b 100% $HOME ${x} 'q' \"d\" \\e ; é*"
SPANS = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "30 min": timedelta(minutes=30),
    "60 minutes": timedelta(hours=1),
    "hourly": timedelta(hours=1),
    "3h": timedelta(hours=3),
    "2 hours": timedelta(hours=2),
    "1h 60m": timedelta(hours=2),
    "12hr": timedelta(hours=12),
    "1d": timedelta(days=1),
    "24h": timedelta(days=1),
    "daily": timedelta(days=1),
    "1 week": timedelta(weeks=1),
    "7d": timedelta(weeks=1),
}


def numbers(field: str, low: int, high: int) -> set[int]:
    """Return what a field of a crontab's line stands for, by the rules of crontab(5)."""
    if field == "*":
        return set(range(low, high + 1))
    span, _, step = field.partition("/")
    start, _, end = span.partition("-")
    return set(range(int(start), int(end or start) + 1, int(step or 1)))


def cron_times(fields: str, start: datetime, days: int) -> list[datetime]:
    """Return the minutes at which cron starts a line."""
    minute, hour, day, month, weekday = fields.split()
    assert (day, month) == ("*", "*")
    minutes, hours, weekdays = numbers(minute, 0, 59), numbers(hour, 0, 23), numbers(weekday, 0, 6)
    times = [start + timedelta(minutes=n) for n in range(days * 1440)]
    return [t for t in times if t.minute in minutes and t.hour in hours and t.isoweekday() % 7 in weekdays]


def job(folder: Path, *options: str, every: Cadence | None = None) -> Job:
    """Return a crawl by a program whose path is as hostile as the archive's."""
    program = folder / "python 100% $HOME ${x} ; é*"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    archive = folder / HOSTILE
    archive.mkdir(exist_ok=True)
    words = ("crawl", "https://news.example/", "--archive", str(archive), *options)
    return Job(archive, (str(program), *words), every or cadence("3h", shift=SHIFT))


@pytest.mark.parametrize("text", SPANS)
def test_cron_runs_at_the_span_that_was_asked_for(text: str) -> None:
    """Over days and midnights the same distance, none missing."""
    times = cron_times(cadence(text, shift=SHIFT).cron(), SUNDAY, 22)
    distances = {later - earlier for earlier, later in pairwise(times)}
    assert distances == {SPANS[text]}


@pytest.mark.parametrize("text", SPANS)
def test_systemd_runs_at_the_same_times_as_cron(text: str) -> None:
    """By systemd's own reckoning."""
    need_programs("systemd-analyze")
    wanted = cadence(text, shift=SHIFT)
    command = ["systemd-analyze", "calendar", wanted.calendar(), "--iterations=3", "--base-time=2026-03-01"]
    done = subprocess.run(
        command,
        check=False,
        env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    told = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ ([\d-]+ [\d:]+) UTC", done.stdout)
    times = cron_times(wanted.cron(), SUNDAY, 22)
    assert [datetime.fromisoformat(f"{one}Z") for one in told] == [t for t in times if t > SUNDAY][:3]


@pytest.mark.parametrize(
    "text",
    ["45m", "90m", "5h", "2d", "2w", "30s", "0m", "30", "3x", "30mm", "", "3 h m", "-3h", "1.5h", "often"],
)
def test_a_span_that_no_clock_repeats_is_refused(text: str) -> None:
    """With what can be had instead."""
    with pytest.raises(UsageError, match="20 or 30 minutes, 1, 2, 3, 4, 6, 8 or 12 hours, 1d or 1w"):
        cadence(text)


@pytest.mark.parametrize("manager", ["user", "system"])
def test_systemd_understands_the_units_as_they_were_meant(manager: str, tmp_path: Path) -> None:
    """Its own check finds no fault, and the words it reads are ours, whatever is in them."""
    need_programs("systemd-analyze")
    wanted = job(tmp_path, "--contact", HOSTILE)
    units = tmp_path / "units"
    units.mkdir()
    user = None if manager == "user" else "archivist"
    (units / f"{wanted.name}.service").write_text(systemd.service(wanted, user), "utf-8")
    (units / f"{wanted.name}.timer").write_text(systemd.timer(wanted), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--{manager}", "--man=no", *map(str, units.iterdir())],
        env={
            "SYSTEMD_LOG_LEVEL": "debug",
            "SYSTEMD_LOG_TARGET": "console",
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    faults = rf"{wanted.name}\.(service|timer):\d+:.*"  # how systemd begins a line about a line
    assert re.findall(faults, done.stderr) == []
    read = [line.strip() for line in done.stdout.splitlines()]
    also = " /tmp" if tmp_path.is_relative_to("/tmp") else ""  # an archive there needs the machine's own
    assert f"ReadWritePaths: {wanted.archive}{also}" in read
    assert f"Description: uknip: keep {wanted.archive} up to date" in read
    settings = {"ProtectSystem: strict", "RestrictSUIDSGID: yes", "TimeoutStopSec: 3min", "KillMode: mixed"}
    assert settings | {"Persistent: yes", "OnCalendar: *-*-* 02/3:41:00"} <= set(read)
    (line,) = (line for line in read if line.startswith("Command Line: ") and str(tmp_path) in line)
    program, *words = shlex.split(line.removeprefix("Command Line: ").replace("\\$", "$"))
    assert (program, *(word.replace("$$", "$") for word in words)) == wanted.command


def test_an_archive_of_its_own_disk_waits_for_it_and_is_alone_writable() -> None:
    """And has a private /tmp, unless it lies in the common one."""
    program = ("/usr/bin/python3",)
    there = systemd.service(Job(Path("/srv/news"), program, Cadence(60)), "archivist").splitlines()
    assert {
        "RequiresMountsFor=/srv/news",
        "User=archivist",
        "PrivateTmp=true",
        "NoNewPrivileges=true",
    } <= set(there)
    assert "SuccessExitStatus=75 143" in there
    assert [line for line in there if line.startswith("ReadWritePaths")] == ["ReadWritePaths=/srv/news"]
    common = systemd.service(Job(Path("/tmp/news"), program, Cadence(60)), None).splitlines()
    assert "PrivateTmp=true" not in common
    assert not [line for line in common if line.startswith(("User", "Capability"))]


def test_a_program_that_systemd_would_not_start_is_refused() -> None:
    """It takes no quotes and no backslash in a program's path, however written."""
    with pytest.raises(UsageError, match="no program with quotes in its path"):
        systemd.service(Job(Path("/srv/news"), ("/opt/o'brien/python",), Cadence(60)), None)


@pytest.mark.parametrize("word", ["two\nlines", "nul\0", "carriage\r", "bell\a", "\udcff"])
def test_what_no_unit_and_no_crontab_can_hold_is_refused(word: str) -> None:
    """Before anything is written."""
    for archive, command in ((Path(f"/srv/{word}"), ("/bin/true",)), (Path("/srv/a"), ("/bin/true", word))):
        with pytest.raises(UsageError, match="cannot be scheduled"):
            Job(archive, command, Cadence(60))


@pytest.mark.parametrize(
    ("folder", "words"),
    [("a" * 950, "longer than cron reads"), ("a\\%b", "backslash before a percent sign")],
)
def test_what_cron_would_misread_is_refused(folder: str, words: str) -> None:
    """Cron cuts a long line without a word, and ends a command at a percent sign."""
    archive = Path("/srv") / folder
    with pytest.raises(UsageError, match=words):
        crontab.block(Job(archive, ("/bin/true", str(archive)), Cadence(60)))


@pytest.mark.parametrize("table", ["", "# mine\n0 1 * * * backup 100\\%\n", "MAILTO=me\n@daily x", "\n\n"])
def test_a_crontab_keeps_the_lines_of_others(table: str) -> None:
    """Two archives beside each other, each put in twice and taken out; only a last line break may be new."""
    first, second = (
        Job(Path(f"/srv/{name}"), ("/bin/true", name), Cadence(60)) for name in ("news", "news-2")
    )
    grown = table
    for one in (first, second, first):
        grown = crontab.put_in(grown, one.name, crontab.block(one))
    assert grown.count("BEGIN uknip") == 2
    assert crontab.holds(grown, first.name)
    daily = Job(first.archive, first.command, Cadence(1440))
    changed = crontab.put_in(grown, daily.name, crontab.block(daily))
    assert changed == grown.replace("0 0-23/1 * * * out=$(/bin/true news ", "0 0 * * * out=$(/bin/true news ")
    left = crontab.taken_out(crontab.taken_out(changed, first.name), second.name)
    assert left == (table if table.endswith("\n") or not table else f"{table}\n")
    assert not crontab.holds(left, first.name)


def test_a_block_that_was_torn_is_not_guessed_at() -> None:
    """What follows it may be somebody else's."""
    one = Job(Path("/srv/news"), ("/bin/true",), Cadence(60))
    torn = crontab.block(one).replace("# END", "# end") + "0 1 * * * mine\n"
    with pytest.raises(UsageError, match="never ends it"):
        crontab.taken_out(torn, one.name)


def test_every_archive_has_a_name_of_its_own() -> None:
    """Readable, also where nothing in the folder's name can be."""
    names = {
        Job(Path(path), ("/bin/true",), Cadence(60)).name
        for path in ("/a/news", "/b/news", "/a/News", "/新聞")
    }
    assert len(names) == 4
    assert all(re.fullmatch(r"uknip(-news)?-[0-9a-f]{8}", name) for name in names)
