"""An archive to browse: a full story, a gone one and a hostile one; and Datasette on it, as `uknip browse` starts it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from datasette.app import Datasette
from httpx import Response
from sample_archive import (
    CAPTURED,
    SITE,
    add_alias,
    add_article,
    add_authors,
    add_image,
    add_revision,
    add_tags,
    new_archive,
)

from uknip_crawler.archive import Archive
from uknip_crawler.browse import figures
from uknip_crawler.models import Capture

figures.PATIENCE_SECONDS = 60  # a busy machine is no reason for another page

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e'


def fill(directory: Path) -> Path:
    """A full story of every kind of block, a gone one and a hostile one."""
    db = new_archive(directory)
    blocks = [
        {"kind": "paragraph", "text": "Officers closed the road."},
        {"kind": "heading", "text": "What drivers should do", "level": 2},
        {"kind": "list_item", "text": "Wait"},
        {"kind": "list_item", "text": "Turn round"},
        {"kind": "list_item", "text": "First", "ordered": True},
        {"kind": "quote", "text": "We came running."},
        {"kind": "table", "text": "Route | Delay\nCoast | 60"},
        {"kind": "embed", "url": "https://youtu.be/abc"},
        {
            "kind": "image",
            "image": {"url": f"{SITE}/a.jpg", "alt": None, "caption": "The wall", "credit": None},
        },
    ]
    full = add_article(
        db,
        "/news/uk/breaking/road/",
        "Road closed near harbour",
        blocks=json.dumps(blocks),
        kicker="TRAVEL",
        section="breaking",
        published_at="2024-06-14T15:21:00Z",
        revision_count=2,
    )
    add_revision(db, full, 2, "Road open again near harbour")
    add_alias(db, full, "/2024/06/14/road/")
    add_authors(db, full, "Zoe Quay")
    add_tags(db, full, "Roads")
    add_image(db, full, 0, f"{SITE}/a.jpg", caption="The wall", credit="Al Pier")
    add_article(db, "/gone/", "Cut-off swan", "It left.", status="gone", gone_at=CAPTURED, duplicate_of=full)
    kinds = ["paragraph", "heading", "list_item", "quote", "table", "embed", "image", "unheard-of"]
    nasty = [{"kind": kind, "text": HOSTILE, "url": "javascript:alert(3)"} for kind in kinds]
    hostile = add_article(
        db,
        "/" + HOSTILE,
        HOSTILE,
        HOSTILE,
        **dict.fromkeys(
            ("kicker", "standfirst", "section", "published_at", "modified_at", "language"), HOSTILE
        ),
        blocks=json.dumps(nasty),
        gone_at=HOSTILE,
        lead_image_url="javascript:alert(4)",
    )
    add_alias(db, hostile, HOSTILE)
    add_authors(db, hostile, HOSTILE)
    add_tags(db, hostile, HOSTILE)
    add_image(db, hostile, 0, "javascript:alert(5)", alt=HOSTILE, caption=HOSTILE, credit=HOSTILE)
    db.execute(
        "INSERT INTO furniture (id, text, rule, pages, first_seen_at, last_seen_at) VALUES (1, 'Follow us', 'line', 7, '2026', '2026')"
    )
    db.execute("INSERT INTO article_furniture (article_id, furniture_id) VALUES (?, 1)", [full])
    db.conn.commit()
    db.close()
    add_capture(directory, full, CAPTURED_PAGE)
    return directory


CAPTURED_PAGE = f"""<html lang=en-GB><head><title>Road</title><link rel=stylesheet href={SITE}/look.css></head><body class=single>
<ul><li><a href=/travel/>Travel</a></li></ul><p>TRAVEL</p><h1>Road closed near harbour</h1><p>Officers closed the road.</p>
<img src={SITE}/a.jpg alt="A wall" width=320 height=200><p>Follow us</p><h2>What drivers should do</h2></body></html>""".encode()
"""What the full story was read from."""


def add_capture(
    directory: Path, article_id: int, source: bytes, headers: tuple[tuple[str, str], ...] = ()
) -> Path:
    """Have a story rest on a page as captured; return the WARC file it lies in."""
    at = datetime(2026, 3, 14, 8, tzinfo=UTC)
    with Archive(directory) as archive:
        url = archive.db.execute("SELECT url FROM articles WHERE id = ?", [article_id]).fetchone()[0]
        headers = (("Content-Type", "text/html; charset=utf-8"), *headers)
        record = archive.capture(1, Capture(url, 200, headers, source, at), None, at=at)
        archive.finish_captures(at=at)
        fetch = {"run_id": 1, "url": url, "kind": "article", "found_by": "seed", "opened_at": CAPTURED}
        fetch |= {"closed_at": CAPTURED, "outcome": "unchanged"}
        place = {"warc_name": record.name, "warc_offset": record.offset, "warc_length": record.length}
        with archive.transaction():
            fetch_id = archive.db.table("fetches").insert(fetch | place).last_pk
            archive.db.execute("UPDATE articles SET fetch_id = ? WHERE id = ?", [fetch_id, article_id])
    return directory / "warc" / record.name


def end(instance: Datasette) -> None:
    instance.executor.shutdown()
    for database in instance.databases.values():
        database.close()


def get(datasette: Datasette, path: str, *, follow: bool = True) -> Response:
    """Ask for a page as a browser does, going where it is sent."""
    return asyncio.run(datasette.client.get(path, follow_redirects=follow))


def page_of(path: str) -> str:
    """Return the address of the page of the story at a path of the site: a digest of its whole address."""
    return f"/read/story/{hashlib.sha256(f'{SITE}{path}'.encode()).hexdigest()[:16]}"
