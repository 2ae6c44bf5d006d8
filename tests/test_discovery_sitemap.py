"""Sitemaps as WordPress, its plugins and hostile servers send them."""

from __future__ import annotations

import gzip
import re
import time
from datetime import UTC, datetime

import pytest

from uknip_crawler.discovery import SourceUnusable
from uknip_crawler.discovery.sitemap import CANDIDATES, MAX_BYTES, MAX_URLS, is_about_posts, parse

URL = "https://uknip.co.uk/post-sitemap1.xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
FIRST = "https://uknip.co.uk/news/uk/breaking/van-leaves-road-in-ryde/"
SECOND = "https://uknip.co.uk/news/uk/travel/a-road-shut"


def urlset(*entries: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return f'{head}<urlset xmlns="{NAMESPACE}">{"".join(entries)}</urlset>'.encode()


def entry(url: str, lastmod: str = "") -> str:
    return f"<url><loc>{url}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</url>"


def urls(body: bytes) -> list[str]:
    return [listed.url for listed in parse(body, url=URL).entries]


def test_a_urlset_names_its_pages_and_when_they_changed() -> None:
    """Instants become aware UTC: 10:00 in summer time is 09:00."""
    sitemap = parse(urlset(entry(FIRST, "2024-07-01T10:00:00+01:00"), entry(SECOND)), url=URL)
    assert sitemap.kind == "urlset"
    assert sitemap.complete
    assert [listed.url for listed in sitemap.entries] == [FIRST, SECOND]
    assert [listed.modified_at for listed in sitemap.entries] == [datetime(2024, 7, 1, 9, tzinfo=UTC), None]


def test_an_index_names_its_sitemaps() -> None:
    """An index lists files, not pages."""
    body = f'<sitemapindex xmlns="{NAMESPACE}"><sitemap><loc>{URL}</loc></sitemap></sitemapindex>'.encode()
    index = parse(body, url="https://uknip.co.uk/sitemap_index.xml")
    assert (index.kind, [listed.url for listed in index.entries], index.complete) == ("index", [URL], True)


def test_a_bare_day_dates_a_page_but_not_a_file_of_an_index() -> None:
    """A file that changes twice a day prints the same day twice, and would be passed over the second time."""
    (page,) = parse(urlset(entry(FIRST, "2024-07-01")), url=URL).entries
    body = f"<sitemapindex><sitemap><loc>{URL}</loc><lastmod>2024-07-01</lastmod></sitemap></sitemapindex>"
    (file,) = parse(body.encode(), url=URL).entries
    assert (page.modified_at, file.modified_at) == (datetime(2024, 7, 1, tzinfo=UTC), None)


@pytest.mark.fault("S07")
@pytest.mark.parametrize(
    "lastmod",
    [
        "yesterday",
        "0000-00-00 00:00:00",
        "-0001-11-30T00:00:00+00:00",
        "2024-13-01",
        "9" * 5000,
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_junk_for_a_date_leaves_the_address(lastmod: str) -> None:
    """A bad lastmod is no date; the page is listed all the same."""
    (listed,) = parse(urlset(entry(FIRST, lastmod)), url=URL).entries
    assert (listed.url, listed.modified_at) == (FIRST, None)


@pytest.mark.fault("S07")
def test_a_future_date_is_reported_as_printed() -> None:
    """Whether it is the future depends on now, which a parser does not know."""
    (listed,) = parse(urlset(entry(FIRST, "2199-01-01T00:00:00Z")), url=URL).entries
    assert listed.modified_at == datetime(2199, 1, 1, tzinfo=UTC)


@pytest.mark.fault("S03")
def test_a_truncated_sitemap_keeps_whole_addresses_only() -> None:
    """Cut anywhere, it lists a prefix of the true addresses, and never says that it is whole."""
    true_urls = [FIRST, SECOND, f"{FIRST}?x=1&amp;y=2"]
    whole = urlset(*(entry(url, "2024-07-01T10:00:00Z") for url in true_urls))
    plain = [url.replace("&amp;", "&") for url in true_urls]
    for length in range(whole.index(b"<url>"), whole.index(b"</urlset>") + len("</urlset>")):
        sitemap = parse(whole[:length], url=URL)
        assert not sitemap.complete
        assert [listed.url for listed in sitemap.entries] == plain[
            : len(re.findall(rb"<loc>[^<]+<", whole[:length]))
        ]


def test_a_truncated_date_is_no_date() -> None:
    """`2024-07-0` would otherwise read as another day than was meant."""
    body = urlset(entry(FIRST, "2024-07-01T10:00:00Z"))
    sitemap = parse(body[: body.index(b"T10")], url=URL)
    assert [(listed.url, listed.modified_at) for listed in sitemap.entries] == [(FIRST, None)]


@pytest.mark.fault("S03")
def test_a_bare_ampersand_stays_part_of_its_address() -> None:
    """Both the right and the lazy spelling mean the same address."""
    assert (
        urls(urlset(entry("https://uknip.co.uk/?a=1&copy=2"), entry("https://uknip.co.uk/?a=1&amp;copy=2")))
        == ["https://uknip.co.uk/?a=1&copy=2"] * 2
    )


def test_cdata_and_comments_are_read_as_xml_means_them() -> None:
    """A commented entry is not listed; CDATA is text."""
    body = urlset(f"<!-- {entry(SECOND)} -->", f"<url><loc><![CDATA[ {FIRST}?a=1&b=2 ]]></loc></url>")
    assert urls(body) == [f"{FIRST}?a=1&b=2"]
    assert parse(body, url=URL).complete


@pytest.mark.fault("S08")
@pytest.mark.parametrize(
    "junk",
    [
        b"\xef\xbb\xbf",
        b"\n\n  ",
        b"<br />\n<b>Warning</b>: Undefined index in <b>/srv/x.php</b> on line <b>3</b><br />\n",
    ],
)
def test_junk_before_the_document_is_passed_over(junk: bytes) -> None:
    """Byte order marks, blanks and PHP's notices come before many real sitemaps."""
    sitemap = parse(junk + urlset(entry(FIRST)), url=URL)
    assert ([listed.url for listed in sitemap.entries], sitemap.complete) == ([FIRST], True)


def test_a_generators_comment_after_the_end_is_no_harm() -> None:
    """Plugins sign their sitemaps below the root."""
    assert parse(urlset(entry(FIRST)) + b"\n<!-- XML Sitemap generated by a plugin -->", url=URL).complete


def test_pictures_and_translations_are_not_pages() -> None:
    """`image:loc` and `xhtml:link` belong to the page above them."""
    picture = "<image:image><image:loc>https://uknip.co.uk/a.jpg</image:loc></image:image>"
    head = f'<urlset xmlns="{NAMESPACE}" xmlns:image="urn:image" xmlns:xhtml="urn:xhtml">'
    link = '<xhtml:link rel="alternate" hreflang="cy" href="https://uknip.co.uk/cy/"/>'
    body = f"{head}<url>{picture}{link}<loc>{FIRST}</loc><image:loc>https://uknip.co.uk/b.jpg</image:loc></url></urlset>"
    assert urls(body.encode()) == [FIRST]
    assert urls(f"<urlset><url>{picture}<loc>{FIRST}</loc></url></urlset>".encode()) == [FIRST]


@pytest.mark.fault("S04")
def test_relative_and_foreign_addresses_are_listed_for_the_caller_to_judge() -> None:
    """A refusal must be recorded, so nothing is dropped here."""
    printed = ["/a/", "file:///etc/passwd", "data:text/html,x", "https://evil.example/", "http://[bad"]
    assert urls(urlset(*map(entry, printed))) == ["https://uknip.co.uk/a/", *printed[1:]]


@pytest.mark.fault("S05")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"<html><body><urlset></urlset></body></html>",
        b'<?xml version="1.0"?><rss version="2.0"></rss>',
        b"User-agent: *",
        b"\x1f\x8b broken",
        b"<url><loc>https://uknip.co.uk/</loc></url>",
    ],
)
def test_what_is_no_sitemap_is_an_error(body: bytes) -> None:
    """Never "nothing new, fine"."""
    with pytest.raises(SourceUnusable, match=URL):
        parse(body, url=URL)


def test_an_empty_urlset_is_a_sitemap_of_nothing() -> None:
    """A news sitemap is empty after two quiet days; what it held before is the caller's to remember."""
    sitemap = parse(urlset(), url=URL)
    assert (sitemap.entries, sitemap.complete) == ((), True)


def billion_laughs() -> bytes:
    names = "abcdefghij"
    entities = "".join(f'<!ENTITY {names[i + 1]} "{f"&{names[i]};" * 10}">' for i in range(9))
    return f'<!DOCTYPE x [<!ENTITY a "lol">{entities}]><urlset><url><loc>&j;</loc></url></urlset>'.encode()


@pytest.mark.fault("S01")
@pytest.mark.parametrize(
    "body",
    [
        billion_laughs(),
        b"\xff\xfe" + billion_laughs().decode().encode("utf-16-le"),
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd">%p;]><urlset></urlset>',
        b"<urlset>" + b"<url/>" * 3_000_000,
        b"<urlset>" + b"&" * 3_000_000,
    ],
    ids=["bomb", "bomb in UTF-16", "file", "DTD", "tags", "references"],
)
def test_a_bomb_is_refused_at_once(body: bytes) -> None:
    """Entities are neither expanded nor fetched, and a tree of millions is never built."""
    began = time.process_time()
    with pytest.raises(SourceUnusable):
        parse(body, url=URL)
    assert time.process_time() - began < 2


@pytest.mark.fault("S02")
def test_an_external_dtd_is_ignored() -> None:
    """The prologue never reaches the parser, so nothing is asked for."""
    body = urlset(entry(FIRST), head=f'<!DOCTYPE urlset SYSTEM "file://{__file__}">')
    assert urls(body) == [FIRST]


def test_a_gzip_file_is_unpacked() -> None:
    """`.xml.gz` is a file type, not a Content-Encoding."""
    assert urls(gzip.compress(urlset(entry(FIRST)))) == [FIRST]


@pytest.mark.fault("S03")
def test_a_truncated_gzip_file_is_incomplete() -> None:
    """Even if the document in it looks whole."""
    packed = gzip.compress(urlset(entry(FIRST)))
    sitemap = parse(packed[:-8], url=URL)
    assert ([listed.url for listed in sitemap.entries], sitemap.complete) == ([FIRST], False)


@pytest.mark.fault("F03")
def test_a_gzip_bomb_is_refused() -> None:
    """Only 50 MB are ever unpacked."""
    with pytest.raises(SourceUnusable, match=str(MAX_BYTES)):
        parse(gzip.compress(b" " * (MAX_BYTES + 1), 1), url=URL)


def test_no_more_than_fifty_thousand_addresses_are_read() -> None:
    """What is left out makes the source incomplete."""
    sitemap = parse(urlset(*(entry(f"/{number}/") for number in range(MAX_URLS + 1))), url=URL)
    assert (len(sitemap.entries), sitemap.complete) == (MAX_URLS, False)


def test_entries_after_the_roots_end_make_it_incomplete() -> None:
    """Two documents run together: the second is not read, and that is said."""
    sitemap = parse(urlset(entry(FIRST)) + urlset(entry(SECOND), head=""), url=URL)
    assert ([listed.url for listed in sitemap.entries], sitemap.complete) == ([FIRST], False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("post-sitemap.xml", True),
        ("post-sitemap12.xml", True),
        ("post-sitemap.xml.gz?v=2", True),
        ("wp-sitemap-posts-post-1.xml", True),
        ("news-sitemap.xml", True),
        ("sitemap-pt-post-2024-01.xml", True),
        ("page-sitemap.xml", False),
        ("category-sitemap.xml", False),
        ("post_tag-sitemap3.xml", False),
        ("author-sitemap.xml", False),
        ("attachment-sitemap1.xml", False),
        ("image-sitemap-1.xml", False),
        ("wp-sitemap-taxonomies-category-1.xml", False),
        ("wp-sitemap-taxonomies-post_tag-1.xml", False),
        ("wp-sitemap-users-1.xml", False),
        ("wp-sitemap-posts-page-1.xml", False),
        ("sitemap.xml", None),
        ("sitemap_index.xml", None),
        ("wp-sitemap.xml", None),
        ("compost-sitemap.xml", None),
    ],
)
def test_a_sitemaps_name_tells_whether_it_lists_posts(name: str, expected: bool | None) -> None:
    """Names as Yoast, Rank Math, Google XML Sitemaps, Jetpack and core give them."""
    assert is_about_posts(f"https://uknip.co.uk/{name}") is expected


def test_the_candidates_are_paths() -> None:
    """They are joined to the site's base address."""
    assert CANDIDATES == ("/sitemap_index.xml", "/wp-sitemap.xml", "/sitemap.xml")
