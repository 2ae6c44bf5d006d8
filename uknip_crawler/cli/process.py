"""One spider in this process: Scrapy set up, signals told to the spider, logging for people."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from uknip_crawler.cli.logs import is_json, is_quiet
from uknip_crawler.errors import UknipError
from uknip_crawler.sites import load_site

if TYPE_CHECKING:
    from uknip_crawler.spiders.uknip import UknipSpider

STOP_SECONDS = 8.0
"""How long a run that is told to stop waits for what is under way."""

Spider = TypeVar("Spider", bound="UknipSpider")


def run(
    spider_class: type[Spider], base_url: str, settings: Mapping[str, Any], arguments: Mapping[str, Any]
) -> Spider:
    """Run a spider to its end and return it. A process can do this once: a reactor does not restart.

    Raises UsageError, ArchiveLocked and StorageError when it cannot begin.
    """
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import Settings

    class Process(AsyncCrawlerProcess):
        def _signal_shutdown(self, signum: int, frame: Any) -> None:
            from twisted.internet import reactor

            spider = crawler.spider
            if not isinstance(spider, spider_class):
                os._exit(128 + signum)  # nothing has begun that the next run does not mend
            spider.crawl.stop.signal = signum
            if spider.is_deriving:
                _die_of_the_next()
                raise KeyboardInterrupt  # the run itself has ended, and its rows are on the disk
            reactor.callFromThread(reactor.callLater, STOP_SECONDS, self._give_up, spider)
            super()._signal_shutdown(signum, frame)

        def _signal_kill(self, signum: int, frame: Any) -> None:
            os._exit(128 + signum)

        def _give_up(self, spider: Spider) -> None:
            """End a run that waits for an answer which does not come."""
            if not spider.has_ended:
                spider.closed("shutdown")
            self._stop_reactor()

    load_site(base_url)  # a bad address is told before anything is set up
    project = Settings()
    project.setmodule("uknip_crawler.settings", priority="project")
    own = {"LOG_INSTALL_ROOT_HANDLER": False, "UKNIP_LIVE_LINE": not (is_quiet() or is_json())}
    project.setdict({**own, **settings}, priority="cmdline")
    process = Process(project)
    failed: list[BaseException] = []
    crawler = process.create_crawler(spider_class)
    task = process.crawl(crawler, base_url=base_url, **arguments)
    task.add_done_callback(lambda done: failed.extend(error for error in [done.exception()] if error))
    process.start()
    if isinstance(crawler.spider, spider_class):
        return crawler.spider
    raise next(
        (error for error in failed if isinstance(error, UknipError)), UknipError(f"crawl failed: {failed}")
    )


def _die_of_the_next() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
