"""Search: words, filters, order, pages; the address of every answer can be passed on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from datasette.utils import escape_fts
from markupsafe import Markup

from uknip_crawler.browse.pages.addresses import by_address, looks_like_address, permalink
from uknip_crawler.browse.pages.asking import Ask, Elsewhere, Page, query
from uknip_crawler.browse.pages.cards import Card, cards
from uknip_crawler.browse.times import day_start

PAGE_SIZE = 20
COUNTED = 10_000
"""Matches are counted up to here, and offered page by page no further."""

_OPEN, _CLOSE = "\x02", "\x03"
_SNIPPET_WORDS = 40
_STATUSES = ("live", "gone")
_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. Days are London's, both inclusive; `order` is `relevance` or `date`."""

    words: str
    since: str
    until: str
    section: str
    tag: str
    status: str
    edited: bool
    order: str
    page: int

    @property
    def days(self) -> bool:
        return bool(self.since or self.until)

    @property
    def match(self) -> str:
        """Return the words as an FTS5 query that is always a valid one; empty for no words."""
        return str(escape_fts(self.words))

    def address(self, **changes: object) -> str:
        """Return this question's query string, with changes."""
        given: dict[str, object] = {
            "q": self.words,
            "since": self.since,
            "until": self.until,
            "section": self.section,
            "tag": self.tag,
            "status": self.status,
            "edited": "1" if self.edited else "",
            "sort": self.order if self.words and self.order == "date" else "",
            "page": self.page if self.page > 1 else "",
        }
        return query(**given | changes)


@dataclass(frozen=True, slots=True)
class Hit:
    """A story found. `headline` and `snippet` have the words found in `<mark>`."""

    card: Card
    headline: Markup
    snippet: Markup


