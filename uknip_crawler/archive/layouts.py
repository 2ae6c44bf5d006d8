"""What was learned of the site's layouts, the captures it is learned from, and the researcher's verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.models import layout_name

SAMPLE = 120
RECENT = 20


class Row(NamedTuple):
    """One layout as learned: `rules` are JSON that only extraction understands."""

    skeleton: str
    state: str
    studied: int
    agreement: float
    rules: str


class Sampled(NamedTuple):
    """A capture to learn from: its ledger row, its story, when it was taken, its digest, its packed study if one is
    kept, and its record."""

    fetch_id: int
    story: str
    fetched_at: datetime
    digest: str
    study: bytes | None
    record: RecordRef


class Wording(NamedTuple):
    """One learned rule of wording: its kind, the text it is about, why, and on how many stories and layouts it was
    seen; `flags` is 1 where there is a second reason, plus 2 where it may open a story; `share` is that
    of the pages of the layout that has it most."""

    kind: str
    text: str
    why: str
    stories: int
    layouts: int
    flags: int
    share: float


class Layouts:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def id_of(self, skeleton: str, *, at: datetime) -> int:
        """Return the id of a layout, which begins to be learned when it is seen for the first time."""
        now = as_text(at)
        row = self._db.conn.execute(
            """
            INSERT INTO layouts (skeleton, name, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (skeleton) DO UPDATE SET
                first_seen_at = min(first_seen_at, excluded.first_seen_at),
                last_seen_at = max(last_seen_at, excluded.last_seen_at)
            RETURNING id
            """,
            (skeleton, layout_name(skeleton), now, now),
        ).fetchone()
        return int(row[0])

    def is_new(self, skeleton: str, *, run_id: int) -> bool:
        """Tell whether no other run has seen a layout."""
        row = self._db.conn.execute(
            "SELECT 1 FROM layouts AS l WHERE skeleton = ? AND NOT EXISTS "
            "(SELECT 1 FROM fetches WHERE layout_id = l.id AND run_id <> ?)",
            (skeleton, run_id),
        ).fetchone()
        return row is not None

    def learned(self) -> list[Row]:
        """Return every layout of which something was learned."""
        rows = self._db.conn.execute(
            "SELECT skeleton, state, studied, coalesce(agreement, 0), rules FROM layouts WHERE rules IS NOT NULL "
            "ORDER BY skeleton"
        )
        return [Row(*row) for row in rows]

    def are_current(self) -> bool:
        """Tell whether no capture of a story has come since layouts were last learned."""
        last, through = self._db.conn.execute(
            "SELECT (SELECT max(id) FROM fetches WHERE layout_id IS NOT NULL), (SELECT max(learned_through) FROM layouts)"
        ).fetchone()
        return last is None or last == through

    def save(self, rows: Iterable[Row], *, at: datetime) -> None:
        """Replace what was learned; a layout not among `rows` is being learned again."""
        execute = self._db.conn.execute
        execute(
            "UPDATE layouts SET state = 'learning', studied = 0, agreement = NULL, rules = NULL, learned_at = ?, "
            "learned_through = (SELECT max(id) FROM fetches WHERE layout_id IS NOT NULL), "
            "pages = (SELECT count(*) FROM fetches WHERE fetches.layout_id = layouts.id)",
            (as_text(at),),
        )
        for row in rows:
            execute(
                "UPDATE layouts SET state = ?, studied = ?, agreement = ?, rules = ? WHERE skeleton = ?",
                (row.state, row.studied, row.agreement, row.rules, row.skeleton),
            )

    def sample(self, version: int) -> list[Sampled]:
        """Return the captures to learn from: of each layout one capture a story, the 120 with the smallest digests
        and the 20 newest, with what is kept of them in this version of studies. The same captures give the same
        sample, in whatever order they came.
        """
        rows = self._db.conn.execute(
            """
            WITH one AS (
                SELECT *, row_number() OVER (PARTITION BY layout_id, article_id ORDER BY payload_sha256, id) AS place
                FROM fetches WHERE layout_id IS NOT NULL AND warc_name IS NOT NULL AND status = 200
            ), ranked AS (
                SELECT *, row_number() OVER (PARTITION BY layout_id ORDER BY payload_sha256, url) AS small,
                    row_number() OVER (PARTITION BY layout_id ORDER BY fetched_at DESC, payload_sha256, url) AS young
                FROM one WHERE place = 1
            )
            SELECT ranked.id, ranked.article_id, fetched_at, payload_sha256, study, warc_name, warc_offset, warc_length
            FROM ranked LEFT JOIN studies ON fetch_id = ranked.id AND version = ?
            WHERE small <= ? OR young <= ? ORDER BY warc_name, warc_offset
            """,
            (version, SAMPLE, RECENT),
        )
        return [
            Sampled(number, str(article), datetime.fromisoformat(at), digest, kept, RecordRef(*record))
            for number, article, at, digest, kept, *record in rows
        ]

    def keep_study(self, fetch_id: int, version: int, packed: bytes) -> None:
        self._db.conn.execute("INSERT OR REPLACE INTO studies VALUES (?, ?, ?)", (fetch_id, version, packed))

    def keep_studies_of(self, sample: Iterable[int]) -> None:
        """Forget what is kept of captures that nothing is learned from any more."""
        kept = set(sample)
        gone = [row for row in self._db.conn.execute("SELECT fetch_id FROM studies") if row[0] not in kept]
        self._db.conn.executemany("DELETE FROM studies WHERE fetch_id = ?", gone)

    def wordings(self) -> list[Wording]:
        """Return the rules of wording that were learned."""
        return [Wording(*row) for row in self._db.conn.execute("SELECT * FROM wordings ORDER BY kind, text")]

    def lore(self) -> dict[str, bytes]:
        """Return what else was learned of lines, by name: in forms that only extraction understands."""
        return dict(self._db.conn.execute("SELECT name, value FROM lore").fetchall())

    def save_lore(self, wordings: Iterable[Wording], lore: Mapping[str, bytes]) -> None:
        self._db.conn.execute("DELETE FROM wordings")
        self._db.conn.executemany("INSERT INTO wordings VALUES (?, ?, ?, ?, ?, ?, ?)", wordings)
        self._db.conn.executemany("INSERT OR REPLACE INTO lore VALUES (?, ?)", lore.items())

    def forget_studies(self) -> None:
        """Forget every study and what was learned of lines: all of it is learned anew from what captures say now."""
        for table in ("studies", "wordings", "lore"):
            self._db.conn.execute(f"DELETE FROM {table}")
        self._db.conn.execute("UPDATE layouts SET learned_through = NULL")

    def stories(self, characters: int) -> Iterator[tuple[str, str, str]]:
        """Yield (headline, beginning of the body, standfirst) of every story in all its versions.

        A page that was captured before an edit, or never since, quotes the older one.
        """
        yield from self._db.conn.execute(
            "SELECT headline, substr(body, 1, ?1), coalesce(standfirst, '') FROM articles WHERE status <> 'redacted' UNION ALL "
            "SELECT revisions.headline, substr(revisions.body, 1, ?1), coalesce(revisions.standfirst, '') FROM articles JOIN revisions ON article_id = articles.id "
            "WHERE revision_count > 1",
            (characters,),
        )

    def verdicts(self) -> tuple[list[str], list[str]]:
        """Return the lines to keep and the lines to strip, as the researcher has ruled."""
        rows = self._db.conn.execute(
            "SELECT text, verdict FROM furniture WHERE verdict IS NOT NULL"
        ).fetchall()
        return [t for t, verdict in rows if verdict == "keep"], [t for t, v in rows if v == "strip"]

    def rule(self, texts: Iterable[str], verdict: str | None, *, at: datetime) -> int:
        """Set or lift the verdict on lines, also on lines never stripped so far; return how many rows it touched."""
        now, touched = as_text(at), 0
        for text in texts:
            done = self._db.conn.execute("UPDATE furniture SET verdict = ? WHERE text = ?", (verdict, text))
            touched += done.rowcount
            if not done.rowcount and verdict:
                self._db.conn.execute(
                    "INSERT INTO furniture (text, rule, verdict, first_seen_at, last_seen_at) "
                    "VALUES (?, 'verdict', ?, ?, ?)",
                    (text, verdict, now, now),
                )
                touched += 1
        return touched
