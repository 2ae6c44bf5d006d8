"""The sample site serves what its newsroom says, and does what its newsroom did."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import struct
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from lxml import etree, html

from uknip_crawler.demo import Newsroom, SampleSite, faults, truth
from uknip_crawler.demo.furniture import INSIDE, furniture
from uknip_crawler.demo.hard.clutter import KINDS
from uknip_crawler.demo.hard.layouts import FEW_PAGES, LAYOUTS
from uknip_crawler.demo.posts import ERAS, InsertedLine, Post
from uknip_crawler.models import BlockKind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


class Got(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def location(self) -> str:
        return urlsplit(self.headers["Location"]).path

    def json(self) -> list[dict[str, object]]:
        return json.loads(self.body)


def fetch(site: SampleSite, target: str, method: str = "GET", **headers: str) -> Got:
    parts = urlsplit(site.base_url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)) as connection:
        connection.request(
            method, target, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        response = connection.getresponse()
        return Got(response.status, response.headers, response.read())


def ask_again(connection: http.client.HTTPConnection) -> bytes:
    """Use a kept connection once more."""
    connection.request("GET", "/robots.txt")
    return connection.getresponse().read()


@pytest.fixture(scope="module")
def site() -> Iterator[SampleSite]:
    """The site on its first day; tests that work on the newsroom make their own."""
    with SampleSite(Newsroom(now=NOW)) as running:
        yield running


def shown(page: html.HtmlElement) -> list[str]:
    """Texts of the page's smallest text elements, hidden e-mail addresses decoded as a browser does."""
    for link in page.xpath("//*[@data-cfemail]"):
        key, *code = bytes.fromhex(link.get("data-cfemail"))
        link.text = bytes(byte ^ key for byte in code).decode()
    for line_break in page.xpath("//br"):
        line_break.tail = "¦" + (line_break.tail or "")
    texts = [element.text_content() for element in page.xpath("//p|//h2|//li[not(*)]")]
    return [
        " ".join(piece.replace("[block_2]", "").split())
        for text in texts
        for piece in text.split("¦")
        if piece
    ]


def test_the_same_arguments_make_the_same_newsroom() -> None:
    """Posts, and what a day's work does to them, follow from number, seed and instant alone."""
    one, two = Newsroom(40, seed=7, now=NOW), Newsroom(40, seed=7, now=NOW)
    assert one.truth() == two.truth()
    assert one.work(TOMORROW) == two.work(TOMORROW)
    assert one.truth() == two.truth()
    assert Newsroom(40, seed=8, now=NOW).truth() != Newsroom(40, seed=7, now=NOW).truth()


def test_stories_are_numbered_in_the_order_they_were_published() -> None:
    """Sixty posts over three years, none in the future, and each at an address of its own."""
    posts = Newsroom(now=NOW).truth()
    times = [post.published_at for post in posts]
    assert [post.post_id for post in posts] == list(range(1, 61))
    assert times == sorted(times)
    assert timedelta(days=1050) < NOW - times[0] < timedelta(days=3 * 366)
    assert all(post.published_at <= post.modified_at <= NOW for post in posts)
    assert len({post.path for post in posts}) == 60


def test_every_address_scheme_and_layout_is_in_use() -> None:
    """Dated, numbered, capitalised and bare addresses, with and without the last slash; old posts in old layouts."""
    posts = Newsroom(now=NOW).truth()
    starts = ("/20", "/blog/20", "/Breaking/News/breaking/", "/News/breaking/", "/news/uk/")
    assert all(any(post.path.startswith(start) for post in posts) for start in starts)
    assert any("/news-" in post.path for post in posts)
    assert {post.path.endswith("/") for post in posts} == {True, False}
    eras = list(dict.fromkeys(era.layout for era in ERAS))
    assert [post.layout for post in posts] == sorted((post.layout for post in posts), key=eras.index)
    assert {post.layout for post in posts} == set(eras)
    assert len(eras) == 9


def test_every_kind_of_block_and_byline_occurs() -> None:
    """Fixtures worth crawling: lists, quotes, headings, pictures, embeds, one-liners, people and the house account."""
    posts = Newsroom(now=NOW).truth()
    kinds = {block.kind for post in posts for block in post.blocks}
    assert kinds >= set(BlockKind) - {BlockKind.TABLE}
    assert {bool(post.authors) for post in posts} == {bool(post.kicker) for post in posts} == {True, False}
    assert any(len(post.blocks) == 1 for post in posts)
    assert any(image.caption and image.credit for post in posts for image in post.images)
    bodies = "\n".join(post.body for post in posts)
    assert all(
        phrase in bodies
        for phrase in ("More to follow.", "have been approached for comment.", "Crimestoppers")
    )


