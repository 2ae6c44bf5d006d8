"""A site that refuses, lies, hangs and breaks off: one row each, the rest of the site stored, the exit status true."""

from __future__ import annotations

import gzip
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from crawling import Archived, newsroom, rows
from crawling import crawl as crawl_patiently

from uknip_crawler.demo import SampleSite, faults


def crawl(site: SampleSite, directory: Path, *options: str, expect: int = 0) -> dict[str, Any]:
    """Crawl with short time-outs and back-offs, so that a fault costs the suite seconds."""
    quick = ("UKNIP_RETRY_BACKOFF_SECONDS=0.05", "DOWNLOAD_TIMEOUT=3", "RETRY_TIMES=2")
    settings = [part for setting in quick for part in ("-s", setting)]
    return crawl_patiently(site, directory, *settings, *options, expect=expect)


def outcome(directory: Path, url: str) -> tuple[Any, ...]:
    (row,) = rows(
        directory, "SELECT outcome, detail FROM fetches WHERE url = ? ORDER BY id DESC LIMIT 1", url
    )
    return row


FAILURES = (
    ("timeout", faults.hang(30)),
    ("dataloss", faults.cut(900)),
    ("dataloss", faults.torn_gzip()),
    ("bad_encoding", faults.bad_gzip()),
    ("http_error", faults.status(500)),
    ("http_error", faults.status(403)),
    ("redirect_loop", faults.redirect("")),
    ("interrupted", faults.body(b"Briefly unavailable for scheduled maintenance. Check back in a minute.")),
)
NO_STORIES = (
    ("blocked_host", faults.redirect("http://elsewhere.invalid/page/")),
    ("blocked_host", faults.redirect("///elsewhere.invalid/page/")),
    ("blocked_host", faults.redirect("http://2130706434/")),
    ("blocked_url", faults.redirect("http://user:secret@127.0.0.1/")),
    ("blocked_url", faults.redirect("file:///etc/hostname")),
    ("blocked_url", faults.redirect("http://[/")),
    ("soft_404", faults.body(b"<html><head><title>Page not found</title></head><body class='error404'><h1>Page not found</h1></body></html>")),
    ("not_article", faults.body(b"%PDF-1.7", content_type="application/pdf")),
    ("protected", faults.body(b"<html><body class='single single-post postid-9'><h1>Protected: A story</h1><form class='post-password-form'><input name='post_password' type='password'></form></body></html>")),
)  # fmt: skip


def break_pages(site: SampleSite, broken: tuple[tuple[str, faults.Fault], ...]) -> dict[str, str]:
    """Put a fault into as many pages, and return the outcome each should have by address."""
    victims = [post.path for post in site.newsroom.published()[4 : 4 + len(broken)]]
    site.fail |= dict(zip(victims, (fault for _, fault in broken), strict=True))
    return {site.url(path): expected for path, (expected, _) in zip(victims, broken, strict=True)}


@pytest.mark.fault("F04", "F08", "F09", "F10", "F12")
def test_a_page_that_fails_costs_one_row_and_is_tried_again(tmp_path: Path) -> None:
    """The other stories are stored, and the run says that it is not whole."""
    with SampleSite(newsroom(20)) as site:
        expected = break_pages(site, FAILURES)
        crawl(site, tmp_path, expect=3)
        assert {url: outcome(tmp_path, url)[0] for url in expected} == expected
        stored = {url for (url,) in rows(tmp_path, "SELECT url FROM articles")}
        assert stored == {site.url(post.path) for post in site.newsroom.published()} - expected.keys()
        site.fail.clear()
        crawl(site, tmp_path)
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(20,)]


@pytest.mark.fault("F14", "F15", "W05", "W07", "X14")
def test_an_address_that_shows_no_story_costs_one_row(tmp_path: Path) -> None:
    """It is the site's business: the run is green."""
    with SampleSite(newsroom(20)) as site:
        expected = break_pages(site, NO_STORIES)
        crawl(site, tmp_path)
        assert {url: outcome(tmp_path, url)[0] for url in expected} == expected
        stored = {url for (url,) in rows(tmp_path, "SELECT url FROM articles")}
        assert stored == {site.url(post.path) for post in site.newsroom.published()} - expected.keys()


