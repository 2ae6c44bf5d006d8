"""One record of a WARC or ARC file that another program wrote: where it lies, what it is, and the capture it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from warcio.bufferedreaders import ChunkedDataReader
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader

from uknip_crawler.archive.warc.heads import Head
from uknip_crawler.models import Capture

MAX_PAYLOAD_BYTES = 16 * 2**20
MAX_HEADER_BYTES = 2**20
VERSION = rb"WARC/(?:0\.1[78]|1\.[01])\r?\n"
_BEGIN = re.compile(VERSION)
_CHUNK = 1 << 20
_DATE = re.compile(
    r"(\d{4})(?:-?(\d\d))?(?:-?(\d\d))?(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?"
)


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
class Loaded:
    """A record as read. `capture` has no body where the record is a revisit, and is None where it has no headers either.

    `payload_digest` is as written, `algorithm:value`; a revisit may name the capture it is the same as.
    """

    capture: Capture | None
    payload_digest: str | None = None
    is_not_modified: bool = False
    refers_to_url: str | None = None
    refers_to_at: datetime | None = None


class Headed:
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


def own_headers(stream: Any) -> tuple[Any, int]:
    """Return a record's own headers, those of an ARC file as WARC's, and the length of what follows them.

    Raises ValueError among all the others for a negative length: a walk would go back and never end.
    """
    begin = Headed(stream)
    headers = ArcWarcRecordLoader().parse_record_stream(begin, no_record_parse=True).rec_headers
    length = int(headers.get_header("Content-Length"))
    if begin.is_arc:
        length -= headers.total_len  # of an ARC file's own description two lines are headers here
    if length < 0:
        raise ValueError("a negative length")
    return headers, length


def instant(text: str | None) -> datetime:
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


def answer_of(record: ArcWarcRecord, place: Place) -> Loaded | Damage:
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
            fetched_at=instant(headers.get_header("WARC-Date")),
            truncated=headers.get_header("WARC-Truncated"),
        )
    digest = headers.get_header("WARC-Payload-Digest")
    if record.rec_type != "revisit":
        return Loaded(capture, digest) if capture else Damage(place, "a response without HTTP headers")
    named = headers.get_header("WARC-Refers-To-Date")
    return Loaded(
        replace(capture, body=b"", truncated=None) if capture else None,  # a revisit is cut short by nature
        digest,
        "not-modified" in (headers.get_header("WARC-Profile") or "")
        or (capture is not None and capture.status == HTTPStatus.NOT_MODIFIED),
        (headers.get_header("WARC-Refers-To-Target-URI") or "").strip("<> ") or None,
        instant(named) if named else None,
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
