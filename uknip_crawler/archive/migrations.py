"""What has changed in the archive's tables since their first form; `migrations` holds all steps in order."""

from __future__ import annotations

from sqlite_utils import Database

from uknip_crawler.archive import sealing
from uknip_crawler.archive.schema import execute_each, migrations

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
    execute_each(db, _LAYOUTS)
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
    execute_each(db, _EVIDENCE)


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
    execute_each(db, _AUDITS)


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
    execute_each(db, _LIVES)


_WHOLE_LIVES = """
CREATE TABLE fetches_new (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    found_by TEXT NOT NULL,
    found_on TEXT,
    reason TEXT,
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    outcome TEXT,
    detail TEXT,
    status INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    redirected_to TEXT,
    fetched_at TEXT,
    etag TEXT,
    last_modified TEXT,
    body_bytes INTEGER,
    payload_sha256 TEXT,
    warc_name TEXT REFERENCES warcs (name),
    warc_offset INTEGER,
    warc_length INTEGER,
    article_id INTEGER REFERENCES articles (id),
    layout_id INTEGER REFERENCES layouts (id),
    imported_from TEXT NOT NULL DEFAULT '',
    UNIQUE (run_id, url, imported_from),
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
) STRICT;
INSERT INTO fetches_new (id, run_id, url, kind, found_by, found_on, reason, opened_at, closed_at, outcome, detail, status,
    attempts, redirected_to, fetched_at, etag, last_modified, body_bytes, payload_sha256, warc_name, warc_offset,
    warc_length, article_id, layout_id)
SELECT id, run_id, url, kind, found_by, found_on, reason, opened_at, closed_at, outcome, detail, status,
    attempts, redirected_to, fetched_at, etag, last_modified, body_bytes, payload_sha256, warc_name, warc_offset,
    warc_length, article_id, layout_id FROM fetches;
DROP TABLE fetches;
ALTER TABLE fetches_new RENAME TO fetches;
CREATE INDEX fetches_url ON fetches (url);
CREATE INDEX fetches_article ON fetches (article_id);
CREATE INDEX fetches_open ON fetches (run_id) WHERE outcome IS NULL;
CREATE INDEX fetches_record ON fetches (warc_name, warc_offset);
CREATE INDEX fetches_layout ON fetches (layout_id) WHERE layout_id IS NOT NULL;
CREATE INDEX fetches_outcome ON fetches (outcome, run_id, kind);
DROP INDEX articles_month;
CREATE INDEX articles_month ON articles (month, section);
CREATE TABLE events_new (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    run_id INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL CHECK (kind IN
        ('moved', 'metadata', 'unpublished', 'missing', 'redirected', 'protected', 'gone', 'restored', 'redacted')),
    at TEXT NOT NULL,
    detail TEXT
) STRICT;
INSERT INTO events_new SELECT id, article_id, run_id, kind, at, detail FROM events;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_article ON events (article_id);
CREATE INDEX events_run ON events (run_id);
ALTER TABLE articles ADD COLUMN time_flags TEXT;
ALTER TABLE runs ADD COLUMN rested_at TEXT;
UPDATE runs SET rested_at = finished_at;
DROP INDEX articles_layout;
CREATE INDEX articles_reading ON articles (layout_id, extractor_version);
CREATE TABLE fingerprints (
    article_id INTEGER PRIMARY KEY REFERENCES articles (id),
    content_sha256 TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE TABLE fingerprint_bands (
    band INTEGER NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    PRIMARY KEY (band, article_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE near_duplicates (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    other_id INTEGER NOT NULL REFERENCES articles (id),
    similarity REAL NOT NULL,
    shared TEXT NOT NULL,
    PRIMARY KEY (article_id, other_id),
    CHECK (article_id < other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX near_duplicates_other ON near_duplicates (other_id);
ALTER TABLE images ADD COLUMN sha256 TEXT;
ALTER TABLE images ADD COLUMN media_type TEXT;
ALTER TABLE images ADD COLUMN size_bytes INTEGER;
ALTER TABLE images ADD COLUMN width INTEGER;
ALTER TABLE images ADD COLUMN height INTEGER;
ALTER TABLE images ADD COLUMN fetched_at TEXT;
ALTER TABLE images ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN refused TEXT;
CREATE INDEX images_kept ON images (sha256) WHERE sha256 IS NOT NULL;
CREATE TABLE redactions (
    id INTEGER PRIMARY KEY,
    article_id INTEGER REFERENCES articles (id),
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE TABLE redaction_marks (
    mark TEXT PRIMARY KEY,
    redaction_id INTEGER NOT NULL REFERENCES redactions (id)
) STRICT, WITHOUT ROWID
"""


@migrations()
def m006_whole_lives(db: Database) -> None:
    """Imports bring many captures of one address in one run; a crawl still visits each address once.

    Made anew while foreign keys are off: https://sqlite.org/lang_altertable.html#otheralter
    """
    execute_each(db, _WHOLE_LIVES)


_PARTS = """
ALTER TABLE frontier ADD COLUMN part INTEGER;
ALTER TABLE articles ADD COLUMN parts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE articles ADD COLUMN missing_parts TEXT
"""


@migrations()
def m007_parts(db: Database) -> None:
    """A story in pages is one article."""
    execute_each(db, _PARTS)


_STUDIES = """
CREATE TABLE studies (
    fetch_id INTEGER PRIMARY KEY REFERENCES fetches (id),
    version INTEGER NOT NULL,
    study BLOB NOT NULL
) STRICT;
CREATE TABLE wordings (
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    why TEXT NOT NULL,
    stories INTEGER NOT NULL,
    layouts INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    share REAL NOT NULL,
    PRIMARY KEY (kind, text)
) STRICT, WITHOUT ROWID;
CREATE TABLE lore (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE furniture ADD COLUMN pages INTEGER;
ALTER TABLE furniture ADD COLUMN layouts INTEGER;
UPDATE layouts SET state = 'learning', studied = 0, agreement = NULL, rules = NULL, learned_through = NULL
"""


@migrations()
def m008_studies(db: Database) -> None:
    """What was learned with another program as teacher is learned anew; studies are kept from now on."""
    execute_each(db, _STUDIES)


@migrations()
def m009_seals(db: Database) -> None:
    """Every row has a checksum from now on."""
    execute_each(db, sealing.TABLES)
    sealing.install(db.conn)
