"""What it costs to keep an archive up to date: requests, seconds and memory of runs on a site of many stories.

    uv run python bench/living.py [STORIES …] [--keep FOLDER]

A process of its own serves the sample site; every run is a `uknip crawl` in another. A first crawl of 50,000 stories
takes an hour or two on two cores: above 1,000 stories only so many are crawled, and the others, their pages in WARC files
like any, are written in as the newsroom's truth tells them. `--keep` holds on to the archive for the next time. Requests are those that the site counted;
`beyond` are those that were no due revisit of a story. Memory is that of the largest process at its highest, and of
all together at theirs, pages that they share counted once.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

from uknip_crawler.archive import DATABASE, Archive, open_readonly, warc
from uknip_crawler.archive.ledger import Response
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.answers import Answer
from uknip_crawler.demo.posts import Post
from uknip_crawler.extraction import read
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.jobs.reextraction import load_learned
from uknip_crawler.models import Article, Capture, Outcome, Reading
from uknip_crawler.sites import load_site

WAYS = {
    "REST": ("rest", "sitemap", "feed", "listings"),
    "sitemaps with lastmod": ("sitemap", "feed", "listings"),
    "feed only": ("feed", "listings"),
}
BARS = {"REST": 5, "sitemaps with lastmod": 5, "feed only": 10}
DAY = {"new": 20, "edited": 10, "deleted": 3}
DAY_BAR = 100
MEMORY_BAR_MB = 300
FRESH_UP_TO = 1_000
SITEMAP_URLS = 1_000  # as Yoast cuts them
SAMPLED_PAGES = 300


# The site, in a process of its own


def serve(stories: int, now: datetime, port: int) -> None:
    """Do what standard input says, one JSON object a line, and answer in kind."""
    newsroom, site = Newsroom(stories, now=now), None
    for line in sys.stdin:
        order = json.loads(line)
        if doors := order.get("doors"):
            if site is not None:
                site.__exit__(None, None, None)
            closed = dict.fromkeys(WAYS["REST"], False)
            site = SampleSite(
                newsroom, port=port, sitemap_urls=SITEMAP_URLS, **closed | dict.fromkeys(doors, True)
            )
            port = int(site.__enter__().base_url.rstrip("/").rpartition(":")[2])
            answer: Any = port
        elif day := order.get("day"):
            work = newsroom.busy_day(datetime.now(UTC), **day)
            edited, deleted = ([one.path for one in done] for done in (work.edited, work.deleted))
            answer = {"new": list(work.published.values()), "edited": edited, "deleted": deleted}
        elif "write" in order:
            assert site is not None
            answer = write_in(site, Path(order["write"]))
        else:
            assert site is not None
            answer = len(site.requests)
            site.requests.clear()
        print(json.dumps(answer), flush=True)


def write_in(site: SampleSite, directory: Path) -> int:
    """Archive every story that is due, its page as served and its reading as it should be; return how many."""
    known, now = load_site(site.base_url), datetime.now(UTC)
    posts = {site.url(post.path): post for post in site.newsroom.truth(site.base_url)}
    read_as: dict[str, Reading] = {}
    with Archive(directory) as archive:
        learned = load_learned(archive)
        with archive.transaction():
            run = archive.ledger.start_run("crawl", site.base_url, {}, "bench", at=now)
        settlement = Settlement(archive, known, CrawlRun(run, now, lambda: now))
        written = 0
        while True:
            with archive.transaction():
                claimed = archive.frontier.claim(run, 100, due_by=now, at=now)
            if not claimed:
                break
            visits = []
            for due in claimed:
                if (post := posts.get(due.url)) is None:
                    visits.append(Visit(due, outcome=Outcome.DEFERRED))  # to the crawl that settles
                    continue
                answer = site.answer(post.path)
                capture = Capture(due.url, 200, headers(answer), answer.gzipped, now)
                like = read_as.get(post.layout) or read(
                    capture, known, expected_article=True, learned=learned
                )
                read_as[post.layout] = like
                reading = replace(like, article=truth(post, due.url), links=(), furniture=(), flags=())
                record = archive.capture(run, capture, (), at=now)
                visits.append(Visit(due, Response(capture, record), reading=reading))
            settlement.settle(visits)
            written += len(visits)
        archive.finish_captures(at=now)
        with archive.transaction():
            archive.ledger.finish_run(run, 0, "finished", requests=written, received_bytes=0, at=now)
    return written


def headers(answer: Answer) -> tuple[tuple[str, str], ...]:
    assert answer.modified_at is not None
    return (
        ("Content-Type", answer.content_type),
        ("Content-Encoding", "gzip"),
        ("ETag", answer.etag),
        ("Last-Modified", format_datetime(answer.modified_at, usegmt=True)),
    )


def truth(post: Post, url: str) -> Article:
    return Article(
        url, post.headline, post.blocks, post.post_id, post.kicker, post.standfirst, post.authors, post.section, post.tags,
        post.published_at, None, post.modified_at, None, "en-GB", post.lead_image, post.images,
    )  # fmt: skip


class Site:
    """The served site. Its newsroom began at `now`; both stay the same from one use of a kept archive to the next."""

    def __init__(self, stories: int, folder: Path) -> None:
        self._kept = folder / "site.json"
        self.stories = stories
        self._facts = {"now": datetime.now(UTC).isoformat(), "port": 0}
        if self._kept.exists():
            self._facts = json.loads(self._kept.read_text("utf-8"))
        command = [sys.executable, __file__, "--serve", str(stories), *map(str, self._facts.values())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def open(self, doors: Sequence[str]) -> None:
        self._facts["port"] = self._ask({"doors": doors})
        self._kept.write_text(json.dumps(self._facts), "utf-8")

    def work(self) -> dict[str, list[str]]:
        done: dict[str, list[str]] = self._ask({"day": DAY})
        return {kind: [self.base_url.rstrip("/") + path for path in paths] for kind, paths in done.items()}

    def write_into(self, archive: Path) -> int:
        return int(self._ask({"write": str(archive)}))

    def requests(self) -> int:
        """Return how many requests came since this was last asked."""
        return int(self._ask({}))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._facts['port']}/"

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


# One run, and what it takes


@dataclass
class Memory:
    """Megabytes at their highest: of the largest process, and of all of them, shared pages counted once."""

    largest: float = 0.0
    together: float = 0.0

    @contextmanager
    def watching(self, pid: int) -> Iterator[None]:
        done = threading.Event()
        watcher = threading.Thread(target=lambda: self._watch(pid, done))
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _watch(self, pid: int, done: threading.Event) -> None:
        while not done.wait(0.2):
            tree = _tree(pid)
            self.largest = max([self.largest, *(_megabytes(p, "status", "VmHWM:") for p in tree)])
            self.together = max(self.together, sum(_megabytes(p, "smaps_rollup", "Pss:") for p in tree))


def _tree(pid: int) -> list[int]:
    """Return a process and all that hang below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text("utf-8").rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _megabytes(pid: int, file: str, name: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text("utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith(name)), 0.0)


@dataclass
class Run:
    report: dict[str, Any]
    requests: int
    seconds: float
    memory: Memory
    read_again: int

    @property
    def revisits(self) -> int:
        return int(self.report["revisits"]["requests"])

    @property
    def beyond(self) -> int:
        return self.requests - self.revisits


def crawl(site: Site, archive: Path, *options: str) -> Run:
    site.requests()
    command = [sys.executable, "-m", "uknip_crawler", "crawl", site.base_url, "--archive", str(archive)]
    began, memory = time.perf_counter(), Memory()
    process = subprocess.Popen(
        [*command, *options, "--delay", "0", "--concurrency", "8", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with memory.watching(process.pid):
        out, errors = process.communicate()
    seconds = time.perf_counter() - began
    if not out.startswith("{"):
        raise SystemExit(f"the crawl failed: {errors}")
    again = re.search(r"(\d+) stories read again", errors)
    return Run(json.loads(out), site.requests(), seconds, memory, int(again[1]) if again else 0)


# What is measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("stories", type=int, nargs="*", default=[1_000, 50_000])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the first crawls stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        print(f"{'stories':>8} {'site and run':44} {'requests':>8} {'revisits':>8} {'beyond':>7} {'bar':>4}"
              f" {'read again':>10} {'seconds':>8} {'largest':>9} {'together':>9}")  # fmt: skip
        for stories in options.stories:
            folder = (options.keep or Path(passing)) / str(stories)
            folder.mkdir(parents=True, exist_ok=True)
            with Site(stories, folder) as site:
                measure(site, folder, Path(passing))


def measure(site: Site, folder: Path, passing: Path) -> None:
    whole = folder / "archive"
    site.open(WAYS["REST"])
    if not (whole / DATABASE).exists():
        growing = folder / "growing"  # killed, it is begun again
        shutil.rmtree(growing, ignore_errors=True)
        tell(site, "REST, first crawl", crawl(site, growing, "--limit", str(FRESH_UP_TO)))
        if written := site.write_into(growing):
            tell(site, f"REST, {written:,} written in; settling", crawl(site, growing))
        growing.rename(whole)
    tell_bytes(whole)
    for way, doors in WAYS.items():
        site.open(doors)
        fresh = site.stories <= FRESH_UP_TO and way != "REST"
        archive = passing / (f"{site.stories} {way}" if fresh else f"{site.stories}")
        if way == "REST":
            copy(whole, archive)
        else:
            tell(site, f"{way}, {'first crawl' if fresh else 'settling'}", crawl(site, archive))
            crawl(site, archive)  # a deletion is confirmed by a second run
        tell(site, f"{way}, nothing changed", crawl(site, archive), BARS[way])
        if "sitemap" in doors:
            follow(site, way, archive)


def follow(site: Site, way: str, archive: Path) -> None:
    """Let the newsroom work for a day and see whether the archive follows."""
    done = site.work()
    run = crawl(site, archive)
    tell(site, f"{way}, {', '.join(f'{count} {kind}' for kind, count in DAY.items())}", run, DAY_BAR)
    stored = count(archive, done["new"], "SELECT count(*) FROM articles WHERE url = ?")
    revised = count(
        archive, done["edited"], "SELECT count(*) FROM articles WHERE url = ? AND revision_count = 2"
    )
    missing = count(
        archive,
        done["deleted"],
        "SELECT count(*) FROM articles WHERE url = ? AND status = 'live' AND missed_runs = 1",
    )
    tell(site, f"{way}, the run after", crawl(site, archive))
    gone = count(archive, done["deleted"], "SELECT count(*) FROM articles WHERE url = ? AND status = 'gone'")
    print(f"{'':8} {stored} of {DAY['new']} stored, {revised} of {DAY['edited']} revised, "
          f"{missing} of {DAY['deleted']} missing, then {gone} gone; bar for memory {MEMORY_BAR_MB} MB", flush=True)  # fmt: skip


def count(archive: Path, urls: Sequence[str], sql: str) -> int:
    db = open_readonly(archive)
    try:
        return sum(db.execute(sql, [url]).fetchone()[0] for url in urls)
    finally:
        db.close()


def copy(archive: Path, to: Path) -> None:
    """Copy an archive; WARC files that are closed are never written again, and are linked."""
    (to / "warc").mkdir(parents=True)
    shutil.copyfile(archive / DATABASE, to / DATABASE)
    for file in (archive / "warc").iterdir():
        try:
            os.link(file, to / "warc" / file.name)
        except OSError:  # another file system
            shutil.copyfile(file, to / "warc" / file.name)


def tell(site: Site, what: str, run: Run, bar: int | None = None) -> None:
    print(
        f"{site.stories:8,} {what:44} {run.requests:8,} {run.revisits:8,} {run.beyond:7,} {bar or '':>4}"
        f" {run.read_again:10,} {run.seconds:8.1f} {run.memory.largest:6.0f} MB {run.memory.together:6.0f} MB",
        flush=True,
    )


def tell_bytes(archive: Path) -> None:
    db = open_readonly(archive)
    try:
        stories = db.execute("SELECT count(*) FROM articles").fetchone()[0]
        rows = db.execute(
            "SELECT warc_name, warc_offset, warc_length FROM fetches WHERE article_id IS NOT NULL AND status = 200 AND warc_name IS NOT NULL "
            "ORDER BY payload_sha256 LIMIT ?",
            [SAMPLED_PAGES],
        ).fetchall()
    finally:
        db.close()
    pages = [decode(warc.read(archive / "warc", warc.RecordRef(*row))) for row in rows]
    page, plain = (sum(map(len, found)) / len(pages) for found in (pages, map(gzip.compress, pages)))
    captures = sum(file.stat().st_size for file in (archive / "warc").iterdir())
    print(f"{'':8} bytes an article: {captures / stories:,.0f} in WARC, {(archive / DATABASE).stat().st_size / stories:,.0f} "
          f"in the database; its page {page:,.0f}, gzipped {plain:,.0f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
