"""The archive's tables, as migrations. docs/schema.md describes every table and column for readers."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("uknip")

_TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('crawl', 'import', 'replay')),
    base_url TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    exit_status INTEGER,
    end_reason TEXT,
    requests INTEGER NOT NULL DEFAULT 0,
    received_bytes INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL DEFAULT '{}',
    version TEXT NOT NULL
) STRICT;

CREATE TABLE warcs (
    name TEXT PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    size_bytes INTEGER
) STRICT;

CREATE TABLE fetches (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    found_by TEXT NOT NULL,
    found_on TEXT,
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
    UNIQUE (run_id, url),
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX fetches_url ON fetches (url);
CREATE INDEX fetches_article ON fetches (article_id);
CREATE INDEX fetches_open ON fetches (run_id) WHERE outcome IS NULL;
CREATE INDEX fetches_record ON fetches (warc_name, warc_offset);

CREATE TABLE frontier (
    url TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('article', 'listing', 'unknown')),
    found_by TEXT NOT NULL,
    found_on TEXT,
    first_seen_at TEXT NOT NULL,
    due_at TEXT,
    priority INTEGER NOT NULL DEFAULT 0,
    post_id INTEGER,
    listed_on TEXT,
    listed_at TEXT,
    listed_modified_at TEXT,
    last_fetched_at TEXT,
    last_outcome TEXT,
    etag TEXT,
    last_modified TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    article_id INTEGER REFERENCES articles (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX frontier_due ON frontier (priority DESC, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX frontier_article ON frontier (article_id);
CREATE INDEX frontier_listed ON frontier (listed_on, listed_at) WHERE listed_on IS NOT NULL;
CREATE INDEX frontier_post ON frontier (post_id) WHERE post_id IS NOT NULL;

CREATE TABLE sources (
    url TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('robots', 'rest', 'sitemap', 'feed', 'listing')),
    last_read_at TEXT,
    last_complete_at TEXT,
    status TEXT NOT NULL,
    listed INTEGER NOT NULL DEFAULT 0,
    cursor TEXT,
    etag TEXT,
    last_modified TEXT,
    detail TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE layouts (
    id INTEGER PRIMARY KEY,
    body_path TEXT NOT NULL UNIQUE,
    pages INTEGER NOT NULL DEFAULT 0,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL
) STRICT;

CREATE TABLE furniture (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    rule TEXT NOT NULL,
    pages INTEGER NOT NULL DEFAULT 0,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    UNIQUE (text, rule)
) STRICT;

CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    headline TEXT NOT NULL,
    kicker TEXT,
    standfirst TEXT,
    section TEXT,
    published_at TEXT,
    modified_at TEXT,
    body TEXT NOT NULL,
    blocks TEXT NOT NULL,
    word_count INTEGER NOT NULL,
    language TEXT,
    lead_image_url TEXT,
    status TEXT NOT NULL DEFAULT 'live' CHECK (status IN ('live', 'gone', 'redacted')),
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    last_changed_at TEXT NOT NULL,
    captured_at TEXT NOT NULL,
    gone_at TEXT,
    revision_count INTEGER NOT NULL DEFAULT 1,
    duplicate_of INTEGER REFERENCES articles (id),
    post_id INTEGER,
    layout_id INTEGER REFERENCES layouts (id),
    extractor_version TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    published_raw TEXT,
    modified_raw TEXT,
    sources TEXT NOT NULL DEFAULT '{}',
    fetch_id INTEGER NOT NULL REFERENCES fetches (id),
    missed_runs INTEGER NOT NULL DEFAULT 0,
    missed_run_id INTEGER REFERENCES runs (id),
    month TEXT GENERATED ALWAYS AS (substr(published_at, 1, 7)) VIRTUAL
) STRICT;
CREATE INDEX articles_published ON articles (published_at, url);
CREATE INDEX articles_post ON articles (post_id);
CREATE INDEX articles_content ON articles (content_sha256);
CREATE INDEX articles_section ON articles (section);
CREATE INDEX articles_month ON articles (month);
CREATE INDEX articles_status ON articles (status);
CREATE INDEX articles_duplicate ON articles (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX articles_fetch ON articles (fetch_id);
CREATE INDEX articles_missed ON articles (missed_run_id) WHERE missed_run_id IS NOT NULL;

CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    number INTEGER NOT NULL,
    captured_at TEXT NOT NULL,
    modified_at TEXT,
    headline TEXT NOT NULL,
    standfirst TEXT,
    body TEXT NOT NULL,
    word_count INTEGER NOT NULL,
    content_sha256 TEXT NOT NULL,
    fetch_id INTEGER NOT NULL REFERENCES fetches (id),
    UNIQUE (article_id, number)
) STRICT;
CREATE INDEX revisions_fetch ON revisions (fetch_id);

CREATE TABLE aliases (
    url TEXT PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    evidence TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_article ON aliases (article_id);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    run_id INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL CHECK (kind IN ('moved', 'gone', 'restored')),
    at TEXT NOT NULL,
    detail TEXT
) STRICT;
CREATE INDEX events_article ON events (article_id);

CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE article_authors (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    author_id INTEGER NOT NULL REFERENCES authors (id),
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_authors_author ON article_authors (author_id);

CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE article_tags (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    tag_id INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_tags_tag ON article_tags (tag_id);

CREATE TABLE images (id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE article_images (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    image_id INTEGER NOT NULL REFERENCES images (id),
    is_lead INTEGER NOT NULL CHECK (is_lead IN (0, 1)),
    alt TEXT,
    caption TEXT,
    credit TEXT,
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_images_image ON article_images (image_id);

CREATE TABLE links (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    url TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_url ON links (url);
"""


def execute_each(db: Database, statements: str) -> None:
    """Run statements one by one, within the migration's transaction; `executescript` would end it."""
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m001_tables(db: Database) -> None:
    execute_each(db, _TABLES)
    db.table("articles").enable_fts(
        ["headline", "standfirst", "body"],
        tokenize="porter unicode61 remove_diacritics 2",
        create_triggers=True,
    )
