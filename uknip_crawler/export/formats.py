"""The formats: rows of bytes from SQLite → CSV, JSON, JSON Lines, Parquet, one row at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from uknip_crawler.export import parquet
from uknip_crawler.export.records import flat_query, json_query, nested_query
from uknip_crawler.export.tables import Field, Table

Row = tuple[bytes | int | None, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """`query` gives the rows that `write` takes; `write`'s last argument is CSV's `raw`."""

    query: Callable[[Table, Sequence[Field], str], str]
    write: Callable[[Iterable[Row], Sequence[Field], BinaryIO, bool], None]


def write_csv(
    rows: Iterable[Row], fields: Sequence[Field], output: BinaryIO, raw: bool, *, mark: bool = False
) -> None:
    """Write RFC 4180: CRLF, every text quoted. Unless `raw`, cells a spreadsheet would run get an apostrophe.

    The byte-order `mark` makes Excel read UTF-8; LibreOffice asks nothing.
    """
    output.write(b"\xef\xbb\xbf" if mark else b"")
    output.write(b",".join(b'"%s"' % field.name.encode() for field in fields) + b"\r\n")
    output.writelines(b",".join([_cell(value, raw) for value in row]) + b"\r\n" for row in rows)


def _write_marked_csv(rows: Iterable[Row], fields: Sequence[Field], output: BinaryIO, raw: bool) -> None:
    write_csv(rows, fields, output, raw, mark=not raw)


def _cell(value: bytes | int | None, raw: bool) -> bytes:
    if value is None:
        return b""
    if isinstance(value, int):
        return b"%d" % value
    if not raw and (value[:1] in (b"\t", b"\r") or value.lstrip()[:1] in (b"=", b"+", b"-", b"@")):
        value = (
            b"'" + value
        )  # else a spreadsheet may run it: https://owasp.org/www-community/attacks/CSV_Injection
    return b'"' + value.replace(b'"', b'""') + b'"'


def _write_json(rows: Iterable[Row], fields: Sequence[Field], output: BinaryIO, raw: bool) -> None:
    separator = b"[\n"
    for (record,) in rows:
        output.write(separator)
        output.write(record)  # type: ignore[arg-type]  # json_object() yields text
        separator = b",\n"
    output.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _write_jsonl(rows: Iterable[Row], fields: Sequence[Field], output: BinaryIO, raw: bool) -> None:
    for (record,) in rows:
        output.write(record)  # type: ignore[arg-type]  # json_object() yields text
        output.write(b"\n")


def _write_parquet(rows: Iterable[Row], fields: Sequence[Field], output: BinaryIO, raw: bool) -> None:
    parquet.write(rows, fields, output)


FORMATS = {
    "csv": Format(flat_query, _write_marked_csv),
    "json": Format(json_query, _write_json),
    "jsonl": Format(json_query, _write_jsonl),
    "parquet": Format(nested_query, _write_parquet),
}
