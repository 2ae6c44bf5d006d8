"""What hangs on stories: their rows, versions, addresses, events, and the parts of what is shown of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import transaction
from uknip_crawler.archive.union.fates import tell_fates
from uknip_crawler.archive.union.runs import Source, attached
from uknip_crawler.archive.union.stories import Alias, Row, Story, Told

_SHOWN = "FROM src.{0} AS t JOIN story_map AS s ON s.src = :src AND s.old = t.article_id AND s.is_shown"


def insert_stories(db: Database, sources: Sequence[Source], told: Told) -> None:
    """Write every story with all that hangs on it. `insert_fetches` must have been."""
    with transaction(db):
        _prepare(db)
    columns = [
        row[1]
        for row in db.conn.execute("PRAGMA table_info(articles)").fetchall()
        if row[1]
        not in ("id", "url", "layout_id", "fetch_id", "duplicate_of", "missed_run_id", "extractor_version")
    ]
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            run(
                f"INSERT INTO main.articles (id, url, layout_id, fetch_id, extractor_version, {', '.join(columns)}) "
                "SELECT s.new, iif(t.status = 'redacted', 'redacted:' || :src || ':' || t.id, t.url), l.id, f.new, '', "
                f"{', '.join(f't.{name}' for name in columns)} FROM src.articles AS t "
                "JOIN story_map AS s ON s.src = :src AND s.old = t.id AND s.is_shown JOIN fetch_map AS f "
                "ON f.src = :src AND f.old = t.fetch_id LEFT JOIN src.layouts AS had ON had.id = t.layout_id "
                "LEFT JOIN main.layouts AS l ON l.skeleton = had.skeleton",
                {"src": number},
            )
            run(
                "INSERT INTO misses SELECT :src, id, missed_run_id FROM src.articles WHERE missed_run_id IS NOT NULL",
                {"src": number},
            )
            _insert_parts(run, number)
            run(
                "INSERT INTO states SELECT s.new, t.captured_at, t.content_sha256, t.modified_at, t.headline, t.standfirst, "
                "t.body, t.word_count, f.new, t.kind, t.added_words, t.removed_words FROM src.revisions AS t "
                "JOIN story_map AS s ON s.src = :src AND s.old = t.article_id JOIN fetch_map AS f ON f.src = :src AND f.old = t.fetch_id",
                {"src": number},
            )
            run(
                "INSERT INTO happened SELECT s.new, r.new, t.kind, t.at, t.detail, :src, t.id, s.is_shown FROM src.events AS t "
                "JOIN story_map AS s ON s.src = :src AND s.old = t.article_id JOIN run_map AS r ON r.src = :src AND r.old = t.run_id",
                {"src": number},
            )
    with transaction(db):
        _settle(db, told)


def _prepare(db: Database) -> None:
    execute = db.conn.execute
    execute(
        "CREATE TEMP TABLE states (story INTEGER, captured_at TEXT, content_sha256 TEXT, modified_at TEXT, headline TEXT, "
        "standfirst TEXT, body TEXT, word_count INTEGER, fetch_id INTEGER, kind TEXT, added INTEGER, removed INTEGER)"
    )
    execute("CREATE TEMP TABLE misses (src INTEGER, old INTEGER, run INTEGER, PRIMARY KEY (src, old))")
    execute(
        "CREATE TEMP TABLE happened (story INTEGER, run INTEGER, kind TEXT, at TEXT, detail TEXT, src INTEGER, old INTEGER, "
        "is_shown INTEGER)"
    )


def _insert_parts(run: Callable[..., Any], number: int) -> None:
    """Copy what is shown of a story from the source whose row is; reading again makes all of it anew."""
    src = {"src": number}
    for table, joining in (("authors", "article_authors"), ("tags", "article_tags")):
        named = f"{_SHOWN.format(joining)} JOIN src.{table} AS n ON n.id = t.{table.removesuffix('s')}_id"
        run(f"INSERT OR IGNORE INTO main.{table} (name) SELECT DISTINCT n.name {named} ORDER BY 1", src)
        run(
            f"INSERT INTO main.{joining} SELECT s.new, t.position, m.id {named} JOIN main.{table} AS m ON m.name = n.name",
            src,
        )
    pictured = f"{_SHOWN.format('article_images')} JOIN src.images AS i ON i.id = t.image_id"
    run(f"INSERT OR IGNORE INTO main.images (url) SELECT DISTINCT i.url {pictured} ORDER BY 1", src)
    run(
        "INSERT INTO main.article_images SELECT s.new, t.position, m.id, t.is_lead, t.alt, t.caption, t.credit "
        f"{pictured} JOIN main.images AS m ON m.url = i.url",
        src,
    )
    run(f"INSERT INTO main.links SELECT s.new, t.position, t.url, t.text {_SHOWN.format('links')}", src)
    run(
        f"INSERT INTO main.evidence SELECT s.new, t.position, t.field, t.source, t.raw, t.value {_SHOWN.format('evidence')}",
        src,
    )


def _settle(db: Database, told: Told) -> None:
    """Say of each story what all its rows say together."""
    execute = db.conn.execute
    for number, story in enumerate(told.stories, start=1):
        if len(story.rows) == 1:
            continue
        execute(
            "UPDATE articles SET first_seen_at = ?, last_seen_at = ? WHERE id = ?",
            (story.first_seen_at, story.last_seen_at, number),
        )
    execute(
        "UPDATE articles SET missed_run_id = (SELECT m.new FROM story_map AS s JOIN misses AS x ON x.src = s.src AND x.old = s.old "
        "JOIN run_map AS m ON m.src = s.src AND m.old = x.run WHERE s.new = articles.id AND s.is_shown) "
        "WHERE id NOT IN (SELECT new FROM story_map GROUP BY new HAVING count(*) > 1)"
    )
    execute(
        "INSERT INTO revisions (article_id, number, captured_at, modified_at, headline, standfirst, body, word_count, "
        "content_sha256, fetch_id, kind, added_words, removed_words) "
        "SELECT story, row_number() OVER (PARTITION BY story ORDER BY captured_at, content_sha256), captured_at, modified_at, "
        "headline, standfirst, body, word_count, content_sha256, fetch_id, kind, added, removed FROM (SELECT *, "
        "lag(content_sha256) OVER (PARTITION BY story ORDER BY captured_at, content_sha256, fetch_id) AS before FROM states) "
        "WHERE content_sha256 IS NOT before"
    )
    execute(
        "UPDATE revisions SET kind = NULL WHERE article_id IN (SELECT new FROM story_map GROUP BY new HAVING count(*) > 1)"
    )
    execute(
        "UPDATE articles SET revision_count = (SELECT count(*) FROM revisions WHERE article_id = articles.id) "
        "WHERE status <> 'redacted'"
    )
    execute(
        "INSERT INTO events (article_id, run_id, kind, at, detail) SELECT story, run, kind, at, detail FROM happened "
        "WHERE kind <> 'metadata' OR is_shown GROUP BY story, run, kind, at, detail ORDER BY at, run, story, kind, detail"
    )
    _insert_aliases(db, told)
    tell_fates(db, [number for number, story in enumerate(told.stories, start=1) if len(story.rows) > 1])
    _insert_redactions(db, told)


def _insert_aliases(db: Database, told: Told) -> None:
    """Write all other addresses; one that leads to two stories is the one's to which it led last."""
    own = {story.shown.url for story in told.stories}
    found: dict[str, tuple[tuple[str, ...], int, Alias]] = {}
    for number, story in enumerate(told.stories, start=1):
        for alias in _addresses(story):
            if alias.url in own:
                continue
            rank = (alias.last_seen_at, story.shown.url)
            held = found.get(alias.url)
            if held is not None and held[1] == number:
                first, last = min(held[2], alias, key=_first), max(held[2], alias, key=_last)
                joined = Alias(alias.url, first.evidence, first.first_seen_at, last.last_seen_at)
                found[alias.url] = (max(held[0], rank), number, joined)
            elif held is None or rank > held[0]:
                found[alias.url] = (rank, number, alias)
    db.conn.executemany(
        "INSERT INTO aliases VALUES (?, ?, ?, ?, ?)",
        [
            (url, number, one.evidence, one.first_seen_at, one.last_seen_at)
            for url, (_, number, one) in sorted(found.items())
        ],
    )
    for number, story in enumerate(told.stories, start=1):
        for row in story.rows:
            if row.url != story.shown.url:
                _note_move(
                    db,
                    number,
                    row.url,
                    story.shown,
                    found[row.url][2].evidence if row.url in found else _why(row, story.shown),
                )


