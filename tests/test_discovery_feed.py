"""Feeds as WordPress and its neighbours send them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from uknip_crawler.discovery import Listed, SourceUnusable
from uknip_crawler.discovery.dates import mail_instant
from uknip_crawler.discovery.feed import feed_url, parse

URL = "https://uknip.co.uk/feed/"
STORY = "https://uknip.co.uk/news/uk/breaking/van-leaves-road-in-ryde/"


def rss(*items: str) -> bytes:
    head = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">'
        f'<channel><title>News</title><atom:link href="{URL}" rel="self"/><link>https://uknip.co.uk</link>'
    )
    return f"{head}{''.join(items)}</channel></rss>".encode()


def item(extra: str = "", link: str = STORY) -> str:
    return f"<item><title>Van leaves road</title><link>{link}</link>{extra}</item>"


def test_an_rss_item_gives_address_number_and_time() -> None:
    """WordPress's guid carries the post's number; the channel's own link is no item."""
    extra = '<guid isPermaLink="false">https://uknip.co.uk/?p=4711</guid><pubDate>Mon, 01 Jul 2024 10:00:00 +0100</pubDate>'
    listing = parse(rss(item(extra)), url=URL)
    assert listing.entries == (Listed(STORY, 4711, None, datetime(2024, 7, 1, 9, tzinfo=UTC)),)
    assert listing.complete


def test_an_atom_entry_gives_its_alternate_link_and_both_times() -> None:
    """Other relations, such as comments, are other pages."""
    body = f"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://uknip.co.uk/"/><entry>
        <id>https://uknip.co.uk/?p=12</id><link rel="replies" href="{STORY}#comments"/><link rel="alternate" href="{STORY}"/>
        <published>2024-01-02T03:04:05Z</published><updated>2024-01-03T00:00:00+00:00</updated></entry></feed>""".encode()
    assert parse(body, url=URL).entries == (
        Listed(STORY, 12, datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    )


def test_an_rdf_item_is_read() -> None:
    """RSS 1.0 dates its items by Dublin Core."""
    body = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="{URL}"><link>https://uknip.co.uk/</link></channel>
        <item rdf:about="{STORY}"><link>{STORY}</link><dc:date>2024-01-02T03:04:05Z</dc:date></item></rdf:RDF>""".encode()
    listing = parse(body, url=URL)
    assert listing.entries == (Listed(STORY, published_at=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),)
    assert listing.complete


def test_a_permalink_guid_stands_in_for_a_missing_link() -> None:
    """But a guid that says it is no permalink does not."""
    body = rss(
        f"<item><guid>{STORY}</guid></item>", f'<item><guid isPermaLink="false">{STORY}2</guid></item>'
    )
    assert [listed.url for listed in parse(body, url=URL).entries] == [STORY]


@pytest.mark.fault("S08")
def test_blanks_html_characters_and_bare_ampersands_cost_no_item() -> None:
    """All three stop a strict XML parser at once."""
    body = b"\n\n " + rss(
        item("<title>Fish&nbsp;& chips &pound;5</title>"), item(link="https://uknip.co.uk/?a=1&b=2")
    )
    listing = parse(body, url=URL)
    assert [listed.url for listed in listing.entries] == [STORY, "https://uknip.co.uk/?a=1&b=2"]
    assert listing.complete


def test_markup_in_a_story_is_not_markup_of_the_feed() -> None:
    """Full text comes in CDATA and may even mention items and links."""
    text = "<content:encoded><![CDATA[<item><link>https://evil.example/</link></item> & more]]></content:encoded>"
    listing = parse(rss(item(text)), url=URL)
    assert ([listed.url for listed in listing.entries], listing.complete) == ([STORY], True)


def test_a_truncated_feed_keeps_whole_addresses_only() -> None:
    """Cut anywhere, nothing is listed that the whole feed does not list, and it never looks whole."""
    body = rss(item(), item(link=f"{STORY}two/"), item(link=f"{STORY}three/"))
    for length in range(body.index(b"<item>"), body.index(b"</rss>") + len("</rss>")):
        listing = parse(body[:length], url=URL)
        assert not listing.complete
        finished = len(re.findall(rb"<link>[^<]+<", body[:length])) - 1  # the channel's own link comes first
        assert [listed.url for listed in listing.entries] == [STORY, f"{STORY}two/", f"{STORY}three/"][
            :finished
        ]


@pytest.mark.parametrize("body", [b"", b"<html><body>Sign in</body></html>", b"<urlset></urlset>", b"{}"])
def test_what_is_no_feed_is_an_error(body: bytes) -> None:
    """An error page must not look like a quiet day."""
    with pytest.raises(SourceUnusable, match=URL):
        parse(body, url=URL)


@pytest.mark.fault("S01")
def test_an_entity_bomb_is_refused() -> None:
    """Feeds get the same treatment as sitemaps."""
    with pytest.raises(SourceUnusable, match="entities"):
        parse(b'<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel/></rss>', url=URL)


@pytest.mark.fault("X15")
@pytest.mark.parametrize(
    ("printed", "hour"),
    [
        ("Mon, 01 Jul 2024 10:00:00 BST", 9),
        ("Mon, 01 Jul 2024 10:00:00 GMT", 10),
        ("Mon, 01 Jul 2024 10:00:00 -0000", 10),
        ("Mon, 01 Jul 2024 10:00:00 EST", 15),
        ("01 Jul 2024 10:00 +0000", 10),
        ("Mon, 01 Jul 2024 10:00:00 CEST", None),
        ("Mon, 01 Jul 2024 10:00:00", None),
        ("Mon, 31 Feb 2024 10:00:00 GMT", None),
        ("Mon, 01 Jul 2024 99:00:00 GMT", None),
        ("Mon, 01 Jul 2024 10:00:00 +9999999999", None),
        ("9" * 10_000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_of_email_is_utc_or_nothing(printed: str | None, hour: int | None) -> None:
    """`BST` is an hour ahead; zones that e-mail does not define are not guessed."""
    expected = None if hour is None else datetime(2024, 7, 1, hour, tzinfo=UTC)
    assert mail_instant(printed) == expected


def test_feed_pages_have_wordpresss_addresses() -> None:
    """The first page is the feed itself."""
    assert feed_url("https://uknip.co.uk/") == URL
    assert feed_url("http://127.0.0.1:8000/", 3) == "http://127.0.0.1:8000/feed/?paged=3"
