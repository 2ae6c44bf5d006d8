"""RSS 2.0, RSS 1.0 (RDF) and Atom → addresses."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from lxml import etree

from uknip_crawler.discovery import Content, Listed, Listing, absolute, instant_said, text_said
from uknip_crawler.discovery.dates import iso_instant, mail_instant
from uknip_crawler.discovery.markup import children, read, text_of
from uknip_crawler.urls import post_number

_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_DC_DATE = "{http://purl.org/dc/elements/1.1/}date"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_DC_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"


FEED = "feed/"
"""Where WordPress's feed is unless the site says otherwise: below its own folder."""


def feed_url(base_url: str, page: int = 1, *, address: str = FEED) -> str:
    """Return the address of a page of a feed, WordPress's unless `address` is given; pages count from 1, newest first."""
    first = urljoin(base_url, address)
    return first if page == 1 else f"{first}{'&' if '?' in first else '?'}paged={page}"


def parse(body: bytes, *, url: str) -> Listing:
    """Read a feed, also with leading blanks, `&nbsp;`, bare `&` or a missing end.

    `<guid>…/?p=N` gives the post's number. Raises SourceUnusable for anything that is not a feed.
    """
    document = read(body, roots=("rss", "RDF", "feed"), url=url)
    elements = list(document.root.iter("{*}item", "{*}entry"))
    entries = [_listed(element, url) for element in elements]
    complete = document.closed and document.count("item", "entry") <= len(elements)
    return Listing(tuple(entry for entry in entries if entry), complete)


def parse_contents(body: bytes, *, url: str) -> tuple[Content, ...]:
    """Read the full text of a feed's stories, where it carries one. Raises SourceUnusable for what is no feed."""
    document = read(body, roots=("rss", "RDF", "feed"), url=url)
    found = []
    for item in document.root.iter("{*}item", "{*}entry"):
        listed = _listed(item, url)
        html = item.findtext(_CONTENT) or text_of(item, "content")
        if listed is not None and html:
            found.append(Content(listed.url, listed.post_id, html, listed.modified_at))
    return tuple(found)


def _listed(item: etree._Element, url: str) -> Listed | None:
    guid = text_of(item, "guid", "id") or ""
    address = absolute(_link(item, guid), url)
    if address is None:
        return None
    candidates = [
        (text_of(item, "pubDate"), mail_instant),
        (text_of(item, "published"), iso_instant),
        (item.findtext(_DC_DATE), iso_instant),
    ]
    dates = ((raw, instant) for raw, read_as in candidates if (instant := read_as(raw)))
    printed, published_at = next(dates, (None, None))
    updated = text_of(item, "updated")
    modified_at = iso_instant(updated)
    authors = [element.text or "" for element in item.iter(_DC_CREATOR)]
    authors += [text_of(author, "name") or "" for author in children(item, "author")]
    said = (
        *instant_said("published_at", "feed", printed, published_at),
        *instant_said("modified_at", "feed", updated, modified_at),
        *text_said("headline", "feed", text_of(item, "title")),
        *text_said("authors", "feed", "; ".join(filter(None, authors))),
    )
    return Listed(address, post_number(guid), modified_at, published_at, said)


def _link(item: etree._Element, guid: str) -> str | None:
    for link in children(item, "link"):
        printed = "".join(map(str, link.itertext())).strip() or link.get("href")
        if printed and link.get("rel", "alternate") == "alternate":
            return printed
    is_permalink = all(child.get("isPermaLink") != "false" for child in children(item, "guid", "id"))
    return item.get(_RDF_ABOUT) or (guid if is_permalink and re.match(r"https?://", guid) else None)
