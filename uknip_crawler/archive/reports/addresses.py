"""Everything the archive knows of one address: how it was found, each visit, and what became of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from sqlite_utils import Database

from uknip_crawler.archive.redactions import address_mark, hidden
from uknip_crawler.archive.reports.runs import rows_of
from uknip_crawler.archive.warc import RecordRef


def dossier(db: Database, url: str) -> dict[str, Any]:
    """Return what is known of a canonical address: `frontier` (None when nobody ever named it), `redacted` (None unless the story here was), `visits`, `redirects_here`,
    `linked_from` (at most ten stories), and `story`: which article it is, how so, its revisions and events.
    """
    frontier = rows_of(
        db,
        "SELECT kind, found_by, found_on, first_seen_at, due_at, reason, post_id, listed_on, listed_at, "
        "listed_modified_at, last_fetched_at, last_outcome, failures FROM frontier WHERE url = ?",
        url,
    )
    visits = rows_of(
        db,
        "SELECT run_id AS run, kind, found_by, found_on, reason, opened_at, closed_at, outcome, detail, status, attempts, "
        "redirected_to, fetched_at, body_bytes, payload_sha256, warc_name, warc_offset, warc_length, "
        "(SELECT number FROM revisions WHERE fetch_id = fetches.id) AS revision FROM fetches WHERE url IN (?, ?) ORDER BY id",
        url,
        hidden(url),
    )
    redacted = rows_of(
        db,
        "SELECT at, reason FROM redaction_marks JOIN redactions ON id = redaction_id WHERE mark = ?",
        address_mark(url),
    )
    return {
        "url": url,
        "frontier": frontier[0] if frontier else None,
        "redacted": redacted[0] if redacted else None,
        "visits": visits,
        "redirects_here": rows_of(
            db,
            "SELECT DISTINCT url FROM fetches WHERE redirected_to = ? ORDER BY url LIMIT 10",
            url,
        ),
        "linked_from": rows_of(
            db,
            "SELECT DISTINCT articles.url FROM links JOIN articles ON articles.id = article_id WHERE links.url = ? "
            "ORDER BY 1 LIMIT 10",
            url,
        ),
        "story": _story(db, url),
    }


def _story(db: Database, url: str) -> dict[str, Any] | None:
    found = rows_of(
        db,
        "SELECT id, url, headline, status, published_at, revision_count, parts, missing_parts, 'its address' AS known_by, NULL AS since, "
        "(SELECT url FROM articles AS first WHERE first.id = articles.duplicate_of) AS duplicate_of "
        "FROM articles WHERE url = ? UNION ALL "
        "SELECT id, articles.url, headline, status, published_at, revision_count, parts, missing_parts, evidence, aliases.first_seen_at, "
        "(SELECT url FROM articles AS first WHERE first.id = articles.duplicate_of) "
        "FROM aliases JOIN articles ON id = article_id WHERE aliases.url = ?",
        url,
        url,
    )
    if not found:
        return None
    article_id = found[0].pop("id")
    return found[0] | {
        "missing_parts": json.loads(found[0]["missing_parts"] or "[]"),
        "events": rows_of(
            db, "SELECT at, kind, detail FROM events WHERE article_id = ? ORDER BY id", article_id
        ),
        "revisions": rows_of(
            db,
            "SELECT number, revisions.kind, captured_at, fetches.run_id AS run, fetches.url AS captured_from FROM revisions "
            "JOIN fetches ON fetches.id = fetch_id WHERE revisions.article_id = ? ORDER BY number",
            article_id,
        ),
    }


def last_robots(db: Database) -> tuple[str, RecordRef] | None:
    """Return when the site's robots.txt was last read, and the record of its capture; None when it never was."""
    last_run = db.execute("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    row = db.execute(
        "SELECT fetched_at, warc_name, warc_offset, warc_length FROM fetches "
        "WHERE kind = 'robots' AND status = 200 AND warc_name IS NOT NULL AND url = ? ORDER BY id DESC LIMIT 1",
        (urljoin(last_run[0], "/robots.txt") if last_run else None,),
    ).fetchone()
    return (row[0], RecordRef(*row[1:])) if row else None
