"""Parquet with pyarrow (the extra `parquet`), imported only when it is asked for: in batches, the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from uknip_crawler.archive.database import as_moment
from uknip_crawler.errors import UsageError
from uknip_crawler.export.tables import Field
from uknip_crawler.times import london_day

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 5000
"""Rows of a row group, all of which are in memory at once."""


def require() -> None:
    """Raise UsageError, saying what to install, when there is no pyarrow."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow: uv sync --extra parquet") from error


def write(rows: Iterable[tuple[Any, ...]], fields: Sequence[Field], output: BinaryIO) -> None:
    """Write one row group a batch. Nothing in the file tells when it was written."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(output, schema(fields), compression="zstd", version="2.6") as writer:
        for batch in batches(rows, fields):
            writer.write_batch(batch, row_group_size=BATCH)


def holds(path: Path, rows: Iterable[tuple[Any, ...]], fields: Sequence[Field]) -> bool:
    """Return whether a file has exactly these rows, whichever version of pyarrow wrote it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema(fields)):
                return False
            pairs = zip_longest(batches(rows, fields), file.iter_batches(BATCH))
            return all(ours and theirs and ours.equals(theirs) for ours, theirs in pairs)
    except (pa.ArrowException, OSError):
        return False


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a file's rows by column name. Raises ValueError for what is no Parquet, OSError when it cannot be read."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield from batch.to_pylist()


def schema(fields: Sequence[Field]) -> pa.Schema:
    """Return the columns: text, integers, UTC timestamps, lists; `images` is a list of structs.

    A moment is two columns: the timestamp, null where only a day is known, and `…_on`, the day in London.
    """
    import pyarrow as pa

    return pa.schema([column for field in fields for column in _columns(field)])


def _columns(field: Field) -> Iterator[tuple[str, pa.DataType]]:
    import pyarrow as pa

    if field.type == "images":
        yield field.name, pa.list_(pa.struct([(key, pa.string()) for key in field.keys]))
    elif field.type == "list":
        yield field.name, pa.list_(pa.string())
    elif field.type in ("instant", "moment"):
        yield field.name, pa.timestamp("us", tz="UTC")
    else:
        yield field.name, pa.int64() if field.type == "integer" else pa.string()
    if field.type == "moment":
        yield f"{field.name.removesuffix('_at')}_on", pa.date32()


def batches(rows: Iterable[tuple[Any, ...]], fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    """Gather rows of UTF-8 bytes and integers, lists as JSON, into record batches."""
    import pyarrow as pa

    columns, rows = schema(fields), iter(rows)
    while batch := list(islice(rows, BATCH)):
        values = (
            column
            for cells, field in zip(zip(*batch, strict=True), fields, strict=True)
            for column in _values(cells, field)
        )
        arrays = [pa.array(cells, column.type) for cells, column in zip(values, columns, strict=True)]
        yield pa.record_batch(arrays, schema=columns)


def _values(cells: Sequence[Any], field: Field) -> Iterator[Sequence[Any]]:
    if field.type in ("list", "images"):
        yield [json.loads(cell) for cell in cells]
    elif field.type in ("instant", "moment"):
        moments = [None if cell is None else as_moment(_text(cell)) for cell in cells]
        yield [moment if isinstance(moment, datetime) else None for moment in moments]
        if field.type == "moment":
            yield [None if moment is None else london_day(moment) for moment in moments]
    else:
        yield cells


def _text(cell: str | bytes) -> str:
    return cell.decode("ascii") if isinstance(cell, bytes) else cell
