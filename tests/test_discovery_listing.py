"""The page that follows a listing page."""

from __future__ import annotations

import pytest

from uknip_crawler.discovery.listing import next_page
from uknip_crawler.models import Link
from uknip_crawler.sites import load_site

SITE = load_site()
BASE = "https://uknip.co.uk"


def following(listing: str, *links: str) -> str | None:
    return next_page([Link(url, "Next") for url in links], listing, SITE)


@pytest.mark.parametrize(
    ("listing", "linked"),
    [
        (f"{BASE}/", f"{BASE}/page/2/"),
        (f"{BASE}/category/breaking/", f"{BASE}/category/breaking/page/2/"),
        (f"{BASE}/category/breaking", f"{BASE}/category/breaking/page/2"),
        (f"{BASE}/Breaking/News/tag/m275/page/9/", f"{BASE}/Breaking/News/tag/m275/page/10/"),
        (f"{BASE}/?cat=3", f"{BASE}/?cat=3&paged=2"),
        (f"{BASE}/?cat=3&paged=2", f"{BASE}/?paged=3&cat=3"),
        (f"{BASE}/page/4999/", f"{BASE}/page/5000/"),
    ],
)
def test_the_next_page_is_the_one_numbered_one_higher(listing: str, linked: str) -> None:
    """By path or by `paged`, with or without a slash at the end."""
    assert following(listing, f"{BASE}/news/uk/breaking/a-story/", linked) == linked


@pytest.mark.parametrize(
    ("listing", "linked"),
    [
        (f"{BASE}/category/breaking/", f"{BASE}/category/crime/page/2/"),
        (f"{BASE}/category/breaking/page/2/", f"{BASE}/category/breaking/page/2/"),
        (f"{BASE}/category/breaking/page/2/", f"{BASE}/category/breaking/page/1/"),
        (f"{BASE}/category/breaking/page/2/", f"{BASE}/category/breaking/page/4/"),
        (f"{BASE}/category/breaking/page/2/", f"{BASE}/category/breaking/page/30/"),
        (f"{BASE}/category/breaking/", f"{BASE}/category/breaking/page/2/?orderby=rand"),
        (f"{BASE}/category/breaking/", "https://evil.example/category/breaking/page/2/"),
        (f"{BASE}/category/breaking/", "http://[page/2/"),
        (f"{BASE}/page/5000/", f"{BASE}/page/5001/"),
        (f"{BASE}/2024/05/", f"{BASE}/2024/05/page/2/"),
        ("https://evil.example/", f"{BASE}/page/2/"),
    ],
)
def test_another_page_is_not_the_next_one(listing: str, linked: str) -> None:
    """Neither another listing, host, number or order, nor the endless calendar."""
    assert following(listing, linked) is None


def test_tracking_does_not_hide_the_next_page() -> None:
    """The address comes back canonical."""
    assert following(f"{BASE}/", "http://www.uknip.co.uk/page/2/?utm_source=x#top") == f"{BASE}/page/2/"
