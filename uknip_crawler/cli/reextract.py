"""`uknip reextract`: read the captures again with today's rules, and say what changed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.logs import log_options
from uknip_crawler.cli.output import conclude, progress
from uknip_crawler.cli.reading import readers, readers_options
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.errors import UsageError
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.ingest.workers import Readers
from uknip_crawler.jobs.derivation import name_edits
from uknip_crawler.jobs.reextraction import learn_layouts, reextract
from uknip_crawler.jobs.reextraction.history import FIELDS, Report

SHOWN = 10


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would change; write nothing.")
@click.option("--all", "everything", is_flag=True, help="Also read again what is up to date.")
@readers_options
@archive_option
@json_option
@log_options
def command(
    dry_run: bool, everything: bool, workers: int, dask: str | None, directory: Path, as_json: bool
) -> None:
    """Learn the site's layouts from the captures, read every story again that was read by other rules, and report
    what changed. What the publisher edited stays a revision; what only our reading changed never becomes one.
    A re-reading that was killed goes on where it stopped.

    \b
    uknip reextract --dry-run    what would change
    uknip reextract              change it
    uknip reextract --all        read everything again
    uknip reextract --dask tcp://10.0.0.1:8786    … by the machines of a Dask cluster

    Exit status: 0 done, 3 some captures could not be read (their old readings stay), 75 another run holds the lock.
    """
    open_readonly(directory).close()  # says so when there is no archive, before one is created
    with Archive(directory) as archive, readers(workers, dask) as where:
        base_url = archive.base_url()
        if base_url is None:
            raise UsageError(f"{directory}: nothing was crawled yet; run `uknip crawl` first")
        at = datetime.now(UTC)
        learned, out_of_date = learn_layouts(archive, base_url, readers=where, at=at, dry_run=dry_run)
        wanted = archive.readings.all() if everything else out_of_date
        report = _with_progress(archive, base_url, learned, wanted, where, dry_run=dry_run)
        if not dry_run:
            name_edits(archive)
            link_near_duplicates(archive)
        layouts = {layout.name: str(layout.state) for layout in learned.layouts.values()}
    conclude(
        "\n".join(_told(report, layouts, dry_run=dry_run)),
        _record(report, layouts, dry_run=dry_run),
        3 if report.unread else 0,
        as_json=as_json,
    )


def _with_progress(
    archive: Archive, base_url: str, learned: Learned, wanted: list[int], where: Readers, *, dry_run: bool
) -> Report:
    with progress("reading") as report:
        return reextract(
            archive,
            base_url,
            learned,
            wanted,
            readers=where,
            dry_run=dry_run,
            progress=report,
        )


def _record(report: Report, layouts: dict[str, str], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "stories": report.stories,
        "captures": report.captures,
        "layouts": layouts,
        "changed": {name: report.changed[name] for name in FIELDS},
        "samples": [asdict(sample) for sample in report.samples],
        "lost_text": [{"url": url, "words": words} for url, words in sorted(report.lost_text)],
        "set_aside": report.set_aside,
        "unread": [{"url": url, "reason": reason} for url, reason in report.unread],
    }


def _told(report: Report, layouts: dict[str, str], *, dry_run: bool) -> list[str]:
    states = ", ".join(
        f"{list(layouts.values()).count(state)} {state}" for state in sorted({*layouts.values()})
    )
    would = "would change" if dry_run else "changed"
    told = [
        f"{len(layouts)} layouts{f': {states}' if states else ''}",
        f"{report.stories:,} stories read again from {report.captures:,} captures",
    ]
    for name in FIELDS:
        if report.changed[name]:
            told.append(f"  {name:13} {would} in {report.changed[name]:,}")
    if report.stories and not any(report.changed.values()):
        told.append(f"  nothing {would}")
    for sample in report.samples:
        told.append(f"\n{sample.url}  (+{sample.added_words} −{sample.removed_words} words)")
        lines = sample.diff.splitlines()
        told.append("\n".join(f"  {line[:160]}" for line in lines[:SHOWN]))
        if len(lines) > SHOWN:
            told.append(f"  … {len(lines) - SHOWN} more lines")
    if report.lost_text:
        told.append(f"\n{len(report.lost_text):,} stories with fewer words than before:")
        for url, words in sorted(report.lost_text, key=lambda row: (-row[1], row[0]))[:SHOWN]:
            told.append(f"  −{words} {url}")
    if report.set_aside:
        told.append(
            f"\n{report.set_aside:,} captures show something in their story's place and count no more"
        )
    if report.unread:
        told.append(f"\n{len(report.unread):,} captures gave no story now; the old readings stay:")
        for url, reason in report.unread[:SHOWN]:
            told.append(f"  {url}  {reason}")
    if dry_run and report.stories:
        told.append("\nNothing was written. `uknip reextract` does it.")
    return told
