"""Parquet with pyarrow (the extra `parquet`), imported only when it is asked for: in batches, the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from uknip_crawler.errors import UsageError
from uknip_crawler.export.tables import Field

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


def schema(fields: Sequence[Field]) -> pa.Schema:
    """Return the columns: text (also instants), integers, lists; `images` is a list of structs."""
    import pyarrow as pa

    return pa.schema([(field.name, _type(field)) for field in fields])


def _type(field: Field) -> pa.DataType:
    import pyarrow as pa

    if field.type == "images":
        return pa.list_(pa.struct([(key, pa.string()) for key in field.keys]))
    if field.type == "list":
        return pa.list_(pa.string())
    return pa.int64() if field.type == "integer" else pa.string()


def batches(rows: Iterable[tuple[Any, ...]], fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    """Gather rows of UTF-8 bytes and integers, lists as JSON, into record batches."""
    import pyarrow as pa

    columns, rows = schema(fields), iter(rows)
    while batch := list(islice(rows, BATCH)):
        arrays = [
            pa.array(_values(values, field), column.type)
            for values, field, column in zip(zip(*batch, strict=True), fields, columns, strict=True)
        ]
        yield pa.record_batch(arrays, schema=columns)


def _values(values: Sequence[Any], field: Field) -> Sequence[Any]:
    return [json.loads(value) for value in values] if field.type in ("list", "images") else values
