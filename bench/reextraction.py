"""Captures a second of `uknip reextract --all`, from WARC files to finished rows.

    uv run python bench/reextraction.py [CAPTURES] [WORKERS] [dask]

The floor in the same run: the same captures read from the same WARC files by warcio in one process, nothing parsed. With
`dask`, in the same run too: one process, and a Dask cluster on this machine with as many workers of one thread each, whose
CPU seconds are not counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # behind: both folders have a `processes`

from processes import of_all

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.posts import Post
from uknip_crawler.extraction import read
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Article, Block, BlockKind, Capture, Reading
from uknip_crawler.sites import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "http://127.0.0.1:8000/"
BATCH = 50


def as_told(capture: Capture, post: Post, skeletons: dict[str, str | None]) -> Reading:
    """Return a story as its newsroom knows it: but for one page of each layout, nothing is read to be archived."""
    if post.layout not in skeletons:
        skeletons[post.layout] = read(capture, load_site(BASE), expected_article=True).skeleton
    blocks = tuple(Block(BlockKind.PARAGRAPH, text) for text in post.body.split("\n\n"))
    return Reading(article=Article(capture.url, post.headline, blocks), skeleton=skeletons[post.layout])


def fill(directory: Path, captures: int, first: int = 0, of: int = 0) -> None:
    """Archive the sample site's pages as a crawl does, without the network and the reading between: so many stories, all
    there are or those from the `first` on of `of`."""
    site = SampleSite(Newsroom(of or captures, now=NOW))
    site.base_url = BASE
    published = site.newsroom.published()[first : first + captures]
    posts, skeletons = iter(published), dict[str, str | None]()
    headers = (("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip"))
    with Archive(directory) as archive:
        with archive.transaction():
            run = archive.ledger.start_run("crawl", BASE, {}, "bench", at=NOW)
        settlement = Settlement(archive, load_site(BASE), CrawlRun(run, NOW, lambda: NOW))
        while batch := {site.url(post.path): post for post in islice(posts, BATCH)}:
            with archive.transaction():
                archive.frontier.add([Candidate(url, "article", "rest") for url in batch], at=NOW, due_at=NOW)
                dues = archive.frontier.claim(run, BATCH, due_by=NOW, at=NOW)
            visits = []
            for due in dues:
                post = batch[due.url]
                capture = Capture(due.url, 200, headers, site.answer(post.path).gzipped, NOW)
                response = Response(capture, archive.capture(run, capture, (), at=NOW))
                visits.append(Visit(due, response, reading=as_told(capture, post, skeletons)))
            settlement.settle(visits)
        archive.finish_captures(at=NOW)
        with archive.transaction():
            archive.ledger.finish_run(run, 0, "finished", requests=captures, received_bytes=0, at=NOW)


def warcio_alone(directory: Path) -> float:
    from warcio.archiveiterator import ArchiveIterator

    began = time.perf_counter()
    for path in sorted((directory / "warc").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response":
                    record.raw_stream.read()
    return time.perf_counter() - began


def reextract(directory: Path, *where: str) -> tuple[float, float, dict[str, Any]]:
    """Return seconds by the clock, CPU seconds of all processes, and the command's own report."""
    command = [
        sys.executable,
        "-m",
        "uknip_crawler",
        "reextract",
        "--all",
        "--json",
        "--archive",
        str(directory),
    ]
    began = time.perf_counter()
    told, cpu = of_all([*command, *where])
    return time.perf_counter() - began, cpu, json.loads(told)


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Run a Dask scheduler and workers on this machine; yield the scheduler's address."""
    from machines import DaskMachines  # what only this mode needs

    with tempfile.TemporaryDirectory() as folder:
        machines = DaskMachines(Path(folder))
        try:
            machines.start(map(str, range(workers)))
            yield machines.address
        finally:
            machines.stop()


def main(captures: str = "5000", workers: str = "2", also: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "archive"
        fill(directory, int(captures))
        count = int(captures)

        def measure(name: str, *where: str) -> float:
            seconds, cpu, report = reextract(directory, *where)
            changed = {field: stories for field, stories in report["changed"].items() if stories}
            print(f"{name:26} {seconds:7.1f} s  {count / seconds:7.0f} captures/s", end="  ")
            print(f"{cpu / count * 1000:5.1f} ms CPU each, changed {changed}")
            return seconds

        measure("first run, with learning", "--workers", workers)
        seconds = measure(f"second run, {workers} workers", "--workers", workers)
        if also == "dask":
            measure("again, 1 worker", "--workers", "1")
            with cluster(int(workers)) as address:
                measure(f"again, Dask, {workers} workers", "--dask", address)
                measure("and once more", "--dask", address)
        floor = warcio_alone(directory)
        print(f"warcio alone, one process  {floor:7.1f} s  {count / floor:7.0f} captures/s")
        print(f"ratio                      {floor / seconds:7.2f} of warcio alone")


if __name__ == "__main__":
    main(*sys.argv[1:])
