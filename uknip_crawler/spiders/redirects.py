"""Following redirects ourselves, so that every hop has its ledger row and no guess passes for a move."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from scrapy import Request
from scrapy.http import Response as ScrapyResponse

from uknip_crawler.archive.frontier import Candidate, Due
from uknip_crawler.archive.ledger import Response
from uknip_crawler.archive.multipage import PART
from uknip_crawler.errors import AddressRefused, HostRefused
from uknip_crawler.ingest.redirects import MAX_HOPS, STATUSES, location_of, resolve
from uknip_crawler.ingest.visit import Hop, Visit
from uknip_crawler.models import Outcome
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.exchange import answered
from uknip_crawler.spiders.visits import Visits
from uknip_crawler.urls import AddressKind, canonicalise, classify

_WAIT_FOR_TARGET_SECONDS = 30.0
_COOKIE = re.compile(
    r"([!#$%&'*+.^`|~\w-]{1,200})=([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,2000})(?=\s*(?:;|\Z))"
)


class Redirects:
    """Goes on with visits whose answer is a redirect."""

    def __init__(self, crawl: Crawl, visits: Visits, request: Callable[[Visit, str], Request]) -> None:
        self._crawl = crawl
        self._visits = visits
        self._request = request
        self._waiting_for: dict[str, str] = {}

    def location(self, visit: Visit, response: ScrapyResponse) -> str | None:
        """Return where a response leads, as printed; None for a page that is to be read.

        A page that refreshes itself is one, unless it gives a cookie to come back with.
        """
        location = location_of(answered(response).capture)
        if location is None or response.status in STATUSES or self._gives_cookies(visit, response):
            return location
        try:
            url = canonicalise(resolve(response.url, location), self._crawl.site)
        except AddressRefused:
            return location
        return location if url != visit.due.url else None

    def _gives_cookies(self, visit: Visit, response: ScrapyResponse) -> bool:
        known = self._crawl.origin.cookies | visit.cookies
        return not visit.is_remembered and not cookies_of(response).items() <= known.items()

    async def follow(self, visit: Visit, response: ScrapyResponse, location: str) -> Request | None:
        """Return the next request of a chain, or None when the chain ends here with an outcome in the visit."""
        try:
            target = resolve(response.url, location)
            url = canonicalise(target, self._crawl.site)
        except AddressRefused as error:
            visit.outcome = Outcome.BLOCKED_HOST if isinstance(error, HostRefused) else Outcome.BLOCKED_URL
            visit.detail = f"redirects to a refused address: {error}"
            if response.status not in STATUSES and visit.due.promises_story:
                self._crawl.troubles.append(f"{visit.due.url}: shows no story, and {visit.detail}")
            return None
        gives_cookies = self._gives_cookies(visit, response)
        visit.cookies |= cookies_of(response)
        visit.origin_changes += url == visit.due.url
        if (
            url == visit.due.url
            and visit.origin_changes <= MAX_HOPS
            and self._crawl.origin.learn(response.url, target)
        ):
            return self._request(visit, self._crawl.origin.wire_url(url))
        chain = (*visit.hops, Hop(visit.due.fetch_id, visit.due.url, _kept(visit)))
        back = next((hop for hop in chain if hop.url == url), None)
        if (
            back is not None
            and visit.cookies
            and (gives_cookies or url != visit.due.url)
            and not visit.is_remembered
        ):
            return self._return(visit, chain, back)
        if back is not None:
            visit.outcome, visit.detail = Outcome.REDIRECT_LOOP, f"redirects to {location or 'nowhere'}"
        elif len(chain) > MAX_HOPS:
            visit.outcome, visit.detail = Outcome.REDIRECT_LIMIT, f"more than {MAX_HOPS} redirects"
        elif classify(url, self._crawl.site) is AddressKind.TRAP:
            visit.outcome, visit.detail = Outcome.TRAP, f"redirects to {url}"
        elif self._crawl.archive.redactions.keeps_out(url):
            visit.outcome, visit.detail = Outcome.REDACTED, url  # the ledger will not have it
        elif not self._crawl.allows(url):
            visit.outcome, visit.detail = Outcome.ROBOTS_DENIED, f"redirects to {url}"
        else:
            return await self._hop(visit, chain, url)
        return None

    def _return(self, visit: Visit, chain: tuple[Hop, ...], back: Hop) -> Request:
        """Ask once more, with the cookies it gave, for an address that a chain of redirects has come back to."""
        self._crawl.origin.cookies |= visit.cookies
        self._visits.hand_over(visit)
        due = visit.due
        if back.fetch_id != due.fetch_id:
            due = Due(back.fetch_id, back.url, due.kind, "redirect", due.listed_on, None, None)
        hops = tuple(hop for hop in chain if hop is not back)
        again = Visit(due, hops=hops, cookies=visit.cookies, is_remembered=True)
        return self._request(again, self._crawl.origin.wire_url(back.url))

    async def _hop(self, visit: Visit, chain: tuple[Hop, ...], url: str) -> Request | None:
        kind = visit.due.kind if visit.due.kind != PART else classify(url, self._crawl.site).value
        with self._crawl.archive.transaction():
            now = self._crawl.clock()
            row = self._crawl.archive.ledger.open(
                self._crawl.run.id,
                url,
                kind=kind,
                found_by="redirect",
                found_on=visit.due.url,
                at=now,
            )
            if row is not None:
                candidate = Candidate(url, kind, "redirect", visit.due.url)
                self._crawl.archive.frontier.add([candidate], at=now, due_at=self._crawl.run.started_at)
        if row is None:
            await self._join(visit, url)
            return None
        self._visits.hand_over(visit)
        listed_on = visit.due.listed_on
        following = Visit(
            Due(row, url, kind, "redirect", listed_on, None, None), hops=chain, cookies=visit.cookies
        )
        following.is_remembered = visit.is_remembered
        return self._request(following, self._crawl.origin.wire_url(url))

    async def _join(self, visit: Visit, url: str) -> None:
        """End a chain at an address this run has visited, or is visiting, on its own."""
        here = visit.due.url
        self._waiting_for[here] = url
        deadline = self._crawl.clock().timestamp() + _WAIT_FOR_TARGET_SECONDS
        while self._crawl.archive.ledger.open_row(self._crawl.run.id, url) is not None:
            if self._waiting_for.get(url) == here or self._crawl.clock().timestamp() > deadline:
                visit.outcome, visit.detail = Outcome.REDIRECT_LOOP, f"redirects to {url} and back"
                break
            await asyncio.sleep(0.05)
        del self._waiting_for[here]
        if visit.outcome is None:
            self._visits.resolve_redirect(visit, url)


def cookies_of(response: ScrapyResponse) -> dict[str, str]:
    """Return the cookies that a response asks to be told again, at most 20."""
    found: dict[str, str] = {}
    for line in response.headers.getlist("Set-Cookie")[:20]:
        if pair := _COOKIE.match((line or b"").decode("latin-1").strip()):
            found[pair[1]] = pair[2]
    return found


def _kept(visit: Visit) -> Response:
    assert visit.response is not None
    return visit.response
