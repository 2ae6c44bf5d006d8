"""A first look at a site that has no rules of its own yet: a handful of requests, as robots.txt allows and as slowly as it asks.

Nothing is stored. Addresses that the site names are only asked for where they are its own, and redirects stay on its host.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import unescape
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from uknip_crawler.discovery import SourceUnusable, feed, rest, sitemap
from uknip_crawler.discovery.robots import Robots, policy
from uknip_crawler.discovery.signposts import Signposts
from uknip_crawler.errors import SiteUnavailable
from uknip_crawler.sites import Site, load_site
from uknip_crawler.sites.drafting import Offer
from uknip_crawler.urls import is_own_host

SECONDS = 20.0
"""For one answer, from first to last byte."""
MAX_BYTES = 8 * 2**20
LONGEST_DELAY = 60.0
_CHUNK = 1 << 16
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,500})</title>", re.IGNORECASE)
_NAME = re.compile(
    r"""<meta\s[^<>]{0,300}property=["']og:site_name["'][^<>]{0,300}content=(?:"([^"<>]{1,200})"|'([^'<>]{1,200})')""",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"""<img\s[^<>]{0,2000}?\bsrc=["']((?:https?:)?//[^"'<>\s]{1,500})["']""", re.IGNORECASE)
_MOST_HOSTS = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _OnItsHost(HTTPRedirectHandler):
    def __init__(self, is_allowed: Callable[[str], bool]) -> None:
        self._is_allowed = is_allowed

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not self._is_allowed(newurl):
            raise OSError(f"redirects to {newurl[:200]}, which is not to be asked for")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Look:
    """One site looked at; `told` gathers what was found at each door."""

    def __init__(self, site: Site, agent: str, delay: float, wait: Callable[[float], None]) -> None:
        self.site = site
        self._agent = agent
        self._delay = delay
        self._wait = wait
        self._rules: Robots | None = None
        self._opener = build_opener(_OnItsHost(self._may_ask))
        self._asked = 0

    def robots(self) -> Robots:
        """Read robots.txt and go by it. Raises SiteUnavailable when it cannot be had, or asks for more patience than is here."""
        url = urljoin(self.site.base_url, "/robots.txt")
        answer = self._get(url)
        if isinstance(answer, str) or policy(answer.status) == "unreachable":
            said = answer if isinstance(answer, str) else f"HTTP {answer.status}"
            raise SiteUnavailable(
                f"{url}: {said}; without robots.txt nothing may be fetched, try again later"
            )
        self._rules = Robots.parse(answer.body if policy(answer.status) == "parse" else b"")
        self._delay = max(self._delay, self._rules.crawl_delay(self._agent) or 0)
        if self._delay > LONGEST_DELAY:
            raise SiteUnavailable(
                f"{url}: asks for {self._delay:,.0f} s between requests: draft the rules by hand"
            )
        return self._rules

    def read(self, url: str, parse: Callable[[_Answer], T]) -> tuple[T | None, str]:
        """Return what a document says, or None, and in words how that went."""
        answer = self._get(url)
        if isinstance(answer, str):
            return None, answer
        if answer.status != 200:
            return None, f"HTTP {answer.status}"
        try:
            return parse(answer), "read"
        except (SourceUnusable, ValueError, TypeError, RecursionError) as error:
            return None, str(error)

    def is_own(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            return parts.scheme in ("http", "https") and is_own_host(parts.hostname, self.site)
        except ValueError:
            return False

    def _may_ask(self, url: str) -> bool:
        return self.is_own(url) and (self._rules is None or self._rules.allowed(url, self._agent))

    def _get(self, url: str) -> _Answer | str:
        if not self._may_ask(url):
            return "robots.txt forbids it" if self.is_own(url) else "not on the site's host, not asked for"
        if self._asked:
            self._wait(self._delay)
        self._asked += 1
        try:
            try:
                answer = self._opener.open(Request(url, headers={"User-Agent": self._agent}), timeout=SECONDS)
            except HTTPError as error:
                answer = error
            with answer:
                return _Answer(answer.url, answer.status, list(answer.headers.items()), _body(answer))
        except (OSError, ValueError, HTTPException) as error:
            return f"cannot be had: {error}"


def _body(answer: Any) -> bytes:
    parts, size, until = [], 0, time.monotonic() + SECONDS
    while size < MAX_BYTES and (part := answer.read1(_CHUNK)):
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            raise TimeoutError(f"not whole after {SECONDS:.0f} s")
    return b"".join(parts)


def survey(base_url: str, agent: str, *, delay: float, wait: Callable[[float], None] = time.sleep) -> Offer:
    """Look at a site's robots.txt, front page, REST, feed and sitemap; at most six requests, `delay` seconds apart.

    Raises UsageError for what is no address of a site, SiteUnavailable where robots.txt cannot be had.
    """
    look = _Look(load_site(base_url), agent, delay, wait)
    offer = Offer(look.site.base_url)
    rules = look.robots()
    asks = rules.crawl_delay(agent)
    offer.told.append(
        "robots.txt: "
        + ("read" if rules.text else "none")
        + (f", asks for {asks:g} s between requests" if asks else "")
    )
    signs = _front_page(look, offer)
    _rest(look, offer, signs)
    _feed(look, offer, signs)
    _sitemap(look, offer, rules)
    offer.stories = [url for url in dict.fromkeys(offer.stories) if look.is_own(url)]
    return offer


def _front_page(look: _Look, offer: Offer) -> Signposts:
    page, how = look.read(look.site.base_url, lambda answer: answer)
    offer.told.append(f"front page: {how}")
    if page is None:
        return Signposts((), (), False)
    signs = Signposts.of(page.body, page.headers, url=page.url)
    text = page.body.decode("utf-8", "replace")
    if signs.is_wordpress:
        offer.told[-1] += ", made by WordPress"
    if named := _NAME.search(text):
        offer.names.append(unescape(named[1] or named[2]))
    if titled := _TITLE.search(text):  # "Name – what it is about": the first part names it
        offer.names.append(re.split(r"\s[-–—|»:]\s", unescape(titled[1]).strip(), maxsplit=1)[0])
    offer.image_hosts = list(dict.fromkeys(_foreign_hosts(look, _IMAGE.findall(text))))[:_MOST_HOSTS]
    return signs


def _foreign_hosts(look: _Look, addresses: Iterable[str]) -> Iterable[str]:
    for address in addresses:
        try:
            host = urlsplit(urljoin(look.site.base_url, address)).hostname
        except ValueError:
            continue
        if host and not is_own_host(host, look.site):
            yield host


def _rest(look: _Look, offer: Offer, signs: Signposts) -> None:
    root = next(iter(signs.rest), urljoin(look.site.base_url, "wp-json/"))
    said, how = look.read(root, lambda answer: json.loads(answer.body.lstrip(b"\xef\xbb\xbf")))
    if isinstance(said, dict):
        name, zone = said.get("name"), said.get("timezone_string")
        offer.names[:0] = [unescape(name)] if isinstance(name, str) else []
        offer.time_zone = zone if isinstance(zone, str) else ""
        how = f"time zone {offer.time_zone}" if offer.time_zone else "no time zone named"
    offer.told.append(f"REST root {root}: {how}")
    posts = rest.posts_url(look.site.base_url, endpoint=rest.endpoint_of(root), orderby="date", order="desc")
    listing, how = look.read(posts, lambda answer: rest.parse_posts(answer.body, dict(answer.headers)))
    if listing is not None:
        offer.stories += [entry.url for entry in listing.entries]
        how = f"{len(listing.entries):,} stories" + (f" of {listing.total:,}" if listing.total else "")
    offer.told.append(f"REST posts: {how}")


def _feed(look: _Look, offer: Offer, signs: Signposts) -> None:
    address = next(iter(signs.feeds), feed.feed_url(look.site.base_url))
    listing, how = look.read(address, lambda answer: feed.parse(answer.body, url=answer.url))
    if listing is not None:
        offer.stories += [entry.url for entry in listing.entries]
        how = f"{len(listing.entries):,} stories"
    offer.told.append(f"feed {address}: {how}")


def _sitemap(look: _Look, offer: Offer, rules: Robots) -> None:
    address = urljoin(look.site.base_url, next(iter(rules.sitemaps), "sitemap.xml"))
    found, how = look.read(address, lambda answer: sitemap.parse(answer.body, url=answer.url))
    if found is not None:
        how = f"{found.kind} of {len(found.entries):,}"
        if found.kind != "index" and not offer.stories:
            offer.stories += [entry.url for entry in found.entries]
    offer.told.append(f"sitemap {address}: {how}")
