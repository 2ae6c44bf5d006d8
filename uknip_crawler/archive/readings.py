"""Stories read again: which are out of date, the captures they rest on, and a new reading in the place of the old."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.ledger import VARIANT
from uknip_crawler.archive.multipage import PART
from uknip_crawler.archive.story_rows import Evidence, add_revision, replace_furniture, replace_parts, row_of
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.models import Article, Outcome, Stripped

_MARKS = 500


@dataclass(frozen=True, slots=True)
class Captured:
    """One capture of a story: its ledger row, its run, its record, when it was taken, its address, and which part of
    the story it shows (1 also where there is but one). Those of others were `imported`; the researcher has `released`
    what was held back."""

    article_id: int
    fetch_id: int
    run_id: int
    record: RecordRef
    captured_at: datetime
    url: str
    part: int = 1
    imported: bool = False
    released: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a story by its publisher: the capture that first showed it, as read today."""

    article: Article
    content_sha256: str
    evidence: Evidence


class Readings:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def stale(self, version_of: Callable[[str | None], str]) -> list[int]:
        """Return the stories whose reading is not what today's rules give, in the order of their captures."""
        execute = self._db.conn.execute
        read_by = execute(
            "SELECT DISTINCT a.layout_id, a.extractor_version, l.skeleton FROM articles AS a "
            "LEFT JOIN layouts AS l ON l.id = a.layout_id"
        ).fetchall()
        found: list[tuple[str, int, int]] = []
        for layout_id, version, skeleton in read_by:
            if version != version_of(skeleton):
                found += execute(
                    "SELECT coalesce(f.warc_name, ''), coalesce(f.warc_offset, 0), a.id FROM articles AS a "
                    "JOIN fetches AS f ON f.id = a.fetch_id "
                    "WHERE a.layout_id IS ? AND a.extractor_version = ? AND a.status != 'redacted'",
                    (layout_id, version),
                ).fetchall()
        return [article_id for _, _, article_id in sorted(found)]

    def all(self) -> list[int]:
        """Return every story, in the order of their captures."""
        rows = self._db.conn.execute(
            "SELECT a.id FROM articles AS a JOIN fetches AS f ON f.id = a.fetch_id "
            "WHERE a.status != 'redacted' ORDER BY f.warc_name, f.warc_offset"
        )
        return [row[0] for row in rows]

    def underived(self) -> list[int]:
        """Return the stories of which runs brought captures that were not read again since, the runs killed among them."""
        return [article_id for article_id, *_ in self._brought()]

    def unsettled(self, version_of: Callable[[str | None], str]) -> list[int]:
        """Return those of them that have several captures, which must be read by the same rules, or were not read by
        today's."""
        return [
            article_id
            for article_id, captures, version, skeleton in self._brought()
            if captures > 1 or version != version_of(skeleton)
        ]

    def _brought(self) -> list[tuple[int, int, str, str | None]]:
        return self._db.conn.execute(
            "SELECT a.id, (SELECT count(*) FROM fetches WHERE article_id = a.id AND layout_id IS NOT NULL), "
            "a.extractor_version, l.skeleton FROM articles AS a LEFT JOIN layouts AS l ON l.id = a.layout_id "
            "WHERE a.id IN (SELECT article_id FROM fetches WHERE layout_id IS NOT NULL AND run_id IN "
            "(SELECT id FROM runs WHERE derived_at IS NULL)) ORDER BY a.id"
        ).fetchall()

    def texts(self) -> Iterator[tuple[int, str, str]]:
        """Yield (id, headline, body) of every story that is not redacted."""
        yield from self._db.conn.execute("SELECT id, headline, body FROM articles WHERE status != 'redacted'")

    def stripped(self, rules: Iterable[str]) -> Iterator[tuple[int, str]]:
        """Yield (id, line) of every line that one of these rules took from a story."""
        wanted = sorted(rules)
        yield from self._db.conn.execute(
            "SELECT article_id, text FROM article_furniture JOIN furniture ON furniture.id = furniture_id "
            f"WHERE rule IN ({','.join('?' * len(wanted))})",
            wanted,
        )

    def captures(self, article_ids: Sequence[int]) -> dict[int, list[Captured]]:
        """Return each story's captures, oldest first; those of an AMP or print form only where there are no others."""
        found: dict[int, list[Captured]] = defaultdict(list)
        variants: dict[int, list[Captured]] = defaultdict(list)
        for start in range(0, len(article_ids), _MARKS):
            part = article_ids[start : start + _MARKS]
            rows = self._db.conn.execute(
                "SELECT fetches.article_id, id, run_id, warc_name, warc_offset, warc_length, fetched_at, fetches.url, "
                "fetches.kind, part, imported_from <> '', verdict IS 'release' FROM fetches LEFT JOIN frontier ON frontier.url = fetches.url "
                f"WHERE fetches.article_id IN ({','.join('?' * len(part))}) AND status = 200 "
                "AND warc_name IS NOT NULL AND outcome IN ('stored', 'unchanged', 'revised', 'alias', 'duplicate') ORDER BY fetched_at, id",
                part,
            )
            for (
                article_id,
                fetch_id,
                run_id,
                name,
                offset,
                length,
                fetched_at,
                url,
                kind,
                number,
                imported,
                released,
            ) in rows:
                record = RecordRef(name, offset, length)
                when = datetime.fromisoformat(fetched_at)
                among = variants if kind == VARIANT else found
                shown = number if kind == PART and number else 1
                among[article_id].append(
                    Captured(
                        article_id, fetch_id, run_id, record, when, url, shown, bool(imported), bool(released)
                    )
                )
        return {**variants, **found}

    def now(self, article_id: int) -> dict[str, Any]:
        """Return a story's fields as they are archived, lists as tuples."""
        columns = (
            "url", "headline", "kicker", "standfirst", "section", "published_at", "modified_at", "body",
            "extractor_version", "content_sha256", "fetch_id", "layout_id",
        )  # fmt: skip
        row = self._db.conn.execute(
            f"SELECT {', '.join(columns)} FROM articles WHERE id = ?", (article_id,)
        ).fetchone()
        lists = {
            "authors": "SELECT name FROM article_authors JOIN authors ON id = author_id",
            "tags": "SELECT name FROM article_tags JOIN tags ON id = tag_id",
            "images": "SELECT url FROM article_images JOIN images ON id = image_id",
        }
        parts = {
            name: tuple(
                value
                for (value,) in self._db.conn.execute(
                    f"{query} WHERE article_id = ? ORDER BY position", (article_id,)
                )
            )
            for name, query in lists.items()
        }
        return {**dict(zip(columns, row, strict=True)), **parts}

    def replace(
        self,
        article_id: int,
        versions: Sequence[Version],
        shown: Version,
        stripped: Iterable[Stripped],
        *,
        layouts: dict[int, int | None],
        flags: dict[int, tuple[str, ...]],
        others: Sequence[tuple[Captured, str]] = (),
    ) -> None:
        """Put today's reading in the place of the old one. The story's life stays as it was.

        `versions` are the publisher's, oldest first; `shown` is the newest capture's reading; `layouts` maps
        each capture's ledger row to its layout, `flags` to the doubts about its reading; `others` are captures at which something besides the text changed.
        """
        execute = self._db.conn.execute
        row = row_of(shown.article, shown.content_sha256, shown.evidence)
        del row["url"]  # where a story lives is settled when it is visited, with the evidence of redirects
        row |= {
            "revision_count": len(versions),
            "last_changed_at": as_text(versions[-1].evidence.captured_at),
        }
        held = execute(f"SELECT {', '.join(row)} FROM articles WHERE id = ?", (article_id,)).fetchone()
        changed = {name: value for (name, value), old in zip(row.items(), held, strict=True) if value != old}
        if changed:
            columns = ", ".join(f"{name} = ?" for name in changed)
            execute(f"UPDATE articles SET {columns} WHERE id = ?", (*changed.values(), article_id))
        replace_parts(self._db, article_id, shown.article)
        replace_furniture(self._db, article_id, stripped, at=shown.evidence.captured_at)
        self._replace_revisions(article_id, versions)
        execute("DELETE FROM events WHERE article_id = ? AND kind = 'metadata'", (article_id,))
        self._db.conn.executemany(
            "INSERT INTO events (article_id, run_id, kind, at, detail) VALUES (?, ?, 'metadata', ?, ?)",
            [(article_id, c.run_id, as_text(c.captured_at), changed) for c, changed in others],
        )
        begun = {version.evidence.fetch_id for version in versions[1:]}
        for fetch_id, layout_id in layouts.items():
            execute(
                "UPDATE fetches SET layout_id = ? WHERE id = ? AND layout_id IS NOT ?",
                (layout_id, fetch_id, layout_id),
            )
            new, old = (
                (Outcome.REVISED, Outcome.UNCHANGED)
                if fetch_id in begun
                else (Outcome.UNCHANGED, Outcome.REVISED)
            )
            execute("UPDATE fetches SET outcome = ? WHERE id = ? AND outcome = ?", (new, fetch_id, old))
            self._doubt(fetch_id, flags[fetch_id])

    def _doubt(self, fetch_id: int, flags: tuple[str, ...]) -> None:
        """Note today's doubts in the ledger, where nothing but earlier ones is noted."""
        (told,) = self._db.conn.execute("SELECT detail FROM fetches WHERE id = ?", (fetch_id,)).fetchone()
        detail = ", ".join(flags) or None
        if told != detail and (told is None or all(part.isidentifier() for part in told.split(", "))):
            self._db.conn.execute("UPDATE fetches SET detail = ? WHERE id = ?", (detail, fetch_id))

    def _replace_revisions(self, article_id: int, versions: Sequence[Version]) -> None:
        columns = "fetch_id, headline, standfirst, body"
        rows = self._db.conn.execute(
            f"SELECT {columns} FROM revisions WHERE article_id = ? ORDER BY number", (article_id,)
        ).fetchall()
        wanted = [
            (v.evidence.fetch_id, v.article.headline, v.article.standfirst, v.article.body) for v in versions
        ]
        if rows == wanted:
            return
        self._db.conn.execute("DELETE FROM revisions WHERE article_id = ?", (article_id,))
        for number, version in enumerate(versions, start=1):
            add_revision(
                self._db, article_id, number, version.article, version.content_sha256, version.evidence
            )

    def unclassified(self, limit: int) -> list[tuple[int, tuple[str, str] | None, tuple[str, str]]]:
        """Return (id, (headline, body) before, (headline, body) after) of revisions whose kind is not told yet."""
        rows = self._db.conn.execute(
            "SELECT new.id, old.headline, old.body, new.headline, new.body FROM revisions AS new "
            "LEFT JOIN revisions AS old ON old.article_id = new.article_id AND old.number = new.number - 1 "
            "WHERE new.kind IS NULL ORDER BY new.id LIMIT ?",
            (limit,),
        ).fetchall()
        return [(i, None if was is None else (was, text), now) for i, was, text, *now in rows]

    def set_kind(self, revision_id: int, kind: str, added_words: int, removed_words: int) -> None:
        self._db.conn.execute(
            "UPDATE revisions SET kind = ?, added_words = ?, removed_words = ? WHERE id = ?",
            (kind, added_words, removed_words, revision_id),
        )

    def mark_read(self, article_id: int, version: str) -> None:
        """Record that a story was looked at under today's rules and its old reading kept."""
        self._db.conn.execute("UPDATE articles SET extractor_version = ? WHERE id = ?", (version, article_id))

    def outdate(self, article_ids: Iterable[int], version: str) -> None:
        """Record that stories must be read again: `version` is none that today's rules give."""
        self._db.conn.executemany(
            "UPDATE articles SET extractor_version = ? WHERE id = ?",
            [(version, number) for number in article_ids],
        )

    def skeletons(self) -> Iterator[tuple[int, str]]:
        """Yield (id, skeleton) of every layout."""
        yield from self._db.conn.execute("SELECT id, skeleton FROM layouts")