def test_the_body_is_paragraphs_and_marked_list_items() -> None:
    """Blocks are parted by one blank line; captions and embeds are not in the text."""
    post = next(p for p in Newsroom(now=NOW).truth() if any(b.kind is BlockKind.LIST_ITEM for b in p.blocks))
    lines = post.body.split("\n\n")
    items = [block.text for block in post.blocks if block.kind is BlockKind.LIST_ITEM]
    assert [line[2:] for line in lines if line.startswith("- ")] == items
    assert lines[0] == post.blocks[0].text
    assert len(lines) == sum(block.kind not in (BlockKind.IMAGE, BlockKind.EMBED) for block in post.blocks)


def test_every_page_shows_its_story_whole_and_in_order(site: SampleSite) -> None:
    """Each text block of the truth stands on the served page, after the one before it."""
    for post in site.newsroom.truth():
        page = html.fromstring(fetch(site, post.path).body.decode())
        lines = iter(shown(page))
        missing = [block.text for block in post.blocks if block.text and block.text not in lines]
        assert not missing, (post.path, missing)
        headings = " ".join(page.xpath("//h1")[0].text_content().split())
        assert headings == " ".join(filter(None, (post.kicker, post.headline)))


def test_every_picture_and_embed_of_a_story_is_on_its_page(site: SampleSite) -> None:
    """Picture addresses are served; their alt texts, captions and embeds stand in the markup."""
    for post in site.newsroom.truth(site.base_url):
        page = html.fromstring(fetch(site, post.path).body.decode())
        sources = {
            image.get("data-src") or image.get("src"): image.get("alt") for image in page.xpath("//img")
        }
        assert {image.url: image.alt for image in post.images}.items() <= sources.items()
        raw = html.tostring(page, encoding="unicode")
        assert all(embed in raw for embed in post.embeds)
        assert all(image.caption in raw for image in post.images if image.caption)


def test_pictures_are_real(site: SampleSite) -> None:
    """A PNG of 320 by 200 pixels whose image data has the announced size."""
    image = next(post.lead_image for post in site.newsroom.truth() if post.lead_image)
    got = fetch(site, image.url)
    assert got.headers["Content-Type"] == "image/png"
    assert got.body.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", got.body[16:24]) == (320, 200)
    start = got.body.index(b"IDAT") + 4
    size = struct.unpack(">I", got.body[start - 8 : start - 4])[0]
    assert len(zlib.decompress(got.body[start : start + size])) == (320 * 3 + 1) * 200
    assert fetch(site, "/wp-content/uploads/2020/01/nothing.png").status == 404


def test_structured_layouts_tell_the_truth_in_their_markup(site: SampleSite) -> None:
    """Number, addresses, instants, section and tags can all be read from the head."""
    for post in (post for post in site.newsroom.truth() if not post.unstructured):
        page = html.fromstring(fetch(site, post.path).body.decode())
        data = json.loads(page.xpath("string(//script[@type='application/ld+json'])"))
        article = data["@graph"][0] if "@graph" in data else data
        assert f"postid-{post.post_id} " in page.find("body").get("class") + " "
        assert page.xpath("string(//link[@rel='shortlink']/@href)") == site.url(f"/?p={post.post_id}")
        assert page.xpath("string(//link[@rel='canonical']/@href)") == site.url(post.path)
        assert article["headline"] == post.headline
        assert datetime.fromisoformat(article["datePublished"]) == post.published_at
        assert datetime.fromisoformat(article["dateModified"]) == post.modified_at
        assert (article["articleSection"], tuple(article["keywords"])) == ([post.section], post.tags)


def test_the_plain_layout_has_no_structured_metadata(site: SampleSite) -> None:
    """Its only date is the printed one, London's day in words."""
    for post in (post for post in site.newsroom.truth() if post.unstructured):
        text = fetch(site, post.path).body.decode()
        assert not any(
            mark in text for mark in ("ld+json", "og:", "canonical", "postid-", "shortlink", "datetime=")
        )
        day = post.published_at.astimezone(ZoneInfo("Europe/London"))
        assert f'<div class="when">{day:%B} {day.day}, {day.year}</div>' in text


def test_pages_weigh_what_real_ones_do(site: SampleSite) -> None:
    """Between 100 and 200 kB in more than a thousand elements, so that timings mean something."""
    bodies = [fetch(site, post.path).body for post in site.newsroom.truth()]
    assert 100_000 < min(map(len, bodies)) <= max(map(len, bodies)) < 200_000
    assert 1_000 < len(list(html.fromstring(bodies[0]).iter())) < 2_500


