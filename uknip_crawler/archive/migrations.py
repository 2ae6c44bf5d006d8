"""The archive's tables: their first form, `schema.sql`, and what has changed since, in order."""

from __future__ import annotations

from importlib.resources import files

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from uknip_crawler.archive import sealing

migrations = Migrations("uknip")

_SEARCH_FOLLOWS_TEXT = """
CREATE TRIGGER articles_au AFTER UPDATE OF headline, standfirst, body ON articles BEGIN
    INSERT INTO articles_fts (articles_fts, rowid, headline, standfirst, body)
        VALUES ('delete', old.rowid, old.headline, old.standfirst, old.body);
    INSERT INTO articles_fts (rowid, headline, standfirst, body)
        VALUES (new.rowid, new.headline, new.standfirst, new.body);
END
"""


def _execute_each(db: Database, statements: str) -> None:
    """Run statements one by one, within the migration's transaction; `executescript` would end it."""
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m001_tables(db: Database) -> None:
    """The search index follows changed text only, not every look at a story."""
    _execute_each(db, (files(__package__) / "schema.sql").read_text("utf-8"))
    db.table("articles").enable_fts(
        ["headline", "standfirst", "body"],
        tokenize="porter unicode61 remove_diacritics 2",
        create_triggers=True,
    )
    db.execute("DROP TRIGGER articles_au")
    db.execute(_SEARCH_FOLLOWS_TEXT)


_DERIVED_AND_ASKED = """
ALTER TABLE runs RENAME COLUMN rested_at TO derived_at;
ALTER TABLE sources ADD COLUMN last_asked_at TEXT;
UPDATE sources SET last_asked_at = last_read_at;
UPDATE sources SET last_read_at = last_complete_at WHERE status IN ('failed', 'absent');
CREATE INDEX revisions_edits ON revisions (captured_at) WHERE number > 1;
CREATE INDEX events_at ON events (at)
"""


@migrations()
def m002_derived_asked_sealed(db: Database) -> None:
    """When a list was asked for in vain, it was not read; what changed lately is read in its order; rows have checksums."""
    _execute_each(db, _DERIVED_AND_ASKED)
    _execute_each(db, sealing.TABLES)
    sealing.install(db.conn)


@migrations()
def m003_quarantine(db: Database) -> None:
    """What a researcher says of a capture that was held back."""
    db.execute("ALTER TABLE fetches ADD COLUMN verdict TEXT CHECK (verdict IN ('release', 'reject'))")


_FINDINGS = """
CREATE TABLE runs_now (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('crawl', 'audit', 'import', 'replay')),
    base_url TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    exit_status INTEGER,
    end_reason TEXT,
    requests INTEGER NOT NULL DEFAULT 0,
    received_bytes INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL DEFAULT '{}',
    version TEXT NOT NULL,
    derived_at TEXT
) STRICT;
INSERT INTO runs_now SELECT id, CASE WHEN kind = 'crawl' AND (end_reason = 'audited' OR id IN (SELECT run_id FROM audits))
    THEN 'audit' ELSE kind END, base_url, started_at, finished_at, exit_status, end_reason, requests, received_bytes,
    settings, version, derived_at FROM runs;
DROP TABLE runs;
ALTER TABLE runs_now RENAME TO runs;
CREATE INDEX runs_started ON runs (kind, started_at);
CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    since TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    last_run_id INTEGER NOT NULL REFERENCES runs (id),
    what TEXT NOT NULL,
    value REAL NOT NULL,
    bound REAL NOT NULL,
    shown_by TEXT NOT NULL DEFAULT '[]',
    alarmed_at TEXT NOT NULL,
    ended_at TEXT,
    noticed TEXT CHECK (noticed IN ('found', 'ended'))
) STRICT;
CREATE INDEX findings_open ON findings (name, ended_at)
"""


@migrations()
def m004_findings(db: Database) -> None:
    """What a crawl found amiss is kept until it is well again; audits are runs of a kind of their own."""
    _execute_each(db, _FINDINGS)


FORMER = frozenset(
    {
        *("m002_layouts", "m003_evidence", "m004_audits", "m005_lives", "m006_whole_lives", "m007_parts"),
        "m008_studies",
    }
)
"""Steps to what is now the first form, before the first release."""


def forget_former(db: Database) -> None:
    """Have an archive that reached the first form in more steps count as any other."""
    if "_sqlite_migrations" in db.table_names():
        with db.atomic():
            done = {row[0] for row in db.execute("SELECT name FROM _sqlite_migrations")}
            if done >= FORMER:
                db.conn.executemany(
                    "DELETE FROM _sqlite_migrations WHERE name = ?", [(name,) for name in FORMER]
                )
