"""The frontier: every known address waiting for a first or next visit. It outlives runs; a killed one loses nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from uknip_crawler.archive.database import as_precise_text, as_text
from uknip_crawler.models import Finding, Outcome

_KIND = "CASE WHEN part IS NULL THEN kind ELSE 'part' END"
_JUST_AFTER = timedelta(microseconds=1)
AT_NEXT_RUN = timedelta(0)
WHEN_GONE = timedelta(days=90)
"""How long to wait before looking again for a story that is gone."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address somebody named: a source, a listing, a link.

    `listed_on` is the source that vouches for it, `said` what a source says of the story.
    """

    url: str
    kind: str
    found_by: str
    found_on: str | None = None
    post_id: int | None = None
    listed_on: str | None = None
    modified_at: datetime | None = None
    priority: int = 0
    said: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed visit. `fetch_id` is its open ledger row; `etag` and `last_modified` make the request conditional.

    `reason` says why it is due: `new`, `changed` (a source says so), `relisted`, `unlisted` (a source lists it no
    longer), `revisit` (its time has come), `retry`, `listing`, `wanted` (somebody asked for it), `second look` (another
    page of the run was unlike the site's).
    """

    fetch_id: int
    url: str
    kind: str
    found_by: str
    listed_on: str | None
    etag: str | None
    last_modified: str | None
    reason: str | None = None

    @property
    def promises_story(self) -> bool:
        """Whether somebody says that there is a story or a part of one: then the page need not prove it."""
        is_listed = self.listed_on is not None or self.found_by == "feed"
        return self.kind == "part" or (self.kind == "article" and is_listed)


