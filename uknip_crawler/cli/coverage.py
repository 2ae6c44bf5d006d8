"""`uknip coverage`: proof of what is held, and what is missing."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import click

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.reports.coverage import UNKNOWN, Coverage, coverage
from uknip_crawler.archive.sources import told
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.errors import UsageError

SHOWN = 20


@click.command()
@click.option("--calendar", is_flag=True, help="Also show listed against held for each day and section.")
@click.option("--fill", is_flag=True, help="Have the next crawl visit what is missing before anything else.")
@archive_option
@json_option
def command(calendar: bool, fill: bool, directory: Path, as_json: bool) -> None:
    """Reconcile what the site lists with what the archive holds: every missing story, with its reason.

    The lists (REST, sitemaps, feed, archive pages) are taken as the last crawl read them; nothing is asked of the site.

    \b
    uknip coverage                     the site lists N stories, the archive holds M
    uknip coverage --calendar          day by day and section by section
    uknip coverage --fill              then `uknip crawl` visits the holes first
    uknip coverage --json | jq '.missing[].url'

    Exit status: 0 everything listed is held, 3 something is missing.
    """
    db = open_readonly(directory)
    found = coverage(db)
    db.close()
    if not (found.lists or found.listed):
        raise UsageError(f"{directory}: no list of the site was read yet; run `uknip crawl` first")
    filled = _fill(directory, found) if fill else 0
    if as_json:
        echo(json_text(found.as_json() | {"scheduled": filled}))
    else:
        _tell(found, calendar=calendar)
        if fill:
            echo(f"{filled:,} addresses will be visited first in the next crawl")
    sys.exit(3 if found.missing else 0)


def _fill(directory: Path, found: Coverage) -> int:
    now = datetime.now(UTC)
    urls = [one.url for one in found.missing if one.can_be_fetched]
    with Archive(directory) as archive, archive.transaction():
        for url in urls:
            archive.frontier.revisit(url, reason="wanted", due_at=now, priority=30)
    return len(urls)


def _tell(found: Coverage, *, calendar: bool) -> None:
    share = f" ({found.held / found.listed:.1%})" if found.listed else ""
    echo(f"The site lists {found.listed:,} stories; the archive holds {found.held:,} of them{share}.")
    echo(
        f"It also holds {found.gone:,} that the site has given up, and {found.unlisted:,} that are live and on no list."
    )
    for one in found.lists:
        whole = "" if one["last_complete_at"] else ", never whole"
        facts = (
            one[name] for name in ("kind", "status", "listed", "last_read_at", "last_asked_at", "detail")
        )
        echo(f"  {told(*facts)}{whole}, {one['url']}")
    if any(one["status"] == "failed" for one in found.lists):
        echo("  A list could not be read when it was last asked for: what it lists now is not known.")
    if calendar:
        _tell_calendar(found)
    if found.missing:
        echo(f"{len(found.missing):,} missing:")
        for reason, count in Counter(one.outcome or "never visited" for one in found.missing).most_common():
            echo(f"  {count:,} {reason}")
        for missing in found.missing[:SHOWN]:
            echo(f"    {missing.day}  {missing.url}  ({missing.reason})")
        if len(found.missing) > SHOWN:
            echo(f"    … {len(found.missing) - SHOWN:,} more: `uknip coverage --json` names all")


def _tell_calendar(found: Coverage) -> None:
    """Print a line a day: held of listed, and the sections where something is missing."""
    echo("day         held/listed  sections")
    for day, rows in groupby(found.calendar, key=lambda row: row.day):
        sections = list(rows)
        held, expected = sum(row.held for row in sections), sum(row.expected for row in sections)
        parts = ", ".join(
            f"{row.section if row.section != UNKNOWN else 'section unknown'} {row.held}/{row.expected}"
            for row in sections
        )
        mark = " " if held == expected else "!"
        echo(f"{day:10} {mark} {held:>4}/{expected:<6}  {parts}")
