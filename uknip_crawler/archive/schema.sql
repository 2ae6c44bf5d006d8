-- The archive's tables in their first form; what changed since is in migrations.py, what each column means in docs/schema.md.

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
    version TEXT NOT NULL,
    rested_at TEXT
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
CREATE INDEX fetches_url ON fetches (url);
CREATE INDEX fetches_article ON fetches (article_id);
CREATE INDEX fetches_open ON fetches (run_id) WHERE outcome IS NULL;
CREATE INDEX fetches_record ON fetches (warc_name, warc_offset);
CREATE INDEX fetches_layout ON fetches (layout_id) WHERE layout_id IS NOT NULL;
CREATE INDEX fetches_outcome ON fetches (outcome, run_id, kind);

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
    article_id INTEGER REFERENCES articles (id),
    listed_said TEXT,
    reason TEXT,
    part INTEGER
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
    month TEXT GENERATED ALWAYS AS (substr(published_at, 1, 7)) VIRTUAL,
    modified_is_migration INTEGER NOT NULL DEFAULT 0 CHECK (modified_is_migration IN (0, 1)),
    time_flags TEXT,
    parts INTEGER NOT NULL DEFAULT 1,
    missing_parts TEXT
) STRICT;
CREATE INDEX articles_published ON articles (published_at, url);
CREATE INDEX articles_post ON articles (post_id);
CREATE INDEX articles_content ON articles (content_sha256);
CREATE INDEX articles_section ON articles (section);
CREATE INDEX articles_status ON articles (status);
CREATE INDEX articles_duplicate ON articles (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX articles_fetch ON articles (fetch_id);
CREATE INDEX articles_missed ON articles (missed_run_id) WHERE missed_run_id IS NOT NULL;
CREATE INDEX articles_month ON articles (month, section);
CREATE INDEX articles_reading ON articles (layout_id, extractor_version);

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
    kind TEXT,
    added_words INTEGER,
    removed_words INTEGER,
    UNIQUE (article_id, number)
) STRICT;
CREATE INDEX revisions_fetch ON revisions (fetch_id);
CREATE INDEX revisions_kind ON revisions (kind);
CREATE INDEX revisions_unclassified ON revisions (id) WHERE kind IS NULL;

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
    kind TEXT NOT NULL CHECK (kind IN ('moved', 'metadata', 'unpublished', 'missing', 'redirected', 'protected', 'gone', 'restored', 'redacted')),
    at TEXT NOT NULL,
    detail TEXT
) STRICT;
CREATE INDEX events_article ON events (article_id);
CREATE INDEX events_run ON events (run_id);

CREATE TABLE authors (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE article_authors (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    author_id INTEGER NOT NULL REFERENCES authors (id),
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_authors_author ON article_authors (author_id);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE article_tags (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    position INTEGER NOT NULL,
    tag_id INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (article_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_tags_tag ON article_tags (tag_id);

CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    sha256 TEXT,
    media_type TEXT,
    size_bytes INTEGER,
    width INTEGER,
    height INTEGER,
    fetched_at TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    refused TEXT
) STRICT;
CREATE INDEX images_kept ON images (sha256) WHERE sha256 IS NOT NULL;

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

CREATE TABLE furniture (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    rule TEXT NOT NULL,
    place TEXT,
    verdict TEXT CHECK (verdict IN ('keep', 'strip')),
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    pages INTEGER,
    layouts INTEGER,
    UNIQUE (text, rule)
) STRICT;

CREATE TABLE article_furniture (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    furniture_id INTEGER NOT NULL REFERENCES furniture (id),
    PRIMARY KEY (article_id, furniture_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_furniture_furniture ON article_furniture (furniture_id);

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
CREATE INDEX audit_stories_article ON audit_stories (article_id);

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
;
