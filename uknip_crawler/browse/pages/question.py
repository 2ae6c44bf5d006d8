"""What is looked for: words, filters, order and page of a search, as its address, as SQL, and as an export."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from uknip_crawler.browse.pages.asking import Ask, query
from uknip_crawler.browse.times import london_day
from uknip_crawler.browse.wanted import Wanted, understood
from uknip_crawler.export.selection import Selection, day_start

SIZES = (20, 50, 100)
ORDERS = ("relevance", "date", "oldest")
_STATUSES = ("live", "gone")
_MONTH = re.compile(r"\d{4}-\d{2}")
_PLAIN = re.compile(r"[^\WA-Z]+(?: [^\WA-Z]+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. Days are London's, both inclusive; `order` is one of ORDERS, `date` the newest first."""

    words: str
    wanted: Wanted
    since: str
    until: str
    section: str
    tag: str
    author: str
    status: str
    edited: bool
    with_images: bool
    order: str
    size: int
    page: int

    @property
    def days(self) -> bool:
        return bool(self.since or self.until)

    @property
    def month(self) -> str:
        """The month that the days are, `2024-06`; empty where they are not just one."""
        return (
            self.since[:7] if self.since and _month_days(self.since[:7]) == (self.since, self.until) else ""
        )

    @property
    def is_everything(self) -> bool:
        """Whether neither words nor filters leave any story out."""
        return not (
            self.words or self.days or self.section or self.tag or self.author or self.status
        ) and not (self.edited or self.with_images)

    def address(self, **changes: object) -> str:
        """Return this question's query string, with changes; what is not changed begins at its first page."""
        given: dict[str, object] = {
            "q": self.words,
            "since": self.since,
            "until": self.until,
            "section": self.section,
            "tag": self.tag,
            "author": self.author,
            "status": self.status,
            "edited": "1" if self.edited else "",
            "with_images": "1" if self.with_images else "",
            "sort": self.order if self.order != ("relevance" if self.words else "date") else "",
            "size": self.size if self.size != SIZES[0] else "",
        }
        return query(**given | changes)

    @property
    def told(self) -> list[str]:
        """The question in words, a part for each word and filter."""
        days = ""
        if self.days:
            first, last = (london_day(day) if day else "" for day in (self.since, self.until))
            days = (
                f"of {first}"
                if first == last
                else " ".join([*(["from", first] if first else []), *(["to", last] if last else [])])
            )
        parts = (
            self.words and f"with {self.wanted.told}",
            self.section and f"in {self.section}",
            self.tag and f"tagged {self.tag}",
            self.author and f"by {self.author}",
            days,
            {"live": "still on the site", "gone": "gone from the site", "": ""}[self.status],
            self.edited and "edited after publication",
            self.with_images and "with pictures",
        )
        return [part for part in parts if part]

    def selection(self) -> Selection:
        """Return the same stories for an export."""
        since, until = (date.fromisoformat(day) if day else None for day in (self.since, self.until))
        return Selection(
            since=since,
            until=until,
            section=self.section or None,
            tag=self.tag or None,
            author=self.author or None,
            search=self.wanted.match or None,
            status=self.status or None,
            edited=self.edited or None,
            with_images=self.with_images or None,
        )

    def export_line(self, format_name: str) -> str:
        """Return the command that exports the same stories, as a shell takes it."""
        # plain words are read by the export as they are here
        named = (
            ("search", self.words if _PLAIN.fullmatch(self.words) else self.wanted.match),
            ("section", self.section),
            ("tag", self.tag),
            ("author", self.author),
            ("since", self.since),
            ("until", self.until),
            ("status", self.status),
        )
        options = [part for name, value in named if value for part in _option(name, value)]
        options += ["--edited"] * self.edited + ["--with-images"] * self.with_images
        return shlex.join(["uknip", "export", format_name, *options])

    def parameters(self) -> dict[str, Any]:
        """Return the values of `source` and of what narrows it."""
        since, until = (date.fromisoformat(day) if day else None for day in (self.since, self.until))
        return {
            "match": self.wanted.match,
            "section": self.section,
            "tag": self.tag,
            "author": self.author,
            "begin": day_start(since) if since else "",
            "end": day_start(until + timedelta(days=1)) if until else "9",
        }

    def source(self) -> str:
        """Return a SELECT of the numbers of all stories asked for."""
        number = "+f.rowid" if self.words else "+a.id"
        names = [
            name
            for name in ("section", "tag", "author", "edited", "with_images", "days")
            if getattr(self, name)
        ]
        names += [self.status] if self.status else []
        conditions = [f"{number} NOT IN {_REDACTED}", *(_FILTERS[name].format(id=number) for name in names)]
        if not self.words:
            return f"SELECT a.id AS number FROM articles AS a WHERE {' AND '.join(conditions)}"
        return f"SELECT f.rowid AS number FROM articles_fts AS f WHERE {' AND '.join(['articles_fts MATCH :match', *conditions])}"