def test_a_page_carries_exactly_the_furniture_that_is_told_of_it(site: SampleSite) -> None:
    """Each line of it is on the page as text, where the story is long enough to hold all boxes."""
    kinds = set[str]()
    for post in site.newsroom.published():
        if len(post.blocks) < 10:
            continue
        around = furniture(post, site.others(post), site.newsroom.promo)
        shown = " ".join(html.fromstring(fetch(site, post.path).body).text_content().split())
        told = [" ".join(line.split()) for line in around.lines]
        assert all(line in shown for line in told), post.path
        kinds |= {kind for kind in INSIDE[post.layout] if getattr(around, kind)}
    assert kinds == {kind for layout in ERAS for kind in INSIDE[layout.layout]}


def test_a_redesign_changes_every_page_and_no_word() -> None:
    """All stories, old and new, in one layout nobody has seen; addresses and texts stay."""
    newsroom = Newsroom(20, now=NOW)
    before = {post.post_id: (post.path, post.headline, post.body) for post in newsroom.published()}
    newsroom.redesign(TOMORROW)
    assert {post.layout for post in newsroom.published()} == {"rebuilt"}
    assert {post.post_id: (post.path, post.headline, post.body) for post in newsroom.published()} == before


def listed(site: SampleSite) -> dict[str, str]:
    """Every address of the post sitemaps with its lastmod."""
    index = etree.fromstring(fetch(site, "/sitemap_index.xml").body)
    entries: dict[str, str] = {}
    for address in index.xpath("//s:sitemap/s:loc/text()", namespaces=SITEMAP):
        path = urlsplit(str(address)).path
        urls = etree.fromstring(fetch(site, path).body).xpath("//s:url", namespaces=SITEMAP)
        assert len(urls) <= 25
        if "post-sitemap" in path:
            entries |= {
                url.findtext("s:loc", None, SITEMAP): url.findtext("s:lastmod", None, SITEMAP) for url in urls
            }
    return entries


def test_the_sitemaps_list_exactly_the_published_stories(site: SampleSite) -> None:
    """Three files for sixty stories, each with its change to the second."""
    truth = {site.url(post.path): post.modified_at for post in site.newsroom.truth()}
    assert {url: datetime.fromisoformat(when) for url, when in listed(site).items()} == truth
    assert fetch(site, "/post-sitemap4.xml").status == 404
    assert fetch(site, "/sitemap.xml").location == "/sitemap_index.xml"
    assert fetch(site, "/wp-sitemap.xml").status == 404


def test_rest_pages_through_every_story_once(site: SampleSite) -> None:
    """Totals stand in the headers, and a page past the end is WordPress's own error."""
    target = "/wp-json/wp/v2/posts?per_page=25&orderby=id&order=asc&_fields=id,link&page="
    pages = [fetch(site, f"{target}{number}") for number in (1, 2, 3)]
    records = [record for page in pages for record in page.json()]
    assert [len(page.json()) for page in pages] == [25, 25, 10]
    assert records == [{"id": post.post_id, "link": site.url(post.path)} for post in site.newsroom.truth()]
    assert {(page.headers["X-WP-Total"], page.headers["X-WP-TotalPages"]) for page in pages} == {("60", "3")}
    past = fetch(site, f"{target}4")
    assert (past.status, json.loads(past.body)["code"]) == (400, "rest_post_invalid_page_number")


@pytest.mark.parametrize("query", ["per_page=101", "per_page=0", "page=x", "orderby=mood", "after=yesterday"])
def test_rest_refuses_bad_parameters(site: SampleSite, query: str) -> None:
    """Status 400 with the code that WordPress core uses."""
    got = fetch(site, f"/wp-json/wp/v2/posts?{query}")
    assert (got.status, json.loads(got.body)["code"]) == (400, "rest_invalid_param")


def test_rest_filters_by_instants_and_numbers(site: SampleSite) -> None:
    """Bounds are exclusive; `include` takes numbers; a filter that leaves nothing gives an empty first page."""
    truth = site.newsroom.truth()
    middle = sorted(post.modified_at for post in truth)[40]
    stamp = middle.isoformat().replace("+00:00", "Z")
    later = fetch(site, f"/wp-json/wp/v2/posts?per_page=100&modified_after={stamp}&_fields=id").json()
    assert {record["id"] for record in later} == {post.post_id for post in truth if post.modified_at > middle}
    chosen = fetch(site, "/wp-json/wp/v2/posts?include=3,9,62&order=asc&_fields=id").json()
    assert chosen == [{"id": 3}, {"id": 9}]
    none = fetch(site, "/wp-json/wp/v2/posts?after=2030-01-01T00:00:00")
    assert (none.status, none.json(), none.headers["X-WP-TotalPages"]) == (200, [], "0")


