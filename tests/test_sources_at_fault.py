"""Lists of docs/faults.md that lie, swell and lead elsewhere, in one crawl; callbacks that raise; a folder that is not ours."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import wire_faults as wire
from capabilities import need_programs
from crawling import arguments, newsroom, rows
from small_site import ALLOW, XML, Answer, Post, SmallSite, posts, rest, run, sitemap

from uknip_crawler.archive import Archive
from uknip_crawler.demo import SampleSite
from uknip_crawler.spiders.documents import _may_hold_robots

XXE = """<?xml version="1.0"?><!DOCTYPE urlset SYSTEM "/evil.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{base}x&x;/</loc></url></urlset>"""
DTD = '<!DOCTYPE urlset SYSTEM "/evil.dtd"><urlset><url><loc>{address}</loc></url></urlset>'


@pytest.mark.fault("F03", "S01", "S02", "S04", "S06", "S07", "R03")
def test_lists_that_lie_cost_themselves(tmp_path: Path) -> None:
    """Behind a robots.txt of five redirects: each list is told by name, no file is read and no DTD fetched, the stories are stored."""
    bomb = gzip.compress(wire.deflated(64 * wire.MIB, 31))
    with SmallSite(posts(4)) as site:
        urls = [site.base_url + post.path for post in site.posts]
        entities = "<!ENTITY a0 'lol'>" + "".join(
            f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
        )
        bad: dict[str, Answer] = {
            "bomb.xml.gz": (200, {"Content-Type": "application/gzip"}, wire.deflated(2 * wire.GIB, 31)),
            "twice.xml.gz": (200, {"Content-Type": "application/gzip", "Content-Encoding": "gzip"}, bomb),
            "laughs.xml": (200, XML, f"<!DOCTYPE x [{entities}]><urlset><url><loc>&a9;</loc></url></urlset>"),
            "xxe.xml": (200, XML, XXE.replace("{base}", site.base_url)),
        }
        good: dict[str, Answer] = {
            "dtd.xml": (200, XML, DTD.replace("{address}", urls[0])),
            "self.xml": (
                200,
                XML,
                "<sitemapindex><sitemap><loc>/self.xml</loc></sitemap><sitemap><loc>/part.xml</loc></sitemap></sitemapindex>",
            ),
            "part.xml": sitemap(urls[1:3], "soon"),
            "future.xml": sitemap(
                [urls[3], "file:///etc/hostname", "data:,x", "http://127.0.0.2/x/"], "2999-01-01"
            ),
        }
        site.answers |= {f"/{name}": answer for name, answer in {**bad, **good}.items()}
        named = "".join(f"Sitemap: /{name}\n" for name in (*bad, *good) if name != "part.xml")
        for hop in range(5):
            site.answers["/robots.txt" if not hop else f"/r{hop}"] = (301, {"Location": f"/r{hop + 1}"}, "")
        site.answers["/r5"] = (200, {"Content-Type": "text/plain"}, ALLOW + named)
        done = run(site.base_url, tmp_path)
        assert site.asked("/self.xml") == ["/self.xml"]
        assert not site.asked("evil.dtd")
    assert done.status == 3
    assert [name for name in bad if f"/{name}" not in done.troubles] == []
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles")} == set(urls)
    ended = dict(rows(tmp_path, "SELECT url, outcome FROM fetches"))
    assert {ended[site.base_url + name] for name in bad} == {"source_failed"}
    assert ended["file:///etc/hostname"] == ended["data:,x"] == "blocked_url"
    assert ended["http://127.0.0.2/x/"] == "blocked_host"
    assert not [url for url in ended if "root:" in url]


@pytest.mark.fault("R03")
@pytest.mark.parametrize(
    ("location", "may"),
    [("https://static.example/robots.txt", True), ("/other.txt", True), ("http://10.0.0.1/robots.txt", False), ("http://intranet/robots.txt", False), ("file:///etc/passwd", False)],
)  # fmt: skip
def test_robots_txt_may_stand_at_another_public_host(location: str, may: bool) -> None:
    """RFC 9309 §2.3.1.2; names that lead inside are refused when they are resolved."""
    assert _may_hold_robots("https://uknip.co.uk/robots.txt", location) is may


