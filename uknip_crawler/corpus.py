"""The archive as a corpus for notebooks and scripts: stories and their revisions as plain typed objects, read-only.

from uknip_crawler import Corpus

corpus = Corpus("archive")
for article in corpus.articles(section="breaking", since="2026-01-01"):
    print(article.published_at, article.headline)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.database import as_moment
from uknip_crawler.export import Recipe
from uknip_crawler.export.recipe import selection_of
from uknip_crawler.export.snapshot import snapshot
from uknip_crawler.models import Moment


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image as an article shows it."""

    url: str
    alt: str | None
    caption: str | None
    credit: str | None


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """A story as its latest capture reads: the export record, see docs/exporting.md.

    Times are aware datetimes in UTC, or a date (the day in London) where the page prints no time.
    """

    url: str
    aliases: tuple[str, ...]
    headline: str
    kicker: str | None
    standfirst: str | None
    authors: tuple[str, ...]
    section: str | None
    tags: tuple[str, ...]
    published_at: Moment | None
    modified_at: Moment | None
    body: str
    images: tuple[ImageRecord, ...]
    language: str | None
    word_count: int
    status: str
    revisions: int
    duplicate_of: str | None
    first_seen_at: Moment
    last_seen_at: Moment
    captured_at: Moment
    layout: str | None
    extractor_version: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """One state of a story's headline and text; `number` counts from 1, `kind` says what the edit was."""

    article_url: str
    number: int
    captured_at: Moment
    modified_at: Moment | None
    kind: str | None
    headline: str
    standfirst: str | None
    body: str
    word_count: int
    added_words: int | None
    removed_words: int | None
    content_sha256: str


class Filters(TypedDict, total=False):
    """What narrows an iteration, as in `uknip export`. Days are days in London, both inclusive, such as "2026-03-31"."""

    since: date | str
    until: date | str
    section: str
    tag: str
    search: str
    status: Literal["live", "gone"]
    limit: int


class Corpus:
    """The stories of an archive, open for reading also while a crawl writes to it. It holds nothing open and needs no closing.

    Each iteration reads one moment of the archive, oldest story first, one record at a time. Redacted stories are in
    none. Raises UsageError when there is no archive in the folder, StorageError when it cannot be read.
    """

    def __init__(self, directory: str | PathLike[str] = "archive") -> None:
        self.directory = Path(directory)
        open_readonly(self.directory).close()

    def __repr__(self) -> str:
        return f"Corpus({str(self.directory)!r})"

    def __len__(self) -> int:
        """Return how many articles there are."""
        with snapshot(self.directory) as moment:
            return moment.rows(Recipe("jsonl"), "articles", "jsonl")[0]

    def __iter__(self) -> Iterator[ArticleRecord]:
        return self.articles()

    def articles(self, **filters: Unpack[Filters]) -> Iterator[ArticleRecord]:
        """Iterate over articles; without filters, over all. Raises UsageError for a day that is none."""
        return (ArticleRecord(**values) for values in self._records(_recipe("articles", filters)))

    def revisions(self, **filters: Unpack[Filters]) -> Iterator[RevisionRecord]:
        """Iterate over the revisions of the articles that `articles` gives for the same filters."""
        return (RevisionRecord(**values) for values in self._records(_recipe("revisions", filters)))

    def _records(self, recipe: Recipe) -> Iterator[dict[str, Any]]:
        (table,) = recipe.tables
        fields = recipe.chosen(table)
        with snapshot(self.directory) as moment:
            for (record,) in moment.rows(recipe, table, recipe.format)[1]:
                values = json.loads(record)  # type: ignore[arg-type]  # json_object() yields text
                yield {field.name: _value(values[field.name], field.type) for field in fields}


def _recipe(table: str, filters: Filters) -> Recipe:
    texts = {name: str(value) if isinstance(value, date) else value for name, value in filters.items()}
    return Recipe("jsonl", (table,), selection=selection_of(texts))


def _value(value: Any, kind: str) -> Any:
    if kind in ("instant", "moment"):
        return None if value is None else as_moment(value)
    if kind == "images":
        return tuple(ImageRecord(**image) for image in value)
    return tuple(value) if kind == "list" else value
