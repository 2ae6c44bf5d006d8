"""The spider: claims what is due from the frontier, asks for it, and hands each visit to the pipelines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import scrapy
from scrapy import Request, signals
from scrapy.http import Response as ScrapyResponse
from twisted.python.failure import Failure

from uknip_crawler import __version__
from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Due
from uknip_crawler.archive.ledger import Response
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.errors import SiteUnavailable, StorageError, UsageError
from uknip_crawler.ingest import outcomes
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.jobs.derivation import derive_after_run
from uknip_crawler.jobs.recover import recover
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site
from uknip_crawler.spiders import ending, failures, redirects
from uknip_crawler.spiders.budget import Allowance
from uknip_crawler.spiders.documents import Documents
from uknip_crawler.spiders.images import Pictures
from uknip_crawler.spiders.sources import Discovery
from uknip_crawler.spiders.spaces import Spaces

if TYPE_CHECKING:
    from scrapy.core.engine import ExecutionEngine
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_SETTINGS_KEPT = ("DOWNLOAD_DELAY", "CONCURRENT_REQUESTS", "USER_AGENT")
_YES = ("1", "true", "yes")


class UknipSpider(scrapy.Spider):
    """Crawls one WordPress news site into one archive.

    Arguments (`-a NAME=VALUE` with `scrapy crawl uknip`): `base_url`, `archive` (folder), `limit` (pages a run),
    `budget` (requests a run), `since` (ISO date), `full` (1: read every source from the start and walk the listings).
    `images` (1: keep pictures too), `image_hosts` (more hosts they may come from, separated by commas).
    `exit_status` holds the run's result once it has ended.
    """

    name = "uknip"
    visits_pages = True
    pictures: Pictures | None = None

    def __init__(
        self,
        archive: Archive,
        base_url: str,
        *,
        user_agent: str,
        settings_kept: dict[str, Any],
        allowance: Allowance,
        since: datetime | None = None,
        full: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.archive = archive
        self.site = load_site(base_url)
        self.clock = clock
        self.agent = user_agent
        self.exit_status = 3
        self.end_reason = "not started"
        self.is_stopping = False
        self.stopped_by = 0
        self.has_ended = False
        self.is_deriving = False
        self.requests = 0
        self.received_bytes = 0
        self.outcomes: Counter[str] = Counter()
        self.recovered = recover(archive, self.site, clock=clock)
        with archive.transaction():
            started = clock()
            run_id = archive.ledger.start_run(
                "crawl", self.site.base_url, settings_kept, __version__, at=started
            )
        self.run = CrawlRun(run_id, started, clock, since, walks_listings=True)
        self._full = full or not archive.ledger.has_finished_crawl()
        self.allowance = allowance
        self._in_flight: dict[int, Visit] = {}
        self._wake = asyncio.Event()
        self.origin = redirects.Origin(self.site)
        self.documents = Documents(self)
        self.discovery = Discovery(self)
        self._redirects = redirects.Redirects(self)
        self._spaces = Spaces(archive)
        self.settlement = Settlement(archive, self.site, self.run)

    @classmethod
    def from_crawler(cls, crawler: Crawler, **arguments: Any) -> Self:
        settings = crawler.settings
        base_url = load_site(arguments.get("base_url") or settings["UKNIP_BASE_URL"]).base_url
        contact = settings.get("UKNIP_CONTACT")
        if contact:
            settings.set(
                "USER_AGENT", f"{settings['USER_AGENT'].rstrip(')')}; {contact})", priority="cmdline"
            )
        since = arguments.get("since")
        archive = Archive(Path(arguments.get("archive") or settings["UKNIP_ARCHIVE"]))
        try:
            if archive.base_url() not in (None, base_url):
                raise UsageError(
                    f"{archive.directory} archives {archive.base_url()}, not {base_url}: name another with --archive DIR"
                )
            spider = cls(
                archive,
                base_url,
                user_agent=settings["USER_AGENT"],
                settings_kept={name: settings.get(name) for name in _SETTINGS_KEPT},
                allowance=Allowance.of(arguments),
                since=datetime.fromisoformat(since).astimezone(UTC) if since else None,
                full=str(arguments.get("full")).lower() in _YES,
            )
            if str(arguments.get("images")).lower() in _YES:
                spider.pictures = Pictures(
                    spider, (arguments.get("image_hosts") or "").replace(",", " ").split()
                )
        except BaseException:
            archive.close()
            raise
        spider._set_crawler(crawler)
        crawler.signals.connect(spider._page_failed, signal=signals.spider_error)
        crawler.signals.connect(spider._page_failed, signal=signals.item_error)
        return spider

    @property
    def engine(self) -> ExecutionEngine:
        assert self.crawler.engine is not None
        return self.crawler.engine

    def allows(self, url: str) -> bool:
        """Tell whether robots.txt lets us ask for an address."""
        return self.documents.robots.allowed(url, self.agent)

    # The loop

    async def start(self) -> AsyncIterator[Any]:
        try:
            async for request in self._visits():
                yield request
        except StorageError as error:
            self.fail_storage(error)

    async def _visits(self) -> AsyncIterator[Request | Visit]:
        try:
            complete = await self.discovery.run(full=self._full)
        except SiteUnavailable as error:
            self.stop_early(str(error))
            return
        # with a complete list in hand there is no need to leaf through the site's archive pages
        self.run = replace(
            self.run, walks_listings=self._full and not complete, walks_back=self.discovery.walks_back
        )
        self.settlement = Settlement(self.archive, self.site, self.run)
        if (home := self.discovery.home) is not None:
            yield self._answered(home)
        while not self.is_stopping:
            self._wake.clear()
            for due in self._claim():
                yield self.request(Visit(due), self.origin.wire_url(due.url))
            if not self._in_flight:
                if exhausted := self.allowance.exhausted(ended=self.outcomes.total()):
                    self.end_reason = exhausted
                elif self.run.since:
                    self.end_reason = f"took what came since {self.run.since:%Y-%m-%d %H:%M} UTC"
                break
            await self._wait()
        if self.pictures:
            await self.pictures.run()

    def _claim(self) -> Iterator[Due]:
        """Claim as many visits as keep the downloader busy; settle at once those that are not to be made."""
        window = 2 * self.crawler.settings.getint("CONCURRENT_REQUESTS") + 2
        if len(self._in_flight) > window // 2:
            return  # claims are made several at a time: each costs a transaction
        while not self.is_stopping and (room := min(window - len(self._in_flight), self._room())) > 0:
            with self.archive.transaction():
                dues = self.archive.frontier.claim(
                    self.run.id, room, due_by=self.run.started_at, at=self.clock()
                )
            if not dues:
                return
            for due in dues:
                self._in_flight[due.fetch_id] = visit = Visit(due)
                if not self.allows(due.url):
                    visit.outcome, visit.detail = Outcome.ROBOTS_DENIED, "robots.txt"
                elif (why := self._spaces.closed(due)) is not None:
                    visit.outcome, visit.detail = Outcome.TRAP, why
                else:
                    yield due
                    continue
                self.visit_ended(visit, *self.settlement.settle([visit]))

    def _room(self) -> int:
        return self.allowance.room(ended=self.outcomes.total(), in_flight=len(self._in_flight))

    async def _wait(self) -> None:
        """Wait for a visit to end. A visit that nothing carries any more is lost, and said to be."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), 5.0)
            return
        if self._in_flight and self._nothing_moves():
            logger.error("%d visits were lost; they are due again in the next run", len(self._in_flight))
            self._in_flight.clear()

    def _nothing_moves(self) -> bool:
        engine = self.engine
        scheduler = engine._slot.scheduler if engine._slot else None
        is_scraping = engine.scraper.slot is not None and not engine.scraper.slot.is_idle()
        return not (
            engine.downloader.active or is_scraping or (scheduler and scheduler.has_pending_requests())
        )

    # One visit

    def _answered(self, visit: Visit) -> Visit:
        """Return a visit whose page was asked for before its turn came."""
        assert visit.response is not None
        self._in_flight[visit.due.fetch_id] = visit
        visit.outcome, visit.detail = outcomes.of_capture(visit.response.capture)
        return visit

    def request(self, visit: Visit, wire_url: str) -> Request:
        self._in_flight[visit.due.fetch_id] = visit
        headers = self.origin.cookie_header(visit.cookies)
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
            meta={"visit": visit, "handle_httpstatus_all": True},
        )

    async def parse(self, response: ScrapyResponse, **_: Any) -> AsyncIterator[Any]:
        visit: Visit = response.meta["visit"]
        visit.response = Response(
            response.meta["capture"], response.meta["record"], response.meta.get("retry_times", 0) + 1
        )
        location = self._redirects.location(visit, response)
        if location is not None:
            following = await self._redirects.follow(visit, response, location)
            if following is not None:
                yield following
            if visit.outcome is None:
                return
        else:
            visit.outcome, visit.detail = outcomes.of_capture(
                visit.response.capture, is_stopping=self.is_stopping
            )
        yield visit

    async def failed(self, failure: Failure) -> AsyncIterator[Any]:
        visit: Visit = failure.request.meta["visit"]  # type: ignore[attr-defined]
        visit.outcome, visit.detail = failures.of_error(failure.value)
        yield visit

    # What components tell the spider

    def keep(self, capture: Capture, request_headers: tuple[tuple[str, str], ...]) -> RecordRef:
        """Write a capture to the run's WARC file. Raises StorageError, and ends the run, when the disk refuses."""
        self.count(capture)
        try:
            return self.archive.capture(self.run.id, capture, request_headers, at=self.clock())
        except StorageError as error:
            self.fail_storage(error)
            raise

    def count(self, capture: Capture) -> None:
        self.requests += 1
        self.received_bytes += len(capture.body)

    def hand_over(self, visit: Visit) -> None:
        self._in_flight.pop(visit.due.fetch_id, None)  # another visit carries it on as one of its hops

    def visit_ended(self, visit: Visit, outcome: Outcome) -> None:
        self._in_flight.pop(visit.due.fetch_id, None)
        self._spaces.ended(visit.due, outcome)
        self.outcomes[outcome] += 1
        self._wake.set()

    def fail_storage(self, error: Exception) -> None:
        self._end(str(error), StorageError.exit_status)

    def stop_early(self, reason: str) -> None:
        self._end(reason, SiteUnavailable.exit_status)  # the site wants it: what is left is deferred

    def _end(self, reason: str, exit_status: int) -> None:
        if not self.is_stopping:
            self.is_stopping = True
            self.end_reason, self.exit_status = reason, exit_status
            self._wake.set()
            asyncio.ensure_future(self.engine.close_spider_async(reason=reason))  # noqa: RUF006

    def _page_failed(
        self, failure: Failure, item: Visit | None = None, response: Any = None, **_: Any
    ) -> None:
        """Close the row of a visit whose callback or pipeline raised."""
        visit = item or (response.meta.get("visit") if response is not None else None)
        if isinstance(failure.value, StorageError):
            self.fail_storage(failure.value)
        if not isinstance(visit, Visit) or visit.due.fetch_id not in self._in_flight or self.is_stopping:
            return
        visit.outcome, visit.detail = Outcome.EXTRACT_ERROR, outcomes.one_line(failure.value)
        self.visit_ended(visit, *self.settlement.settle([visit]))

    # The end

    def closed(self, reason: str) -> None:
        if self.has_ended:
            return
        self.has_ended = True
        try:
            ending.finish(self, reason)
            if self.visits_pages and not self.stopped_by:
                self._derive()
        except StorageError as error:
            self.exit_status = StorageError.exit_status
            logger.error("%s", error)
        finally:
            self.archive.close()

    def _derive(self) -> None:
        self.is_deriving = True
        workers = self.crawler.settings.getint("UKNIP_EXTRACTION_WORKERS")
        try:
            self.exit_status, troubles = derive_after_run(
                self.archive,
                self.site.base_url,
                (self.run.id, self.exit_status),
                workers=workers,
                at=self.clock(),
            )
            self.discovery.troubles.extend(troubles)
        except KeyboardInterrupt:
            self.exit_status = 128 + self.stopped_by
            logger.info("stopped while stories were read again; the next crawl goes on with it")
        finally:
            self.is_deriving = False
