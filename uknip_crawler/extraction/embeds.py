"""Tweets, videos and other embeds: which elements are one, and the address behind each."""

from __future__ import annotations

import re

from uknip_crawler.extraction.page import Element, Page, classes

PLAYER_TAGS = frozenset({"iframe", "video", "audio", "embed"})
_SOCIAL = frozenset(
    {
        "twitter-tweet",
        "twitter-video",
        "instagram-media",
        "tiktok-embed",
        "fb-post",
        "fb-video",
        "bluesky-embed",
    }
)
_AD_FRAME = re.compile(
    r"googlesyndication|doubleclick|googletagmanager|/ads?[/.?]|recaptcha|facebook\.com/plugins/like"
)


def player_address(element: Element, page: Page) -> str | None:
    """Return the address of a frame or player, None for an advertisement."""
    url = _source(element, page)
    return None if url is None or _AD_FRAME.search(url) else url


def post_address(element: Element, page: Page) -> str | None:
    """Return the address of an embedded post of a social network, or None for any other element."""
    if not _SOCIAL.intersection(classes(element)):
        return None
    names = ("data-instgrm-permalink", "cite", "data-href")
    named = [element.get(name) for name in names] + [a.get("href") for a in reversed([*element.iter("a")])]
    url = next((found for address in named if (found := page.absolute(address))), None)
    # a post's query only says who embedded it, except on Facebook
    return url.partition("?")[0] if url and "facebook." not in url else url


def _source(element: Element, page: Page) -> str | None:
    sources = [element, *element.iter("source")]
    names = ("data-src", "data-lazy-src", "data-src-cmplz", "src")
    return next(
        (url for source in sources for name in names if (url := page.absolute(source.get(name)))), None
    )
