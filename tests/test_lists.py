"""A run is complete when what the site lists was read: lists in odd places and odd shapes are, broken ones are told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from crawling import rows
from small_site import ALLOW, HTML, JSON, XML, Answer, Post, SmallSite, listing, posts, rss, run, sitemap

MAP = "/maps/main.xml"


def titles(directory: Path) -> set[str]:
    return {headline for (headline,) in rows(directory, "SELECT headline FROM articles")}


def wanted(site: SmallSite) -> set[str]:
    return {post.title for post in site.posts}


def addresses(site: SmallSite) -> list[str]:
    return [site.base_url + post.path for post in site.posts]


# Where a list stands


NAMED = """Sitemap: /map1.xml
Sitemap: map2.xml
sitemap :\t{base}map3.xml  # ours
Sitemap: ./x/../map4.xml
Sitemap: /my map5.xml
Sitemap:
Sitemap: http://[::1/
Sitemap: javascript:alert(1)
Sitemap: http://user:secret@elsewhere.example/x.xml
Sitemap: //
Sitemap: {base}map6.xml
Sitemap: /map6.xml
"""


@pytest.mark.fault("S04")
def test_a_sitemap_that_robots_txt_names_in_any_way_is_read(tmp_path: Path) -> None:
    """Relative ones are resolved, malformed ones are refused by name, and neither ends the run."""
    with SmallSite(posts(6), robots=ALLOW + NAMED) as site:
        for number, address in enumerate(addresses(site), 1):
            site.answers[f"/{'my%20' if number == 5 else ''}map{number}.xml"] = sitemap([address])
        done = run(site.base_url, tmp_path)
    assert titles(tmp_path) == wanted(site)
    assert done.status == 0
    refused = rows(
        tmp_path,
        "SELECT url FROM fetches WHERE kind = 'unknown' AND outcome IN ('blocked_url', 'blocked_host')",
    )
    assert {url for (url,) in refused} >= {
        "http://[::1/",
        "javascript:alert(1)",
        "http://user:secret@elsewhere.example/x.xml",
    }


LOCATIONS = [
    "http://[::1/",
    "",
    "javascript:alert(1)",
    "/a b.xml",
    "//",
    "http://127.0.0.1:99999/",
    "\\\\x\\y",
    "?" * 3000,
]


def test_a_malformed_redirect_of_a_list_ends_no_run(tmp_path: Path) -> None:
    """Each such list is lost and said to be, the other is read."""
    lines = "".join(f"Sitemap: /bad{number}.xml\n" for number in range(len(LOCATIONS)))
    with SmallSite(posts(2), robots=f"{ALLOW}{lines}Sitemap: /good.xml\n") as site:
        for number, location in enumerate(LOCATIONS):
            site.answers[f"/bad{number}.xml"] = (301, {"Location": location}, "")
        site.answers["/good.xml"] = sitemap(addresses(site))
        done = run(site.base_url, tmp_path)
    assert titles(tmp_path) == wanted(site)
    assert done.status == 3
    assert [number for number in range(len(LOCATIONS)) if f"bad{number}.xml" not in done.troubles] == []
    assert rows(tmp_path, "SELECT DISTINCT outcome FROM fetches WHERE url LIKE '%/bad%'") == [
        ("source_failed",)
    ]


@pytest.mark.fault("R01", "R03")
@pytest.mark.parametrize("location", ["http://[::1/", "", "/elsewhere/robots.txt"])
def test_a_malformed_redirect_of_robots_txt_is_no_crash(location: str, tmp_path: Path) -> None:
    """Without robots.txt nothing is asked for: exit 4. A redirect within the host is followed."""
    with SmallSite(posts(1)) as site:
        site.offer_rest()
        site.answers["/robots.txt"] = (302, {"Location": location}, "")
        site.answers["/elsewhere/robots.txt"] = (200, {"Content-Type": "text/plain"}, ALLOW)
        done = run(site.base_url, tmp_path)
    assert done.status == (0 if location.startswith("/") else 4)


def test_wordpress_in_a_folder_is_asked_below_it_only(tmp_path: Path) -> None:
    """REST, sitemap and feed live in the folder; the rest of the host is another site."""
    with SmallSite(posts(3), prefix="echo/") as site:
        site.offer_rest("/echo/wp-json/wp/v2/posts")
        site.answers["/"] = listing(site.root, [Post(99, "2024/05/01/not-ours/")])
        done = run(site.base_url, tmp_path)
        first = list(site.log)
        site.log.clear()
        run(site.base_url, tmp_path)
    assert (done.status, done.report["base_url"]) == (0, site.base_url)
    assert titles(tmp_path) == wanted(site)
    assert {path for path in first + site.log if not path.startswith("/echo/")} == {"/robots.txt"}


@pytest.mark.parametrize("door", ["/echo/wp-sitemap.xml", "/echo/feed/", "/echo/"])
def test_each_list_of_a_folder_is_enough(door: str, tmp_path: Path) -> None:
    """Addresses beside the folder are refused where a list names them, and not followed where a page links to them."""
    beside = Post(99, "2024/05/01/not-ours/")
    with SmallSite(posts(3), prefix="echo/") as site:
        site.answers = {
            "/echo/wp-sitemap.xml": sitemap([*addresses(site), site.root + beside.path]),
            "/echo/feed/": rss(site.base_url, site.posts),
            "/echo/": listing(
                site.base_url, site.posts, after=f"<a href='{site.root}{beside.path}'>Beside</a>"
            ),
        }
        site.answers = {path: answer for path, answer in site.answers.items() if path == door}
        run(site.base_url, tmp_path)
    assert titles(tmp_path) == wanted(site)
    assert not site.asked("not-ours")
    refused = rows(tmp_path, "SELECT outcome FROM fetches WHERE url LIKE '%not-ours%'")
    assert refused == ([("blocked_url",)] if door.endswith("xml") else [])


HOME_SAYS = {
    "link": ("<link rel='https://api.w.org/' href='{base}api/'>", {}, "/api/wp/v2/posts"),
    "relative": ('<LINK HREF="/api/" REL="https://api.w.org/" />', {}, "/api/wp/v2/posts"),
    "header": ("", {"Link": '<{base}api/>; rel="https://api.w.org/"'}, "/api/wp/v2/posts"),
    "plain": ("<link rel='https://api.w.org/' href='{base}index.php?rest_route=/'>", {}, "/index.php?rest_route=/wp/v2/posts"),
    "escaped": ("<link rel='https://api.w.org/' href='{base}?x=1&#038;rest_route=%2F'>", {}, "/?x=1&rest_route=/wp/v2/posts"),
    "guessed": ("<meta name='generator' content='WordPress 6.5'>", {}, "/?rest_route=/wp/v2/posts"),
}  # fmt: skip


@pytest.mark.parametrize("says", HOME_SAYS)
def test_rest_is_found_where_the_home_page_says(says: str, tmp_path: Path) -> None:
    """A plugin's prefix and plain permalinks; the next run asks there at once."""
    head, headers, endpoint = HOME_SAYS[says]
    with SmallSite(posts(3)) as site:
        site.offer_rest(endpoint)
        status, plain, body = listing(site.base_url, [], head=head.replace("{base}", site.base_url))
        told = {name: value.replace("{base}", site.base_url) for name, value in headers.items()}
        site.answers["/"] = (status, {**plain, **told}, body)
        assert run(site.base_url, tmp_path).status == 0
        assert titles(tmp_path) == wanted(site)
        assert len(site.asked()) == len(set(site.asked()))
        site.posts.append(Post(500, "2024/06/01/barn-fire-500/", "2024-06-01T09:00:00"))
        site.log.clear()
        assert run(site.base_url, tmp_path).status == 0
    assert titles(tmp_path) == wanted(site)
    assert [path for path in site.log if not path.startswith(endpoint)] == [
        "/robots.txt",
        "/2024/06/01/barn-fire-500/",
    ]


