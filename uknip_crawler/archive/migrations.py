"""What has changed in the archive's tables since their first form; `migrations` holds all steps in order."""

from __future__ import annotations

from sqlite_utils import Database

from uknip_crawler.archive.schema import migrations

__all__ = ["migrations"]

_LAYOUTS = """
UPDATE articles SET layout_id = NULL;
DROP TABLE layouts;
DROP TABLE furniture;
CREATE TABLE layouts (
    id INTEGER PRIMARY KEY,
    skeleton TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'learning' CHECK (state IN ('learning', 'trusted', 'drifting', 'retired')),
    pages INTEGER NOT NULL DEFAULT 0,
    studied INTEGER NOT NULL DEFAULT 0,
    agreement REAL,
    rules TEXT,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    learned_at TEXT,
    learned_through INTEGER
) STRICT;
ALTER TABLE fetches ADD COLUMN layout_id INTEGER REFERENCES layouts (id);
CREATE INDEX fetches_layout ON fetches (layout_id) WHERE layout_id IS NOT NULL;
CREATE TABLE furniture (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    rule TEXT NOT NULL,
    place TEXT,
    verdict TEXT CHECK (verdict IN ('keep', 'strip')),
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    UNIQUE (text, rule)
) STRICT;
CREATE TABLE article_furniture (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    furniture_id INTEGER NOT NULL REFERENCES furniture (id),
    PRIMARY KEY (article_id, furniture_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_furniture_furniture ON article_furniture (furniture_id);
CREATE INDEX articles_layout ON articles (layout_id);
DROP TRIGGER articles_au
"""
_SEARCH_FOLLOWS_TEXT = """
CREATE TRIGGER articles_au AFTER UPDATE OF headline, standfirst, body ON articles BEGIN
    INSERT INTO articles_fts (articles_fts, rowid, headline, standfirst, body)
        VALUES ('delete', old.rowid, old.headline, old.standfirst, old.body);
    INSERT INTO articles_fts (rowid, headline, standfirst, body)
        VALUES (new.rowid, new.headline, new.standfirst, new.body);
END
"""


@migrations()
def m002_layouts(db: Database) -> None:
    """What was counted of layouts and furniture is counted anew when the captures are read again.

    The search index follows changed text only, not every look at a story.
    """
    for statement in _LAYOUTS.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(_SEARCH_FOLLOWS_TEXT)


_EVIDENCE = """
CREATE TABLE evidence (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    field TEXT NOT NULL,
    source TEXT NOT NULL,
    raw TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_field ON evidence (field, source);
ALTER TABLE frontier ADD COLUMN listed_said TEXT;
ALTER TABLE articles ADD COLUMN modified_is_migration INTEGER NOT NULL DEFAULT 0
    CHECK (modified_is_migration IN (0, 1))
"""


@migrations()
def m003_evidence(db: Database) -> None:
    for statement in _EVIDENCE.split(";\n"):
        if statement.strip():
            db.execute(statement)


_AUDITS = """
CREATE TABLE audits (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    at TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('rest', 'feed')),
    sampled INTEGER NOT NULL,
    compared INTEGER NOT NULL,
    edited_since INTEGER NOT NULL,
    not_offered INTEGER NOT NULL,
    precision REAL,
    recall REAL,
    exact_share REAL
) STRICT;
CREATE TABLE audit_stories (
    audit_id INTEGER NOT NULL REFERENCES audits (id),
    article_id INTEGER NOT NULL REFERENCES articles (id),
    precision REAL NOT NULL,
    recall REAL NOT NULL,
    is_exact INTEGER NOT NULL CHECK (is_exact IN (0, 1)),
    diff TEXT NOT NULL,
    PRIMARY KEY (audit_id, article_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_stories_article ON audit_stories (article_id)
"""


@migrations()
def m004_audits(db: Database) -> None:
    for statement in _AUDITS.split(";\n"):
        if statement.strip():
            db.execute(statement)


_LIVES = """
ALTER TABLE fetches ADD COLUMN reason TEXT;
ALTER TABLE frontier ADD COLUMN reason TEXT;
ALTER TABLE revisions ADD COLUMN kind TEXT;
ALTER TABLE revisions ADD COLUMN added_words INTEGER;
ALTER TABLE revisions ADD COLUMN removed_words INTEGER;
CREATE INDEX revisions_kind ON revisions (kind);
CREATE INDEX revisions_unclassified ON revisions (id) WHERE kind IS NULL;
CREATE TABLE events_new (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    run_id INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL CHECK (kind IN
        ('moved', 'unpublished', 'missing', 'redirected', 'protected', 'gone', 'restored')),
    at TEXT NOT NULL,
    detail TEXT
) STRICT;
INSERT INTO events_new SELECT id, article_id, run_id, kind, at, detail FROM events;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_article ON events (article_id);
CREATE INDEX events_run ON events (run_id)
"""


@migrations()
def m005_lives(db: Database) -> None:
    """A story can be missed in more ways than one, and a revision says what kind of edit it was."""
    for statement in _LIVES.split(";\n"):
        if statement.strip():
            db.execute(statement)
