"""Which modification dates were written by a migration of the site: many old stories "modified" on one day."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from sqlite_utils import Database

from uknip_crawler.archive.database import as_moment
from uknip_crawler.times import LONDON

LONG_AFTER = timedelta(days=180)
MANY = 20
SHARE = 0.2


def mark_migrations(db: Database) -> int:
    """Set `articles.modified_is_migration` anew for every story; return how many carry it.

    A migration is a day in London on which at least 20 stories, and a fifth of all, say that they were modified
    more than 180 days after their publication. Runs inside the caller's transaction.
    """
    execute = db.conn.execute
    rows = execute(
        "SELECT id, published_at, modified_at FROM articles "
        "WHERE published_at IS NOT NULL AND modified_at IS NOT NULL"
    )
    late = {
        article_id: _day(modified_at)
        for article_id, published_at, modified_at in rows
        if _day(modified_at) - _day(published_at) > LONG_AFTER
    }
    stories = execute("SELECT count(*) FROM articles").fetchone()[0]
    counts = Counter(late.values())
    days = {day for day, count in counts.items() if count >= MANY and count >= SHARE * stories}
    wanted = {article_id for article_id, day in late.items() if day in days}
    marked = {row[0] for row in execute("SELECT id FROM articles WHERE modified_is_migration = 1")}
    changed = [(int(article_id in wanted), article_id) for article_id in wanted ^ marked]
    # only what changes: every write to a story also writes the search index
    db.conn.executemany("UPDATE articles SET modified_is_migration = ? WHERE id = ?", changed)
    return len(wanted)


def _day(text: str) -> date:
    moment = as_moment(text)
    return moment.astimezone(LONDON).date() if isinstance(moment, datetime) else moment