def _addresses(story: Story) -> Iterator[Alias]:
    """Yield every address of a story but the one it is shown at."""
    known = {alias.url: alias for alias in story.all_aliases()}
    yield from story.all_aliases()
    for row in story.rows:
        if row.url != story.shown.url:
            why = known[row.url].evidence if row.url in known else _why(row, story.shown)
            yield Alias(row.url, why, row.first_seen_at, row.last_seen_at)


def _why(row: Row, shown: Row) -> str:
    is_numbered = row.post_id is not None and row.post_id == shown.post_id
    return "post number" if is_numbered else "same text and slug"


def _note_move(db: Database, number: int, left: str, shown: Row, why: str) -> None:
    """Record that a story moved between the captures of two archives, unless one of them saw it."""
    db.conn.execute(
        "INSERT INTO events (article_id, run_id, kind, at, detail) SELECT ?1, run_id, 'moved', fetched_at, ?2 FROM fetches "
        "WHERE article_id = ?1 AND url = ?3 AND status = 200 AND NOT EXISTS (SELECT 1 FROM events WHERE article_id = ?1 "
        "AND kind = 'moved' AND instr(detail, ?4) = 1) ORDER BY fetched_at, run_id LIMIT 1",
        (number, f"{left} → {shown.url} ({why})", shown.url, f"{left} → "),
    )


