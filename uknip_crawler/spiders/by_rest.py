"""Asking WordPress's REST list which posts there are, which changed and which went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urljoin

from uknip_crawler.archive.sources import Source
from uknip_crawler.discovery import Listing, rest
from uknip_crawler.discovery.census import Census
from uknip_crawler.ingest.interruptions import is_mass_loss
from uknip_crawler.ingest.retraction import note_unpublished
from uknip_crawler.spiders.documents import PAST_END, Document
from uknip_crawler.spiders.intake import Intake

_CENSUS_PAGE = 50  # not a walk's pages: a run asks for nothing twice, and a walk may have to follow
_OVERLAP = timedelta(minutes=5)  # a post saved while the last list was read is asked for again
_MANY = 20
_WALKS = (rest.PER_PAGE, rest.PER_PAGE - 1, rest.PER_PAGE - 2)
"""Posts a page of a walk, and of those after one under which the list moved: nothing is asked for twice."""


class RestList:
    """The list of posts at one address. `may_be_elsewhere` says that there was none here, and nobody forbade it."""

    def __init__(self, intake: Intake, endpoint: str, *, named: bool = False) -> None:
        self._intake = intake
        self._archive = intake.archive
        self._documents = intake.documents
        self._base = intake.site.base_url
        self._endpoint = endpoint
        self._named = named
        self._total = 0
        self._slipped = False
        self._doubts_dates = False
        self.may_be_elsewhere = False

    async def read(self, *, full: bool) -> bool:
        """Take in what changed since the list was last read, or all of it; return whether every story is known."""
        known = self._archive.sources.get(urljoin(self._base, self._endpoint), "rest")
        if self._intake.is_absent(known, full=full):
            return False
        cursor = datetime.fromisoformat(known.cursor) if known.cursor else None
        if full or cursor is None or self._intake.is_old(known.last_complete_at):
            return await self._walk(known)
        held = self._archive.listings.count_posts()
        changed = await self._pages(known, modified_after=cursor - _OVERLAP)
        if changed is None:
            return False
        # a story that was scheduled, or is published with an old date, may have changed long ago
        newest = await self._newest("date")
        last = await self._newest("id") if newest.value is not None else newest
        if last.value is None:
            return self._intake.failed(known, last)
        expected = known.listed + self._archive.listings.count_posts() - held
        total = last.value.total
        is_amiss = total != expected and not self._intake.run.since
        if is_amiss and not await self._find_unlisted(total, expected):
            return await self._walk(known)
        self._intake.save(replace(known, listed=total or expected), "unchanged", cursor=max(changed, cursor))
        return True

    async def _newest(self, orderby: Literal["id", "date"]) -> Document[Listing]:
        """Take in the posts of the latest dates, or of the highest numbers."""
        answer = await self._get(orderby=orderby, order="desc")
        if answer.value is not None:
            self._add(answer.value)
        return answer

    async def _find_unlisted(self, total: int | None, expected: int) -> bool:
        """Look at the posts that REST lists no longer; return whether they are all that is amiss."""
        if not total or total > expected:
            return False
        census = Census(self._archive.listings.posts(), total, _CENSUS_PAGE)
        while (page := census.next_page()) is not None:
            answer = await self._get(page=page, per_page=_CENSUS_PAGE)
            if answer.value is None or not answer.value.entries or answer.value.total != total:
                return False
            census.take([entry.post_id for entry in answer.value.entries if entry.post_id is not None])
        if len(census.missing) != expected - total:
            return False
        if is_mass_loss(len(census.missing), expected):
            return False  # a walk looks closer
        run = self._intake.run
        with self._archive.transaction():
            urls = self._archive.listings.retract_posts(census.missing, due_at=run.started_at)
            note_unpublished(self._archive, run, urls)
        return True

    async def _walk(self, known: Source) -> bool:
        """List every post, then look at those that are listed no longer."""
        began = self._intake.clock()
        for per_page in _WALKS:
            latest = await self._pages(known, per_page=per_page)
            if latest is None:
                return False
            if not self._slipped:
                break
        if self._intake.run.since:
            return True
        if not self._total:
            if known.listed:
                self._intake.troubles.append(f"rest: lists nothing where it listed {known.listed:,} stories")
            return False
        if not self._intake.retract(known.url, None, began):
            return False
        self._intake.save(replace(known, listed=self._total), "complete", cursor=latest)
        return self._total > 0

    async def _pages(
        self, known: Source, modified_after: datetime | None = None, per_page: int = rest.PER_PAGE
    ) -> datetime | None:
        """Read all pages of a query into the frontier; return the latest change seen, or None when it failed.

        `_slipped` tells that the list got shorter between two pages: what stood behind a post that went moved up, and
        one of them onto a page already read.
        """
        latest = modified_after or datetime.fromtimestamp(0, UTC)
        page, pages = 1, 1
        self._slipped = False
        while page <= pages:
            answer = await self._get(modified_after=modified_after, page=page, per_page=per_page)
            if answer.value is None:
                if page > 1 and answer.detail == PAST_END:
                    break
                # a refusal is one wherever else the list may stand
                self.may_be_elsewhere = page == 1 and answer.http_status in (200, 404, 410)
                self._intake.failed(known, answer, named=self._named)
                return None
            total = answer.value.total or 0
            self._slipped |= page > 1 and total < self._total
            self._total = total
            self._doubts_dates = modified_after is not None and self._total >= max(_MANY, known.listed / 2)
            self._add(answer.value)
            latest = max(
                [latest, *(entry.modified_at for entry in answer.value.entries if entry.modified_at)]
            )
            is_full = len(answer.value.entries) == per_page
            pages = answer.value.pages or (page + 1 if is_full else page)
            page += 1
        return min(latest, self._intake.run.started_at)

    def _add(self, listing: Listing) -> None:
        listed_on = urljoin(self._base, self._endpoint)
        self._intake.add(listing.entries, "rest", listed_on, is_post=True, doubts_dates=self._doubts_dates)

    async def _get(
        self,
        *,
        modified_after: datetime | None = None,
        page: int = 1,
        orderby: Literal["id", "date"] = "id",
        order: str = "asc",
        per_page: int = rest.PER_PAGE,
    ) -> Document[Listing]:
        url = rest.posts_url(
            self._base,
            endpoint=self._endpoint,
            modified_after=modified_after,
            page=page,
            orderby=orderby,
            order=order,
            per_page=per_page,
        )
        return await self._documents.get(url, "rest", rest.parse_posts, conditional=False)