@pytest.mark.fault("S10")
def test_a_refused_rest_list_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    """403 is an answer: another way in would go behind it."""
    with SmallSite(posts(2)) as site:
        site.offer_rest("/?rest_route=")
        site.answers["/"] = listing(
            site.base_url, site.posts, head="<meta name=generator content='WordPress 6'>"
        )
        site.app = _first(site.app, {"/wp-json/": (403, JSON, '{"code":"rest_forbidden"}')})
        done = run(site.base_url, tmp_path)
    assert not site.asked("rest_route")
    assert (done.status, "HTTP 403" in done.troubles) == (3, True)
    assert titles(tmp_path) == wanted(site), "what the home page shows is taken all the same"


def test_the_feed_is_read_where_the_home_page_says(tmp_path: Path) -> None:
    """Never the comments' feed."""
    links = "".join(
        f"<link rel='alternate' type='application/rss+xml' title='Echo' href='{href}'>"
        for href in ("/comments/feed/", "/rss/all.xml")
    )
    with SmallSite(posts(4)) as site:
        site.answers["/"] = listing(site.base_url, [], head=links)
        site.answers["/rss/all.xml"] = rss(site.base_url, site.posts)
        run(site.base_url, tmp_path)
        assert titles(tmp_path) == wanted(site)
        assert len(site.asked("all.xml")) <= 2, "a feed of one page is not leafed through"
        site.log.clear()
        assert run(site.base_url, tmp_path).status == 0
    assert site.log == ["/robots.txt", "/", "/rss/all.xml"]


