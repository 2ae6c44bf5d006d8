"""Asking the site what it has: robots.txt first, then REST, sitemaps and feed, each falling back to the next."""

from __future__ import annotations

from urllib.parse import urljoin

from uknip_crawler.archive.frontier import Candidate, Due
from uknip_crawler.archive.ledger import Response
from uknip_crawler.discovery import feed, rest
from uknip_crawler.discovery.signposts import Signposts
from uknip_crawler.errors import SiteUnavailable
from uknip_crawler.extraction.page.content import readable
from uknip_crawler.ingest.visit import Visit
from uknip_crawler.models import Outcome
from uknip_crawler.spiders.by_feed import Feed
from uknip_crawler.spiders.by_rest import RestList
from uknip_crawler.spiders.by_sitemap import Sitemaps
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.documents import Documents
from uknip_crawler.spiders.intake import Intake
from uknip_crawler.urls import canonical_or_none


class Discovery:
    """Feeds the frontier from the site's own lists; says afterwards whether any of them was complete.

    `home` is the visit of the home page where it is to be read and was asked for on the way; `walks_back` says that only archive pages
    can tell what was published since the last run.
    """

    def __init__(self, crawl: Crawl, documents: Documents) -> None:
        self._crawl = crawl
        self._archive = crawl.archive
        self._documents = documents
        self._intake = Intake(crawl, documents)
        self._posts: Signposts | None = None
        self.home: Visit | None = None
        self.walks_back = False

    async def run(self, *, full: bool) -> bool:
        """Read what there is; return whether one source listed every story the site has.

        Raises SiteUnavailable when robots.txt cannot be had (RFC 9309 §2.3.1.4: then everything is disallowed).
        """
        await self._documents.read_robots()
        if warning := self._crawl.robots.warning:
            self._crawl.troubles.append(f"robots.txt: {warning}")
        listed = await self._rest(full=full)
        if full or not listed:
            listed = await Sitemaps(self._intake).read(full=full) or listed
        if listed:
            self._put_home_aside()
            return True
        self._crawl.troubles.extend(self._intake.unread)
        posts = await self._look_at_home()
        with self._archive.transaction():  # without a list of all stories it shows at least the newest
            home, due_at = (
                Candidate(self._crawl.site.base_url, "listing", "seed", priority=15),
                self._crawl.run.started_at,
            )
            self._archive.frontier.add([home], at=self._crawl.clock(), due_at=due_at)
            self._archive.frontier.revisit(home.url, reason="listing", due_at=due_at)
        self.walks_back = not await self._feed(posts, full=full)
        return False

    async def _rest(self, *, full: bool) -> bool:
        """Read REST where it answered last time, else where WordPress has it, else where the home page says that it is."""
        base = self._crawl.site.base_url
        known = self._archive.sources.working("rest")
        usual = urljoin(base, known.url if known else rest.POSTS)
        there = RestList(self._intake, usual)
        if await there.read(full=full):
            return True
        if not there.may_be_elsewhere:
            return False
        posts = await self._look_at_home()
        roots = posts.rest or ((f"{base}?rest_route=/",) if posts.is_wordpress else ())
        for root in roots[:2]:
            if not self._intake.is_ours(root, "rest") or (endpoint := rest.endpoint_of(root)) == usual:
                continue
            if await RestList(self._intake, endpoint, named=bool(posts.rest)).read(full=full):
                return True
        return False

    async def _feed(self, posts: Signposts, *, full: bool) -> bool:
        """Read the feed that answered last time, else the one that the home page names; return whether it met known stories."""
        known = self._archive.sources.working("feed")
        named = [address for address in posts.feeds[:1] if self._intake.is_ours(address, "feed")]
        addresses = [*([known.url] if known else ()), *named, urljoin(self._crawl.site.base_url, feed.FEED)]
        for address in addresses:
            if not self._intake.was_asked(address):  # as a sitemap, which a feed may be
                found = Feed(self._intake, address, named=address in named)
                await found.read(full=full)
                return found.meets_known
        return False

    async def _look_at_home(self) -> Signposts:
        """Ask for the home page, once a run; it may say where the lists are."""
        if self._posts is not None:
            return self._posts
        self._posts = Signposts((), (), is_wordpress=False)
        url = self._crawl.site.base_url
        if not self._crawl.allows(url):
            return self._posts
        try:
            response = await self._documents.download(url)
        except SiteUnavailable:
            return self._posts
        if canonical_or_none(response.capture.url, self._crawl.site) == url:
            self.home = self._visit_of(url, response)
        body, _ = readable(response.capture)
        self._posts = Signposts.of(body, response.capture.headers, url=response.capture.url)
        return self._posts

    def _visit_of(self, url: str, response: Response) -> Visit | None:
        with self._archive.transaction():
            now = self._crawl.clock()
            row = self._archive.ledger.open(self._crawl.run.id, url, kind="listing", found_by="seed", at=now)
        return (
            Visit(Due(row, url, "listing", "seed", None, None, None), response) if row is not None else None
        )

    def _put_home_aside(self) -> None:
        """End the visit of a home page that was only asked where the lists are: a list names every story."""
        if self.home is None:
            return
        self._archive.sync_captures()
        with self._archive.transaction():
            self._archive.ledger.close(
                self.home.due.fetch_id, Outcome.LISTED, at=self._crawl.clock(), response=self.home.response
            )
        self.home = None
