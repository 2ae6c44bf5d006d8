"""Ask every page of the reading room on a synthetic archive, and search beside the bare SQL; print milliseconds.

Usage: python bench/browse.py [ROWS] [FOLDER]      default 100,000 articles; FOLDER keeps the archive between runs

Pages are asked as a browser asks them, over HTTP from `uknip browse` in a process of its own, each a few times after
one that is not counted. The bare SQL is the search's own two queries on one connection, without page or server.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DATABASE = "uknip.db"
SITE = "https://uknip.co.uk"
TIMES = 9
SECTIONS = ("breaking", "crime", "travel", "Kent", "Sussex", "Essex", "Hampshire", "sport", None)
VERBS = [
    "closed",
    "blocked",
    "searched",
    "rescued",
    "arrested",
    "charged",
    "seized",
    "reopened",
    "cancelled",
    "praised",
    "warned",
    "found",
]
PAGES = (
    "/",
    "/read/search",
    "/read/search?section=crime&edited=1",
    "/read/search?tag=Tag+7&since=2021-01-01",
    "/read/search?page=400",
    "/read/search?sort=oldest&size=100",
    "/read/search?author=Author+7&q=police",
    "/read/search.atom?q=coast",
    "/read/at/https://www.uknip.co.uk/news/uk/breaking/story-777-about-the-coast-road",
    "/read/story/9000",
    "/read/sections",
    "/read/tags",
    "/read/authors",
    "/read/places",
    "/read/changes",
    "/read/changes?kind=headline&section=crime",
    "/read/changes.atom",
    "/read/story/100/compare",
    "/read/calendar",
    "/read/calendar?year=2020",
    "/read/pictures",
    "/read/layouts",
    "/read/layouts/L000001",
    "/read/furniture",
    "/read/runs",
    "/read/runs/1",
    "/read/ledger",
    "/read/ledger?outcome=timeout",
    "/uknip/articles/9000",
)


def build(directory: Path, rows: int) -> None:
    """Fill an archive: stories of eight years with tags, pictures, evidence, furniture, ledger and frontier."""
    from sqlite_utils import Database

    from uknip_crawler.archive.migrations import migrations

    db = Database(directory / DATABASE)
    db.conn.execute("PRAGMA synchronous = OFF")
    migrations.apply(db)
    # a checksum for every row is the crawl's work: here it would take most of the time
    for (trigger,) in db.execute("SELECT name FROM sqlite_schema WHERE name LIKE '_sealing_%'").fetchall():
        db.execute(f"DROP TRIGGER {trigger}")
    db.conn.commit()
    then, numbers = "2026-01-01T00:00:00Z", range(1, rows + 1)

    def fill(table: str, records: Iterator[dict[str, Any]]) -> None:
        with db.atomic():
            db.table(table).insert_all(records, batch_size=500)

    fill("runs", ({"id": n, "kind": "crawl", "base_url": f"{SITE}/", "started_at": f"2026-01-01T{n % 24:02d}:00:00Z", "finished_at": then, "exit_status": 3 * (n % 5 == 0), "requests": 900 * n, "version": "0"} for n in range(1, 101)))  # fmt: skip
    fill("layouts", ({"id": n, "skeleton": f"body > main.m{n} > h1", "name": f"L{n:06}", "state": "trusted", "pages": 9, "first_seen_at": then, "last_seen_at": then} for n in range(1, 9)))  # fmt: skip
    fill("tags", ({"id": n, "name": f"Tag {n}"} for n in range(400)))
    fill("furniture", ({"id": n, "text": f"Follow our channel number {n}", "rule": "most pages", "first_seen_at": then, "last_seen_at": then} for n in range(1, 301)))  # fmt: skip
    fill("fetches", ({"id": n, "run_id": 1 + (n > rows) * (n % 100), "url": url(n % rows + 1) if n <= rows else f"{url(n % rows + 1)}{n}", "kind": "article", "found_by": "sitemap", "opened_at": then, "closed_at": then, "outcome": ("stored" if n <= rows else "unchanged" if n % 40 else "timeout"), "status": 200, "attempts": 1} for n in range(1, 2 * rows + 1)))  # fmt: skip
    fill("articles", articles(rows))
    fill("revisions", ({"article_id": n, "number": k, "captured_at": then, "headline": f"Headline {k} of {n}", "body": f"Body {k} of {n}, some words.", "word_count": 6, "content_sha256": f"{n:064x}", "kind": "first" if k == 1 else "typo", "fetch_id": n} for n in numbers for k in range(1, 2 + (n % 10 == 0))))  # fmt: skip
    fill("article_tags", ({"article_id": n, "position": p, "tag_id": (n + 7 * p) % 400} for n in numbers for p in (0, 1, 2)))  # fmt: skip
    fill("authors", ({"id": n, "name": f"Author {n}"} for n in range(40)))
    fill(
        "article_authors",
        ({"article_id": n, "position": 0, "author_id": n % 40 if n % 2 else 0} for n in numbers),
    )
    fill(
        "events", ({"article_id": n, "run_id": 1, "kind": "gone", "at": then} for n in numbers if n % 50 == 0)
    )
    fill("images", ({"id": n, "url": f"{SITE}/{n}.jpg", "sha256": f"{n:064x}", "media_type": "image/jpeg", "width": 640, "height": 400} for n in numbers))  # fmt: skip
    fill("article_images", ({"article_id": n, "position": 0, "image_id": n, "is_lead": 1, "alt": f"Picture {n}"} for n in numbers))  # fmt: skip
    fill("article_furniture", ({"article_id": n, "furniture_id": 1 + (n + 50 * k) % 300} for n in numbers for k in (1, 2, 3)))  # fmt: skip
    fill("evidence", ({"article_id": n, "position": p, "field": "published_at", "source": "rest", "raw": then, "value": then} for n in numbers for p in range(4)))  # fmt: skip
    fill("frontier", ({"url": url(n), "kind": "article", "found_by": "sitemap", "first_seen_at": then, "listed_on": f"{SITE}/sitemap.xml", "last_outcome": "stored", "article_id": n} for n in numbers))  # fmt: skip
    db.close()


def url(number: int) -> str:
    return f"{SITE}/news/uk/breaking/story-{number}-about-the-coast-road/"


def articles(rows: int) -> Iterator[dict[str, Any]]:
    """Yield stories of about 2 KB: `police` in six of ten, names of one story in few."""
    chance = random.Random(1)
    words = [
        "near",
        "the",
        "harbour",
        "officers",
        "road",
        "after",
        "van",
        "lorry",
        "cars",
        "met",
        "two",
        "on",
        "friday",
        "morning",
        "town",
        "council",
        "witness",
    ]
    for number in range(1, rows + 1):
        paragraphs = [" ".join(chance.choices(words, k=50)) for _ in range(6)]
        paragraphs[0] += f" {chance.choice(VERBS)} by name{chance.randrange(rows // 20)}" + " police" * (
            number % 10 < 6
        )
        body = "\n\n".join(paragraphs)
        day = f"{2018 + number * 8 // (rows + 1)}-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00Z"
        yield {
            "id": number,
            "url": url(number),
            "headline": f"Story {number}: coast road {chance.choice(VERBS)}",
            "section": SECTIONS[number % len(SECTIONS)],
            "published_at": day,
            "body": body,
            "blocks": json.dumps([{"kind": "paragraph", "text": text} for text in paragraphs]),
            "word_count": 300,
            "language": "en-GB",
            "status": "gone" if number % 50 == 0 else "live",
            "revision_count": 1 + (number % 10 == 0),
            **dict.fromkeys(("first_seen_at", "last_seen_at", "last_changed_at", "captured_at"), day),
            "layout_id": 1 + number % 8,
            "extractor_version": "1",
            "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
            "content_sha256": f"{number:064x}",
            "fetch_id": number,
        }


def cpu_milliseconds(process: int) -> float:
    """Return what a process has cost so far, in steps of 10 ms; Linux only."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def milliseconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - began)


