"""One crawl: what its parts share (archive, site, run, budget, robots, stop), so that none needs to know the spider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.http import Response as ScrapyResponse

from uknip_crawler.archive import Archive
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.discovery.robots import Robots
from uknip_crawler.errors import SiteUnavailable, StorageError
from uknip_crawler.ingest.visit import CrawlRun
from uknip_crawler.models import Capture
from uknip_crawler.sites import Site
from uknip_crawler.spiders.budget import Budget
from uknip_crawler.spiders.origin import Origin

if TYPE_CHECKING:
    from scrapy.core.engine import ExecutionEngine
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings


@dataclass(slots=True)
class Stop:
    """Whether, why and how a crawl ends before its time. `signal` is the number of the one it was told to stop by.

    `then` is called once, with the reason, when the crawl is to end by itself.
    """

    then: Callable[[str], None] = lambda reason: None
    is_stopping: bool = False
    reason: str = "not started"
    exit_status: int = 3
    signal: int = 0

    def storage(self, error: Exception) -> None:
        """End the crawl because the disk refuses."""
        self._end(str(error), StorageError.exit_status)

    def early(self, reason: str) -> None:
        """End the crawl because the site wants it: what is left is deferred."""
        self._end(reason, SiteUnavailable.exit_status)

    def _end(self, reason: str, exit_status: int) -> None:
        if not self.is_stopping:
            self.is_stopping = True
            self.reason, self.exit_status = reason, exit_status
            self.then(reason)


@dataclass(slots=True)
class Crawl:
    """One crawl under way. `robots` allows everything until it has been read; `troubles` make the run end with 3."""

    crawler: Crawler
    archive: Archive
    site: Site
    run: CrawlRun
    agent: str
    budget: Budget
    origin: Origin
    stop: Stop = field(default_factory=Stop)
    robots: Robots = field(default_factory=lambda: Robots.parse(b""))
    troubles: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    received_bytes: int = 0
    kept_images: int = 0

    @property
    def settings(self) -> BaseSettings:
        return self.crawler.settings

    @property
    def engine(self) -> ExecutionEngine:
        assert self.crawler.engine is not None
        return self.crawler.engine

    def clock(self) -> datetime:
        return self.run.clock()

    def allows(self, url: str) -> bool:
        """Tell whether robots.txt lets us ask for an address."""
        return self.robots.allowed(url, self.agent)

    async def download(self, request: Request) -> ScrapyResponse:
        """Return the answer to a request that is no visit's, through the middlewares. Raises whatever they do."""
        return await self.engine.download_async(request)

    def keep(self, capture: Capture, request_headers: tuple[tuple[str, str], ...]) -> RecordRef:
        """Write a capture to the run's WARC file. Raises StorageError, and ends the run, when the disk refuses."""
        self.count(capture)
        try:
            return self.archive.capture(self.run.id, capture, request_headers, at=self.clock())
        except StorageError as error:
            self.stop.storage(error)
            raise

    def count(self, capture: Capture) -> None:
        self.requests += 1
        self.received_bytes += len(capture.body)
