"""Captures a second of `uknip reextract --all`, from WARC files to finished rows.

    uv run python bench/reextraction.py [CAPTURES] [WORKERS]

The floor in the same run: the same captures read from the same WARC files by warcio in one process, nothing parsed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.posts import Post
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Article, Block, BlockKind, Capture, Reading
from uknip_crawler.sites import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "http://127.0.0.1:8000/"
BATCH = 50


def as_told(url: str, post: Post) -> Reading:
    """Return a story as its newsroom knows it: nothing need be read to be archived once."""
    blocks = tuple(Block(BlockKind.PARAGRAPH, text) for text in post.body.split("\n\n"))
    return Reading(article=Article(url, post.headline, blocks))


def fill(directory: Path, captures: int) -> None:
    """Archive the sample site's pages as a crawl does, without the network and the reading between."""
    site = SampleSite(Newsroom(captures, now=NOW))
    site.base_url = BASE
    posts = iter(site.newsroom.published())
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
                visits.append(Visit(due, response, reading=as_told(due.url, post)))
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


def reextract(directory: Path, workers: int) -> tuple[float, dict[str, object]]:
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
    done = subprocess.run([*command, "--workers", str(workers)], capture_output=True, text=True, check=True)
    return time.perf_counter() - began, json.loads(done.stdout)


def main(captures: str = "5000", workers: str = "2") -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "archive"
        fill(directory, int(captures))
        seconds, report = reextract(directory, int(workers))
        print(
            f"first run, with learning   {seconds:7.1f} s  {report['stories']} stories, changed {report['changed']}"
        )
        seconds, report = reextract(directory, int(workers))
        floor = warcio_alone(directory)
        count = int(captures)
        print(f"second run, {workers} workers      {seconds:7.1f} s  {count / seconds:7.0f} captures/s")
        print(f"warcio alone, one process  {floor:7.1f} s  {count / floor:7.0f} captures/s")
        print(f"ratio                      {floor / seconds:7.2f} of warcio alone")


if __name__ == "__main__":
    main(*sys.argv[1:])
