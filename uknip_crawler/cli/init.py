"""`uknip init`: say once what an archive is of, and how its site is asked."""

from __future__ import annotations

from pathlib import Path

import click

from uknip_crawler.cli import archive_option
from uknip_crawler.cli.config import text
from uknip_crawler.cli.output import echo
from uknip_crawler.configuration import Configuration, settle, write


@click.command()
@click.argument("base_url", required=False)
@archive_option
@click.option("--contact", help="Your address or web page, put into the user agent.")
@click.option("--delay", type=click.FloatRange(min=0), help="Seconds between requests.")
@click.option("--images/--no-images", default=None, help="Keep the stories' images too.")
def command(
    base_url: str | None, directory: Path, contact: str | None, delay: float | None, images: bool | None
) -> None:
    """Say once what an archive is of and how its site is asked; every later crawl goes by it. What is said here is
    kept in uknip.toml in the archive's folder; said again, it changes. The first crawl does the same.

    \b
    uknip init https://news.example/ --archive example --contact me@uni.ac.uk --images
    uknip crawl --archive example
    """
    options = Configuration(base_url, contact, delay, images)
    site = settle(directory, options, {}).site.value
    write(directory, Configuration(site, contact, delay, images))
    echo(text(directory, settle(directory, Configuration())))
