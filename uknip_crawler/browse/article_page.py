"""What the page of one article shows besides its row: blocks ready to print, people, tags, pictures, addresses."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f\"<>\\]+", re.IGNORECASE)

_PARTS = {
    "authors": """select authors.id, name from article_authors join authors on authors.id = author_id
        where article_id = :id order by position""",
    "tags": """select tags.id, name from article_tags join tags on tags.id = tag_id
        where article_id = :id order by position""",
    "images": """select url, alt, caption, credit from article_images join images on images.id = image_id
        where article_id = :id order by position""",
    "aliases": "select url, evidence from aliases where article_id = :id order by url",
    "events": "select at, kind, detail from events where article_id = :id order by id",
    "twins": """select id, headline from articles where status <> 'redacted' and id <> :id
        and (id = (select duplicate_of from articles where id = :id) or duplicate_of = :id) order by id""",
}


async def parts(database: Any, article_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return an article's authors, tags, images, aliases, events and near-duplicates from a Datasette database."""
    return {
        name: [dict(row) for row in await database.execute(sql, {"id": article_id})]
        for name, sql in _PARTS.items()
    }


def grouped_blocks(blocks: str, body: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the blocks in runs of one kind: list items become one list, `ordered_list` when numbered.

    Falls back to the body's paragraphs when the JSON cannot be read.
    """
    try:
        items = [block for block in json.loads(blocks) if isinstance(block.get("kind"), str)]
    except (ValueError, AttributeError, TypeError):
        items = []
    items = items or [{"kind": "paragraph", "text": text} for text in body.split("\n\n")]
    return [(kind, list(run)) for kind, run in groupby(items, key=_group)]


def _group(block: dict[str, Any]) -> str:
    if block["kind"] == "list_item":
        return "ordered_list" if block.get("ordered") else "list"
    return str(block["kind"])


def block_summary(blocks: str) -> str | None:
    """Return `12 blocks: 9 paragraph, 2 image, 1 heading`, or None when the JSON is not a list of blocks."""
    try:
        kinds = Counter(str(block["kind"]) for block in json.loads(blocks))
    except (ValueError, KeyError, TypeError):
        return None
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{kinds.total()} blocks: {listed}"


def is_web_address(text: object) -> bool:
    """Tell whether a text may become a link: http or https, and nothing that is no part of an address."""
    return isinstance(text, str) and _WEB_ADDRESS.fullmatch(text) is not None


def london_time(text: str | None) -> str:
    """Write an archive time for reading: `14 June 2024, 16:21` in London, `16 September 2020` for a bare day."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return text or ""
    if "T" not in (text or ""):
        return f"{instant.day} {instant:%B %Y}"
    local = instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(LONDON)
    return f"{local.day} {local:%B %Y, %H:%M}"
