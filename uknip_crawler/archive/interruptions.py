"""Captures that show something in their story's place: which they are, what they would have changed, and setting them aside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.merging import remove
from uknip_crawler.models import Outcome

_KEPT = "('stored', 'unchanged', 'revised', 'alias', 'duplicate')"
_SHOWN = "{0}.headline, {0}.body, a.post_id, a.sources, l.skeleton"


class StoryShown(NamedTuple):
    """What an address showed when it was last captured, as `ingest.interruptions.Shown` wants it."""

    headline: str
    body: str
    post_id: int | None
    sources: dict[str, str]
    skeleton: str | None


class Revised(NamedTuple):
    """A version that a run's capture began: its ledger row, its story, when it was captured, and the version before."""

    fetch_id: int
    article_id: int
    url: str
    day: str
    now: StoryShown
    before: tuple[str, str] | None


class Interruptions:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def story(self, article_id: int) -> StoryShown:
        """Return what is archived of a story."""
        row = self._db.conn.execute(
            f"SELECT {_SHOWN.format('a')} FROM articles AS a LEFT JOIN layouts AS l ON l.id = a.layout_id WHERE a.id = ?",
            (article_id,),
        ).fetchone()
        return _shown(row)

    def revised(self, run_id: int) -> list[Revised]:
        """Return the versions that a run's captures began, new stories among them."""
        rows = self._db.conn.execute(
            f"SELECT f.id, a.id, f.url, substr(f.fetched_at, 1, 10), old.headline, old.body, {_SHOWN.format('new')} "
            "FROM fetches AS f JOIN revisions AS new ON new.fetch_id = f.id JOIN articles AS a ON a.id = new.article_id "
            "LEFT JOIN layouts AS l ON l.id = f.layout_id LEFT JOIN revisions AS old "
            "ON old.article_id = new.article_id AND old.number = new.number - 1 "
            "WHERE f.run_id = ? AND a.status <> 'redacted' AND a.parts = 1 ORDER BY f.id",
            (run_id,),
        ).fetchall()
        return [
            Revised(number, story, url, day, _shown(shown), None if text is None else (headline, text))
            for number, story, url, day, headline, text, *shown in rows
        ]

    def visited(self, run_id: int) -> list[tuple[str, int]]:
        """Return how many stories known before were visited in a run, by day of the visit."""
        return self._db.conn.execute(
            "SELECT substr(f.fetched_at, 1, 10), count(DISTINCT f.article_id) FROM fetches AS f "
            f"WHERE f.run_id = ? AND (f.outcome IN {_KEPT} OR f.outcome = 'interrupted') AND f.fetched_at IS NOT NULL "
            "AND EXISTS (SELECT 1 FROM revisions AS r JOIN fetches AS first ON first.id = r.fetch_id "
            "WHERE r.article_id = f.article_id AND r.number = 1 AND first.fetched_at < f.fetched_at) GROUP BY 1",
            (run_id,),
        ).fetchall()

    def seen_before(self, url: str, run_id: int) -> tuple[int, str | None]:
        """Return in how many earlier runs in a row an address showed something in the story's place, and since when."""
        count, since = self._db.conn.execute(
            "SELECT count(DISTINCT run_id), min(fetched_at) FROM fetches WHERE url = ?1 AND run_id < ?2 AND outcome = 'interrupted' "
            f"AND id > (SELECT coalesce(max(id), 0) FROM fetches WHERE url = ?1 AND run_id < ?2 AND outcome IN {_KEPT})",
            (url, run_id),
        ).fetchone()
        return int(count), since

    def release(self, url: str, run_id: int) -> None:
        """Believe what an address has shown since its last story, in this run too: the story is read again with it."""
        rows = self._db.conn.execute(
            "UPDATE fetches SET outcome = 'unchanged', detail = NULL WHERE url = ?1 AND run_id <= ?2 AND outcome = 'interrupted' "
            "AND status = 200 AND article_id IS NOT NULL AND id > (SELECT coalesce(max(id), 0) FROM fetches "
            f"WHERE url = ?1 AND run_id < ?2 AND outcome IN {_KEPT}) RETURNING article_id",
            (url, run_id),
        ).fetchall()
        self._mark_for_reading({article_id for (article_id,) in rows})

    def set_aside(self, fetches: Mapping[int, str], *, outcome: Outcome = Outcome.INTERRUPTED) -> int:
        """Take captures out of the lives of their stories; return how many.

        `fetches` says why, by ledger row. The rows and records stay. A story that no other capture shows is none: its
        row goes. What a run has yet to look at again is due in the next.
        """
        stories: set[int] = set()
        for fetch_id, why in fetches.items():
            url, run_id, article_id = self._db.conn.execute(
                "SELECT url, run_id, article_id FROM fetches WHERE id = ?", (fetch_id,)
            ).fetchone()
            self._db.conn.execute(
                "UPDATE fetches SET outcome = ?, detail = ?, layout_id = NULL WHERE id = ?",
                (outcome, why, fetch_id),
            )
            self._db.conn.execute("DELETE FROM studies WHERE fetch_id = ?", (fetch_id,))
            self._look_again(url, run_id)
            stories.add(article_id)
            self._unwrite(article_id, run_id)
        for article_id in stories - {None}:
            if not self._is_shown(article_id):
                remove(self._db, article_id)
        self._mark_for_reading(stories)
        return len(fetches)

    def _look_again(self, url: str, run_id: int) -> None:
        self._db.conn.execute(
            "UPDATE frontier SET due_at = replace(last_fetched_at, 'Z', '.000000Z'), reason = 'retry', last_outcome = 'interrupted', etag = NULL, last_modified = NULL, "
            "failures = failures + 1 WHERE url = ?1 AND EXISTS (SELECT 1 FROM runs WHERE id = ?2 AND kind = 'crawl') "
            "AND NOT EXISTS (SELECT 1 FROM fetches WHERE fetches.url = ?1 AND run_id > ?2)",
            (url, run_id),
        )

    def _unwrite(self, article_id: int, run_id: int) -> None:
        """Take back that a run found a story there again that was not."""
        events = self._db.conn.execute(
            "DELETE FROM events WHERE article_id = ? AND run_id = ? AND kind = 'restored' RETURNING id",
            (article_id, run_id),
        ).fetchall()
        last = self._db.conn.execute(
            "SELECT kind, at FROM events WHERE article_id = ? ORDER BY id DESC LIMIT 1", (article_id,)
        ).fetchone()
        if events and last and last[0] == "gone":
            self._db.conn.execute(
                "UPDATE articles SET status = 'gone', gone_at = ? WHERE id = ?", (last[1], article_id)
            )

    def _is_shown(self, article_id: int) -> bool:
        row = self._db.conn.execute(
            f"SELECT 1 FROM fetches WHERE article_id = ? AND outcome IN {_KEPT} AND status = 200 LIMIT 1",
            (article_id,),
        ).fetchone()
        return row is not None

    def _mark_for_reading(self, article_ids: Iterable[int]) -> None:
        self._db.conn.executemany(
            "UPDATE articles SET extractor_version = '', last_seen_at = coalesce((SELECT max(fetched_at) FROM fetches "
            f"WHERE article_id = articles.id AND outcome IN {_KEPT}), last_seen_at) WHERE id = ?",
            [(article_id,) for article_id in article_ids],
        )

    def any_in(self, run_id: int) -> bool:
        """Tell whether a run met anything in place of a story or of a list of them."""
        row = self._db.conn.execute(
            "SELECT 1 FROM fetches WHERE run_id = ? AND outcome = 'interrupted' LIMIT 1", (run_id,)
        )
        return row.fetchone() is not None


def _shown(row: tuple[str, str, int | None, str | None, str | None]) -> StoryShown:
    headline, body, post_id, sources, skeleton = row
    return StoryShown(headline, body, post_id, json.loads(sources or "{}"), skeleton)