def test_rest_gives_local_and_universal_time(site: SampleSite) -> None:
    """A story of British summer time: `date` is London's clock, `date_gmt` an hour behind it."""
    post = next(post for post in site.newsroom.truth() if post.published_at.month == 7)
    record = fetch(site, f"/wp-json/wp/v2/posts?include={post.post_id}").json()[0]
    local, universal = (datetime.fromisoformat(str(record[name])) for name in ("date", "date_gmt"))
    assert universal == post.published_at.replace(tzinfo=None)
    assert local - universal == timedelta(hours=1)
    assert (record["slug"], record["status"]) == (post.slug, "publish")


def test_the_feed_carries_ten_whole_stories_a_page(site: SampleSite) -> None:
    """Newest first, numbered by guid, six pages and then 404."""
    newest = sorted(site.newsroom.truth(), key=lambda post: -post.post_id)
    for page, posts in ((1, newest[:10]), (6, newest[50:])):
        items = etree.fromstring(fetch(site, f"/feed/?paged={page}").body).findall(".//item")
        assert [item.findtext("guid") for item in items] == [
            site.url(f"/?p={post.post_id}") for post in posts
        ]
        content = items[0].findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
        assert [line for line in shown(html.fromstring(f"<div>{content}</div>")) if line] == [
            block.text for block in posts[0].blocks if block.text
        ]
    assert fetch(site, "/feed/?paged=7").status == 404


def test_an_unchanged_story_answers_304(site: SampleSite) -> None:
    """By entity tag or by date; the tag decides when both are sent."""
    post = site.newsroom.truth()[30]
    first = fetch(site, post.path)
    assert first.headers["Last-Modified"] == format_datetime(post.modified_at, usegmt=True)
    again = fetch(site, post.path, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert fetch(site, post.path, If_Modified_Since=first.headers["Last-Modified"]).status == 304
    assert fetch(site, post.path, If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT").status == 200
    both = fetch(site, post.path, If_None_Match='"x"', If_Modified_Since=first.headers["Last-Modified"])
    assert both.status == 200


def test_pages_are_compressed_on_request_only(site: SampleSite) -> None:
    """The same bytes either way, and HEAD announces what GET sends."""
    path = site.newsroom.truth()[3].path
    plain, packed = fetch(site, path), fetch(site, path, Accept_Encoding="gzip, br")
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    head = fetch(site, path, "HEAD")
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(plain.body)))


def test_other_forms_of_an_address_lead_to_the_story(site: SampleSite) -> None:
    """Number and wrong slash redirect; tracking and comment parameters serve the page; AMP and print name it."""
    post = next(post for post in site.newsroom.truth() if not post.path.endswith("/"))
    for form in (f"/?p={post.post_id}", f"{post.path}/"):
        got = fetch(site, form)
        assert (got.status, got.location) == (301, post.path)
    page = fetch(site, post.path).body
    assert (
        fetch(site, f"{post.path}?utm_source=x").body == fetch(site, f"{post.path}?replytocom=1").body == page
    )
    for form in (f"{post.path}/amp/", f"{post.path}?print=1"):
        bare = html.fromstring(fetch(site, form).body)
        assert bare.xpath("string(//link[@rel='canonical']/@href)") == site.url(post.path)
    assert [fetch(site, f"/?p={number}").status for number in (61, 62, 999, "x")] == [404] * 4


def test_listings_page_through_every_story(site: SampleSite) -> None:
    """Home and categories link ten a page and name the next page until there is none."""
    for root, posts in (
        ("/", site.newsroom.truth()),
        ("/category/breaking/", [post for post in site.newsroom.truth() if post.section == "Breaking"]),
    ):
        found: list[str] = []
        target = root
        while target:
            page = html.fromstring(fetch(site, target).body)
            found += [urlsplit(link).path for link in page.xpath("//h2[@class='entry-title']/a/@href")]
            target = urlsplit(page.xpath("string(//a[@class='next page-numbers']/@href)")).path
        assert sorted(found) == sorted(post.path for post in posts)
    assert fetch(site, "/page/7/").status == 404


def test_a_tag_page_prints_whole_paragraphs(site: SampleSite) -> None:
    """To a length test it looks like an article: every paragraph of its stories, each headline twice."""
    post = site.newsroom.truth()[-1]
    page = html.fromstring(fetch(site, f"/Breaking/News/tag/{post.town.lower()}/").body.decode())
    assert post.blocks[0].text in shown(page)
    assert page.xpath("count(//a[normalize-space()=$headline])", headline=post.headline) == 2
    assert "archive tag" in page.find("body").get("class")


def test_the_calendar_never_ends(site: SampleSite) -> None:
    """Every month links the next, long past the newest story."""
    target = "/2026/11/"
    for _ in range(30):
        got = fetch(site, target)
        assert got.status == 200
        target = urlsplit(html.fromstring(got.body).xpath("string(//ul[@class='ng-extra']//a/@href)")).path
    assert target > "/2029/"


