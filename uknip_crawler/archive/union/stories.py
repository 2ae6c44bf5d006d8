"""The stories of several archives: which of them are one, whose row is shown, and which were taken out for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive.database import as_moment, transaction
from uknip_crawler.archive.redactions import marks_of
from uknip_crawler.archive.union.runs import Source
from uknip_crawler.urls import slug

_COLUMNS = (
    "id, url, post_id, headline, content_sha256, published_at, captured_at, first_seen_at, last_seen_at"
)
Texts = Sequence[Mapping[int, set[str]]]
_ALIAS = "url, evidence, first_seen_at, last_seen_at"


class Alias(NamedTuple):
    url: str
    evidence: str
    first_seen_at: str
    last_seen_at: str


class Row(NamedTuple):
    """A story as one source has it."""

    source: int
    id: int
    url: str
    post_id: int | None
    headline: str
    content_sha256: str
    published_at: str | None
    captured_at: str
    first_seen_at: str
    last_seen_at: str

    @property
    def standing(self) -> tuple[Any, ...]:
        """What decides whose row is shown: the newest capture, then contents, never the source's place."""
        return (
            self.captured_at,
            self.last_seen_at,
            self.url,
            self.content_sha256,
            self.post_id or 0,
            self.headline,
        )


@dataclass(slots=True)
class Redacted:
    """A redaction, whoever has made it; `tombstones` are what is left of its story where it was taken out."""

    at: str
    reason: str
    marks: set[str]
    held_by: set[int]
    tombstones: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Story:
    """A story that one source or several have. Its rows' aliases are by row."""

    rows: list[Row]
    aliases: dict[tuple[int, int], list[Alias]]
    redacted: Redacted | None = None

    @cached_property
    def shown(self) -> Row:
        return max(self.rows, key=lambda row: row.standing)

    @property
    def first_seen_at(self) -> str:
        return min(row.first_seen_at for row in self.rows)

    @property
    def last_seen_at(self) -> str:
        return max(row.last_seen_at for row in self.rows)

    def all_aliases(self) -> Iterator[Alias]:
        for row in self.rows:
            yield from self.aliases.get((row.source, row.id), ())


@dataclass(slots=True)
class Told:
    stories: list[Story]
    redactions: list[Redacted]


def plan_stories(db: Database, sources: Sequence[Source]) -> Told:
    """Tell which stories there are, and number them in `story_map`: those of sources, then tombstones."""
    rows: list[Row] = []
    aliases: dict[tuple[int, int], list[Alias]] = defaultdict(list)
    for number, source in enumerate(sources):
        with closing(Database(source.database)) as held:
            rows += [
                Row(number, *row)
                for row in held.conn.execute(f"SELECT {_COLUMNS} FROM articles WHERE status <> 'redacted'")
            ]
            for story, *alias in held.conn.execute(f"SELECT article_id, {_ALIAS} FROM aliases"):
                aliases[number, story].append(Alias(*alias))
    texts = [_texts(source) for source in sources]
    stories = [Story(group, aliases) for group in _same(rows, aliases, texts)]
    stories.sort(key=lambda story: (story.first_seen_at, story.shown.url))
    redactions = _redactions(sources)
    if redactions:
        _find_redacted(stories, redactions, texts)
    told = Told(stories, redactions)
    with transaction(db):
        _number(db, told)
    return told


def _same(rows: Sequence[Row], aliases: dict[tuple[int, int], list[Alias]], texts: Texts) -> list[list[Row]]:
    """Group the rows that are one story, by the rules that crawls and imports go by.

    They have one address; or, where no number of WordPress's speaks against it, an address that one has left for the
    other's, or text and slug; or they have one number and, in any version, text, headline or slug.
    """
    groups = _Groups(len(rows))
    at: dict[str, int] = {}
    likely: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups.join(place, at.setdefault(row.url, place))
        addresses = {row.url, *(alias.url for alias in aliases.get((row.source, row.id), ()))}
        slugs = {slug(url) for url in addresses} - {""}
        for url in addresses:
            likely["address", url].append(place)
        if slug(row.url):
            likely["text", row.content_sha256, slug(row.url)].append(place)
        if row.post_id is not None:
            for same in slugs | texts[row.source][row.id]:
                likely["number", row.post_id, same].append(place)
    for places in likely.values():
        for one, other in combinations(places, 2):
            numbers = {rows[place].post_id for place in (one, other)} - {None}
            if len(numbers) < 2 and rows[one].source != rows[other].source:
                groups.join(one, other)
    return [[rows[place] for place in group] for group in groups.all()]