@pytest.mark.fault("S13", "W03")
def test_a_list_that_moves_under_the_reader_misses_nothing(tmp_path: Path) -> None:
    """A story goes and one comes between two pages of the list: none missed, none twice; a shortlink is no second story."""
    with SmallSite(posts(25)) as site:
        home = (
            200,
            {"Content-Type": "text/html"},
            f"<body class=home><a href='/?p={site.posts[3].number}'>Short</a>",
        )
        site.answers["/"] = home

        def app(path: str, headers: Mapping[str, str]) -> Answer | None:
            if path.startswith("/?p="):
                return 301, {"Location": "/" + site.posts[3].path}, ""
            if not path.startswith("/wp-json/wp/v2/posts"):
                return None
            answer = rest(site.base_url, site.posts, re.sub("per_page=(100|9[98])", "per_page=10", path))
            if path.endswith("page=1") and len(site.posts) == 25:
                del site.posts[
                    1
                ]  # what stood first on the second page is on the first now, behind the reader's back
            elif path.endswith("page=2") and len(site.posts) == 24:
                site.posts.append(Post(500, "2024/06/01/barn-fire-500/", "2024-06-01T09:00:00"))
            return answer

        site.app = app
        statuses = [run(site.base_url, tmp_path).status for _ in range(2)]
        wanted = {site.base_url + post.path for post in site.posts}
    stored = [url for (url,) in rows(tmp_path, "SELECT url FROM articles WHERE status = 'live'")]
    assert wanted <= set(stored)
    assert len(stored) == len(set(stored)) <= len(wanted) + 1
    twice = "SELECT url FROM fetches WHERE run_id = 1 GROUP BY url HAVING count(*) > 1"
    assert rows(tmp_path, twice) == []
    assert statuses[-1] == 0


RAISING = """
import sys
from uknip_crawler.spiders.uknip import UknipSpider
async def raises(self, response, **_):
    raise RuntimeError("a mistake of ours")
    yield
UknipSpider.parse = raises
from uknip_crawler.cli import main
sys.argv[0] = "uknip"
main()
"""


@pytest.mark.fault("O04")
def test_a_run_whose_callbacks_all_raise_is_not_green(tmp_path: Path) -> None:
    """A mistake of ours at every page: each row says so, exit 3, and nothing is marked as gone."""
    with SampleSite(newsroom(8)) as site:
        command = [sys.executable, "-c", RAISING, *arguments(site.base_url, tmp_path)[3:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 3, done.stderr
        assert json.loads(done.stdout)["articles"] == 0
    ended = rows(tmp_path, "SELECT DISTINCT outcome, detail FROM fetches WHERE kind = 'article'")
    assert ended == [("extract_error", "RuntimeError: a mistake of ours")]


@pytest.mark.fault("O06")
@pytest.mark.parametrize("command", ["crawl", "init"])
def test_a_folder_that_cannot_be_written_is_one_line(command: str, tmp_path: Path) -> None:
    """In a machine's plainest language, also for root once it has given up its right to overrule file modes."""
    tmp_path.chmod(0o555)
    line = [
        sys.executable,
        "-m",
        "uknip_crawler",
        command,
        "http://127.0.0.1:9/",
        "--archive",
        str(tmp_path / "a"),
    ]
    if os.getuid() == 0:
        need_programs("setpriv")
        line = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *line]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    tmp_path.chmod(0o755)
    assert done.returncode in (2, 5), done.stderr
    assert (done.stderr.count("\n"), "Permission denied" in done.stderr) == (1, True)


@pytest.mark.fault("F20")
def test_an_unasked_for_304_is_no_page_and_an_asked_for_one_is_a_revisit(tmp_path: Path) -> None:
    """Of a page that we never had a 304 says nothing: a failure, asked for anew without conditions; a story it leaves as it is."""
    asked: list[Mapping[str, str]] = []
    with SmallSite(posts(2)) as site:
        site.offer_rest()
        listed = site.app
        page = (200, {"Content-Type": "text/html", "ETag": '"one"'}, site.posts[0].html())

        def app(path: str, headers: Mapping[str, str]) -> Answer | None:
            if "barn-fire-2" in path:
                asked.append(headers)
                return 304, {}, ""
            if "barn-fire-1" in path:
                return (304, {"ETag": '"one"'}, "") if headers.get("If-None-Match") == '"one"' else page
            return listed(path, headers) if listed else None

        site.app = app
        assert [run(site.base_url, tmp_path, "-s", "RETRY_TIMES=0").status for _ in range(2)] == [3, 3]
        assert len(asked) == 2
        assert not [one for one in asked if "If-None-Match" in one or "If-Modified-Since" in one]
        with Archive(tmp_path) as opened, opened.transaction():
            opened.db.conn.execute("UPDATE frontier SET due_at = '2000-01-01T00:00:00.000000Z'")
        site.app = listed
        site.app = lambda path, headers: app(path, headers) if "barn-fire-2" not in path else None
        assert run(site.base_url, tmp_path).status == 0
    first = f"{site.base_url}{site.posts[0].path}"
    assert rows(tmp_path, "SELECT outcome, status FROM fetches WHERE url = ? ORDER BY id", first) == [("stored", 200), ("unchanged", 304)]  # fmt: skip
    assert rows(tmp_path, "SELECT count(*), max(revision_count) FROM articles") == [(2, 1)]
