"""Between spider and network: keep every response as received, wait when told to, resolve public addresses only."""

from __future__ import annotations

import asyncio
import email.utils
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.web._newclient import HTTPClientParser
from twisted.web.http_headers import InvalidHeaderName

from uknip_crawler.archive.ledger import Response as Answered
from uknip_crawler.models import Capture
from uknip_crawler.spiders.component import Component
from uknip_crawler.spiders.exchange import Exchange

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_REFUSALS = frozenset({429, 503})
_TEMPORARY = frozenset({500, 502, 504, 522, 524, 408})
_NETWORK = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    OSError,
)


class CaptureMiddleware(Component):
    """Writes each response to WARC before anybody else sees it; also redirects, errors and robots.txt.

    Images are counted and not written: the kept file is their capture (see spiders/images.py). Chunking is undone by then and header names are title-cased; bodies are still content-encoded.
    Leaves what it kept in the request's exchange.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        keep_odd_header_names()

    def process_request(self, request: Request) -> None:
        Exchange.of(request).sent += 1

    def process_response(self, request: Request, response: Response) -> Response:
        crawl, exchange = self._crawl, Exchange.of(request)
        capture = Capture(
            url=request.url,
            status=response.status,
            headers=_headers(response),
            body=response.body,
            fetched_at=crawl.clock(),
            truncated="disconnect" if "dataloss" in response.flags else None,
        )
        record = None
        if exchange.is_image:
            crawl.count(capture)
        else:
            record = crawl.keep(capture, _headers(request))
        exchange.response = Answered(capture, record, exchange.sent)
        return response


class DownloadHandler(HTTP11DownloadHandler):
    """Scrapy's, without Twisted's habit of asking again by itself: every request is counted, and waits its turn."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.retryAutomatically = False


def _headers(message: Request | Response) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in message.headers.items()
        for value in values
    )


def keep_odd_header_names() -> None:
    """Have Twisted take headers whose names are no tokens (RFC 9110 §5.1) as they come; it would drop the whole answer."""
    if "kept" in vars(HTTPClientParser.headerReceived):
        return
    received = HTTPClientParser.headerReceived

    def received_whatever(parser: Any, name: bytes, value: bytes) -> None:
        try:
            received(parser, name, value)  # type: ignore[no-untyped-call]
        except InvalidHeaderName:
            parser.headers._rawHeaders.setdefault(name, []).append(value)

    received_whatever.kept = True  # type: ignore[attr-defined]
    HTTPClientParser.headerReceived = received_whatever  # type: ignore[method-assign]


class PolitenessMiddleware(Component):
    """Keeps within the run's budget, obeys Retry-After, retries what may pass, and ends the run when the site keeps refusing.

    Scrapy retries a 429 at once, whatever Retry-After says (scrapy#3849).
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._settings = crawler.settings
        self._open_at = 0.0
        self._refusals = 0
        self._errors = 0

    async def process_request(self, request: Request) -> None:
        self._crawl.budget.spend()
        loop = asyncio.get_running_loop()
        while (wait := self._open_at - loop.time()) > 0:
            await asyncio.sleep(wait)

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        if response.status in _REFUSALS:
            return self._refused(request, response)
        self._refusals = 0
        self._errors = self._errors + 1 if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else 0
        if self._errors >= self._settings.getint("UKNIP_ERRORS_IN_A_ROW"):
            self._crawl.stop.early(f"the site answered with {self._errors} server errors in a row")
            return response
        if response.status in _TEMPORARY or "dataloss" in response.flags:
            return await self._again(request) or response
        return response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        return await self._again(request) if isinstance(exception, _NETWORK) else None

    def _refused(self, request: Request, response: Response) -> Response | Request:
        """Close the gate for as long as the site asks, for all requests; give up when that is too long or too often."""
        self._refusals += 1
        wait = retry_after_seconds(response.headers.get("Retry-After"), self._crawl.clock())
        backoff = self._settings.getfloat("UKNIP_RETRY_BACKOFF_SECONDS") * 2**self._refusals
        too_long = (wait or 0) > self._settings.getfloat("UKNIP_RETRY_AFTER_MAX_SECONDS")
        if too_long or self._refusals >= self._settings.getint("UKNIP_REFUSALS_IN_A_ROW"):
            asked = f" and asked to wait {wait:.0f} s" if wait else ""
            self._crawl.stop.early(f"the site answered {response.status}{asked}")
            return response
        loop = asyncio.get_running_loop()
        self._open_at = max(self._open_at, loop.time() + (backoff if wait is None else wait))
        return self._retry(request) or response

    async def _again(self, request: Request) -> Request | None:
        retry = self._retry(request)
        if retry is not None:
            base = self._settings.getfloat("UKNIP_RETRY_BACKOFF_SECONDS")
            await asyncio.sleep(base * 2 ** (retry.meta["retry_times"] - 1))
        return retry

    def _retry(self, request: Request) -> Request | None:
        times = request.meta.get("retry_times", 0) + 1
        if times > self._settings.getint("RETRY_TIMES") or self._crawl.stop.is_stopping:
            return None
        retry = request.copy()
        retry.dont_filter = True
        retry.meta["retry_times"] = times
        return retry


def retry_after_seconds(value: bytes | None, now: datetime) -> float | None:
    """Return how many seconds a Retry-After header asks to wait, or None when it says nothing usable.

    Both forms of RFC 9110 §10.2.3: seconds, or an HTTP date.
    """
    text = (value or b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - now).total_seconds(), 0.0)


class PublicResolver(CachingThreadedResolver):
    """Refuses names that resolve to private, loopback or link-local addresses.

    A base URL on such an address is written as the address itself (or `localhost`), which asks no resolver's
    leave; so a public name never leads inside.
    """

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802
        resolved: Deferred[str] = super().getHostByName(name, timeout)
        if name != "localhost" and not _is_address(name):
            resolved.addCallback(refuse_private, name)
        return resolved


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def refuse_private(address: Any, name: str) -> Any:
    """Return a resolved address as it came. Raises DNSLookupError when it is not a public one."""
    if not ipaddress.ip_address(str(address)).is_global:
        raise DNSLookupError(f"{name} resolves to {address}, which is not a public address")
    return address
