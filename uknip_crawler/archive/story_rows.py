"""The rows of one story: its own, its revisions, and those of the people, tags, images, links and furniture on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.models import Article, Stripped
from uknip_crawler.times import impossible_times

MAX_FURNITURE_TEXT = 500
MAX_EVIDENCE_TEXT = 500


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a capture came from: its run, its ledger row, its time; which rules read it, and in which layout."""

    run_id: int
    fetch_id: int
    captured_at: datetime
    extractor_version: str
    layout_id: int | None = None


def row_of(article: Article, content_sha256: str, evidence: Evidence) -> dict[str, Any]:
    """Return the columns of `articles` that one reading fills."""
    return {
        "url": article.url,
        "headline": article.headline,
        "kicker": article.kicker,
        "standfirst": article.standfirst,
        "section": article.section,
        "published_at": as_text(article.published_at),
        "modified_at": as_text(article.modified_at),
        "body": article.body,
        "blocks": json.dumps([block.as_json() for block in article.blocks], ensure_ascii=False),
        "word_count": article.word_count,
        "language": article.language,
        "lead_image_url": article.lead_image.url if article.lead_image else None,
        "captured_at": as_text(evidence.captured_at),
        "post_id": article.post_id,
        "layout_id": evidence.layout_id,
        "extractor_version": evidence.extractor_version,
        "body_sha256": article.body_sha256,
        "content_sha256": content_sha256,
        "published_raw": article.published_raw,
        "modified_raw": article.modified_raw,
        "time_flags": json.dumps(flags)
        if (flags := impossible_times(article, evidence.captured_at))
        else None,
        "parts": article.parts,
        "missing_parts": json.dumps(article.missing_parts) if article.missing_parts else None,
        "sources": json.dumps(article.sources, sort_keys=True, ensure_ascii=False),
        "fetch_id": evidence.fetch_id,
    }


def body_of(db: Database, article_id: int) -> str:
    row = db.conn.execute("SELECT body FROM articles WHERE id = ?", (article_id,)).fetchone()
    return str(row[0])


def holds_page(db: Database, article_id: int, article: Article, part: int) -> bool:
    """Tell whether a story's text as archived holds that of one of its pages; reading again looks closer."""
    (headline,) = db.conn.execute("SELECT headline FROM articles WHERE id = ?", (article_id,)).fetchone()
    is_headed = part > 1 or headline == article.headline
    return is_headed and f"\n\n{article.body}\n\n" in f"\n\n{body_of(db, article_id)}\n\n"


def add_revision(
    db: Database, article_id: int, number: int, article: Article, content_sha256: str, evidence: Evidence
) -> None:
    db.conn.execute(
        """
        INSERT INTO revisions (article_id, number, captured_at, modified_at, headline, standfirst, body,
            word_count, content_sha256, fetch_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            article_id,
            number,
            as_text(evidence.captured_at),
            as_text(article.modified_at),
            article.headline,
            article.standfirst,
            article.body,
            article.word_count,
            content_sha256,
            evidence.fetch_id,
        ),
    )


def replace_parts(db: Database, article_id: int, article: Article) -> None:
    """Put a reading's people, tags, images, links and evidence in the place of the old ones."""
    lead = article.lead_image.url if article.lead_image else None
    authors = [
        (article_id, place, _id(db, "authors", "name", name)) for place, name in enumerate(article.authors)
    ]
    tags = [(article_id, place, _id(db, "tags", "name", name)) for place, name in enumerate(article.tags)]
    images = [
        (article_id, place, _id(db, "images", "url", i.url), int(i.url == lead), i.alt, i.caption, i.credit)
        for place, i in enumerate(article.images)
    ]
    links = [(article_id, place, link.url, link.text) for place, link in enumerate(article.links)]
    evidence = [
        (article_id, place, found.field, found.source, found.raw[:MAX_EVIDENCE_TEXT], found.value)
        for place, found in enumerate(article.evidence)
    ]
    _put(db, "article_authors", article_id, authors)
    _put(db, "article_tags", article_id, tags)
    _put(db, "article_images", article_id, images)
    _put(db, "links", article_id, links)
    _put(db, "evidence", article_id, evidence)


def _put(db: Database, table: str, article_id: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Replace a story's rows in a table; nothing is written where they are the same, as they mostly are."""
    held = db.conn.execute(f"SELECT * FROM {table} WHERE article_id = ? ORDER BY 2", (article_id,)).fetchall()
    if held == rows:
        return
    if held:
        db.conn.execute(f"DELETE FROM {table} WHERE article_id = ?", (article_id,))
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        db.conn.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def replace_furniture(db: Database, article_id: int, stripped: Iterable[Stripped], *, at: datetime) -> None:
    """Put the lines taken out of a story's page in the place of those of an earlier reading."""
    now = as_text(at) or ""
    found = {_furniture_id(db, line, now) for line in stripped}
    _put(db, "article_furniture", article_id, [(article_id, number) for number in sorted(found)])


def _furniture_id(db: Database, line: Stripped, now: str) -> int:
    text, place = line.text[:MAX_FURNITURE_TEXT], line.place or None
    known = db.conn.execute(
        "SELECT id, first_seen_at, last_seen_at, place, coalesce(pages, 0), coalesce(layouts, 0) FROM furniture "
        "WHERE text = ? AND rule = ?",
        (text, line.rule),
    ).fetchone()
    if known is None:
        row = (text, line.rule, place, line.pages or None, line.layouts or None, now, now)
        inserted = db.conn.execute(
            "INSERT INTO furniture (text, rule, place, pages, layouts, first_seen_at, last_seen_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        return int(inserted.lastrowid or 0)
    number, first, last, stood, *seen = known
    if not first <= now <= last or (place or stood) != stood or seen != [line.pages, line.layouts]:
        db.conn.execute(
            "UPDATE furniture SET first_seen_at = ?, last_seen_at = ?, place = ?, pages = ?, layouts = ? WHERE id = ?",
            (
                min(first, now),
                max(last, now),
                place or stood,
                line.pages or None,
                line.layouts or None,
                number,
            ),
        )
    return int(number)


def _id(db: Database, table: str, column: str, value: str) -> int:
    known = db.conn.execute(f"SELECT id FROM {table} WHERE {column} = ?", (value,)).fetchone()
    if known is None:
        return int(db.conn.execute(f"INSERT INTO {table} ({column}) VALUES (?)", (value,)).lastrowid or 0)
    return int(known[0])
