"""Captures on disk: WARC 1.1 files, one gzip member a record, SHA-256 digests, written once and never appended to.

A file carries the suffix `.open` while it is written; only a file closed in order loses it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

from uknip_crawler.archive.warc.heads import Head, HeadParser
from uknip_crawler.archive.warc.packing import Gzip, Member, whole_members
from uknip_crawler.errors import StorageError
from uknip_crawler.models import Capture
from uknip_crawler.times import utc_text

ROLL_BYTES = 10**9
ALTERED = "WARC-Altered"
"""Field of a record that is no longer as received."""
DAMAGED = (
    ArchiveLoadFailed, StopIteration, ValueError, TypeError, OSError, zlib.error, AttributeError, EOFError,
)  # fmt: skip
"""What warcio raises on damaged records."""


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Where a response record lies: file name (without `.open`), offset and length in bytes."""

    name: str
    offset: int
    length: int


class _Writer(WARCWriter):  # type: ignore[misc]
    @staticmethod
    def _create_digester() -> Digester:
        return Digester("sha256")


class WarcFile:
    """One WARC file being written. Not thread-safe: one process, one writer."""

    def __init__(self, folder: Path, name: str, about: Mapping[str, str]) -> None:
        """Begin a file; `about` are fields of its warcinfo record. Raises StorageError."""
        self.name = name
        self._path = folder / f"{name}.open"
        self._final = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            raise StorageError(f"{self._path}: cannot write: {error.strerror}") from error
        self._size = 0
        self._synced = 0
        info = {**about, "format": "WARC file version 1.1", "robots": "RFC 9309"}
        self._append(
            serialised(lambda writer: writer.write_record(writer.create_warcinfo_record(name, info)))
        )
        sync_folder(folder)

    @property
    def is_full(self) -> bool:
        return self._size >= ROLL_BYTES

    def write(self, capture: Capture, request_headers: tuple[tuple[str, str], ...] | None) -> RecordRef:
        """Append the response, then its request where we made it. Raises StorageError, with the file cut back to its
        last record."""
        response = serialised(lambda writer: _write_response(writer, capture))
        offset = self._append(response)
        if request_headers is not None:
            self._append(serialised(lambda writer: _write_request(writer, capture, request_headers)))
        return RecordRef(self.name, offset, len(response))

    def write_metadata(self, uri: str, content_type: str, payload: bytes, *, at: datetime) -> None:
        """Append a metadata record, which is no capture."""
        fields = {"WARC-Date": _warc_date(at)}
        self._append(content_record(uri, "metadata", content_type, payload, fields))

    def sync(self) -> None:
        """Return once everything written so far is on the disk."""
        if self._synced < self._size:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise StorageError(
                    f"{self._path}: cannot write: {error.strerror}; free some space and run again"
                ) from error
            self._synced = self._size

    def close(self) -> int:
        """Sync, drop the `.open` suffix, and return the size in bytes."""
        self.sync()
        self._file.close()
        try:
            self._path.rename(self._final)
            sync_folder(self._final.parent)
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be closed: {error.strerror}") from error
        return self._size

    def abandon(self) -> None:
        """Let go of a file whose run did not end in order; it keeps its `.open`, and recovery will find it."""
        self._file.close()

    def _append(self, data: bytes) -> int:
        offset = self._size
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._file.truncate(offset)
            self._file.seek(offset)
            raise StorageError(
                f"{self._path}: cannot write: {error.strerror}; free some space and run again"
            ) from error
        self._size += len(data)
        return offset


def serialised(write: Callable[[WARCWriter], None]) -> bytes:
    """Return what is written as gzip members of our own kind: WARC 1.1, SHA-256 digests."""
    buffer = BytesIO()
    write(_Writer(buffer, gzip=True, warc_version="WARC/1.1"))
    return buffer.getvalue()


def content_record(uri: str, kind: str, content_type: str, content: bytes, fields: dict[str, str]) -> bytes:
    """Return the gzip member of a record whose block is content as it is, without an HTTP head."""
    return serialised(
        lambda writer: writer.write_record(
            writer.create_warc_record(
                uri,
                kind,
                payload=BytesIO(content),
                length=len(content),
                warc_content_type=content_type,
                warc_headers_dict=fields,
            )
        )
    )


def altered(capture: Capture) -> bytes:
    """Return the gzip member of a capture that is no longer as received, and says so."""
    return serialised(lambda writer: _write_response(writer, capture, {ALTERED: "redaction"}))


