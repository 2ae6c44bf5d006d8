"""The state of an archive on one screen: the verdict, what is amiss, what is held, the last weeks, the newest crawl."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.findings import open_findings
from uknip_crawler.archive.reports import health
from uknip_crawler.archive.reports.coverage import coverage
from uknip_crawler.archive.reports.runs import IN_DOUBT, base_url_of, count_of, run_report
from uknip_crawler.health.checks import CHECKS
from uknip_crawler.health.judging import judge
from uknip_crawler.models import FAILURES, Outcome
from uknip_crawler.times import LONDON

DAYS = 28
HEALTHY, LOOK = "healthy", "look at this"
KEYS: dict[str, str] = {
    "verdict": "`healthy`, or `look at this`.",
    "why": "The verdict's reason in one line.",
    "findings": "What is amiss, worst known first: `name`, `what`, `since`, `value`, `bound`, `run`, `examples`, `remedy`.",
    "base_url": "The site's address; null before the first run.",
    "articles": "Stories held, without the redacted ones.",
    "live": "Stories that the site still has.",
    "gone": "Stories that it gave up.",
    "redacted": "Stories that were taken out.",
    "revisions": "Versions of all stories.",
    "edited": "Stories with more than one version.",
    "aliases": "Other addresses of stories.",
    "doubtful": "Stories whose reading leaves out sentences of their page.",
    "without_date": "Stories without a date.",
    "first_published_at": "The oldest story's publication.",
    "last_published_at": "The newest one's.",
    "last_story_at": "When the newest story came, as far as it says so itself, never later than it was first seen.",
    "stories_last_day": "Stories published in the day before now.",
    "days": "The last 28 days in London, today last: `day`, `stories` published, `visits` made, `failures` among them.",
    "coverage": "`listed` by the site, `held` of them, `missing`, `unlisted` (held, live and on no list).",
    "addresses_known": "Addresses in the frontier.",
    "addresses_never_visited": "Those never visited.",
    "captures_bytes": "Size of the WARC files.",
    "images": "Images known.",
    "images_kept": "Images kept.",
    "images_refused": "Images refused.",
    "images_bytes": "Size of the images kept.",
    "runs": "Runs of every kind.",
    "last_run": "The newest crawl's report, as of `uknip crawl --json`; without a crawl the newest run's.",
}
"""What `uknip status --json` prints, key by key, in its order: a contract."""


def archive_status(db: Database, now: datetime) -> dict[str, Any]:
    """Return what an archive holds and how it is, as `KEYS` says."""
    seen = health.history(db, now)
    findings = [one.as_json() for one in open_findings(db)]
    known = {one["name"] for one in findings}
    # what only time tells: a crawl that does not come judges nothing
    for one in judge(seen, now, {}, [CHECKS[name] for name in ("silence", "killed", "overdue")]):
        if one.name not in known:
            findings.append(
                {
                    "name": one.name,
                    "what": one.what,
                    "since": as_text(one.since),
                    "value": one.value,
                    "bound": one.bound,
                    "run": one.last_run,
                    "examples": [],
                    "remedy": one.check.remedy,
                }
            )
    run = db.execute(
        f"SELECT coalesce((SELECT max(id) FROM runs WHERE {health.CRAWLS}), (SELECT max(id) FROM runs))"
    ).fetchone()[0]
    last_run = run_report(db, run).as_json() if run else None
    first, last = db.execute("SELECT min(published_at), max(published_at) FROM articles").fetchone()
    newest = seen.last_story(now)
    covered = coverage(db)
    is_healthy, why = _verdict(findings, last_run)
    return {
        "verdict": HEALTHY if is_healthy else LOOK,
        "why": why,
        "findings": findings,
        "base_url": base_url_of(db),
        "articles": count_of(db, "SELECT count(*) FROM articles WHERE status <> 'redacted'"),
        "live": count_of(db, "SELECT count(*) FROM articles WHERE status = 'live'"),
        "gone": count_of(db, "SELECT count(*) FROM articles WHERE status = 'gone'"),
        "redacted": count_of(db, "SELECT count(*) FROM articles WHERE status = 'redacted'"),
        "revisions": count_of(db, "SELECT count(*) FROM revisions"),
        "edited": count_of(db, "SELECT count(*) FROM articles WHERE revision_count > 1"),
        "aliases": count_of(db, "SELECT count(*) FROM aliases"),
        "doubtful": count_of(
            db,
            "SELECT count(*) FROM articles AS a JOIN fetches AS f ON f.id = a.fetch_id "
            f"WHERE a.status <> 'redacted' AND {IN_DOUBT.format('f.detail')}",
        ),
        "without_date": count_of(db, "SELECT count(*) FROM articles WHERE published_at IS NULL"),
        "first_published_at": first,
        "last_published_at": last,
        "last_story_at": None if newest is None else as_text(newest),
        "stories_last_day": seen.stories(now - timedelta(days=1), now),
        "days": _days(db, seen, now),
        "coverage": {
            "listed": covered.listed,
            "held": covered.held,
            "missing": len(covered.missing),
            "unlisted": covered.unlisted,
        },
        "addresses_known": count_of(db, "SELECT count(*) FROM frontier"),
        "addresses_never_visited": count_of(
            db, "SELECT count(*) FROM frontier WHERE last_fetched_at IS NULL"
        ),
        "captures_bytes": count_of(db, "SELECT coalesce(sum(size_bytes), 0) FROM warcs"),
        "images": count_of(db, "SELECT count(*) FROM images"),
        "images_kept": count_of(db, "SELECT count(*) FROM images WHERE sha256 IS NOT NULL"),
        "images_refused": count_of(db, "SELECT count(*) FROM images WHERE refused IS NOT NULL"),
        "images_bytes": count_of(
            db, "SELECT coalesce(sum(size_bytes), 0) FROM (SELECT DISTINCT sha256, size_bytes FROM images)"
        ),
        "runs": count_of(db, "SELECT count(*) FROM runs"),
        "last_run": last_run,
    }


def _verdict(findings: list[dict[str, Any]], last_run: dict[str, Any] | None) -> tuple[bool, str]:
    if findings:
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        return False, f"{findings[0]['what']}, since {findings[0]['since']}{more}"
    if last_run is None:
        return False, "nothing was crawled yet"
    if last_run["exit_status"] not in (0, 130, 143) and last_run["finished_at"]:
        return False, f"run {last_run['run']} ended with status {last_run['exit_status']}"
    return True, f"nothing is amiss; run {last_run['run']} began {last_run['started_at']}"


def _days(db: Database, seen: Any, now: datetime) -> list[dict[str, Any]]:
    midnight = now.astimezone(LONDON).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=back) for back in range(DAYS - 1, -2, -1)]  # on London's clock
    failures = ", ".join(f"'{outcome}'" for outcome in sorted(FAILURES - {Outcome.LOST}))
    visits = {
        day: (count, failed)
        for day, count, failed in db.execute(
            f"SELECT substr(r.started_at, 1, 10), count(*), coalesce(sum(f.outcome IN ({failures})), 0) FROM fetches AS f "
            f"JOIN runs AS r ON r.id = f.run_id WHERE r.{health.CRAWLS} AND r.started_at >= ? AND f.attempts > 0 GROUP BY 1",
            (as_text(starts[0]),),
        )
    }
    days = []
    for start, end in pairwise(starts):
        day = f"{start:%Y-%m-%d}"
        count, failed = visits.get(day, (0, 0))
        days.append({"day": day, "stories": seen.stories(start, end), "visits": count, "failures": failed})
    return days
