"""Flip single bits of an archive's database, or of its captures, and count what `uknip verify` says.

    uv run python bench/flips.py ARCHIVE [--flips 100] [--seed 1] [--captures]

A flip is *named* when verify ends with status 5; *invisible* when it does not and no row, no index and no search differs
from what they were; *passed over* when one does. A traceback of verify or status is counted too. The last two must be 0.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from uknip_crawler.cli import main

TRACEBACK = 70
DERIVED = ("articles_fts", "_", "sqlite_", "fingerprint_bands")
"""Tables made from others, which no page shows; of the search index its own check tells."""


def run(*arguments: str) -> tuple[int, str]:
    """Run a command in a child process that has everything imported; 70 stands for a traceback."""
    with tempfile.TemporaryFile() as told:
        child = os.fork()
        if child == 0:
            for stream in (1, 2):
                os.dup2(told.fileno(), stream)
            sys.argv = ["uknip", *arguments]
            status = TRACEBACK
            try:
                main()
                status = 0
            except SystemExit as exit_:
                status = int(exit_.code or 0)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told.seek(0)
        return status, told.read().decode("utf-8", "replace")


def content(database: Path) -> object:
    """Return all that a reader can get: every table's rows in order, what each index and the search find."""
    try:
        with closing(sqlite3.connect(database)) as db:
            names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            shown = [name for name in names if not name.startswith(DERIVED)]
            rows = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in shown}
            sound = db.execute("PRAGMA integrity_check").fetchall()
            db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
            return rows, sound
    except sqlite3.Error as error:
        return str(error)


def flip(path: Path, chance: random.Random) -> str:
    data = bytearray(path.read_bytes())
    place, bit = chance.randrange(len(data)), chance.randrange(8)
    data[place] ^= 1 << bit
    path.write_bytes(data)
    return f"{path.name} byte {place} bit {bit}"


def copy_of(archive: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(archive, folder))


def measure(archive: Path, *, flips: int, seed: int, captures: bool) -> Counter[str]:
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "archive"
        whole = content(copy_of(archive, folder) / "uknip.db")
        for _ in range(flips):
            copy_of(archive, folder)
            files = sorted((folder / "warc").iterdir()) if captures else [folder / "uknip.db"]
            sizes = [file.stat().st_size for file in files]
            what = flip(chance.choices(files, sizes)[0], chance)
            shutil.copytree(folder, folder.with_name("looked-at"), dirs_exist_ok=True)
            seen = content(folder.with_name("looked-at") / "uknip.db")
            shutil.rmtree(folder.with_name("looked-at"))
            status = {command: run(command, "--archive", str(folder)) for command in ("status", "verify")}
            for command, (code, told) in status.items():
                if code == TRACEBACK or "Traceback" in told:
                    counts[f"traceback of {command}"] += 1
                    print(f"{what}: traceback of {command}: {told.splitlines()[-1:]}", file=sys.stderr)
            if status["verify"][0] == 5:
                counts["named"] += 1
            elif seen == whole and not captures:
                counts["invisible"] += 1
            else:
                counts["passed over"] += 1
                print(f"{what}: passed over", file=sys.stderr)
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--captures", action="store_true", help="flip bits of WARC files instead")
    given = parser.parse_args()
    counted = measure(given.archive, flips=given.flips, seed=given.seed, captures=given.captures)
    print(", ".join(f"{count} {name}" for name, count in sorted(counted.items())))
    sys.exit(1 if counted["passed over"] or any("traceback" in name for name in counted) else 0)
