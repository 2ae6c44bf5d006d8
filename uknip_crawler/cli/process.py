"""One spider in this process: Scrapy set up, signals told to the spider, logging for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from uknip_crawler.errors import UknipError
from uknip_crawler.sites import load_site

if TYPE_CHECKING:
    from uknip_crawler.spiders.uknip import UknipSpider

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
            if isinstance(crawler.spider, spider_class):
                crawler.spider.stopped_by = signum
            super()._signal_shutdown(signum, frame)

    load_site(base_url)  # a bad address is told before anything is set up
    project = Settings()
    project.setmodule("uknip_crawler.settings", priority="project")
    project.setdict({"LOG_INSTALL_ROOT_HANDLER": False, **settings}, priority="cmdline")
    process = Process(project)
    _log_for_people()
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


def _log_for_people() -> None:
    """Log our own lines, and only warnings of the libraries."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    logging.getLogger("uknip_crawler").setLevel(logging.INFO)
    for name in ("scrapy", "twisted", "asyncio", "trafilatura", "htmldate", "warcio"):
        logging.getLogger(name).setLevel(logging.WARNING)
