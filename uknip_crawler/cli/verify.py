"""`uknip verify`: check database, search index and captures."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.verify import verify
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import json_text
from uknip_crawler.errors import StorageError


@click.command()
@archive_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Check the whole archive: database, search index, digests of texts, captures and pictures, and that every article
    traces to the bytes it was read from. Exit status 0 when all is well, 5 when anything is wrong.

    \b
    uknip verify
    """
    open_readonly(directory).close()  # says so when there is no archive, before one is created

    def tell(what: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"checking {what} …", err=True)

    with Archive(directory) as archive:
        problems = list(verify(archive.db, directory, progress=tell))
        articles = archive.db.table("articles").count_where("status <> 'redacted'")
    if as_json:
        click.echo(json_text({"articles": articles, "problems": problems}))
    else:
        for problem in problems:
            click.echo(problem)
        click.echo(f"{articles:,} articles checked, {len(problems):,} problems")
    sys.exit(StorageError.exit_status if problems else 0)