class _Groups:
    """Things by their places, in groups that only ever grow together."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, one: int, other: int) -> None:
        one, other = self._top(one), self._top(other)
        self._above[max(one, other)] = min(one, other)

    def _top(self, one: int) -> int:
        while self._above[one] != one:
            self._above[one] = self._above[self._above[one]]
            one = self._above[one]
        return one

    def all(self) -> list[list[int]]:
        groups: dict[int, list[int]] = defaultdict(list)
        for one in range(len(self._above)):
            groups[self._top(one)].append(one)
        return list(groups.values())


# Redactions


def _redactions(sources: Sequence[Source]) -> list[Redacted]:
    """Return every redaction once: those that share a mark are one."""
    found: list[Redacted] = []
    for number, source in enumerate(sources):
        with closing(Database(source.database)) as held:
            for redaction_id, story, at, reason in held.conn.execute(
                "SELECT id, article_id, at, reason FROM redactions ORDER BY id"
            ).fetchall():
                marks = held.conn.execute(
                    "SELECT mark FROM redaction_marks WHERE redaction_id = ?", (redaction_id,)
                ).fetchall()
                buried = held.conn.execute(
                    "SELECT 1 FROM articles WHERE id = ? AND status = 'redacted'", (story,)
                ).fetchone()
                tombstones = [(number, story)] if buried else []
                found.append(Redacted(at, reason, {mark for (mark,) in marks}, {number}, tombstones))
    groups = _Groups(len(found))
    first: dict[Hashable, int] = {}
    for place, one in enumerate(found):
        for mark in one.marks:
            groups.join(place, first.setdefault(mark, place))
    joined = []
    for group in groups.all():
        all_of_it = [found[place] for place in group]
        oldest = min(all_of_it, key=lambda one: (one.at, one.reason))
        joined.append(
            Redacted(
                oldest.at,
                oldest.reason,
                set().union(*(one.marks for one in all_of_it)),
                set().union(*(one.held_by for one in all_of_it)),
                [tombstone for one in all_of_it for tombstone in one.tombstones],
            )
        )
    return sorted(joined, key=lambda one: (one.at, one.reason, sorted(one.marks)))


def _find_redacted(stories: Iterable[Story], redactions: Sequence[Redacted], texts: Texts) -> None:
    """Tell which stories somebody has taken out. One that stays where that was done is another: a copy, or what came to
    the same address later."""
    by_mark = {mark: one for one in redactions for mark in one.marks}
    for story in stories:
        for row in story.rows:
            urls = [row.url, *(alias.url for alias in story.aliases.get((row.source, row.id), ()))]
            published = as_moment(row.published_at) if row.published_at else None
            marks = marks_of(urls, row.post_id, published, texts[row.source][row.id])
            hits = [by_mark[mark] for mark in sorted(marks & by_mark.keys())]
            for redacted in hits:
                if not redacted.held_by & {one.source for one in story.rows}:
                    story.redacted = story.redacted or redacted


def _texts(source: Source) -> dict[int, set[str]]:
    """Return by story the digests of all its texts, and its headlines in small letters."""
    found: dict[int, set[str]] = defaultdict(set)
    with closing(Database(source.database)) as held:
        for story, digest, headline in held.conn.execute(
            "SELECT article_id, content_sha256, headline FROM revisions"
        ):
            found[story] |= {digest, headline.casefold()}
    return found


def _number(db: Database, told: Told) -> None:
    execute = db.conn.execute
    execute(
        "CREATE TEMP TABLE story_map (src INTEGER, old INTEGER, new INTEGER, is_shown INTEGER, PRIMARY KEY (src, old))"
    )
    execute("CREATE INDEX temp.story_map_new ON story_map (new)")
    number = 0
    buried: dict[int, int] = {}
    for number, story in enumerate(told.stories, start=1):
        for row in story.rows:
            execute(
                "INSERT INTO story_map VALUES (?, ?, ?, ?)", (row.source, row.id, number, row is story.shown)
            )
        if story.redacted is not None:
            buried.setdefault(id(story.redacted), number)
    for redacted in told.redactions:
        is_alone = id(redacted) not in buried
        number += is_alone and bool(redacted.tombstones)
        for place, (source, old) in enumerate(redacted.tombstones):
            new = number if is_alone else buried[id(redacted)]
            execute("INSERT INTO story_map VALUES (?, ?, ?, ?)", (source, old, new, is_alone and place == 0))
