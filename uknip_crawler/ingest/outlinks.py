"""Addresses for later: the links of the pages that a run reads, offered to the frontier."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import urljoin

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.errors import AddressRefused
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.sites import Site
from uknip_crawler.urls import AddressKind, canonicalise, classify, is_same_address, part_of, space_of

_OFFERED_MAX = 20_000
_PRIORITY = {AddressKind.ARTICLE: 10, AddressKind.UNKNOWN: 0, AddressKind.LISTING: 5}
_LAST = -20
"""Priority of addresses whose form a site may repeat without end: after every story, also those due for another look."""


class Following:
    """Follows the links of one run."""

    def __init__(self, archive: Archive, site: Site, run: CrawlRun) -> None:
        self._archive = archive
        self._site = site
        self._run = run
        self._address = functools.lru_cache(_OFFERED_MAX)(self._canonical)
        # menus repeat on every page; the frontier need not hear of them each time
        self._offered: set[str] = set()

    def forget(self) -> None:
        """Offer everything again: what was offered last may not have been stored."""
        self._offered.clear()

    def follow(self, visit: Visit, now: datetime) -> None:
        """Offer the links of a page to the frontier. Runs inside the caller's transaction."""
        assert visit.reading is not None
        if self._run.since and not visit.reading.is_listing:
            return  # a story of this week links to stories of all years
        found_by = "listing" if visit.reading.is_listing else "link"
        candidates = list(self._candidates(visit.reading.links, visit.due.url, found_by))
        if visit.part > 1:  # its own pages are asked for as parts, and only as far as they go on
            candidates = [one for one in candidates if not _is_beside(one.url, visit.due.url)]
        fresh = [candidate for candidate in candidates if candidate.url not in self._offered]
        self._archive.frontier.add(fresh, at=now, due_at=self._run.started_at)
        following = self._next_listing(visit, candidates)
        if following is not None and following.url not in self._offered:
            self._archive.frontier.add([following], at=now, due_at=self._run.started_at)
            fresh.append(following)
        if self._run.walks_listings or following is not None:
            listings = [candidate.url for candidate in fresh if candidate.kind == AddressKind.LISTING]
            self._archive.frontier.renew(listings, since=self._run.started_at)
        if len(self._offered) > _OFFERED_MAX:
            self.forget()
        self._offered.update(candidate.url for candidate in fresh)

    def _next_listing(self, visit: Visit, shown: list[Candidate]) -> Candidate | None:
        """Return the page of a listing to go on with: each on a walk, else while there are stories nobody told us of.

        Where the home page names none it may still have one: https://wordpress.org/documentation/article/pagination/.
        """
        assert visit.reading is not None
        if not (visit.reading.is_listing and (self._run.walks_listings or self._run.walks_back)):
            return None
        stories = [one.url for one in shown if one.kind != AddressKind.LISTING]
        if not self._archive.frontier.knows_new(stories, since=self._run.started_at) and (
            not self._run.walks_listings or not visit.reading.next_page
        ):
            return None
        address = visit.reading.next_page
        if address is None and visit.due.url == self._site.base_url:
            address = urljoin(self._site.base_url, "page/2/")
        url, kind = self._address(address) if address else ("", AddressKind.TRAP)
        if kind is AddressKind.TRAP:
            return None
        return Candidate(url, kind.value, "listing", visit.due.url, priority=_priority(url, kind))

    def _candidates(self, links: Iterable[str], page: str, found_by: str) -> Iterator[Candidate]:
        for link in links:
            url, kind = self._address(link)
            if kind is AddressKind.TRAP or (kind is AddressKind.LISTING and not self._run.walks_listings):
                continue
            yield Candidate(url, kind.value, found_by, page, priority=_priority(url, kind))

    def _canonical(self, link: str) -> tuple[str, AddressKind]:
        """Return a link's canonical address and its kind; a link elsewhere counts as a trap.

        It is no address of the site, and leaves no row; sources and redirects that lead elsewhere do.
        """
        try:
            url = canonicalise(link, self._site)
        except AddressRefused:
            return link, AddressKind.TRAP
        return url, classify(url, self._site)


def _priority(url: str, kind: AddressKind) -> int:
    space = space_of(url) if kind is not AddressKind.LISTING else None
    is_odd = space is not None and (
        kind is AddressKind.UNKNOWN or space.startswith("?") or space.endswith("/+")
    )
    return _LAST if is_odd else _PRIORITY[kind]


def _is_beside(url: str, page: str) -> bool:
    """Tell whether an address has the form of another part of the story that a page is a part of."""
    part, own = part_of(url), part_of(page)
    return part is not None and own is not None and is_same_address(part[0], own[0])
