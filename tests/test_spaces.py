"""Addresses without end cost a few requests, are told in the ledger, and never keep a story from being read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from crawling import rows
from small_site import HTML, Answer, SmallSite, listing, posts, run

from uknip_crawler.sites import load_site
from uknip_crawler.urls import canonicalise, space_of

SITE = load_site()
STORY = "https://uknip.co.uk/2024/05/01/slug/"


@pytest.mark.parametrize(
    "address",
    [
        f"{STORY}?PHPSESSID=0a1b2c3d4e5f",
        f"{STORY};jsessionid=0A1B2C3D",
        "https://uknip.co.uk/2024/05/01/slug;jsessionid=0A1B2C3D.node-1/?sid=00000001",
        f"{STORY}?ASPSESSIONIDQQABCDEF=12345678ABC",
        f"{STORY}?session_id=1234567890&utm_source=x",
    ],
)
def test_a_sessions_number_is_no_part_of_an_address(address: str) -> None:
    """Whatever the server calls it, in the path or the query."""
    assert canonicalise(address, SITE) == STORY


@pytest.mark.parametrize("query", ["sid=12", "session=evening", "id=1234567890", "passid=1234567890"])
def test_what_may_name_a_page_stays(query: str) -> None:
    """A short `sid` is a story's number on some sites."""
    assert canonicalise(f"{STORY}?{query}", SITE) == f"{STORY}?{query}"


@pytest.mark.parametrize(
    ("path", "space"),
    [
        ("events/2027-05/", "/events/#-#/"),
        ("events/may-2027/", "/events/#-#/"),
        ("event/fair/day/2027-05-01/", "/event/fair/day/#-#-#/"),
        ("events/?eventDate=2030-01&eventDisplay=month", "?eventDate&eventDisplay"),
        ("more/more/", "/more/+"),
        ("a/b/more/more/more/", "/a/b/more/+"),
        ("a/b/a/b/a/", "/a/b/+"),
        ("?p=12", None),
        ("man-found-in-maytown/", None),
    ],
)
def test_addresses_of_one_space_have_one_form(path: str, space: str | None) -> None:
    """Numbers, months, values and repetitions vary; words do not."""
    assert space_of(f"https://uknip.co.uk/{path}") == space


def _trap(kind: str, number: int) -> str:
    return {
        "calendar": f"/events/{2000 + number // 12}-{number % 12 + 1:02}/",
        "query": f"/events/?eventDate={2000 + number // 12}-{number % 12 + 1:02}",
        "deeper": "/" + "more/" * (number + 2),
    }[kind]


@pytest.mark.fault("W02")
def test_calendars_and_growing_paths_are_capped(tmp_path: Path) -> None:
    """Three traps on every page, before the stories: each costs some 20 visits, once; every story is read."""
    spaces = {"calendar": "/events/2", "query": "eventDate", "deeper": "/more"}

    def app(path: str, headers: Mapping[str, str]) -> Answer | None:
        if path == "/":
            return listing(
                site.base_url,
                site.posts,
                after="".join(f"<a href='{_trap(kind, 0)}'>x</a>" for kind in spaces),
            )
        for kind, part in spaces.items():
            if part in path:
                seen = next(number for number in range(5_000) if _trap(kind, number) == path)
                links = "".join(f"<a href='{_trap(kind, seen + step)}'>More {step}</a>" for step in (1, 2, 3))
                return (
                    200,
                    HTML,
                    f"<html><body class='page'><h1>Events</h1><p>Nothing is on in this month.</p>{links}</body></html>",
                )
        return None

    with SmallSite(posts(15), app=app) as site:
        run(site.base_url, tmp_path)
        costs = {kind: len(site.asked(part)) for kind, part in spaces.items()}
        site.log.clear()
        run(site.base_url, tmp_path)
        again = {kind: len(site.asked(part)) for kind, part in spaces.items()}
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(15,)]
    assert max(costs.values()) <= 21, "the first page at a path, and 20 more of its form"
    assert set(again.values()) == {0}
    told = rows(tmp_path, "SELECT DISTINCT detail FROM fetches WHERE outcome = 'trap'")
    assert len(told) == 3


@pytest.mark.parametrize("key", ["PHPSESSID", "visit"])
def test_a_number_of_the_visit_in_every_link_makes_no_new_stories(key: str, tmp_path: Path) -> None:
    """A known name costs nothing; an unknown one a bounded number of visits. Each story is stored once."""
    count = itertools.count(1)

    def links() -> str:
        here = next(count)
        return "".join(
            f"<li><a href='/{post.path}?{key}={here:08x}'>{post.title}</a></li>" for post in site.posts
        )

    def app(path: str, headers: Mapping[str, str]) -> Answer | None:
        plain = urlsplit(path).path
        if plain == "/":
            return listing(site.base_url, [], after=f"<ul>{links()}</ul>")
        for post in site.posts:
            if plain == f"/{post.path}":
                return 200, HTML, post.html(after=f"<aside><ul>{links()}</ul></aside>")
        return None

    with SmallSite(posts(6), app=app) as site:
        run(site.base_url, tmp_path)
        visits = len(site.asked("barn-fire"))
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE duplicate_of IS NULL") == [(6,)]
    assert visits == 6 if key == "PHPSESSID" else visits <= 20 + 2 * 6


def test_numbered_stories_are_no_trap(tmp_path: Path) -> None:
    """Sixty stories at /archives/N that no list names, among pages of that form that are none."""
    with SmallSite([]) as site:
        site.posts = posts(60)
        for post in site.posts:
            post.path = f"archives/{post.number}/"
        site.answers["/"] = listing(site.base_url, site.posts)
        run(site.base_url, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(60,)]
