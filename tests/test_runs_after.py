"""What happened between two runs is found, and asked for with as few requests as it takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from crawling import rows
from processes import uknip
from small_site import ALLOW, HTML, Answer, Post, SmallSite, listing, posts, run, sitemap

from uknip_crawler.archive import DATABASE


def titles(directory: Path) -> set[str]:
    return {headline for (headline,) in rows(directory, "SELECT headline FROM articles")}


def test_posts_that_rest_does_not_date_by_their_publication_are_found(tmp_path: Path) -> None:
    """A scheduled story come due, one published with a past date, and a deletion that keeps the total as it was."""
    with SmallSite(posts(130)) as site:
        site.offer_rest()
        assert run(site.base_url, tmp_path).status == 0
        site.log.clear()
        assert run(site.base_url, tmp_path).status == 0
        assert len(site.asked("/wp-json/")) == 3
        assert len(site.log) == 4, "an unchanged run: robots.txt and three questions"
        scheduled = Post(
            60, "2024/07/01/barn-fire-60-scheduled/", "2026-07-01T09:00:00", "2024-04-20T08:00:00"
        )
        backdated = Post(400, "2019/01/01/barn-fire-400/", "2019-01-01T09:00:00", "2019-01-01T09:00:00")
        site.posts = [post for post in site.posts if post.number not in (60, 3)] + [
            replace(scheduled, number=61_000)
        ]
        site.posts += [backdated]
        site.log.clear()
        done = run(site.base_url, tmp_path)
    assert {"Barn fire number 61000 put out near Marlow", backdated.title} <= titles(tmp_path)
    assert done.report["outcomes"]["stored"] == 2
    gone = rows(tmp_path, "SELECT url FROM articles WHERE missed_runs = 1 ORDER BY url")
    assert [url.rpartition("fire-")[2] for (url,) in gone] == ["3/", "60/"]
    assert not site.asked("per_page=100&orderby=id&order=asc"), "no walk through all posts for that"


def test_a_burst_on_a_site_without_lists_is_followed_back(tmp_path: Path) -> None:
    """Ten stories a page, 35 new ones, a popular old story on every page: pages are leafed through to the known ones."""

    def app(path: str, headers: Mapping[str, str]) -> Answer | None:
        number = {"/": 1}.get(path) or (int(path.split("/")[2]) if path.startswith("/page/") else 0)
        shown = site.posts[::-1][10 * (number - 1) : 10 * number] if number else []
        if not shown:
            return None
        popular = site.posts[0]
        after = f"<aside><a href='{site.base_url}{popular.path}'>{popular.title}</a></aside>"
        more = f"<a class='next page-numbers' href='/page/{number + 1}/'>Next</a>"
        return listing(site.base_url, shown, after=after + (more if 10 * number < len(site.posts) else ""))

    with SmallSite(posts(45), app=app) as site:
        assert run(site.base_url, tmp_path).status == 0
        assert len(titles(tmp_path)) == 45
        site.log.clear()
        assert run(site.base_url, tmp_path).status == 0
        assert site.log == ["/robots.txt", "/"], "an unchanged run"
        site.posts += posts(35, first=100)
        site.log.clear()
        assert run(site.base_url, tmp_path).status == 0
    assert titles(tmp_path) == {post.title for post in site.posts}
    assert site.asked("/page/") == ["/page/2/", "/page/3/", "/page/4/", "/page/5/"]


def test_dates_that_are_always_now_are_believed_once(tmp_path: Path) -> None:
    """A sitemap whose every lastmod is the moment it was asked for; a real edit is found where dates are honest."""
    moment = iter(range(10, 60))
    honest: dict[str, str] = {}

    def app(path: str, headers: Mapping[str, str]) -> Answer | None:
        if path != "/map.xml":
            return None
        now = f"2026-11-29T10:{next(moment)}:00Z"
        addresses = [site.base_url + post.path for post in site.posts]
        if not honest:
            return sitemap(addresses, now)
        entries = "".join(
            f"<url><loc>{url}</loc><lastmod>{honest.get(url, now)}</lastmod></url>" for url in addresses
        )
        return 200, {"Content-Type": "application/xml"}, f"<urlset>{entries}</urlset>"

    with SmallSite(posts(30), robots=f"{ALLOW}Sitemap: /map.xml\n", app=app) as site:
        run(site.base_url, tmp_path)
        _settle_down(tmp_path)
        costs = []
        for _ in range(3):
            site.log.clear()
            assert run(site.base_url, tmp_path).status == 0
            costs.append(len(site.asked("barn-fire")))
        assert costs[0] <= 10
        assert costs[1:] == [0, 0]
        known = rows(
            tmp_path, "SELECT url, listed_modified_at FROM frontier WHERE listed_modified_at IS NOT NULL"
        )
        edited = site.base_url + site.posts[20].path
        honest |= {url: listed for url, listed in known if url != edited}
        site.log.clear()
        run(site.base_url, tmp_path)
    assert site.asked("barn-fire") == [f"/{site.posts[20].path}"]


def _settle_down(directory: Path) -> None:
    """Let no story be due for another look because it is young."""
    with closing(sqlite3.connect(directory / DATABASE)) as db, db:
        db.execute("UPDATE frontier SET due_at = '2030-01-01T00:00:00.000000Z' WHERE due_at IS NOT NULL")


def test_a_list_asked_for_in_vain_was_not_read(tmp_path: Path) -> None:
    """`coverage` tells when it was last read, and that asking again failed."""
    with SmallSite(posts(4)) as site:
        site.offer_rest()
        run(site.base_url, tmp_path)
        with closing(sqlite3.connect(tmp_path / DATABASE)) as db, db:
            db.execute("UPDATE sources SET last_read_at = '2026-01-02T03:04:05Z' WHERE kind = 'rest'")
        site.app = lambda path, headers: (500, HTML, "broken") if "wp-json" in path else None
        assert run(site.base_url, tmp_path).status == 3
    (asked,) = rows(tmp_path, "SELECT last_asked_at FROM sources WHERE kind = 'rest'")[0]
    told = uknip("coverage", "--archive", str(tmp_path)).stdout
    (line,) = [line for line in told.splitlines() if line.strip().startswith("rest: ")]
    assert f"4 listed, read 2026-01-02T03:04:05Z; failed when asked {asked} (HTTP 500)" in line
    assert "what it lists now is not known" in told
