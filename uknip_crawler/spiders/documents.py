"""Fetching the site's own documents (robots.txt, REST, sitemaps, feed): one ledger row each, redirects followed, parsed."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from scrapy import Request

from uknip_crawler.archive.ledger import Response
from uknip_crawler.archive.sources import Source
from uknip_crawler.discovery import SourceUnusable, rest, robots
from uknip_crawler.errors import AddressRefused, ContentError, SiteUnavailable
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.ingest import outcomes
from uknip_crawler.ingest.redirects import MAX_HOPS, STATUSES, location_of, resolve
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.exchange import Exchange, answered
from uknip_crawler.spiders.redirects import cookies_of
from uknip_crawler.urls import canonicalise

T = TypeVar("T")

PAST_END = "past the last page"
FORBIDDEN = "robots.txt forbids it"
INCOMPLETE = "cut short, or not all of it can be read"
_GZIP = b"\x1f\x8b"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A source document as parsed, or why there is none: `unchanged`, `absent` (4xx) or `failed`."""

    status: str
    value: T | None = None
    source: Source | None = None
    http_status: int = 0
    detail: str | None = None


class Documents:
    """Gets documents for one crawl, as robots.txt allows."""

    def __init__(self, crawl: Crawl) -> None:
        self._crawl = crawl
        self._archive = crawl.archive
        self.asked: set[str] = set()

    async def read_robots(self) -> None:
        """Read the site's robots.txt and obey it. Raises SiteUnavailable when it cannot be had."""
        self._crawl.robots = await self.robots_of(self._crawl.site.base_url)

    async def robots_of(self, base_url: str) -> robots.Robots:
        """Read a host's robots.txt and go as slowly there as it asks.

        Raises SiteUnavailable when it cannot be had (RFC 9309 §2.3.1.4).
        """
        url = urljoin(base_url, "/robots.txt")
        answer = await self.get(
            url, "robots", lambda body, headers: robots.Robots.parse(body), conditional=False
        )
        policy = robots.policy(answer.http_status) if answer.http_status else "unreachable"
        if policy == "unreachable" or (policy == "parse" and answer.value is None):
            raise SiteUnavailable(
                f"{url}: {answer.detail or answer.http_status}; without robots.txt nothing may be fetched, try again later"
            )
        rules = answer.value or robots.Robots.parse(b"")
        self._obey_crawl_delay(urlsplit(self._crawl.origin.wire_url(url)).hostname or "", rules)
        return rules

    def _obey_crawl_delay(self, host: str, rules: robots.Robots) -> None:
        asked = rules.crawl_delay(self._crawl.agent) or 0.0
        settings, downloader = self._crawl.settings, self._crawl.engine.downloader
        longest = settings.getfloat("UKNIP_CRAWL_DELAY_MAX_SECONDS")
        if asked > longest:
            raise SiteUnavailable(
                f"robots.txt of {host} asks for {asked:,.0f} s between requests: more than {longest:,.0f} s is no crawl "
                "(-s UKNIP_CRAWL_DELAY_MAX_SECONDS=N allows it)"
            )
        if asked > settings.getfloat("DOWNLOAD_DELAY"):
            concurrency = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
            downloader.per_slot_settings[host] = {"delay": asked, "concurrency": concurrency}
            if host in downloader.slots:
                downloader.slots[host].delay = asked

    async def get(
        self, url: str, kind: str, parse: Callable[[bytes, Mapping[str, str]], T], *, conditional: bool
    ) -> Document[T]:
        """Fetch one document and parse it; the ledger gets its row whatever happens."""
        self.asked.add(url)
        source = self._archive.sources.get(url, kind)
        with self._archive.transaction():
            row = self._archive.ledger.open(
                self._crawl.run.id, url, kind=kind, found_by="seed", at=self._crawl.clock()
            )
        if row is None:
            return Document("failed", detail="already asked for in this run")
        response: Response | None = None
        if kind != "robots" and not self._crawl.allows(url):
            answer: Document[T] = Document("absent", detail=FORBIDDEN)
        else:
            try:
                response = await self.download(url, kind, source if conditional else None)
                answer = _understand(response.capture, source, parse)
            except SiteUnavailable as error:
                answer = Document("failed", detail=str(error))
        self._close(row, answer, response)
        return answer

    def _close(self, row: int, answer: Document[T], response: Response | None) -> None:
        outcome = {"complete": Outcome.LISTED, "unchanged": Outcome.UNCHANGED}.get(
            answer.status, Outcome.SOURCE_FAILED
        )
        self._archive.sync_captures()
        with self._archive.transaction():
            self._archive.ledger.close(
                row, outcome, at=self._crawl.clock(), detail=answer.detail, response=response
            )

    async def download(self, url: str, kind: str = "page", source: Source | None = None) -> Response:
        """Return the final response after at most five redirects. Raises SiteUnavailable when there is none."""
        headers = {}
        if source and source.etag:
            headers["If-None-Match"] = source.etag
        if source and source.last_modified:
            headers["If-Modified-Since"] = source.last_modified
        target = self._crawl.origin.wire_url(url)
        cookies: dict[str, str] = {}
        for _ in range(MAX_HOPS + 1):
            headers |= self._crawl.origin.cookie_header(cookies)
            try:
                request = Request(target, headers=headers, dont_filter=True, meta=Exchange().meta())
                response = await self._crawl.download(request)
            except (
                Exception
            ) as error:  # whatever the network or a handler raised: this document is not to be had
                raise SiteUnavailable(str(error).rstrip(".") or type(error).__name__) from error
            kept = answered(response)
            if response.status not in STATUSES:
                return kept
            given = cookies_of(response)
            following = self._redirect_target(target, location_of(kept.capture) or "", kind)
            if following == target and given.items() <= cookies.items():
                raise SiteUnavailable("redirects to itself")
            target, cookies = following, cookies | given
        raise SiteUnavailable("more than five redirects")

    def _redirect_target(self, url: str, location: str, kind: str) -> str:
        try:
            target = resolve(url, location)
            canonicalise(target, self._crawl.site)
            self._crawl.origin.learn(url, target)
        except AddressRefused as error:
            # RFC 9309 §2.3.1.2: robots.txt may redirect to another authority; nothing else may
            if kind != "robots" or not _may_hold_robots(url, location):
                raise SiteUnavailable(f"redirects elsewhere: {error}") from error
        return target


