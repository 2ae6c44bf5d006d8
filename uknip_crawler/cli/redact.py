"""`uknip redact`: take stories out of the archive for good."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.backup import known_backups
from uknip_crawler.archive.reports.addresses import redaction_at, story_at
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.cli.story import site_of, story_named
from uknip_crawler.errors import UsageError
from uknip_crawler.jobs import redaction
from uknip_crawler.jobs.recover import recover
from uknip_crawler.sites import load_site

_REMAINS = "later runs keep it out, and are cleaned of what other pages say of it where they name its address"


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1)
@click.option("--reason", metavar="TEXT", help="Why, for the record; do not name the people concerned.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would go; change nothing.")
@click.option("--list", "listing", is_flag=True, help="List the redactions made so far.")
@archive_option
@json_option
def command(
    urls: tuple[str, ...],
    reason: str | None,
    yes: bool,
    dry_run: bool,
    listing: bool,
    directory: Path,
    as_json: bool,
) -> None:
    """Take stories out of the archive for good: their text, headlines, addresses, revisions and images from the
    database, its search index and log, and their captures from the WARC files. Captures of other pages that name
    them stay, with those words blacked out. Only a tombstone is left, by which every later crawl, import and rebuild
    keeps the story out. A redaction that was killed is completed by the next, or by the next crawl.

    URL is any address a story has had, or the end of one.

    \b
    uknip redact --dry-run URL
    uknip redact --reason "request of 4 May" URL URL
    uknip redact --list

    Exit status: 0 done, 2 no such story, 5 the disk refuses or somebody reads the archive, 75 another run holds the lock.
    """
    open_readonly(directory).close()  # says so when there is no archive, before one is created
    if not (urls or listing):
        raise UsageError("name the address of a story, or use --list")
    if urls and not (dry_run or reason):
        raise UsageError("say why with --reason TEXT; it is kept with the tombstone")
    with Archive(directory) as archive:
        if listing:
            _list(archive, as_json=as_json)
            return
        at = datetime.now(UTC)
        if (base_url := archive.base_url()) and not dry_run:
            recover(archive, load_site(base_url), clock=lambda: datetime.now(UTC))
        found = {_story(archive, url, directory) for url in urls}
        stories = sorted(story for story in found if story is not None)
        target = redaction.aim(archive, stories)
        if stories and not (dry_run or yes):
            _ask(archive, stories)
        if dry_run:
            extent = redaction.extent(archive, target)
        else:
            extent = redaction.redact(archive, target, reason or "", at=at, step=_tell_step)
        to_replace = [file for file, _ in known_backups(directory)], _exports()
    record = {"dry_run": dry_run, **asdict(extent), "copies_that_stay": sorted(target.copies)}
    record |= {"backups_to_replace": to_replace[0], "exports_to_replace": to_replace[1]}
    echo(json_text(record) if as_json else _text(record))


def _story(archive: Archive, url: str, directory: Path) -> int | None:
    """Return the story at an address, or None when it was redacted before."""
    site = site_of(archive.db, directory)
    if story_at(archive.db.conn, site, url) is None and redaction_at(archive.db.conn, site, url):
        return None
    return story_named(archive.db, directory, url)


def _ask(archive: Archive, stories: list[int]) -> None:
    for story in stories:
        headline, url = archive.db.execute(
            "SELECT headline, url FROM articles WHERE id = ?", (story,)
        ).fetchone()
        echo(f"{headline}\n  {url}", err=True)
    click.confirm("Take this out for good? It cannot be undone.", abort=True, err=True)


def _exports() -> list[str]:
    """Return the files in the folder where exports land by default."""
    return sorted(str(path) for path in Path("exports").glob("*") if path.name != "README.md")


def _tell_step(what: str) -> None:
    if sys.stderr.isatty():
        echo(f"{what} …", err=True)


def _text(record: dict[str, Any]) -> str:
    if not record["stories"]:
        return "redacted before; nothing of it is left to take out"
    parts = ("addresses", "revisions", "images", "captures")
    lines = [
        f"{'would take' if record['dry_run'] else 'taken'} out: "
        + ", ".join(f"{record[name]:,} {name}" for name in ("stories", *parts)),
        f"blacked out where other pages name them: in {record['altered']:,} captures; all else is as received",
    ]
    if record["damaged"]:
        lines.append(f"damaged records, which may hold it, go too: {record['damaged']:,}")
    for key, title in (
        ("copies_that_stay", "copies of the text that stay; redact them too if need be:"),
        ("backups_to_replace", "backups that still hold it; make new ones and delete these:"),
        ("exports_to_replace", "exports that may hold it; make them anew:"),
    ):
        if record[key]:
            lines += [title, *(f"  {item}" for item in record[key])]
    if not record["dry_run"]:
        lines += ["copies made by other means, and files given to others, are yours to replace", _REMAINS]
    return "\n".join(lines)


def _list(archive: Archive, *, as_json: bool) -> None:
    redactions = [
        {
            "redaction": one.id,
            "article": one.story,
            "at": one.at,
            "reason": one.reason,
            "finished": one.is_finished,
        }
        for one in archive.redactions.all()
    ]
    if as_json:
        echo(json_text(redactions))
        return
    for one in redactions:
        unfinished = "" if one["finished"] else "  (not finished: run any `uknip redact` or crawl)"
        article = f"article {one['article']}  " if one["article"] else ""  # a rebuild has marks, no rows
        echo(f"{one['redaction']:>4}  {one['at']}  {article}{one['reason']}{unfinished}")
    if not redactions:
        echo("nothing was redacted")
