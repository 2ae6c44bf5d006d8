"""The spider: claims what is due from the frontier, asks for it, and hands each visit to the pipelines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import scrapy
from scrapy import Request, signals
from scrapy.http import Response as ScrapyResponse
from scrapy.settings import SETTINGS_PRIORITIES
from twisted.python.failure import Failure

from uknip_crawler import __version__
from uknip_crawler.archive import Archive
from uknip_crawler.configuration import Configuration, Settled, Value, settle
from uknip_crawler.errors import SiteUnavailable, StorageError
from uknip_crawler.ingest import outcomes
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs.derivation import derive_after_run
from uknip_crawler.jobs.health import judge_run
from uknip_crawler.jobs.recover import recover
from uknip_crawler.models import Outcome
from uknip_crawler.sites import load_site
from uknip_crawler.spiders import ending, failures
from uknip_crawler.spiders.budget import Budget
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.documents import Documents
from uknip_crawler.spiders.exchange import Exchange, answered
from uknip_crawler.spiders.images import Images
from uknip_crawler.spiders.origin import Origin
from uknip_crawler.spiders.redirects import Redirects
from uknip_crawler.spiders.sources import Discovery
from uknip_crawler.spiders.visits import Visits

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

logger = logging.getLogger(__name__)

_SETTINGS_KEPT = ("DOWNLOAD_DELAY", "CONCURRENT_REQUESTS", "USER_AGENT")
_YES = ("1", "true", "yes")
_FILED = SETTINGS_PRIORITIES["project"] + 1
"""An archive's own file goes before a project's settings, and behind what a spider or a command line says."""


class UknipSpider(scrapy.Spider):
    """Crawls one WordPress news site into one archive.

    Arguments (`-a NAME=VALUE` with `scrapy crawl uknip`): `base_url`, `archive` (folder), `limit` (pages a run),
    `budget` (requests a run), `since` (ISO date), `full` (1: read every source from the start and walk the listings).
    `images` (1: keep images too), `image_hosts` (more hosts they may come from, separated by commas). What is not given
    stands in the archive's uknip.toml.
    `crawl.stop.exit_status` holds the run's result once it has ended.
    """

    name = "uknip"
    kind = "crawl"
    visits_pages = True
    images: Images | None = None

    def __init__(
        self,
        crawler: Crawler,
        archive: Archive,
        base_url: str,
        *,
        settings_kept: dict[str, Any],
        budget: Budget,
        since: datetime | None = None,
        full: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        site = load_site(base_url)
        self.recovered = recover(archive, site, clock=clock)
        with archive.transaction():
            started = clock()
            run_id = archive.ledger.start_run(
                self.kind, site.base_url, settings_kept, __version__, at=started
            )
        run = CrawlRun(run_id, started, clock, since, walks_listings=True)
        agent = crawler.settings["USER_AGENT"]
        self.crawl = Crawl(crawler, archive, site, run, agent, budget, Origin(site))
        self.crawl.stop.then = self._close
        self._full = full or not archive.ledger.has_finished_crawl()
        self.documents = Documents(self.crawl)
        self.discovery = Discovery(self.crawl, self.documents)
        self.visits = Visits(self.crawl)
        self._redirects = Redirects(self.crawl, self.visits, self._request)
        self.has_ended = False
        self.is_deriving = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, **arguments: Any) -> Self:
        settings = crawler.settings
        directory = Path(arguments.get("archive") or settings["UKNIP_ARCHIVE"])
        settled = _settle(directory, arguments, settings)
        base_url = load_site(settled.site.value).base_url
        if settled.contact.value:
            settings.set(
                "USER_AGENT",
                f"{settings['USER_AGENT'].rstrip(')')}; {settled.contact.value})",
                priority="cmdline",
            )
        if settled.delay.source == "file":
            settings.set("DOWNLOAD_DELAY", settled.delay.value, priority=_FILED)
        since = arguments.get("since")
        archive = Archive(directory)
        try:
            spider = cls(
                crawler,
                archive,
                base_url,
                settings_kept={name: settings.get(name) for name in _SETTINGS_KEPT},
                budget=Budget.of(arguments),
                since=datetime.fromisoformat(since).astimezone(UTC) if since else None,
                full=str(arguments.get("full")).lower() in _YES,
            )
            if cls.visits_pages and settled.images.value:
                hosts = (arguments.get("image_hosts") or "").replace(",", " ").split()
                spider.images = Images(spider.crawl, spider.documents, hosts)
        except BaseException:
            archive.close()
            raise
        spider._set_crawler(crawler)
        crawler.signals.connect(spider._page_failed, signal=signals.spider_error)
        crawler.signals.connect(spider._page_failed, signal=signals.item_error)
        return spider

    # The loop

    async def start(self) -> AsyncIterator[Any]:
        try:
            async for request in self._visits():
                yield request
        except StorageError as error:
            self.crawl.stop.storage(error)

    async def _visits(self) -> AsyncIterator[Request | Visit]:
        crawl, visits = self.crawl, self.visits
        try:
            complete = await self.discovery.run(full=self._full)
        except SiteUnavailable as error:
            crawl.stop.early(str(error))
            return
        # with a complete list in hand there is no need to leaf through the site's archive pages
        crawl.run.walks_listings = self._full and not complete
        crawl.run.walks_back = self.discovery.walks_back
        if (home := self.discovery.home) is not None:
            yield self._asked_before(home)
        while not crawl.stop.is_stopping:
            visits.rest()
            for due in visits.claim():
                yield self._request(Visit(due), crawl.origin.wire_url(due.url))
            if not visits.are_any:
                if exhausted := crawl.budget.exhausted(ended=crawl.outcomes.total()):
                    crawl.stop.reason = exhausted
                elif crawl.run.since:
                    crawl.stop.reason = f"took what came since {crawl.run.since:%Y-%m-%d %H:%M} UTC"
                break
            await visits.wait()
        if self.images:
            await self.images.run()

    # One visit

    def _asked_before(self, visit: Visit) -> Visit:
        """Return a visit whose page was asked for before its turn came."""
        assert visit.response is not None
        self.visits.begin(visit)
        visit.outcome, visit.detail = outcomes.of_capture(visit.response.capture)
        return visit

    def _request(self, visit: Visit, wire_url: str) -> Request:
        self.visits.begin(visit)
        headers = self.crawl.origin.cookie_header(visit.cookies)
        if visit.due.etag:
            headers["If-None-Match"] = visit.due.etag
        if visit.due.last_modified:
            headers["If-Modified-Since"] = visit.due.last_modified
        return Request(
            wire_url,
            callback=self.parse,
            errback=self.failed,
            headers=headers,
            dont_filter=True,
            meta=Exchange(visit).meta(),
        )

    async def parse(self, response: ScrapyResponse, **_: Any) -> AsyncIterator[Any]:
        visit = _visit_of(response.request)
        assert visit is not None
        visit.response = answered(response)
        location = self._redirects.location(visit, response)
        if location is not None:
            following = await self._redirects.follow(visit, response, location)
            if following is not None:
                yield following
            if visit.outcome is None:
                return
        else:
            visit.outcome, visit.detail = outcomes.of_capture(
                visit.response.capture, is_stopping=self.crawl.stop.is_stopping
            )
        yield visit

    async def failed(self, failure: Failure) -> AsyncIterator[Any]:
        exchange = Exchange.of(failure.request)  # type: ignore[attr-defined]
        visit = exchange.visit
        assert visit is not None
        visit.attempts = exchange.sent
        visit.outcome, visit.detail = failures.of_error(failure.value)
        yield visit

    def _page_failed(
        self, failure: Failure, item: Visit | None = None, response: Any = None, **_: Any
    ) -> None:
        """Close the row of a visit whose callback or pipeline raised."""
        visit = item or (_visit_of(response.request) if response is not None else None)
        if isinstance(failure.value, StorageError):
            self.crawl.stop.storage(failure.value)
        if not isinstance(visit, Visit) or visit not in self.visits or self.crawl.stop.is_stopping:
            return
        outcome = Outcome.DEFERRED if self.crawl.stop.signal else Outcome.EXTRACT_ERROR
        visit.outcome, visit.detail = outcome, outcomes.one_line(failure.value)
        self.visits.settle([visit])

    # The end

    def _close(self, reason: str) -> None:
        self.visits.wake()
        asyncio.ensure_future(self.crawl.engine.close_spider_async(reason=reason))  # noqa: RUF006

    def closed(self, reason: str) -> None:
        if self.has_ended:
            return
        self.has_ended = True
        crawl = self.crawl
        try:
            ending.finish(crawl, reason, must_find=self.visits_pages)
            if self.visits_pages and not crawl.stop.signal:
                self._derive()
            if self.visits_pages:
                crawl.stop.exit_status = judge_run(
                    crawl.archive, crawl.run.id, crawl.stop.exit_status, at=crawl.clock()
                )
        except StorageError as error:
            crawl.stop.exit_status = StorageError.exit_status
            logger.error("%s", error)
        finally:
            crawl.archive.close()

    def _derive(self) -> None:
        crawl = self.crawl
        self.is_deriving = True
        try:
            crawl.stop.exit_status, troubles = derive_after_run(
                crawl.archive,
                crawl.site.base_url,
                (crawl.run.id, crawl.stop.exit_status),
                readers=Processes(crawl.settings.getint("UKNIP_EXTRACTION_WORKERS")),
                at=crawl.clock(),
            )
            crawl.troubles.extend(troubles)
        except KeyboardInterrupt:
            crawl.stop.exit_status = 128 + crawl.stop.signal
            logger.info("stopped while stories were read again; the next crawl goes on with it")
        finally:
            self.is_deriving = False


def _settle(directory: Path, arguments: dict[str, Any], settings: BaseSettings) -> Settled:
    """Return what holds: arguments and settings first, then environment, the archive's file, and what is usual."""
    images = arguments.get("images")
    options = Configuration(
        arguments.get("base_url"),
        settings.get("UKNIP_CONTACT") or None,
        images=None if images is None else str(images).lower() in _YES,
    )
    settled = settle(directory, options)
    if settled.site.source == "default":
        settled = replace(settled, site=Value(settings["UKNIP_BASE_URL"], "default"))
    return settled


def _visit_of(request: Request | None) -> Visit | None:
    return Exchange.of(request).visit if request is not None else None
