"""Files that are packed as a whole, and WARC files in a WACZ, unpacked so that records in them can be found; a bomb is
refused, and of what is damaged everything that can be read is there.

WACZ is a zip file with WARC files under `archive/`: https://specs.webrecorder.net/wacz/latest/
"""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from uknip_crawler.archive.warc.packing import (
    ALWAYS_BYTES,
    MAX_RATIO,
    Gzip,
    Member,
    Unpacked,
    Zstandard,
    whole_members,
)
from uknip_crawler.errors import StorageError, UsageError

_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"
_WARC_NAMES = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz")


def unpack(path: Path, packed: IO[bytes], packing: Gzip | Zstandard) -> tuple[IO[bytes], list[Member]]:
    """Return an unnamed file with what a packed one holds, as far as it can be read, and what is damaged of the latter.

    Raises UsageError for a bomb, StorageError when the disk is full.
    """
    damaged = []

    def fill(unpacked: IO[bytes]) -> None:
        left = max(MAX_RATIO * path.stat().st_size, ALWAYS_BYTES)
        for member in whole_members(packed, packing, getattr(packing, "begin", 0)):
            if not member.is_whole:
                damaged.append(member)
            packed.seek(member.offset)
            content = Unpacked(packed, packing)
            try:
                left -= _copy(path, content, unpacked, left)
            except OSError as error:
                if error.errno is not None:  # the disk's, not the packing's
                    raise
                left -= 1

    return _filled(path, fill), damaged


def inside(path: Path) -> list[Path]:
    """Return the WARC files of a WACZ, as `x.wacz/archive/data.warc.gz`; of any other file the file itself.

    Raises UsageError for a zip file without any, or one that cannot be read.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_ZIP)) != _ZIP:
                return [path]
        with zipfile.ZipFile(path) as box:
            names = [name for name in box.namelist() if name.lower().endswith(_WARC_NAMES)]
    except OSError:
        return [path]  # to be told by who opens it
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UsageError(f"{path}: its table of contents cannot be read: {error}") from error
    if not names:
        raise UsageError(f"{path}: a zip file without a WARC file in it")
    return [path / name for name in names]


def holder(path: Path) -> Path | None:
    """Return the WACZ that a file of `inside` is in."""
    return next((parent for parent in path.parents if parent.is_file()), None)


def take_out(box: Path, path: Path) -> tuple[IO[bytes], str | None]:
    """Return an unnamed file with one of the files of a WACZ, and what is wrong with it.

    Raises UsageError for a bomb, StorageError when the disk is full.
    """
    problems: list[str] = []

    def fill(unpacked: IO[bytes]) -> None:
        try:
            with zipfile.ZipFile(box) as opened:
                info = opened.getinfo(path.relative_to(box).as_posix())
                with opened.open(info) as content:
                    _copy(box, content, unpacked, max(MAX_RATIO * info.compress_size, ALWAYS_BYTES))
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            KeyError,
            RuntimeError,
            NotImplementedError,
            ValueError,
        ) as error:
            problems.append(f"the zip file is damaged here: {error}")
        except OSError as error:
            if (
                error.errno != errno.EINVAL
            ):  # a place before the file's begin is its contents' mistake, the rest the disk's
                raise
            problems.append("the zip file is damaged here: it names a place outside of the file")

    return _filled(box, fill), next(iter(problems), None)


def _filled(path: Path, fill: Callable[[IO[bytes]], None]) -> IO[bytes]:
    with ExitStack() as failing:
        try:
            unpacked = failing.enter_context(TemporaryFile())
            fill(unpacked)
            unpacked.flush()
        except OSError as error:
            raise StorageError(
                f"{path}: cannot be unpacked to a temporary file: {error.strerror}; TMPDIR names the folder for it"
            ) from error
        failing.pop_all()  # it is the caller's now
    return unpacked


def _copy(path: Path, content: IO[bytes] | Unpacked, unpacked: IO[bytes], left: int) -> int:
    size = 0
    while data := content.read(_CHUNK):
        size += len(data)
        if size > left:
            raise UsageError(f"{path}: unpacks to more than {MAX_RATIO} times its size")
        unpacked.write(data)
    return size
