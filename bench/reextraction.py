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
from pathlib import Path

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.extraction import read
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Capture
from uknip_crawler.sites import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "http://127.0.0.1:8000/"


def fill(directory: Path, captures: int) -> None:
    """Archive the sample site's pages as a crawl does, without the network between."""
    site = SampleSite(Newsroom(captures, now=NOW))
    site.base_url = BASE
    known = load_site(BASE)
    with Archive(directory) as archive:
        with archive.transaction():
            run = archive.ledger.start_run("crawl", BASE, {}, "bench", at=NOW)
        settlement = Settlement(archive, known, CrawlRun(run, NOW, lambda: NOW))
        for post in site.newsroom.published():
            url = site.url(post.path)
            answer = site.answer(post.path)
            headers = (("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip"))
            capture = Capture(url, 200, headers, answer.gzipped, NOW)
            with archive.transaction():
                archive.frontier.add([Candidate(url, "article", "rest")], at=NOW, due_at=NOW)
                (due,) = archive.frontier.claim(run, 1, due_by=NOW, at=NOW)
            record = archive.capture(run, capture, (), at=NOW)
            visit = Visit(due, Response(capture, record), reading=read(capture, known, with_links=False))
            settlement.settle([visit])
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
