"""Archives of one site as one: every row of theirs that cannot be made from captures, each once, in an order of its own.

What comes out follows from what the archives hold and from nothing else: neither from their order nor from how often one
is given. Rules are joins (smallest, largest, first in an order of contents), so that joining in steps gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlite_utils import Database

from uknip_crawler.archive.database import transaction
from uknip_crawler.archive.union import lives, pages, rest
from uknip_crawler.archive.union.runs import (
    File,
    Source,
    insert_fetches,
    insert_runs,
    plan_runs,
    settle_outcomes,
)
from uknip_crawler.archive.union.stories import plan_stories

__all__ = ["File", "Source", "United", "has_news", "unite"]


@dataclass(slots=True)
class United:
    """What was joined: `files` are the WARC files that belong to it under their new names; `runs` and `fetches` count
    what the first source did not have; `contradictions` are lines about verdicts of which one had to give way."""

    files: dict[str, File] = field(default_factory=dict)
    runs: int = 0
    fetches: int = 0
    contradictions: list[str] = field(default_factory=list)


def unite(db: Database, sources: Sequence[Source]) -> United:
    """Fill the empty tables of an archive with what others hold; the first one's files keep their names.

    Readings are the sources' own and out of date: derive everything afterwards. Redactions whose stories another source
    still had are unfinished, for `jobs.redaction.complete`. Raises StorageError when a WARC file is missing.
    """
    united = United()
    db.conn.execute("PRAGMA foreign_keys = OFF")  # stories point at visits, and visits at stories
    runs = plan_runs(sources)
    told = plan_stories(db, sources)
    united.files = insert_runs(db, runs)
    united.runs = sum(0 not in run.held_by for run in runs)
    rest.insert_layouts(db, sources)
    united.fetches = insert_fetches(db, sources, united.contradictions)
    lives.insert_stories(db, sources, told)
    rest.insert_studies(db, sources)
    rest.insert_images(db, sources)
    rest.insert_furniture(db, sources, united.contradictions)
    rest.insert_audits(db, sources)
    rest.insert_findings(db, sources)
    pages.insert_lists(db, sources)
    pages.insert_frontier(db, sources)
    pages.keep_out(db)
    with transaction(db):
        settle_outcomes(db)
    db.conn.execute("PRAGMA foreign_keys = ON")
    return united


_TOLD = {
    "runs": "kind, base_url, started_at, finished_at",
    "fetches": "(SELECT started_at FROM {0}.runs AS r WHERE r.id = run_id), url, imported_from, verdict, closed_at",
    "articles": "url, status, first_seen_at, last_seen_at, gone_at, missed_runs",
    "aliases": "url, first_seen_at, last_seen_at",
    "frontier": "url, kind, last_fetched_at, due_at, listed_at, listed_said, part",
    "sources": "url, status, cursor, last_asked_at, last_complete_at",
    "furniture": "text, verdict",
    "images": "url, sha256, refused",
    "redaction_marks": "mark",
    "audits": "at, source",
    "findings": "name, since",
}


def has_news(db: Database, first: Source) -> bool:
    """Tell whether what was joined says anything that the first source did not say by itself."""
    db.conn.execute("ATTACH ? AS held", (str(first.database),))
    try:
        for table, told in _TOLD.items():
            here, there = (
                f"SELECT {told.format(where)} FROM {where}.{table}"
                + (" WHERE verdict IS NOT NULL" if table == "furniture" else "")
                for where in ("main", "held")
            )
            if db.conn.execute(f"SELECT 1 FROM ({here} EXCEPT {there}) LIMIT 1").fetchone():
                return True
    finally:
        db.conn.execute("DETACH held")
    return False
