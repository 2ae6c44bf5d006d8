"""One story: its text as published, and everything the archive knows of it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from uknip_crawler.browse.blocks import grouped_blocks
from uknip_crawler.browse.citing import MEDIA_TYPES, as_bibtex, as_csl, as_text, cited_story, day_numbers
from uknip_crawler.browse.links import is_web_address
from uknip_crawler.browse.pages.addresses import by_address, by_key, canonical, permalink, redaction_of
from uknip_crawler.browse.pages.asking import Ask, Elsewhere, File, NotHere, Page
from uknip_crawler.browse.security import POLICY, STRICT_POLICY
from uknip_crawler.models import DOUBTFUL_BODY

_FLAGS = {
    "published_in_future": "The page says it was published after we captured it.",
    "modified_in_future": "The page says it was changed after we captured it.",
    "modified_before_published": "The page says it was changed before it was published.",
    "published_too_early": "The page says it was published before there was a web.",
    "truncated_parse": "The page could not be read to its end: the story may go on.",
    DOUBTFUL_BODY: "Sentences of the page are missing from this text: part of the story may be lost.",
}

_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8}){0,3}")

_PARTS = {
    "authors": """SELECT authors.id, name FROM article_authors JOIN authors ON authors.id = author_id
        WHERE article_id = :id ORDER BY position""",
    "tags": """SELECT tags.id, name FROM article_tags JOIN tags ON tags.id = tag_id
        WHERE article_id = :id ORDER BY position""",
    "aliases": """SELECT url, evidence, first_seen_at, last_seen_at FROM aliases
        WHERE article_id = :id ORDER BY first_seen_at, url""",
    "events": "SELECT at, kind, detail, run_id FROM events WHERE article_id = :id ORDER BY id",
    "revisions": """SELECT number, kind, captured_at, modified_at, headline, word_count, added_words, removed_words
        FROM revisions WHERE article_id = :id ORDER BY number""",
    "evidence": """SELECT field, source, raw, value FROM evidence WHERE article_id = :id ORDER BY field, position""",
    "links": "SELECT url, text FROM links WHERE article_id = :id ORDER BY position LIMIT 100",
    "copies": """SELECT a.id, a.url, a.headline, a.published_at, a.status, n.similarity, n.shared
        FROM (SELECT other_id AS id, similarity, shared FROM near_duplicates WHERE article_id = :id
            UNION ALL SELECT article_id, similarity, shared FROM near_duplicates WHERE other_id = :id
            UNION ALL SELECT id, NULL, '[]' FROM articles WHERE (id = (SELECT duplicate_of FROM articles WHERE id = :id)
                OR duplicate_of = :id) AND id NOT IN (SELECT other_id FROM near_duplicates WHERE article_id = :id)
                AND id NOT IN (SELECT article_id FROM near_duplicates WHERE other_id = :id)) AS n
        JOIN articles AS a ON a.id = n.id WHERE a.status <> 'redacted' AND a.id <> :id
        ORDER BY similarity DESC, a.id LIMIT 50""",
    "furniture": """SELECT text, rule, verdict FROM article_furniture JOIN furniture ON furniture.id = furniture_id
        WHERE article_id = :id ORDER BY furniture.id""",
}


NAME = r"(?P<story>\d{1,15}|[0-9a-f]{16})"
"""What stands for a story in its page's address: its key, or in links of old its row's number."""


def show(ask: Ask) -> Page:
    """Show a story; of a redacted one nothing but that it was."""
    story = found(ask)
    number = story["id"]
    if story["status"] == "redacted":
        return tombstone(ask, number)
    images = ask.rows(
        """SELECT url, alt, caption, credit, is_lead, sha256, width, height, refused FROM article_images
        JOIN images ON images.id = image_id WHERE article_id = :id ORDER BY position""",
        id=number,
    )
    blocks = grouped_blocks(story["blocks"], story["body"])
    in_text = {url for url in map(_picture_url, (block for _, run in blocks for block in run)) if url}
    parts = {name: ask.rows(sql, id=number) for name, sql in _PARTS.items()}
    lead = next((image for image in images if image["is_lead"] and image["url"] not in in_text), None)
    fetch = ask.row("SELECT * FROM fetches WHERE id = :id", id=story["fetch_id"])
    doubts = [flag for flag in (fetch["detail"] or "").split(", ") if flag in _FLAGS] if fetch else []
    return Page(
        "story",
        {
            "story": story,
            "language": story["language"] if _LANGUAGE.fullmatch(story["language"] or "") else "en-GB",
            "blocks": blocks,
            "images": {image["url"]: image for image in images},
            "lead": lead,
            "other_images": [image for image in images if image["url"] not in in_text and image is not lead],
            "layout": ask.row("SELECT name, state FROM layouts WHERE id = :id", id=story["layout_id"]),
            "fetch": fetch,
            "sources": _sources(story["sources"]),
            "flags": [
                *(_FLAGS.get(flag, flag) for flag in (*_strings(story["time_flags"]), *doubts)),
                *_missing(story["parts"], _strings(story["missing_parts"])),
            ],
            "host_of": host_of,
            "shared": _strings,
            "is_web_address": is_web_address,
            "citation": citation(ask, story),
            "day": day_numbers(story["published_at"]),
            "site": host_of(ask.value("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1") or story["url"]),
            "before": _neighbour(ask, story, "<", "DESC"),
            "after": _neighbour(ask, story, ">", "ASC"),
        }
        | parts,
        canonical=permalink(story["url"]),
    )


def _neighbour(ask: Ask, story: Any, beyond: str, order: str) -> Any:
    """Return the story published just before or after this one; None for an undated one."""
    return story["published_at"] and ask.row(
        f"""SELECT url, headline, published_at FROM articles WHERE (published_at, url) {beyond} (:at, :url)
        AND status <> 'redacted' ORDER BY published_at {order}, url {order} LIMIT 1""",
        at=story["published_at"],
        url=story["url"],
    )


def show_at(ask: Ask) -> Page:
    """Lead from an address of the site, written after `/read/at/`, to the story that is or was there."""
    address = ask.path["address"] + (f"?{ask.query}" if ask.query else "")
    story = by_address(ask, address)
    if story is not None:
        raise Elsewhere(permalink(story["url"]))
    redaction = redaction_of(ask, address)
    if redaction:
        return _tombstone(redaction)
    raise NotHere(f"No story of this archive was ever at {canonical(ask, address) or unquote(address)}")


def cite(ask: Ask) -> Page | File:
    """Give a story's citation as a file: text, BibTeX or CSL-JSON."""
    story = found(ask, f"/cite.{ask.path['format']}")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    written = citation(ask, story)[ask.path["format"]]
    return File(
        written.encode(),
        MEDIA_TYPES[ask.path["format"]],
        {POLICY: STRICT_POLICY, "cache-control": "no-cache"},
    )


