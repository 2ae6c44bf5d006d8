"""`uknip export`: the archive's articles as CSV, JSON or JSON Lines."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.export import FORMATS, Selection, Summary, export_articles, parse_day
from uknip_crawler.export.writing import Row, Watch


@click.command("export")
@click.argument("format_name", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write; - is standard output.  [exports/uknip.FORMAT]"
)
@click.option(
    "--since", metavar="DATE", help="Published on this day or later (London time), such as 2026-03-31."
)
@click.option("--until", metavar="DATE", help="Published on this day or earlier (London time).")
@click.option("--section", metavar="NAME", help="Only this section.")
@click.option("--tag", metavar="NAME", help="Only articles with this tag.")
@click.option(
    "--search", metavar="WORDS", help="Only articles with these words in headline, standfirst or body."
)
@click.option(
    "--status", type=click.Choice(["live", "gone"]), help="Only articles still on the site, or gone."
)
@click.option(
    "--raw", is_flag=True, help="CSV for programs: no byte-order mark, no apostrophe before formulas."
)
@json_option
@archive_option
def command(
    format_name: str,
    output: str | None,
    since: str | None,
    until: str | None,
    section: str | None,
    tag: str | None,
    search: str | None,
    status: str | None,
    raw: bool,
    as_json: bool,
    directory: Path,
) -> None:
    """Write the articles as FORMAT: csv, json or jsonl.

    Oldest first. The file appears whole or not at all, and is byte for byte the same when nothing changed.
    """
    selection = Selection(
        since=parse_day(since) if since is not None else None,
        until=parse_day(until) if until is not None else None,
        section=section,
        tag=tag,
        search=search,
        status=status,
    )
    destination = None if output == "-" else Path(output or f"exports/uknip.{format_name}")
    try:
        with _progress() as watch:
            summary = export_articles(directory, format_name, destination, selection, raw=raw, watch=watch)
    except BrokenPipeError:  # `… | head` has read enough
        return
    # standard output may be carrying the export itself
    click.echo(_closing_line(summary, as_json), err=destination is None)


def _closing_line(summary: Summary, as_json: bool) -> str:
    path = str(summary.path) if summary.path else None
    if as_json:
        return json.dumps({"articles": summary.articles, "path": path, "size_bytes": summary.size_bytes})
    plural = "" if summary.articles == 1 else "s"
    size = "" if summary.size_bytes is None else f" ({decimal(summary.size_bytes)})"
    return f"{summary.articles:,} article{plural} → {path or 'standard output'}{size}"


@contextlib.contextmanager
def _progress() -> Iterator[Watch]:
    """Yield a watcher that draws a bar on standard error, on a terminal only."""
    columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:

        def watch(rows: Iterable[Row], total: int) -> Iterable[Row]:
            return progress.track(rows, total=total)

        yield watch
