"""Kills crawls with SIGKILL at random points, runs them again, and compares what is archived with an undisturbed crawl.

    uv run python bench/kills.py [STORIES] [KILLS] [SEED]

A point is a number of requests served and some milliseconds more, so that kills also fall between a capture and its row,
into learning and into the reading that follows a run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from crawling import arguments, newsroom, rows, tables

from uknip_crawler.demo import SampleSite

MORE_SECONDS = 1.0
AFTER_LAST_SECONDS = 10.0


def crawl(site: SampleSite, directory: Path) -> None:
    """Crawl undisturbed, however long it takes."""
    subprocess.run(arguments(site.base_url, directory), check=True, stdout=subprocess.DEVNULL)


def killed(site: SampleSite, directory: Path, requests: int, seconds: float) -> str:
    """Kill a crawl at a point and return what it was doing, or that it ended before."""
    site.requests.clear()
    process = subprocess.Popen(
        arguments(site.base_url, directory), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(site.requests) < requests and process.poll() is None:
        time.sleep(0.001)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        ended = rows(directory, "SELECT finished_at IS NOT NULL FROM runs")
        return "after the crawl" if ended == [(1,)] else "during the crawl"
    return "not: it had ended"


def main(stories: str = "200", kills: str = "20", seed: str = "1") -> None:
    random, alike = Random(int(seed)), 0
    with tempfile.TemporaryDirectory() as folder, SampleSite(newsroom(int(stories))) as site:
        crawl(site, Path(folder) / "undisturbed")
        total = len(site.requests)
        expected = tables(Path(folder) / "undisturbed")
        for number in range(1, int(kills) + 1):
            directory = Path(folder) / str(number)
            point = random.randint(1, total)
            seconds = random.uniform(0, AFTER_LAST_SECONDS if point > 0.9 * total else MORE_SECONDS)
            where = killed(site, directory, point, seconds)
            crawl(site, directory)
            found = tables(directory)
            if where == "after the crawl":  # a second run's lists name the newest story again
                found["frontier"] = expected["frontier"]
            differs = [name for name in expected if found[name] != expected[name]]
            alike += not differs
            print(
                f"{number:3}: killed {where}, {seconds:.2f} s after request {point} of {total}: "
                + (f"DIFFERS in {', '.join(differs)}" if differs else "the same"),
                flush=True,
            )
    print(f"{alike} of {kills} the same")


if __name__ == "__main__":
    main(*sys.argv[1:])
