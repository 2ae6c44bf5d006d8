"""Commands killed at random moments and given again: what they leave is compared with what an undisturbed one leaves.

    uv run python bench/kills.py [COMMAND …] [--kills N] [--stops N] [--seed N] [--quick]

Every command works on its own copy of one small archive; a moment is drawn from its own undisturbed duration. SIGKILL goes
to the whole process group, as from the kernel or a service manager, SIGTERM (`--stops`, crawling and reading again) to the
group or the process alone. Compared are exit status, tables by content, every WARC record (`uknip verify`), the names of
all files, exported bytes; of a redaction, that its words are nowhere. Linux only: commands are forks of a process that
has imported everything, so that no moment falls into imports.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from crawling import FAST, NOW, crawl, newsroom, rows, tables
from processes import begin, uknip
from test_import import FIRST, SECOND, capture_all, lives
from test_rebuild import make_all_due
from test_redaction import chosen, found, told_only_by

from uknip_crawler.archive import DATABASE, Archive
from uknip_crawler.demo import SampleSite
from uknip_crawler.models import FAILURES

STORIES, QUICK = 30, 3
MEASURED = 3
TRIES, SOONER = 5, 0.7
"""Moments drawn for one kill, when the command had ended before; the machine may be less busy than when it was measured."""
STOPPED = {128 + signal.SIGTERM, -signal.SIGTERM}
"""What a shell calls 143; the latter where Python itself had not begun or had ended."""
Content = dict[str, Any]
Expected = tuple[Content, Content]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, the folder it is given in, and what of that folder counts. `archive/` is in it."""

    name: str
    before: Path
    arguments: tuple[str, ...]
    content: Callable[[Path], Content]


@dataclass(slots=True)
class Trial:
    """A copy of a command's folder."""

    command: Command
    folder: Path

    def __enter__(self) -> Self:
        shutil.copytree(self.command.before, self.folder)
        (self.folder / "tmp").mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"TMPDIR": str(self.folder / "tmp")}

    def run(self) -> tuple[float, Content]:
        """Give the command and wait; return its seconds and what there is then."""
        began = time.monotonic()
        done = uknip(*self.command.arguments, cwd=self.folder, environment=self.environment)
        told = "" if done.returncode == 0 else f": {(done.stderr or done.stdout)[-300:]}"
        seconds = time.monotonic() - began
        return seconds, {"status": f"{done.returncode}{_masked(told)}"} | self.content()

    def disturb(self, seconds: float, number: signal.Signals, *, group: bool) -> tuple[int | None, float]:
        """Send a signal after some seconds; return the status, None where it had ended before, and the seconds to the end."""
        running = begin(*self.command.arguments, cwd=self.folder, environment=self.environment)
        had_ended = running.has_ended(seconds)
        sent = time.monotonic()
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(running.pid, number)
        status = running.end().returncode
        return None if had_ended else status, time.monotonic() - sent

    def content(self) -> Content:
        """Return all that counts, with what `verify` finds and the names of the files."""
        found = self.command.content(self.folder)
        if (self.folder / "archive" / DATABASE).is_file():
            verified = uknip("verify", "--archive", "archive", cwd=self.folder)
            found["verified"] = verified.stdout if verified.returncode else "yes"
        return found | {"files": self._files()}

    def _files(self) -> set[str]:
        """Return the names of the files, numbers masked: those of WARC files and the runs' own differ."""
        names = (str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))
        # Python's own folder of sockets, which nobody can take away after SIGKILL
        return {_masked(name) for name in names if not name.startswith("tmp/pymp-")}


