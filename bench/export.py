"""Export a synthetic archive in every format, beside the sqlite3 shell writing the same columns; print ratios.

Usage: python bench/export.py [ROWS]        default 200,000 articles of 3 KB, some 5 GB in a temporary folder

Each export runs in a fresh process; wall and CPU seconds and peak resident memory are that process's own. Parquet
needs pyarrow; the data package has the articles, revisions, pictures and visits, and is then checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DATABASE = "uknip.db"
PROSE = 'near “Saltmarsh” officers closed the coast road after a van, a lorry and two "parked" cars met'


def build(directory: Path, rows: int) -> None:
    """Fill an archive with articles of about 3 KB, each with an alias, an author, two tags and a picture.

    `query.sql` beside it is what our CSV reads, for the sqlite3 shell.
    """
    from sqlite_utils import Database

    from uknip_crawler.archive.migrations import migrations
    from uknip_crawler.export import TABLES, Recipe
    from uknip_crawler.export.records import flat_query

    query = flat_query(TABLES["articles"], Recipe("csv").chosen("articles"), "a.status <> 'redacted'")
    (directory / "query.sql").write_text(query, "utf-8")
    db = Database(directory / DATABASE)
    db.conn.execute("PRAGMA synchronous = OFF")
    migrations.apply(db)
    then = "2026-01-01T00:00:00Z"
    with db.atomic():
        db.table("runs").insert(
            {"id": 1, "kind": "crawl", "base_url": "https://uknip.co.uk/", "started_at": then, "version": "0"}
        )
        fetch = {"id": 1, "run_id": 1, "url": "https://uknip.co.uk/", "kind": "article", "found_by": "seed"}
        db.table("fetches").insert(fetch | {"opened_at": then})
        layout = {
            "id": 1,
            "skeleton": "body > main > article > h1",
            "name": "Labc123",
            "first_seen_at": then,
            "last_seen_at": then,
        }
        db.table("layouts").insert(layout)
        db.table("tags").insert_all({"id": n, "name": f"Tag {n}"} for n in range(50))
        db.table("authors").insert_all({"id": n, "name": f"Author {n}"} for n in range(5))
        db.table("articles").insert_all(_articles(rows))
        db.conn.execute(
            "INSERT INTO revisions (article_id, number, captured_at, headline, body, word_count, content_sha256, fetch_id) "
            "SELECT id, 1, captured_at, headline, body, word_count, content_sha256, 1 FROM articles"
        )
        numbers = range(1, rows + 1)
        alias = {"evidence": "redirect", "first_seen_at": then, "last_seen_at": then}
        db.table("aliases").insert_all(
            {"url": f"https://uknip.co.uk/old/{n}/", "article_id": n} | alias for n in numbers
        )
        db.table("article_authors").insert_all(
            {"article_id": n, "position": 0, "author_id": n % 5} for n in numbers
        )
        db.table("article_tags").insert_all(
            {"article_id": n, "position": p, "tag_id": (n + 7 * p) % 50} for n in numbers for p in (0, 1)
        )
        db.table("images").insert_all({"id": n, "url": f"https://uknip.co.uk/{n}.jpg"} for n in numbers)
        db.table("article_images").insert_all(
            {"article_id": n, "position": 0, "image_id": n, "is_lead": 1, "alt": f"Picture {n}"}
            for n in numbers
        )
    db.close()


def _articles(rows: int) -> Iterator[dict[str, object]]:
    chance, words = random.Random(1), PROSE.split()
    for number in range(1, rows + 1):
        paragraphs = [" ".join(chance.choices(words, k=55)) for _ in range(10)]
        body = "\n\n".join(paragraphs)
        day = f"{2018 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}T09:{number % 60:02d}:00Z"
        yield {
            "id": number,
            "url": f"https://uknip.co.uk/news/uk/breaking/story-{number}-about-the-coast-road/",
            "headline": f"Story {number} about the coast road",
            "section": ("breaking", "crime", "travel")[number % 3],
            "published_at": day,
            "body": body,
            "blocks": json.dumps([{"kind": "paragraph", "text": text} for text in paragraphs]),
            "word_count": 550,
            "language": "en-GB",
            **dict.fromkeys(("first_seen_at", "last_seen_at", "last_changed_at", "captured_at"), day),
            "layout_id": 1,
            "extractor_version": "1",
            "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
            "content_sha256": f"{number:064x}",
            "fetch_id": 1,
        }


def measure(name: str, arguments: list[str], folder: Path) -> tuple[str, float, float, float, float]:
    """Run a command that writes to a new folder; return name, wall s, CPU s, peak MB, output MB."""
    folder.mkdir()
    started = time.perf_counter()
    with (folder / "stdout").open("wb") as file:
        process = subprocess.Popen(arguments, stdout=file, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} failed with {process.returncode}")
    wall = time.perf_counter() - started
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return name, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, written / 1e6


def main(rows: str) -> None:
    with tempfile.TemporaryDirectory(prefix="uknip-bench-") as folder:
        # in a process of its own: a child's peak memory counts from what its parent held
        subprocess.run([sys.executable, __file__, rows, folder], check=True)
        database, output, dataset = f"{folder}/{DATABASE}", Path(folder, "output"), Path(folder, "dataset")
        query = Path(folder, "query.sql").read_text("utf-8")
        uknip = [sys.executable, "-m", "uknip_crawler", "export", "--archive", folder]
        commands = {
            "sqlite3 -csv": ["sqlite3", "-csv", "-header", "-readonly", database, query],
            "sqlite3 -json": ["sqlite3", "-json", "-readonly", database, query],
            **{
                f"uknip {kind}": [*uknip, kind, "-o", f"{output}/{kind}"]
                for kind in ("csv", "json", "jsonl", "parquet")
            },
            "uknip csv, no text": [*uknip, "csv", "-o", f"{output}/csv", "--without-text"],
            "uknip jsonl, search": [*uknip, "jsonl", "-o", f"{output}/jsonl", "--search", "lorry"],
            "uknip datapackage": [*uknip, "datapackage", "-o", f"{dataset}/package"],
            "uknip --check of it": [*uknip, "--check", f"{dataset}/package"],
        }
        subprocess.run(["cat", database], stdout=subprocess.DEVNULL, check=True)  # all read from the cache
        results = []
        for name, arguments in commands.items():
            place = dataset if name == "uknip datapackage" else output
            results.append(measure(name, arguments, place))
            shutil.rmtree(output, ignore_errors=True)
    print(f"{rows} articles")
    print(f"{'':20} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'out MB':>8}  wall, sqlite3 -csv = 1")
    for name, wall, cpu, peak, written in results:
        print(f"{name:20} {wall:8.2f} {cpu:8.2f} {peak:8.0f} {written:8.0f} {wall / results[0][1]:7.2f}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        build(Path(sys.argv[2]), int(sys.argv[1]))
    else:
        main(sys.argv[1] if len(sys.argv) == 2 else "200000")
