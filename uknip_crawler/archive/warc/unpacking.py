"""Gzip files of one or a few large members, unpacked so that records in them can be found; a bomb is refused."""

from __future__ import annotations

import zlib
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from uknip_crawler.errors import StorageError, UsageError

MAX_RATIO = 100
"""How many times larger than packed a file may be: pages are some 4 to 30 times, a bomb is 1,000 times."""
_ALWAYS_BYTES = 2**26
_CHUNK = 1 << 20


def unpack(path: Path) -> IO[bytes]:
    """Return an unnamed file with what a gzip file holds, as far as it can be read.

    Raises UsageError for a bomb, StorageError when the disk is full.
    """
    with path.open("rb") as packed, ExitStack() as failing:
        try:
            unpacked = failing.enter_context(TemporaryFile())
            _inflate(path, packed, unpacked)
        except zlib.error:
            pass  # what came before the damage is there
        except OSError as error:
            raise StorageError(
                f"{path}: cannot be unpacked to a temporary file: {error.strerror}; TMPDIR names the folder for it"
            ) from error
        failing.pop_all()  # it is the caller's now
    return unpacked


def _inflate(path: Path, packed: IO[bytes], unpacked: IO[bytes]) -> None:
    left = max(MAX_RATIO * path.stat().st_size, _ALWAYS_BYTES)
    inflate, pending = _member(), b""
    while pending := pending or packed.read(_CHUNK):
        data = inflate.decompress(pending, _CHUNK)
        left -= len(data)
        if left < 0:
            raise UsageError(f"{path}: unpacks to more than {MAX_RATIO} times its size")
        unpacked.write(data)
        pending = inflate.unconsumed_tail
        if inflate.eof:
            inflate, pending = _member(), inflate.unused_data


def _member() -> Any:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)
