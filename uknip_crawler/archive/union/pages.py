"""What several archives know of the site's addresses and lists: when each is due, and what lists said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import transaction
from uknip_crawler.archive.redactions import Redactions
from uknip_crawler.archive.union.runs import Source, attached

_KINDS = ("unknown", "listing", "article")
_FOUND = ("found_by", "found_on", "first_seen_at")
_VISITED = (
    "due_at", "priority", "last_fetched_at", "last_outcome", "etag", "last_modified", "failures", "reason",
)  # fmt: skip


def gathered(
    db: Database, sources: Sequence[Source], table: str, select: str, key: str
) -> Iterator[list[dict[str, Any]]]:
    """Return the rows of all sources in groups of one key, the smallest key first; `select` reads `src`, of source :src."""
    db.conn.execute(f"DROP TABLE IF EXISTS temp.all_{table}")
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            begin = f"INSERT INTO all_{table}" if number else f"CREATE TEMP TABLE all_{table} AS"
            run(f"{begin} {select.replace(':src', str(number))}")
    return _grouped(db, f"all_{table}", key)


def _grouped(db: Database, table: str, key: str) -> Iterator[list[dict[str, Any]]]:
    cursor = db.conn.execute(f"SELECT * FROM {table} ORDER BY {key}")
    names = [column[0] for column in cursor.description]
    place = [names.index(name) for name in key.split(", ")]
    for _, rows in groupby(cursor.fetchall(), key=lambda row: [row[at] for at in place]):
        yield [dict(zip(names, row, strict=True)) for row in rows]


def largest(rows: Sequence[dict[str, Any]], names: Sequence[str], first: Sequence[str]) -> dict[str, Any]:
    """Return some columns of the row that is the largest by others, then by these columns themselves."""
    best = max(rows, key=lambda row: [_ordered(row[name]) for name in (*first, *names)])
    return {name: best[name] for name in names}


def _ordered(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is None else (1, value)


def insert(db: Database, table: str, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        names = ", ".join(row)
        db.conn.execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )


def insert_lists(db: Database, sources: Sequence[Source]) -> None:
    """Write the site's lists: of each the word of who last read it whole."""
    found = gathered(db, sources, "sources", "SELECT * FROM src.sources", "url")
    rows = [largest(group, list(group[0]), ("last_complete_at", "last_asked_at")) for group in found]
    with transaction(db):
        insert(db, "sources", rows)


def insert_frontier(db: Database, sources: Sequence[Source]) -> None:
    """Write every known address. What is said of its visits is the word of who made the last, what lists say of it of who
    heard them last; an address that is said to have changed since its last visit is due."""
    select = (
        "SELECT t.*, coalesce(s.new, (SELECT id FROM main.articles AS a WHERE a.url = t.url), "
        "(SELECT article_id FROM main.aliases AS o WHERE o.url = t.url)) AS story FROM src.frontier AS t "
        "LEFT JOIN story_map AS s ON s.src = :src AND s.old = t.article_id"
    )
    groups = gathered(db, sources, "frontier", select, "url")
    with transaction(db):
        insert(db, "frontier", [joined(group) for group in groups])


def joined(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row of `frontier` for those of several archives; `story` is the article's number in the new one."""
    found = min(rows, key=lambda row: [_ordered(row[name]) for name in ("first_seen_at", *_FOUND)])
    row = (
        {"url": rows[0]["url"], "kind": max((row["kind"] for row in rows), key=_KINDS.index)}
        | {name: found[name] for name in _FOUND}
        | _visited(rows)
        | _listed(rows)
        | {
            "listed_modified_at": max(row["listed_modified_at"] or "" for row in rows) or None,
            "listed_said": _said(rows),
            "post_id": largest(rows, ("post_id",), ("listed_at", "last_fetched_at"))["post_id"],
            "article_id": largest(rows, ("story",), ("last_fetched_at",))["story"],
            "part": max(row["part"] or 0 for row in rows) or None,
        }
    )
    if row["post_id"] is None:
        row["post_id"] = max(row["post_id"] or 0 for row in rows) or None
    if row["article_id"] is None:
        row["article_id"] = max(row["story"] or 0 for row in rows) or None
    changed = (
        row["listed_modified_at"]
        and row["last_fetched_at"]
        and row["listed_modified_at"] > row["last_fetched_at"]
    )
    if changed and row["listed_at"] and not (row["due_at"] and row["due_at"] <= row["listed_at"]):
        row |= {"due_at": row["listed_at"], "reason": "changed"}
    return row


def _listed(rows: Sequence[dict[str, Any]]) -> dict[str, str | None]:
    """Return the list that named an address last, and when; none where somebody knows that it does so no longer."""
    last = max(row["listed_at"] or "" for row in rows)
    named = {row["listed_on"] for row in rows if (row["listed_at"] or "") == last}
    return {"listed_on": None if None in named else max(named), "listed_at": last or None}


def _visited(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the last visit left; of an address that nobody has visited, what is due first."""
    last = max(row["last_fetched_at"] or "" for row in rows)
    visited = [row for row in rows if (row["last_fetched_at"] or "") == last]
    best = min(visited, key=lambda row: (row["due_at"] or "~", *(_ordered(row[name]) for name in _VISITED)))
    return {name: best[name] for name in _VISITED}


def _said(rows: Sequence[dict[str, Any]]) -> str | None:
    """Return what the lists say of a story: each list's word as it was heard last."""
    said: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (row["listed_at"] or "", row["listed_said"] or "")):
        said |= json.loads(row["listed_said"] or "{}")
    if not said:
        return None
    return json.dumps(dict(sorted(said.items())), ensure_ascii=False, separators=(",", ":"))


def keep_out(db: Database) -> None:
    """Leave no address of a redacted story, unless the story itself is still to be taken out: that finds them."""
    redactions = Redactions(db)
    if not redactions.are_any:
        return
    with transaction(db):
        for (url,) in db.conn.execute("SELECT url FROM frontier").fetchall():
            if redactions.keeps_out(url):
                db.conn.execute("DELETE FROM frontier WHERE url = ?", (url,))
        visits = db.conn.execute(
            "SELECT f.id, f.url FROM fetches AS f LEFT JOIN articles AS a ON a.id = f.article_id "
            "WHERE f.url NOT LIKE 'redacted:%' AND f.outcome IS NOT NULL AND coalesce(a.status, 'redacted') = 'redacted'"
        ).fetchall()
        for fetch_id, url in visits:
            if redactions.keeps_out(url):
                db.conn.execute("UPDATE fetches SET outcome = 'redacted' WHERE id = ?", (fetch_id,))
                redactions.withhold(fetch_id, url, redactions.of_address(url))
