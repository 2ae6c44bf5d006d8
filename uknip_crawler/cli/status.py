"""`uknip status`: what the archive holds, and how its last run went."""

from __future__ import annotations

from pathlib import Path

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.database import sound
from uknip_crawler.archive.reports.runs import archive_status, run_report
from uknip_crawler.archive.sources import told
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import json_text


@click.command()
@archive_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Tell what the archive holds, where its stories come from, and how its last run went.

    \b
    uknip status
    uknip status --json | jq .last_run.exit_status
    """
    with sound(directory):
        _tell(directory, as_json=as_json)


def _tell(directory: Path, *, as_json: bool) -> None:
    db = open_readonly(directory)
    status = archive_status(db)
    if as_json:
        click.echo(json_text(status))
        return
    span = f"published {status['first_published_at'] or '?'} to {status['last_published_at'] or '?'}"
    click.echo(f"{directory}: {status['base_url'] or 'nothing crawled yet'}")
    click.echo(
        f"  {status['articles']:,} articles ({status['live']:,} live, {status['gone']:,} gone), {span}"
    )
    click.echo(
        f"  {status['revisions']:,} revisions, {status['edited']:,} articles edited, {status['aliases']:,} aliases, "
        f"{status['without_date']:,} without a date"
        + (f", {status['doubtful']:,} read in doubt" if status["doubtful"] else "")
    )
    click.echo(
        f"  {status['addresses_known']:,} addresses known, {status['addresses_never_visited']:,} never visited; "
        f"captures {status['captures_bytes'] / 1e6:,.1f} MB"
    )
    click.echo(
        f"  {status['images']:,} images known, {status['images_kept']:,} kept "
        f"({status['images_bytes'] / 1e6:,.1f} MB), {status['images_refused']:,} refused"
    )
    for source in status["sources"]:
        facts = (
            source[name] for name in ("kind", "status", "listed", "last_read_at", "last_asked_at", "detail")
        )
        click.echo(f"  {told(*facts)}, {source['url']}")
    if status["last_run"]:
        click.echo(run_report(db, status["last_run"]["run"]).text())
