"""What Scrapy's components here have in common: they work for one spider, ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.uknip import UknipSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Component:
    """A middleware, pipeline or extension of one crawler."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def _spider(self) -> UknipSpider:
        assert isinstance(self._crawler.spider, UknipSpider)
        return self._crawler.spider

    @property
    def _crawl(self) -> Crawl:
        return self._spider.crawl
