"""Crawls a WordPress with the command line, and keeps the archive and the truth as they were after each crawl."""

from __future__ import annotations

import difflib
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import uknip

from wordpress.site import Story, WordPress

TEXT_KINDS = ("paragraph", "heading", "list_item", "quote", "table")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crawl:
    """One crawl: how it ended, what the site was asked, the archive's tables as they were after it, the truth."""

    exit_status: int
    log: str
    requests: int
    database: Path
    stories: dict[str, Story]
    hidden: tuple[Story, ...]

    def rows(self, query: str, *parameters: object) -> list[Row]:
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, parameters)]

    def live(self) -> dict[str, Row]:
        """Return the live articles by their address."""
        return {row["url"]: row for row in self.rows("SELECT * FROM articles WHERE status = 'live'")}

    def article(self, url: str) -> Row:
        [row] = self.rows("SELECT * FROM articles WHERE url = ?", url)
        return row

    def alias(self, url: str) -> int | None:
        """Return the id of the story that an old address belongs to."""
        rows = self.rows("SELECT article_id FROM aliases WHERE url = ?", url)
        return rows[0]["article_id"] if rows else None

    def wrong(
        self, archived: Callable[[Row], object], true: Callable[[Story], object]
    ) -> dict[str, tuple[object, object]]:
        """Return what the archive has otherwise than the site, by address: (archived, true)."""
        live = self.live()
        assert live.keys() == self.stories.keys()
        pairs = {url: (archived(live[url]), true(story)) for url, story in self.stories.items()}
        return {url: pair for url, pair in pairs.items() if pair[0] != pair[1]}

    def misread(self) -> list[str]:
        """Return the blocks of text that the archive lacks (`-`) or has added (`+`), each after its address.

        A quote's source is a line of the story; captions and embeds are not.
        """
        return [
            f"{url} {line}"
            for url, article in self.live().items()
            for line in difflib.ndiff(self.stories[url].texts(*TEXT_KINDS, "cite"), _texts(article))
            if line[0] in "+-"
        ]

    def revisions(self) -> int:
        count: int = self.rows("SELECT count(*) AS n FROM revisions")[0]["n"]
        return count


def _texts(article: Row) -> list[str]:
    return [block["text"] for block in json.loads(article["blocks"]) if block["kind"] in TEXT_KINDS]


class Archivist:
    """Crawls one site into one archive, as often as asked."""

    def __init__(self, site: WordPress, folder: Path) -> None:
        self.site = site
        self.archive = folder / "archive"
        self._folder = folder
        self._crawls = 0

    def crawl(self, *options: str) -> Crawl:
        asked = len(self.site.requests())
        fast = ("--delay", "0", "--concurrency", "4")
        command = ("crawl", self.site.base_url, *options, "--archive", str(self.archive), *fast)
        done = uknip(*command, cwd=self._folder, environment=_direct())
        self._crawls += 1
        truth = self.site.truth()
        return Crawl(
            done.returncode,
            done.stdout + done.stderr,
            len(self.site.requests()) - asked,
            self._keep_database(),
            {story.url: story for story in truth if story.is_public},
            tuple(story for story in truth if not story.is_public),
        )

    def _keep_database(self) -> Path:
        kept = self._folder / f"after-{self._crawls}.db"
        with (
            closing(sqlite3.connect(self.archive / "uknip.db")) as archive,
            closing(sqlite3.connect(kept)) as copy,
        ):
            archive.backup(copy)
        return kept


def _direct() -> dict[str, str]:
    """The environment without proxies: the site is on this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