def _masked(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def differences(found: Content, expected: Content) -> list[str]:
    """Return what is not as it should be."""
    told = []
    for name in expected:
        if found[name] == expected[name]:
            continue
        ours, theirs = (
            set(map(repr, c[name])) if not isinstance(c[name], str) else {c[name]} for c in (found, expected)
        )
        told.append(f"{name}: {_some(ours - theirs)} instead of {_some(theirs - ours)}"[:600])
    return told


def _some(lines: set[str]) -> str:
    return " ".join(line[:300] for line in sorted(lines)[:3]) or "nothing"


# The commands


def commands(folder: Path, stack: ExitStack) -> list[Command]:
    """Make the archives that the commands work on, each once; sites live as long as the stack."""
    site = stack.enter_context(SampleSite(newsroom(STORIES)))
    fresh, living = (_folder(folder / name) for name in ("fresh", "living"))
    archive = living / "archive"
    captures = [capture_all(site, folder / "first.warc.gz", FIRST)]
    crawl(site, archive)
    moving = stack.enter_context(SampleSite(newsroom(STORIES)))
    moving.newsroom.work(NOW + timedelta(days=1))
    captures.append(capture_all(moving, folder / "second.warc.gz", SECOND))
    site.newsroom.work(NOW + timedelta(days=1))
    make_all_due(archive)
    crawl(site, archive)
    to_redact = chosen(site)
    others = [post for post in site.newsroom.published() if post is not to_redact]
    words = told_only_by(to_redact, others)

    def is_nowhere(trial: Path) -> Content:
        return tables(trial / "archive") | {"told": found(trial / "archive", *words)}

    exported = Path(shutil.copytree(living, folder / "exported"))
    for kind, name in (("csv", "stories.csv"), ("datapackage", "package")):
        uknip(
            "export", kind, "-o", f"out/{name}", "--archive", "archive", "--until", "2025-06-01", cwd=exported
        )
    given = ("--archive", "archive")
    second = stack.enter_context(SampleSite(newsroom(STORIES)))
    imports = ("import-warc", *map(str, captures), "--base-url", moving.base_url, *given)
    return [
        Command("crawl", fresh, ("crawl", second.base_url, "--images", *given, *FAST), _archived),
        Command("import-warc", fresh, imports, lambda trial: lives(trial / "archive") | _archived(trial)),
        Command("rebuild", _without_database(living, folder / "lost"), ("rebuild", *given), _archived),
        Command(
            "reextract", _outdated(living, folder / "outdated"), ("reextract", "--all", *given), _archived
        ),
        Command(
            "redact",
            living,
            ("redact", site.url(to_redact.path), "--yes", "--reason", "asked to", *given),
            is_nowhere,
        ),
        Command("export csv", exported, ("export", "csv", "-o", "out/stories.csv", *given), _bytes),
        Command(
            "export datapackage", exported, ("export", "datapackage", "-o", "out/package", *given), _bytes
        ),
        Command("backup", living, ("backup", "--force", "out/copy.db", *given), _backed_up),
    ]


def _folder(path: Path) -> Path:
    for name in ("archive", "out"):
        (path / name).mkdir(parents=True)
    return path


def _archived(trial: Path) -> Content:
    return dict(tables(trial / "archive"))


def _bytes(trial: Path) -> Content:
    files = (path for path in (trial / "out").rglob("*") if path.is_file())
    # a package's own account says when it was made
    read = {path.name: re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"", path.read_bytes()) for path in files}
    return {"exported": sorted(read.items())}


def _backed_up(trial: Path) -> Content:
    copy = trial / "restored"
    copy.mkdir()
    shutil.copy(trial / "out" / "copy.db", copy / DATABASE)
    noted = (trial / "archive" / "backups.jsonl").read_text("utf-8").splitlines()
    try:
        return dict(tables(copy)) | {
            "noted": {line.partition(', "at"')[0].rpartition("/")[2] for line in noted}
        }
    finally:
        shutil.rmtree(copy)


def _without_database(living: Path, path: Path) -> Path:
    shutil.copytree(living, path)
    (path / "archive" / DATABASE).unlink()
    return path


def _outdated(living: Path, path: Path) -> Path:
    """An archive that knows nothing of layouts any more, with a line that is to be stripped now."""
    shutil.copytree(living, path)
    with Archive(path / "archive") as archive, archive.transaction():
        archive.db.execute("DELETE FROM studies")
        archive.db.execute("UPDATE layouts SET state = 'learning', rules = NULL")
        archive.db.execute("UPDATE articles SET extractor_version = ''")
    line = rows(path / "archive", "SELECT body FROM articles ORDER BY url LIMIT 1")[0][0].split("\n\n")[1]
    assert uknip("layouts", "--strip", line, "--archive", str(path / "archive")).returncode == 0
    return path


# Disturbing them


