"""A site's own rules: drafted from what it offers, read from a folder, and those of the sister sites that come along."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from small_site import HTML, JSON, SmallSite, posts, rss, sitemap

from uknip_crawler.cli.sites import command
from uknip_crawler.errors import SiteUnavailable, UsageError
from uknip_crawler.sites import load_site
from uknip_crawler.sites.drafting import Offer, draft, forms
from uknip_crawler.sites.files import trouble_in
from uknip_crawler.surveying import survey
from uknip_crawler.urls import AddressKind, canonicalise, classify

AGENT = "uknip/1 (test)"
FRONT = """<!doctype html><html><head><title>Marlow Echo – news of the valley</title>
<meta property="og:site_name" content="Marlow Echo"><link rel="alternate" type="application/rss+xml" href="/news.rss">
<link rel="https://api.w.org/" href="/wp-json/"></head><body><img src="https://cdn.marlow.example/a.jpg">
<img src="/wp-content/b.jpg"></body></html>"""


def echo_of(**changes: str) -> SmallSite:
    """A newspaper of the valley: forty stories by section and number, ten more of a form that the general rules know."""
    own = posts(40)
    for post in own:
        post.path = f"valley/{'farms' if post.number % 2 else 'rivers'}/{post.number + 70000}/barn-fire-{post.number}/"
    site = SmallSite([*own, *posts(10, first=41)], **changes)  # type: ignore[arg-type]  # texts are all that is given
    root = {"name": "The Marlow Echo", "timezone_string": "Europe/Dublin"}
    site.answers = {"/": (200, HTML, FRONT), "/wp-json/": (200, JSON, json.dumps(root))}
    site.offer_rest()
    return site


def test_rules_are_drafted_from_what_a_site_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names from REST and front page, forms of addresses from its lists; crawls go by the draft as it is."""
    waited: list[float] = []
    robots = "User-agent: *\nCrawl-delay: 7\nSitemap: {base}map.xml\n"
    with echo_of(robots=robots) as site:
        site.answers["/news.rss"] = rss(site.base_url, site.posts[:3])
        site.answers["/map.xml"] = sitemap([site.base_url + post.path for post in site.posts])
        offer = survey(site.base_url, AGENT, delay=1, wait=waited.append)
        text = draft(offer)
        base_url = site.base_url
        assert [path.partition("?")[0] for path in site.log] == [
            "/robots.txt", "/", "/wp-json/", "/wp-json/wp/v2/posts", "/news.rss", "/map.xml",
        ]  # fmt: skip
    assert waited == [7] * 5
    told = tomllib.loads(text)
    assert trouble_in(told) is None
    assert told["site"] == {"hosts": ["127.0.0.1"], "names": ["The Marlow Echo", "Marlow Echo"]}
    assert told["addresses"]["article"] == [r"^/valley/(?!tag/|category/|author/|page/)[^/]+/\d+/[^/]+/?$"]
    assert told["images"] == {"hosts": ["cdn.marlow.example"]}
    comments = [line for line in text.splitlines() if line.startswith("#")]
    for words in (
        "# robots.txt: read, asks for 7 s between requests",
        "# front page: read, made by WordPress",
        f"# REST root {base_url}wp-json/: time zone Europe/Dublin",
        "# REST posts: 50 stories of 50",
        f"# feed {base_url}news.rss: 3 stories",
        f"# sitemap {base_url}map.xml: urlset of 50",
        "# its time zone is Europe/Dublin: dates that pages print without a zone are read as London's",
    ):
        assert words in comments
    assert re.search(
        r"^# 10 like /2024/05/\d\d/barn-fire-\d\d, known to the general rules$", text, re.MULTILINE
    )
    story = f"{base_url}valley/farms/70001/barn-fire-1/"
    assert classify(story, load_site(base_url)) is AddressKind.UNKNOWN
    (tmp_path / "marlow.toml").write_text(text, "utf-8")
    monkeypatch.setenv("UKNIP_SITES", str(tmp_path))
    known = load_site(base_url)
    assert classify(story, known) is AddressKind.ARTICLE
    assert classify(f"{base_url}valley/tag/70001/x/", known) is not AddressKind.ARTICLE
    assert known.names[:2] == ("The Marlow Echo", "Marlow Echo")
    assert "cdn.marlow.example" in known.image_hosts
    assert known.furniture == load_site().furniture


def test_what_robots_txt_forbids_is_not_asked_for() -> None:
    """It is told; so is what cannot be read, and what would lead to another host."""
    with echo_of(robots="User-agent: *\nDisallow: /wp-json/\n") as site:
        site.answers["/news.rss"] = (302, {"Location": "http://localhost:1/feed"}, "")
        site.answers["/sitemap.xml"] = (200, HTML, "<html>Not a map</html>")
        offer = survey(site.base_url, AGENT, delay=0, wait=lambda seconds: None)
        assert site.asked("wp-json") == []
    doors = dict(line.rsplit(": ", 1) if "redirects" not in line else (line, "") for line in offer.told)
    assert doors[f"REST root {site.base_url}wp-json/"] == "robots.txt forbids it"
    assert doors["REST posts"] == "robots.txt forbids it"
    assert any(
        "redirects to http://localhost:1/feed, which is not to be asked for" in line for line in offer.told
    )
    assert offer.stories == []
    assert trouble_in(tomllib.loads(draft(offer))) is None