@pytest.mark.fault("F01")
def test_a_page_that_swells_is_too_large(tmp_path: Path) -> None:
    """Forty kilobytes on the wire, forty megabytes unpacked."""
    bomb = gzip.compress(b"<p>" + b"\0" * (40 * 2**20))
    with SampleSite(newsroom(8)) as site:
        victim = site.newsroom.published()[4].path
        site.fail[victim] = lambda answer: _gzipped(answer, bomb)
        crawl(site, tmp_path, expect=3)
        assert outcome(tmp_path, site.url(victim))[0] == "too_large"


def _gzipped(answer: Any, stream: bytes) -> Any:
    from dataclasses import replace

    return replace(answer, body=stream, encoding="gzip")


@pytest.mark.fault("F12", "F13")
def test_a_redirect_chain_has_an_end(tmp_path: Path) -> None:
    """Six redirects are one too many; two addresses pointing at each other are a loop."""
    with SampleSite(newsroom(8)) as site:
        victims = [post.path for post in site.newsroom.published()[:2]]
        site.fail[victims[0]] = faults.redirect("/hop-1/")
        for number in range(1, 8):
            site.fail[f"/hop-{number}/"] = faults.redirect(f"/hop-{number + 1}/")
        site.fail[victims[1]] = faults.redirect("/back/")
        site.fail["/back/"] = faults.redirect(victims[1])
        crawl(site, tmp_path, expect=3)
        assert outcome(tmp_path, site.url(victims[0]))[0] == "redirect_limit"
        assert outcome(tmp_path, site.url(victims[1]))[0] == "redirect_loop"
    assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL OR outcome = 'lost'") == [(0,)]


@pytest.mark.fault("F18")
def test_retry_after_is_obeyed(tmp_path: Path) -> None:
    """Two 429 with Retry-After: 2; the waits are kept, the story stored, the run green."""
    with SampleSite(newsroom(8)) as site:
        victim = site.newsroom.published()[4].path
        site.fail[victim] = faults.first(2, faults.status(429, retry_after=2))
        began = time.monotonic()
        crawl(site, tmp_path)
        assert time.monotonic() - began >= 4
        assert [status for _, target, status in site.requests if target == victim] == [429, 429, 200]
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(8,)]


@pytest.mark.fault("F19")
def test_a_site_that_asks_for_ages_is_left_alone(tmp_path: Path) -> None:
    """503 with Retry-After 10⁹: the rest is deferred, status 4, nothing is marked as missed; later all is fetched."""
    with SampleSite(newsroom(30)) as site:
        site.fail[site.newsroom.published()[4].path] = faults.status(503, retry_after=10**9)
        report = crawl(site, tmp_path, expect=4)
        assert report["outcomes"]["deferred"] >= 1
        assert rows(tmp_path, "SELECT count(*) FROM articles WHERE missed_runs > 0") == [(0,)]
        site.fail.clear()
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(30,)]


@pytest.mark.fault("R01")
@pytest.mark.parametrize(
    "fault",
    [500, 503, 429, faults.hang(30), faults.redirect("/robots.txt"), faults.torn_gzip(), faults.cut(20)],
)
def test_without_robots_txt_nothing_is_fetched(fault: int | faults.Fault, tmp_path: Path) -> None:
    """RFC 9309 §2.3.1.4: unreachable means disallowed. Status 4."""
    with SampleSite(newsroom(8)) as site:
        site.fail["/robots.txt"] = fault
        crawl(site, tmp_path, expect=4)
        assert {target for _, target, _ in site.requests} <= {"/robots.txt"}
    assert rows(tmp_path, "SELECT url FROM fetches") == [(site.url("/robots.txt"),)]


@pytest.mark.fault("R02")
def test_a_missing_robots_txt_allows_everything(tmp_path: Path) -> None:
    """RFC 9309 §2.3.1.3, whatever the error page says."""
    with SampleSite(newsroom(8)) as site:
        site.fail["/robots.txt"] = faults.body(
            b"User-agent: *\nDisallow: /\n", content_type="text/plain", code=404
        )
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(8,)]


