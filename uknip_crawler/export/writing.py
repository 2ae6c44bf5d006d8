"""Writing an export, and beside each file a small one that says how it was made."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from uknip_crawler import __version__
from uknip_crawler.errors import UsageError
from uknip_crawler.export import package, partitioned, wacz
from uknip_crawler.export.dataset import Dataset
from uknip_crawler.export.files import standard_output, storage, whole_files
from uknip_crawler.export.formats import FORMATS
from uknip_crawler.export.recipe import PACKAGE, WACZ, Recipe
from uknip_crawler.export.snapshot import Snapshot, Watch, joined, snapshots


@dataclass(frozen=True, slots=True)
class Summary:
    """What an export wrote: rows by table, and for a data package its id.

    `path` and `size_bytes` are None when it went to standard output. `damaged` counts the captures and images that could
    not be read and are not in a WACZ file, None for other formats.
    """

    rows: dict[str, int]
    path: Path | None
    size_bytes: int | None
    id: str | None = None
    damaged: int | None = None


def write_export(
    archive: Path | Sequence[Path],
    recipe: Recipe,
    destination: Path | None,
    *,
    watch: Watch = lambda rows, total: rows,
    dataset: Dataset = Dataset(),  # noqa: B008  frozen
) -> Summary:
    """Write what the recipe says to a file, a folder (a data package, partitions), or standard output (`destination` None).

    `dataset` is what a package or a WACZ file says of itself.

    All rows of an archive come from one snapshot, also while a crawl is writing. Raises UsageError when there is no archive or
    the destination cannot take the format, StorageError when an archive cannot be read or the file cannot be
    written (one already there then stays as it was), BrokenPipeError when nobody reads standard output any more.
    """
    _check(recipe, destination)
    with snapshots([archive] if isinstance(archive, Path) else archive) as moments:
        if destination is None:
            with standard_output() as output:
                rows, damaged = _write(moments, recipe, output, watch, dataset)
                return Summary(rows, None, None, damaged=damaged)
        with storage(destination):
            if recipe.format == PACKAGE:
                package_ = package.write(moments[0], recipe, destination, watch, dataset)
                return Summary(package_.rows, destination, package_.size_bytes, package_.id)
            if recipe.partition_by is not None:
                folder = partitioned.write(moments, recipe, destination, watch)
                return Summary(folder.rows, destination, folder.size_bytes)
            if destination.exists() and not destination.is_file():  # a pipe or device cannot be replaced
                with destination.open("wb") as device:
                    rows, damaged = _write(moments, recipe, device, watch, dataset)
                    return Summary(rows, destination, None, damaged=damaged)
            return _write_file(moments, recipe, destination, watch, dataset)


def sidecar(path: Path) -> Path:
    """Return where it is kept how the export at a path was made."""
    return path.with_name(f"{path.name}.export.json")


def _check(recipe: Recipe, destination: Path | None) -> None:
    if destination is None and (recipe.format == "parquet" or recipe.is_folder):
        raise UsageError(f"{recipe.format} cannot go to standard output: name a place with -o")
    if destination and not recipe.is_folder and destination.is_dir():
        raise UsageError(f"{destination} is a folder: name a file with -o FILE")


def _write(
    moments: Sequence[Snapshot], recipe: Recipe, output: BinaryIO, watch: Watch, dataset: Dataset
) -> tuple[dict[str, int], int | None]:
    """Return how many rows were written of what, and of a WACZ file how many could not be read."""
    if recipe.format == WACZ:
        collection = wacz.write(moments[0], recipe, output, watch, dataset)
        return collection.rows, collection.damaged
    (table,) = recipe.tables
    total, rows = joined(moments, recipe, table, recipe.format)
    with contextlib.closing(rows):
        FORMATS[recipe.format].write(watch(rows, total), recipe.chosen(table), output, recipe.raw)
    return {table: total}, None


def _write_file(
    moments: Sequence[Snapshot], recipe: Recipe, destination: Path, watch: Watch, dataset: Dataset
) -> Summary:
    with whole_files(destination, sidecar(destination)) as (output, note):
        rows, damaged = _write(moments, recipe, output, watch, dataset)
        made: dict[str, Any] = {
            "uknip": __version__,
            **recipe.as_json(),
            "rows": rows,
            "sha256": output.sha256(),
        }
        note.write((json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
    return Summary(rows, destination, destination.stat().st_size, damaged=damaged)
