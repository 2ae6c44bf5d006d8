"""Atom feeds (RFC 4287) of what a page lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from uknip_crawler.browse.pages.addresses import permalink
from uknip_crawler.browse.pages.asking import Ask, Page
from uknip_crawler.browse.pages.cards import Card
from uknip_crawler.browse.times import instant_text

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can hold, escaped or not: https://www.w3.org/TR/xml/#charsets."""
_LONG_AGO = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a feed: `id` names it for ever, `link` is a path of ours, times are as the archive writes them."""

    id: str
    title: str
    link: str
    updated: str
    published: str | None = None
    summary: str = ""


def of_card(card: Card) -> Entry:
    """Return a story as an entry."""
    story = card.story
    return Entry(
        id=uuid5(NAMESPACE_URL, story["url"]).urn,
        title=story["headline"] or "(no headline)",
        link=permalink(story["url"]),
        updated=story["last_changed_at"],
        published=story["published_at"],
        summary=card.opening,
    )


def feed(ask: Ask, title: str, own: str, page: str, entries: list[Entry]) -> Page:
    """Return entries, newest first, as a feed at the path `own`, beside the `page` that shows the same."""
    told = [
        {
            "id": entry.id,
            "title": xml_text(entry.title),
            "link": ask.root + entry.link,
            "updated": instant_text(entry.updated) or _LONG_AGO,
            "published": instant_text(entry.published),
            "summary": xml_text(entry.summary),
        }
        for entry in entries
    ]
    context = {
        "title": xml_text(title),
        "own": ask.root + own,
        "page": ask.root + page,
        "updated": max((str(one["updated"]) for one in told), default=_LONG_AGO),
        "entries": told,
    }
    return Page("feed.xml", context, media_type="application/atom+xml; charset=utf-8")


def xml_text(text: str) -> str:
    """Return a text that can stand in XML."""
    return _NO_XML.sub("\ufffd", text)
