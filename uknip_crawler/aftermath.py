"""What follows whatever brought captures: stories read again with all that is known now, and their edits named, copies
linked."""

from __future__ import annotations

from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.edits import classify_edits
from uknip_crawler.near_duplicates import link_near_duplicates
from uknip_crawler.reextraction import bring_up_to_date
from uknip_crawler.retelling import Report


def bring_to_rest(
    archive: Archive, base_url: str, *, everything: bool = False, workers: int, at: datetime
) -> Report:
    """Learn, read again what runs have brought since this was last done (or everything), name the edits, link copies.

    Doing it twice changes nothing more; killed, it is done by the next run.
    """
    report = bring_up_to_date(archive, base_url, everything=everything, workers=workers, at=at)
    classify_edits(archive)
    link_near_duplicates(archive)
    with archive.transaction():
        archive.ledger.rest(at=at)
    return report
