"""What follows whatever brought captures: stories read again with all that is known now, and their edits named, copies
linked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.jobs.edits import classify_edits
from uknip_crawler.jobs.reextraction import bring_up_to_date
from uknip_crawler.jobs.reextraction.history import Report

logger = logging.getLogger(__name__)

TELL_EVERY = 1_000
"""Stories after which long work says how far it is."""


def bring_to_rest(
    archive: Archive, base_url: str, *, everything: bool = False, workers: int, at: datetime
) -> Report:
    """Learn, read again what runs have brought since this was last done (or everything), name the edits, link copies.

    Doing it twice changes nothing more; killed, it is done by the next run.
    """
    report = bring_up_to_date(
        archive, base_url, everything=everything, workers=workers, at=at, progress=_telling("read again")
    )
    classify_edits(archive)
    link_near_duplicates(archive, progress=_telling("compared with all others"))
    with archive.transaction():
        archive.ledger.rest(at=at)
    return report


def _telling(what: str) -> Callable[[int], None]:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        if done >= told + TELL_EVERY:
            told = done
            logger.info("%d stories %s so far", done, what)

    return tell
