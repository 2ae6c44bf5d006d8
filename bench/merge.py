"""What `uknip merge` costs: two archives of one site, half of whose stories both have, joined in a new process.

    uv run python bench/merge.py [ARTICLES] [WORKERS]

Beside it in the same run: the same captures read again in the joined archive (`uknip reextract --all`), of which a merge is made
for the most part, and the WARC files copied and synced, less than which no merge can do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reextraction import fill, reextract


def measured(*arguments: str) -> tuple[float, int]:
    """Return seconds by the clock and the most memory of the main process, in MiB (`ru_maxrss` is in KiB on Linux)."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "uknip_crawler", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return time.perf_counter() - began, used.ru_maxrss // 1024


def copied(source: Path, target: Path) -> float:
    began = time.perf_counter()
    shutil.copytree(source / "warc", target)
    os.sync()
    return time.perf_counter() - began


def main(articles: str = "5000", workers: str = "2") -> None:
    count = int(articles)
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder) / "one", Path(folder) / "other"
        fill(one, count, 0, count * 3 // 2)
        fill(other, count, count // 2, count * 3 // 2)
        floor = copied(other, Path(folder) / "copied")
        where = ("--archive", str(one), "--workers", workers)
        seconds, memory = measured("merge", str(other), *where)
        print(
            f"two archives of {count:,}, half shared   {seconds:7.1f} s, {memory:,} MiB in the main process"
        )
        again, memory = measured("merge", str(other), *where)
        print(f"the same again, nothing new         {again:7.1f} s, {memory:,} MiB")
        reading, _, _ = reextract(one, int(workers))
        print(f"all {count * 2:,} captures read again        {reading:7.1f} s")
        print(f"the other's WARC files copied       {floor:7.1f} s")
        print(f"ratio                               {seconds / reading:7.2f} of reading again")


if __name__ == "__main__":
    main(*sys.argv[1:])
