"""Captures that show something in their story's place: which they are, what they would have changed, and setting them aside."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.merging import remove
from uknip_crawler.models import Outcome

_KEPT = "('stored', 'unchanged', 'revised', 'alias', 'duplicate')"
_NOT_SINCE = """f.id > coalesce((SELECT max(id) FROM fetches WHERE url = f.url AND outcome IN
    ('stored', 'unchanged', 'revised', 'alias', 'duplicate', 'listed')), 0)"""
"""The address has not shown its story, or its list, since."""
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


@dataclass(frozen=True, slots=True)
class Held:
    """What was held back for one reason and nobody has decided on: captures of stories, or readings of one list.

    `number` is the ledger row of the first, `why` what was said of the last, `since` when the first came.
    """

    number: int
    why: str
    since: str
    urls: Sequence[str]
    fetch_ids: Sequence[int]
    is_list: bool


Verdict = Literal["release", "reject"]


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

    def together(self, run_id: int, few: int) -> list[int]:
        """Return the runs to judge by together: a crawl of few stories with those of few in the day before it, newest first.

        Half-hourly crawls see a page or two each; what befalls a site befalls them all. Until there are `few` stories.
        """
        counts = self._db.conn.execute(
            "SELECT r.id, (SELECT count(DISTINCT f.article_id) FROM fetches AS f WHERE f.run_id = r.id AND "
            f"(f.outcome IN {_KEPT} OR f.outcome = 'interrupted')) FROM runs AS r JOIN runs AS this ON this.id = ?1 "
            "WHERE r.id = ?1 OR this.kind = 'crawl' AND r.kind = 'crawl' AND r.id < ?1 AND r.started_at >= "
            "strftime('%Y-%m-%dT%H:%M:%SZ', this.started_at, '-1 day') ORDER BY r.id DESC",
            (run_id,),
        )
        runs: list[int] = []
        seen = 0
        for number, count in counts:
            if runs and (seen >= few or count >= few):
                break
            runs.append(number)
            seen += count
        return runs

    def held_in(self, runs: Sequence[int]) -> int:
        """Return of how many stories something was held back in runs, and nobody has decided."""
        row = self._db.conn.execute(
            "SELECT count(DISTINCT url) FROM fetches WHERE run_id IN (SELECT value FROM json_each(?)) AND "
            "outcome = 'interrupted' AND verdict IS NULL AND kind NOT IN ('sitemap', 'rest', 'feed')",
            (json.dumps(runs),),
        ).fetchone()
        return int(row[0])

    def revised(self, runs: Sequence[int]) -> list[Revised]:
        """Return the versions that the captures of runs began and nobody has released, new stories among them.

        What an address showed for the first time is left out where the researcher has believed it before.
        """
        return self._revised(
            "f.run_id IN (SELECT value FROM json_each(?)) AND f.verdict IS NULL AND (old.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM fetches AS told "
            "WHERE told.url = f.url AND told.verdict = 'release')) ORDER BY f.id",
            json.dumps(runs),
        )

    def released(self, limit: int) -> list[Revised]:
        """Return the versions that were held back and believed in the end, the newest first, at most so many."""
        return self._revised("f.verdict = 'release' ORDER BY f.id DESC LIMIT ?", limit)

    def _revised(self, condition: str, parameter: int | str) -> list[Revised]:
        rows = self._db.conn.execute(
            f"SELECT f.id, a.id, f.url, substr(f.fetched_at, 1, 10), old.headline, old.body, {_SHOWN.format('new')} "
            "FROM fetches AS f JOIN revisions AS new ON new.fetch_id = f.id JOIN articles AS a ON a.id = new.article_id "
            "LEFT JOIN layouts AS l ON l.id = f.layout_id LEFT JOIN revisions AS old "
            "ON old.article_id = new.article_id AND old.number = new.number - 1 "
            f"WHERE a.status <> 'redacted' AND a.parts = 1 AND {condition}",
            (parameter,),
        ).fetchall()
        return [
            Revised(number, story, url, day, _shown(shown), None if text is None else (headline, text))
            for number, story, url, day, headline, text, *shown in rows
        ]

    def visited(self, runs: Sequence[int]) -> list[tuple[str, int]]:
        """Return how many stories known before were visited in runs, by day of the visit; an import may bring the first captures too."""
        return self._db.conn.execute(
            "SELECT substr(f.fetched_at, 1, 10), count(DISTINCT f.article_id) FROM fetches AS f "
            f"WHERE f.run_id IN (SELECT value FROM json_each(?)) AND (f.outcome IN {_KEPT} OR f.outcome = 'interrupted') AND f.fetched_at IS NOT NULL "
            "AND EXISTS (SELECT 1 FROM revisions AS r JOIN fetches AS first ON first.id = r.fetch_id "
            "WHERE r.article_id = f.article_id AND r.number = 1 AND (first.run_id < f.run_id OR first.fetched_at < f.fetched_at)) GROUP BY 1",
            (json.dumps(runs),),
        ).fetchall()

    def seen_before(self, url: str, run_id: int) -> tuple[int, str | None]:
        """Return in how many earlier runs in a row an address showed something in the story's place, and since when."""
        count, since = self._db.conn.execute(
            "SELECT count(DISTINCT run_id), min(fetched_at) FROM fetches WHERE url = ?1 AND run_id < ?2 AND outcome = 'interrupted' "
            f"AND verdict IS NULL AND id > (SELECT coalesce(max(id), 0) FROM fetches WHERE url = ?1 AND run_id < ?2 AND outcome IN {_KEPT})",
            (url, run_id),
        ).fetchone()
        return int(count), since

    def release(self, url: str, run_id: int) -> None:
        """Believe what an address has shown since its last story, in this run too: the story is read again with it."""
        rows = self._db.conn.execute(
            "UPDATE fetches SET outcome = 'unchanged', detail = NULL, verdict = 'release' WHERE url = ?1 AND run_id <= ?2 AND outcome = 'interrupted' "
            "AND verdict IS NULL AND status = 200 AND article_id IS NOT NULL AND id > (SELECT coalesce(max(id), 0) FROM fetches "
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
            "UPDATE frontier SET due_at = last_fetched_at, reason = 'retry', last_outcome = 'interrupted', etag = NULL, last_modified = NULL, "
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

    def held(self) -> list[Held]:
        """Return what is held back and undecided, in the order in which it began; what has passed is not among it."""
        rows = self._db.conn.execute(
            "SELECT f.id, f.url, coalesce(f.fetched_at, f.opened_at), coalesce(f.detail, ''), f.kind IN ('sitemap', 'rest') FROM fetches AS f "
            f"WHERE f.outcome = 'interrupted' AND f.verdict IS NULL AND {_NOT_SINCE} ORDER BY f.id"
        ).fetchall()
        groups: dict[tuple[str, str], list[tuple[int, str, str, str, int]]] = defaultdict(list)
        for row in rows:
            _, url, _, why, is_list = row
            groups[(re.sub(r"\d[\d,]*", "0", why), url if is_list else "")].append(row)
        return [
            Held(
                number=group[0][0],
                why=group[-1][3],
                since=min(at for _, _, at, _, _ in group),
                urls=list(dict.fromkeys(url for _, url, _, _, _ in group)),
                fetch_ids=[number for number, *_ in group],
                is_list=bool(group[0][4]),
            )
            for group in groups.values()
        ]

    def decide(self, fetch_ids: Iterable[int], verdict: Verdict) -> None:
        """Keep the researcher's word on captures that were held back; stories are read again with those released."""
        stories: set[int] = set()
        for fetch_id in fetch_ids:
            execute = self._db.conn.execute
            execute("UPDATE fetches SET verdict = ? WHERE id = ?", (verdict, fetch_id))
            if verdict == "release":
                rows = execute(
                    "UPDATE fetches SET outcome = 'unchanged', detail = NULL WHERE id = ? AND status = 200 "
                    "AND article_id IS NOT NULL RETURNING article_id",
                    (fetch_id,),
                ).fetchall()
                stories |= {article_id for (article_id,) in rows}
        self._mark_for_reading(stories)

    def taken(self, fetch_ids: Sequence[int]) -> int:
        """Return how many of these captures count in their stories' lives."""
        return sum(
            self._db.conn.execute(
                f"SELECT count(*) FROM fetches WHERE id = ? AND article_id IS NOT NULL AND outcome IN {_KEPT}",
                (number,),
            ).fetchone()[0]
            for number in fetch_ids
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
