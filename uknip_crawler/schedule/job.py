"""One archive's crawl as it is scheduled: its command, its name, and what can be written into units and crontabs."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from uknip_crawler.errors import UsageError
from uknip_crawler.schedule.cadence import Cadence

NO_FAULT = (75, 143)
"""Exit statuses besides 0 that need nobody: another run is under way, a stop was asked for."""


@dataclass(frozen=True, slots=True)
class Job:
    """A crawl of one archive (absolute folder) by one command (absolute program first)."""

    archive: Path
    command: tuple[str, ...]
    cadence: Cadence
    also_writes: tuple[Path, ...] = ()
    """Folders besides the archive's that a crawl writes to."""

    def __post_init__(self) -> None:
        """Raise UsageError for a word that no unit and no crontab can hold: control characters, broken UTF-8."""
        for word in (str(self.archive), *self.command):
            if any(unicodedata.category(char) in ("Cc", "Cs") for char in word):
                raise UsageError(
                    f"{word!r}: cannot be scheduled with line breaks, control characters or broken UTF-8 in it"
                )

    @property
    def name(self) -> str:
        return name_of(self.archive)


def name_of(archive: Path) -> str:
    """Return the name under which an archive is scheduled: readable, and another one for every folder."""
    slug = re.sub(r"[^a-z0-9]+", "-", archive.name.lower()).strip("-")[:40]
    return "-".join(filter(None, ("uknip", slug, _digest(archive).hex()[:8])))


def shift_of(archive: Path) -> int:
    """Return a number of minutes that is the archive's own and always the same."""
    return int.from_bytes(_digest(archive)[:4], "big")


def _digest(archive: Path) -> bytes:
    return hashlib.sha256(str(archive).encode("utf-8", "surrogateescape")).digest()
