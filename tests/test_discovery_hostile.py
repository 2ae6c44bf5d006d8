"""Whatever bytes come, a parser returns or says that the source is unusable."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from uknip_crawler.discovery import SourceUnusable, feed, rest, robots, sitemap

URL = "https://uknip.co.uk/source"

SEEDS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "sitemap": (
        lambda body: sitemap.parse(body, url=URL),
        (
            b'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="urn:x" xmlns:i="urn:i"><url><loc>https://uknip.co.uk/a&amp;b/</loc>'
            b"<lastmod>2024-07-01T10:00:00+01:00</lastmod><i:image><i:loc>x</i:loc></i:image></url><!-- c --></urlset>"
        ),
    ),
    "feed": (
        lambda body: feed.parse(body, url=URL),
        (
            b'<rss version="2.0"><channel><item><link>https://uknip.co.uk/a/</link><guid isPermaLink="false">https://uknip.co.uk'
            b"/?p=4</guid><pubDate>Mon, 01 Jul 2024 10:00:00 BST</pubDate><description><![CDATA[&nbsp;]]></description></item>"
            b"</channel></rss>"
        ),
    ),
    "rest": (
        lambda body: rest.parse_posts(body, {"X-WP-Total": body[:9].decode("latin-1")}),
        b'[{"id":7,"link":"https://uknip.co.uk/a/","date_gmt":"2024-07-01T09:00:00","modified_gmt":null,"status":"publish"}]',
    ),
    "robots": (
        lambda body: robots.Robots.parse(body).allowed("https://uknip.co.uk/a/b?c=d", "uknip/1.0"),
        b"User-agent: *\nDisallow: /a/*b$\nAllow: /a/b?c\nCrawl-delay: 5\nSitemap: https://uknip.co.uk/s.xml\n",
    ),
}
_SPLICES = (
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<!--",
    b"<![CDATA[",
    b"\x00",
    b"\xff\xfe",
    b"\x1f\x8b",
    b"&#55296;",
    b"[",
    b"{",
    b'"',
)


def mutations(seed: bytes, count: int) -> Iterator[bytes]:
    """Yield the seed with bytes changed, cut, doubled and spliced in; the same ones in every run."""
    dice = random.Random(20240701)
    for _ in range(count):
        body = bytearray(seed)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(body) + 1)
            match dice.randrange(4):
                case 0:
                    body[at : at + 1] = bytes([dice.randrange(256)])
                case 1:
                    del body[at : at + dice.randint(1, 30)]
                case 2:
                    body[at:at] = body[at : at + dice.randint(1, 30)]
                case _:
                    body[at:at] = dice.choice(_SPLICES)
        yield bytes(body)


@pytest.mark.parametrize("name", SEEDS)
def test_mutated_sources_are_read_or_refused(name: str) -> None:
    """No other exception escapes a parser, and none takes long."""
    parse, seed = SEEDS[name]
    parse(seed)
    began = time.process_time()
    refused, messages = 0, set[str]()
    for body in mutations(seed, 1500):
        try:
            parse(body)
        except SourceUnusable as error:
            refused += 1
            messages.add(str(error))
    assert time.process_time() - began < 5
    assert refused < 1500
    assert not [message for message in messages if "\n" in message or len(message) > 300]