def _write_response(
    writer: WARCWriter, capture: Capture, more: Mapping[str, str] = MappingProxyType({})
) -> None:
    try:
        phrase = HTTPStatus(capture.status).phrase  # Scrapy does not keep the one sent
    except ValueError:
        phrase = ""
    headers = [(key, value) for key, value in capture.headers if key.lower() != "transfer-encoding"]
    fields = {"WARC-Date": _warc_date(capture.fetched_at), **more}
    if capture.truncated:
        fields["WARC-Truncated"] = capture.truncated
    writer.write_record(
        writer.create_warc_record(
            capture.url,
            "revisit" if capture.status == HTTPStatus.NOT_MODIFIED else "response",
            payload=BytesIO(capture.body),
            length=len(capture.body),
            http_headers=Head(f"{capture.status} {phrase}".strip(), headers, protocol="HTTP/1.1"),
            warc_headers_dict=fields
            | (_SERVER_NOT_MODIFIED if capture.status == HTTPStatus.NOT_MODIFIED else {}),
        )
    )


_SERVER_NOT_MODIFIED = {"WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/server-not-modified"}


def _write_request(writer: WARCWriter, capture: Capture, headers: tuple[tuple[str, str], ...]) -> None:
    parts = urlsplit(capture.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line = Head(f"{target} HTTP/1.1", [("Host", parts.netloc), *headers], protocol="GET")
    writer.write_record(
        writer.create_warc_record(
            capture.url,
            "request",
            http_headers=line,
            warc_headers_dict={"WARC-Date": _warc_date(capture.fetched_at)},
        )
    )


def _warc_date(instant: datetime) -> str:
    return utc_text(instant, "microseconds")


def sync_folder(folder: Path) -> None:
    """Return once a folder's own list of names is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def about(path: Path) -> dict[str, str]:
    """Return the fields of a file's warcinfo record; nothing when it has none."""
    with path.open("rb") as file:
        try:
            record = next(iter(ArchiveIterator(file)))
            lines = record.raw_stream.read().decode("utf-8", "replace").splitlines()
        except DAMAGED:
            return {}
    if record.rec_type != "warcinfo":
        return {}
    return {name: value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}


def identity(path: Path) -> str | None:
    """Return the id of a file's first record, by which it is known under whatever name; None where no record is whole."""
    with path.open("rb") as file:
        try:
            found = next(iter(ArchiveIterator(file))).rec_headers.get_header("WARC-Record-ID")
        except DAMAGED:
            return None
    return str(found) if found else None


def locate(folder: Path, name: str) -> Path | None:
    """Return the file of that name, closed or still open, or None."""
    return next((path for path in (folder / name, folder / f"{name}.open") if path.is_file()), None)


def read(folder: Path, ref: RecordRef) -> Capture:
    """Read one response back, its digests checked. Raises StorageError naming the record when it is not whole."""
    return _member_and_capture(folder, ref)[1]


def described(folder: Path, ref: RecordRef) -> tuple[list[tuple[str, str]], Capture]:
    """Return a response's WARC header fields besides the response; see `read`."""
    member, capture = _member_and_capture(folder, ref)
    return list(next(iter(ArchiveIterator(BytesIO(member)))).rec_headers.headers), capture


def _member_and_capture(folder: Path, ref: RecordRef) -> tuple[bytes, Capture]:
    path = locate(folder, ref.name)
    where = f"{ref.name} at byte {ref.offset}"
    if path is None:
        raise StorageError(f"{where}: the file is missing")
    with path.open("rb") as file:
        file.seek(ref.offset)
        member = file.read(ref.length)
    capture = capture_of(member)
    if capture is None:
        raise StorageError(f"{where}: not a whole response record")
    return member, capture


def capture_of(member: bytes) -> Capture | None:
    """Return the response in one gzip member, or None when it is another kind of record or does not check out."""
    try:
        records = ArchiveIterator(BytesIO(member), check_digests=True)
        records.loader.http_parser = HeadParser()
        record: ArcWarcRecord = next(iter(records))
        if record.rec_type not in ("response", "revisit") or record.http_headers is None:
            return None
        body = record.raw_stream.read()
        if record.rec_type == "response" and record.digest_checker.passed is not True:
            return None
        headers = record.rec_headers
        return Capture(
            url=headers.get_header("WARC-Target-URI"),
            status=int(record.http_headers.get_statuscode()),
            headers=tuple(record.http_headers.headers),
            body=body,
            fetched_at=datetime.fromisoformat(headers.get_header("WARC-Date")),
            truncated=headers.get_header("WARC-Truncated"),
        )
    except DAMAGED:
        return None


def captures(path: Path) -> Iterator[Capture]:
    """Yield every whole response in a file."""
    with path.open("rb") as file:
        for member in members(path):
            file.seek(member.offset)
            if member.is_whole and (capture := capture_of(file.read(member.length))) is not None:
                yield capture


def members(path: Path, start: int = 0) -> Iterator[Member]:
    """Walk a file's gzip members from `start`; see `packing.whole_members`."""
    with path.open("rb") as file:
        yield from whole_members(file, Gzip(), start)
