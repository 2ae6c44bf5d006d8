"""What changed since a dataset was frozen: the export made again, as it was made then, and compared record by record."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.export import package, parquet, partitioned
from uknip_crawler.export.checking import how_it_was_made
from uknip_crawler.export.files import HashedFile
from uknip_crawler.export.formats import FORMATS
from uknip_crawler.export.recipe import PACKAGE, WACZ, Recipe
from uknip_crawler.export.snapshot import Snapshot, Watch, joined, snapshots
from uknip_crawler.export.tables import TABLES

OWN = frozenset({"last_seen_at", "captured_at", "layout", "extractor_version"})
"""Fields that tell of our visits and readings, not of the story."""

_DIGEST_BYTES = 8

Key = tuple[str, ...]


@dataclass(slots=True)
class Difference:
    """Records of one table by their key: `added`, `gone`, `changed` with the fields that differ, `moved` from an address to
    another (with fields, too). `reread` counts those in which nothing but our own visits and readings differs."""

    added: list[Key] = field(default_factory=list)
    gone: list[Key] = field(default_factory=list)
    changed: dict[Key, list[str]] = field(default_factory=dict)
    moved: dict[Key, tuple[Key, list[str]]] = field(default_factory=dict)
    reread: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.gone or self.changed or self.moved)

    def as_json(self) -> dict[str, Any]:
        return {
            "added": [_name(key) for key in self.added],
            "changed": [{"key": _name(key), "fields": fields} for key, fields in self.changed.items()],
            "moved": [
                {"from": _name(old), "to": _name(new), "fields": fields}
                for old, (new, fields) in self.moved.items()
            ],
            "gone": [_name(key) for key in self.gone],
            "reread": self.reread,
        }

    def lines(self) -> Iterator[str]:
        """Yield a line for each record, as diff marks them."""
        yield from (f"+ {_name(key)}" for key in self.added)
        yield from (f"~ {_name(key)}  {', '.join(fields)}" for key, fields in self.changed.items())
        yield from (
            f"> {_name(old)} → {_name(new)}  {', '.join(fields)}" for old, (new, fields) in self.moved.items()
        )
        yield from (f"- {_name(key)}" for key in self.gone)


def diff_export(
    archive: Path | Sequence[Path], path: Path, *, watch: Watch = lambda rows, total: rows
) -> dict[str, Difference]:
    """Return what the archive now gives otherwise than an export at a path, by table; of the ledger nothing, it only grows.

    Raises UsageError when it is not known how the export was made or its records have no key, StorageError when something
    cannot be read.
    """
    recipe = how_it_was_made(path)
    if recipe.format == WACZ:
        raise UsageError(
            f"{path}: holds captures, not records: `uknip export --check` compares it as a whole"
        )
    format_name = "csv" if recipe.format == PACKAGE else recipe.format
    found = {}
    try:
        with (
            snapshots([archive] if isinstance(archive, Path) else archive) as moments,
            tempfile.TemporaryDirectory(prefix="uknip-diff-") as folder,
        ):
            for table in (name for name in recipe.tables if TABLES[name].key):
                old = path / package.file_name(table) if recipe.format == PACKAGE else path
                new = Path(folder) / old.name
                _write(moments, replace(recipe, partition_by=None), table, format_name, new, watch)
                key = (*(["site"] if recipe.with_site else []), *TABLES[table].key)
                found[table] = _compared(old, new, format_name, key)
                new.unlink()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    if not found:
        raise UsageError(f"{path}: visits have no key to be compared by, and are only ever added")
    return found


def _write(
    moments: Sequence[Snapshot], recipe: Recipe, table: str, format_name: str, path: Path, watch: Watch
) -> None:
    total, rows = joined(moments, recipe, table, format_name)
    with HashedFile(path) as output, contextlib.closing(rows):
        FORMATS[format_name].write(watch(rows, total), recipe.chosen(table), output, recipe.raw)


def _compared(old: Path, new: Path, format_name: str, key: Key) -> Difference:
    then: dict[Key, dict[str, bytes]] = {}
    for record in _records(old, format_name):
        then[_key(record, key, old)] = {name: _digest(value) for name, value in record.items()}
    difference = Difference()
    aliases: dict[Key, Key] = {}
    for record in _records(new, format_name):
        name = _key(record, key, new)
        now = {field: _digest(value) for field, value in record.items()}
        if name in then:
            _note(difference, name, _differing(then.pop(name), now))
        elif before := next((one for one in _aliases(record, key) if one in then), None):
            aliases[before] = name
            difference.moved[before] = (name, _differing(then[before], now))
        else:
            difference.added.append(name)
    difference.gone = [name for name in then if name not in aliases]
    return difference


def _note(difference: Difference, name: Key, fields: list[str]) -> None:
    if set(fields) - OWN:
        difference.changed[name] = fields
    elif fields:
        difference.reread += 1


def _differing(then: dict[str, bytes], now: dict[str, bytes]) -> list[str]:
    return [name for name, digest in now.items() if name in then and then[name] != digest]


def _aliases(record: dict[str, Any], key: Key) -> list[Key]:
    """Return the other addresses of an article as keys."""
    aliases = record.get("aliases") if key[-1:] == ("url",) else None
    if isinstance(aliases, str):
        aliases = aliases.split("; ")
    return [(*(str(record[name]) for name in key[:-1]), str(alias)) for alias in aliases or []]


def _key(record: dict[str, Any], key: Key, path: Path) -> Key:
    try:
        return tuple(str(record[name]) for name in key)
    except KeyError as error:
        raise UsageError(
            f"{path}: has no field {error}: without it records cannot be told apart; export it with it"
        ) from error


def _records(path: Path, format_name: str) -> Iterator[dict[str, Any]]:
    try:
        if format_name == "csv":
            csv.field_size_limit(sys.maxsize)  # a body may be longer than the module's 128 KiB
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from csv.DictReader(file)
        elif format_name == "parquet":
            yield from partitioned.records(path) if path.is_dir() else parquet.records(path)
        else:
            with path.open(encoding="utf-8") as file:
                lines = (line.strip().removesuffix(",") for line in file)
                for line in (line for line in lines if line.strip("[]")):
                    if not isinstance(record := json.loads(line), dict):
                        raise TypeError(f"not a record: {line[:40]}")
                    yield record
    except (ValueError, TypeError, csv.Error) as error:
        raise UsageError(f"{path}: is no {format_name} as uknip writes it: {error}") from error


def _digest(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()


def _name(key: Key) -> str:
    return " ".join(key)