def test_home_links_a_page_that_robots_forbid(site: SampleSite) -> None:
    """The forbidden page is there, looks like a story, and is linked."""
    assert b"Disallow: /private/" in fetch(site, "/robots.txt").body
    page = html.fromstring(fetch(site, "/").body)
    private = next(link for link in page.xpath("//a/@href") if "/private/" in link)
    assert fetch(site, urlsplit(private).path).status == 200


@pytest.mark.parametrize("target", ["/about/", "/author/uknip247/", "/?s=fire", "/2026/11/23/"])
def test_there_are_pages_that_are_no_stories(site: SampleSite, target: str) -> None:
    """Each answers 200 and none claims to be an article."""
    got = fetch(site, target)
    assert got.status == 200
    assert b'content="article"' not in got.body
    assert b"single-post" not in got.body


def test_an_attachment_page_hangs_below_its_story(site: SampleSite) -> None:
    """The picture of a classic page links a page of its own."""
    post = next(post for post in site.newsroom.truth() if post.layout == "classic" and post.lead_image)
    page = html.fromstring(fetch(site, post.path).body)
    link = next(link for link in page.xpath("//a/@href") if "/attachment/" in link)
    got = fetch(site, urlsplit(link).path)
    assert got.status == 200
    assert b'<body class="attachment ' in got.body


def test_doors_can_be_shut() -> None:
    """Without REST, sitemap, feed and listings only the home page and the stories remain."""
    with SampleSite(Newsroom(20, now=NOW), rest=False, sitemap=False, feed=False, listings=False) as site:
        shut = (
            "/wp-json/wp/v2/posts",
            "/sitemap_index.xml",
            "/feed/",
            "/category/crime/",
            "/page/2/",
            "/2026/11/",
        )
        assert [fetch(site, target).status for target in shut] == [404] * len(shut)
        assert b"Sitemap" not in fetch(site, "/robots.txt").body
        home = html.fromstring(fetch(site, "/").body)
        assert len(home.xpath("//h2[@class='entry-title']")) == 10
        assert not home.xpath("//a[contains(@class, 'next')]")


def test_work_is_told_exactly_as_it_was_done() -> None:
    """What `Work` does not name is as it was; what it names has changed, and only in the way it says."""
    newsroom = Newsroom(now=NOW)
    before = {post.post_id: post for post in newsroom.truth()}
    work = newsroom.work(TOMORROW)
    after = {post.post_id: post for post in newsroom.truth()}
    removed = {removal.post_id for removal in (*work.deleted, *work.trashed, *work.unpublished)}
    touched = {edit.post_id for edit in work.edited} | {move.post_id for move in work.moved}
    assert {edit.kind for edit in work.edited} == {"correction", "headline", "update"}
    assert set(before) - set(after) == removed
    assert set(after) - set(before) == set(work.published)
    assert {number for number in set(before) & set(after) if before[number] != after[number]} == touched
    for edit in work.edited:
        old, new = before[edit.post_id], after[edit.post_id]
        assert (old.headline != new.headline, old.body != new.body) == (
            edit.kind == "headline",
            edit.kind != "headline",
        )
        assert (old.path, new.modified_at) == (new.path, TOMORROW)
    for move in work.moved:
        old, new = before[move.post_id], after[move.post_id]
        assert (old.path, new.path) == (move.old_path, move.new_path)
        assert (old.headline, old.blocks) == (new.headline, new.blocks)


def test_a_busy_day_does_exactly_so_much() -> None:
    """Four new stories, five edited, two deleted: no other story has changed, none has moved."""
    newsroom = Newsroom(now=NOW)
    before = {post.post_id: post for post in newsroom.truth()}
    work = newsroom.busy_day(TOMORROW, new=4, edited=5, deleted=2)
    after = {post.post_id: post for post in newsroom.truth()}
    assert (len(work.published), len(work.edited), len(work.deleted)) == (4, 5, 2)
    assert set(after) - set(before) == set(work.published)
    assert set(before) - set(after) == {removal.post_id for removal in work.deleted}
    changed = {number for number in set(before) & set(after) if before[number] != after[number]}
    assert changed == {edit.post_id for edit in work.edited}
    assert all(before[number].path == after[number].path for number in changed)
    assert all(removal.guess_path is None for removal in work.deleted)