def _understand(
    capture: Capture, source: Source, parse: Callable[[bytes, Mapping[str, str]], T]
) -> Document[T]:
    status = capture.status
    if status == HTTPStatus.NOT_MODIFIED:
        return Document("unchanged", source=source, http_status=status)
    try:
        body = decode(_as_sent(capture))
        if status != HTTPStatus.OK:
            if rest.is_past_end(status, body):
                return Document("failed", http_status=status, detail=PAST_END)
            absent = 400 <= status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS
            return Document("absent" if absent else "failed", http_status=status, detail=f"HTTP {status}")
        value = parse(body, dict(capture.headers))
    except (ContentError, SourceUnusable) as error:
        return Document("failed", http_status=status, detail=str(error))
    except Exception as error:  # no document of the site may end the run, whatever it makes our own code do
        logger.exception("%s could not be read", capture.url)
        return Document("failed", http_status=status, detail=outcomes.one_line(error))
    detail = None if getattr(value, "complete", True) else INCOMPLETE
    fresh = replace(source, etag=capture.header("etag"), last_modified=capture.header("last-modified"))
    return Document("complete", value=value, source=fresh, http_status=status, detail=detail)


def parsing(parse: Callable[..., T], url: str) -> Callable[[bytes, Mapping[str, str]], T]:
    """Return what `Documents.get` calls for a document that is parsed by its address."""
    return lambda body, headers: parse(body, url=url)


def _as_sent(capture: Capture) -> Capture:
    """Return a capture without a gzip label that its body belies, as servers give to every `.xml.gz`."""
    labels = (capture.header("content-encoding") or "").lower()
    if "gzip" not in labels or capture.body.startswith(_GZIP):
        return capture
    headers = tuple(header for header in capture.headers if header[0].lower() != "content-encoding")
    return replace(capture, headers=headers)


def _may_hold_robots(asked: str, location: str) -> bool:
    """Tell whether a redirect of robots.txt leads to the same host or to a public one."""
    try:
        url = resolve(asked, location)
        parts, own = urlsplit(url), urlsplit(asked)
        host = parts.hostname or ""
        _ = parts.port
    except (ValueError, AddressRefused):
        return False
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    if parts.scheme not in ("http", "https") or "." not in host or parts.username is not None:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True
