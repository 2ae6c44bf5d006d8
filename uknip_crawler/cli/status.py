"""`uknip status`: is all well, what is not, what the archive holds, and how its newest crawl went."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.database import sound
from uknip_crawler.archive.folders import archives_in
from uknip_crawler.archive.reports.runs import run_report
from uknip_crawler.archive.reports.status import archive_status
from uknip_crawler.archive.reports.statuses import statuses
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.cli.program import program

_BARS = "▁▂▃▄▅▆▇█"


@click.command()
@click.argument("folders", metavar="[ARCHIVE]...", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@archive_option
@json_option
def command(folders: tuple[Path, ...], directory: Path, as_json: bool) -> None:
    """Tell on one screen whether all is well and what to do if not, what the archive holds, how many stories came on the
    last 28 days, and how the newest crawl went. docs/health.md has the checks, docs/json.md the keys of --json.

    Of several ARCHIVEs, or a folder that holds some, it tells what they hold together and what each wants.

    \b
    uknip status
    uknip status --json | jq -r .verdict
    uknip status archives                     every archive in a folder

    Exit status: 0 told, 2 no archive, 5 one cannot be read; of several the worst, the others are told all the same.
    """
    if folders:
        told = statuses(archives_in(folders), datetime.now(UTC))
        echo(json_text(told) if as_json else "\n".join(_lines_of_several(told)))
        sys.exit(told["exit_status"])
    with sound(directory):
        db = open_readonly(directory)
        status = archive_status(db, datetime.now(UTC))
        if as_json:
            echo(json_text(status))
            return
        echo("\n".join(_lines(directory, status)))
        if status["last_run"]:
            echo(run_report(db, status["last_run"]["run"]).text(with_findings=False))


def _lines(directory: Path, status: dict[str, Any]) -> list[str]:
    lines = [f"{directory}: {status['verdict']}: {status['why']}", *_findings(status)]
    covered = status["coverage"]
    span = f"published {status['first_published_at'] or '?'} to {status['last_published_at'] or '?'}"
    lines += [
        (
            f"  {status['base_url'] or 'nothing crawled yet'}: {status['articles']:,} articles ({status['live']:,} live, "
            f"{status['gone']:,} gone), {span}"
        ),
        f"  {status['revisions']:,} revisions, {status['edited']:,} articles edited, {status['aliases']:,} aliases, "
        f"{status['without_date']:,} without a date"
        + (f", {status['doubtful']:,} read in doubt" if status["doubtful"] else ""),
        (
            f"  {status['addresses_known']:,} addresses known, {status['addresses_never_visited']:,} never visited; "
            f"captures {status['captures_bytes'] / 1e6:,.1f} MB"
        ),
        (
            f"  {status['images']:,} images known, {status['images_kept']:,} kept "
            f"({status['images_bytes'] / 1e6:,.1f} MB), {status['images_refused']:,} refused"
        ),
        f"  the site lists {covered['listed']:,} stories, {covered['held']:,} of them are held (`{program()} coverage`)",
    ]
    for name in ("stories", "visits", "failures"):
        counts = [day[name] for day in status["days"]]
        lines.append(
            f"  {name + ' a day':<15} {sparkline(counts)} {counts[-1]:,} today, {max(counts):,} at most"
        )
    return lines


def _findings(status: dict[str, Any]) -> Iterator[str]:
    for one in status["findings"]:
        yield f"  {one['name']}: {one['what']}; since {one['since']}"
        yield from (f"    {url}" for url in one["examples"])
        yield f"    → {one['remedy']}"


def _lines_of_several(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['verdict']}: {told['why']}"
    yield (
        f"  {told['articles']:,} articles ({told['live']:,} live, {told['gone']:,} gone), {told['revisions']:,} revisions, "
        f"{told['stories_last_day']:,} stories in the last day; captures {told['captures_bytes'] / 1e6:,.1f} MB, "
        f"images {told['images_bytes'] / 1e6:,.1f} MB"
    )
    for one in told["archives"]:
        if one["error"]:
            yield f"{one['folder']}: cannot be read: {one['error']}"
            continue
        status = one["status"]
        yield f"{one['site']} ({one['folder']}): {status['verdict']}: {status['why']}"
        yield (
            f"  {status['articles']:,} articles ({status['live']:,} live, {status['gone']:,} gone), newest "
            f"{status['last_story_at'] or '?'}  {sparkline([day['stories'] for day in status['days']])}"
        )
        yield from _findings(status)


def sparkline(counts: Sequence[int]) -> str:
    """Return a bar for each count, the highest for the largest; none where there is nothing."""
    top = max(counts, default=0)
    return "".join(_BARS[max(0, -(-count * len(_BARS) // top) - 1)] if count else "·" for count in counts)
