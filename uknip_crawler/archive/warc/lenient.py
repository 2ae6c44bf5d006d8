"""WARC files that other programs wrote: found record by record, around damage, and read as captures.

Common Crawl, browsertrix, ArchiveBox, wget, warcio: one gzip member a record, one for the whole file, or none;
chunked payloads; addresses in angle brackets (wget before 1.19.5); revisit records instead of pages seen before.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, NoReturn

from warcio.bufferedreaders import ChunkedDataReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader

from uknip_crawler.archive import warc
from uknip_crawler.archive.warc.unpacking import unpack
from uknip_crawler.errors import UsageError
from uknip_crawler.models import Capture

MAX_PAYLOAD_BYTES = 16 * 2**20
MAX_HEADER_BYTES = 2**20
_MAX_MEMBER_HEAD_BYTES = 2**16
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_RECORD = re.compile(rb"(?:^|\n)(WARC/(?:0\.1[78]|1\.[01])\r?\n)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: its file, and offset and length in bytes there (or in the file as unpacked)."""

    path: Path
    offset: int
    length: int

    def __str__(self) -> str:
        return f"{self.path.name} at byte {self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """A response or revisit: the address as written there, its capture time (aware UTC), and where it lies."""

    url: str
    fetched_at: datetime
    is_revisit: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of a file that is no readable record, and why."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A record as read. `capture` has no body where the record is a revisit, and is None where it has no headers either.

    `payload_digest` is as written, `algorithm:value`; a revisit may name the capture it is the same as.
    """

    capture: Capture | None
    payload_digest: str | None = None
    is_not_modified: bool = False
    refers_to_url: str | None = None
    refers_to_at: datetime | None = None


class ForeignWarc:
    """One WARC file open for reading. Raises UsageError when there is none or it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = path.open("rb")
            begins = self._file.read(len(_GZIP))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        self._is_gzip = begins == _GZIP
        if self._is_gzip and not self._is_by_record():
            self._file.close()
            self._file, self._is_gzip = unpack(path), False
        if not self._is_gzip and not _RECORD.match(self._at(0, 16)):
            self._refuse()

    def _refuse(self) -> NoReturn:
        self._file.close()
        raise UsageError(f"{self.path}: not a WARC file; .warc and .warc.gz can be imported")

    def close(self) -> None:
        self._file.close()

    def records(self) -> Iterator[Record | Damage]:
        """Yield the responses and revisits in the file's order, and every damaged stretch; other records are passed over."""
        for place, reason in self._stretches():
            if reason is not None:
                yield Damage(place, reason)
                continue
            try:
                found = self._named(place)
            except warc.DAMAGED as error:
                yield Damage(place, f"no readable record: {error or type(error).__name__}")
                continue
            if found is not None:
                yield found

    def load(self, place: Place) -> Answer | Damage:
        """Read a record of `records`: chunking undone, content encoding kept, at most 16 MiB of payload."""
        try:
            with self._opened(place) as stream:
                record = ArcWarcRecordLoader(verify_http=False).parse_record_stream(
                    _Headed(stream), known_format="warc", check_digests=True
                )
                return _loaded(record, place)
        except warc.DAMAGED as error:
            return Damage(place, f"no readable record: {error or type(error).__name__}")

    def _named(self, place: Place) -> Record | None:
        with self._opened(place) as stream:
            headers = _headers(stream)
        kind = headers.get_header("WARC-Type")
        url = (headers.get_header("WARC-Target-URI") or "").strip("<> ")
        if kind not in ("response", "revisit") or not url.startswith(("http:", "https:")):
            return None
        return Record(url, _instant(headers.get_header("WARC-Date")), kind == "revisit", place)

    # The three ways a file is packed

    def _stretches(self) -> Iterator[tuple[Place, str | None]]:
        if self._is_gzip:
            for member in warc.members(self.path):
                place = Place(self.path, member.offset, member.length)
                yield place, None if member.is_whole else f"{member.length:,} bytes are damaged or cut off"
            return
        offset, size = 0, self._file.seek(0, 2)
        while offset < size:
            end, reason = self._end_of(offset, size)
            yield Place(self.path, offset, end - offset), reason
            offset = end

    def _end_of(self, offset: int, size: int) -> tuple[int, str | None]:
        """Return where the record at `offset` of an unpacked file ends, and what is wrong with it."""
        try:
            self._file.seek(offset)
            headers = _headers(self._file)
            begin = self._file.tell()
            end = begin + int(headers.get_header("Content-Length"))
            if end < begin:  # or the walk would go back and never end
                raise ValueError("a negative length")
            after = self._at(end, 4)
            if end <= size and (after == b"\r\n\r\n" or end == size):
                return min(end + 4, size), None
            reason = "the file ends in the middle of the record" if end > size else "its length is wrong"
        except warc.DAMAGED:
            reason = "not a record"
        return self._next_record(offset + 1, size), reason

    def _next_record(self, offset: int, size: int) -> int:
        while offset < size:
            found = _RECORD.search(self._at(offset, _CHUNK + 32))
            if found:
                return offset + found.start(1)
            offset += _CHUNK
        return size

    def _is_by_record(self) -> bool:
        """Tell whether each record is a gzip member of its own, by the first one."""
        first = next(warc.members(self.path))
        if not first.is_whole:
            return first.length < self.path.stat().st_size  # others follow: only this one is damaged
        with gzip.GzipFile(
            fileobj=io.BufferedReader(_Slice(self._file, first.offset, first.length))
        ) as stream:
            try:
                headers = _headers(stream)
                stream.seek(stream.tell() + int(headers.get_header("Content-Length")))
                return _RECORD.search(stream.read(_MAX_MEMBER_HEAD_BYTES)) is None
            except warc.DAMAGED:
                self._refuse()

    @contextmanager
    def _opened(self, place: Place) -> Iterator[io.BufferedIOBase]:
        part = io.BufferedReader(_Slice(self._file, place.offset, place.length))
        if not self._is_gzip:
            yield part
            return
        with gzip.GzipFile(fileobj=part) as stream:
            yield stream

    def _at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


