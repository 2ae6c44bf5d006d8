"""The rows of one story: its own, its revisions, and those of the people, tags, pictures, links and furniture on it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.models import Article, Stripped

MAX_FURNITURE_TEXT = 500


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
        "sources": json.dumps(article.sources, sort_keys=True, ensure_ascii=False),
        "fetch_id": evidence.fetch_id,
    }


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
    """Put a reading's people, tags, pictures and links in the place of the old ones."""
    for table in ("article_authors", "article_tags", "article_images", "links"):
        db.conn.execute(f"DELETE FROM {table} WHERE article_id = ?", (article_id,))
    for position, name in enumerate(article.authors):
        _link(db, "article_authors", "author_id", article_id, position, _id(db, "authors", "name", name))
    for position, name in enumerate(article.tags):
        _link(db, "article_tags", "tag_id", article_id, position, _id(db, "tags", "name", name))
    for position, image in enumerate(article.images):
        image_id = _id(db, "images", "url", image.url)
        is_lead = int(article.lead_image is not None and image.url == article.lead_image.url)
        db.conn.execute(
            "INSERT INTO article_images VALUES (?, ?, ?, ?, ?, ?, ?)",
            (article_id, position, image_id, is_lead, image.alt, image.caption, image.credit),
        )
    db.conn.executemany(
        "INSERT INTO links VALUES (?, ?, ?, ?)",
        [(article_id, position, link.url, link.text) for position, link in enumerate(article.links)],
    )


def replace_furniture(db: Database, article_id: int, stripped: Iterable[Stripped], *, at: datetime) -> None:
    """Put the lines taken out of a story's page in the place of those of an earlier reading."""
    now = as_text(at)
    found = set()
    for line in stripped:
        row = db.conn.execute(
            """
            INSERT INTO furniture (text, rule, place, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (text, rule) DO UPDATE SET
                last_seen_at = max(last_seen_at, excluded.last_seen_at),
                first_seen_at = min(first_seen_at, excluded.first_seen_at),
                place = coalesce(excluded.place, place)
            RETURNING id
            """,
            (line.text[:MAX_FURNITURE_TEXT], line.rule, line.place or None, now, now),
        ).fetchone()
        found.add(row[0])
    db.conn.execute("DELETE FROM article_furniture WHERE article_id = ?", (article_id,))
    db.conn.executemany(
        "INSERT INTO article_furniture VALUES (?, ?)", [(article_id, furniture_id) for furniture_id in found]
    )


def _id(db: Database, table: str, column: str, value: str) -> int:
    db.conn.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (value,))
    return int(db.conn.execute(f"SELECT id FROM {table} WHERE {column} = ?", (value,)).fetchone()[0])


def _link(db: Database, table: str, column: str, article_id: int, position: int, other_id: int) -> None:
    db.conn.execute(
        f"INSERT INTO {table} (article_id, position, {column}) VALUES (?, ?, ?)",
        (article_id, position, other_id),
    )