@pytest.mark.fault("F07", "O05")
def test_a_site_that_is_down_gives_4(archived: Archived, tmp_path: Path) -> None:
    """Nothing listens; one line, and what was archived stays live."""
    with archived(tmp_path, 20) as site:
        pass
    report = crawl(site, tmp_path, expect=4)
    assert "robots.txt" in report["end_reason"]
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE status = 'live' AND missed_runs = 0") == [
        (20,)
    ]


@pytest.mark.fault("S05", "S11")
def test_a_source_that_breaks_is_trouble_not_silence(archived: Archived, tmp_path: Path) -> None:
    """REST and sitemaps gave stories yesterday and give HTML today: the feed is read, and the run is not green."""
    with archived(tmp_path, 20) as site:
        site.fail["/wp-json/wp/v2/posts"] = faults.body(b"<html>Fatal error</html>")
        report = crawl(site, tmp_path, expect=3)
    assert any("rest" in trouble for trouble in report["troubles"])


@pytest.mark.parametrize("fault", [404, faults.redirect("/"), faults.redirect("http://elsewhere.invalid/")])
def test_one_bad_answer_does_not_lose_a_listed_story(fault: int | faults.Fault, tmp_path: Path) -> None:
    """A source says that it is there: it is looked for again, a day later."""
    with SampleSite(newsroom(8)) as site:
        victim = site.newsroom.published()[4].path
        site.fail[victim] = fault
        crawl(site, tmp_path)
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(7,)]
        assert rows(tmp_path, "SELECT due_at IS NOT NULL FROM frontier WHERE url = ?", site.url(victim)) == [
            (1,)
        ]
        site.fail.clear()
        _all_due(tmp_path)
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(8,)]


def test_a_gap_in_the_feed_does_not_pass_for_its_end(tmp_path: Path) -> None:
    """Page three answers 500 once: the run is not green, and the next one reads on."""
    with SampleSite(newsroom(30), rest=False, sitemap=False, listings=False) as site:
        site.fail["/feed/?paged=3"] = faults.first(3, faults.status(500))
        crawl(site, tmp_path, expect=3)
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(30,)]


def test_every_sitemap_that_robots_txt_names_is_read(tmp_path: Path) -> None:
    """Some sites name each file instead of an index."""
    with SampleSite(newsroom(30), rest=False, feed=False, listings=False, sitemap_urls=10) as site:
        lines = [f"Sitemap: {site.url(f'/post-sitemap{number}.xml')}" for number in (1, 2, 3)]
        site.fail["/robots.txt"] = faults.body("\n".join(lines).encode(), content_type="text/plain")
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(30,)]


@pytest.mark.fault("F20")
def test_an_unchanged_old_story_is_not_asked_for_every_hour(archived: Archived, tmp_path: Path) -> None:
    """After a 304 the wait follows the story's age, as after a 200."""
    with archived(tmp_path, 20) as site:
        _all_due(tmp_path)
        crawl(site, tmp_path)
        site.requests.clear()
    soon = (
        "SELECT count(*) FROM frontier JOIN articles ON articles.id = article_id "
        "WHERE due_at < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+5 days') AND published_at < '2025-11-01'"
    )
    assert rows(tmp_path, "SELECT count(*) > 10 FROM fetches WHERE run_id = 2 AND outcome = 'unchanged'") == [
        (1,)
    ]
    assert rows(tmp_path, soon) == [(0,)]


