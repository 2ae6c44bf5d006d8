"""Asking the site what it has: robots.txt first, then REST, sitemaps and feed, each falling back to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.sources import Source
from uknip_crawler.discovery import Listed, Listing, feed, rest, sitemap
from uknip_crawler.discovery.census import Census
from uknip_crawler.errors import AddressRefused, HostRefused
from uknip_crawler.ingest.candidates import candidate_of
from uknip_crawler.ingest.interruptions import is_mass_loss
from uknip_crawler.ingest.retraction import note_unpublished, retract
from uknip_crawler.models import Outcome
from uknip_crawler.spiders.documents import PAST_END, Answer
from uknip_crawler.urls import canonicalise, slug

if TYPE_CHECKING:
    from uknip_crawler.spiders.uknip import UknipSpider

T = TypeVar("T")

_MAX_SITEMAPS = 500
_MAX_DEPTH = 3
_MAX_FEED_PAGES = 2_000
_ABSENT_FOR = timedelta(days=7)
_WALK_EVERY = timedelta(days=7)
_CENSUS_PAGE = 50  # not a walk's pages: a run asks for nothing twice, and a walk may have to follow
_OVERLAP = timedelta(minutes=5)  # a post saved while the last list was read is asked for again


class Discovery:
    """Feeds the frontier from the site's own lists; says afterwards whether any of them was complete."""

    def __init__(self, spider: UknipSpider) -> None:
        self._spider = spider
        self._archive = spider.archive
        self._run = spider.run
        self._documents = spider.documents
        self.troubles: list[str] = []
        self._total = 0

    async def run(self, *, full: bool) -> bool:
        """Read what there is; return whether one source listed every story the site has.

        Raises SiteUnavailable when robots.txt cannot be had (RFC 9309 §2.3.1.4: then everything is disallowed).
        """
        await self._documents.read_robots()
        if warning := self._documents.robots.warning:
            self.troubles.append(f"robots.txt: {warning}")
        listed = await self._rest(full=full)
        if full or not listed:
            listed = await self._sitemaps(full=full) or listed
        if not listed:
            await self._feed(full=full)
            self._look_at_home()
        return listed

    def _look_at_home(self) -> None:
        """Without a list of all stories, the home page shows at least the newest."""
        home = Candidate(self._spider.site.base_url, "listing", "seed", priority=15)
        with self._archive.transaction():
            self._archive.frontier.add([home], at=self._spider.clock(), due_at=self._run.started_at)
            self._archive.frontier.revisit(home.url, reason="listing", due_at=self._run.started_at)

    # WordPress REST

    async def _rest(self, *, full: bool) -> bool:
        base = self._spider.site.base_url
        known = self._archive.sources.get(urljoin(base, rest.POSTS), "rest")
        if self._is_absent(known, full=full):
            return False
        cursor = datetime.fromisoformat(known.cursor) if known.cursor else None
        if full or cursor is None or _is_old(known.last_complete_at, self._run.started_at):
            return await self._walk_rest(known)
        held = self._archive.frontier.listed_count()
        changed = await self._rest_pages(known, modified_after=cursor - _OVERLAP)
        if changed is None:
            return False
        first = await self._documents.get(
            rest.posts_url(base, per_page=1), "rest", rest.parse_posts, conditional=False
        )
        if first.value is None:
            return self._source_failed(known, first)
        expected = known.listed + self._archive.frontier.listed_count() - held
        total = first.value.total
        if total != expected and not self._run.since and not await self._find_unlisted(total, expected):
            return await self._walk_rest(known)
        self._save(replace(known, listed=total or expected), "unchanged", cursor=max(changed, cursor))
        return True

    async def _find_unlisted(self, total: int | None, expected: int) -> bool:
        """Look at the posts that REST lists no longer; return whether they are all that is amiss."""
        if not total or total > expected:
            return False
        census = Census(self._archive.frontier.listed_posts(), total, _CENSUS_PAGE)
        while (page := census.next_page()) is not None:
            url = rest.posts_url(self._spider.site.base_url, page=page, per_page=_CENSUS_PAGE)
            answer = await self._documents.get(url, "rest", rest.parse_posts, conditional=False)
            if answer.value is None or not answer.value.entries or answer.value.total != total:
                return False
            census.take([entry.post_id for entry in answer.value.entries if entry.post_id is not None])
        if len(census.missing) != expected - total:
            return False
        if is_mass_loss(len(census.missing), expected):
            return False  # a walk looks closer
        with self._archive.transaction():
            urls = self._archive.frontier.retract_posts(census.missing, due_at=self._run.started_at)
            note_unpublished(self._archive, self._run, urls)
        return True

    async def _walk_rest(self, known: Source) -> bool:
        """List every post, then look at those that are listed no longer."""
        began = self._spider.clock()
        latest = await self._rest_pages(known)
        if latest is None:
            return False
        if self._run.since:
            return True
        if not self._total:
            if known.listed:
                self.troubles.append(f"rest: lists nothing where it listed {known.listed:,} stories")
            return False
        if not self._retract(known.url, None, began):
            return False
        self._save(replace(known, listed=self._total), "complete", cursor=latest)
        return self._total > 0

    async def _rest_pages(self, known: Source, modified_after: datetime | None = None) -> datetime | None:
        """Read all pages of a query into the frontier; return the latest change seen, or None when it failed."""
        latest = modified_after or datetime.fromtimestamp(0, UTC)
        page, pages = 1, 1
        while page <= pages:
            url = rest.posts_url(self._spider.site.base_url, modified_after=modified_after, page=page)
            answer = await self._documents.get(url, "rest", rest.parse_posts, conditional=False)
            if answer.value is None:
                if page > 1 and answer.detail == PAST_END:
                    break
                self._source_failed(known, answer)
                return None
            self._add(answer.value.entries, "rest", known.url, is_post=True)
            latest = max(
                [latest, *(entry.modified_at for entry in answer.value.entries if entry.modified_at)]
            )
            is_full = len(answer.value.entries) == rest.PER_PAGE
            pages = answer.value.pages or (page + 1 if is_full else page)
            self._total = answer.value.total or 0
            page += 1
        return min(latest, self._run.started_at)

    # Sitemaps

    async def _sitemaps(self, *, full: bool) -> bool:
        named = [url for url in self._documents.robots.sitemaps if self._is_ours(url)]
        if named:
            read = [await self._sitemap_tree(url, full=full) for url in named]
            # a news sitemap lists two days by definition, whatever else it is: https://www.sitemaps.org/protocol.html
            return any(
                complete and "news" not in slug(url) for complete, url in zip(read, named, strict=True)
            ) and all(read)
        for path in sitemap.CANDIDATES:
            if await self._sitemap_tree(urljoin(self._spider.site.base_url, path), full=full):
                return True
        return False

    async def _sitemap_tree(self, root: str, *, full: bool) -> bool:
        """Read an index and all that hangs below it; return whether everything was read."""
        began = self._spider.clock()
        queue: list[tuple[str, datetime | None, int]] = [(root, None, 0)]
        seen: set[str] = set()
        reread: list[str] = []
        complete, listed = True, 0
        while queue and len(seen) < _MAX_SITEMAPS:
            url, changed_at, depth = queue.pop(0)
            if url in seen or depth > _MAX_DEPTH or sitemap.is_about_posts(url) is False:
                continue
            seen.add(url)
            known = self._archive.sources.get(url, "sitemap")
            if self._is_absent(known, full=full):
                complete = False
                continue
            stamp = changed_at.isoformat() if changed_at else None
            is_read = known.status in ("complete", "unchanged") and stamp and known.cursor == stamp
            # a deletion leaves some sitemaps' dates as they were
            if is_read and not full and not _is_old(known.last_read_at, self._run.started_at):
                listed += known.listed
                continue
            answer = await self._documents.get(
                url, "sitemap", _parser(sitemap.parse, url), conditional=not full
            )
            if answer.status == "unchanged":
                self._save(answer.source or known, "unchanged", cursor=stamp)
                listed += known.listed
                continue
            if answer.value is None:
                complete = self._source_failed(known, answer)
                continue
            source = replace(answer.source or known, listed=len(answer.value.entries))
            if answer.value.kind == "index":
                below = [(entry.url, entry.modified_at, depth + 1) for entry in answer.value.entries]
                queue += [item for item in below if self._is_ours(item[0])]
                # an index is always read in full: the conditional answer would hide its sitemaps' dates
                source = replace(source, etag=None, last_modified=None)
            else:
                self._add(answer.value.entries, "sitemap", url, is_post=bool(sitemap.is_about_posts(url)))
                listed += len(answer.value.entries)
                reread.append(url)
            if not answer.value.complete:
                complete, stamp = False, None
                source = replace(source, etag=None, last_modified=None)
            self._save(source, "complete" if answer.value.complete else "partial", cursor=stamp)
        complete = complete and not queue
        if complete and not self._run.since:
            for url in reread:
                complete = self._retract(url, url, began) and complete
        return complete and listed > 0

    # Feed

    async def _feed(self, *, full: bool) -> bool:
        """Read the feed, page by page, until it shows nothing new."""
        name = feed.feed_url(self._spider.site.base_url)
        known = self._archive.sources.get(name, "feed")
        if self._is_absent(known, full=full):
            return False
        for page in range(1, _MAX_FEED_PAGES):
            url = feed.feed_url(self._spider.site.base_url, page)
            answer: Answer[Listing] = await self._documents.get(
                url,
                "feed",
                _parser(feed.parse, url),
                conditional=page == 1 and not full,
            )
            if answer.status == "unchanged":
                return True
            if answer.value is None:
                if page > 1 and answer.status == "absent":
                    break
                if page > 1:
                    self.troubles.append(f"feed page {page}: {answer.detail}")
                return self._source_failed(known, answer)
            new = self._add(answer.value.entries, "feed", None, is_post=True)
            if page == 1:
                first = replace(answer.source or known, listed=len(answer.value.entries))
            if not answer.value.entries or (new == 0 and known.status == "complete" and not full):
                break
        self._save(first, "complete")  # not before the last page: a gap must not pass for the end
        return True

    # What they share

    def _add(
        self, entries: tuple[Listed, ...], found_by: str, listed_on: str | None, *, is_post: bool
    ) -> int:
        with self._archive.transaction():
            now = self._spider.clock()
            candidates = list(self._candidates(entries, found_by, listed_on, is_post=is_post))
            return self._archive.frontier.add(candidates, at=now, due_at=self._run.started_at)

    def _candidates(
        self, entries: tuple[Listed, ...], found_by: str, listed_on: str | None, *, is_post: bool
    ) -> Iterator[Candidate]:
        for entry in entries:
            if self._run.since and not _is_since(entry, self._run.since):
                continue
            try:
                candidate = candidate_of(entry, self._spider.site, found_by, listed_on, is_post=is_post)
            except AddressRefused as error:
                self._refuse(entry.url, found_by, error)
                continue
            if candidate is not None:
                yield candidate

    def _retract(self, source: str, listed_on: str | None, began: datetime) -> bool:
        """Look at the stories that a source (None: all of them) no longer lists; return whether it is believed."""
        doubt = retract(self._archive, self._run, source, listed_on, began=began)
        self.troubles += [doubt] if doubt else []
        return doubt is None

    def _refuse(self, url: str, found_by: str, error: AddressRefused) -> None:
        outcome = Outcome.BLOCKED_HOST if isinstance(error, HostRefused) else Outcome.BLOCKED_URL
        now = self._spider.clock()
        url = url[:2083].encode("utf-8", "backslashreplace").decode()
        row = self._archive.ledger.open(self._run.id, url, kind="unknown", found_by=found_by, at=now)
        if row is not None:
            self._archive.ledger.close(row, outcome, at=now, detail=str(error))

    def _is_ours(self, url: str) -> bool:
        try:
            canonicalise(url, self._spider.site)
        except AddressRefused as error:
            with self._archive.transaction():
                self._refuse(url, "sitemap", error)
            return False
        return True

    def _is_absent(self, known: Source, *, full: bool) -> bool:
        if full or known.status != "absent" or known.last_read_at is None:
            return False
        return self._run.started_at - datetime.fromisoformat(known.last_read_at) < _ABSENT_FOR

    def _save(self, source: Source, status: str, cursor: datetime | str | None = None) -> None:
        if self._run.since:
            return  # only a part was taken: the next run must not think that it knows the rest
        text = cursor.isoformat() if isinstance(cursor, datetime) else cursor
        with self._archive.transaction():
            self._archive.sources.save(
                replace(source, cursor=text or source.cursor),
                status,  # type: ignore[arg-type]
                at=self._spider.clock(),
            )

    def _source_failed(self, known: Source, answer: Answer[T]) -> bool:
        """Record a source that gave nothing; trouble only where it used to give something."""
        status = "absent" if answer.status == "absent" and known.last_complete_at is None else "failed"
        if status == "failed" and known.last_complete_at is not None:
            self.troubles.append(f"{known.kind} {known.url}: {answer.detail}")
        with self._archive.transaction():
            self._archive.sources.save(known, status, at=self._spider.clock(), detail=answer.detail)  # type: ignore[arg-type]
        return False


def _parser(parse: Callable[..., T], url: str) -> Callable[[bytes, Mapping[str, str]], T]:
    return lambda body, headers: parse(body, url=url)


def _is_old(read_at: str | None, now: datetime) -> bool:
    return read_at is None or now - datetime.fromisoformat(read_at) > _WALK_EVERY


def _is_since(entry: Listed, since: datetime) -> bool:
    moments = [moment for moment in (entry.published_at, entry.modified_at) if moment is not None]
    return not moments or max(moments) >= since
