"""Keeping the images of stories, after the pages of the run.

Not with Scrapy's own media pipelines (2.19), which cannot keep what is promised here:

- `ImagesPipeline` opens every image with Pillow and writes what is no JPEG anew as one: neither the bytes the site
  served nor their digest are kept, and hostile bytes meet a decoder.
- `FilesPipeline` names files by the SHA-1 of their address and what the address ends in: the same image at two
  addresses is kept twice, and HTML named .jpg is kept as a JPEG.
- Both write in place without fsync (a killed run leaves half a file that later counts as kept), ask for images as
  soon as their item comes, not after the stories, ask again after 90 days, know nothing of what an earlier run found
  out, and tell of a failure in the log alone.

What they would have given, a download through the middlewares, is one call of the engine.

A kept file is its capture: images are not written to WARC, which would double their bytes. Status, validators, size
and digest of every answer are in the ledger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response as ScrapyResponse

from uknip_crawler.archive.images import BY_HOST, BY_ROBOTS, Kept
from uknip_crawler.archive.ledger import IMAGE, Response
from uknip_crawler.discovery.robots import Robots
from uknip_crawler.errors import (
    AddressRefused,
    ContentError,
    ContentTooLarge,
    ContentTruncated,
    HostRefused,
    MediaRefused,
    SiteUnavailable,
    StorageError,
)
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.ingest import outcomes, redirects
from uknip_crawler.ingest.image_format import examine
from uknip_crawler.models import Media, Outcome
from uknip_crawler.sites import with_image_hosts
from uknip_crawler.spiders import failures
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.documents import Documents
from uknip_crawler.spiders.exchange import Exchange, answered
from uknip_crawler.urls import image_address, is_own_host

logger = logging.getLogger(__name__)

# no type by name: image networks send WebP instead of the original to those who name it
_HEADERS = {"Accept": "image/*,*/*;q=0.8", "Accept-Encoding": "identity"}
_REFUSALS = frozenset({Outcome.REFUSED, Outcome.BLOCKED_HOST, Outcome.BLOCKED_URL, Outcome.ROBOTS_DENIED})


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one address answered: an image (`body` and `media`), where it redirects to, or why it is neither."""

    outcome: Outcome | None = None
    detail: str | None = None
    response: Response | None = None
    body: bytes = b""
    media: Media | None = None
    redirected_to: str | None = None


