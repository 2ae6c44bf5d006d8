"""Where exports go: a file or folder that appears whole or not at all, standard output, a device."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from uknip_crawler.archive.warc import sync_folder
from uknip_crawler.errors import StorageError, UsageError


class _Hashing(io.FileIO):
    def __init__(self, path: Path) -> None:
        super().__init__(path, "w")
        self.digest = hashlib.sha256()

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self.digest.update(memoryview(data)[:count])
        return count


class HashedFile(io.BufferedWriter):
    """A new file that knows the digest of what was written to it; os.devnull for the digest alone."""

    def __init__(self, path: Path) -> None:
        self._hashing = _Hashing(path)
        super().__init__(self._hashing, 1 << 20)

    def sha256(self) -> str:
        """Return the digest of all that was written so far."""
        self.flush()
        return self._hashing.digest.hexdigest()

    def sync(self) -> None:
        """Return once all of it is on the disk."""
        self.flush()
        os.fsync(self.fileno())


@contextlib.contextmanager
def storage(destination: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one line that names the destination."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {destination}: {error.strerror or error}") from error


@contextlib.contextmanager
def whole_files(*paths: Path) -> Iterator[list[HashedFile]]:
    """Yield files beside `paths` that take their places, synced, when the block ends well, and go when not.

    All appear or none: the last one first, so that the first is never there without those that tell of it.
    """
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    places = [path.resolve() for path in paths]  # a link stays a link
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in places]
    for path in places:
        _sweep(path, "part")
    try:
        with contextlib.ExitStack() as stack:
            outputs = [stack.enter_context(HashedFile(part)) for part in parts]
            yield outputs
            for output in outputs:
                output.sync()
        _replace_all(list(zip(parts, places, strict=True))[::-1])
        for path in places:
            _sweep(path, "old")
        for folder in {path.parent for path in places}:
            sync_folder(folder)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _replace_all(moves: list[tuple[Path, Path]]) -> None:
    """Put each file into its place; when one cannot be, what was in the others' places is there again."""
    done: list[tuple[Path, Path | None]] = []
    try:
        for part, place in moves:
            old = None
            if place.is_file():
                old = part.with_suffix(".old")
                old.unlink(missing_ok=True)
                os.link(place, old)
            part.replace(place)
            done.append((place, old))
    except OSError:
        for place, old in done:
            if old:
                old.replace(place)
            else:
                place.unlink()
        raise
    finally:
        for part, _ in moves:
            part.with_suffix(".old").unlink(missing_ok=True)


def refuse_other_files(folder: Path, mark: str, is_ours: Callable[[str], bool], what: str) -> None:
    """Raise UsageError unless a folder may be replaced: it is not there, is empty, or holds the file `mark` and beside it
    only names that are ours. `what` is what such a folder is."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder with -o FOLDER")
    there = {path.name for path in folder.iterdir()}
    if there and (mark not in there or not all(map(is_ours, there - {mark}))):
        raise UsageError(f"{folder} holds other files than {what}: name another folder with -o FOLDER")


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path` that takes its place when the block ends well, and goes when not.

    The old folder is moved aside first and removed last: whatever happens, one of the two is whole. Its name after a
    kill at that very moment ends in `.old`, until the next export succeeds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    part, old = (path.with_name(f".{path.name}.{os.getpid()}.{ending}") for ending in ("part", "old"))
    _sweep(path, "part")
    try:
        part.mkdir()
        yield part
        sync_folder(part)
        if path.exists():
            path.rename(old)
        try:
            part.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        sync_folder(path.parent)
        _sweep(path, "old")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(path: Path, ending: str) -> None:
    """Delete what exports to a path that were killed have left beside it: those whose process is no more."""
    name = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.{ending}")
    for left in path.parent.iterdir():
        found = name.fullmatch(left.name)
        if found is None or (int(found[1]) != os.getpid() and _is_running(int(found[1]))):
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


@contextlib.contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Yield it in bytes. Raises BrokenPipeError when nobody reads any more, StorageError when it is full."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        # what is still buffered goes nowhere, or the interpreter complains about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise StorageError(f"cannot write standard output: {error.strerror or error}") from error


def sha256_of(path: Path) -> str:
    """Return the digest of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
