"""What the archive tells of its crawls and of the site's pace, as `health` wants it; and the rows that show a finding."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.ledger import IMAGE, VARIANT
from uknip_crawler.health.measures import WINDOW, Fact, History, Ran, Share
from uknip_crawler.models import DOUBTFUL_BODY, FAILURES, Outcome
from uknip_crawler.times import LONDON

CRAWLS = "kind = 'crawl' AND coalesce(end_reason, '') <> 'rebuilt'"
"""The runs that count: audits, imports, replays and what a rebuild lived again are no crawls."""
AUDIT_FOR = timedelta(days=90)
_PACE = 2 * WINDOW
_LISTS = "('rest', 'sitemap', 'feed')"


def _among(*outcomes: Outcome) -> str:
    return "(" + ", ".join(f"'{outcome}'" for outcome in sorted(outcomes)) + ")"


_WALLS = _among(Outcome.CHALLENGE, Outcome.INTERRUPTED)
_NEW = _among(Outcome.STORED, Outcome.DUPLICATE)
_KNOWN = _among(Outcome.UNCHANGED, Outcome.REVISED, Outcome.ALIAS)
_READ = _among(Outcome.STORED, Outcome.DUPLICATE, Outcome.UNCHANGED, Outcome.REVISED, Outcome.ALIAS)
_FAILED = _among(*FAILURES - {Outcome.CHALLENGE, Outcome.INTERRUPTED, Outcome.LOST})
_UNREAD = _among(
    Outcome.NOT_ARTICLE,
    Outcome.SOFT_404,
    Outcome.PROTECTED,
    Outcome.EXTRACT_ERROR,
    Outcome.EXTRACT_TIMEOUT,
)
_ASKED = _among(
    *FAILURES - {Outcome.LOST},
    *(Outcome.STORED, Outcome.DUPLICATE, Outcome.UNCHANGED, Outcome.REVISED, Outcome.ALIAS),
    *(Outcome.GONE, Outcome.NOT_ARTICLE, Outcome.SOFT_404, Outcome.PROTECTED),
)
_PAGE = f"f.kind NOT IN ('robots', 'rest', 'sitemap', 'feed', '{IMAGE}', '{VARIANT}')"
_IS_READ = f"{_PAGE} AND f.status = 200 AND f.outcome IN {_READ} AND f.layout_id IS NOT NULL"
_IS_NEW = f"{_PAGE} AND f.outcome IN {_NEW}"
_IS_KNOWN = f"{_PAGE} AND (f.outcome IN {_KNOWN} OR f.outcome = 'gone' AND f.article_id IS NOT NULL)"

_IS_LIST = (
    f"f.kind IN {_LISTS} AND (s.last_read_at IS NOT NULL OR f.kind <> 'sitemap' AND EXISTS (SELECT 1 FROM sources AS t "
    "WHERE t.kind = f.kind AND t.last_read_at IS NOT NULL AND substr(f.url, 1, length(t.url)) = t.url))"
)
_HAS_MOVED = "EXISTS (SELECT 1 FROM events AS e WHERE e.article_id = f.article_id AND e.run_id = f.run_id AND e.kind = 'moved')"

MEASURES: dict[str, tuple[str, str]] = {
    "walls": (f"{_PAGE} AND f.outcome IN {_WALLS}", f"{_PAGE} AND f.outcome IN {_ASKED}"),
    "failed": (f"{_PAGE} AND f.outcome IN {_FAILED}", f"{_PAGE} AND f.outcome IN {_ASKED}"),
    "no_story": (
        f"f.kind = 'article' AND f.status = 200 AND f.outcome IN {_UNREAD}",
        f"f.kind = 'article' AND f.status = 200 AND f.outcome IN {_ASKED}",
    ),
    "gone": (f"{_PAGE} AND f.outcome = 'gone' AND f.article_id IS NOT NULL", _IS_KNOWN),
    "moved": (
        f"{_IS_KNOWN} AND {_HAS_MOVED}",
        _IS_KNOWN,
    ),
    "new_layout": (
        f"{_IS_READ} AND l.first_seen_at > strftime('%Y-%m-%dT%H:%M:%SZ', r.started_at, '-1 day')",
        f"{_IS_READ} AND r.started_at > (SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(first_seen_at), '+1 day') FROM layouts)",
    ),
    "untrusted": (f"{_IS_READ} AND l.state NOT IN ('trusted', 'retired')", _IS_READ),
    "doubtful": (f"{_IS_READ} AND ', ' || f.detail || ', ' LIKE '%, {DOUBTFUL_BODY}, %'", _IS_READ),
    "undated": (f"{_IS_NEW} AND a.published_at IS NULL", _IS_NEW),
    "unfiled": (f"{_IS_NEW} AND a.section IS NULL", _IS_NEW),
    "unsigned": (
        f"{_IS_NEW} AND NOT EXISTS (SELECT 1 FROM article_authors AS b WHERE b.article_id = a.id)",
        _IS_NEW,
    ),
    "unillustrated": (
        f"{_IS_NEW} AND NOT EXISTS (SELECT 1 FROM article_images AS b WHERE b.article_id = a.id)",
        _IS_NEW,
    ),
    "lists": (
        # WordPress's words for the end of a list are 400 and, of a feed, 404
        (
            f"{_IS_LIST} AND f.outcome IN ('source_failed', 'interrupted') AND NOT (f.kind = 'rest' AND f.status = 400) "
            "AND NOT (f.kind = 'feed' AND f.status = 404 AND f.url LIKE '%paged=%')"
        ),
        _IS_LIST,
    ),
}
"""What a row of the ledger must be to count, and to be counted among, by measure."""
_JOINED = (
    "fetches AS f JOIN runs AS r ON r.id = f.run_id LEFT JOIN layouts AS l ON l.id = f.layout_id "
    "LEFT JOIN articles AS a ON a.id = f.article_id LEFT JOIN sources AS s ON s.url = f.url"
)


def history(db: Database, now: datetime) -> History:
    """Return the crawls of the past eight weeks, and when the site published in twice that time."""
    since = as_text(now - WINDOW)
    runs = db.execute(
        f"SELECT id, started_at, CASE WHEN finished_at IS NULL THEN 137 ELSE exit_status END FROM runs "
        f"WHERE {CRAWLS} AND started_at >= ? ORDER BY started_at, id",
        (since,),
    ).fetchall()
    shares = _shares(db, [run for run, *_ in runs])
    words = defaultdict(list)
    if runs:
        for run, count in db.execute(
            f"SELECT f.run_id, a.word_count FROM fetches AS f JOIN articles AS a ON a.id = f.article_id "
            f"WHERE {_IS_NEW} AND f.run_id >= ?",
            (min(run for run, *_ in runs),),
        ):
            words[run].append(count)
    ran = [
        Ran(
            run,
            datetime.fromisoformat(started),
            {**shares.get(run, {}), **_endings(status)},
            tuple(words[run]),
        )
        for run, started, status in runs
    ]
    return History(ran, _published(db, now))


def _endings(status: int) -> dict[str, Share]:
    """Return what an exit status says of a crawl; one that a person stopped says nothing."""
    if status in (130, 143):
        return {}
    return {"down": Share(int(status == 4), 1), "killed": Share(int(status == 137), 1)}


def _shares(db: Database, runs: list[int]) -> dict[int, dict[str, Share]]:
    if not runs:
        return {}
    columns = ", ".join(
        f"coalesce(sum({of} AND ({counted})), 0), coalesce(sum({of}), 0)" for counted, of in MEASURES.values()
    )
    found = {}
    for run, *figures in db.execute(
        f"SELECT f.run_id, {columns} FROM {_JOINED} WHERE f.run_id >= ? GROUP BY f.run_id", (min(runs),)
    ):
        pairs = zip(figures[::2], figures[1::2], strict=True)
        found[run] = {name: Share(*pair) for name, pair in zip(MEASURES, pairs, strict=True) if pair[1]}
    return found


def _published(db: Database, now: datetime) -> list[datetime]:
    """Return when stories were published: as they say, but never after they were first seen; a bare day's at noon."""
    rows = db.execute(
        "SELECT published_at, first_seen_at FROM articles WHERE coalesce(published_at, first_seen_at) >= ?",
        (as_text(now - _PACE),),
    )
    return sorted(_instant(published, datetime.fromisoformat(seen)) for published, seen in rows)


