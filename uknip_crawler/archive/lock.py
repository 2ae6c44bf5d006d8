"""One writer an archive: a lock file that the operating system frees when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from uknip_crawler.errors import ArchiveLocked, StorageError


def acquire(directory: Path) -> IO[str]:
    """Take the archive's lock and return the open file that holds it; close it to let go.

    Raises ArchiveLocked at once when another process holds it, StorageError when the folder cannot be written.
    """
    path = directory / "lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+", encoding="ascii")
    except OSError as error:
        raise StorageError(f"{directory}: cannot write the archive folder: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise ArchiveLocked(
            f"{directory}: another run (process {holder}) is writing here; try again later"
        ) from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def holder(directory: Path) -> str | None:
    """Return the number of the process that writes to an archive now, or None; nothing is made or kept."""
    try:
        with (directory / "lock").open("r", encoding="ascii") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return handle.read().strip() or "unknown"
    except OSError:
        pass  # no lock, or not ours to read
    return None


@contextlib.contextmanager
def held_still(directory: Path) -> Iterator[None]:
    """Let nobody write to an archive that is only read, for the length of a block; nothing is made or kept.

    Raises ArchiveLocked when somebody writes there.
    """
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context((directory / "lock").open("r", encoding="ascii"))
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            who = handle.read().strip() or "unknown"
            raise ArchiveLocked(
                f"{directory}: another run (process {who}) is writing there; try again later"
            ) from None
        except OSError:
            pass  # no lock, or one that is not ours to take
        yield
