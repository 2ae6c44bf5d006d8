"""Holding a crawl that has ended against the archive's history, and keeping what is found."""

from __future__ import annotations

import logging
import shutil
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.archive.reports import health as reports
from uknip_crawler.health.judging import judge

logger = logging.getLogger(__name__)

SUSPICIOUS = 3
_JUDGED = (0, 3, 4)


def judge_run(archive: Archive, run_id: int, exit_status: int, *, at: datetime) -> int:
    """Judge the crawl that has just ended, keep what is found, and return its exit status: 3 for a new finding and, while
    it lasts, once a day. Raises StorageError; a crawl that was stopped or met a full disk is not judged.
    """
    if exit_status not in _JUDGED:
        return exit_status
    free = shutil.disk_usage(archive.directory).free
    found = judge(reports.history(archive.db, at), at, reports.facts(archive.db, at, free_bytes=free))
    with archive.transaction():
        is_alarm = archive.findings.record(found, run_id, at=at)
        if is_alarm and exit_status == 0:
            exit_status = SUSPICIOUS
            archive.ledger.note_exit(run_id, exit_status)
    return exit_status
