"""`uknip export`: tables of the archive as CSV, JSON, JSON Lines, Parquet or a data package, its captures as WACZ, and whether
they still match."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal

from uknip_crawler.archive.folders import archives_in
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import Report, echo, progress
from uknip_crawler.configuration import read
from uknip_crawler.errors import UsageError
from uknip_crawler.export import (
    EVERY_FORMAT,
    PACKAGE,
    TABLES,
    WACZ,
    Recipe,
    Summary,
    check_export,
    diff_export,
    write_export,
)
from uknip_crawler.export.checking import how_it_was_made
from uknip_crawler.export.dataset import dataset_of
from uknip_crawler.export.formats import Row
from uknip_crawler.export.recipe import MONTH, selection_of
from uknip_crawler.export.selection import require_known
from uknip_crawler.export.snapshot import Watch, snapshots
from uknip_crawler.export.tables import rows_of


class _Format(click.Choice[str]):
    """A format, or with --check and --diff, which go without one, the first folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return (
            value
            if Path(value).is_dir() and value not in self.choices
            else super().convert(value, param, ctx)
        )


@click.command("export")
@click.argument("format_name", metavar="FORMAT", required=False, type=_Format(EVERY_FORMAT))
@click.argument("folders", metavar="[ARCHIVE]...", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to write: a file, for datapackage and partitions a folder; - is standard output.  [exports/uknip.FORMAT]",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    type=click.Choice(list(TABLES)),
    help="What to write; several, or by default all, only with datapackage.  [articles]",
)
@click.option(
    "--fields", metavar="A,B,C", help="Only these fields, in this order, also such as are not in the default."
)
@click.option(
    "--without-text", is_flag=True, help="Addresses, digests and metadata, but none of the publisher's words."
)
@click.option(
    "--since", metavar="DATE", help="Published on this day or later (London time), such as 2026-03-31."
)
@click.option("--until", metavar="DATE", help="Published on this day or earlier (London time).")
@click.option("--section", metavar="NAME", help="Only this section.")
@click.option("--tag", metavar="NAME", help="Only articles with this tag.")
@click.option("--author", metavar="NAME", help="Only articles by this author.")
@click.option(
    "--search", metavar="WORDS", help="Only articles with these words in headline, standfirst or body."
)
@click.option(
    "--status", type=click.Choice(["live", "gone"]), help="Only articles still on the site, or gone."
)
@click.option(
    "--edited", is_flag=True, default=None, flag_value=True, help="Only articles edited after publication."
)
@click.option("--with-images", is_flag=True, default=None, flag_value=True, help="Only articles with images.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), help="Only the first N articles, of each archive."
)
@click.option(
    "--partition-by",
    type=click.Choice([MONTH]),
    help="With parquet: a folder of site=…/year=…/month=… that DuckDB, Spark and ClickHouse read.",
)
@click.option(
    "--raw", is_flag=True, help="CSV for programs: no byte-order mark, no apostrophe before formulas."
)
@click.option(
    "--check",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write nothing; tell whether an exported file or folder still matches the archive.",
)
@click.option(
    "--diff",
    "older",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write nothing; tell what was added, changed, moved or gone since a file or folder was exported.",
)
@json_option
@archive_option
def command(
    format_name: str | None,
    folders: tuple[Path, ...],
    output: str | None,
    tables: tuple[str, ...],
    fields: str | None,
    without_text: bool,
    raw: bool,
    partition_by: str | None,
    check: Path | None,
    older: Path | None,
    as_json: bool,
    directory: Path,
    **filters: Any,
) -> None:
    """Write articles, revisions, images or the ledger as FORMAT: csv, json, jsonl, parquet or datapackage; or the captures
    themselves as wacz, which ReplayWeb.page and pywb open.

    Oldest first. Files appear whole or not at all, and are byte for byte the same when nothing changed.
    Filters choose articles; of other tables, what belongs to them. A section, tag or author that no article has
    ends with status 2, and those that there are.

    \b
    uknip export csv --section breaking --since 2026-01-01
    uknip export parquet --table revisions
    uknip export parquet --partition-by month -o dataset
    uknip export csv archives                 all archives in a folder as one, with a column site
    uknip export datapackage -o dataset --without-text
    uknip export wacz --tag Ferries
    uknip export --check dataset
    uknip export --diff dataset

    Exit status of --check: 0 the export matches, 3 it does not; of wacz: 3 when captures are damaged, and left out.
    """
    if check is not None or older is not None:
        if format_name in EVERY_FORMAT or None not in (check, older):
            raise UsageError(
                "--check and --diff stand alone, without FORMAT: how the export was made is kept beside it"
            )
        if format_name is not None:
            folders = (Path(format_name), *folders)
        if check is not None:
            _check(_made_of(check, folders, directory), check, as_json)
        if older is not None:
            _diff(_made_of(older, folders, directory), older, as_json)
        return
    if format_name not in EVERY_FORMAT:
        raise UsageError(f"name a format: {', '.join(EVERY_FORMAT)}")
    archives = archives_in(folders) if folders else [directory]
    recipe = Recipe(
        format_name,
        tables or {PACKAGE: tuple(TABLES), WACZ: ()}.get(format_name, ("articles",)),
        None if fields is None else tuple(name.strip() for name in fields.split(",")),
        without_text,
        raw,
        selection_of(filters),
        partition_by,
        bool(folders),
    )
    destination = None if output == "-" else Path(output or _default(recipe))
    with snapshots(archives) as moments:
        require_known([moment.db for moment in moments], recipe.selection)
    try:
        with progress("Exporting") as report:
            dataset = dataset_of(read(archives[0]).dataset)
            summary = write_export(archives, recipe, destination, watch=_watch(report), dataset=dataset)
    except BrokenPipeError:  # `… | head` has read enough
        return
    # standard output may be carrying the export itself
    echo(_closing_line(summary, as_json), err=destination is None)
    if summary.damaged:
        echo(
            f"{summary.damaged:,} captures or images are damaged and left out: `uknip verify` names them",
            err=True,
        )
        sys.exit(3)


