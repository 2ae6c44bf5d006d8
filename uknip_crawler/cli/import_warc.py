"""`uknip import-warc`: pages that other crawlers captured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from uknip_crawler.archive import Archive
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.logs import log_options
from uknip_crawler.cli.output import conclude, progress
from uknip_crawler.cli.reading import readers, readers_options
from uknip_crawler.configuration import Configuration, settle
from uknip_crawler.errors import UsageError
from uknip_crawler.ingest.candidates import schedule
from uknip_crawler.ingest.workers import Readers
from uknip_crawler.jobs.import_warc import ImportReport, import_warcs
from uknip_crawler.sites import load_site

SHOWN = 10


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--cdx",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A list of addresses (CDX, CDXJ, the Wayback Machine's JSON, or one a line) for the next crawl to visit.",
)
@click.option("--base-url", help="The site's address; by default the archive's own, else uknip.co.uk.")
@readers_options
@archive_option
@json_option
@log_options
def command(
    files: tuple[Path, ...],
    lists: tuple[Path, ...],
    base_url: str | None,
    workers: int,
    dask: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Take in the site's pages from files of other crawlers: WARC, WACZ and ARC, also packed with gzip or Zstandard
    (Common Crawl, browsertrix, ArchiveBox, wget, Heritrix). Each capture keeps its own time, so that a story's versions and addresses come in their right
    order whatever the order of import. Importing twice changes nothing; the next crawl looks whether the stories
    are still there.

    \b
    uknip import-warc crawl-2021.warc.gz crawl-2023.warc.gz
    uknip import-warc --cdx wayback.txt      only note the addresses, to be visited by the next crawl

    Exit status: 0 all taken in, 2 usage, 3 some records could not be read (they are named), 75 another run holds the lock.
    """
    if not files and not lists:
        raise UsageError("nothing to import: name a WARC file, or a list of addresses with --cdx")
    site = load_site(settle(directory, Configuration(base_url)).site.value)
    with Archive(directory) as archive, readers(workers, dask) as where:
        scheduled = [schedule(archive, site, path, at=datetime.now(UTC)) for path in lists]
        report = _import(archive, site.base_url, files, where) if files else None
    record = {"scheduled": sum(new for new, _ in scheduled), "not_taken": sum(bad for _, bad in scheduled)}
    told = [] if report is None else _told(report, site.base_url)
    if lists:
        told.insert(
            0,
            f"{record['scheduled']:,} addresses wait for the next crawl, {record['not_taken']:,} are no pages of {site.host}",
        )
    conclude(
        "\n".join(told),
        {**record, **(report.as_json() if report else {})},
        report.exit_status if report else 0,
        as_json=as_json,
    )


def _import(archive: Archive, base_url: str, files: tuple[Path, ...], where: Readers) -> ImportReport:
    with progress("importing") as report:
        return import_warcs(
            archive,
            base_url,
            files,
            readers=where,
            clock=lambda: datetime.now(UTC),
            progress=report,
        )


def _told(report: ImportReport, base_url: str) -> list[str]:
    lines = [
        (
            f"Run {report.run}: {report.records:,} records in {report.files:,} files, {report.taken:,} taken in, "
            f"{report.held:,} held already, {report.passed_over:,} without a page, {report.elsewhere:,} of other sites or kinds"
        ),
        f"  the archive holds {report.articles:,} articles in {report.revisions:,} revisions",
    ]
    for title, counts in (
        ("records that are no pages", report.others.items()),
        ("outcomes", sorted(report.outcomes.items())),
    ):
        if counts:
            lines.append(f"  {title}: " + ", ".join(f"{count:,} {name}" for name, count in counts))
    if report.records and report.elsewhere == report.records:
        lines.append(f"  none is a page of {base_url}: name another site with --base-url")
    lines += [f"  not read: {line}" for line in report.damaged[:SHOWN]]
    if len(report.damaged) > SHOWN:
        lines.append(f"  and {len(report.damaged) - SHOWN:,} more: `uknip import-warc --json` names them all")
    return lines
