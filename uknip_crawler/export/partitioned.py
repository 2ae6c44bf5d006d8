"""Parquet in the folders that DuckDB, Spark and ClickHouse know, Hive's: `site=…/year=…/month=…`, a file a month.

Rows come in the order of their months, so that one file is open at a time. Undated ones lie where Hive has NULL:
https://duckdb.org/docs/data/partitioning/hive_partitioning. Names that begin with `_` are none of the data to any of these.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from uknip_crawler import __version__
from uknip_crawler.archive.database import as_moment
from uknip_crawler.archive.warc import sync_folder
from uknip_crawler.export import parquet
from uknip_crawler.export.files import HashedFile, refuse_other_files, whole_folder
from uknip_crawler.export.formats import Row
from uknip_crawler.export.package import rendered, rights, write_text
from uknip_crawler.export.recipe import Recipe
from uknip_crawler.export.snapshot import Snapshot, Watch, joined
from uknip_crawler.export.tables import SITE, TABLES, Field
from uknip_crawler.times import london_day

NOTE = "_export.json"
"""How the folder was made, and the digest of each file in it."""
CARD = "_README.md"
UNDATED = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Partitioned:
    """What was written."""

    rows: dict[str, int]
    size_bytes: int


def write(moments: Sequence[Snapshot], recipe: Recipe, folder: Path, watch: Watch) -> Partitioned:
    """Write the folder; an older one at the same place is replaced when the new one is whole.

    Raises UsageError when the folder holds anything else, OSError when it cannot be written.
    """
    refuse_other_files(folder, NOTE, lambda name: name == CARD or name.startswith("site="), "such an export")
    (table,) = recipe.tables
    counts: Counter[str] = Counter()
    hashes: dict[str, str] = {}
    with whole_folder(folder) as part:
        for path, rows in groups(moments, recipe, watch):
            place = part / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with HashedFile(place) as output:
                parquet.write(_counted(rows, counts, path), recipe.chosen(table), output)
                output.sync()
                hashes[path] = output.sha256()
        rows_of_table = {table: counts.total()}
        made = {"uknip": __version__, **recipe.as_json(), "rows": rows_of_table, "files": hashes}
        write_text(part / NOTE, json.dumps(made, indent=2, ensure_ascii=False))
        write_text(part / CARD, _card(moments, recipe, counts))
        written = list(part.rglob("*"))
        for place in filter(Path.is_dir, written):
            sync_folder(place)
        size = sum(place.stat().st_size for place in written if place.is_file())
    return Partitioned(rows_of_table, size)


def groups(moments: Sequence[Snapshot], recipe: Recipe, watch: Watch) -> Iterator[tuple[str, Iterable[Row]]]:
    """Yield (path in the folder, its rows), each to be used up before the next; one empty file where there is no row."""
    (table,) = recipe.tables
    before = (SITE, Field("moment", "moment", "What the row is filed under.", TABLES[table].moment))
    total, rows = joined(moments, recipe, table, recipe.format, before=before)
    files: Counter[str] = Counter()
    with contextlib.closing(rows):
        for place, group in groupby(watch(rows, total), _place):
            yield f"{place}/part-{files[place]:04}.parquet", (row[len(before) :] for row in group)
            files[place] += 1
    if not files:
        yield f"{_place((moments[0].site.encode(), None))}/part-0000.parquet", ()


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder by column name, with the site that the folder names. Raises as `parquet.records` does."""
    for path in sorted(folder.rglob("*.parquet")):
        site = unquote(path.relative_to(folder).parts[0].removeprefix("site="))
        yield from ({"site": site} | record for record in parquet.records(path))


def _place(row: Row) -> str:
    site, moment = row[:2]
    assert isinstance(site, bytes)
    year = month = UNDATED
    if isinstance(moment, bytes):
        day = london_day(as_moment(moment.decode("ascii")))
        year, month = str(day.year), str(day.month)  # no zeros before: DuckDB would take them for words
    return f"site={quote(site.decode(), safe='')}/year={year}/month={month}"


def _counted(rows: Iterable[Row], counts: Counter[str], path: str) -> Iterator[Row]:
    for row in rows:
        counts[path.rpartition("/")[0]] += 1
        yield row


def _card(moments: Sequence[Snapshot], recipe: Recipe, counts: Counter[str]) -> str:
    (table,) = recipe.tables
    return rendered(
        "partitions.md",
        table=TABLES[table],
        sites=sorted({moment.site for moment in moments}),
        rows=counts.total(),
        partitions=len(counts),
        undated=sum(count for place, count in counts.items() if UNDATED in place),
        filters=recipe.as_json()["filters"],
        fields=recipe.chosen(table),
        columns=[column.name for column in parquet.schema(recipe.chosen(table))],
        rights=rights(recipe),
        version=__version__,
    )
