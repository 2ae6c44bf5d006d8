"""How an export is made: all that its bytes depend on besides the archive, kept beside it so that it can be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Self

from uknip_crawler.errors import UsageError
from uknip_crawler.export import parquet
from uknip_crawler.export.formats import FORMATS
from uknip_crawler.export.selection import Selection, parse_day
from uknip_crawler.export.tables import SITE, TABLES, Field

PACKAGE = "datapackage"
WACZ = "wacz"
MONTH = "month"
EVERY_FORMAT = (*FORMATS, PACKAGE, WACZ)


@dataclass(frozen=True, slots=True)
class Recipe:
    """`fields` of None is the default record; `raw` concerns CSV: no byte-order mark, no apostrophes; `partition_by` of MONTH
    makes Parquet a folder of files, one a month; `with_site` puts the site before each record, as exports of several archives
    want it, unless the folder's names tell it.

    Raises UsageError when it cannot mean anything: an unknown format, table or field; several tables in a format that
    takes one; Parquet without pyarrow; a WACZ file, which has no tables, with anything but a selection.
    """

    format: str
    tables: tuple[str, ...] = ("articles",)
    fields: tuple[str, ...] | None = None
    without_text: bool = False
    raw: bool = False
    selection: Selection = field(default_factory=Selection)
    partition_by: str | None = None
    with_site: bool = False

    def __post_init__(self) -> None:
        if self.format not in EVERY_FORMAT:
            raise UsageError(f"there is no format {self.format!r}: choose from {', '.join(EVERY_FORMAT)}")
        if self.partition_by is not None and (self.partition_by != MONTH or self.format != "parquet"):
            raise UsageError("--partition-by is for parquet, and month is what it can be by")
        if self.with_site and self.format in (PACKAGE, WACZ):
            raise UsageError(f"{self.format} is of one archive: name it with --archive DIR")
        if self.format == WACZ:
            if self.tables or self.fields is not None or self.without_text or self.raw:
                raise UsageError(
                    "a WACZ file holds captures as received: --table, --fields, --without-text and --raw are not for it"
                )
            return
        if unknown := [name for name in self.tables if name not in TABLES]:
            raise UsageError(f"there is no table {unknown[0]!r}: choose from {', '.join(TABLES)}")
        if not self.tables or len({*self.tables}) < len(self.tables):
            raise UsageError("name each table once")
        if len(self.tables) > 1 and self.format != PACKAGE:
            raise UsageError(
                f"{self.format} takes one table: export each to a file of its own, or datapackage"
            )
        if len(self.tables) > 1 and self.fields is not None:
            raise UsageError("--fields belong to one table: name it with --table")
        if self.format == "parquet":
            parquet.require()
        for table in self.tables:
            self.chosen(table)

    def chosen(self, table: str) -> tuple[Field, ...]:
        """Return a table's fields, in order."""
        fields = TABLES[table].chosen(self.fields, without_text=self.without_text)
        return (SITE, *fields) if self.with_site and self.partition_by is None else fields

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        filters = {
            f.name: str(value) if isinstance(value, date) else value
            for f in fields(Selection)
            if (value := getattr(self.selection, f.name)) is not None
        }
        return {
            "format": self.format,
            "tables": list(self.tables),
            "fields": None if self.fields is None else list(self.fields),
            "without_text": self.without_text,
            "raw": self.raw,
            "filters": filters,
            **({} if self.partition_by is None else {"partition_by": self.partition_by}),
            **({"with_site": True} if self.with_site else {}),
        }

    @property
    def is_folder(self) -> bool:
        return self.format == PACKAGE or self.partition_by is not None

    @classmethod
    def from_json(cls, record: Any, path: Path) -> Self:
        """Read what `as_json` wrote into the file at `path`. Raises UsageError for anything else."""
        match record:
            case {
                "format": str(format_name),
                "tables": [*tables],
                "fields": None | [*_] as names,
                "without_text": bool(without_text),
                "raw": bool(raw),
                "filters": {**filters},
            } if {type(item) for item in (*tables, *(names or ()))} <= {str} and _are_filters(filters):
                chosen = None if names is None else tuple(names)
                selection = selection_of({str(name): value for name, value in filters.items()})
                by, with_site = record.get("partition_by"), record.get("with_site", False)
                if by in (None, MONTH) and isinstance(with_site, bool):
                    return cls(
                        format_name, tuple(tables), chosen, without_text, raw, selection, by, with_site
                    )
        raise UsageError(f"{path}: does not say how the export was made; export it again")


def selection_of(filters: Mapping[str, Any]) -> Selection:
    """Return the selection of filters by name, days as text. Raises UsageError for what is no day."""
    days = {name: parse_day(filters[name]) for name in ("since", "until") if filters.get(name) is not None}
    return Selection(**{**filters, **days})


_KINDS: dict[str, type] = {"limit": int, "edited": bool, "with_images": bool}


def _are_filters(filters: Mapping[Any, Any]) -> bool:
    kinds = {f.name: _KINDS.get(f.name, str) for f in fields(Selection)}
    return all(type(value) is kinds.get(name) for name, value in filters.items())
