"""Progress: a live line on a terminal, one line a minute in a log."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.status import Status
from scrapy import signals

from uknip_crawler.models import FAILURES
from uknip_crawler.spiders.component import Component

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


logger = logging.getLogger(__name__)

_LIVE_SECONDS = 0.5
_LOG_SECONDS = 60.0


class Progress(Component):
    """Tells how far the crawl is, from spider_opened to spider_closed."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._task: asyncio.Task[None] | None = None
        self._status: Status | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        progress = cls(crawler)
        crawler.signals.connect(progress._opened, signal=signals.spider_opened)
        crawler.signals.connect(progress._closed, signal=signals.spider_closed)
        return progress

    def _opened(self) -> None:
        if sys.stderr.isatty() and self._crawl.settings.getbool("UKNIP_LIVE_LINE"):
            self._status = Status(self.line(), console=Console(stderr=True))
            self._status.start()
        self._task = asyncio.get_running_loop().create_task(self._tell())

    def _closed(self) -> None:
        if self._task:
            self._task.cancel()
        if self._status:
            self._status.stop()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_LIVE_SECONDS if self._status else _LOG_SECONDS)
            if self._status:
                self._status.update(self.line())
            else:
                logger.info(self.line())

    def line(self) -> str:
        """Return the state of the crawl in one line."""
        crawl = self._crawl
        counts = crawl.outcomes
        failed = sum(counts[outcome] for outcome in FAILURES)
        parts = [
            f"{crawl.requests:,} requests",
            f"{counts['stored'] + counts['duplicate']:,} new",
            f"{counts['revised']:,} revised",
            f"{counts['unchanged'] + counts['alias']:,} unchanged",
            f"{crawl.archive.frontier.waiting(due_by=crawl.run.started_at):,} waiting",
        ]
        if crawl.kept_images:
            parts.append(f"{crawl.kept_images:,} images")
        if failed:
            parts.append(f"{failed:,} failed")
        return f"{crawl.site.host}: {', '.join(parts)}"
