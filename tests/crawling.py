"""Crawls as a user starts them, in processes of their own, and what they leave behind."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from processes import uknip

from uknip_crawler.archive import open_readonly
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.posts import Era, Post

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
FAST = ("--delay", "0", "--concurrency", "4", "--json")


def arguments(base_url: str, directory: Path, *options: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "uknip_crawler",
        "crawl",
        base_url,
        "--archive",
        str(directory),
        *FAST,
        *options,
    ]


def crawl(site: SampleSite, directory: Path, *options: str, expect: int = 0) -> dict[str, Any]:
    """Crawl the sample site, assert the exit status, and return the report."""
    done = uknip("crawl", site.base_url, "--archive", str(directory), *FAST, *options)
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stderr}\n{done.stdout}"
    report: dict[str, Any] = (
        json.loads(done.stdout) if done.stdout.startswith("{") else {"message": done.stderr}
    )
    return report


def rows(directory: Path, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    db = open_readonly(directory)
    try:
        return [tuple(row) for row in db.execute(sql, parameters).fetchall()]
    finally:
        db.close()


def content(directory: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything the archive says about stories, without ids and times of capture."""
    return {
        "articles": rows(
            directory,
            "SELECT url, headline, kicker, standfirst, section, published_at, modified_at, body, blocks, language, "
            "lead_image_url, status, revision_count, post_id, body_sha256, "
            "(SELECT url FROM articles AS other WHERE other.id = articles.duplicate_of) FROM articles ORDER BY url",
        ),
        "revisions": rows(
            directory,
            "SELECT url, number, revisions.headline, revisions.body FROM revisions "
            "JOIN articles ON articles.id = article_id ORDER BY url, number",
        ),
        "aliases": rows(
            directory,
            "SELECT aliases.url, articles.url FROM aliases JOIN articles ON articles.id = article_id ORDER BY 1",
        ),
        "authors": rows(
            directory,
            "SELECT url, name FROM article_authors JOIN articles ON articles.id = article_id "
            "JOIN authors ON authors.id = author_id ORDER BY url, position",
        ),
        "tags": rows(
            directory,
            "SELECT url, name FROM article_tags JOIN articles ON articles.id = article_id "
            "JOIN tags ON tags.id = tag_id ORDER BY url, position",
        ),
        "images": rows(
            directory,
            "SELECT articles.url, images.url, is_lead, alt, caption, credit FROM article_images "
            "JOIN articles ON articles.id = article_id JOIN images ON images.id = image_id ORDER BY 1, position",
        ),
        "links": rows(
            directory,
            "SELECT articles.url, links.url, text FROM links JOIN articles ON articles.id = article_id ORDER BY 1, position",
        ),
    }


def tables(directory: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is archived and what the next run goes by, without ids and times of our own."""
    return content(directory) | {
        "frontier": rows(
            directory,
            "SELECT frontier.url, kind, frontier.post_id, listed_on, listed_modified_at, listed_said, last_outcome, "
            "failures, articles.url FROM frontier LEFT JOIN articles ON articles.id = article_id ORDER BY 1",
        ),
        "layouts": rows(
            directory, "SELECT skeleton, state, studied, pages, agreement, rules FROM layouts ORDER BY 1"
        ),
        "sources": rows(
            directory,
            "SELECT url, kind, replace(status, 'unchanged', 'complete'), listed, cursor FROM sources ORDER BY 1",
        ),
        "events": rows(directory, "SELECT kind, url FROM events JOIN articles ON articles.id = article_id"),
        "twice": rows(
            directory,
            "SELECT url, count(*) FROM fetches WHERE outcome = 'stored' GROUP BY url HAVING count(*) > 1",
        ),
        "open": rows(directory, "SELECT url FROM fetches WHERE outcome IS NULL"),
    }


EVERYDAY = (
    Era(0.08, "A", "plain"),
    Era(0.22, "B", "classic"),
    Era(0.42, "C", "classic"),
    Era(0.47, "D", "classic"),
    Era(0.62, "E", "jnews"),
    Era(0.66, "F", "jnews"),
    Era(0.82, "G", "soledad"),
    Era(1.01, "G", "modern"),
)
"""Layouts that are read right from the first page on: what a test of the crawl needs."""


def newsroom(stories: int = 60) -> Newsroom:
    return Newsroom(stories, now=NOW, eras=EVERYDAY)


def truth(site: SampleSite) -> dict[str, Post]:
    """Return the published posts by absolute address."""
    return {site.url(post.path): post for post in site.newsroom.truth(site.base_url.rstrip("/"))}


@dataclass(frozen=True, slots=True)
class _FirstCrawl:
    archive: Path
    port: int
    requests: list[tuple[str, str, int]]


class Archived:
    """Sample sites whose first crawl, whole and undisturbed, was made once for all tests of a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._crawls: dict[int, _FirstCrawl] = {}

    def __call__(self, directory: Path, stories: int = 60) -> SampleSite:
        """Copy the archive of a newsroom of so many stories into `directory`; return its site, to be entered.

        The site has the address of that crawl, and in `requests` what it was asked then.
        """
        first = self._crawls.get(stories)
        if first is None or not is_free(first.port):
            first = self._crawls[stories] = self._crawl(stories)
        shutil.copytree(first.archive, directory, dirs_exist_ok=True)
        site = SampleSite(newsroom(stories), port=first.port)
        site.requests.extend(first.requests)
        return site

    def _crawl(self, stories: int) -> _FirstCrawl:
        archive = self._folder / f"{stories}-{len(list(self._folder.iterdir()))}"
        with SampleSite(newsroom(stories)) as site:
            crawl(site, archive)
            return _FirstCrawl(archive, int(site.base_url.rstrip("/").rpartition(":")[2]), site.requests)


def is_free(port: int) -> bool:
    """Tell whether a site can have the port that another one had before."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
