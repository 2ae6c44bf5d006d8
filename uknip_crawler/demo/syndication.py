"""Sitemaps, feed and REST answers of the sample site, in the shapes of Yoast and WordPress core."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from uknip_crawler.demo.answers import JSON, XML, Answer
from uknip_crawler.demo.pages import story_html
from uknip_crawler.demo.posts import Post
from uknip_crawler.times import LONDON

FEED_ITEMS = 10
_PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_IMAGES = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
_RSS = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'


def sitemap_index(base_url: str, chunks: Sequence[Sequence[Post]], now: datetime) -> Answer:
    """Return the index: post-sitemap1.xml … with the newest change in each, then page-sitemap.xml."""
    files = [
        (f"post-sitemap{n}.xml", max(p.modified_at for p in chunk)) for n, chunk in enumerate(chunks, start=1)
    ]
    entries = "".join(
        f"<sitemap><loc>{base_url}/{name}</loc><lastmod>{when.isoformat()}</lastmod></sitemap>\n"
        for name, when in [*files, ("page-sitemap.xml", now)]
    )
    return Answer(200, f"{_PROLOGUE}<sitemapindex {_SITEMAP}>\n{entries}</sitemapindex>".encode(), XML)


def sitemap(base_url: str, pages: Sequence[tuple[str, datetime, str | None]]) -> Answer:
    """Return a urlset of (path, last change, path of a picture or None)."""
    entries = "".join(
        f"<url><loc>{base_url}{escape(path)}</loc><lastmod>{when.isoformat()}</lastmod>"
        + (f"<image:image><image:loc>{base_url}{picture}</image:loc></image:image>" if picture else "")
        + "</url>\n"
        for path, when, picture in pages
    )
    return Answer(200, f"{_PROLOGUE}<urlset {_SITEMAP} {_IMAGES}>\n{entries}</urlset>".encode(), XML)


def feed(base_url: str, posts: Sequence[Post], page: int) -> Answer | None:
    """Return RSS 2.0 of ten stories, newest first, with their full text; None past the end."""
    chosen = posts[(page - 1) * FEED_ITEMS : page * FEED_ITEMS]
    if not chosen or page < 1:
        return None
    items = "".join(_item(post, base_url) for post in chosen)
    channel = f"<title>UKNIP</title><link>{base_url}</link><description>UK News in Pictures</description>"
    text = f'{_PROLOGUE}<rss version="2.0" {_RSS}><channel>{channel}\n{items}</channel></rss>'
    newest = max(post.modified_at for post in posts)
    return Answer(
        200, text.encode(), "application/rss+xml; charset=UTF-8", validated=True, modified_at=newest
    )


def _item(post: Post, base_url: str) -> str:
    categories = "".join(f"<category><![CDATA[{name}]]></category>" for name in (post.section, *post.tags))
    return (
        f"<item><title>{escape(post.headline)}</title><link>{base_url}{post.path}</link>"
        f"<dc:creator><![CDATA[{post.printed_author}]]></dc:creator>"
        f"<pubDate>{format_datetime(post.published_at)}</pubDate>{categories}"
        f'<guid isPermaLink="false">{base_url}/?p={post.post_id}</guid>'
        f"<description><![CDATA[{post.opening[:150]} [&#8230;]]]></description>"
        f"<content:encoded><![CDATA[{story_html(post, base_url)}]]></content:encoded></item>\n"
    )


class _InvalidParameterError(Exception):
    """A query parameter of a kind or range that the REST server refuses."""


def rest_posts(base_url: str, posts: Sequence[Post], query: Mapping[str, str]) -> Answer:
    """Answer `/wp-json/wp/v2/posts`: per_page, page, before, after, modified_after, include, orderby, order, _fields.

    As core does: naive instants are London's, bounds are exclusive, per_page over 100 is `rest_invalid_param`,
    a page past the last is `rest_post_invalid_page_number`, both with status 400.
    """
    try:
        per_page, page = _number(query, "per_page", 10, high=100), _number(query, "page", 1)
        chosen = _sorted(_filtered(posts, query), query)
    except _InvalidParameterError as error:
        return rest_error(400, "rest_invalid_param", f"Invalid parameter(s): {error}")
    pages = -(-len(chosen) // per_page)
    if page > max(pages, 1):
        text = "The page number requested is larger than the number of pages available."
        return rest_error(400, "rest_post_invalid_page_number", text)
    fields = [name.strip() for name in query["_fields"].split(",")] if query.get("_fields") else None
    records = [_record(post, base_url, fields) for post in chosen[(page - 1) * per_page : page * per_page]]
    headers = (("X-WP-Total", str(len(chosen))), ("X-WP-TotalPages", str(pages)))
    return Answer(200, json.dumps(records).encode(), JSON, headers)


def rest_error(status: int, code: str, message: str) -> Answer:
    return Answer(
        status, json.dumps({"code": code, "message": message, "data": {"status": status}}).encode(), JSON
    )


def _number(query: Mapping[str, str], name: str, default: int, *, high: int = 10**9) -> int:
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= high):
        raise _InvalidParameterError(name)
    return int(value)


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        value = datetime.fromisoformat(query[name].replace(" ", "+"))
    except ValueError:
        raise _InvalidParameterError(name) from None
    return value if value.tzinfo else value.replace(tzinfo=LONDON)


def _filtered(posts: Sequence[Post], query: Mapping[str, str]) -> list[Post]:
    after, before = _instant(query, "after"), _instant(query, "before")
    since, until = _instant(query, "modified_after"), _instant(query, "modified_before")
    wanted = (
        {int(number) for number in query["include"].split(",") if number.isdigit()}
        if "include" in query
        else None
    )
    return [
        post
        for post in posts
        if (after is None or post.published_at > after)
        and (before is None or post.published_at < before)
        and (since is None or post.modified_at > since)
        and (until is None or post.modified_at < until)
        and (wanted is None or post.post_id in wanted)
    ]


_ORDERS: dict[str, Callable[[Post], Any]] = {
    "id": lambda post: post.post_id,
    "date": lambda post: (post.published_at, post.post_id),
    "modified": lambda post: (post.modified_at, post.post_id),
}


def _sorted(posts: list[Post], query: Mapping[str, str]) -> list[Post]:
    orderby, order = query.get("orderby", "date"), query.get("order", "desc")
    if orderby not in _ORDERS:
        raise _InvalidParameterError("orderby")
    if order not in ("asc", "desc"):
        raise _InvalidParameterError("order")
    return sorted(posts, key=_ORDERS[orderby], reverse=order == "desc")


def _record(post: Post, base_url: str, fields: list[str] | None) -> dict[str, Any]:
    makers: dict[str, Callable[[], Any]] = {
        "id": lambda: post.post_id,
        "date": lambda: _naive(post.published_at.astimezone(LONDON)),
        "date_gmt": lambda: _naive(post.published_at),
        "guid": lambda: {"rendered": f"{base_url}/?p={post.post_id}"},
        "modified": lambda: _naive(post.modified_at.astimezone(LONDON)),
        "modified_gmt": lambda: _naive(post.modified_at),
        "slug": lambda: post.slug,
        "status": lambda: post.status.value,
        "type": lambda: "post",
        "link": lambda: base_url + post.path,
        "title": lambda: {"rendered": escape(post.headline).replace("’", "&#8217;")},
        "content": lambda: {"rendered": story_html(post, base_url), "protected": False},
    }
    roots = None if fields is None else {name.partition(".")[0] for name in fields}
    return {name: make() for name, make in makers.items() if roots is None or name in roots}


def _naive(when: datetime) -> str:
    return when.replace(tzinfo=None).isoformat(timespec="seconds")
