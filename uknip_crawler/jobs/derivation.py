"""All that is derived from captures, brought up to date: readings, kinds of edit, links between copies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.errors import StorageError
from uknip_crawler.ingest.judgement import judge_mass_changes, set_aside_copies
from uknip_crawler.ingest.workers import Readers
from uknip_crawler.jobs.reextraction import learn_and_reextract
from uknip_crawler.jobs.reextraction.history import Report
from uknip_crawler.revisions import Kind, compare, kind_of_edit

logger = logging.getLogger(__name__)

SAY_SECONDS = 30.0
"""How often long work says how far it is."""

_CHUNK = 200


def derive(
    archive: Archive, base_url: str, *, everything: bool = False, readers: Readers, at: datetime
) -> Report:
    """Learn, read again what runs have brought since this was last done (or everything), name the edits, link copies.

    Doing it twice changes nothing more; killed, it is done by the next run.
    """

    def read_again(everything: bool) -> Report:
        return learn_and_reextract(
            archive, base_url, everything=everything, readers=readers, at=at, progress=_saying("read again")
        )

    runs = archive.ledger.underived()
    for run_id in runs:
        set_aside_copies(archive, run_id)
    report = read_again(everything)
    for run_id in runs:  # what learning could not tell from the stories' own text
        is_changed, lines = judge_mass_changes(archive, run_id, at=at)
        report.troubles += lines
        if is_changed:
            read_again(False)
    name_edits(archive)
    link_near_duplicates(archive, progress=_saying("compared with all others"))
    with archive.transaction():
        archive.ledger.mark_derived(at=at)
    return report


def derive_after_run(
    archive: Archive, base_url: str, ended: tuple[int, int], *, readers: Readers, at: datetime
) -> tuple[int, list[str]]:
    """Derive once a run's own end is on the disk; `ended` is its number and exit status. Raises StorageError.

    Any other trouble is logged, for the run is complete without it. Returns the exit status, 3 for a run that met
    something in the stories' place, and what is to be said of it.
    """
    run_id, exit_status = ended
    troubles: list[str] = []
    try:
        report = derive(archive, base_url, readers=readers, at=at)
    except StorageError:
        raise
    except Exception:
        logger.exception("stories were not read again; the next crawl does it")
    else:
        troubles = report.troubles
        if report.stories:
            logger.info("%d stories read again with what was learned", report.stories)
    if exit_status == 0 and (troubles or archive.interruptions.any_in(run_id)):
        exit_status = 3
        with archive.transaction():
            archive.ledger.note_exit(run_id, exit_status)
    return exit_status, troubles


def name_edits(archive: Archive) -> int:
    """Give every revision without a kind its kind and its counts of words; return how many there were.

    Derived from the texts alone, whichever way they came in.
    """
    done = 0
    while unclassified := archive.readings.unclassified(_CHUNK):
        with archive.transaction():
            for revision_id, old, new in unclassified:
                if old is None:
                    archive.readings.set_kind(revision_id, Kind.FIRST, 0, 0)
                    continue
                change = compare(*old, *new)
                kind = kind_of_edit(*old, *new)
                archive.readings.set_kind(revision_id, kind, change.added_words, change.removed_words)
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