@pytest.mark.parametrize(
    ("robots", "told"),
    [((503, HTML, "busy"), "HTTP 503"), ((200, HTML, "User-agent: *\nCrawl-delay: 600"), "asks for 600 s")],
)
def test_without_leave_nothing_is_asked(robots: tuple[int, dict[str, str], str], told: str) -> None:
    with echo_of() as site:
        site.answers["/robots.txt"] = robots
        with pytest.raises(SiteUnavailable, match=told):
            survey(site.base_url, AGENT, delay=0)
        assert site.log == ["/robots.txt"]


def test_the_command_writes_a_file_once(tmp_path: Path) -> None:
    """Or prints it; what is there stays."""
    out = tmp_path / "sites" / "marlow.toml"
    with echo_of() as site:
        options = ["new", site.base_url, "--delay", "0"]
        printed = CliRunner().invoke(command, options, catch_exceptions=False)
        written = CliRunner().invoke(command, [*options, "-o", str(out)], catch_exceptions=False)
        again = CliRunner().invoke(command, [*options, "-o", str(out)])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert printed.stdout == out.read_text("utf-8")
    assert f"UKNIP_SITES={out.parent}" in written.stdout
    assert isinstance(again.exception, UsageError)
    assert "is there" in str(again.exception)


@given(st.text(), st.text(), st.lists(st.text(max_size=20), max_size=3))
def test_whatever_a_site_says_of_itself_the_draft_is_sound(name: str, line: str, words: list[str]) -> None:
    """Names and lines are one line each, quoted as TOML wants it."""
    urls = [f"https://news.example/a/{word}/{number}" for word in words for number in range(3)]
    offer = Offer("https://news.example/", [name], line, urls, ["x"], [line])
    told = tomllib.loads(draft(offer))
    assert trouble_in(told) is None
    for pattern in told["addresses"]["article"]:
        assert pattern.startswith("^/")


def test_a_form_needs_company_and_more_than_a_word() -> None:
    """Single addresses and single words tell nothing; shared words stay, numbers are numbers."""
    site = load_site("https://news.example/")
    urls = [f"https://news.example/uk/{n}/story-{n}" for n in range(100, 104)]
    urls += ["https://news.example/about/", "https://news.example/x/y/z/w/"]
    (form,) = forms(urls, site)
    assert (form.pattern, form.count, form.is_known) == (
        r"^/uk/\d+/(?!tag/|category/|author/|page/)[^/]+/?$", 4, False,
    )  # fmt: skip


# Files


@pytest.mark.parametrize(
    "url",
    [
        "https://kent999.co.uk/breaking/news-231387/barn-fire-near-marlow/",
        "https://www.kent999.co.uk/kent/gravesend/news-235976/barn-fire-near-marlow/",
        "https://999live.co.uk/breaking/barn-fire-near-marlow/251118/",
        "https://wiltshire999.co.uk/news/uk/breaking/barn-fire-near-marlow",
    ],
)
def test_the_sister_sites_are_known(url: str) -> None:
    """By their addresses and under their own names; lists of theirs are no stories."""
    site = load_site("/".join(url.split("/")[:3]))
    assert classify(canonicalise(url, site), site) is AddressKind.ARTICLE
    assert "999" in site.names[0]
    assert "UKNIP" in site.names
    for path in ("breaking/page/2", "tag/barn/251118/", "2019/10/09/page/2"):
        assert classify(canonicalise(f"{site.base_url}{path}", site), site) is not AddressKind.ARTICLE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[site", "not TOML"),
        ("[site]\nnames = ['x']", "say whose it is"),
        ("[site]\nhosts = ['x']\nzone = ['y']", "site.zone is no rule"),
        ("[site]\nhosts = ['x']\n[sites]\n", "'sites' is no table"),
        ("[site]\nhosts = ['x']\nnames = 'y'", "site.names: a list of texts"),
        ("[site]\nhosts = ['x']\n[addresses]\narticle = ['(']", "'(' is no regular expression"),
    ],
)
def test_a_file_that_cannot_be_meant_is_told_in_one_line(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text(text)
    monkeypatch.setenv("UKNIP_SITES", str(tmp_path))
    with pytest.raises(UsageError) as caught:
        load_site("https://x.example/")
    assert f"{tmp_path / 'own.toml'}: " in str(caught.value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("UKNIP_SITES", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="there is no such folder"):
        load_site("https://x.example/")
