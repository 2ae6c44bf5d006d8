"""Reading the site's feed, page by page."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin

from uknip_crawler.discovery import Listing, feed
from uknip_crawler.spiders.documents import Document, parsing
from uknip_crawler.spiders.intake import Intake

_MAX_FEED_PAGES = 2_000


class Feed:
    """The feed at one address. `meets_known` says that it was read back to stories that were known."""

    def __init__(self, intake: Intake, address: str, *, named: bool = False) -> None:
        self._intake = intake
        self._base = intake.site.base_url
        self._address = urljoin(intake.site.base_url, address)
        self._named = named
        self.meets_known = False

    async def read(self, *, full: bool) -> bool:
        """Read the feed, page by page, until it shows nothing new; return whether it was read."""
        known = self._intake.archive.sources.get(self._address, "feed")
        if self._intake.is_absent(known, full=full):
            return False
        seen: set[str] = set()
        for page in range(1, _MAX_FEED_PAGES):
            url = feed.feed_url(self._base, page, address=self._address)
            answer: Document[Listing] = await self._intake.documents.get(
                url, "feed", parsing(feed.parse, url), conditional=page == 1 and not full
            )
            if answer.status == "unchanged":
                self._intake.save(answer.source or known, "unchanged")
                self.meets_known = True
                return True
            if answer.value is None:
                if page > 1 and answer.status == "absent":
                    break
                if page > 1:
                    self._intake.troubles.append(f"feed page {page}: {answer.detail}")
                return self._intake.failed(known, answer, named=self._named)
            entries = answer.value.entries
            new = self._intake.add(entries, "feed", None, is_post=True, doubts_dates=True)
            if page == 1:
                first = replace(answer.source or known, listed=len(entries))
            if not answer.value.complete:
                self._intake.troubles.append(f"feed {url}: cut short")
            is_known = known.status in ("complete", "unchanged")
            self.meets_known = self.meets_known or (is_known and new < len(entries))
            if new == 0 and is_known and not full:
                break
            if {entry.url for entry in entries} <= seen:
                break  # some feeds have one page, whichever is asked for
            seen |= {entry.url for entry in entries}
        self._intake.save(first, "complete")  # not before the last page: a gap must not pass for the end
        return True
