"""All that is derived from captures, brought up to date: readings, kinds of edit, links between copies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.errors import StorageError
from uknip_crawler.jobs.reextraction import learn_and_reextract
from uknip_crawler.jobs.reextraction.history import Report
from uknip_crawler.revisions import Kind, classify, compare

logger = logging.getLogger(__name__)

SAY_SECONDS = 30.0
"""How often long work says how far it is."""

_CHUNK = 200


def derive(
    archive: Archive, base_url: str, *, everything: bool = False, workers: int, at: datetime
) -> Report:
    """Learn, read again what runs have brought since this was last done (or everything), name the edits, link copies.

    Doing it twice changes nothing more; killed, it is done by the next run.
    """
    report = learn_and_reextract(
        archive, base_url, everything=everything, workers=workers, at=at, progress=_saying("read again")
    )
    name_edits(archive)
    link_near_duplicates(archive, progress=_saying("compared with all others"))
    with archive.transaction():
        archive.ledger.mark_derived(at=at)
    return report


def derive_after_run(archive: Archive, base_url: str, *, workers: int, at: datetime) -> None:
    """Derive once a run's own end is on the disk. Raises StorageError.

    Any other trouble is logged, for the run is complete without it.
    """
    try:
        report = derive(archive, base_url, workers=workers, at=at)
    except StorageError:
        raise
    except Exception:
        logger.exception("stories were not read again; the next crawl does it")
        return
    if report.stories:
        logger.info("%d stories read again with what was learned", report.stories)


def name_edits(archive: Archive) -> int:
    """Give every revision without a kind its kind and its counts of words; return how many there were.

    Derived from the texts alone, whichever way they came in.
    """
    done = 0
    while unclassified := archive.readings.unclassified(_CHUNK):
        with archive.transaction():
            for revision_id, old, new in unclassified:
                if old is None:
                    archive.readings.classify(revision_id, Kind.FIRST, 0, 0)
                    continue
                change = compare(*old, *new)
                kind = classify(*old, *new)
                archive.readings.classify(revision_id, kind, change.added_words, change.removed_words)
        done += len(unclassified)
    return done


def _saying(what: str) -> Callable[[int, int], None]:
    """Return what says from the first story on, and then now and again, how far long work is."""
    due = float("-inf")

    def say(done: int, of: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + SAY_SECONDS
            logger.info("%d of %d stories %s", done, of, what)

    return say