def test_the_site_answers_for_what_the_newsroom_did() -> None:
    """Moves redirect, removals are 404, a trashed address is guessed wrong, new stories are listed."""
    newsroom = Newsroom(now=NOW)
    with SampleSite(newsroom) as site:
        work = newsroom.work(TOMORROW)
        for move in work.moved:
            got = fetch(site, move.old_path)
            assert (got.status, got.location, fetch(site, move.new_path).status) == (301, move.new_path, 200)
        for removal in (*work.deleted, *work.unpublished):
            assert fetch(site, removal.path).status == 404
            assert fetch(site, f"/?p={removal.post_id}").status == 404
        for removal in work.trashed:
            got = fetch(site, removal.path)
            assert (got.status, got.location) == (301, removal.guess_path)
            assert removal.guess_id not in (None, removal.post_id)
            assert f"postid-{removal.guess_id} ".encode() in fetch(site, got.location).body
        assert len(work.published) >= 3
        assert set(listed(site)) == {site.url(post.path) for post in newsroom.truth()}
        records = fetch(
            site, f"/wp-json/wp/v2/posts?per_page=100&modified_after={NOW:%Y-%m-%dT%H:%M:%SZ}&_fields=id"
        )
        changed = {e.post_id for e in work.edited} | {m.post_id for m in work.moved} | set(work.published)
        assert {record["id"] for record in records.json()} == changed


def test_new_furniture_changes_every_page_and_no_story() -> None:
    """After a day's work the bytes of an untouched page differ, its story and modified date do not."""
    newsroom = Newsroom(now=NOW)
    with SampleSite(newsroom) as site:
        first = {post.path: (post, fetch(site, post.path)) for post in newsroom.truth()}
        work = newsroom.work(TOMORROW)
        untouched: list[Post] = [
            post for post in newsroom.truth() if first.get(post.path, (None,))[0] == post
        ]
        assert len(untouched) > 40
        for post in untouched:
            old = first[post.path][1]
            new = fetch(site, post.path, If_None_Match=old.headers["ETag"])
            assert new.status == 200
            assert work.promo.encode() in new.body
            assert work.promo.encode() not in old.body


def test_the_newsroom_can_work_for_a_fortnight() -> None:
    """Each day trashes a story whose address is guessed wrong and deletes one whose address is not."""
    newsroom = Newsroom(now=NOW)
    for day in range(1, 15):
        work = newsroom.work(NOW + timedelta(days=day))
        assert [removal.guess_id for removal in (*work.deleted, *work.unpublished)] == [None, None]
        assert all(removal.guess_id not in (None, removal.post_id) for removal in work.trashed)
        assert all(newsroom.posts[edit.post_id].path == edit.path for edit in work.edited)
    with pytest.raises(ValueError, match="forwards"):
        newsroom.work(NOW)


def test_a_second_copy_repeats_its_story() -> None:
    """Addresses ending `-2` hold almost the same text under another number."""
    posts = {post.post_id: post for post in Newsroom(now=NOW).truth()}
    copies = [post for post in posts.values() if post.copy_of]
    assert copies
    for post in copies:
        original = posts[post.copy_of or 0]
        assert post.slug == f"{original.slug}-2"
        assert post.body.startswith(original.body)
        assert post.headline == original.headline


def test_faults_are_put_in_by_path() -> None:
    """Status, Retry-After, broken compression, cut bodies and hangs, for so many times as asked."""
    with SampleSite(Newsroom(20, now=NOW)) as site:
        path = site.newsroom.truth()[9].path
        whole = fetch(site, path).body
        site.fail[path] = faults.first(1, faults.status(503, retry_after=3))
        got = fetch(site, path)
        assert (got.status, got.headers["Retry-After"]) == (503, "3")
        assert fetch(site, path).body == whole
        site.fail[path] = faults.cut(500)
        with pytest.raises(http.client.IncompleteRead) as caught:
            fetch(site, path)
        assert caught.value.partial == whole[:500]
        site.fail[path] = faults.bad_gzip()
        with pytest.raises(gzip.BadGzipFile, match="CRC"):
            gzip.decompress(fetch(site, path).body)
        site.fail[path] = faults.torn_gzip()
        with pytest.raises(EOFError):
            gzip.decompress(fetch(site, path).body)
        site.fail[path] = faults.hang(0.2)
        started = time.monotonic()
        assert fetch(site, path).body == whole
        assert time.monotonic() - started >= 0.2
        site.fail = {"*": 500}
        assert {fetch(site, target).status for target in ("/", path, "/robots.txt")} == {500}


def test_requests_are_counted_and_the_site_closes() -> None:
    """Every answer is in the list with its status; afterwards nobody listens, not even on open connections."""
    with SampleSite(Newsroom(20, now=NOW)) as site:
        fetch(site, "/feed/")
        fetch(site, "/no-such-page/", "HEAD")
        assert site.requests == [("GET", "/feed/", 200), ("HEAD", "/no-such-page/", 404)]
        parts = urlsplit(site.base_url)
        kept = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        assert b"Disallow" in ask_again(kept)
    with closing(kept), pytest.raises((ConnectionError, http.client.HTTPException)):
        ask_again(kept)
    with pytest.raises(ConnectionRefusedError):
        fetch(site, "/")


