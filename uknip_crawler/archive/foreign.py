"""WARC and ARC files that other programs wrote: found record by record, around damage, and read as captures.

Common Crawl, browsertrix, ArchiveBox, wget, warcio, Heritrix: one gzip member or Zstandard frame a record, one for the
whole file, or none; WARC files in a WACZ; chunked payloads; addresses in angle brackets (wget before 1.19.5); revisit
records instead of pages seen before.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, NoReturn

from warcio.bufferedreaders import ChunkedDataReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader

from uknip_crawler.archive import packing, unpacking, warc
from uknip_crawler.archive.heads import Head, HeadParser
from uknip_crawler.errors import UsageError
from uknip_crawler.models import Capture

MAX_PAYLOAD_BYTES = 16 * 2**20
MAX_HEADER_BYTES = 2**20
_MAX_MEMBER_HEAD_BYTES = 2**16
_CHUNK = 1 << 20
_SEARCHED_BYTES = 1 << 12
_LONGEST_LINE = 1 << 12
_VERSION = rb"WARC/(?:0\.1[78]|1\.[01])\r?\n"
_ARC_LINE = rb"[a-z]{3,9}:[^\n]{1,2083} [^ \n]{1,45} \d{12,17} [^ \n]{1,200} \d{1,12}\r?\n"  # Arc_File_Format 1.0 and 1.1
_RECORD = re.compile(rb"(?:^|\n)(" + _VERSION + rb"|" + _ARC_LINE + rb")")
_BEGIN = re.compile(_VERSION)
_DATE = re.compile(
    r"(\d{4})(?:-?(\d\d))?(?:-?(\d\d))?(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?"
)
_TAKEN = frozenset({"response", "revisit", "resource"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: its file, and offset and length in bytes there (or in the file as unpacked). `path` of one in
    a WACZ goes on in it, as `x.wacz/archive/data.warc.gz`; `name` is its last part, from the WACZ on."""

    path: Path
    offset: int
    length: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} at byte {self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """A response, resource or revisit: the address as written there, its capture time (aware UTC), where it lies."""

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
class Other:
    """A record that is no capture of a page, and what it is: request, warcinfo, conversion, …"""

    kind: str


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
    """One WARC or ARC file open for reading; `path` may lead into a WACZ (see `unpacking.inside`).

    Raises UsageError when there is none or it is none, StorageError when there is no room to unpack it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._damaged: list[Damage] = []
        box = None if path.is_file() else unpacking.holder(path)
        self._name = str(path.relative_to(box.parent)) if box else path.name
        try:
            self._file: IO[bytes] = self._taken_out(box) if box else path.open("rb")
            self._packing = packing.packing_of(self._file)
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            self._file.close()
            raise UsageError(f"{path}: {error}") from error
        if self._packing and not self._is_by_record(self._packing):
            with closing(self._file) as packed:
                self._file, damaged = unpacking.unpack(path, packed, self._packing)
                self._damaged += filter(None, map(self._named_damage, damaged))
            self._packing = None
        if not self._packing and not self._damaged and not _RECORD.match(self._at(0, _LONGEST_LINE)):
            self._refuse()

    def _taken_out(self, box: Path) -> IO[bytes]:
        file, problem = unpacking.take_out(box, self.path)
        if problem:
            self._damaged.append(Damage(self._place(0, 0), problem))
        return file

    def _refuse(self) -> NoReturn:
        self._file.close()
        raise UsageError(
            f"{self.path}: not a WARC file; .warc and .arc, also .gz and .zst, and .wacz can be imported"
        )

    def close(self) -> None:
        self._file.close()

    def records(self) -> Iterator[Record | Damage | Other]:
        """Yield all records in the file's order, and every damaged stretch."""
        yield from self._damaged
        for place, reason in self._stretches():
            if reason is not None:
                yield Damage(place, reason)
                continue
            try:
                yield self._named(place)
            except warc.DAMAGED as error:
                yield Damage(place, f"no readable record: {error or type(error).__name__}")

    def load(self, place: Place) -> Answer | Damage:
        """Read a record of `records`: chunking undone, content encoding kept, at most 16 MiB of payload."""
        try:
            loader = ArcWarcRecordLoader()
            loader.http_parser = HeadParser()
            record = loader.parse_record_stream(_Headed(self._opened(place)), check_digests=True)
            return _loaded(record, place)
        except warc.DAMAGED as error:
            return Damage(place, f"no readable record: {error or type(error).__name__}")

    def _named(self, place: Place) -> Record | Damage | Other:
        headers, _ = _headers(self._opened(place))
        kind = headers.get_header("WARC-Type") or "nameless"
        url = (headers.get_header("WARC-Target-URI") or "").strip("<> ")
        if kind not in _TAKEN or not url.startswith(("http:", "https:")):
            return Other(kind)
        if headers.get_header("WARC-Segment-Number"):
            return Damage(place, "the page is cut into records that continue one another, which is not read")
        return Record(url, _instant(headers.get_header("WARC-Date")), kind == "revisit", place)

    # The three ways a file is packed

    def _stretches(self) -> Iterator[tuple[Place, str | None]]:
        if self._packing:
            begin = getattr(self._packing, "begin", 0)
            for member in packing.whole_members(self._file, self._packing, begin):
                if member.is_whole:
                    yield self._place(member.offset, member.length), None
                elif damage := self._named_damage(member):
                    yield damage.place, damage.reason
            return
        offset, size = 0, self._file.seek(0, 2)
        while offset < size:
            end, reason = self._end_of(offset, size)
            yield self._place(offset, end - offset), reason
            offset = end

    def _named_damage(self, member: packing.Member) -> Damage | None:
        """Name a damaged stretch of a packed file; zeros to its end fill a tape's block, and are none."""
        if member.length < _CHUNK and not any(self._at(member.offset, member.length)):
            return None
        return Damage(
            self._place(member.offset, member.length), f"{member.length:,} bytes are damaged or cut off"
        )

    def _place(self, offset: int, length: int) -> Place:
        return Place(self.path, offset, length, self._name)

    def _end_of(self, offset: int, size: int) -> tuple[int, str | None]:
        """Return where the record at `offset` of an unpacked file ends, and what is wrong with it."""
        try:
            self._file.seek(offset)
            _, length = _headers(self._file)
            end = self._file.tell() + length
            gap = b"\r\n\r\n" if self._at(offset, 5) == b"WARC/" else b"\n"
            if end <= size and (end == size or self._at(end, len(gap)) == gap):
                return min(end + len(gap), size), None
            reason = "the file ends in the middle of the record" if end > size else "its length is wrong"
        except warc.DAMAGED:
            reason = "not a record"
        return self._next_record(offset + 1, size), reason

    def _next_record(self, offset: int, size: int) -> int:
        length = _SEARCHED_BYTES
        while offset < size:
            found = _RECORD.search(self._at(offset - 1, length + _LONGEST_LINE), 0)
            if found and found.start(1):
                return offset - 1 + found.start(1)
            offset += length
            length = min(2 * length, _CHUNK)
        return size

    def _is_by_record(self, packed: packing.Gzip | packing.Zstandard) -> bool:
        """Tell whether each record is a member of its own, by the first one."""
        begin, size = getattr(packed, "begin", 0), self._file.seek(0, 2)
        first = next(packing.whole_members(self._file, packed, begin), None)
        if first is None:
            self._refuse()
        if not first.is_whole:
            return first.offset + first.length < size  # others follow: only this one is damaged
        stream = self._opened(self._place(first.offset, first.length))
        try:
            _, left = _headers(stream)
            while left > 0 and (data := stream.read(min(left, _CHUNK))):
                left -= len(data)
            return _RECORD.search(stream.read(_MAX_MEMBER_HEAD_BYTES)) is None
        except warc.DAMAGED:
            self._refuse()

    def _opened(self, place: Place) -> IO[bytes]:
        part = _Slice(self._file, place.offset, place.length)
        stream = packing.Unpacked(io.BufferedReader(part), self._packing) if self._packing else part
        return io.BufferedReader(stream)

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
    """A record that is read by lines, as headers are, for at most 1 MiB: a bomb of headers is damage.

    So is a record that begins among the headers of another: each would be read from there to the same end.
    """

    def __init__(self, stream: Any) -> None:
        self.read = stream.read
        self._stream = stream
        self._left = MAX_HEADER_BYTES
        self.is_arc = False

    def readline(self, size: int | None = None) -> bytes:
        line: bytes = self._stream.readline(min(size or self._left + 1, self._left + 1))
        if self._left == MAX_HEADER_BYTES:
            self.is_arc = not line.startswith(b"WARC/")
        elif _BEGIN.match(line):
            raise ValueError("another record begins among its headers")
        self._left -= len(line)
        if self._left < 0:
            raise ValueError(f"headers of more than {MAX_HEADER_BYTES:,} bytes")
        return line


def _headers(stream: Any) -> tuple[Any, int]:
    """Return a record's own headers, those of an ARC file as WARC's, and the length of what follows them.

    Raises ValueError among all the others for a negative length: a walk would go back and never end.
    """
    begin = _Headed(stream)
    headers = ArcWarcRecordLoader().parse_record_stream(begin, no_record_parse=True).rec_headers
    length = int(headers.get_header("Content-Length"))
    if begin.is_arc:
        length -= headers.total_len  # of an ARC file's own description two lines are headers here
    if length < 0:
        raise ValueError("a negative length")
    return headers, length


def _instant(text: str | None) -> datetime:
    """Read a WARC-Date (WARC 1.1 §5.4): whole, with fractions of a second, down to the year alone, or in the 14 digits
    that old tools write. Raises ValueError without a year."""
    found = _DATE.fullmatch((text or "").strip())
    if found is None:
        raise ValueError(f"no time: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    written = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    instant = datetime.fromisoformat(f"{written}{(fraction or '')[:7]}{zone or 'Z'}")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:  # the first or last day of the calendar, in another zone
        raise ValueError(f"no time in UTC: {text}") from error


def _loaded(record: ArcWarcRecord, place: Place) -> Answer | Damage:
    headers = record.rec_headers
    http = record.http_headers
    if record.rec_type == "resource":  # a page without the head it came with: WARC 1.1 §6.4
        content_type = headers.get_header("Content-Type")
        http = Head("200 OK", [("Content-Type", content_type)] if content_type else [])
    capture = None
    if http is not None:
        body = _body(record, http)
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


def _body(record: ArcWarcRecord, http: Head) -> bytes:
    stream = record.raw_stream
    if (http.get_header("transfer-encoding") or "").lower() == "chunked":
        stream = ChunkedDataReader(stream)  # takes what was stored without its chunks as it is
    parts, size = [], 0
    while size <= MAX_PAYLOAD_BYTES and (part := stream.read(_CHUNK)):
        parts.append(part)
        size += len(part)
    if size <= MAX_PAYLOAD_BYTES:
        while record.raw_stream.read(_CHUNK):
            pass  # what follows the last chunk belongs to the record
    return b"".join(parts)
