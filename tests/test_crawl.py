"""The main job on the sample site: everything found, every field right, and the second run costs next to nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, content, crawl, newsroom, rows, truth

from uknip_crawler.archive import DATABASE
from uknip_crawler.configuration import Configuration, write
from uknip_crawler.demo import SampleSite
from uknip_crawler.demo.posts import Status

HANDFUL = 8


def expected_moment(instant: datetime) -> str:
    """Return what the archive must hold: where a layout prints only London's day, the site's REST list knows more."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_first_crawl_finds_every_story_once_with_every_field_right(
    archived: Archived, tmp_path: Path
) -> None:
    """The newsroom's own record of each story is the expectation."""
    with archived(tmp_path) as site:
        stories = truth(site)
    outcomes = dict(rows(tmp_path, "SELECT outcome, count(*) FROM fetches WHERE kind = 'article' GROUP BY 1"))
    assert outcomes["stored"] + outcomes.get("duplicate", 0) == len(stories) == 60
    held = {
        row[0]: row[1:]
        for row in rows(
            tmp_path, "SELECT url, headline, kicker, section, published_at, body, status FROM articles"
        )
    }
    wrong = []
    for url, post in stories.items():
        section = None if post.unstructured else post.section
        expected = (
            post.headline,
            None if post.unstructured else post.kicker,
            section,
            expected_moment(post.published_at),
            post.body,
            "live",
        )
        if held.get(url) != expected:
            wrong.append((url, held.get(url), expected))
    assert not wrong, f"{len(wrong)} stories differ, the first: {wrong[0]}"
    assert held.keys() == stories.keys()


def test_people_tags_and_pictures_are_those_of_the_newsroom(archived: Archived, tmp_path: Path) -> None:
    """House accounts are no authors; each picture comes once, with its own caption and credit."""
    with archived(tmp_path) as site:
        stories = {url: post for url, post in truth(site).items() if not post.unstructured}
    found = content(tmp_path)
    for table, expected in {
        "authors": [(url, name) for url, post in sorted(stories.items()) for name in post.authors],
        "tags": [(url, name) for url, post in sorted(stories.items()) for name in post.tags],
    }.items():
        assert [row for row in found[table] if row[0] in stories] == expected, table
    pictures = [(row[0], row[1], row[3], row[4], row[5]) for row in found["images"] if row[0] in stories]
    assert pictures == [
        (url, image.url, image.alt, image.caption, image.credit)
        for url, post in sorted(stories.items())
        for image in post.images
    ]


DOORS = {
    "rest": {"rest": True, "sitemap": False, "feed": False, "listings": False},
    "sitemap": {"rest": False, "sitemap": True, "feed": False, "listings": False},
    "feed": {"rest": False, "sitemap": False, "feed": True, "listings": False},
    "listings": {"rest": False, "sitemap": False, "feed": False, "listings": True},
}


@pytest.mark.parametrize("doors", DOORS)
def test_each_source_alone_is_enough(doors: str, tmp_path: Path) -> None:
    """Whichever list the site offers, and with none but its archive pages, every story is found."""
    with SampleSite(newsroom(24), **DOORS[doors]) as site:
        crawl(site, tmp_path)
        stories = truth(site)
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles")} == stories.keys()


def test_a_sitemap_whose_date_stays_is_read_once_a_week(tmp_path: Path) -> None:
    """A deletion changes no date that the list of sitemaps gives."""
    with SampleSite(newsroom(8), rest=False, feed=False, sitemap_urls=1_000) as site:
        crawl(site, tmp_path)
        old = site.newsroom.published()[-1]
        site.newsroom.posts[old.post_id] = replace(old, status=Status.DELETED)
        site.newsroom.generation += 1
        missed = "SELECT missed_runs FROM articles WHERE url = ?", site.url(old.path)
        crawl(site, tmp_path)
        assert rows(tmp_path, *missed) == [(0,)]
        with closing(sqlite3.connect(tmp_path / DATABASE)) as db, db:
            db.execute("UPDATE sources SET last_read_at = '2026-01-01T00:00:00Z'")
        crawl(site, tmp_path)
        assert rows(tmp_path, *missed) == [(1,)]