def fetch(address: str) -> bytes:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=60) as answer:
        return bytes(answer.read())


def questions() -> list[str]:
    """Return searches as people make them: rare words, two common ones, one in six of ten stories."""
    chance = random.Random(2)
    rare = [f"name{chance.randrange(5000)}" for _ in range(20)]
    return rare + [f"coast {verb} police" for verb in VERBS] + list(VERBS) + ["police", "harbour road"]


def bare(connection: sqlite3.Connection, words: str) -> None:
    match = " ".join(f'"{word}"' for word in words.split())
    ids = connection.execute(
        "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? ORDER BY rank LIMIT 20", [match]
    ).fetchall()
    numbers = ", ".join(str(row[0]) for row in ids)
    connection.execute(
        f"SELECT rowid, snippet(articles_fts, -1, '[', ']', '…', 40) FROM articles_fts "
        f"WHERE articles_fts MATCH ? AND rowid IN ({numbers})",
        [match],
    ).fetchall()


def tell(name: str, times: list[float], cpu: float | None = None) -> None:
    high = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    spent = "" if cpu is None else f"{cpu:8.0f}"
    print(f"{name:45} {statistics.median(times):8.0f} {high:8.0f} {max(times):8.0f} {spent}", flush=True)


def measure(archive: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "uknip_crawler",
        "browse",
        "--no-open",
        "--port",
        "0",
        "--archive",
        str(archive),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            assert found
            base = found[0]
            print(f"{'':45} {'median':>8} {'p95':>8} {'most':>8} {'CPU':>8}  ms")

            def ask(name: str, addresses: list[str]) -> None:
                before = cpu_milliseconds(process.pid)
                times = [milliseconds(lambda address=address: fetch(base + address)) for address in addresses]  # type: ignore[misc]
                tell(name, times, (cpu_milliseconds(process.pid) - before) / len(times))

            ask("first answer, just started", ["/"])
            ask("/read/calendar, first", ["/read/calendar"])
            for page in PAGES:
                fetch(base + page)
                ask(page, [page] * TIMES)
            connection = sqlite3.connect(f"file:{archive / DATABASE}?mode=ro", uri=True)
            for name, asked in (
                ("search", questions()),
                ("police", ["police"] * TIMES),
                ("coast road", ["coast road"] * TIMES),
            ):
                addresses = [f"/read/search?q={words.replace(' ', '+')}" for words in asked]
                ask(f"{name}: page", addresses)
                ask(f"{name}: page, newest first", [f"{address}&sort=date" for address in addresses])
                tell(
                    f"{name}: bare SQL",
                    [milliseconds(lambda words=words: bare(connection, words)) for words in asked],
                )  # type: ignore[misc]
        finally:
            process.terminate()


def main(rows: int, folder: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="uknip-bench-") as temporary:
        archive = Path(folder or temporary)
        archive.mkdir(parents=True, exist_ok=True)
        if not (archive / DATABASE).exists():
            build(archive, rows)
        print(f"{rows:,} articles, {(archive / DATABASE).stat().st_size / 1e6:,.0f} MB")
        measure(archive)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, sys.argv[2] if len(sys.argv) > 2 else None)
