"""Tweets, videos and other embeds: which elements are one, and the address behind each."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from uknip_crawler.extraction.page import Element, Page, classes, text_of

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
_PLAYERS = re.compile(
    r"(?:^|\.)(?:youtube\.com|youtu\.be|youtube-nocookie\.com|vimeo\.com|twitter\.com|x\.com|facebook\.com|fb\.watch"
    r"|instagram\.com|tiktok\.com|dailymotion\.com|soundcloud\.com|streamable\.com)$"
)
_PLAYER_WORD = re.compile(
    r"(?i)youtu|vimeo|twitter|x\.com|facebook|fb\.watch|instagram|tiktok|dailymotion|soundcloud|streamable"
)
"""What every address of theirs holds, wherever: parsing addresses is slow."""
_VIDEO_PATH = re.compile(
    r"(?i)/(?:watch|embed|shorts|live|video|v|reel|status)\b|youtu\.be/|vimeo\.com/\d|fb\.watch/"
)
_VIDEO_NAME = re.compile(r"\b(?:yt|rll|video|player)\b|videoid|video-id")
_VIDEO_ID = {"youtube": "https://www.youtube.com/watch?v=", "vimeo": "https://vimeo.com/"}
_ID_NAMES = (
    "videoid", "data-video-id", "data-videoid", "data-youtube-id", "data-youtubeid", "data-youtube", "data-ytid",
    "data-yt-id", "data-yt", "data-vimeo-id", "data-vimeo", "data-embed-id", "data-embed", "data-id",
)  # fmt: skip
_SOURCE_NAMES = (
    "data-src", "data-lazy-src", "data-src-cmplz", "data-litespeed-src", "data-rocket-src", "data-cmp-src",
    "data-cookieblock-src", "data-consent-src", "data-iframe-src", "data-video-src", "data-video-url",
    "data-embed-url", "data-original", "src",
)  # fmt: skip
MAX_FACADE_WORDS = 12
_AD_FRAME = re.compile(
    r"googlesyndication|doubleclick|googletagmanager|/ads?[/.?]|recaptcha|facebook\.com/plugins/like"
)


def player_address(element: Element, page: Page) -> str | None:
    """Return the address of a frame or player, None for an advertisement."""
    url = _source(element, page)
    return None if url is None or _AD_FRAME.search(url) else url


def post_address(element: Element, page: Page) -> str | None:
    """Return the address of an embedded post of a social network, or None for any other element."""
    if _SOCIAL.isdisjoint(classes(element)):
        return None
    names = ("data-instgrm-permalink", "cite", "data-href")
    named = [element.get(name) for name in names] + [a.get("href") for a in reversed([*element.iter("a")])]
    url = next((found for address in named if (found := page.absolute(address))), None)
    # a post's query only says who embedded it, except on Facebook
    return url.partition("?")[0] if url and "facebook." not in url else url


def facade_address(element: Element, page: Page) -> str | None:
    """Return the address of a video that loads on a click: a stand-in with its number, or a linked still."""
    if element.tag == "a":
        if not _is_still(element):
            return None
        url = page.absolute(element.get("href"))
        return url if url and is_player(url) and _VIDEO_PATH.search(url) else None
    is_named, service = _names_video(str(element.tag), element.get("class") or "", *map(str, element.keys()))
    if not is_named:
        return None
    for name in (*_SOURCE_NAMES, "data-url", "data-href"):
        url = page.absolute(element.get(name))
        if url and is_player(url) and _VIDEO_PATH.search(url):
            return url
    number = next((value for name in _ID_NAMES if (value := element.get(name))), "")
    if service is None and re.fullmatch(r"[\w-]{11}", number) and not number.isdigit():
        service = "youtube"
    if service == "youtube" and not re.fullmatch(r"[\w-]{11}", number):
        return None
    if service == "vimeo" and not re.fullmatch(r"\d{6,12}", number):
        return None
    return _VIDEO_ID[service] + number if service else None


def names_embed(tag: str, named: str, attributes: Collection[str]) -> bool:
    """Tell whether tag, classes or attributes are such as embedded posts and videos that load on a click have."""
    return not _SOCIAL.isdisjoint(named.split()) or _names_video(tag, named, *attributes)[0]


@lru_cache(4096)
def _names_video(*names: str) -> tuple[bool, str | None]:
    """Return whether an element's tag, classes and attributes are called like a video's, and the service they name."""
    said = " ".join(names).lower()
    service = next((name for name in ("vimeo", "youtube") if name in said), None)
    return service is not None or _VIDEO_NAME.search(said) is not None, service


def _is_still(anchor: Element) -> bool:
    images = len(anchor) > 0 and any(True for _ in anchor.iter("img", "picture"))
    return images and len(text_of(anchor).split()) <= MAX_FACADE_WORDS


def is_player(url: str) -> bool:
    """Tell whether an address is one of a service that plays videos or shows posts."""
    if not _PLAYER_WORD.search(url):
        return False
    try:
        return bool(_PLAYERS.search((urlsplit(url).hostname or "").lower()))
    except ValueError:
        return False


def _source(element: Element, page: Page) -> str | None:
    sources = [element, *element.iter("source")]
    return next(
        (url for source in sources for name in _SOURCE_NAMES if (url := page.absolute(source.get(name)))),
        None,
    )
