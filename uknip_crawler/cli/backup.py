"""`uknip backup`: a consistent copy of the database, also while a crawl runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from uknip_crawler.archive.backup import back_up
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file when it exists.")
@archive_option
@json_option
def command(file: Path, force: bool, directory: Path, as_json: bool) -> None:
    """Copy the archive's database to FILE as it is at one moment, also while a crawl writes. The copy is checked
    before it appears. Captures are never changed by a crawl: copy the folder warc/ after it with any tool.

    \b
    uknip backup /mnt/backup/uknip.db
    rsync -a archive/warc/ /mnt/backup/warc/

    Exit status: 0 done, 2 the file exists or cannot be meant, 5 the disk is full or refuses.
    """
    backup = back_up(directory, file, force=force, at=datetime.now(UTC))
    if backup.unlisted:
        echo(
            f"uknip: {backup.unlisted}: the archive does not note this backup; replace it yourself after a redaction",
            err=True,
        )
    if as_json:
        record = {"file": str(backup.path), "articles": backup.articles, "size_bytes": backup.size_bytes}
        echo(json_text(record))
        return
    echo(f"{backup.articles:,} articles, {backup.size_bytes / 1e6:,.1f} MB → {backup.path}")
    echo(f"now the captures: rsync -a --delete {directory / 'warc'}/ {file.parent / 'warc'}/")
