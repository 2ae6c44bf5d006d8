"""A visit's way into the archive: read the page in a worker process, then store everything in one transaction."""

from __future__ import annotations

import asyncio
from functools import cached_property

from uknip_crawler.ingest.visit import Visit
from uknip_crawler.ingest.workers import WORKER_FAILURES, Workers, read_page, unread
from uknip_crawler.jobs.reextraction import load_learned
from uknip_crawler.models import Capture, Outcome, Reading
from uknip_crawler.spiders.component import Component

_GATHER_SECONDS = 0.005
_UNREAD = frozenset({Outcome.EXTRACT_ERROR, Outcome.EXTRACT_TIMEOUT})


class ExtractionPipeline(Component):
    """Reads captures in worker processes: a runaway or crashing page costs its worker, one row, and nothing else."""

    def open_spider(self) -> None:
        self._timeout = self._crawler.settings.getint("UKNIP_EXTRACTION_TIMEOUT_SECONDS")

    async def process_item(self, item: Visit) -> Visit:
        if item.outcome is None and item.response is not None:
            item.reading = await self._read(item.response.capture, item.due.promises_story)
            if self._crawl.stop.signal and item.reading.outcome in _UNREAD:
                # the signal was also the worker's end: no fault of the page
                item.reading, item.outcome = None, Outcome.DEFERRED
        return item

    @cached_property
    def _workers(self) -> Workers:
        """The pool, made when the first page comes: most runs of an archive kept up to date bring none."""
        settings = self._crawler.settings
        return Workers(
            self._crawl.site.base_url,
            load_learned(self._crawl.archive),
            count=settings.getint("UKNIP_EXTRACTION_WORKERS"),
            limit_bytes=settings.getint("UKNIP_EXTRACTION_MEMORY_BYTES"),
        )

    async def _read(self, capture: Capture, expected_article: bool) -> Reading:
        try:
            return await asyncio.wrap_future(
                self._workers.schedule(read_page, capture, expected_article, seconds=self._timeout)
            )
        except WORKER_FAILURES as error:
            return unread(error, self._timeout)

    def close_spider(self) -> None:
        if "_workers" in self.__dict__:
            self._workers.stop()


class ArchivePipeline(Component):
    """Settles visits; only then is the spider told that they have ended.

    Visits that end within a few milliseconds share one transaction and its two disk flushes.
    """

    def open_spider(self) -> None:
        self._waiting: list[tuple[Visit, asyncio.Future[None]]] = []

    async def process_item(self, item: Visit) -> Visit:
        loop = asyncio.get_running_loop()
        settled = loop.create_future()
        self._waiting.append((item, settled))
        if len(self._waiting) == 1:
            loop.call_later(_GATHER_SECONDS, self._settle)
        await settled
        return item

    def _settle(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            self._spider.visits.settle([visit for visit, _ in batch])
        except Exception as error:  # noqa: BLE001  # nothing was stored, and waiting for ever helps nobody
            self._crawl.stop.storage(error)  # the run ends; the next one makes these visits again
            for _, settled in batch:
                settled.set_result(None)
            return
        for _, settled in batch:
            settled.set_result(None)
