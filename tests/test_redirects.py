"""Redirects that want a cookie, and those that a header or the page itself asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crawling import rows
from small_site import HTML, Answer, SmallSite, posts, run

from uknip_crawler.ingest.redirects import location_of
from uknip_crawler.models import Capture

AT = datetime(2026, 3, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "body", "location"),
    [
        ({"Refresh": "0; url=/new/"}, "", "/new/"),
        ({"refresh": "2;URL='https://uknip.co.uk/new/'"}, "", "https://uknip.co.uk/new/"),
        ({"Refresh": "300"}, "", None),
        ({"Refresh": "30; url=/new/"}, "", None),
        ({}, "<meta http-equiv='refresh' content='0;url=/new/'>", "/new/"),
        ({}, '<META CONTENT="1; URL=/new/?a=1&amp;b=2" HTTP-EQUIV=Refresh>', "/new/?a=1&b=2"),
        ({}, "<meta http-equiv=refresh content='600'>", None),
        ({}, "<noscript><meta http-equiv='refresh' content='0;url=/plain/'></noscript>", None),
        ({}, "<!-- <meta http-equiv='refresh' content='0;url=/old/'> -->", None),
        ({"Content-Type": "text/plain"}, "<meta http-equiv='refresh' content='0;url=/new/'>", None),
    ],
)
def test_a_refresh_at_once_is_a_redirect(headers: dict[str, str], body: str, location: str | None) -> None:
    """Later ones reload a page that is to be read; what stands in for scripts is not for us."""
    capture = Capture("https://uknip.co.uk/old/", 200, tuple(headers.items()), body.encode(), AT)
    assert location_of(capture) == location


@pytest.mark.parametrize("sent", ["/café/".encode(), "/café/".encode("latin-1")], ids=["UTF-8", "Latin-1"])
def test_a_location_in_raw_bytes_is_read_as_browsers_do(sent: bytes) -> None:
    """RFC 9110 §5.5 knows only ASCII; servers send what they have. A header is kept byte by byte."""
    headers = (("Location", sent.decode("latin-1")),)
    capture = Capture("https://uknip.co.uk/old/", 301, headers, b"", AT)
    assert location_of(capture) == "/café/"


@pytest.mark.fault("F21")
def test_cookies_are_told_again_only_where_a_redirect_wants_them(tmp_path: Path) -> None:
    """To itself, and by way of another page; afterwards the site is told at once, and never anybody else."""
    told: list[tuple[str, str | None]] = []

    def app(path: str, headers: Mapping[str, str]) -> Answer | None:
        told.append((path, headers.get("Cookie")))
        if path.startswith("/check"):
            return 302, {"Location": path.partition("to=")[2], "Set-Cookie": "seen=1; Path=/"}, ""
        if "barn-fire" in path and headers.get("Cookie") != "seen=1":
            return 302, {"Location": f"/check?to={path}"}, ""
        return None

    with SmallSite(posts(3), app=app) as site:
        site.offer_rest()
        done = run(site.base_url, tmp_path)
        assert (done.status, done.report["outcomes"]["stored"]) == (0, 3)
        assert len(site.asked("/check")) <= 3
    cookies = dict(told)
    assert cookies["/robots.txt"] is None


@pytest.mark.fault("F12", "F14", "F21")
def test_each_kind_of_redirect_ends_as_what_it_is(tmp_path: Path) -> None:
    """A cookie for itself, refreshes within the site and out of it, one that never ends, and many large cookies."""
    with SmallSite(posts(7)) as site:
        paths = [f"/{post.path}" for post in site.posts]
        story = site.posts[6].path

        def app(path: str, headers: Mapping[str, str]) -> Answer | None:
            cookie = headers.get("Cookie", "")
            if path == paths[0] and "mark=a1" not in cookie:
                return 302, {"Location": path, "Set-Cookie": "mark=a1; HttpOnly"}, ""
            if path == paths[4]:
                return 302, {"Location": path, "Set-Cookie": f"turn={len(site.log)}"}, ""
            if path == paths[5]:
                return 302, {"Location": path, "Set-Cookie": [f"c{n}={'x' * 1900}" for n in range(100)]}, ""
            return {
                paths[1]: (
                    200,
                    {**HTML, "Refresh": f"0; url=/{story}"},
                    "<title>Moved</title><p>This story is moved.</p>",
                ),
                paths[2]: (
                    200,
                    HTML,
                    f"<title>Moved</title><meta http-equiv=refresh content='0;url=/{story}'><p>Please wait.</p>",
                ),
                paths[3]: (
                    200,
                    HTML,
                    "<title>Moved</title><meta http-equiv=refresh content='0;url=http://elsewhere.invalid/x/'>",
                ),
            }.get(path)

        site.app = app
        site.offer_rest()
        run(site.base_url, tmp_path)
    ends = dict(rows(tmp_path, "SELECT url, outcome FROM fetches WHERE kind = 'article'"))
    found = [ends[site.base_url + post.path] for post in site.posts]
    assert found == [
        "stored",
        "not_article",
        "not_article",
        "blocked_host",
        "redirect_loop",
        "redirect_loop",
        "stored",
    ]
    assert len(site.asked(paths[4])) == 2
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(2,)]
