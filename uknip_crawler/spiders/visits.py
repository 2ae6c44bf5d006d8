"""The visits under way: claimed from the frontier, begun, handed on, settled, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from uknip_crawler.archive.frontier import Due
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import Visit
from uknip_crawler.models import Outcome
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.spaces import Spaces

logger = logging.getLogger(__name__)


class Visits:
    """The visits of one crawl."""

    def __init__(self, crawl: Crawl) -> None:
        self._crawl = crawl
        self._settlement = Settlement(crawl.archive, crawl.site, crawl.run)
        self._spaces = Spaces(crawl.archive)
        self._under_way: dict[int, Visit] = {}
        self._wake = asyncio.Event()

    @property
    def are_any(self) -> bool:
        return bool(self._under_way)

    def __contains__(self, visit: Visit) -> bool:
        return visit.due.fetch_id in self._under_way

    def claim(self) -> Iterator[Due]:
        """Claim as many visits as keep the downloader busy; settle at once those that are not to be made."""
        crawl, archive = self._crawl, self._crawl.archive
        window = 2 * crawl.settings.getint("CONCURRENT_REQUESTS") + 2
        if len(self._under_way) > window // 2:
            return  # claims are made several at a time: each costs a transaction
        while not crawl.stop.is_stopping and (room := min(window - len(self._under_way), self._room())) > 0:
            with archive.transaction():
                dues = archive.frontier.claim(
                    crawl.run.id, room, due_by=crawl.run.started_at, at=crawl.clock()
                )
            if not dues:
                return
            for due in dues:
                visit = Visit(due)
                self.begin(visit)
                if not crawl.allows(due.url):
                    visit.outcome, visit.detail = Outcome.ROBOTS_DENIED, "robots.txt"
                elif (why := self._spaces.closed(due)) is not None:
                    visit.outcome, visit.detail = Outcome.TRAP, why
                else:
                    yield due
                    continue
                self.settle([visit])

    def _room(self) -> int:
        return self._crawl.budget.room(ended=self._crawl.outcomes.total(), in_flight=len(self._under_way))

    def begin(self, visit: Visit) -> None:
        self._under_way[visit.due.fetch_id] = visit

    def hand_over(self, visit: Visit) -> None:
        """Forget a visit that another one carries on as one of its hops."""
        self._under_way.pop(visit.due.fetch_id, None)

    def settle(self, visits: list[Visit]) -> None:
        """Store what visits brought, in one transaction; then they have ended. Raises StorageError."""
        for visit, outcome in zip(visits, self._settlement.settle(visits), strict=True):
            self._end(visit, outcome)

    def resolve_redirect(self, visit: Visit, target: str) -> None:
        """End a visit that leads to an address which this run has visited on its own."""
        self._settlement.resolve_redirect(visit, target)
        self._end(visit, Outcome.ALIAS)

    def _end(self, visit: Visit, outcome: Outcome) -> None:
        self._under_way.pop(visit.due.fetch_id, None)
        self._spaces.ended(visit.due, outcome)
        self._crawl.outcomes[outcome] += 1
        if outcome is not Outcome.REDACTED:  # its address is written nowhere
            told = {"url": visit.due.url, "outcome": outcome.value}
            logger.debug("%s %s", outcome, visit.due.url, extra=told)
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    def rest(self) -> None:
        """Have the next `wait` wait for what happens from now on."""
        self._wake.clear()

    async def wait(self) -> None:
        """Wait for a visit to end. A visit that nothing carries any more is lost, and said to be."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), 5.0)
            return
        if self._under_way and self._nothing_moves():
            logger.error("%d visits were lost; they are due again in the next run", len(self._under_way))
            self._under_way.clear()

    def _nothing_moves(self) -> bool:
        engine = self._crawl.engine
        scheduler = engine._slot.scheduler if engine._slot else None
        is_scraping = engine.scraper.slot is not None and not engine.scraper.slot.is_idle()
        return not (
            engine.downloader.active or is_scraping or (scheduler and scheduler.has_pending_requests())
        )
