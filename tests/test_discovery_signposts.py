"""Where a page says that the site's lists are, and where REST's list of posts is then."""

from __future__ import annotations

import random

import pytest

from uknip_crawler.discovery.rest import endpoint_of, list_of, posts_url
from uknip_crawler.discovery.signposts import Signposts

URL = "https://uknip.co.uk/"


def of(page: str, *headers: tuple[str, str]) -> Signposts:
    return Signposts.of(page.encode(), headers, url=URL)


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="https://api.w.org/" href="https://uknip.co.uk/api/">',
        "<LINK HREF=/api/ REL='https://api.w.org/'/>",
        '<link href="/api/"\n rel="alternate https://api.w.org/" >',
    ],
)
def test_a_page_names_rest_in_any_notation(link: str) -> None:
    """Attributes in any order, quotes or none, absolute or not."""
    assert of(f"<head>{link}</head>").rest == ("https://uknip.co.uk/api/",)


def test_a_header_names_rest_among_other_links() -> None:
    """https://www.rfc-editor.org/rfc/rfc8288"""
    value = '<https://uknip.co.uk/x.css>; rel=preload; as=style, <https://uknip.co.uk/api/>; rel="https://api.w.org/"'
    assert of("", ("Link", value)).rest == ("https://uknip.co.uk/api/",)


def test_only_feeds_of_stories_are_feeds() -> None:
    """Neither the comments' feed nor oEmbed nor a style sheet."""
    page = """<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
    <link rel="alternate" type="application/json+oembed" href="/oembed/"><link rel="stylesheet" href="/x.css">
    <!-- <link rel="alternate" type="application/rss+xml" href="/old/"> -->
    <link rel="alternate" type="application/atom+xml" href="/atom/"><link rel="alternate" type="application/rss+xml" href="feed/">"""
    assert of(page).feeds == ("https://uknip.co.uk/atom/", "https://uknip.co.uk/feed/")


@pytest.mark.parametrize(
    ("root", "endpoint"),
    [
        ("https://uknip.co.uk/wp-json/", "https://uknip.co.uk/wp-json/wp/v2/posts"),
        ("https://uknip.co.uk/news/api", "https://uknip.co.uk/news/api/wp/v2/posts"),
        ("https://uknip.co.uk/?rest_route=/", "https://uknip.co.uk/?rest_route=/wp/v2/posts"),
        (
            "https://uknip.co.uk/index.php?rest_route=%2F",
            "https://uknip.co.uk/index.php?rest_route=/wp/v2/posts",
        ),
    ],
)
def test_the_list_of_posts_is_below_the_root(root: str, endpoint: str) -> None:
    """By path, or by the parameter of sites without permalinks; every question can be traced to its list."""
    assert endpoint_of(root) == endpoint
    asked = posts_url(URL, endpoint=endpoint, page=2)
    assert asked.startswith(endpoint)
    assert list_of(asked) == endpoint


def test_whatever_a_page_holds_nothing_is_raised() -> None:
    """Mutations of a page that names everything, addresses that cannot be resolved among them."""
    whole = b"<link rel='https://api.w.org/' href='http://[::1/'><link rel=alternate type=application/rss+xml href='/feed/'>"
    dice = random.Random(7)
    for _ in range(2_000):
        page = bytearray(whole)
        for _ in range(dice.randrange(1, 9)):
            page[dice.randrange(len(page))] = dice.randrange(256)
        found = Signposts.of(bytes(page), [("Link", page.decode("latin-1"))], url=URL)
        assert all(isinstance(address, str) for address in found.rest + found.feeds)
