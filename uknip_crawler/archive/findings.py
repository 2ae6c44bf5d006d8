"""What crawls found amiss: one row from the crawl that found it to the one that finds it well again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.reports.health import rows_showing
from uknip_crawler.health.checks import CHECKS, Finding

SAID_AGAIN_AFTER = timedelta(days=1)
"""A finding that lasts makes one crawl a day end with 3; one that comes back within a day is the same."""
_COLUMNS = "id, name, since, what, value, bound, shown_by, run_id, ended_at, noticed"


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as the archive keeps it; `examples` are up to three addresses that show it."""

    id: int
    name: str
    since: str
    what: str
    value: float
    bound: float
    run: int
    ended_at: str | None
    noticed: str | None
    examples: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "since": self.since,
            "value": self.value,
            "bound": self.bound,
            "run": self.run,
            "examples": list(self.examples),
            "remedy": self.remedy,
        }

    @property
    def remedy(self) -> str:
        """What to do; of a check that is no more, nothing is known."""
        return CHECKS[self.name].remedy if self.name in CHECKS else "nothing: this version has no such check"


class Findings:
    """`record` and `mark_noticed` run inside the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, found: Sequence[Finding], run_id: int, *, at: datetime) -> bool:
        """Write down what a crawl found; return whether it is to end with 3 for it."""
        execute = self._db.conn.execute
        now, alarm = as_text(at), False
        for one in found:
            shown_by = json.dumps(rows_showing(self._db, one.check.measure, one.first_run, one.last_run, at))
            facts = (one.what, one.value, one.bound, shown_by, run_id)
            row = execute(
                "SELECT id, alarmed_at FROM findings WHERE name = ? AND (ended_at IS NULL OR ended_at >= ?) "
                "ORDER BY id DESC LIMIT 1",
                (one.name, as_text(at - SAID_AGAIN_AFTER)),
            ).fetchone()
            if row is None:
                alarm = True
                execute(
                    "INSERT INTO findings (what, value, bound, shown_by, last_run_id, name, since, run_id, alarmed_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*facts, one.name, as_text(one.since), run_id, now),
                )
                continue
            execute(
                "UPDATE findings SET what = ?, value = ?, bound = ?, shown_by = ?, last_run_id = ?, ended_at = NULL WHERE id = ?",
                (*facts, row[0]),
            )
            if at - datetime.fromisoformat(row[1]) >= SAID_AGAIN_AFTER:
                alarm = True
                execute("UPDATE findings SET alarmed_at = ? WHERE id = ?", (now, row[0]))
        names = json.dumps([one.name for one in found])
        execute(
            "UPDATE findings SET ended_at = ? WHERE ended_at IS NULL AND name NOT IN (SELECT value FROM json_each(?))",
            (now, names),
        )
        return alarm

    def untold(self) -> list[Kept]:
        """Return the findings of which a notice is due: that they began, or that what was told has ended."""
        return kept(
            self._db,
            "ended_at IS NULL AND noticed IS NULL OR ended_at IS NOT NULL AND noticed = 'found'",
        )

    def mark_noticed(self, findings: Sequence[Kept]) -> None:
        self._db.conn.executemany(
            "UPDATE findings SET noticed = ? WHERE id = ?",
            [("ended" if one.ended_at else "found", one.id) for one in findings],
        )


def kept(db: Database, which: str, parameters: dict[str, Any] | None = None) -> list[Kept]:
    """Return findings with their examples, in the order of the checks; `which` is a condition."""
    order = {name: place for place, name in enumerate(CHECKS)}
    found = []
    for row in db.execute(f"SELECT {_COLUMNS} FROM findings WHERE {which}", parameters or {}).fetchall():
        number, name, since, what, value, bound, shown_by, run, ended_at, noticed = row
        rows = json.loads(shown_by)
        urls = dict(
            db.execute(
                f"SELECT id, url FROM fetches WHERE id IN ({', '.join('?' * len(rows))}) AND outcome <> 'redacted'",
                rows,
            ).fetchall()
        )
        examples = tuple(urls[one] for one in rows if one in urls)
        found.append(Kept(number, name, since, what, value, bound, run, ended_at, noticed, examples))
    return sorted(found, key=lambda one: (order.get(one.name, len(order)), one.id))


def open_findings(db: Database) -> list[Kept]:
    """Return what is amiss as of the newest crawl that was judged."""
    return kept(db, "ended_at IS NULL")
