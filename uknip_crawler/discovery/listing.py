"""Listing pages: which page follows this one?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from uknip_crawler.errors import AddressRefused
from uknip_crawler.models import Link
from uknip_crawler.sites import Site
from uknip_crawler.urls import AddressKind, canonicalise, classify

MAX_PAGE = 5000
_PAGE = re.compile(r"/page/(\d{1,6})/?$")


def next_page(links: Iterable[Link], listing_url: str, site: Site) -> str | None:
    """Return the canonical address of the page after this one, if this page links to it.

    Pages are `…/page/N/` or `?paged=N`; only the same listing counts (same path and query otherwise), and no
    page after 5,000. Date archives are endless and have no next page for us.
    """
    try:
        here = _position(canonicalise(listing_url, site))
    except AddressRefused:
        return None
    wanted = (here[0], here[1] + 1)
    if wanted[1] > MAX_PAGE:
        return None
    hint = re.compile(rf"page[d/=]*{wanted[1]}(?!\d)")
    for link in links:
        if not hint.search(link.url):  # spares most links the full reading
            continue
        try:
            url = canonicalise(link.url, site)
        except AddressRefused:
            continue
        if _position(url) == wanted and classify(url, site) is not AddressKind.TRAP:
            return url
    return None


def _position(url: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], int]:
    """Return which listing an address belongs to, and which page of it this is."""
    parts = urlsplit(url)
    pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
    printed = [value for key, value in pairs if key == "paged"]
    in_path = _PAGE.search(parts.path)
    number = in_path[1] if in_path else (printed[0] if printed else "1")
    rest = tuple(pair for pair in pairs if pair[0] != "paged")
    page = int(number) if re.fullmatch(r"[0-9]{1,6}", number) else 1
    return (_PAGE.sub("", parts.path).rstrip("/"), rest), max(page, 1)
