"""When a story that several archives followed moved, went missing, was gone and came back: told once, from all visits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.articles import ABSENCES, MISSES_UNTIL_GONE, is_mass

_RETOLD = "('moved', 'missing', 'redirected', 'gone', 'restored', 'unpublished', 'protected')"
_SEEN = "seen"


class _Happening(NamedTuple):
    at: str
    run: int
    kind: str
    detail: str | None


@dataclass(slots=True)
class _Fate:
    """What is known of a story's whereabouts at a moment, by the rules that crawls go by (`archive.articles`)."""

    url: str
    ill: frozenset[int]
    ends: dict[int, str | None]
    noted: dict[tuple[int, str], tuple[str, str | None]]
    told: list[_Happening] = field(default_factory=list)
    last: str | None = None
    moves: list[str] = field(default_factory=list)
    missed_in: list[int] = field(default_factory=list)
    gone_at: str | None = None

    def take(self, one: _Happening) -> None:
        if one.kind == _SEEN:
            self.missed_in, self.gone_at = [], None
            if self.last in ABSENCES:
                self._tell(one._replace(kind="restored"))
        elif one.kind == "moved":
            move = (one.detail or "").partition(" (")[0]
            if move not in self.moves[-1:]:
                self.moves.append(move)
                self.told.append(one)
        elif one.kind in ("missing", "redirected"):
            self._miss(one)
        elif (one.kind == "protected" and self.last != one.kind) or self.last not in ABSENCES:
            self._tell(one)

    def _miss(self, one: _Happening) -> None:
        if self.gone_at is not None or one.run in self.missed_in:
            return
        if self.last != one.kind:
            self._tell(one)
        if one.run in self.ill:
            return
        self.missed_in.append(one.run)
        if len(self.missed_in) >= MISSES_UNTIL_GONE:
            self.gone_at = self.ends.get(one.run) or one.at
            gone = f"{self.url} missing in {MISSES_UNTIL_GONE} runs"
            self._tell(_Happening(self.gone_at, one.run, "gone", gone))
            self.gone_at = self.told[-1].at

    def _tell(self, one: _Happening) -> None:
        """Tell it in the words, and as of the time, that were noted when it was found out."""
        at, detail = self.noted.get((one.run, one.kind), (one.at, one.detail))
        self.told.append(one._replace(at=at, detail=detail))
        self.last = one.kind


def tell_fates(db: Database, stories: Iterable[int]) -> None:
    """Write what happened to some stories, and whether they are there. Runs inside the caller's transaction."""
    execute = db.conn.execute
    ends = dict(execute("SELECT id, finished_at FROM runs").fetchall())
    ill = frozenset(
        run
        for run, missed, visited in execute(
            "SELECT run_id, sum(outcome = 'gone'), count(*) FROM fetches WHERE article_id IS NOT NULL "
            "AND kind <> 'image' AND status IS NOT NULL GROUP BY run_id"
        ).fetchall()
        if is_mass(missed, visited)
    )
    for story in stories:
        (url,) = execute("SELECT url FROM articles WHERE id = ?", (story,)).fetchone()
        noted = execute(
            f"SELECT run_id, kind, at, detail FROM events WHERE article_id = ? AND kind IN {_RETOLD} ORDER BY at, detail",
            (story,),
        ).fetchall()
        fate = _Fate(url, ill, ends, {one[:2]: one[2:] for one in reversed(noted)})
        for one in _happenings(db, story):
            fate.take(one)
        execute(f"DELETE FROM events WHERE article_id = ? AND kind IN {_RETOLD}", (story,))
        db.conn.executemany(
            "INSERT INTO events (article_id, run_id, kind, at, detail) VALUES (?, ?, ?, ?, ?)",
            [(story, one.run, one.kind, one.at, one.detail) for one in fate.told],
        )
        is_gone = fate.gone_at is not None
        execute(
            "UPDATE articles SET status = ?, gone_at = ?, missed_runs = ?, missed_run_id = ? WHERE id = ?",
            (
                "gone" if is_gone else "live",
                fate.gone_at,
                len(fate.missed_in),
                fate.missed_in[-1] if fate.missed_in else None,
                story,
            ),
        )


def _happenings(db: Database, story: int) -> list[_Happening]:
    """Return what visits of a story's addresses found, and what else crawls noted, in the order of time."""
    rows = db.conn.execute(
        "SELECT fetched_at, run_id, iif(outcome <> 'gone', 'seen', iif(redirected_to IS NULL, 'missing', 'redirected')), "
        "coalesce(detail, 'not found') FROM fetches WHERE article_id = ?1 AND fetched_at IS NOT NULL AND kind NOT IN ('part', 'image') "
        "AND (outcome IN ('stored', 'unchanged', 'revised', 'alias', 'duplicate') AND status IN (200, 304) OR outcome = 'gone' "
        "AND url NOT IN (SELECT url FROM aliases WHERE article_id = ?1)) "
        "UNION ALL SELECT at, run_id, kind, detail FROM events WHERE article_id = ?1 AND kind IN ('moved', 'unpublished', 'protected')",
        (story,),
    ).fetchall()
    return sorted((_Happening(*row) for row in rows), key=_order)


def _order(one: _Happening) -> tuple[str, int, bool, str, str]:
    """Of one second and crawl: lists are read before pages."""
    return one.at, one.run, one.kind != "unpublished", one.kind, one.detail or ""
