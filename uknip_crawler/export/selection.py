"""Which articles an export takes (days in London, section, tag, status, words, how many) and what belongs to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.errors import UsageError
from uknip_crawler.export.tables import HIDDEN
from uknip_crawler.times import LONDON

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export; None takes everything. `since` and `until` are days in London, both inclusive.

    Section, tag, author and status are compared whole, ASCII letters in either case. An undated article is in no
    span of days. `edited` and `with_images` take those edited after publication, and those with images. `search` is full-text (headline, standfirst, body); blank counts as None. `limit` takes the first
    articles only. Revisions, images and visits are those of the selected articles.
    """

    since: date | None = None
    until: date | None = None
    section: str | None = None
    tag: str | None = None
    author: str | None = None
    search: str | None = None
    status: str | None = None
    edited: bool | None = None
    with_images: bool | None = None
    limit: int | None = None

    def where(self, db: Database, table: str = "articles") -> tuple[str, dict[str, str | int]]:
        """Return the condition on a table's source and its parameters. Redacted articles are never in it.

        The ledger without any filter also has the visits that led to no article.
        """
        condition, parameters = self._articles(db)
        if self.limit is not None:
            first = f"SELECT a.id FROM articles AS a WHERE {condition} ORDER BY a.published_at, a.url LIMIT :limit"
            condition, parameters["limit"] = f"a.id IN ({first})", self.limit
        if table == "ledger":
            every = "(a.id IS NULL OR a.status <> 'redacted')" if self == Selection() else condition
            condition = f"{every} AND f.url NOT IN ({HIDDEN})"
        return condition, parameters

    def _articles(self, db: Database) -> tuple[str, dict[str, str | int]]:
        conditions = ["a.status <> 'redacted'"]
        parameters: dict[str, str | int] = {}
        for condition, name, value in (
            ("a.published_at >= :since", "since", day_start(self.since) if self.since else None),
            ("a.published_at < :until", "until", day_start(self.until + _DAY) if self.until else None),
            ("a.section = :section COLLATE NOCASE", "section", self.section),
            (f"a.id IN ({_TAGGED})", "tag", self.tag),
            (f"a.id IN ({_WRITTEN_BY})", "author", self.author),
            (f"(a.id IN ({_EDITED})) = :edited", "edited", self.edited),
            (f"(a.id IN ({_PICTURED})) = :with_images", "with_images", self.with_images),
            ("a.status = :status", "status", self.status),
            (f"a.id IN ({_MATCHING})", "search", match_expression(db, self.search or "") or None),
        ):
            if value is not None:
                conditions.append(condition)
                parameters[name] = _storable(value) if isinstance(value, str) else value
        return " AND ".join(conditions), parameters


_NAMES = {
    "section": "SELECT section, count(*) FROM articles WHERE status <> 'redacted' AND section IS NOT NULL GROUP BY 1",
    "tag": (
        "SELECT name, count(*) FROM tags JOIN article_tags ON tag_id = tags.id JOIN articles AS a ON a.id = article_id "
        "WHERE a.status <> 'redacted' GROUP BY 1"
    ),
    "author": (
        "SELECT name, count(*) FROM authors JOIN article_authors ON author_id = authors.id "
        "JOIN articles AS a ON a.id = article_id WHERE a.status <> 'redacted' GROUP BY 1"
    ),
}
_TOLD = 12


def require_known(dbs: Sequence[Database], selection: Selection) -> None:
    """Raise UsageError for a section, tag or author that no article has: it names those alike, and the commonest."""
    for kind, query in _NAMES.items():
        if (wanted := getattr(selection, kind)) is None:
            continue
        counts = Counter[str]()
        for db in dbs:
            counts.update(dict(db.execute(query).fetchall()))
        by_form = {_folded(name): name for name in counts}
        if _folded(_storable(wanted)) in by_form:
            continue
        alike = [by_form[form] for form in get_close_matches(_folded(wanted), by_form, n=3, cutoff=0.7)]
        told = list(dict.fromkeys([*alike, *(name for name, _ in counts.most_common(_TOLD))]))[:_TOLD]
        listed = ", ".join(f"{name!r} ({counts[name]:,})" for name in told) or "none"
        more = f" and {len(counts) - len(told):,} more" if len(counts) > len(told) else ""
        raise UsageError(f"no article has the {kind} {wanted!r}: there are {listed}{more}")


def _folded(text: str) -> str:
    """Return a name as SQLite's NOCASE compares it: ASCII letters in lower case."""
    return "".join(char.lower() if char.isascii() else char for char in text)


_TAGGED = (
    "SELECT article_id FROM article_tags JOIN tags ON tags.id = tag_id WHERE tags.name = :tag COLLATE NOCASE"
)
_WRITTEN_BY = (
    "SELECT article_id FROM article_authors JOIN authors ON authors.id = author_id "
    "WHERE authors.name = :author COLLATE NOCASE"
)
_EDITED = "SELECT article_id FROM revisions WHERE number = 2"
_PICTURED = "SELECT article_id FROM article_images"
_MATCHING = "SELECT rowid FROM articles_fts WHERE articles_fts MATCH :search"


def parse_day(text: str) -> date:
    """Read `2026-03-31`. Raises UsageError for anything else."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        day = date.min
    if not 1900 <= day.year < 3000:
        raise UsageError(f"{text!r} is not a day: write it like 2026-03-31")
    return day


def day_start(day: date) -> str:
    """Return the text that sorts at the start of a London day among `2026-07-01` and `2026-06-30T23:00:00Z`.

    Archive times are UTC instants or, where the page printed no time, bare days in London. The smaller of the
    day and its midnight in UTC is at or before everything of the day and after everything of the day before.
    """
    midnight = datetime.combine(day, time(), LONDON).astimezone(UTC)
    return min(day.isoformat(), f"{midnight:%Y-%m-%dT%H:%M:%SZ}")


def match_expression(db: Database, search: str) -> str:
    """Return words as a full-text query that cannot fail; "" for blank.

    A valid FTS5 query (`police AND "M20"`) is used as it is; anything else (`cut-off`, `AND`, a lone quote)
    is searched for word by word.
    """
    words = " ".join(_storable(search).replace("\0", " ").split())
    if not words:
        return ""
    try:
        db.conn.execute("SELECT 1 FROM articles_fts WHERE articles_fts MATCH ? LIMIT 1", (words,)).fetchone()
    except sqlite3.OperationalError:
        return db.quote_fts(words) or '""'
    return words


def _storable(text: str) -> str:
    # a command line that is not UTF-8 arrives with lone surrogates, which SQLite cannot take
    return text.encode(errors="replace").decode()
