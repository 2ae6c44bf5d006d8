"""`uknip crawl`: the main job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from uknip_crawler.archive import DATABASE, archived_site, open_readonly
from uknip_crawler.archive.reports.runs import RunReport, run_report
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.logs import log_options
from uknip_crawler.cli.output import conclude
from uknip_crawler.cli.process import run
from uknip_crawler.configuration import FILE, Configuration, settle, write
from uknip_crawler.errors import UsageError
from uknip_crawler.sites import load_site, with_image_hosts
from uknip_crawler.watching import Watchers, tell


@click.command()
@click.argument("base_url", required=False)
@archive_option
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    show_default="the archive's own, else 1.0",
    help="Seconds between requests.",
)
@click.option(
    "--concurrency", type=click.IntRange(1, 16), default=1, show_default=True, help="Requests at a time."
)
@click.option("--limit", type=click.IntRange(min=1), help="Visit at most so many pages in this run.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    help="Make at most so many requests in this run, first those likeliest to find something new.",
)
@click.option(
    "--since", metavar="DATE", help="Only stories published or changed since this day, London time."
)
@click.option(
    "--full", is_flag=True, help="Read every source from its start again and walk the archive pages."
)
@click.option(
    "--images/--no-images",
    default=None,
    show_default="the archive's own, else no",
    help="Keep the stories' images too, after the pages.",
)
@click.option(
    "--image-host",
    "image_hosts",
    metavar="HOST",
    multiple=True,
    help="Another host that images may come from; may be given more than once.",
)
@click.option(
    "--contact",
    help="Your address or web page, put into the user agent; else UKNIP_CONTACT in the environment, else the archive's own.",
)
@click.option(
    "--existing",
    is_flag=True,
    help="Begin no new archive: a disk that is not mounted looks like an empty one.",
)
@click.option(
    "-s",
    "--setting",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="A Scrapy setting, for those who know it.",
)
@click.option(
    "--metrics",
    metavar="FILE",
    show_default="the archive's own, else none",
    help="Write figures there for node_exporter's textfile collector.",
)
@json_option
@log_options
def command(
    base_url: str | None,
    directory: Path,
    delay: float | None,
    concurrency: int,
    limit: int | None,
    budget: int | None,
    since: str | None,
    full: bool,
    images: bool | None,
    image_hosts: tuple[str, ...],
    contact: str | None,
    existing: bool,
    settings: tuple[str, ...],
    metrics: str | None,
    as_json: bool,
) -> None:
    """Crawl a WordPress news site into the archive, or bring the archive up to date.

    The first run takes everything; later runs ask the site what changed. A run that was killed is simply run again.
    An archive remembers its site, and the contact, delay and images of its first crawl (`uknip config`).

    \b
    uknip crawl                                    uknip.co.uk into ./archive
    uknip crawl --limit 50 --contact me@uni.ac.uk  a first taste, with an address to reach you at
    uknip crawl --since 2026-01-01                 only this year's stories
    uknip crawl --budget 500                       an hourly look that costs 500 requests at most
    uknip crawl --images                           the stories' images too

    Exit status: 0 complete, 2 usage, 3 finished with failures, 4 the site asked to wait or was down,
    5 storage, 75 another run holds the lock, 130/143 signal.
    """
    options = Configuration(base_url, contact, delay, images, metrics=metrics)
    settled = settle(directory, options)
    if existing and not any((directory / name).is_file() for name in (DATABASE, FILE)):
        raise UsageError(f"no archive in {directory}: was it moved, is its disk mounted?")
    result = crawl(
        settled.site.value,
        directory,
        delay=settled.delay.value,
        concurrency=concurrency,
        limit=limit,
        budget=budget,
        since=_day(since),
        full=full,
        images=settled.images.value,
        image_hosts=image_hosts,
        contact=settled.contact.value,
        settings=dict(_setting(text) for text in settings),
    )
    if not (directory / FILE).exists() and archived_site(directory):  # its first crawl: found what was meant
        write(directory, replace(options, site=settled.site.value))
    tell(
        directory,
        Watchers(
            tuple(settled.notices.value or ()),
            settled.notice_command.value,
            settled.metrics.value,
            settled.ping.value,
        ),
        exit_status=result.exit_status,
        now=datetime.now(UTC),
    )
    conclude(result.text(), result.as_json(), result.exit_status, as_json=as_json)


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London")).isoformat()
    except ValueError:
        raise UsageError(f"--since {text}: give a day such as 2026-01-31") from None


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isupper():
        raise UsageError(f"-s {text}: give a setting such as DOWNLOAD_TIMEOUT=60")
    return name, value


def crawl(
    base_url: str,
    directory: Path,
    *,
    delay: float = 1.0,
    concurrency: int = 1,
    limit: int | None = None,
    budget: int | None = None,
    since: str | None = None,
    full: bool = False,
    images: bool = False,
    image_hosts: Sequence[str] = (),
    contact: str | None = None,
    settings: dict[str, Any] | None = None,
) -> RunReport:
    """Run one crawl in this process and return its report. A process can do this once: a reactor does not restart.

    Raises UsageError, ArchiveLocked and StorageError when the crawl cannot begin.
    """
    from uknip_crawler.spiders.uknip import UknipSpider

    with_image_hosts(load_site(base_url), image_hosts)  # a bad host is told before anything is set up
    spider = run(
        UknipSpider,
        base_url,
        {
            "DOWNLOAD_DELAY": delay,
            "CONCURRENT_REQUESTS": concurrency,
            "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
            "UKNIP_CONTACT": contact or "",
            "UKNIP_EXTRACTION_WORKERS": min(concurrency, os.cpu_count() or 1, 4),
            **(settings or {}),
        },
        {
            "archive": str(directory),
            "limit": limit,
            "budget": budget,
            "since": since,
            "full": "1" if full else "",
            "images": "1" if images else "",
            "image_hosts": ",".join(image_hosts),
        },
    )
    crawl, db = spider.crawl, open_readonly(directory)
    try:
        return run_report(db, crawl.run.id, crawl.stop.exit_status, crawl.troubles, spider.recovered.replayed)
    finally:
        db.close()
