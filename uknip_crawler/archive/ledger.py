"""The ledger: one row for every address a run schedules, closed exactly once with an outcome; and the runs themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.redactions import hidden
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.errors import StorageError
from uknip_crawler.models import Capture, Outcome

VARIANT = "variant"
"""Kind of the visit whose capture shows an AMP or print form."""
IMAGE = "image"
"""The kind of the rows that are neither pages nor sources."""
_AS_BEFORE = (Outcome.UNCHANGED, Outcome.ALIAS, Outcome.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Response:
    """What the ledger keeps of a response: the capture's facts and where its record lies; images have none."""

    capture: Capture
    record: RecordRef | None
    attempts: int = 1


class Asked(NamedTuple):
    """How many visits of pages that were said to have changed found that so and found nothing; and the addresses of those
    that are held back since."""

    changed: int
    in_vain: int
    held: frozenset[str]


class Ledger:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start_run(
        self,
        kind: str,
        base_url: str,
        settings: Mapping[str, Any],
        version: str,
        *,
        at: datetime,
        run_id: int | None = None,
    ) -> int:
        """Begin a run and return its number, the next one unless it is given."""
        cursor = self._db.conn.execute(
            "INSERT INTO runs (id, kind, base_url, started_at, settings, version) VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, kind, base_url, as_text(at), json.dumps(settings, sort_keys=True), version),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def finish_run(
        self, run_id: int, exit_status: int, reason: str, *, requests: int, received_bytes: int, at: datetime
    ) -> None:
        self._db.conn.execute(
            "UPDATE runs SET finished_at = ?, exit_status = ?, end_reason = ?, requests = ?, received_bytes = ? WHERE id = ?",
            (as_text(at), exit_status, reason, requests, received_bytes, run_id),
        )

    def unfinished_runs(self) -> list[int]:
        """Return the runs that never ended: they were killed."""
        return [
            row[0]
            for row in self._db.conn.execute("SELECT id FROM runs WHERE finished_at IS NULL ORDER BY id")
        ]

    def open(
        self,
        run_id: int,
        url: str,
        *,
        kind: str,
        found_by: str,
        at: datetime,
        found_on: str | None = None,
        imported_from: str = "",
    ) -> int | None:
        """Open a row and return its id, or None when the run has already scheduled this address.

        `imported_from` is the place of an imported capture: of these an address may have many in a run.
        """
        cursor = self._db.conn.execute(
            "INSERT OR IGNORE INTO fetches (run_id, url, kind, found_by, found_on, opened_at, imported_from) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run_id, url, kind, found_by, found_on, as_text(at), imported_from),
        )
        return cursor.lastrowid if cursor.rowcount else None

    def close(
        self,
        fetch_id: int,
        outcome: Outcome,
        *,
        at: datetime,
        detail: str | None = None,
        response: Response | None = None,
        redirected_to: str | None = None,
        article_id: int | None = None,
        attempts: int = 0,
    ) -> None:
        """Close a row. Raises StorageError when it is closed already: that would be two ends of one visit.

        `attempts` counts requests that no `response` came to.
        """
        capture = response.capture if response else None
        record = response.record if response else None
        cursor = self._db.conn.execute(
            """
            UPDATE fetches SET closed_at = ?, outcome = ?, detail = ?, status = ?, attempts = ?, redirected_to = ?,
                fetched_at = ?, etag = ?, last_modified = ?, body_bytes = ?, payload_sha256 = ?,
                warc_name = ?, warc_offset = ?, warc_length = ?, article_id = ?
            WHERE id = ? AND outcome IS NULL
            """,
            (
                as_text(at),
                outcome,
                detail,
                capture.status if capture else None,
                response.attempts if response else attempts,
                redirected_to,
                as_text(capture.fetched_at) if capture else None,
                capture.header("etag") if capture else None,
                capture.header("last-modified") if capture else None,
                len(capture.body) if capture else None,
                capture.payload_sha256 if capture else None,
                record.name if record else None,
                record.offset if record else None,
                record.length if record else None,
                article_id,
                fetch_id,
            ),
        )
        if cursor.rowcount != 1:
            raise StorageError(f"ledger row {fetch_id} is closed already or does not exist")

    def asked_for_change(self, urls: Iterable[str], *, since: datetime) -> Asked:
        """Return what came of the last visits of some pages of which a source said that they had changed."""
        execute = self._db.conn.execute
        ends: dict[str, str] = {}
        for url in urls:
            row = execute(
                "SELECT id, outcome FROM fetches WHERE url = ? AND reason = 'changed' AND opened_at >= ? "
                "ORDER BY id DESC LIMIT 1",
                (url, as_text(since)),
            ).fetchone()
            if row and row[1] == Outcome.INTERRUPTED:  # asked again in every run, until it shows its story
                row = execute(
                    "SELECT max(id), outcome FROM fetches WHERE url = ? AND id >= ?", (url, row[0])
                ).fetchone()
            ends |= {url: row[1]} if row else {}
        counts = Counter(ends.values())
        return Asked(
            changed=counts[Outcome.REVISED] + counts[Outcome.STORED],
            in_vain=sum(counts[end] for end in _AS_BEFORE),
            held=frozenset(url for url, end in ends.items() if end == Outcome.INTERRUPTED),
        )

    def note_layout(self, fetch_id: int, layout_id: int | None) -> None:
        """Record the layout of the page that a row brought."""
        self._db.conn.execute("UPDATE fetches SET layout_id = ? WHERE id = ?", (layout_id, fetch_id))

    def doubt(self, run_id: int, url: str, kind: str, why: str, *, at: datetime) -> None:
        """Record that a run read a list of the site and does not believe it."""
        self._db.conn.execute(
            "INSERT INTO fetches (run_id, url, kind, found_by, opened_at, closed_at, outcome, detail) "
            "VALUES (?, ?, ?, 'seed', ?, ?, ?, ?) ON CONFLICT (run_id, url, imported_from) "
            "DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail",
            (run_id, url, kind, as_text(at), as_text(at), Outcome.INTERRUPTED, why),
        )

    def doubted(self, url: str, run_id: int) -> tuple[int, str | None, bool]:
        """Return in how many runs in a row before this one a list was not believed, since when, and whether the
        researcher has released it since; what was rejected does not count."""
        count, since, is_released = self._db.conn.execute(
            "SELECT count(*), min(opened_at), coalesce(max(verdict = 'release'), 0) FROM fetches WHERE url = ?1 "
            "AND run_id < ?2 AND outcome = 'interrupted' AND verdict IS NOT 'reject' "
            "AND run_id > (SELECT coalesce(max(id), 0) FROM runs WHERE kind = 'crawl' AND id < ?2 AND NOT EXISTS "
            "(SELECT 1 FROM fetches AS f WHERE f.run_id = runs.id AND f.url = ?1 AND f.outcome = 'interrupted'))",
            (url, run_id),
        ).fetchone()
        return int(count), since, bool(is_released)

    def note_exit(self, run_id: int, exit_status: int) -> None:
        """Correct a run's exit status by what was seen once its end was on the disk."""
        self._db.conn.execute("UPDATE runs SET exit_status = ? WHERE id = ?", (exit_status, run_id))

    def underived(self) -> list[int]:
        """Return the runs whose stories were not read again since."""
        return [
            row[0]
            for row in self._db.conn.execute("SELECT id FROM runs WHERE derived_at IS NULL ORDER BY id")
        ]

    def close_open(self, run_id: int, outcome: Outcome, detail: str, *, at: datetime) -> int:
        """Close every row a run left open; return how many."""
        cursor = self._db.conn.execute(
            "UPDATE fetches SET closed_at = ?, outcome = ?, detail = ? WHERE run_id = ? AND outcome IS NULL",
            (as_text(at), outcome, detail, run_id),
        )
        return cursor.rowcount

    def outcomes(self, run_id: int, *, of_images: bool = False) -> Counter[str]:
        """Return how many rows of a run ended with which outcome: those of pages and sources, or those of images."""
        rows = self._db.conn.execute(
            "SELECT outcome, count(*) FROM fetches WHERE run_id = ? AND outcome IS NOT NULL AND (kind = ?) = ? "
            "GROUP BY outcome",
            (run_id, IMAGE, of_images),
        )
        return Counter(dict(rows.fetchall()))

    def ended(self, run_id: int, url: str) -> tuple[Outcome, int | None]:
        """Return how a run's visit of an address ended, and the story it belongs to."""
        outcome, article_id = self._db.conn.execute(
            "SELECT outcome, article_id FROM fetches WHERE run_id = ? AND url IN (?, ?)",
            (run_id, url, hidden(url)),
        ).fetchone()
        return Outcome(outcome), article_id

    def mark_derived(self, *, at: datetime) -> None:
        """Record that the stories of all runs so far have been read again with what the runs had taught."""
        self._db.conn.execute("UPDATE runs SET derived_at = ? WHERE derived_at IS NULL", (as_text(at),))

    def lists_tried(self, run_id: int) -> dict[str, str]:
        """Return by kind of list whether any answered in a run, or else why the last one did not."""
        rows = self._db.conn.execute(
            "SELECT kind, outcome IN ('listed', 'unchanged'), detail FROM fetches WHERE run_id = ? "
            "AND kind IN ('rest', 'sitemap', 'feed') ORDER BY 2, id",
            (run_id,),
        )
        return {
            kind: "answered, no story listed" if answered else detail or "no answer"
            for kind, answered, detail in rows
        }

    def count_visits(self, run_id: int) -> int:
        """Return how many pages a run has read."""
        row = self._db.conn.execute(
            "SELECT count(*) FROM fetches WHERE run_id = ? AND status = 200 AND kind IN ('article', 'listing', 'unknown')",
            (run_id,),
        ).fetchone()
        return int(row[0])

    def visited_listings(self, run_id: int) -> bool:
        """Tell whether a run visited the home page or archive pages to find stories."""
        row = self._db.conn.execute(
            "SELECT 1 FROM fetches WHERE run_id = ? AND kind = 'listing' LIMIT 1", (run_id,)
        )
        return row.fetchone() is not None

    def has_finished_crawl(self) -> bool:
        """Tell whether any crawl has ever run to its own end."""
        row = self._db.conn.execute(
            "SELECT 1 FROM runs WHERE kind = 'crawl' AND end_reason = 'finished' LIMIT 1"
        )
        return row.fetchone() is not None

    def record_of(
        self, url: str, fetched_at: datetime, payload_sha256: str | None = None
    ) -> RecordRef | None:
        """Return where the capture of an address at a moment lies, or None; with a digest, only of that payload."""
        row = self._db.conn.execute(
            "SELECT warc_name, warc_offset, warc_length FROM fetches WHERE url = ? AND fetched_at = ? "
            "AND payload_sha256 = coalesce(?, payload_sha256) AND warc_name IS NOT NULL",
            (url, as_text(fetched_at), payload_sha256),
        ).fetchone()
        return RecordRef(*row) if row else None

    def records_of(self, url: str) -> list[RecordRef]:
        """Return where the captures of an address lie that brought a page, the newest first."""
        rows = self._db.conn.execute(
            "SELECT warc_name, warc_offset, warc_length FROM fetches WHERE url = ? AND status = 200 "
            "AND warc_name IS NOT NULL ORDER BY fetched_at DESC",
            (url,),
        )
        return [RecordRef(*row) for row in rows]

    def kind_of(self, run_id: int) -> tuple[str, str]:
        """Return whether a run was a crawl or an import, and the base URL of its site."""
        row = self._db.conn.execute("SELECT kind, base_url FROM runs WHERE id = ?", (run_id,)).fetchone()
        return str(row[0]), str(row[1])

    def is_recorded(self, record: RecordRef) -> bool:
        """Tell whether a row points at a record."""
        row = self._db.conn.execute(
            "SELECT 1 FROM fetches WHERE warc_name = ? AND warc_offset = ?", (record.name, record.offset)
        )
        return row.fetchone() is not None

    def open_visit(self, run_id: int, url: str) -> int | None:
        """Return the open row of a page visit (not of a source) in a run, or None."""
        row = self._db.conn.execute(
            "SELECT id FROM fetches WHERE run_id = ? AND url = ? AND outcome IS NULL "
            "AND kind IN ('article', 'listing', 'unknown', 'part')",
            (run_id, url),
        ).fetchone()
        return row[0] if row else None

    def open_row(self, run_id: int, url: str) -> int | None:
        """Return the open row of an address in a run, or None."""
        row = self._db.conn.execute(
            "SELECT id FROM fetches WHERE run_id = ? AND url = ? AND outcome IS NULL", (run_id, url)
        ).fetchone()
        return row[0] if row else None
