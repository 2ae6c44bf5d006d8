"""Writing an export: one reading of the archive, one row at a time, into a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import open_readonly
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.export.records import COLUMNS, flat_query, json_query
from uknip_crawler.export.selection import Selection

Row = tuple[bytes | int | None, ...]
Watch = Callable[[Iterable[Row], int], Iterable[Row]]
"""Given the rows and how many there will be, passes them on; a place for a progress bar."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an export wrote; `path` and `size_bytes` are None when it went to standard output."""

    articles: int
    path: Path | None
    size_bytes: int | None


def export_articles(
    archive: Path,
    format_name: str,
    destination: Path | None,
    selection: Selection,
    *,
    raw: bool = False,
    watch: Watch = lambda rows, total: rows,
) -> Summary:
    """Write the selected articles of the archive to a file, or to standard output when `destination` is None.

    `raw` concerns CSV: no byte-order mark and no apostrophes. All rows come from one snapshot, also while a
    crawl is writing. Raises UsageError when there is no archive or the destination is a folder, StorageError
    when the archive cannot be read or the file cannot be written (a file already there then stays as it was),
    BrokenPipeError when nobody reads standard output any more.
    """
    query, write = FORMATS[format_name]
    db = open_readonly(archive)
    try:
        with contextlib.closing(db), _output(destination) as output:
            total, rows = _rows(db, query, selection)
            write(watch(rows, total), output, raw)
    except sqlite3.Error as error:
        raise StorageError(f"{archive}: cannot read the archive: {error}") from error
    size = destination.stat().st_size if destination and destination.is_file() else None
    return Summary(total, destination, size)


def _rows(db: Database, query: Callable[[str], str], selection: Selection) -> tuple[int, Iterator[Row]]:
    where, parameters = selection.where(db)
    connection = db.conn
    connection.execute("BEGIN")
    total = connection.execute(f"SELECT count(*) FROM articles AS a WHERE {where}", parameters).fetchone()[0]
    connection.text_factory = bytes  # UTF-8 in, UTF-8 out: decoding and encoding would be half the time
    return total, connection.execute(query(where), parameters)


def _write_csv(rows: Iterable[Row], output: BinaryIO, raw: bool) -> None:
    # RFC 4180: CRLF, every text quoted. The byte-order mark makes Excel read UTF-8; LibreOffice asks nothing.
    output.write(b"" if raw else b"\xef\xbb\xbf")
    output.write(b",".join(b'"%s"' % name.encode() for name in COLUMNS) + b"\r\n")
    output.writelines(b",".join([_cell(value, raw) for value in row]) + b"\r\n" for row in rows)


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


def _write_json(rows: Iterable[Row], output: BinaryIO, raw: bool) -> None:
    separator = b"[\n"
    for (record,) in rows:
        output.write(separator)
        output.write(record)  # type: ignore[arg-type]  # json_object() yields text
        separator = b",\n"
    output.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _write_jsonl(rows: Iterable[Row], output: BinaryIO, raw: bool) -> None:
    for (record,) in rows:
        output.write(record)  # type: ignore[arg-type]  # json_object() yields text
        output.write(b"\n")


FORMATS = {
    "csv": (flat_query, _write_csv),
    "json": (json_query, _write_json),
    "jsonl": (json_query, _write_jsonl),
}


@contextlib.contextmanager
def _output(destination: Path | None) -> Iterator[BinaryIO]:
    if destination is None:
        with _standard_output() as output:
            yield output
        return
    if destination.is_dir():
        raise UsageError(f"{destination} is a folder: name a file with -o FILE")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.exists() and not destination.is_file():  # a pipe or device cannot be replaced
            with destination.open("wb") as output:
                yield output
        else:
            with _whole_file(destination.resolve()) as output:
                yield output
    except OSError as error:
        raise StorageError(f"cannot write {destination}: {error.strerror or error}") from error


@contextlib.contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        # what is still buffered goes nowhere, or the interpreter complains about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise StorageError(f"cannot write standard output: {error.strerror or error}") from error


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file beside `path` that takes its place, synced, when the block ends well, and goes when not."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb", buffering=1 << 20) as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
