"""The state of several archives on one screen: each one's own, what is held together, and those that cannot be read."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.database import sound
from uknip_crawler.archive.folders import site_in
from uknip_crawler.archive.reports.status import HEALTHY, LOOK, archive_status
from uknip_crawler.errors import UknipError

KEYS: dict[str, str] = {
    "verdict": "`healthy` when every archive is, else `look at this`.",
    "why": "The reason in one line: the first archive that is not healthy and what it is.",
    "exit_status": "The worst of the archives': 0, or that of an error that keeps one from being read.",
    "articles": "Stories held, of all archives that can be read, like the next six.",
    "live": "Stories that the sites still have.",
    "gone": "Stories that they gave up.",
    "revisions": "Versions of all stories.",
    "stories_last_day": "Stories published in the day before now.",
    "captures_bytes": "Size of the WARC files.",
    "images_bytes": "Size of the images kept.",
    "archives": "Each archive: `folder`, `site`, `error` (else null) and `status`, the record of `uknip status` (null with an error).",
}
"""What `uknip status ARCHIVE... --json` prints, key by key, in its order: a contract."""
_ADDED_UP = ("articles", "live", "gone", "revisions", "stories_last_day", "captures_bytes", "images_bytes")


def statuses(archives: Sequence[Path], now: datetime) -> dict[str, Any]:
    """Return what several archives hold and how they are, as `KEYS` says; one that cannot be read keeps no other back."""
    found, exit_status = [], 0
    for archive in archives:
        told: dict[str, Any] = {"folder": str(archive), "site": None, "error": None, "status": None}
        try:
            with sound(archive), contextlib.closing(open_readonly(archive)) as db:
                told["site"] = site_in(db)
                told["status"] = archive_status(db, now)
        except UknipError as error:
            told["error"] = str(error)
            exit_status = max(exit_status, error.exit_status)
        found.append(told)
    read = [one["status"] for one in found if one["status"]]
    amiss = [one for one in found if one["error"] or one["status"]["verdict"] != HEALTHY]
    return {
        "verdict": LOOK if amiss else HEALTHY,
        "why": _why(amiss, len(found)),
        "exit_status": exit_status,
        **{key: sum(status[key] for status in read) for key in _ADDED_UP},
        "archives": found,
    }


def _why(amiss: Sequence[dict[str, Any]], count: int) -> str:
    if not amiss:
        return f"nothing is amiss in {count:,} archives"
    first = amiss[0]
    more = f", and {len(amiss) - 1:,} more of {count:,} archives" if len(amiss) > 1 else ""
    return f"{first['site'] or first['folder']}: {first['error'] or first['status']['why']}{more}"