def _first(app, answers):  # type: ignore[no-untyped-def]
    """Answer paths that begin like these before asking another app."""

    def first(path, headers):  # type: ignore[no-untyped-def]
        found = next((answer for start, answer in answers.items() if path.startswith(start)), None)
        return found or (app(path, headers) if app else None)

    return first


# What a list may look like


def shapes(urls: list[str], feeds: list[Answer]) -> dict[str, Answer]:
    xml = str(sitemap(urls)[2])
    return {
        "text": (200, {"Content-Type": "text/plain"}, "\ufeff" + "\r\n".join(urls) + "\n\n"),
        "rss": feeds[0] if feeds else sitemap([]),
        "atom": (200, XML, "<feed xmlns='http://www.w3.org/2005/Atom'>" + "".join(f"<entry><link href='{url}'/></entry>" for url in urls) + "</feed>"),
        "capitals": (200, XML, xml.replace("urlset", "URLSET").replace("url>", "URL>").replace("loc>", "LOC>")),
        "no namespace": (200, XML, xml.replace(' xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"', "")),
        "other namespace": (200, XML, xml.replace("<url>", "<url xmlns='http://example.com/x'>")),
        "undeclared prefix": (200, XML, xml.replace("<url>", "<s:url>").replace("</url>", "</s:url>").replace("loc>", "s:loc>").replace("urlset", "s:urlset")),
        "gzip": (200, {"Content-Type": "application/gzip"}, gzip.compress(xml.encode())),
        "gzip in gzip": (200, {"Content-Type": "application/gzip", "Content-Encoding": "gzip"}, gzip.compress(gzip.compress(xml.encode()))),
        "plain called gzip": (200, {"Content-Type": "application/gzip", "Content-Encoding": "gzip"}, xml),
        "plain named gz": (200, {"Content-Type": "application/x-gzip"}, xml),
    }  # fmt: skip


def test_a_sitemap_in_another_shape_is_read(tmp_path: Path) -> None:
    """Text and feeds are sitemaps too: https://www.sitemaps.org/protocol.html#otherformats."""
    with SmallSite(posts(11)) as site:
        names = list(shapes([], []))
        site.robots += "".join(f"Sitemap: /list-{number}.xml.gz\n" for number in range(len(names)))
        for number, (name, post) in enumerate(zip(names, site.posts, strict=True)):
            answer = shapes([site.base_url + post.path], [rss(site.base_url, [post])])[name]
            site.answers[f"/list-{number}.xml.gz"] = answer
        done = run(site.base_url, tmp_path)
    missed = {
        name for name, post in zip(names, site.posts, strict=True) if post.title not in titles(tmp_path)
    }
    assert not missed
    assert done.status == 0, done.troubles


def test_a_feed_in_the_place_of_a_sitemap_does_not_pass_for_a_list_of_all(tmp_path: Path) -> None:
    """It names the newest; older stories are looked for in the archive pages, and none is taken for unlisted later."""
    with SmallSite(posts(6), robots=f"{ALLOW}Sitemap: /map.xml\n") as site:
        site.answers["/map.xml"] = rss(site.base_url, site.posts[:2])
        site.answers["/"] = listing(site.base_url, site.posts)
        assert run(site.base_url, tmp_path).status == 0
        assert titles(tmp_path) == wanted(site)
        site.answers["/map.xml"] = rss(site.base_url, site.posts[1:2])
        site.log.clear()
        assert run(site.base_url, tmp_path).status == 0
    assert not site.asked("barn-fire")
    assert rows(tmp_path, "SELECT count(*) FROM events WHERE kind = 'unpublished'") == [(0,)]


BOMB = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
BROKEN: dict[str, Answer] = {
    "bomb": (200, XML, BOMB),
    "html": (200, HTML, "<!doctype html><html><body><p>Please wait a moment.</p></body></html>"),
    "empty": (200, XML, ""),
    "refused": (403, HTML, "no"),
    "bad request": (400, HTML, "no"),
    "error": (500, HTML, "no"),
    "noise": (200, XML, b"\x00\xff\xfe\x01" * 40),
}


