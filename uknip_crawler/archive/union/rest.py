"""Layouts, images, furniture, audits and findings of several archives: facts that hang on no single story."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import transaction
from uknip_crawler.archive.union.pages import gathered, insert, largest
from uknip_crawler.archive.union.runs import Source, attached

_SEEN = ("first_seen_at", "last_seen_at")
_FILE = ("sha256", "media_type", "size_bytes", "width", "height", "fetched_at")
_QUOTED = 80


def _spanned(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {
        "first_seen_at": min(row["first_seen_at"] for row in rows),
        "last_seen_at": max(row["last_seen_at"] for row in rows),
    }


def insert_layouts(db: Database, sources: Sequence[Source]) -> None:
    """Write the layouts as seen for the first time: what there is to learn of them is learned from all captures."""
    found = gathered(
        db,
        sources,
        "layouts",
        "SELECT skeleton, name, first_seen_at, last_seen_at FROM src.layouts",
        "skeleton",
    )
    with transaction(db):
        insert(
            db, "layouts", [{"skeleton": g[0]["skeleton"], "name": g[0]["name"]} | _spanned(g) for g in found]
        )


def insert_studies(db: Database, sources: Sequence[Source]) -> None:
    """Take over what was seen in captures, which is the same whoever looks."""
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            run(
                "INSERT OR IGNORE INTO main.studies SELECT m.new, t.version, t.study FROM src.studies AS t "
                "JOIN fetch_map AS m ON m.src = ? AND m.old = t.fetch_id JOIN main.fetches AS f ON f.id = m.new "
                "JOIN src.fetches AS g ON g.id = t.fetch_id WHERE f.payload_sha256 = g.payload_sha256",
                (number,),
            )


def insert_images(db: Database, sources: Sequence[Source]) -> None:
    """Say of every image which file is kept: the one kept first, as an archive does that keeps an image once. Addresses
    that nobody shows and of which nothing is kept are left out."""
    select = "SELECT * FROM src.images WHERE sha256 IS NOT NULL OR EXISTS (SELECT 1 FROM src.article_images WHERE image_id = images.id)"
    rows = []
    for group in gathered(db, sources, "images", select, "url"):
        kept = [row for row in group if row["sha256"] is not None]
        best = min(kept, key=lambda row: (row["fetched_at"], row["sha256"]), default=group[0])
        rows.append(
            {name: best[name] for name in _FILE}
            | {
                "failures": 0 if kept else max(row["failures"] for row in group),
                "refused": None
                if kept
                else min((row["refused"] for row in group if row["refused"]), default=None),
                "url": group[0]["url"],
            }
        )
    with transaction(db):
        db.conn.executemany("INSERT OR IGNORE INTO images (url) VALUES (?)", [(row["url"],) for row in rows])
        sets = ", ".join(f"{name} = ?" for name in (*_FILE, "failures", "refused"))
        db.conn.executemany(f"UPDATE images SET {sets} WHERE url = ?", [tuple(row.values()) for row in rows])


def insert_furniture(db: Database, sources: Sequence[Source], contradictions: list[str]) -> None:
    """Write the lines that were taken out, with the researchers' verdicts: where one keeps what another strips, it is kept."""
    verdicts: dict[str, set[str]] = {}
    rows = []
    for group in gathered(db, sources, "furniture", "SELECT * FROM src.furniture", "text, rule"):
        text = group[0]["text"]
        verdicts.setdefault(text, set()).update(row["verdict"] for row in group if row["verdict"])
        rows.append(
            {"text": text, "rule": group[0]["rule"]}
            | largest(group, ("place", "pages", "layouts"), _SEEN[1:])
            | _spanned(group)
        )
    for row in rows:
        row["verdict"] = min(verdicts[row["text"]], default=None)  # keep before strip
    contradictions += [
        f"{text[:_QUOTED]!r}: kept in one archive, stripped in another: kept"
        for text, said in sorted(verdicts.items())
        if len(said) > 1
    ]
    with transaction(db):
        insert(db, "furniture", rows)
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            run(
                "INSERT OR IGNORE INTO main.article_furniture SELECT s.new, m.id FROM src.article_furniture AS t "
                "JOIN story_map AS s ON s.src = ? AND s.old = t.article_id AND s.is_shown JOIN src.furniture AS n "
                "ON n.id = t.furniture_id JOIN main.furniture AS m ON m.text = n.text AND m.rule = n.rule",
                (number,),
            )


def insert_audits(db: Database, sources: Sequence[Source]) -> None:
    select = "SELECT t.*, r.new AS run, :src AS src FROM src.audits AS t JOIN run_map AS r ON r.src = :src AND r.old = t.run_id"
    audits: dict[tuple[int, int], int] = {}
    rows = []
    for new, group in enumerate(gathered(db, sources, "audits", select, "at, run, source"), start=1):
        audits |= {(row["src"], row["id"]): new for row in group}
        columns = {name: value for name, value in group[0].items() if name not in ("run", "src")}
        rows.append(columns | {"id": new, "run_id": group[0]["run"]})
    with transaction(db):
        insert(db, "audits", rows)
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            for audit_id, *told in run(
                "SELECT t.audit_id, s.new, t.precision, t.recall, t.is_exact, t.diff FROM src.audit_stories AS t "
                "JOIN story_map AS s ON s.src = ? AND s.old = t.article_id ORDER BY 1, 2",
                (number,),
            ).fetchall():
                run(
                    "INSERT OR IGNORE INTO main.audit_stories VALUES (?, ?, ?, ?, ?, ?)",
                    (audits[number, audit_id], *told),
                )


def insert_findings(db: Database, sources: Sequence[Source]) -> None:
    """Write what crawls found amiss, as the last of them found it."""
    select = (
        "SELECT t.*, r.new AS run, l.new AS last, (SELECT json_group_array(f.new) FROM json_each(t.shown_by) AS j "
        "JOIN fetch_map AS f ON f.src = :src AND f.old = j.value) AS shown FROM src.findings AS t "
        "JOIN run_map AS r ON r.src = :src AND r.old = t.run_id JOIN run_map AS l ON l.src = :src AND l.old = t.last_run_id"
    )
    rows = []
    told = ("since", "what", "value", "bound", "alarmed_at", "ended_at", "noticed", "last", "shown")
    for group in gathered(db, sources, "findings", select, "run, name"):
        row = largest(group, told, ("last", "ended_at"))
        shown = json.dumps(sorted(json.loads(row.pop("shown"))))
        rows.append(
            row
            | {
                "last_run_id": row.pop("last"),
                "run_id": group[0]["run"],
                "name": group[0]["name"],
                "shown_by": shown,
            }
        )
    with transaction(db):
        insert(db, "findings", rows)