def _instant(published: str | None, seen_at: datetime) -> datetime:
    if published is None:
        return seen_at
    if "T" in published:
        return min(datetime.fromisoformat(published), seen_at)
    noon = datetime.combine(date.fromisoformat(published), time(12), LONDON)
    # of a bare day nothing finer is known than when it was seen on that day
    return seen_at if seen_at.astimezone(LONDON).date() == noon.date() else min(noon, seen_at)


def facts(db: Database, now: datetime, *, free_bytes: int | None = None) -> dict[str, Fact]:
    """Return the figures as they stand: drifting layouts in use, missing stories, accuracy, room on the disk."""
    found: dict[str, Fact] = {}
    (drifting,) = db.execute(
        f"SELECT count(*) FROM layouts WHERE state = 'drifting' AND last_seen_at >= (SELECT max(started_at) FROM runs WHERE {CRAWLS})"
    ).fetchone()
    found["drifting"] = Fact(drifting)
    listed, missing = db.execute(
        f"SELECT count(*), coalesce(sum({_IS_MISSING}), 0) FROM frontier AS q WHERE {_IS_EXPECTED}",
        _span(now),
    ).fetchone()
    if listed:
        found["missing"] = Fact(missing / listed, listed)
    audit = db.execute(
        "SELECT min(precision, recall) FROM audits WHERE at >= ? AND compared > 0 ORDER BY id DESC LIMIT 1",
        (as_text(now - AUDIT_FOR),),
    ).fetchone()
    if audit and audit[0] is not None:
        found["accuracy"] = Fact(audit[0])
    if free_bytes is not None:
        found["free_bytes"] = Fact(free_bytes)
    return found


