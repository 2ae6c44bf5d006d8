"""Does an exported file or package still match: is it as it was written, and would the archive give the same today?"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uknip_crawler import __version__
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.export import package, parquet, partitioned, wacz
from uknip_crawler.export.dataset import Dataset
from uknip_crawler.export.files import HashedFile, sha256_of
from uknip_crawler.export.formats import FORMATS, write_csv
from uknip_crawler.export.recipe import PACKAGE, WACZ, Recipe
from uknip_crawler.export.snapshot import Snapshot, Watch, joined, snapshots
from uknip_crawler.export.tables import rows_of
from uknip_crawler.export.writing import sidecar


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`altered` names files that are not as they were exported, `outdated` tables of which the archive now gives
    other records; `then` and `now` count their rows. `written_by` is the version of uknip that exported."""

    path: Path
    altered: list[str]
    outdated: list[str]
    then: dict[str, int]
    now: dict[str, int]
    written_by: str

    @property
    def matches(self) -> bool:
        return not self.altered and not self.outdated

    def text(self) -> str:
        """Return the result in one line."""
        if self.matches:
            counts = ", ".join(f"{count:,} {rows_of(table)}" for table, count in self.now.items())
            return f"{self.path} matches the archive: {counts}"
        if self.altered:
            return f"{self.path} is not as it was exported: {', '.join(self.altered)} differs"
        changes = ", ".join(
            f"{name} ({self.then[name]:,} then, {self.now[name]:,} now)" for name in self.outdated
        )
        other = "" if self.written_by == __version__ else f"; it was written by uknip {self.written_by}"
        return f"{self.path} is as it was exported, but the archive now gives other {changes}{other}"


def check_export(
    archive: Path | Sequence[Path], path: Path, *, watch: Watch = lambda rows, total: rows
) -> CheckResult:
    """Export again, to nowhere, as the export at a path was made, and compare.

    Raises UsageError when it is not known how that was, StorageError when something cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    try:
        with snapshots([archive] if isinstance(archive, Path) else archive) as moments:
            if not path.is_dir():
                return _check_file(moments, path, watch)
            if (path / partitioned.NOTE).is_file():
                return _check_partitions(moments, path, watch)
            return _check_package(moments[0], path, watch)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def how_it_was_made(path: Path) -> Recipe:
    """Return the recipe of the export at a path. Raises UsageError where it is not known."""
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    is_package = path.is_dir() and not (path / partitioned.NOTE).is_file()
    note = path / (package.DESCRIPTOR if is_package else partitioned.NOTE) if path.is_dir() else sidecar(path)
    made = _read(note)
    recipe = Recipe.from_json(made.get("uknip") if is_package and isinstance(made, dict) else made, note)
    if recipe.is_folder is not path.is_dir():
        raise _unreadable(note)
    return recipe


def _made(note: Path, *, is_folder: bool) -> tuple[Recipe, dict[str, int], dict[str, Any]]:
    """Return what a note says: the recipe, the number of rows of each table, and all of it."""
    made = _read(note)
    recipe = Recipe.from_json(made, note)
    try:
        then = {str(table): int(count) for table, count in made["rows"].items()}
        sound = isinstance(made["uknip"], str) and (recipe.format == WACZ or tuple(then) == recipe.tables)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(note) from error
    if not sound or recipe.is_folder is not is_folder or recipe.format == PACKAGE:
        raise _unreadable(note)
    return recipe, then, made


def _check_file(moments: Sequence[Snapshot], path: Path, watch: Watch) -> CheckResult:
    recipe, then, made = _made(sidecar(path), is_folder=False)
    digest, version = str(made.get("sha256")), made["uknip"]
    altered = [] if sha256_of(path) == digest else [path.name]
    if recipe.format == WACZ:
        with HashedFile(Path(os.devnull)) as nowhere:
            found = wacz.write(moments[0], recipe, nowhere, watch, Dataset())
        outdated = [] if found.hashes == wacz.hashes_in(path) else ["captures"]
        return CheckResult(path, altered, outdated, then, found.rows, version)
    (table,) = recipe.tables
    total, rows = joined(moments, recipe, table, recipe.format)
    with contextlib.closing(rows):
        if recipe.format == "parquet":  # its bytes depend on pyarrow's version, its rows do not
            same = parquet.holds(path, watch(rows, total), recipe.chosen(table))
        else:
            with HashedFile(Path(os.devnull)) as nowhere:
                FORMATS[recipe.format].write(watch(rows, total), recipe.chosen(table), nowhere, recipe.raw)
                same = nowhere.sha256() == digest
    return CheckResult(path, altered, [] if same else [table], then, {table: total}, version)


def _check_partitions(moments: Sequence[Snapshot], folder: Path, watch: Watch) -> CheckResult:
    note = folder / partitioned.NOTE
    recipe, then, made = _made(note, is_folder=True)
    hashes = made.get("files")
    if not isinstance(hashes, dict):
        raise _unreadable(note)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")}
    altered = sorted(
        {str(path) for path in hashes.keys() ^ there}
        | {path for path in hashes.keys() & there if sha256_of(folder / path) != hashes[path]}
    )
    (table,) = recipe.tables
    total, _ = joined(moments, recipe, table, recipe.format)
    left, same = set(hashes), True
    for path, rows in partitioned.groups(moments, recipe, watch):
        same = same and path in there and parquet.holds(folder / path, rows, recipe.chosen(table))
        left.discard(path)
        deque(rows, 0)
    return CheckResult(
        folder, altered, [] if same and not left else [table], then, {table: total}, made["uknip"]
    )


def _check_package(moment: Snapshot, folder: Path, watch: Watch) -> CheckResult:
    descriptor_path = folder / package.DESCRIPTOR
    descriptor = _read(descriptor_path)
    try:
        made, resources, written_id = descriptor["uknip"], descriptor["resources"], descriptor["id"]
        version = str(made["version"])
        hashes = {str(r["name"]): str(r["hash"]) for r in resources}
        then = {str(r["name"]): int(r["rows"]) for r in resources}
        sound = written_id == package.identity(resources)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(descriptor_path) from error
    recipe = Recipe.from_json(made, descriptor_path)
    if recipe.format != PACKAGE or tuple(hashes) != recipe.tables:
        raise _unreadable(descriptor_path)
    altered = [] if sound else [package.DESCRIPTOR]
    outdated, now = [], {}
    for table in recipe.tables:
        file = folder / package.file_name(table)
        if not file.is_file() or f"sha256:{sha256_of(file)}" != hashes[table]:
            altered.append(file.name)
        now[table], rows = moment.rows(recipe, table, "csv")
        with HashedFile(Path(os.devnull)) as nowhere, contextlib.closing(rows):
            write_csv(watch(rows, now[table]), recipe.chosen(table), nowhere, recipe.raw)
            if f"sha256:{nowhere.sha256()}" != hashes[table]:
                outdated.append(table)
    return CheckResult(folder, altered, outdated, then, now, version)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(
            f"{path}: there is none, so it is not known how the export was made; export again and compare the files"
        )
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> UsageError:
    return UsageError(f"{path}: does not say how the export was made; export it again")
