"""The export record as SQL: its columns in order, read as bytes, flat or as one JSON object a row."""

from __future__ import annotations

_ITEMS = {
    "aliases": "SELECT url AS item FROM aliases WHERE article_id = a.id ORDER BY url",
    "authors": """SELECT name AS item FROM article_authors JOIN authors ON authors.id = author_id
        WHERE article_id = a.id ORDER BY position""",
    "tags": """SELECT name AS item FROM article_tags JOIN tags ON tags.id = tag_id
        WHERE article_id = a.id ORDER BY position""",
    "images": """SELECT url AS item, alt, caption, credit FROM article_images JOIN images ON images.id = image_id
        WHERE article_id = a.id ORDER BY position""",
}

_VALUES = {
    "revisions": "a.revision_count",
    "duplicate_of": "(SELECT url FROM articles AS o WHERE o.id = a.duplicate_of AND o.status <> 'redacted')",
    "layout": "(SELECT name FROM layouts WHERE layouts.id = a.layout_id)",
}

COLUMNS = (
    "url", "aliases", "headline", "kicker", "standfirst", "authors", "section", "tags", "published_at",
    "modified_at", "body", "images", "language", "word_count", "status", "revisions", "duplicate_of",
    "first_seen_at", "last_seen_at", "captured_at", "layout", "extractor_version", "body_sha256",
)  # fmt: skip
"""The record's fields, in the order of CSV columns and JSON keys."""

# The index articles_published yields this order, so nothing is sorted or held: undated articles come first.
_FROM = "FROM articles AS a WHERE {where} ORDER BY a.published_at, a.url"


def flat_query(where: str) -> str:
    """Return a query with one column a field; lists are joined with `; `, images are their addresses."""
    fields = (f"(SELECT group_concat(item, '; ') FROM ({_ITEMS[name]}))" if name in _ITEMS else _value(name)
              for name in COLUMNS)  # fmt: skip
    return f"SELECT {', '.join(fields)} {_FROM.format(where=where)}"


def json_query(where: str) -> str:
    """Return a query with one column: the record as a JSON object in UTF-8, without blanks between tokens."""
    pairs = (f"'{name}', {_json_list(name) if name in _ITEMS else _value(name)}" for name in COLUMNS)
    return f"SELECT json_object({', '.join(pairs)}) {_FROM.format(where=where)}"


def _value(name: str) -> str:
    return _VALUES.get(name, f"a.{name}")


def _json_list(name: str) -> str:
    item = (
        "json_object('url', item, 'alt', alt, 'caption', caption, 'credit', credit)"
        if name == "images"
        else "item"
    )
    # json() again: a value's JSON subtype is not promised to survive a subquery (https://sqlite.org/subtype.html)
    return f"json((SELECT json_group_array({item}) FROM ({_ITEMS[name]})))"