def asked(ask: Ask) -> Question:
    """Read the question; what makes no sense is left out. `month` stands for its first and last day."""
    since, until = _day(ask.text("since")), _day(ask.text("until"))
    month = ask.text("month")
    if _MONTH.fullmatch(month) and (first := _day(f"{month}-01")):
        since = first
        until = (
            (date.fromisoformat(first) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        ).isoformat()
    status = ask.text("status")
    words = ask.text("q")
    words = words if escape_fts(words) else ""
    return Question(
        words=words,
        since=since,
        until=until,
        section=ask.text("section"),
        tag=ask.text("tag"),
        status=status if status in _STATUSES else "",
        edited=ask.text("edited") == "1",
        order="date" if ask.text("sort") == "date" or not words else "relevance",
        page=ask.number("page", 1, most=COUNTED // PAGE_SIZE),
    )


def show(ask: Ask) -> Page:
    """Show what was found, and the form to ask again."""
    question = asked(ask)
    if looks_like_address(ask, question.words) and (story := by_address(ask, question.words)):
        raise Elsewhere(permalink(story["url"]))
    found = _count(ask, question)
    is_common = question.order == "relevance" and found >= COUNTED
    if is_common:  # every second story matches: no order of merit means anything, and finding it takes long
        question = replace(question, order="date")
    ids = _found(ask, question)
    pages = min(-(-found // PAGE_SIZE), COUNTED // PAGE_SIZE)
    return Page(
        "search",
        {
            "question": question,
            "is_common": is_common,
            "hits": _hits(ask, question, ids),
            "found": found,
            "counted": COUNTED,
            "pages": pages,
            "sections": [
                row[0]
                for row in ask.rows(
                    "SELECT section FROM articles WHERE section IS NOT NULL GROUP BY section ORDER BY section"
                )
            ],
        },
    )


_DAYS = "published_at >= :begin AND published_at < :end"
_FILTERS = {
    "section": "{id} IN (SELECT id FROM articles WHERE section = :section)",
    "tag": """{id} IN (SELECT article_id FROM article_tags
        WHERE tag_id = (SELECT id FROM tags WHERE name = :tag))""",
    "edited": "{id} IN (SELECT article_id FROM revisions WHERE number = 2)",
    "days": f"{{id}} IN (SELECT id FROM articles WHERE {_DAYS})",
    "gone": "{id} IN (SELECT id FROM articles WHERE status = 'gone')",
    "live": "{id} NOT IN (SELECT id FROM articles WHERE status = 'gone')",
}
"""Each is answered from an index, and never from the long rows themselves. The plus in `{id}` keeps SQLite from
asking the search index once for every story of the list."""


def _parameters(question: Question) -> dict[str, Any]:
    since, until = (date.fromisoformat(day) if day else None for day in (question.since, question.until))
    return {
        "match": question.match,
        "section": question.section,
        "tag": question.tag,
        "begin": day_start(since) if since else "",
        "end": day_start(until + timedelta(days=1)) if until else "9",
        "size": PAGE_SIZE,
        "skip": (question.page - 1) * PAGE_SIZE,
        "counted": COUNTED,
    }


def _conditions(question: Question, number: str, besides: str = "") -> list[str]:
    filters = [name for name in ("section", "tag", "edited", "days") if getattr(question, name)]
    filters += [question.status] if question.status else []
    return [
        f"{number} NOT IN (SELECT id FROM articles WHERE status = 'redacted')",
        *(_FILTERS[name].format(id=number) for name in filters if name != besides),
    ]


def _by_words(question: Question) -> str:
    """Return FROM and WHERE of the matches in the search index."""
    conditions = " AND ".join(["articles_fts MATCH :match", *_conditions(question, "+f.rowid")])
    return f"FROM articles_fts AS f WHERE {conditions}"


def _by_date(question: Question) -> str:
    """Return FROM and WHERE of the stories, to be walked through in the order of their days."""
    conditions = _conditions(question, "+a.id", besides="days") + ([_DAYS] if question.days else [])
    if question.words:
        conditions.append("+a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :match)")
    return f"FROM articles AS a WHERE {' AND '.join(conditions)}"


def _count(ask: Ask, question: Question) -> int:
    source = _by_words(question) if question.words else _by_date(question)
    return int(ask.value(f"SELECT count(*) FROM (SELECT 1 {source} LIMIT :counted)", **_parameters(question)))


def _found(ask: Ask, question: Question) -> list[int]:
    if question.order == "relevance":
        sql = f"SELECT f.rowid {_by_words(question)} ORDER BY bm25(articles_fts) LIMIT :size OFFSET :skip"
    else:
        sql = f"SELECT a.id {_by_date(question)} ORDER BY a.published_at DESC, a.url DESC LIMIT :size OFFSET :skip"
    return [row[0] for row in ask.rows(sql, **_parameters(question))]


def _hits(ask: Ask, question: Question, ids: list[int]) -> list[Hit]:
    marked = {}
    if question.words and ids:
        numbers = ", ".join(str(number) for number in ids)
        marked = {
            row[0]: (row[1], row[2])
            for row in ask.rows(
                f"""SELECT rowid, highlight(articles_fts, 0, :open, :close),
                snippet(articles_fts, 2, :open, :close, '…', {_SNIPPET_WORDS})
                FROM articles_fts WHERE articles_fts MATCH :match AND rowid IN ({numbers})""",
                match=question.match,
                open=_OPEN,
                close=_CLOSE,
            )
        }
    hits = []
    for card in cards(ask, ids):
        headline, snippet = marked.get(card.story["id"], (card.story["headline"], card.story["opening"]))
        hits.append(Hit(card, _marked(headline or "(no headline)"), _marked(snippet or "")))
    return hits


def _marked(text: str) -> Markup:
    """Return a text in which what stands between the signs is marked; the text itself stays text."""
    shown = Markup()
    for place, piece in enumerate(text.split(_OPEN)):
        if place == 0:
            shown += Markup.escape(piece.replace(_CLOSE, ""))
            continue
        inside, _, after = piece.partition(_CLOSE)
        shown += Markup("<mark>{}</mark>{}").format(inside, after.replace(_CLOSE, ""))
    return shown


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 1900 <= day.year < 3000 else ""