class Frontier:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database, *, keeps_out: Callable[[str], bool] = lambda url: False) -> None:
        self._db = db
        self._keeps_out = keeps_out

    def add(self, candidates: Iterable[Candidate], *, at: datetime, due_at: datetime) -> int:
        """Add addresses, due at `due_at`; return how many were new.

        A known address becomes due again when a source says that it changed, that it is a story after all, or
        lists it again after it was gone. The address of a redacted story is not written down.
        """
        candidates = [candidate for candidate in candidates if not self._keeps_out(candidate.url)]
        new = sum(not self._knows(url) for url in {candidate.url for candidate in candidates})
        self._db.conn.executemany(
            """
            INSERT INTO frontier (url, kind, found_by, found_on, first_seen_at, due_at, priority, reason, post_id,
                                  listed_on, listed_at, listed_modified_at, listed_said)
            VALUES (:url, :kind, :found_by, :found_on, :at, :due_at, :priority, 'new', :post_id,
                    :listed_on, :listed_at, :modified_at, :said)
            ON CONFLICT (url) DO UPDATE SET
                (due_at, priority, reason) = (SELECT
                    CASE WHEN now_due THEN excluded.due_at ELSE frontier.due_at END,
                    CASE WHEN now_due THEN excluded.priority ELSE frontier.priority END,
                    CASE WHEN changed THEN 'changed' WHEN now_due THEN 'relisted' ELSE frontier.reason END
                    FROM (SELECT *, changed
                        OR (excluded.kind = 'article' AND frontier.kind <> 'article')
                        OR (frontier.last_outcome = 'gone' AND frontier.listed_on IS NULL) AS now_due
                        FROM (SELECT coalesce(excluded.listed_modified_at
                            > coalesce(frontier.listed_modified_at, frontier.last_fetched_at, ''), 0) AS changed))),
                kind = CASE WHEN excluded.kind = 'article' THEN 'article' ELSE frontier.kind END,
                post_id = coalesce(excluded.post_id, frontier.post_id),
                listed_on = coalesce(excluded.listed_on, frontier.listed_on),
                listed_at = coalesce(excluded.listed_at, frontier.listed_at),
                listed_modified_at = coalesce(excluded.listed_modified_at, frontier.listed_modified_at),
                listed_said = CASE WHEN excluded.listed_said IS NULL THEN frontier.listed_said
                    ELSE json_patch(coalesce(frontier.listed_said, '{}'), excluded.listed_said) END
            WHERE excluded.listed_on IS NOT NULL OR excluded.listed_said IS NOT NULL
                OR (excluded.kind = 'article' AND frontier.kind <> 'article')
            """,
            [
                {
                    "url": candidate.url,
                    "kind": candidate.kind,
                    "found_by": candidate.found_by,
                    "found_on": candidate.found_on,
                    "at": as_precise_text(at),
                    "due_at": as_precise_text(due_at),
                    "priority": candidate.priority,
                    "post_id": candidate.post_id,
                    "listed_on": candidate.listed_on,
                    "listed_at": as_precise_text(at) if candidate.listed_on else None,
                    "modified_at": as_text(candidate.modified_at),
                    "said": _by_source(candidate.said),
                }
                for candidate in candidates
            ],
        )
        return new

    def revisit(self, url: str, *, reason: str, due_at: datetime, priority: int | None = None) -> None:
        """Make a known address due; its priority stays unless another is given."""
        self._db.conn.execute(
            "UPDATE frontier SET due_at = ?, reason = ?, priority = coalesce(?, priority) WHERE url = ?",
            (as_precise_text(due_at), reason, priority, url),
        )

    def newest_stories(self, count: int, *, not_visited_since: datetime) -> list[str]:
        """Return the addresses of the stories published last, of those that are visited at times and were not since."""
        rows = self._db.conn.execute(
            """
            SELECT a.url FROM articles AS a JOIN frontier AS q ON q.url = a.url
            WHERE a.status = 'live' AND q.due_at IS NOT NULL AND q.last_fetched_at < ?
            ORDER BY a.published_at DESC, a.url LIMIT ?
            """,
            (as_precise_text(not_visited_since), count),
        )
        return [url for (url,) in rows]

    def renew(self, urls: Iterable[str], *, since: datetime) -> None:
        """Make addresses due again that were not visited since an instant."""
        self._db.conn.executemany(
            "UPDATE frontier SET due_at = ?, reason = 'listing' WHERE url = ? AND last_fetched_at < ?",
            [(as_precise_text(since), url, as_precise_text(since)) for url in urls],
        )

    def knows_new(self, urls: Iterable[str], *, since: datetime) -> bool:
        """Tell whether any of these addresses was first heard of since an instant."""
        return any(
            self._db.conn.execute(
                "SELECT 1 FROM frontier WHERE url = ? AND first_seen_at >= ?", (url, as_precise_text(since))
            ).fetchone()
            for url in urls
        )

    def standing(self, url: str) -> tuple[str, str, str | None] | None:
        """Return what kind of page an address is believed to be, who found it and which source vouches for it."""
        row = self._db.conn.execute(
            f"SELECT {_KIND}, found_by, listed_on FROM frontier WHERE url = ?", (url,)
        ).fetchone()
        return tuple(row) if row else None

    def listed_on(self, url: str) -> str | None:
        """Return the source that vouches for an address, or None."""
        row = self._db.conn.execute("SELECT listed_on FROM frontier WHERE url = ?", (url,)).fetchone()
        return row[0] if row else None

    def said_of(self, url: str, post_id: int | None, *visited: str) -> tuple[Finding, ...]:
        """Return what sources say of a story, REST before the feed; of several addresses the one listed last.

        The story is known by its address, the addresses `visited` for it, and WordPress's number; an address
        that is listed under another number is another story's.
        """
        rows = self._db.conn.execute(
            f"""
            SELECT listed_said FROM frontier
            WHERE (url IN ({", ".join("?" * (len(visited) + 1))}) OR post_id = ?
                   OR article_id = (SELECT id FROM articles WHERE url = ?))
                AND listed_said IS NOT NULL AND coalesce(post_id <> ?, 0) = 0
            ORDER BY url = ?, coalesce(listed_at, ''), url
            """,
            (url, *visited, post_id, url, post_id, url),
        ).fetchall()
        latest: dict[str, list[list[str | None]]] = {}
        for (said,) in rows:
            latest |= json.loads(said)
        return tuple(
            Finding(field, source, raw or "", value)
            for source in sorted(latest, reverse=True)
            for field, raw, value in ((str(name), raw, value) for name, raw, value in latest[source])
        )

    def claim(self, run_id: int, limit: int, *, due_by: datetime, at: datetime) -> list[Due]:
        """Open ledger rows for the most urgent visits due and not yet made in this run; return them."""
        rows = self._db.conn.execute(
            f"""
            SELECT url, {_KIND}, found_by, found_on, listed_on, etag, last_modified, reason FROM frontier
            WHERE due_at <= ? AND NOT EXISTS (SELECT 1 FROM fetches WHERE run_id = ? AND fetches.url = frontier.url)
            ORDER BY priority DESC, due_at LIMIT ?
            """,
            (as_precise_text(due_by), run_id, limit),
        ).fetchall()
        claimed = []
        for url, kind, found_by, found_on, listed_on, etag, last_modified, reason in rows:
            cursor = self._db.conn.execute(
                "INSERT INTO fetches (run_id, url, kind, found_by, found_on, reason, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run_id, url, kind, found_by, found_on, reason, as_text(at)),
            )
            assert cursor.lastrowid is not None
            claimed.append(Due(cursor.lastrowid, url, kind, found_by, listed_on, etag, last_modified, reason))
        return claimed

    def waiting(self, *, due_by: datetime) -> int:
        """Return how many addresses are due."""
        row = self._db.conn.execute(
            "SELECT count(*) FROM frontier WHERE due_at <= ?", (as_precise_text(due_by),)
        )
        return int(row.fetchone()[0])

    def settle(
        self,
        url: str,
        outcome: Outcome,
        *,
        at: datetime,
        next_visit: timedelta | None,
        article_id: int | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> None:
        """Record how a visit ended and when the next is due: after `next_visit`, or never when None.

        A visit due at once waits for the next run all the same: runs claim what was due when they began. The
        sooner a revisit is wanted, the likelier an edit: where a run cannot make all of them, it makes those first.
        """
        due_at = as_precise_text(at + max(next_visit, _JUST_AFTER)) if next_visit is not None else None
        failed = next_visit == AT_NEXT_RUN
        hours = 0 if failed or next_visit is None else max(1, int(next_visit / timedelta(hours=1)))
        self._db.conn.execute(
            """
            UPDATE frontier SET due_at = ?, priority = ?, reason = ?, last_outcome = ?, last_fetched_at = ?,
                failures = CASE WHEN ? THEN failures + 1 ELSE 0 END,
                article_id = coalesce(?, article_id),
                etag = CASE WHEN ? THEN etag ELSE ? END,
                last_modified = CASE WHEN ? THEN last_modified ELSE ? END
            WHERE url = ?
            """,
            (
                due_at,
                -hours.bit_length(),
                "retry" if failed else "revisit",
                outcome,
                as_precise_text(at),
                failed,
                article_id,
                failed,
                etag,
                failed,
                last_modified,
                url,
            ),
        )

    def add_imported(self, run_id: int, *, at: datetime) -> int:
        """Have the next crawl look at the stories that an import brought and no list or link names; return how many."""
        cursor = self._db.conn.execute(
            "INSERT OR IGNORE INTO frontier (url, kind, found_by, first_seen_at, due_at, reason, article_id, post_id) "
            "SELECT url, 'article', 'import', ?, ?, 'new', id, post_id FROM articles WHERE id IN "
            "(SELECT article_id FROM fetches WHERE run_id = ?)",
            (as_precise_text(at), as_precise_text(at), run_id),
        )
        return cursor.rowcount

    def belongs(self, url: str, article_id: int | None) -> None:
        """Record whose address it is, as a capture made by others shows; when to visit it stays as it was."""
        self._db.conn.execute(
            "UPDATE frontier SET article_id = coalesce(article_id, ?) WHERE url = ?", (article_id, url)
        )

    def _knows(self, url: str) -> bool:
        return self._db.conn.execute("SELECT 1 FROM frontier WHERE url = ?", (url,)).fetchone() is not None


def _by_source(said: Iterable[Finding]) -> str | None:
    """Return findings as JSON: source → [field, raw, value], so that a source's newer word replaces its older."""
    sources: dict[str, list[tuple[str, str, str | None]]] = defaultdict(list)
    for finding in said:
        sources[finding.source].append((finding.field, finding.raw, finding.value))
    # as SQLite writes it, so that heard once or twice makes no difference
    return json.dumps(sources, ensure_ascii=False, separators=(",", ":")) if sources else None
