"""A zip file that is written forwards, into a pipe as well, the same to the byte each time; it knows each file's digest."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import IO, Any, BinaryIO, Self

_READABLE = 0o644 << 16


class Entry:
    """One file in the box while it is written; `size` and `sha256` are of its content so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Append bytes; return where in the file they begin."""
        offset = self.size
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return offset

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class _Forwards:
    """What zipfile takes for an output that cannot be gone back in: sizes then stand after each file's content."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def write(self, data: bytes, /) -> int:
        return self._output.write(data)

    def flush(self) -> None:
        self._output.flush()

    def close(self) -> None:
        """The output is closed by who opened it."""


class Box:
    """Every file in it has the time `at` (UTC text), for what was written when is none of its content."""

    def __init__(self, output: BinaryIO, at: str) -> None:
        self._zip = zipfile.ZipFile(_Forwards(output), "w")
        self._time = datetime.fromisoformat(at).timetuple()[:6]
        self.resources: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def file(self, path: str, *, is_packed: bool = False, size: int = 0) -> Iterator[Entry]:
        """Yield a new file in the box; one at a time. One of 2 GiB and more needs its exact `size` before.

        A room for such sizes at the file's begin that the table of contents does not speak of misleads ReplayWeb.page.
        """
        info = zipfile.ZipInfo(path, self._time)
        info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        info.external_attr = _READABLE
        with self._zip.open(info, "w", force_zip64=size > zipfile.ZIP64_LIMIT) as file:
            entry = Entry(file)
            yield entry
        self.resources.append(
            {
                "name": path.rpartition("/")[2].lower(),
                "path": path,
                "hash": f"sha256:{entry.sha256}",
                "bytes": entry.size,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the table of contents, without which there is no box."""
        with contextlib.suppress(*(() if kind is None else (OSError, ValueError))):
            self._zip.close()
