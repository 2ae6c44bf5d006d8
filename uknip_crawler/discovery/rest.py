"""WordPress's REST list of posts (`/wp-json/wp/v2/posts`) → addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from uknip_crawler.discovery import Content, Listed, Listing, SourceUnusable, instant_said, text_said
from uknip_crawler.discovery.dates import iso_instant
from uknip_crawler.times import utc_text

POSTS = "wp-json/wp/v2/posts"
"""Where WordPress lists its posts unless the site says otherwise: below its own folder."""
ROUTE = "wp/v2/posts"
PER_PAGE = 100
"""WordPress serves no more posts a page."""
_LARGEST_ID = 2**63 - 1  # MySQL's and SQLite's largest integer
_JSON_START = re.compile(r"(?:\[\s*)?\{\s*\"")
_HTML_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)


def posts_url(
    base_url: str,
    *,
    endpoint: str = POSTS,
    modified_after: datetime | None = None,
    page: int = 1,
    orderby: Literal["id", "date"] = "id",
    order: str = "asc",
    per_page: int = PER_PAGE,
) -> str:
    """Return the address of one page of posts, by number or date, or by time of change when `modified_after` is given.

    `endpoint` is the list's address where it is not the usual one. `modified_after` must be aware.
    """
    query: dict[str, str | int] = {
        "per_page": per_page,
        "orderby": "modified" if modified_after else orderby,
        "order": order,
        "_fields": "id,link,date_gmt,modified_gmt,title",
        "page": page,
    }
    if modified_after:
        # the zone must be said: without it WordPress reads the site's own time
        query["modified_after"] = utc_text(modified_after)
    return _asking(base_url, endpoint, query)


def endpoint_of(root: str) -> str:
    """Return the list of posts below a REST root, which ends in a path (`/wp-json/`) or a query (`?rest_route=/`)."""
    parts = urlsplit(root)
    if "rest_route=" in parts.query:
        return urlunsplit(parts._replace(query=parts.query.replace("%2F", "/").rstrip("/") + f"/{ROUTE}"))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{ROUTE}", query="", fragment=""))


def list_of(url: str) -> str:
    """Return the address of the list that a question asks: the other way round from `posts_url`."""
    return url.partition("per_page=")[0].rstrip("?&")


def _asking(base_url: str, endpoint: str, query: Mapping[str, str | int]) -> str:
    address = urljoin(base_url, endpoint)
    return address + ("&" if "?" in address else "?") + urlencode(query, safe=",:")


def contents_url(base_url: str, post_ids: Sequence[int], *, endpoint: str = POSTS) -> str:
    """Return the address of some posts with their content, at most 100."""
    query: dict[str, str | int] = {
        "include": ",".join(map(str, post_ids)),
        "per_page": len(post_ids),
        "_fields": "id,link,content,modified_gmt",
    }
    return _asking(base_url, endpoint, query)


def parse_contents(body: bytes, headers: Mapping[str, str]) -> tuple[Content, ...]:
    """Read posts with their content. Raises SourceUnusable for anything but a list."""
    posts = _loads(body)
    if not isinstance(posts, list):
        raise SourceUnusable(f"REST: {type(posts).__name__} instead of a list of posts")
    found = []
    for post in posts:
        listed = _listed(post)
        content = post.get("content") if isinstance(post, dict) else None
        html = content.get("rendered") if isinstance(content, dict) else None
        if listed is not None and isinstance(html, str):
            found.append(Content(listed.url, listed.post_id, html, listed.modified_at))
    return tuple(found)


def parse_posts(body: bytes, headers: Mapping[str, str]) -> Listing:
    """Read one page of posts; `total` and `pages` come from X-WP-Total and X-WP-TotalPages.

    A byte order mark and PHP notices around the JSON are tolerated. Posts with a number, link or status that
    no published post can have are left out. Raises SourceUnusable for anything but a list.
    """
    posts = _loads(body)
    if not isinstance(posts, list):
        said = posts.get("code") if isinstance(posts, dict) else None
        raise SourceUnusable(
            f"REST: {type(posts).__name__} instead of a list of posts (code {str(said)[:80]!r})"
        )
    folded = {name.lower(): value for name, value in headers.items()}
    if posts and not any(isinstance(post, dict) and "id" in post for post in posts):
        raise SourceUnusable(f"REST: a list, but not of posts: {str(posts[0])[:40]!r}")
    entries = tuple(entry for post in posts if (entry := _listed(post)))
    return Listing(entries, True, _count(folded.get("x-wp-total")), _count(folded.get("x-wp-totalpages")))


def is_past_end(status: int, body: bytes) -> bool:
    """Tell the answer to a page after the last from every other error 400."""
    if status != HTTPStatus.BAD_REQUEST:
        return False
    try:
        error = _loads(body)
    except SourceUnusable:
        return False
    return isinstance(error, dict) and error.get("code") == "rest_post_invalid_page_number"


def _loads(body: bytes) -> Any:
    text = body.decode("utf-8-sig", "replace").strip()
    decoder = json.JSONDecoder(parse_int=_integer)
    if _HTML_PAGE.search(text, 0, 2000) and not text.startswith(("[", "{")):
        raise SourceUnusable(f"REST: an HTML page; starts {text[:40]!r}")
    start = None if text.startswith(("[", "{")) else _JSON_START.search(text)  # PHP's notices come first
    try:
        value, end = decoder.raw_decode(text, start.start() if start else 0)
    except (ValueError, RecursionError) as error:
        raise SourceUnusable(f"REST: not JSON: {error}; starts {text[:40]!r}") from None
    if text[end:].strip() and not text[end:].lstrip().startswith("<"):
        raise SourceUnusable(f"REST: more after the JSON: {text[end : end + 40]!r}")
    return value


def _integer(digits: str) -> int | None:
    # Python refuses to read numbers of thousands of digits, and the whole page with them
    return int(digits) if len(digits) <= 20 else None


def _count(value: str | None) -> int | None:
    stripped = (value or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) <= 9 else None


def _listed(post: object) -> Listed | None:
    if not isinstance(post, dict) or post.get("status", "publish") != "publish":
        return None
    number, link = post.get("id"), post.get("link")
    if (
        type(number) is not int
        or not 0 < number <= _LARGEST_ID
        or not isinstance(link, str)
        or not link.strip()
    ):
        return None
    title = post.get("title")
    changed, printed, headline = (
        value if isinstance(value, str) else None
        for value in (
            post.get("modified_gmt"),
            post.get("date_gmt"),
            title.get("rendered") if isinstance(title, dict) else title,
        )
    )
    modified_at, published_at = iso_instant(changed), iso_instant(printed)
    said = (
        *instant_said("published_at", "rest", printed, published_at),
        *instant_said("modified_at", "rest", changed, modified_at),
        *text_said("headline", "rest", headline),
    )
    return Listed(link.strip(), number, modified_at, published_at, said)
