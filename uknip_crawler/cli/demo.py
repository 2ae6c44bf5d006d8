"""`uknip demo`: the whole job on the bundled sample site, offline."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import DATABASE, open_readonly
from uknip_crawler.archive.reports.status import archive_status
from uknip_crawler.cli.output import echo
from uknip_crawler.cli.program import program
from uknip_crawler.errors import UknipError, UsageError


@click.command()
@click.option(
    "--archive",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo-archive",
    show_default=True,
    help="Folder of the demo's archive; made anew each time.",
)
@click.option(
    "--exports",
    type=click.Path(path_type=Path, file_okay=False),
    default="exports",
    show_default=True,
    help="Folder for the exported files.",
)
@click.option(
    "--stories", type=click.IntRange(20, 2000), default=60, show_default=True, help="Stories on the site."
)
def command(directory: Path, exports: Path, stories: int) -> None:
    """Do the whole job on a sample site served on this machine: crawl, export, let its newsroom edit, move
    and delete stories, crawl again, and say what was found. No network, less than a minute.

    \b
    uknip demo
    """
    from uknip_crawler.demo import Newsroom, SampleSite
    from uknip_crawler.export import Recipe, write_export

    _clear(directory)
    now = datetime.now(UTC)
    newsroom = Newsroom(stories, now=now - timedelta(hours=2))
    with SampleSite(newsroom) as site:
        echo(f"A sample newsroom with {len(newsroom.truth())} stories is on {site.base_url}")
        echo("\n1. First crawl: everything")
        _tell(_crawl(site.base_url, directory))
        echo("\n2. Export")
        for format_name in ("csv", "jsonl"):
            path = exports / f"demo.{format_name}"
            summary = write_export(directory, Recipe(format_name), path)
            echo(f"   {summary.rows['articles']:,} articles → {path}")
        echo("\n3. An unchanged second crawl: a handful of requests")
        _tell(_crawl(site.base_url, directory))
        echo("\n4. The newsroom goes to work")
        work = newsroom.work(now)
        removed = (
            f"{len(work.deleted)} deleted, {len(work.trashed)} trashed, {len(work.unpublished)} unpublished"
        )
        echo(
            f"   {len(work.edited)} stories edited, {len(work.moved)} moved, {len(work.published)} published, {removed}"
        )
        echo("\n5. Crawl again")
        _tell(_crawl(site.base_url, directory))
        echo("\n6. And once more: a story is believed gone when two runs have missed it")
        _tell(_crawl(site.base_url, directory))
    _close(directory, exports)


def _clear(directory: Path) -> None:
    if not directory.exists() or not any(directory.iterdir()):
        return
    made_by_demo = (directory / DATABASE).is_file() and (directory / "demo").is_file()
    if not made_by_demo:
        raise UsageError(
            f"{directory} was not made by the demo and will not be touched: name another with --archive DIR"
        )
    shutil.rmtree(directory)


def _crawl(base_url: str, directory: Path) -> dict[str, Any]:
    """Crawl in a process of its own, as a user would. Raises UknipError when it fails."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "demo").touch()
    options = ["--archive", str(directory), "--delay", "0", "--concurrency", "4", "--images", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "uknip_crawler", "crawl", base_url, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UknipError(
            f"the demo's crawl ended with status {done.returncode}: {(done.stderr or done.stdout).strip()}"
        )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _tell(report: dict[str, Any]) -> None:
    outcomes = report["outcomes"]
    new = outcomes.get("stored", 0) + outcomes.get("duplicate", 0)
    echo(
        f"   {report['requests']:,} requests: {new:,} new articles, {outcomes.get('revised', 0):,} revised, "
        f"{report['moved']:,} moved, {report['gone']:,} gone"
    )


def _close(directory: Path, exports: Path) -> None:
    db = open_readonly(directory)
    status = archive_status(db, datetime.now(UTC))
    edited = db.execute("SELECT url FROM articles WHERE revision_count > 1 ORDER BY id LIMIT 1").fetchone()
    db.close()
    echo(
        f"\nThe archive holds {status['articles']:,} articles in {status['revisions']:,} revisions: "
        f"{status['edited']:,} edited, {status['aliases']:,} aliases of moved stories, {status['gone']:,} gone and still readable."
    )
    echo(
        f"  database  {directory / DATABASE}\n  captures  {directory / 'warc'}\n  images    {directory / 'images'}\n  exports   {exports}"
    )
    echo("\nTry next:")
    echo(f"  {program()} browse --archive {directory}")
    echo(f"  {program()} history --archive {directory} {edited[0] if edited else 'URL'}")
    echo(f"  {program()} crawl --limit 20    (the real site, slowly and politely)")
