"""An archive to browse: a full story, a gone one and a hostile one; and Datasette on it, as `uknip browse` starts it."""

from __future__ import annotations

import asyncio
import hashlib
import json
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
    db.close()
    return directory


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
