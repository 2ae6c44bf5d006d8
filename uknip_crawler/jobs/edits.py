"""Naming what kind of edit each revision was: derived from the texts alone, whichever way they came in."""

from __future__ import annotations

from uknip_crawler.archive import Archive
from uknip_crawler.revisions import Kind, classify, compare

CHUNK = 200


def classify_edits(archive: Archive) -> int:
    """Give every revision without a kind its kind and its counts of words; return how many there were."""
    done = 0
    while unclassified := archive.readings.unclassified(CHUNK):
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