def _first(alias: Alias) -> tuple[str, str]:
    return alias.first_seen_at, alias.evidence


def _last(alias: Alias) -> tuple[str, str]:
    return alias.last_seen_at, alias.evidence


def _insert_redactions(db: Database, told: Told) -> None:
    """Write all redactions, unfinished: what is left to do of each, and its tombstone in the captures, comes after."""
    execute = db.conn.execute
    numbers: dict[int, int] = {}
    for place, redacted in enumerate(told.redactions, start=1):
        numbers[id(redacted)] = place
        owner = (
            execute(
                "SELECT new FROM story_map WHERE (src, old) IN (SELECT ?, ?)", redacted.tombstones[0]
            ).fetchone()
            if redacted.tombstones
            else None
        )
        execute(
            "INSERT INTO redactions (id, article_id, at, reason) VALUES (?, ?, ?, ?)",
            (place, owner[0] if owner else None, redacted.at, redacted.reason),
        )
        execute(
            "UPDATE articles SET url = ? WHERE id = ? AND status = 'redacted'",
            (f"redacted:{place}", owner[0] if owner else None),
        )
        db.conn.executemany(
            "INSERT OR IGNORE INTO redaction_marks VALUES (?, ?)",
            [(mark, place) for mark in sorted(redacted.marks)],
        )
    for number, story in enumerate(told.stories, start=1):
        if story.redacted is None:
            continue
        place = numbers[id(story.redacted)]
        held = execute(
            "UPDATE redactions SET article_id = ?1 WHERE id = ?2 AND coalesce(article_id, ?1) = ?1",
            (number, place),
        )
        if not held.rowcount:  # a second story of the same: rows that only the redacted one would have joined
            execute(
                "INSERT INTO redactions (article_id, at, reason) VALUES (?, ?, ?)",
                (number, story.redacted.at, story.redacted.reason),
            )