def test_the_truth_can_be_written_to_a_file(site: SampleSite, tmp_path: Path) -> None:
    """One JSON object a story: what its page must be read as, and the furniture around it."""
    assert truth.write(site, tmp_path / "truth.jsonl") == len(site.newsroom.published())
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()]
    assert {row["url"]: row["body"] for row in told} == {
        site.url(post.path): post.body for post in site.newsroom.published()
    }
    assert any(row["furniture"] for row in told)


@pytest.fixture(scope="module")
def hard() -> SampleSite:
    """The hard site of four hundred stories; answered without a server."""
    found = SampleSite(Newsroom(400, now=NOW, hard=True))
    found.base_url = "http://127.0.0.1:8000/"
    return found


def text_of(markup: bytes | str) -> str:
    page = html.fromstring(markup if isinstance(markup, str) else markup.decode())
    for link in page.xpath("//*[@data-cfemail]"):
        key, *code = bytes.fromhex(link.get("data-cfemail"))
        link.text = bytes(byte ^ key for byte in code).decode()
    return " ".join(" ".join(page.itertext()).replace("[block_2]", "").split())


def pieces_of(post: Post) -> list[str]:
    texts = (piece.shown if isinstance(piece, InsertedLine) else piece.text for piece in post.content)
    return [" ".join(text.split()) for text in texts if text]


def test_a_hard_site_has_more_layouts_and_two_of_few_pages(hard: SampleSite) -> None:
    """Fifteen with the easy nine; three pages and five, however many stories there are."""
    for stories, newsroom in ((400, hard.newsroom), (90, Newsroom(90, now=NOW, hard=True))):
        counts = Counter(post.layout for post in newsroom.truth())
        assert counts.total() == stories
        assert set(counts) == set(LAYOUTS) > {era.layout for era in ERAS}
        assert len(counts) == 15
        assert {layout: counts[layout] for layout in FEW_PAGES} == FEW_PAGES
    with pytest.raises(ValueError, match="eighty"):
        Newsroom(79, now=NOW, hard=True)


def test_a_hard_site_follows_from_its_seed() -> None:
    """Stories, furniture, habits and class names: the same for one seed, others for another."""
    one, two, other = (SampleSite(Newsroom(80, seed=seed, now=NOW, hard=True)) for seed in (7, 7, 8))
    for site in (one, two, other):
        site.base_url = "http://127.0.0.1:8000/"
    post = next(post for post in one.newsroom.truth() if post.layout == "tabloid")
    assert one.newsroom.truth() == two.newsroom.truth()
    assert one.answer(post.path).body == two.answer(post.path).body
    assert not {post.body for post in one.newsroom.truth()} & {post.body for post in other.newsroom.truth()}
    twin = next(post for post in other.newsroom.truth() if post.layout == "tabloid")
    first, second = (
        set(html.fromstring(site.answer(page.path).body).xpath("//section/@class"))
        for site, page in ((one, post), (other, twin))
    )
    assert not first & second


def test_a_hard_page_shows_story_and_furniture_in_their_order(hard: SampleSite) -> None:
    """So do REST and the feed: this furniture is stored with the post."""
    newest = [post.post_id for post in hard.newsroom.published()[:10]]
    items = etree.fromstring(hard.answer("/feed/").body).findall(".//item")
    for post in hard.newsroom.truth():
        target = f"/wp-json/wp/v2/posts?include={post.post_id}&_fields=content"
        stored = json.loads(hard.answer(target).body)[0]["content"]["rendered"]
        texts = [text_of(hard.answer(post.path).body), text_of(f"<div>{stored}</div>")]
        if post.post_id in newest:
            item = items[newest.index(post.post_id)]
            texts.append(
                text_of(f"<div>{item.findtext('{http://purl.org/rss/1.0/modules/content/}encoded')}</div>")
            )
        for text in texts:
            place = 0
            for piece in pieces_of(post):
                found = re.search(r" ?".join(map(re.escape, piece.replace(" ", ""))), text[place:])
                assert found, (post.path, piece)
                place += found.end()


def test_a_layout_keeps_to_its_habits(hard: SampleSite) -> None:
    """A kind of furniture stands on some layouts' pages, not on all of them, and never on other layouts'."""
    pages: dict[str, list[set[str]]] = {}
    for post in hard.newsroom.truth():
        pages.setdefault(post.layout, []).append({insert.kind for insert in post.inserts})
    shares = {
        (layout, kind): sum(kind in page for page in found) / len(found)
        for layout, found in pages.items()
        for kind in KINDS
        if layout not in FEW_PAGES
    }
    for kind in KINDS:
        of_kind = [share for (_, one), share in shares.items() if one == kind]
        assert sum(share > 0 for share in of_kind) >= 3
        assert sum(share == 0 for share in of_kind) >= 3
        assert max(of_kind) < 0.7
    assert any(len({insert.slot for insert in post.inserts}) > 1 for post in hard.newsroom.truth())