@pytest.mark.parametrize("stories", [20, 105])
@pytest.mark.parametrize("doors", ["rest", "sitemap", "feed"])
def test_an_unchanged_second_run_costs_a_handful_of_requests(
    doors: str, stories: int, tmp_path: Path
) -> None:
    """The cost does not grow with the site: the same bound at both sizes, of which one is a page of REST's and more."""
    with SampleSite(newsroom(stories), **DOORS[doors]) as site:
        crawl(site, tmp_path)
        before = content(tmp_path)
        site.requests.clear()
        report = crawl(site, tmp_path)
        served = len(site.requests)
    assert report["requests"] == served
    assert served <= HANDFUL
    assert content(tmp_path) == before


def test_the_run_after_the_first_reads_no_list_from_its_start(archived: Archived, tmp_path: Path) -> None:
    """The first crawl reads REST and sitemaps: a story on both lists is known to be on REST's all the same."""
    with archived(tmp_path, 30) as site:
        site.requests.clear()
        crawl(site, tmp_path)
        asked = [target.partition("?")[0] for _, target, _ in site.requests]
    # what changed, the latest dates, the highest numbers: a scheduled or backdated story shows in one of them only
    assert asked == ["/robots.txt", *["/wp-json/wp/v2/posts"] * 3]


def test_nothing_is_asked_twice_in_one_run(archived: Archived, tmp_path: Path) -> None:
    """Menus, teasers, tracking links and AMP copies all lead to one request a page."""
    with archived(tmp_path, 30) as site:
        asked = [target for _, target, _ in site.requests]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("has_changed", [True, False])
def test_a_page_unlike_the_others_has_five_known_stories_looked_at(
    has_changed: bool, archived: Archived, tmp_path: Path
) -> None:
    """In the same crawl, so that a site that changed is told from a page that did; a page as ever has none looked at."""
    with archived(tmp_path, 30) as site:
        newest, due, *others = sorted(
            truth(site).items(), key=lambda story: story[1].published_at, reverse=True
        )
        if has_changed:
            site.newsroom.redesign(NOW + timedelta(hours=1))
        with closing(sqlite3.connect(tmp_path / DATABASE)) as db:
            db.execute("UPDATE frontier SET due_at = '2026-01-01T00:00:00Z' WHERE url = ?", (due[0],))
            db.commit()
        site.requests.clear()
        crawl(site, tmp_path)
        asked = [target for _, target, _ in site.requests if "/wp-json/" not in target][1:]
    looked_at = rows(tmp_path, "SELECT url FROM fetches WHERE reason = 'second look'")
    if not has_changed:
        assert (len(asked), looked_at) == (1, [])
        return
    assert len(asked) == 6
    assert {url for (url,) in looked_at} == {url for url, _ in [newest, *others[:4]]}


@pytest.mark.fault("W01", "W02")
def test_traps_and_forbidden_pages_are_never_asked_for(tmp_path: Path) -> None:
    """Calendars, searches, comment forms, print and AMP copies, attachments, /private/ of robots.txt."""
    with SampleSite(newsroom(40), rest=False, sitemap=False) as site:
        crawl(site, tmp_path)
        asked = [target for _, target, _ in site.requests]
    for trap in ("replytocom", "?s=", "print=", "/amp", "attachment", "utm_", "/private/", "/wp-admin"):
        assert not [target for target in asked if trap in target], trap
    assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome = 'robots_denied'") != [(0,)]


@pytest.mark.fault("W03", "W09")
def test_the_newsrooms_work_is_followed(archived: Archived, tmp_path: Path) -> None:
    """New, edited, moved, deleted, trashed with a guessed redirect, unpublished: each as it was, and no more."""
    with archived(tmp_path) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        report = crawl(site, tmp_path)
        stories = truth(site)
        assert report["outcomes"]["stored"] + report["outcomes"].get("duplicate", 0) == len(work.published)
        edited = {site.url(edit.path) for edit in work.edited}
        removed = {site.url(one.path) for one in (*work.deleted, *work.trashed, *work.unpublished)}
        revised = rows(tmp_path, "SELECT url FROM articles WHERE revision_count > 1")
        assert {url for (url,) in revised} == edited, "a new promo on every page is no edit"
        assert dict(
            rows(tmp_path, "SELECT aliases.url, articles.url FROM aliases JOIN articles ON id = article_id")
        ) == {site.url(move.old_path): site.url(move.new_path) for move in work.moved}
        assert {row[0] for row in rows(tmp_path, "SELECT url FROM articles WHERE missed_runs = 1")} == removed
        assert rows(tmp_path, "SELECT count(*) FROM articles WHERE status = 'gone'") == [(0,)]
        for url, post in stories.items():
            assert rows(tmp_path, "SELECT headline, body FROM articles WHERE url = ?", url) == [
                (post.headline, post.body)
            ]
        report = crawl(site, tmp_path)
    assert report["gone"] == len(removed)
    gone = rows(tmp_path, "SELECT url, length(body) > 0 FROM articles WHERE status = 'gone'")
    assert {url for url, readable in gone if readable} == removed
    assert report["outcomes"].get("revised", 0) == 0


