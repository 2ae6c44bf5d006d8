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
from pathlib import Path
from typing import IO, Any, NoReturn

from warcio.recordloader import ArcWarcRecordLoader

from uknip_crawler.archive import warc
from uknip_crawler.archive.warc import packing, unpacking
from uknip_crawler.archive.warc.heads import HeadParser
from uknip_crawler.archive.warc.records import (
    VERSION,
    Damage,
    Headed,
    Loaded,
    Other,
    Place,
    Record,
    answer_of,
    instant,
    own_headers,
)
from uknip_crawler.errors import UsageError

_MAX_MEMBER_HEAD_BYTES = 2**16
_CHUNK = 1 << 20
_SEARCHED_BYTES = 1 << 12
_LONGEST_LINE = 1 << 12
_ARC_LINE = rb"[a-z]{3,9}:[^\n]{1,2083} [^ \n]{1,45} \d{12,17} [^ \n]{1,200} \d{1,12}\r?\n"  # Arc_File_Format 1.0 and 1.1
_RECORD = re.compile(VERSION + rb"|" + _ARC_LINE)
_NEXT = re.compile(rb"\n(" + _RECORD.pattern + rb")")
_TAKEN = frozenset({"response", "revisit", "resource"})


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

    def load(self, place: Place) -> Loaded | Damage:
        """Read a record of `records`: chunking undone, content encoding kept, at most 16 MiB of payload."""
        try:
            loader = ArcWarcRecordLoader()
            loader.http_parser = HeadParser()
            record = loader.parse_record_stream(Headed(self._opened(place)), check_digests=True)
            return answer_of(record, place)
        except warc.DAMAGED as error:
            return Damage(place, f"no readable record: {error or type(error).__name__}")

    def _named(self, place: Place) -> Record | Damage | Other:
        headers, _ = own_headers(self._opened(place))
        kind = headers.get_header("WARC-Type") or "nameless"
        url = (headers.get_header("WARC-Target-URI") or "").strip("<> ")
        if kind not in _TAKEN or not url.startswith(("http:", "https:")):
            return Other(kind)
        if headers.get_header("WARC-Segment-Number"):
            return Damage(place, "the page is cut into records that continue one another, which is not read")
        return Record(url, instant(headers.get_header("WARC-Date")), kind == "revisit", place)

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
            _, length = own_headers(self._file)
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
            found = _NEXT.search(self._at(offset - 1, length + _LONGEST_LINE))
            if found:
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
            _, left = own_headers(stream)
            while left > 0 and (data := stream.read(min(left, _CHUNK))):
                left -= len(data)
            return _NEXT.search(stream.read(_MAX_MEMBER_HEAD_BYTES)) is None
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