class Images:
    """Asks for the images an archive lacks, as politely as for pages.

    `hosts` may be asked besides those that the site file names. Raises UsageError for what is no public host.
    """

    def __init__(self, crawl: Crawl, documents: Documents, hosts: Sequence[str]) -> None:
        self._crawl = crawl
        self._documents = documents
        self._site = with_image_hosts(crawl.site, hosts)
        self._archive = crawl.archive
        self._images = crawl.archive.images
        self._robots: dict[str, Robots | None] = {}
        self._reading_robots = asyncio.Lock()

    async def run(self) -> None:
        """Ask for every image wanted, until all have answered or the run must end."""
        settings = self._crawl.settings
        self._max_bytes = settings.getint("UKNIP_IMAGE_MAX_BYTES")
        self._max_pixels = settings.getint("UKNIP_IMAGE_MAX_PIXELS")
        with self._archive.transaction():
            self._images.recover(self._is_lifted)
        wanted = iter(self._images.wanted(self._crawl.run.since))
        await asyncio.gather(*(self._work(wanted) for _ in range(settings.getint("CONCURRENT_REQUESTS"))))

    async def _work(self, wanted: Iterator[int]) -> None:
        crawl = self._crawl
        for image_id in wanted:
            if crawl.stop.is_stopping or crawl.stop.signal or crawl.budget.is_spent:
                return
            try:
                await self._take(image_id)
            except StorageError as error:
                crawl.stop.storage(error)
            except Exception:  # one that breaks our own code must not stop the others; its row ends as lost
                logger.exception("image %d could not be taken", image_id)

    def _is_lifted(self, url: str, reason: str) -> bool:
        """Tell whether an image refused by robots.txt, or for its host, is to be tried once more."""
        if reason != BY_ROBOTS:
            return reason.removeprefix(BY_HOST) in self._site.image_hosts
        return not self._is_own(url) or self._crawl.allows(url)

    def _is_own(self, url: str) -> bool:
        return is_own_host(urlsplit(url).hostname, self._site)

    # One image

    async def _take(self, image_id: int) -> None:
        url, story = self._images.address(image_id)
        if await self._must_wait(url):
            return
        found_by, found_on = "article", story
        for hops in range(redirects.MAX_HOPS + 1):
            row = self._open(url, found_by, found_on)
            if row is None:  # asked for in this run already: a circle, or the next run takes it from there
                self._fail(image_id, hops)
                return
            answer = await self._ask(url)
            target = answer.redirected_to
            if target is None or hops == redirects.MAX_HOPS or self._images.kept_at(target):
                self._settle(image_id, row, answer, hops)
                return
            with self._archive.transaction():
                self._close(row, Outcome.ALIAS, replace(answer, detail=None))
            url, found_by, found_on = target, "redirect", url

    async def _ask(self, url: str) -> _Answer:
        try:
            address = image_address(url, self._site)
        except AddressRefused as error:
            return _refused_address(url, error)
        robots = await self._robots_for(address)
        if robots is None:
            return _Answer(Outcome.DEFERRED, f"robots.txt of {urlsplit(address).netloc} could not be read")
        if not robots.allowed(address, self._crawl.agent):
            return _Answer(Outcome.ROBOTS_DENIED, BY_ROBOTS)
        meta = Exchange(is_image=True).meta(download_maxsize=self._max_bytes)
        wire_url = self._crawl.origin.wire_url(address)
        request = Request(wire_url, headers=_HEADERS, dont_filter=True, meta=meta)
        try:
            response = await self._crawl.download(request)
        except Exception as error:  # noqa: BLE001  # whatever the network or a handler raised
            outcome, detail = failures.of_error(error)
            if outcome is Outcome.TOO_LARGE:
                outcome, detail = Outcome.REFUSED, f"more than {self._max_bytes:,} bytes"
            return _Answer(outcome, detail)
        return await self._understand(response)

    async def _understand(self, response: ScrapyResponse) -> _Answer:
        kept = answered(response)
        if response.status in redirects.STATUSES:
            return self._redirected(response, kept)
        if response.status != HTTPStatus.OK:
            outcome, _ = outcomes.of_capture(kept.capture, is_stopping=self._crawl.stop.is_stopping)
            is_odd = outcome in (None, Outcome.UNCHANGED)
            return _Answer(Outcome.HTTP_ERROR if is_odd else outcome, f"HTTP {response.status}", kept)
        try:
            body = decode(kept.capture, limit_bytes=self._max_bytes)
            media = await asyncio.to_thread(examine, body, max_pixels=self._max_pixels)
        except ContentTruncated as error:
            return _Answer(Outcome.DATALOSS, str(error), kept)
        except (ContentTooLarge, MediaRefused) as error:
            return _Answer(Outcome.REFUSED, str(error), kept)
        except ContentError as error:
            return _Answer(Outcome.BAD_ENCODING, str(error), kept)
        return _Answer(response=kept, body=body, media=media)

    def _redirected(self, response: ScrapyResponse, kept: Response) -> _Answer:
        location = target = redirects.location_of(kept.capture) or ""
        try:
            target = redirects.resolve(response.url, location)
            target = image_address(target, self._site)
        except AddressRefused as error:
            refused = _refused_address(target, error)
            return replace(refused, response=kept)
        return _Answer(
            Outcome.REDIRECT_LIMIT, f"more than {redirects.MAX_HOPS} redirects", kept, redirected_to=target
        )

    # robots.txt of other hosts

    async def _must_wait(self, url: str) -> bool:
        """Tell whether an image's host has no robots.txt to be had today; without it nothing may be fetched."""
        try:
            address = image_address(url, self._site)
        except AddressRefused:
            return False
        return await self._robots_for(address) is None

    async def _robots_for(self, address: str) -> Robots | None:
        if self._is_own(address):
            return self._crawl.robots
        origin = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
        async with self._reading_robots:
            if origin not in self._robots:
                try:
                    self._robots[origin] = await self._documents.robots_of(origin)
                except SiteUnavailable as error:
                    self._robots[origin] = None
                    if not self._crawl.budget.is_spent:
                        self._crawl.troubles.append(str(error))
        return self._robots[origin]

    # Rows

    def _open(self, url: str, found_by: str, found_on: str) -> int | None:
        with self._archive.transaction():
            return self._archive.ledger.open(
                self._crawl.run.id,
                url,
                kind=IMAGE,
                found_by=found_by,
                found_on=found_on,
                at=self._crawl.clock(),
            )

    def _fail(self, image_id: int, hops: int) -> None:
        if hops:
            with self._archive.transaction():
                self._images.fail(image_id)

    def _settle(self, image_id: int, row: int, answer: _Answer, hops: int) -> None:
        """End an image and its row in one transaction; its file is on the disk before."""
        kept = self._keep(image_id, answer)
        outcome, detail = answer.outcome or Outcome.STORED, answer.detail
        with self._archive.transaction():
            if kept:
                is_copy = self._images.keep(image_id, kept)
                outcome, detail = (Outcome.DUPLICATE if is_copy else Outcome.STORED), None
            elif outcome in _REFUSALS:
                self._images.refuse(
                    image_id, f"after {hops} redirects: {detail}" if hops else detail or outcome
                )
            elif outcome is not Outcome.DEFERRED:
                self._images.fail(image_id)
            self._close(row, outcome, replace(answer, detail=detail))
        self._crawl.kept_images += kept is not None

    def _keep(self, image_id: int, answer: _Answer) -> Kept | None:
        """Put an image on the disk; return what to record of it, or None when the answer brought none."""
        url, _ = self._images.address(image_id)
        if answer.media and answer.response:
            at = answer.response.capture.fetched_at
            return self._images.write(url, answer.body, answer.media, at=at)
        there = self._images.kept_at(answer.redirected_to) if answer.redirected_to else None
        return self._images.copy(there, url) if there else None

    def _close(self, row: int, outcome: Outcome, answer: _Answer) -> None:
        self._archive.ledger.close(
            row,
            outcome,
            at=self._crawl.clock(),
            detail=answer.detail,
            response=answer.response,
            redirected_to=answer.redirected_to,
        )


def _refused_address(url: str, error: AddressRefused) -> _Answer:
    if isinstance(error, HostRefused):
        return _Answer(Outcome.BLOCKED_HOST, f"{BY_HOST}{urlsplit(url).netloc.lower()}")
    return _Answer(Outcome.BLOCKED_URL, str(error))
