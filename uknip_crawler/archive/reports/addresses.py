"""Everything the archive knows of one address: how it was found, each visit, and what became of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin, urlsplit

from sqlite_utils import Database

from uknip_crawler.archive.redactions import address_mark, hidden
from uknip_crawler.archive.reports.runs import rows_of
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.errors import AddressRefused, UsageError
from uknip_crawler.sites import Site
from uknip_crawler.urls import given, names_host, part_of, post_number

_STORY = """
SELECT coalesce((SELECT id FROM articles WHERE url = :url), (SELECT article_id FROM aliases WHERE url = :url),
    (SELECT article_id FROM frontier WHERE url = :url))
"""
_ENDING = """
SELECT id FROM articles WHERE status <> 'redacted' AND substr(rtrim(url, '/'), -length(:end)) = :end UNION
SELECT article_id FROM aliases WHERE substr(rtrim(url, '/'), -length(:end)) = :end
"""


def story_at(db: Any, site: Site, text: str) -> int | None:
    """Return the number of the story at an address as somebody has it at hand, or None.

    Any alias, http or https, with or without www., scheme, last slash and tracking parameters; the path alone; shortlinks
    `?p=N`, further pages of a story; and the end of an address where only one story's ends so. `db` is a connection.
    """
    try:
        url = given(text, site)
    except AddressRefused:
        return None
    part = part_of(url)
    for address in (url, *([part[0]] if part else [])):
        for form in with_and_without_slash(address):
            if (found := db.execute(_STORY, {"url": form}).fetchone()[0]) is not None:
                return int(found)
    if post := post_number(url):
        row = db.execute(
            "SELECT id FROM articles WHERE post_id = ? AND status <> 'redacted' ORDER BY id", (post,)
        ).fetchone()
        return int(row[0]) if row else None
    ending = urlsplit(url).path.removeprefix(site.folder).strip("/")
    if names_host(text, site) or not ending:
        return None
    endings = db.execute(_ENDING, {"end": f"/{ending}"}).fetchall()
    return int(endings[0][0]) if len(endings) == 1 else None


def known_of(db: Database, site: Site, text: str) -> dict[str, Any]:
    """Return the dossier of an address as somebody has it at hand: of the form of it by which anything is known.

    Raises UsageError for what can be no address of the site.
    """
    try:
        url = given(text, site)
    except AddressRefused as error:
        raise UsageError(str(error)) from None
    for form in with_and_without_slash(url):
        known = dossier(db, form)
        if any(known[name] for name in ("frontier", "redacted", "visits", "redirects_here", "story")):
            return known
    if (number := story_at(db.conn, site, text)) is not None:
        url = str(db.execute("SELECT url FROM articles WHERE id = ?", (number,)).fetchone()[0])
    return dossier(db, url)


def redaction_at(db: Any, site: Site, text: str) -> tuple[str, str] | None:
    """Return when and why the story at an address was taken out of the archive, or None where it was not."""
    try:
        url = given(text, site)
    except AddressRefused:
        return None
    row = db.execute(
        "SELECT at, reason FROM redaction_marks JOIN redactions ON id = redaction_id WHERE mark = ?",
        (address_mark(url),),
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def with_and_without_slash(url: str) -> tuple[str, str]:
    """Return an address as it is, and the one that differs by the slash at the end of its path."""
    path, mark, query = url.partition("?")
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    return url, f"{other}{mark}{query}"


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