@dataclass(slots=True)
class Bench:
    folder: Path
    random: Random
    number: int = 0

    def trial(self, command: Command) -> Trial:
        self.number += 1
        return Trial(command, self.folder / f"trial-{self.number}")

    def measure(self, command: Command) -> tuple[float, Expected]:
        """Return an undisturbed command's seconds and what it leaves, given once and given twice."""
        seconds = []
        for number in range(MEASURED):
            with self.trial(command) as trial:
                took, once = trial.run()
                seconds.append(took)
                if number == MEASURED - 1:
                    expected = once, trial.run()[1]
        assert once["status"] == "0", f"{command.name}: {once['status']}"
        assert once.get("verified", "yes") == "yes", once["verified"]
        return statistics.median(seconds), expected

    def kill(self, command: Command, seconds: float, expected: Expected) -> bool | None:
        """Kill once and run again; return whether all is the same, None where every kill came too late."""
        for late in range(TRIES):
            with self.trial(command) as trial:
                moment = self.random.uniform(0, seconds * SOONER**late)
                status, _ = trial.disturb(moment, signal.SIGKILL, group=True)
                if status != -signal.SIGKILL:  # it has ended in the meantime
                    continue
                return self.again(trial, f"killed after {moment:.3f} s", expected)
        return None

    def again(self, trial: Trial, what: str, expected: Expected, wrong: str = "") -> bool:
        """Give the command again, say what differs, and return whether nothing does.

        Of one whose work was done when it was killed, the same is left as by two undisturbed ones.
        """
        _, found = trial.run()
        differs = [*filter(None, [wrong]), *min((differences(found, one) for one in expected), key=len)]
        for line in differs:
            print(f"    {trial.command.name} {what}: {line}", flush=True)
        return not differs

    def stop(self, command: Command, seconds: float, expected: Expected) -> tuple[bool, float] | None:
        """Terminate once and run again; return whether all is as it should be and how long the end took."""
        for late in range(TRIES):
            with self.trial(command) as trial:
                moment = self.random.uniform(0, seconds * SOONER**late)
                group = self.random.random() < 0.5
                status, took = trial.disturb(moment, signal.SIGTERM, group=group)
                if status in (None, 0):
                    continue
                what = f"told to stop ({'group' if group else 'process'}) after {moment:.3f} s"
                wrong = "" if status in STOPPED else f"ended {status}"
                if failed := _failures(trial.folder / "archive"):
                    wrong += f" failures {failed}"
                return self.again(trial, what, expected, wrong), took
        return None


def _failures(archive: Path) -> list[tuple[Any, ...]]:
    if not (archive / DATABASE).is_file():
        return []
    named = ", ".join(f"'{outcome}'" for outcome in FAILURES)
    return rows(archive, f"SELECT outcome, url, detail FROM fetches WHERE outcome IN ({named})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="crawl, export …; all unless named")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} of each, for a trial")
    asked = parser.parse_args()
    kills, stops = (QUICK, QUICK) if asked.quick else (asked.kills, asked.stops)
    failed = 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(Path(folder), Random(asked.seed))
        for command in commands(Path(folder), stack):
            if asked.commands and command.name.split()[0] not in asked.commands:
                continue
            seconds, expected = bench.measure(command)
            results = [bench.kill(command, seconds, expected) for _ in range(kills)]
            failed += results.count(False)
            print(_line(command.name, seconds, results, "killed"), flush=True)
            if command.name not in ("crawl", "reextract"):
                continue
            ends = [end for _ in range(stops) if (end := bench.stop(command, seconds, expected))]
            failed += sum(not alike for alike, _ in ends)
            took = [seconds for _, seconds in ends]
            line = _line(command.name, seconds, [alike for alike, _ in ends], "stopped")
            print(
                f"{line}; to the end {statistics.median(took):.2f} s, at most {max(took):.2f} s", flush=True
            )
    return int(failed > 0)


def _line(name: str, seconds: float, results: list[bool | None], how: str) -> str:
    count = len(results) - results.count(None)
    return f"{name:20} {seconds:6.2f} s undisturbed; {how} {count}, {results.count(True)} the same"


if __name__ == "__main__":
    sys.exit(main())
