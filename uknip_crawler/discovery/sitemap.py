"""Sitemaps and sitemap indexes (sitemaps.org 0.9), as XML, text or feed → addresses."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from lxml import etree

from uknip_crawler.discovery import Listed, SourceUnusable, absolute, feed
from uknip_crawler.discovery.dates import iso_instant
from uknip_crawler.discovery.markup import Document, local_name, read, text_in, text_of

CANDIDATES = ("/sitemap_index.xml", "/wp-sitemap.xml", "/sitemap.xml")
"""Paths to try when robots.txt names no sitemap: Yoast and Rank Math, WordPress core, everybody else."""

MAX_URLS = 50_000
MAX_BYTES = 50 * 1024 * 1024
"""Limits of sitemaps.org 0.9 for one file, uncompressed."""

_GZIP = b"\x1f\x8b"
_ADDRESS = re.compile(r"https?://\S+")
_TEXT = re.compile(r"\ufeff?(?:\s|#.{0,500}\n)*https?://\S+\s*(?:\n|\r|\Z)")
_FEED = re.compile(r"<(?:[\w.-]+:)?(?:rss|rdf|feed)(?=[\s>])", re.IGNORECASE)
_PROLOGUE = 10_000  # characters in which a document's root is looked for
_POSTS = re.compile(
    r"(?:^|[-_])(?:posts?-sitemap|news-sitemap|sitemap-posts-post|sitemap-posts?)-?\d*$|^sitemap-pt-post-"
)
_NOT_POSTS = re.compile(
    r"(?:^|[-_])(?:page|category|post_tag|tag|author|attachment|post_format|image|video|local|product|web-story)"
    r"-sitemap-?\d*$|^wp-sitemap-(?:taxonomies-.+|users|posts-page|posts-attachment)-\d+$"
    r"|^sitemap-(?:pt-page|tax|authors?|archives|misc|images?|videos?)\b"
)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """One file: an index of sitemaps, a set of pages, or a feed, which lists the newest stories only.

    `complete` is False when it was cut short.
    """

    kind: Literal["index", "urlset", "feed"]
    entries: tuple[Listed, ...]
    complete: bool


def parse(body: bytes, *, url: str) -> Sitemap:
    """Read a sitemap or index, also still gzipped, as a `.xml.gz` file is; one address a line, RSS and Atom count too.

    Of a truncated file the whole addresses are kept. At most 50,000 addresses are read (sitemaps.org 0.9).
    Raises SourceUnusable for HTML, an empty body, declared entities, over 50 MB and anything else.
    """
    if body.startswith(_GZIP):
        body, whole = _gunzip(body, url)
    else:
        whole = True
    if len(body) > MAX_BYTES:
        raise SourceUnusable(f"{url}: over {MAX_BYTES} bytes uncompressed")
    if _TEXT.match(text := text_in(body)):
        return _lines(text, whole=whole)
    try:
        document = read(body, roots=("urlset", "sitemapindex"), url=url)
    except SourceUnusable:
        if not _FEED.search(text[:_PROLOGUE]):
            raise
        return _feed(body, url, whole=whole)
    is_index = local_name(document.root) == "sitemapindex"
    return _entries(document, "index" if is_index else "urlset", url, whole=whole)


def _entries(document: Document, kind: Literal["index", "urlset"], url: str, *, whole: bool) -> Sitemap:
    name = "sitemap" if kind == "index" else "url"
    elements = list(islice(_entries_of(document.root, name), MAX_URLS))
    listed = []
    for element in elements:
        address = absolute(text_of(element, "loc"), url)
        lastmod = text_of(element, "lastmod") or ""
        if kind == "index" and len(lastmod) <= len("2024-07-01"):
            lastmod = ""  # a bare day cannot tell whether the file changed since this morning
        if address:
            listed.append(Listed(address, modified_at=iso_instant(lastmod)))
    # an entry that the file opens but the tree lacks was lost: past the limit, too deep, after the root's end
    complete = whole and document.closed and document.count(name) <= len(elements)
    return Sitemap(kind, tuple(listed), complete)


def _entries_of(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the entries of a sitemap, in whatever namespace they are: some generators give them none, or a new one."""
    for element in root:
        if isinstance(element.tag, str) and local_name(element) == name:
            yield element


def _feed(body: bytes, url: str, *, whole: bool) -> Sitemap:
    """Read a feed in the place of a sitemap: https://www.sitemaps.org/protocol.html#otherformats."""
    listing = feed.parse(body, url=url)
    if not listing.entries:
        raise SourceUnusable(f"{url}: a feed without a story in it")
    return Sitemap("feed", listing.entries[:MAX_URLS], whole and listing.complete)


def _lines(text: str, *, whole: bool) -> Sitemap:
    """Read a text sitemap: https://www.sitemaps.org/protocol.html#otherformats."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    printed = [line for line in lines if line and not line.startswith("#")]
    addresses = [line for line in printed if _ADDRESS.fullmatch(line)][:MAX_URLS]
    return Sitemap("urlset", tuple(map(Listed, addresses)), whole and len(addresses) == len(printed))


def _gunzip(body: bytes, url: str) -> tuple[bytes, bool]:
    """Return at most 50 MB of a gzip file, and whether the stream reached its end."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise SourceUnusable(f"{url}: damaged gzip: {error}") from None
    return plain, stream.eof and not stream.unused_data.startswith(_GZIP)


def is_about_posts(sitemap_url: str) -> bool | None:
    """Tell from a sitemap's name whether it lists posts (Yoast, Rank Math, core, Google XML); None if unclear."""
    file_name = re.split(r"[?#]", sitemap_url, maxsplit=1)[0].rpartition("/")[2].lower()
    name = file_name.removesuffix(".gz").removesuffix(".xml")
    if _NOT_POSTS.search(name):
        return False
    return True if _POSTS.search(name) else None