class _Slice(io.RawIOBase):
    """A stretch of a file as a file of its own, to be read forwards."""

    def __init__(self, file: IO[bytes], offset: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(offset)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class _Headed:
    """A record that is read by lines, as headers are, for at most 1 MiB: a bomb of headers is damage."""

    def __init__(self, stream: Any) -> None:
        self.read = stream.read
        self._stream = stream
        self._left = MAX_HEADER_BYTES

    def readline(self, size: int | None = None) -> bytes:
        line: bytes = self._stream.readline(min(size or self._left + 1, self._left + 1))
        self._left -= len(line)
        if self._left < 0:
            raise ValueError(f"headers of more than {MAX_HEADER_BYTES:,} bytes")
        return line


def _headers(stream: Any) -> Any:
    return (
        ArcWarcRecordLoader()
        .parse_record_stream(_Headed(stream), known_format="warc", no_record_parse=True)
        .rec_headers
    )


def _instant(text: str | None) -> datetime:
    """Read a WARC-Date, whole or with fractions of a second (WARC 1.1 §5.4). Raises ValueError without a day."""
    instant = datetime.fromisoformat(text or "")
    try:
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:  # the first or last day of the calendar, in another zone
        raise ValueError(f"no time in UTC: {text}") from error


def _loaded(record: ArcWarcRecord, place: Place) -> Answer | Damage:
    headers = record.rec_headers
    http = record.http_headers
    capture = None
    if http is not None:
        body = _body(record)
        if len(body) > MAX_PAYLOAD_BYTES:
            return Damage(place, f"a payload of more than {MAX_PAYLOAD_BYTES:,} bytes")
        if record.raw_stream.limit > 0:
            return Damage(place, "the record ends before its length")
        if any(problem.startswith("block digest") for problem in record.digest_checker.problems):
            return Damage(place, "its digest does not match")
        capture = Capture(
            url=headers.get_header("WARC-Target-URI").strip("<> "),
            status=int(http.get_statuscode()),
            headers=tuple(
                (name, value) for name, value in http.headers if name.lower() != "transfer-encoding"
            ),
            body=body,
            fetched_at=_instant(headers.get_header("WARC-Date")),
            truncated=headers.get_header("WARC-Truncated"),
        )
        capture = _as_encoded(capture)
    digest = headers.get_header("WARC-Payload-Digest")
    if record.rec_type != "revisit":
        return Answer(capture, digest) if capture else Damage(place, "a response without HTTP headers")
    named = headers.get_header("WARC-Refers-To-Date")
    return Answer(
        replace(capture, body=b"", truncated=None) if capture else None,  # a revisit is cut short by nature
        digest,
        "not-modified" in (headers.get_header("WARC-Profile") or "")
        or (capture is not None and capture.status == HTTPStatus.NOT_MODIFIED),
        (headers.get_header("WARC-Refers-To-Target-URI") or "").strip("<> ") or None,
        _instant(named) if named else None,
    )


def _body(record: ArcWarcRecord) -> bytes:
    stream = record.raw_stream
    if (record.http_headers.get_header("transfer-encoding") or "").lower() == "chunked":
        stream = ChunkedDataReader(stream)  # takes what was stored without its chunks as it is
    parts, size = [], 0
    while size <= MAX_PAYLOAD_BYTES and (part := stream.read(_CHUNK)):
        parts.append(part)
        size += len(part)
    if size <= MAX_PAYLOAD_BYTES:
        while record.raw_stream.read(_CHUNK):
            pass  # what follows the last chunk belongs to the record
    return b"".join(parts)


def _as_encoded(capture: Capture) -> Capture:
    """Drop a `Content-Encoding: gzip` that some writers keep although they store the body decoded."""
    coding = (capture.header("content-encoding") or "").lower()
    if coding not in ("gzip", "x-gzip") or not capture.body or capture.body.startswith(_GZIP):
        return capture
    kept = tuple((name, value) for name, value in capture.headers if name.lower() != "content-encoding")
    return replace(capture, headers=(*kept, ("X-Archive-Orig-Content-Encoding", coding)))