def test_a_story_that_comes_back_is_restored(archived: Archived, tmp_path: Path) -> None:
    """A status of 404 in two runs, then the page again."""
    with archived(tmp_path, 30) as site:
        path = site.newsroom.published()[3].path
        site.fail = {path: 404, "/wp-json/wp/v2/posts": 404, "/sitemap_index.xml": 404}
        for _ in range(2):
            crawl(site, tmp_path, expect=3)
            _make_due(tmp_path, site.url(path))
        crawl(site, tmp_path, expect=3)
        assert rows(tmp_path, "SELECT status FROM articles WHERE url = ?", site.url(path)) == [("gone",)]
        site.fail = {}
        _make_due(tmp_path, site.url(path))
        assert crawl(site, tmp_path)["restored"] == 1
    assert rows(tmp_path, "SELECT status, missed_runs FROM articles WHERE url = ?", site.url(path)) == [
        ("live", 0)
    ]


def _make_due(directory: Path, url: str) -> None:
    """Bring the next visit of an address forward, as time would."""
    from uknip_crawler.archive import Archive

    with Archive(directory) as archive, archive.transaction():
        archive.frontier.revisit(url, reason="wanted", due_at=datetime(2000, 1, 1, tzinfo=UTC))


def test_every_scheduled_address_ends_with_one_outcome(archived: Archived, tmp_path: Path) -> None:
    """The ledger's promise, also for sources and redirects."""
    with archived(tmp_path, 30) as site:
        site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL") == [(0,)]
    assert rows(tmp_path, "SELECT run_id, url FROM fetches GROUP BY 1, 2 HAVING count(*) > 1") == []


def test_a_limit_stops_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    """Ten pages, then the rest; nothing twice."""
    with SampleSite(newsroom(20)) as site:
        crawl(site, tmp_path, "--limit", "10")
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(10,)]
        crawl(site, tmp_path)
        stories = truth(site)
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles")} == stories.keys()


@pytest.mark.parametrize("doors", ["rest", "sitemap"])
def test_since_takes_only_what_is_young(doors: str, tmp_path: Path) -> None:
    """Young stories link to old ones, which are not followed; a later run without the option takes the rest."""
    with SampleSite(newsroom(40), **DOORS[doors]) as site:
        crawl(site, tmp_path, "--since", "2025-09-01")
        stories = truth(site)
        young = {
            url
            for url, post in stories.items()
            if max(post.published_at, post.modified_at) >= datetime(2025, 8, 31, 23, 0, tzinfo=UTC)
        }
        assert 0 < len(young) < len(stories)
        assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles")} == young
        crawl(site, tmp_path)
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles")} == stories.keys()


def test_one_archive_holds_one_site(archived: Archived, tmp_path: Path) -> None:
    """Crawling another address into it is refused in one line."""
    archived(tmp_path, 20)
    with SampleSite(newsroom(3)) as other:
        refused = crawl(other, tmp_path, expect=2)
    assert refused["message"].startswith("uknip: ")
    assert len(refused["message"].strip().splitlines()) == 1


def test_the_spider_runs_in_anybodys_scrapy_project(tmp_path: Path) -> None:
    """`scrapy crawl uknip` goes by what the archive was told: its site, contact, delay and images."""
    import subprocess
    import sys

    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = mine\n")
    (tmp_path / "mine.py").write_text("from uknip_crawler.settings import *\nUKNIP_ARCHIVE = 'kept'\n")
    archive = tmp_path / "kept"
    with SampleSite(newsroom(8)) as site:
        write(archive, Configuration(site.base_url, "ada@uni.example", 0.0, images=True))
        done = subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", "uknip", "-a", "limit=5"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
        )
        stories = truth(site)
    assert done.returncode == 0, done.stderr
    held = {url for (url,) in rows(archive, "SELECT url FROM articles")}
    assert held
    assert held <= stories.keys()
    ((told,),) = rows(archive, "SELECT settings FROM runs")
    assert json.loads(told)["DOWNLOAD_DELAY"] == 0
    assert "ada@uni.example" in json.loads(told)["USER_AGENT"]
    assert rows(archive, "SELECT count(*) > 0 FROM images WHERE sha256 IS NOT NULL") == [(1,)]