def citation(ask: Ask, story: Any) -> dict[str, str]:
    """Return a story's citation by the ending of its file: txt, bib, json."""
    names = [row["name"] for row in ask.rows(_PARTS["authors"], id=story["id"])]
    site = host_of(ask.value("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1") or story["url"])
    cited = cited_story(story, names, site, ask.root + permalink(story["url"]))
    return {"txt": as_text(cited), "bib": as_bibtex(cited), "json": as_csl(cited)}


def found(ask: Ask, part: str = "") -> Any:
    """Return the story's row. Raises NotHere, and Elsewhere for an address it no longer has; `part` follows it."""
    name = ask.path["story"]
    number = by_key(ask, name) if len(name) == 16 else int(name)
    story = ask.row("SELECT * FROM articles WHERE id = :id", id=number)
    if story is None:
        raise NotHere("This archive has no such story.")
    own = permalink(story["url"])
    if story["status"] != "redacted" and own != f"/read/story/{name}":
        raise Elsewhere(f"{own}{part}{f'?{ask.query}' if ask.query else ''}")
    return story


def tombstone(ask: Ask, number: int) -> Page:
    """Say that a story was taken out, and nothing of what it was."""
    return _tombstone(
        ask.row(
            "SELECT at, reason FROM redactions WHERE article_id = :id ORDER BY id DESC LIMIT 1", id=number
        )
    )


def _tombstone(redaction: Any) -> Page:
    return Page("tombstone", {"redaction": redaction}, status=410)


def host_of(url: object) -> str:
    """Return the host of an address, for the name of an embed; the text itself where there is none."""
    try:
        return (urlsplit(str(url)).hostname or str(url)).removeprefix("www.")
    except ValueError:
        return str(url)


def _picture_url(block: dict[str, Any]) -> str | None:
    image = block.get("image")
    url = image.get("url") if isinstance(image, dict) else None
    return url if isinstance(url, str) else None


def _sources(text: str) -> dict[str, str]:
    try:
        sources = json.loads(text)
    except ValueError:
        return {}
    return {str(field): str(source) for field, source in sources.items()} if isinstance(sources, dict) else {}


def _missing(parts: int, missing: list[str]) -> list[str]:
    """Say which of a story's pages are not in its text."""
    if not missing:
        return []
    which = f"page {missing[0]}" if len(missing) == 1 else f"pages {', '.join(missing)}"
    return [f"The story has {parts} pages on the site; {which} could not be had, and the text is not whole."]


def _strings(text: str | None) -> list[str]:
    try:
        items = json.loads(text or "[]")
    except ValueError:
        return []
    return [str(item) for item in items] if isinstance(items, list) else []