def test_furniture_of_a_hard_site_is_bare_and_no_story(hard: SampleSite) -> None:
    """Paragraphs without a class, told among the page's furniture, and in no body."""
    for post in hard.newsroom.truth():
        lines = [line.shown for insert in post.inserts for line in insert.lines]
        around = furniture(post, hard.others(post), hard.newsroom.promo)
        assert set(lines) <= set(around.lines)
        assert not set(lines) & set(post.body.split("\n\n"))
    post = next(post for post in hard.newsroom.truth() if post.inserts and post.layout == "modern")
    bare = html.fromstring(hard.answer(post.path).body.decode()).xpath("//p[not(@*)]|//div[not(@*)]")
    shown = {" ".join(element.text_content().split()) for element in bare}
    assert {line.shown for insert in post.inserts for line in insert.lines} <= shown


def test_a_hard_site_teases_its_older_stories(hard: SampleSite) -> None:
    """By whole headlines, linked or not, and by openings that are cut, some within the second paragraph."""
    posts = hard.newsroom.truth()
    headlines = {post.headline: post.post_id for post in posts}
    openings = {" ".join(block.text for block in post.blocks if block.text)[:200]: post for post in posts}
    linked, crossing = set[bool](), set[bool]()
    for post in posts:
        for insert in post.inserts:
            line = insert.lines[0]
            if insert.kind == "labels":
                assert headlines[line.text] != post.post_id
                linked.add(line.path is not None)
            elif insert.kind == "openings" or insert.kind == "long_openings":
                text = line.text.removesuffix(" […]").rstrip("….")
                teased = next(post for opening, post in openings.items() if opening.startswith(text[:60]))
                crossing.add(len(text) > len(next(block.text for block in teased.blocks if block.text)))
    assert linked == crossing == {True, False}


def test_story_of_a_hard_site_may_look_like_furniture(hard: SampleSite) -> None:
    """Every trap is in some body: it must stay."""
    posts = hard.newsroom.truth()
    bodies = [post.body.split("\n\n") for post in posts]
    lines = [line for body in bodies for line in body]
    openings = {post.opening.rstrip(".") for post in posts}
    assert any(
        line.startswith(("Read more", "Continue reading", "Sign up", "Supported by")) for line in lines
    )
    assert any(line.startswith(("“You ", "“If you ")) for line in lines)
    assert any(
        opening in line and not line.startswith(opening + ".") for line in lines for opening in openings
    )
    assert sum("More to follow." in body for body in bodies) > 20
    assert any(re.fullmatch(r"[\w’ -]+, \d+, of [\w ]+|[\w’ -]+ \(\d+\)", line) for line in lines)
    assert any(line.count(";") >= 3 and not line.endswith(".") for line in lines)
    assert sum("Planning notice" in post.headline for post in posts) >= 18
    refrains = Counter(
        (post.layout, line) for post in posts for line in post.body.split("\n\n") if "999" in line
    )
    pages = Counter(post.layout for post in posts)
    assert any(0.1 < times / pages[layout] < 0.45 and times > 3 for (layout, _), times in refrains.items())


def test_a_fifth_of_a_hard_site_has_no_picture(hard: SampleSite) -> None:
    """Their pages lack the class that the others' have."""
    posts = hard.newsroom.truth()
    without = [post for post in posts if post.lead_image is None]
    assert 0.13 < len(without) / len(posts) < 0.28
    for post in (
        post for post in posts if post.layout in ("columns", "mediatext", "pasted", "classic", "soledad")
    ):
        marked = b" has-post-thumbnail " in hard.answer(post.path).body
        assert marked == (post.lead_image is not None)


def test_stories_of_a_hard_site_are_set_in_columns_boxes_and_divs(hard: SampleSite) -> None:
    """As page builders and pasted text leave them."""
    posts = hard.newsroom.truth()
    assert {post.setting.boxes for post in posts} == {"", "columns", "media"}
    assert {post.setting.tag for post in posts} == {"p", "div"}
    several = 0
    for post in (post for post in posts if post.setting.boxes == "columns"):
        page = html.fromstring(hard.answer(post.path).body.decode())
        builder = post.setting.builder
        several += bool(page.xpath(f"//div[contains(@class, '{builder}-col-33')]"))
        assert page.xpath(f"//div[@class='{builder}-row__inner']/div[contains(@class, '{builder}-col')]")
    assert several