_REDACTED = "(SELECT id FROM articles WHERE status = 'redacted')"
_FILTERS = {
    "section": "{id} IN (SELECT id FROM articles WHERE section = :section)",
    "tag": """{id} IN (SELECT article_id FROM article_tags
        WHERE tag_id = (SELECT id FROM tags WHERE name = :tag))""",
    "author": """{id} IN (SELECT article_id FROM article_authors
        WHERE author_id = (SELECT id FROM authors WHERE name = :author))""",
    "edited": "{id} IN (SELECT article_id FROM revisions WHERE number = 2)",
    "with_images": "{id} IN (SELECT article_id FROM article_images INDEXED BY article_images_image)",
    "days": "{id} IN (SELECT id FROM articles WHERE published_at >= :begin AND published_at < :end)",
    "gone": "{id} IN (SELECT id FROM articles WHERE status = 'gone')",
    "live": "{id} NOT IN (SELECT id FROM articles WHERE status = 'gone')",
}
"""Each is answered from an index, and never from the long rows themselves. The plus in `{id}` keeps SQLite from
asking the search index once for every story of the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """The stories found: how many, and whether that is all there are; if not, `temp.found` holds their numbers."""

    count: int
    is_everything: bool

    def within(self, column: str) -> str:
        """Return the condition that a column holds the number of a story found."""
        return f"+{column} NOT IN {_REDACTED}" if self.is_everything else f"+{column} IN temp.found"


def found(ask: Ask, question: Question) -> Found:
    """Look for the stories; everything else on the page is told from their numbers."""
    counts = ask.rows("SELECT status, count(*) AS stories FROM articles GROUP BY status")
    everything = sum(row["stories"] for row in counts if row["status"] != "redacted")
    if question.is_everything:
        return Found(everything, is_everything=True)
    count = ask.gather(question.source(), **question.parameters())
    return Found(count, is_everything=count == everything)


def asked(ask: Ask) -> Question:
    """Read the question; what makes no sense is left out. `month` stands for its first and last day."""
    since, until = _day(ask.text("since")), _day(ask.text("until"))
    since, until = _month_days(ask.text("month")) or (since, until)
    status, order, size = ask.text("status"), ask.text("sort"), ask.number("size", SIZES[0])
    words = ask.text("q")
    wanted = understood(words)
    words = words if wanted.match else ""
    return Question(
        words=words,
        wanted=wanted,
        since=since,
        until=until,
        section=ask.text("section"),
        tag=ask.text("tag"),
        author=ask.text("author"),
        status=status if status in _STATUSES else "",
        edited=ask.text("edited") == "1",
        with_images=ask.text("with_images") == "1",
        order=order if order in ORDERS[not words :] else ORDERS[not words],
        size=size if size in SIZES else SIZES[0],
        page=ask.number("page", 1),
    )


def _option(name: str, value: str) -> list[str]:
    # with = a value that begins with a dash is no option of its own
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def _month_days(month: str) -> tuple[str, str] | None:
    """Return the first and last day of a month written like `2024-06`, or None for what is no month."""
    first = _day(f"{month}-01") if _MONTH.fullmatch(month) else ""
    if not first:
        return None
    last = (date.fromisoformat(first) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first, last.isoformat()


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 1900 <= day.year < 3000 else ""
