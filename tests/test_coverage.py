"""What the site lists against what is held; and everything that ever happened to one address."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import NOW, Archived, crawl, newsroom, rows
from processes import uknip

from uknip_crawler.archive import Archive
from uknip_crawler.demo import SampleSite
from uknip_crawler.discovery.robots import Robots
from uknip_crawler.times import LONDON

OPEN = {"rest": {}, "sitemap": {"rest": False}, "feed": {"rest": False, "sitemap": False}}


def ask(directory: Path, *arguments: str, expect: int = 0) -> str:
    """Run a command as a user does; assert its exit status and return what it printed."""
    done = uknip(*arguments, "--archive", str(directory))
    assert done.returncode == expect, done.stderr + done.stdout
    return done.stdout


def coverage(directory: Path, *options: str, expect: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(directory, "coverage", "--json", *options, expect=expect))
    return found


@pytest.mark.parametrize("doors", OPEN)
def test_a_whole_archive_is_proved_whole_by_whatever_the_site_offers(doors: str, tmp_path: Path) -> None:
    """As many stories as the newsroom published, on the days it published them.

    Archive pages also show one that robots.txt forbids: listed, not held, and said why.
    """
    forbidden = ["robots_denied"] if doors == "feed" else []
    with SampleSite(newsroom(40), **OPEN[doors]) as site:
        crawl(site, tmp_path)
        posts = site.newsroom.published()
        found = coverage(tmp_path, expect=3 if forbidden else 0)
    assert [one["outcome"] for one in found["missing"]] == forbidden
    assert (found["listed"], found["held"], found["unlisted"]) == (len(posts) + len(forbidden), len(posts), 0)
    days = Counter(post.published_at.astimezone(LONDON).date().isoformat() for post in posts)
    told = Counter[str]()
    for row in found["calendar"]:
        assert row["held"] == row["expected"] or row["day"] == "unknown"
        told[row["day"]] += row["held"]
    assert +told == days


def test_every_hole_has_its_reason_and_is_filled_on_request(tmp_path: Path) -> None:
    """One page fails, others are left for later: the site lists them all."""
    with SampleSite(newsroom(30)) as site:
        broken = min(site.newsroom.published(), key=lambda post: post.path)  # of equals the first by address
        site.fail = {broken.path: 403}
        crawl(site, tmp_path, "--limit", "20", expect=3)
        held = {url for (url,) in rows(tmp_path, "SELECT url FROM articles")}
        published = {site.url(post.path): post for post in site.newsroom.published()}
        found = coverage(tmp_path, expect=3)
        assert found["listed"] == len(published)
        missing = {one["url"]: one for one in found["missing"]}
        assert missing.keys() == published.keys() - held
        assert missing[site.url(broken.path)]["outcome"] == "http_error"
        assert "HTTP 403" in missing[site.url(broken.path)]["reason"]
        assert {one["reason"] for url, one in missing.items() if url != site.url(broken.path)} == {
            "never visited"
        }
        for url, one in missing.items():
            day = published[url].published_at.astimezone(LONDON).date()
            assert one["day"] == day.isoformat(), "a missing story has its place in the calendar"
        text = ask(tmp_path, "coverage", "--calendar", expect=3)
        assert f"The site lists {len(published)} stories; the archive holds {len(held)} of them" in text
        site.fail = {}
        assert coverage(tmp_path, "--fill", expect=3)["scheduled"] == len(missing)
        site.requests.clear()
        crawl(site, tmp_path, "--limit", str(len(missing)))
        assert {site.url(target) for _, target, _ in site.requests} >= missing.keys()
        assert coverage(tmp_path)["missing"] == []


def test_stories_that_moved_or_went_are_no_holes(archived: Archived, tmp_path: Path) -> None:
    with archived(tmp_path, 30) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, tmp_path)
        crawl(site, tmp_path)
        found = coverage(tmp_path)
        assert found["listed"] == found["held"] == len(site.newsroom.published())
        assert found["gone"] == len(work.deleted) + len(work.trashed) + len(work.unpublished)


def test_before_any_list_was_read_nothing_is_proved(tmp_path: Path) -> None:
    """No lists and no stories are not a hundred percent."""
    with Archive(tmp_path):
        pass
    ask(tmp_path, "coverage", expect=2)


def test_why_tells_the_whole_story_of_an_address(archived: Archived, tmp_path: Path) -> None:
    """An old address of a moved story, an edited story, one that never was."""
    with archived(tmp_path, 30) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, tmp_path)
        move, edit = work.moved[0], work.edited[0]
        old = json.loads(ask(tmp_path, "why", site.url(move.old_path), "--json"))
        assert old["story"]["url"] == site.url(move.new_path)
        assert old["story"]["known_by"] == "post number"
        assert old["frontier"]["found_by"] == "rest"
        edited = json.loads(ask(tmp_path, "why", site.url(edit.path) + "?utm_source=x", "--json"))
        assert [(v["outcome"], v["reason"], v["revision"]) for v in edited["visits"]] == [
            ("stored", "new", 1),
            ("revised", "changed", 2),
        ]
        assert edited["story"]["revisions"][1]["kind"] == edit.kind
        assert edited["robots"]["allowed"] is True
        text = ask(tmp_path, "why", site.url(edit.path))
        assert "run 2, changed: revised, HTTP 200 made revision 2 [uknip-" in text
        assert "never named by the site" in ask(tmp_path, "why", site.url("/no/such/story/"))
        ask(tmp_path, "why", "https://elsewhere.example/", expect=2)


ROBOTS = """\
User-agent: greedybot
Disallow: /news/uk/breaking/a-long-rule-for-somebody-else/

User-agent: *
Disallow: /news/  # not the news
Allow: /news/uk/
Disallow: /*?s=
"""


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/news/local/a-story/", "Disallow: /news/"),
        ("/news/uk/breaking/a-long-rule-for-somebody-else/", "Allow: /news/uk/"),
        ("/?s=words", "Disallow: /*?s="),
        ("/about/", None),
    ],
)
def test_the_rule_that_decides_is_named(path: str, rule: str | None) -> None:
    robots = Robots.parse(ROBOTS.encode())
    assert robots.rule_for(f"https://uknip.co.uk{path}", "uknip/0.1 (news archive)") == rule


def test_a_group_of_our_own_speaks_for_us() -> None:
    robots = Robots.parse(b"User-agent: a\nUser-agent: UKNIP\nDisallow: /b/\n\nUser-agent: *\nDisallow: /\n")
    assert robots.rule_for("https://uknip.co.uk/b/", "uknip/0.1") == "Disallow: /b/"
    assert robots.rule_for("https://uknip.co.uk/c/", "uknip/0.1") is None