def _default(recipe: Recipe) -> str:
    if recipe.format == PACKAGE:
        return "exports/uknip-datapackage"
    table = "" if recipe.tables in (("articles",), ()) else f"-{recipe.tables[0]}"
    return f"exports/uknip{table}" + ("-by-month" if recipe.partition_by else f".{recipe.format}")


def _made_of(path: Path, folders: Sequence[Path], directory: Path) -> list[Path]:
    """Return the archives that an export is to be held against."""
    if folders:
        return archives_in(folders)
    if how_it_was_made(path).with_site:
        raise UsageError(f"{path} is of several archives: name them, or their folder, after it")
    return [directory]


def _check(archives: Sequence[Path], path: Path, as_json: bool) -> None:
    with progress("Checking") as report:
        result = check_export(archives, path, watch=_watch(report))
    if as_json:
        record = {
            "path": str(result.path),
            "matches": result.matches,
            "altered": result.altered,
            "outdated": result.outdated,
            "then": result.then,
            "now": result.now,
        }
        echo(json.dumps(record))
    else:
        echo(result.text())
    sys.exit(0 if result.matches else 3)


def _diff(archives: Sequence[Path], path: Path, as_json: bool) -> None:
    with progress("Comparing") as report:
        found = diff_export(archives, path, watch=_watch(report))
    if as_json:
        tables = {table: difference.as_json() for table, difference in found.items()}
        echo(json.dumps({"path": str(path), "tables": tables}, ensure_ascii=False))
        return
    for table, difference in found.items():
        for line in difference.lines():
            echo(line)
        counts = (
            (len(difference.added), "added"),
            (len(difference.changed), "changed"),
            (len(difference.moved), "moved"),
            (len(difference.gone), "gone"),
            (difference.reread, "only visited or read again"),
        )
        told = ", ".join(f"{count:,} {what}" for count, what in counts if count) or "nothing changed"
        echo(f"{TABLES[table].rows} since {path}: {told}")


def _closing_line(summary: Summary, as_json: bool) -> str:
    path = str(summary.path) if summary.path else None
    if as_json:
        own = {"id": summary.id, "damaged": summary.damaged}
        told = {name: value for name, value in own.items() if value is not None}
        return json.dumps({**summary.rows, **told, "path": path, "size_bytes": summary.size_bytes})
    counts = ", ".join(f"{count:,} {_noun(table, count)}" for table, count in summary.rows.items())
    size = "" if summary.size_bytes is None else f" ({decimal(summary.size_bytes)})"
    return f"{counts} → {path or 'standard output'}{size}" + (f", id {summary.id}" if summary.id else "")


def _noun(table: str, count: int) -> str:
    return rows_of(table).removesuffix("s") if count == 1 else rows_of(table)


def _watch(report: Report) -> Watch:
    """Return what says how far an export is while its rows go by."""

    def watched(rows: Iterable[Row], total: int) -> Iterator[Row]:
        for number, row in enumerate(rows, start=1):
            yield row
            report(number, total)

    return watched
