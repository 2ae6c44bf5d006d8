"""Measuring ourselves: the site's own content of a sample of stories, beside what was read from their pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request

from uknip_crawler.archive.audits import Compared, Sampled, Totals
from uknip_crawler.discovery import Content, feed, rest
from uknip_crawler.errors import SiteUnavailable
from uknip_crawler.extraction.body.reference import compare, reference_body
from uknip_crawler.ingest.visit import Visit
from uknip_crawler.revisions import compare as difference
from uknip_crawler.spiders.uknip import UknipSpider
from uknip_crawler.urls import canonical_or_none

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

AUDITED = "audited"
POSTS_A_REQUEST = 20
MAX_DIFF = 4_000


class AuditSpider(UknipSpider):
    """Asks for the content of archived stories as politely as a crawl, compares, and stores the audit.

    `audit` is its number afterwards, None when the site offers no story's content. No page is visited.
    """

    name = "uknip-audit"
    kind = "audit"
    visits_pages = False
    audit: int | None = None
    sample_size = 50

    @classmethod
    def from_crawler(cls, crawler: Crawler, **arguments: Any) -> Self:
        spider = super().from_crawler(crawler, **arguments)
        spider.sample_size = int(arguments.get("sample", cls.sample_size))
        return spider

    async def _visits(self) -> AsyncIterator[Request | Visit]:
        try:
            await self.documents.read_robots()
        except SiteUnavailable as error:
            self.crawl.stop.early(str(error))
            return
        sample = self.crawl.archive.audits.sample(self.sample_size)
        if not self._compare(sample, "rest", await self._by_rest(sample)) and sample:
            self._compare(sample, "feed", await self._by_feed())
        self.crawl.stop.reason = AUDITED
        no_visits: tuple[Request, ...] = ()
        for request in no_visits:
            yield request

    async def _by_rest(self, sample: Sequence[Sampled]) -> tuple[Content, ...]:
        known = self.crawl.archive.sources.working("rest")
        numbers = [story.post_id for story in sample if story.post_id is not None]
        found: list[Content] = []
        for start in range(0, len(numbers), POSTS_A_REQUEST):
            url = rest.contents_url(
                self.crawl.site.base_url,
                numbers[start : start + POSTS_A_REQUEST],
                endpoint=known.url if known else rest.POSTS,
            )
            answer = await self.documents.get(url, "rest", rest.parse_contents, conditional=False)
            if answer.value is None:
                continue
            found += answer.value
        return tuple(found)

    async def _by_feed(self) -> tuple[Content, ...]:
        known = self.crawl.archive.sources.working("feed")
        url = known.url if known else feed.feed_url(self.crawl.site.base_url)
        answer = await self.documents.get(
            url, "feed", lambda body, headers: feed.parse_contents(body, url=url), conditional=False
        )
        return answer.value or ()

    def _compare(self, sample: Sequence[Sampled], source: str, contents: Sequence[Content]) -> bool:
        """Store an audit and return True, or return False where the source offers no sampled story's content.

        A story edited since its capture was offered: it counts, and is not compared.
        """
        by_number = {content.post_id: content for content in contents if content.post_id is not None}
        by_url = {
            url: content for content in contents if (url := canonical_or_none(content.url, self.crawl.site))
        }
        compared, edited = [], 0
        for story in sample:
            content = by_number.get(story.post_id) if story.post_id is not None else None
            content = content or by_url.get(story.url)
            reference = reference_body(content.html, story.url, self.crawl.site) if content else None
            if content is None or reference is None:
                continue
            if content.modified_at and content.modified_at > datetime.fromisoformat(story.captured_at):
                edited += 1
                continue
            score = compare(story.body, reference)
            change = difference("", reference, "", story.body)
            row = (story.article_id, story.url, score.precision, score.recall, score.is_exact)
            compared.append(Compared(*row, "" if score.is_exact else change.diff[:MAX_DIFF]))
        if not compared and not edited:
            return False
        totals = Totals(len(sample), edited, len(sample) - edited - len(compared))
        with self.crawl.archive.transaction():
            self.audit = self.crawl.archive.audits.save(
                self.crawl.run.id, source, compared, totals, at=self.crawl.clock()
            )
        return True