_IS_MISSING = "q.article_id IS NULL"
_IS_EXPECTED = (
    "q.listed_on IS NOT NULL AND q.first_seen_at BETWEEN :since AND :until AND q.first_seen_at > "
    f"(SELECT min(finished_at) FROM runs WHERE {CRAWLS} AND end_reason = 'finished') AND coalesce(q.last_outcome, '') "
    "NOT IN ('gone', 'robots_denied', 'trap', 'blocked_host', 'blocked_url', 'redacted')"
)


def _span(now: datetime) -> dict[str, Any]:
    """Return what was listed in the past eight weeks, but for the last day: what is new may still be asked for."""
    return {"since": as_text(now - WINDOW), "until": as_text(now - timedelta(days=1))}


def rows_showing(db: Database, measure: str, first_run: int, last_run: int, now: datetime) -> list[int]:
    """Return up to three ledger rows that show a finding, the newest first."""
    if measure in MEASURES or measure == "words":
        counted, of = MEASURES.get(measure, (_IS_NEW, _IS_NEW))
        sql = (
            f"SELECT f.id FROM {_JOINED} WHERE f.run_id BETWEEN :first AND :last AND {of} AND ({counted}) "
            "ORDER BY f.id DESC LIMIT 3"
        )
    elif measure == "stories":
        sql = (
            "SELECT fetch_id FROM articles WHERE status <> 'redacted' AND published_at IS NOT NULL "
            "ORDER BY published_at DESC LIMIT 3"
        )
    elif measure == "drifting":
        sql = (
            "SELECT f.id FROM fetches AS f JOIN layouts AS l ON l.id = f.layout_id WHERE l.state = 'drifting' "
            "ORDER BY f.id DESC LIMIT 3"
        )
    elif measure == "missing":
        sql = (
            f"SELECT (SELECT max(id) FROM fetches AS f WHERE f.url = q.url) FROM frontier AS q WHERE {_IS_EXPECTED} "
            f"AND {_IS_MISSING} AND q.last_outcome IS NOT NULL ORDER BY q.first_seen_at DESC LIMIT 3"
        )
    elif measure == "accuracy":
        sql = (
            "SELECT a.fetch_id FROM audit_stories AS s JOIN articles AS a ON a.id = s.article_id "
            "WHERE s.audit_id = (SELECT max(id) FROM audits) ORDER BY min(s.precision, s.recall) LIMIT 3"
        )
    else:
        return []
    found = db.execute(sql, {"first": first_run, "last": last_run, **_span(now)}).fetchall()
    return [row for (row,) in found]
