"""Sitemaps and sitemap indexes (sitemaps.org 0.9) → addresses."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from uknip_crawler.discovery import Listed, SourceUnusable, absolute
from uknip_crawler.discovery.dates import iso_instant
from uknip_crawler.discovery.markup import Document, children, local_name, read, text_of

CANDIDATES = ("/sitemap_index.xml", "/wp-sitemap.xml", "/sitemap.xml")
"""Paths to try when robots.txt names no sitemap: Yoast and Rank Math, WordPress core, everybody else."""

MAX_URLS = 50_000
MAX_BYTES = 50 * 1024 * 1024
"""Limits of sitemaps.org 0.9 for one file, uncompressed."""

_GZIP = b"\x1f\x8b"
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
    """One file: an index of sitemaps or a set of pages. `complete` is False when it was cut short."""

    kind: Literal["index", "urlset"]
    entries: tuple[Listed, ...]
    complete: bool


def parse(body: bytes, *, url: str) -> Sitemap:
    """Read a sitemap or index, also still gzipped, as a `.xml.gz` file is.

    Of a truncated file the whole addresses are kept. At most 50,000 addresses are read (sitemaps.org 0.9).
    Raises SourceUnusable for HTML, an empty body, declared entities, over 50 MB and anything else.
    """
    if body.startswith(_GZIP):
        body, whole = _gunzip(body, url)
    else:
        whole = True
    if len(body) > MAX_BYTES:
        raise SourceUnusable(f"{url}: over {MAX_BYTES} bytes uncompressed")
    document = read(body, roots=("urlset", "sitemapindex"), url=url)
    is_index = local_name(document.root) == "sitemapindex"
    return _entries(document, "index" if is_index else "urlset", url, whole=whole)


def _entries(document: Document, kind: Literal["index", "urlset"], url: str, *, whole: bool) -> Sitemap:
    name = "sitemap" if kind == "index" else "url"
    elements = list(islice(children(document.root, name), MAX_URLS))
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
