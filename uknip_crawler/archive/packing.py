"""How records are packed: gzip members or Zstandard frames one after the other, walked around damage in linear time.

A Zstandard file may begin with a dictionary for all its frames, in a frame of its own that readers skip:
https://iipc.github.io/warc-specifications/specifications/warc-zstd/
"""

from __future__ import annotations

import io
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_FIRST_READ_BYTES = 1 << 5
_READ_BYTES = 1 << 14
_STEP_BYTES = 1 << 20
_SEARCHED_BYTES = 1 << 12
MAX_RATIO = 100
"""How many times larger than packed a file may be: pages are some 4 to 30 times, a bomb is 1,000 times."""
ALWAYS_BYTES = 2**26
_DICTIONARY = b"\x5d\x2a\x4d\x18"
_MAX_DICTIONARY_BYTES = 1 << 26
_WASTED_ALWAYS_BYTES = 1 << 26
_WASTED_TIMES = 8
_BEGIN = re.compile(rb"\s*(?:WARC/|[a-z]{3,9}:)")
_BROKEN = (zlib.error, zstd.ZstdError, EOFError)


class Stream(Protocol):
    """Undoes the packing of one member, in steps: `unused_data` are the bytes after its end."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflate:
    """zlib's stream, asked like the other decompressors of the standard library."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


class Packing(Protocol):
    magic: bytes

    def stream(self) -> Stream: ...


class Gzip:
    magic = b"\x1f\x8b\x08"

    def stream(self) -> Stream:
        return _Inflate()


class Zstandard:
    """Frames, with the dictionary that the file begins with, if any. Raises ValueError when that cannot be read."""

    magic = b"\x28\xb5\x2f\xfd"

    def __init__(self, file: IO[bytes]) -> None:
        self.begin = 0
        self._dictionary: zstd.ZstdDict | None = None
        file.seek(0)
        head = file.read(8)
        if head[:4] == _DICTIONARY and len(head) == 8:
            length = struct.unpack("<I", head[4:])[0]
            if length > _MAX_DICTIONARY_BYTES:
                raise ValueError("its dictionary is too large")
            data = file.read(length)
            if data.startswith(self.magic):
                with suppress(*_BROKEN):
                    data = zstd.ZstdDecompressor().decompress(data, _MAX_DICTIONARY_BYTES)
            try:
                self._dictionary = zstd.ZstdDict(data)
            except (zstd.ZstdError, ValueError) as error:
                raise ValueError("its dictionary is damaged") from error
            self.begin = 8 + length

    def stream(self) -> Stream:
        return zstd.ZstdDecompressor(zstd_dict=self._dictionary)


def packing_of(file: IO[bytes]) -> Gzip | Zstandard | None:
    """Return how a file is packed, by its first bytes; None when it is not. Raises ValueError: see Zstandard."""
    file.seek(0)
    head = file.read(4)
    if head.startswith(Gzip.magic[:2]):
        return Gzip()
    return Zstandard(file) if head in (Zstandard.magic, _DICTIONARY) else None


@dataclass(frozen=True, slots=True)
class Member:
    """One stretch of a file: a whole member, or bytes that are not one (`is_whole` False)."""

    offset: int
    length: int
    is_whole: bool


def whole_members(file: IO[bytes], packing: Packing, start: int = 0) -> Iterator[Member]:
    """Walk a file's members from `start`, checking each member's CRC; after damage, go on at the next magic number.

    A reader that trusts the stream loses every record after the damage (measured); this one loses only the damaged one.
    Bytes that look like the beginning of members again and again cost no more than a few times the file: from then on
    only what unpacks to the beginning of a record is looked at, and what a false one took with it is damaged too.
    """
    size = file.seek(0, io.SEEK_END)
    left = _WASTED_TIMES * size + _WASTED_ALWAYS_BYTES
    offset = damaged_from = start
    while offset < size:
        is_spent = left < 0 and damaged_from < offset
        if is_spent and not _is_record(file, offset, packing):
            offset = _next_magic(file, offset + 1, size, packing.magic)
            continue
        is_whole, length, work = _walked(file, offset, packing, max(MAX_RATIO * size, ALWAYS_BYTES))
        if is_whole:
            if damaged_from < offset:
                yield Member(damaged_from, offset - damaged_from, False)
            yield Member(offset, length, True)
            offset = damaged_from = offset + length
            continue
        left -= work
        offset = _next_magic(file, offset + (length if is_spent else 1), size, packing.magic)
    if damaged_from < size:
        yield Member(damaged_from, size - damaged_from, False)


def _walked(file: IO[bytes], offset: int, packing: Packing, most: int) -> tuple[bool, int, int]:
    """Return whether a whole member lies at `offset`, how many bytes of the file it takes, and how many went through. One
    that unpacks to more than `most` bytes is none."""
    stream = packing.stream()
    file.seek(offset)
    read = work = 0
    step = _FIRST_READ_BYTES
    with suppress(*_BROKEN):
        while not stream.eof and work < most:
            data = file.read(step) if stream.needs_input else b""
            if stream.needs_input and not data:
                break
            read += len(data)
            step = min(8 * step, _READ_BYTES)
            work += len(data) + len(stream.decompress(data, _STEP_BYTES))
        if stream.eof:
            return True, read - len(stream.unused_data), work
    return False, read, max(work, read)


def _is_record(file: IO[bytes], offset: int, packing: Packing) -> bool:
    file.seek(offset)
    with suppress(*_BROKEN):
        return _BEGIN.match(packing.stream().decompress(file.read(_SEARCHED_BYTES), 64)) is not None
    return False


def _next_magic(file: IO[bytes], offset: int, size: int, magic: bytes) -> int:
    """Return where the next magic number stands, or the end of the file."""
    length = _SEARCHED_BYTES
    while offset < size:
        file.seek(offset)
        found = file.read(length).find(magic)
        if found >= 0:
            return offset + found
        offset += length - len(magic) + 1
        length = min(2 * length, _STEP_BYTES)
    return size


class Unpacked(io.RawIOBase):
    """What one member holds, as a file to be read forwards. Reading raises OSError where it is damaged."""

    def __init__(self, packed: IO[bytes], packing: Packing) -> None:
        self._packed = packed
        self._stream = packing.stream()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = b""
        try:
            while not data and not self._stream.eof:
                packed = self._packed.read(_READ_BYTES) if self._stream.needs_input else b""
                if self._stream.needs_input and not packed:
                    raise EOFError("it ends before its end")
                data = self._stream.decompress(packed, len(buffer))
        except _BROKEN as error:
            raise OSError(str(error)) from error
        buffer[: len(data)] = data
        return len(data)