@pytest.mark.fault("W10")
def test_a_mass_of_404_marks_nothing_as_gone(archived: Archived, tmp_path: Path) -> None:
    """When most stories vanish at once, it is the site that is ill."""
    with archived(tmp_path, 30) as site:
        stories = [post.path for post in site.newsroom.published()]
        site.fail = dict.fromkeys(stories, 404)
        site.fail |= {"/wp-json/wp/v2/posts": faults.body(b"[]", content_type="application/json")}
        _all_due(tmp_path)
        for _ in range(3):
            crawl(site, tmp_path, expect=3)
            _all_due(tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE status = 'gone'") == [(0,)]


def _all_due(directory: Path) -> None:
    from uknip_crawler.archive import Archive

    with Archive(directory) as archive, archive.transaction():
        archive.db.conn.execute(
            "UPDATE frontier SET due_at = '2000-01-01T00:00:00.000000Z' WHERE kind = 'article'"
        )


@pytest.mark.fault("F14", "S04")
def test_no_other_host_is_ever_contacted(tmp_path: Path) -> None:
    """A second server on this machine stays without a single connection."""
    with socket.create_server(("127.0.0.2", 0)) as elsewhere, SampleSite(newsroom(8)) as site:
        elsewhere.settimeout(0.5)
        trap = f"http://127.0.0.2:{elsewhere.getsockname()[1]}/"
        paths = [post.path for post in site.newsroom.published()]
        site.fail[paths[0]] = faults.redirect(trap)
        site.fail[paths[1]] = faults.body(
            f'<meta http-equiv="refresh" content="0;url={trap}"><a href="{trap}">x</a>'.encode()
        )
        site.fail["/post-sitemap1.xml"] = faults.body(
            f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{trap}</loc></url>"
            "<url><loc>file:///etc/hostname</loc></url></urlset>".encode(),
            content_type="application/xml",
        )
        crawl(site, tmp_path, expect=3)  # the page that refreshes elsewhere cannot be read
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert rows(tmp_path, "SELECT outcome FROM fetches WHERE url = ?", trap) == [("blocked_host",)]
    assert rows(tmp_path, "SELECT outcome FROM fetches WHERE url = 'file:///etc/hostname'") == [
        ("blocked_url",)
    ]


def test_a_robots_delay_longer_than_ours_is_kept(tmp_path: Path) -> None:
    """Crawl-delay is no part of RFC 9309, but a site that writes it means it."""
    with SampleSite(newsroom(8)) as site:
        site.fail["/robots.txt"] = faults.body(b"User-agent: *\nCrawl-delay: 1\n", content_type="text/plain")
        began = time.monotonic()
        crawl(site, tmp_path, "--limit", "4")
        assert time.monotonic() - began > 4


def test_a_robots_delay_that_allows_no_crawl_ends_it(tmp_path: Path) -> None:
    """Eleven days between two requests: said at once, with the way round it, and nothing is asked for."""
    with SampleSite(newsroom(8)) as site:
        site.fail["/robots.txt"] = faults.body(
            b"User-agent: *\nCrawl-delay: 1000000\n", content_type="text/plain"
        )
        report = crawl(site, tmp_path, expect=4)
        assert "1,000,000 s between requests" in report["end_reason"]
        assert {target for _, target, _ in site.requests} == {"/robots.txt"}


def test_a_site_that_answers_with_errors_for_ever_is_left_alone(tmp_path: Path) -> None:
    """Its lists are whole, its pages are not: the run ends after twenty, and the next one has them all."""
    with SampleSite(newsroom(30)) as site:
        for post in site.newsroom.published():
            site.fail[post.path] = 500
        report = crawl(site, tmp_path, expect=4)
        assert "20 server errors in a row" in report["end_reason"]
        assert sum(status == 500 for _, _, status in site.requests) <= 24  # what was under way then
        site.fail.clear()
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(30,)]


def test_the_user_agent_is_honest(tmp_path: Path) -> None:
    """Our name and the contact stand in every request the WARC file keeps."""
    from warcio.archiveiterator import ArchiveIterator

    with SampleSite(newsroom(8)) as site:
        crawl(site, tmp_path, "--contact", "mailto:desk@example.org", "--limit", "3")
    agents = set()
    with next((tmp_path / "warc").glob("*.warc.gz")).open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type == "request":
                agents.add(record.http_headers.get_header("User-Agent"))
    assert len(agents) == 1
    (agent,) = agents
    assert agent.startswith("uknip/")
    assert "mailto:desk@example.org" in agent
