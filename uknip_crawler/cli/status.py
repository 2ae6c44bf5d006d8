"""`uknip status`: is all well, what is not, what the archive holds, and how its newest crawl went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.database import sound
from uknip_crawler.archive.reports.runs import run_report
from uknip_crawler.archive.reports.status import archive_status
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.cli.program import program

_BARS = "▁▂▃▄▅▆▇█"


@click.command()
@archive_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Tell on one screen whether all is well and what to do if not, what the archive holds, how many stories came on the
    last 28 days, and how the newest crawl went. docs/health.md has the checks, docs/json.md the keys of --json.

    \b
    uknip status
    uknip status --json | jq -r .verdict
    """
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
    lines = [f"{directory}: {status['verdict']}: {status['why']}"]
    for one in status["findings"]:
        lines.append(f"  {one['name']}: {one['what']}; since {one['since']}")
        lines += [f"    {url}" for url in one["examples"]]
        lines.append(f"    → {one['remedy']}")
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


def sparkline(counts: Sequence[int]) -> str:
    """Return a bar for each count, the highest for the largest; none where there is nothing."""
    top = max(counts, default=0)
    return "".join(_BARS[max(0, -(-count * len(_BARS) // top) - 1)] if count else "·" for count in counts)
