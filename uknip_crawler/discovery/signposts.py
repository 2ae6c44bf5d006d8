"""Where a page of the site says that its lists are: `<link>` elements and `Link` headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Self

from uknip_crawler.discovery import absolute

REST = "https://api.w.org/"
"""The relation that leads to WordPress's REST root (https://developer.wordpress.org/rest-api/using-the-rest-api/discovery/)."""

_HEAD_BYTES = 512 * 1024
_MOST_LINKS = 500
_LINK = re.compile(r"<link\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z][\w-]{0,30})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_HEADER_LINK = re.compile(r"<([^<>]{1,2083})>((?:\s*;[^,<>]{0,300})*)")
_COMMENTS = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_WORDPRESS = re.compile(r"/wp-(?:content|includes)/|[?&]p=\d+\b|content=[\"']WordPress\b", re.IGNORECASE)
_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")


@dataclass(frozen=True, slots=True)
class Signposts:
    """What a page points to: `rest` roots and `feeds` of stories, absolute and in its order.

    `is_wordpress` tells whether the page looks as if WordPress had made it.
    """

    rest: tuple[str, ...]
    feeds: tuple[str, ...]
    is_wordpress: bool

    @classmethod
    def of(cls, body: bytes, headers: Iterable[tuple[str, str]], *, url: str) -> Self:
        """Read a page of HTML and its headers; never raises. Addresses may be anything: they are for the caller to judge."""
        text = _COMMENTS.sub("", body[:_HEAD_BYTES].decode("utf-8", "replace"))
        links = [*_of_headers(headers), *_of_page(text)]
        rest = [href for tokens, _, href in links if REST in tokens]
        feeds = [
            href
            for tokens, kind, href in links
            # the comments' feed lists no stories
            if "alternate" in tokens and kind in _FEEDS and not re.search(r"\bcomments?\b", href)
        ]
        return cls(_absolute(rest, url), _absolute(feeds, url), bool(_WORDPRESS.search(text)))


def _of_headers(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[list[str], str, str]]:
    for name, value in headers:
        if name.lower() == "link":
            for href, parameters in _HEADER_LINK.findall(value[:16_384]):
                yield _link(parameters, href)


def _of_page(text: str) -> Iterator[tuple[list[str], str, str]]:
    for number, found in enumerate(_LINK.finditer(text)):
        if number >= _MOST_LINKS:
            return
        yield _link(found[1], None)


def _link(attributes: str, href: str | None) -> tuple[list[str], str, str]:
    """Return (relations, type, address) of a link, from its attributes or a header's parameters."""
    said = {
        name.lower(): unescape(one or other or bare)
        for name, one, other, bare in _ATTRIBUTE.findall(attributes)
    }
    kind = said.get("type", "").partition(";")[0].strip().lower()
    return said.get("rel", "").lower().split(), kind, href if href is not None else said.get("href", "")


def _absolute(addresses: Iterable[str], url: str) -> tuple[str, ...]:
    found = (absolute(address, url) for address in addresses)
    return tuple(dict.fromkeys(address for address in found if address))