@pytest.mark.fault("S01", "S05")
def test_a_site_whose_lists_are_all_broken_is_not_complete(tmp_path: Path) -> None:
    """Nothing stored is no success: exit 3, the reason in words, a row for each list, and so in the next run."""
    lines = "".join(f"Sitemap: /{number}.xml\n" for number in range(len(BROKEN)))
    with SmallSite(posts(2), robots=ALLOW + lines) as site:
        site.answers |= {f"/{number}.xml": answer for number, answer in enumerate(BROKEN.values())}
        site.app = _first(None, {"/wp-json/": (403, JSON, '{"code":"rest_forbidden"}')})
        done = run(site.base_url, tmp_path)
        again = run(site.base_url, tmp_path)
    assert (done.status, again.status) == (3, 3)
    assert [how for number, how in enumerate(BROKEN) if f"/{number}.xml" not in done.troubles] == []
    assert "HTTP 403" in done.troubles
    assert "/wp-json/wp/v2/posts: HTTP 403" in again.troubles, "not asked again so soon, and not forgotten"
    failed = (
        "SELECT count(*) FROM fetches WHERE run_id = 1 AND outcome = 'source_failed' AND detail IS NOT NULL"
    )
    assert rows(tmp_path, failed) >= [(1 + len(BROKEN),)]


def test_a_guessed_list_that_is_a_page_is_told_where_nothing_else_lists(tmp_path: Path) -> None:
    """Stories on the home page are taken; whether there are more, nobody said."""
    with SmallSite(posts(2)) as site:
        site.answers["/sitemap_index.xml"] = BROKEN["html"]
        site.answers["/"] = listing(site.base_url, site.posts)
        done = run(site.base_url, tmp_path)
    assert titles(tmp_path) == wanted(site)
    assert (done.status, "sitemap_index.xml" in done.troubles) == (3, True)


@pytest.mark.fault("S03")
def test_a_truncated_sitemap_gives_what_is_whole_and_is_told(tmp_path: Path) -> None:
    """Half an address is none."""
    with SmallSite(posts(4), robots=f"{ALLOW}Sitemap: /map.xml\n") as site:
        status, headers, body = sitemap(addresses(site))
        site.answers["/map.xml"] = (status, headers, str(body)[: str(body).rindex("<loc>") + 30])
        done = run(site.base_url, tmp_path)
    assert titles(tmp_path) == {post.title for post in site.posts[:3]}
    assert (done.status, "map.xml" in done.troubles) == (3, True)
    assert rows(tmp_path, "SELECT outcome, detail FROM fetches WHERE url LIKE '%map.xml'") == [
        ("listed", "cut short, or not all of it can be read")
    ]


def test_a_sitemap_that_an_index_names_and_that_fails_is_trouble(tmp_path: Path) -> None:
    """The stories of the others are taken."""
    with SmallSite(posts(4), robots=f"{ALLOW}Sitemap: /index.xml\n") as site:
        named = "".join(
            f"<sitemap><loc>{site.base_url}{name}</loc></sitemap>" for name in ("one.xml", "two.xml")
        )
        site.answers["/index.xml"] = (200, XML, f"<sitemapindex>{named}</sitemapindex>")
        site.answers["/one.xml"] = sitemap(addresses(site))
        site.answers["/two.xml"] = BROKEN["html"]
        done = run(site.base_url, tmp_path)
    assert titles(tmp_path) == wanted(site)
    assert (done.status, "two.xml" in done.troubles) == (3, True)


@pytest.mark.fault("S10")
def test_one_whole_list_excuses_what_was_only_guessed(tmp_path: Path) -> None:
    """REST refused, two guessed sitemaps missing, the third whole: nothing is amiss."""
    with SmallSite(posts(3)) as site:
        site.answers["/sitemap.xml"] = sitemap(addresses(site))
        site.app = _first(None, {"/wp-json/": (401, JSON, '{"code":"rest_not_logged_in"}')})
        done = run(site.base_url, tmp_path)
        site.log.clear()
        again = run(site.base_url, tmp_path)
    assert (done.status, again.status, titles(tmp_path)) == (0, 0, wanted(site))
    assert site.log == ["/robots.txt", "/sitemap.xml"]


@pytest.mark.fault("S06")
def test_a_sitemap_that_grows_for_ever_is_told(tmp_path: Path) -> None:
    """Each index names the next: read three deep, and no further."""

    def app(path: str, headers: object) -> Answer | None:
        if not path.startswith("/deep"):
            return None
        below = f"<sitemap><loc>/deep{int(path[5:-4] or 0) + 1}.xml</loc></sitemap>"
        return 200, XML, f"<sitemapindex>{below}</sitemapindex>"

    with SmallSite(posts(1), robots=f"{ALLOW}Sitemap: /deep.xml\n", app=app) as site:
        done = run(site.base_url, tmp_path)
    assert (done.status, len(site.asked("/deep"))) == (3, 4)
    assert "indexes deep" in done.troubles
