"""`uknip verify`: check database, search index and captures."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.database import is_readonly
from uknip_crawler.archive.verify import count_articles, verify
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.errors import StorageError


@click.command()
@archive_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Check the whole archive: database, search index, digests of texts, captures and images, and that every article
    traces to the bytes it was read from. A read-only archive can be checked too. Exit status 0 when all is well, 5 when
    anything is wrong.

    \b
    uknip verify
    """
    looked_at = open_readonly(directory)  # says so when there is no archive, before one is created

    def tell(what: str) -> None:
        if sys.stderr.isatty():
            echo(f"checking {what} …", err=True)

    with contextlib.ExitStack() as stack:
        if is_readonly(directory):
            stack.callback(looked_at.close)
            db = looked_at
        else:  # nobody writes meanwhile, and an old archive is brought up to date
            looked_at.close()
            db = stack.enter_context(Archive(directory)).db
        problems = list(verify(db, directory, progress=tell))
        articles = count_articles(db)
    if as_json:
        echo(json_text({"articles": articles, "problems": problems}))
    else:
        for problem in problems:
            echo(problem)
        echo(f"{articles:,} articles checked, {len(problems):,} problems")
    sys.exit(StorageError.exit_status if problems else 0)
