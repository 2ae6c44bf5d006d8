"""Small archives for tests, written row by row: invented stories, no crawl."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive import DATABASE
from uknip_crawler.archive.migrations import migrations

SITE = "https://uknip.co.uk"
CAPTURED = "2026-03-14T08:00:00Z"


def new_archive(directory: Path) -> Database:
    """Create an empty archive with one crawl, one fetch and one layout in it."""
    directory.mkdir(parents=True, exist_ok=True)
    db = Database(directory / DATABASE)
    db.enable_wal()
    migrations.apply(db)
    db.table("runs").insert(
        {"id": 1, "kind": "crawl", "base_url": f"{SITE}/", "started_at": CAPTURED, "version": "0.1.0"}
    )
    fetch = {"id": 1, "run_id": 1, "url": f"{SITE}/", "kind": "article", "found_by": "sitemap"}
    db.table("fetches").insert(fetch | {"opened_at": CAPTURED})
    db.table("layouts").insert(
        {
            "id": 1,
            "skeleton": "body > main > article > h1",
            "name": "Labc123",
            "first_seen_at": CAPTURED,
            "last_seen_at": CAPTURED,
        }
    )
    return db


def add_article(db: Database, path: str, headline: str, body: str = "Text.", **fields: Any) -> int:
    """Insert an article with one revision; `fields` overrides columns. Returns its id."""
    blocks = [{"kind": "paragraph", "text": text} for text in body.split("\n\n")]
    row = {
        "url": SITE + path,
        "headline": headline,
        "body": body,
        "blocks": json.dumps(blocks),
        "word_count": len(body.split()),
        "language": "en-GB",
        "first_seen_at": CAPTURED,
        "last_seen_at": CAPTURED,
        "last_changed_at": CAPTURED,
        "captured_at": CAPTURED,
        "layout_id": 1,
        "extractor_version": "1",
        "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
        "content_sha256": hashlib.sha256((headline + body).encode()).hexdigest(),
        "fetch_id": 1,
    }
    article_id = int(db.table("articles").insert(row | fields).last_pk or 0)
    add_revision(db, article_id, 1, headline, body)
    return article_id


def add_revision(db: Database, article_id: int, number: int, headline: str, body: str = "Text.") -> None:
    """Insert one state of an article's text."""
    row = {"article_id": article_id, "number": number, "captured_at": CAPTURED, "headline": headline}
    row |= {"body": body, "word_count": len(body.split()), "content_sha256": "0" * 64, "fetch_id": 1}
    db.table("revisions").insert(row)


def add_tags(db: Database, article_id: int, *names: str) -> None:
    """Tag an article, in this order."""
    for position, name in enumerate(names):
        tag_id = db.table("tags").lookup({"name": name})
        db.table("article_tags").insert({"article_id": article_id, "position": position, "tag_id": tag_id})


def add_authors(db: Database, article_id: int, *names: str) -> None:
    """Name an article's authors, in this order."""
    for position, name in enumerate(names):
        author_id = db.table("authors").lookup({"name": name})
        row = {"article_id": article_id, "position": position, "author_id": author_id}
        db.table("article_authors").insert(row)


def add_alias(db: Database, article_id: int, path: str) -> None:
    """Give an article another address."""
    row = {"url": SITE + path, "article_id": article_id, "evidence": "redirect"}
    db.table("aliases").insert(row | {"first_seen_at": CAPTURED, "last_seen_at": CAPTURED})


def add_image(db: Database, article_id: int, position: int, url: str, **texts: str | None) -> None:
    """Put a picture on an article; the first is the lead."""
    image_id = db.table("images").lookup({"url": url})
    row = {"article_id": article_id, "position": position, "image_id": image_id}
    db.table("article_images").insert(row | {"is_lead": int(position == 0)} | texts)
