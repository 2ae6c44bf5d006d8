"""Settling captures that are already on the disk: those of another crawler, or our own when the database is made anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Due
from uknip_crawler.archive.ledger import VARIANT, Response
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.errors import AddressRefused, HostRefused
from uknip_crawler.ingest import outcomes, redirects
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Hop, Visit
from uknip_crawler.ingest.workers import PAGE_SECONDS, WORKER_FAILURES, Pending, Pool, read_page, unread
from uknip_crawler.models import Capture, Outcome, Reading
from uknip_crawler.sites import Site
from uknip_crawler.urls import MAX_PARTS, AddressKind, canonicalise, classify, part_of

BATCH = 25
"""Captures given at a time: each batch costs a transaction."""
_READ_AHEAD = 3
"""Batches that workers read while one is settled."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A capture of one of the site's addresses (canonical `url`), where it lies, and where it was imported from.

    `is_variant` says that it shows the page's AMP or print form.
    """

    url: str
    capture: Capture
    record: RecordRef
    imported_from: str = ""
    is_variant: bool = False


Waiting = list[tuple[Visit, Pending[Reading] | None]]


class Replay:
    """Settles captures of one run in the order in which they are given, a batch in one transaction.

    Redirects wait for the page they lead to, as hops of its visit; `finish` ends those that waited in vain.
    One that `goes_on` ends visits that the run had begun.
    """

    def __init__(
        self, archive: Archive, site: Site, run: CrawlRun, workers: Pool, *, goes_on: bool = False
    ) -> None:
        self._archive = archive
        self._site = site
        self._run = run
        self._workers = workers
        self._goes_on = goes_on
        self._settlement = Settlement(archive, site, run)
        self._batches: deque[Waiting] = deque()
        self._hops: dict[str, list[Hop]] = {}

    def take(self, batch: Sequence[Stored]) -> None:
        further = [stored for stored in batch if _may_be_further(stored.url)]
        self._take([stored for stored in batch if not _may_be_further(stored.url)])
        if further:
            self.settle_all()  # the first page of a story tells what the others are
            self._take(further)

    def _take(self, batch: Sequence[Stored]) -> None:
        with self._archive.transaction():
            visits = [visit for stored in batch if (visit := self._visit(stored)) is not None]
        waiting: Waiting = []
        for visit in visits:
            assert visit.response is not None
            if (target := self._redirect_target(visit)) is not None:
                self._hold(visit, target)
                continue
            visit.hops = tuple(self._hops.pop(visit.due.url, ()))
            waiting.append((visit, self._begin_reading(visit) if visit.outcome is None else None))
        self._batches.append(waiting)
        if len(self._batches) > _READ_AHEAD:
            self._settle(self._batches.popleft())

    def settle_all(self) -> None:
        while self._batches:
            self._settle(self._batches.popleft())

    def finish(self) -> None:
        self.settle_all()
        for target, hops in self._hops.items():
            self._settlement.settle_lone_redirects(hops, target)
        self._hops.clear()

    def _visit(self, stored: Stored) -> Visit | None:
        """Open the ledger row of a capture; None when this run has one of the same place already."""
        known = self._archive.frontier.standing(stored.url)
        kind, found_by, listed_on = known or (
            classify(stored.url, self._site).value,
            "import" if stored.imported_from else "rebuild",
            None,
        )
        row = self._archive.ledger.open_visit(self._run.id, stored.url) if self._goes_on else None
        row = row or self._archive.ledger.open(
            self._run.id,
            stored.url,
            kind=VARIANT if stored.is_variant else kind,
            found_by=found_by,
            at=self._run.clock(),
            imported_from=stored.imported_from,
        )
        if row is None:
            return None
        due = Due(row, stored.url, kind, found_by, listed_on, None, None)
        attempts = 0 if stored.imported_from else 1
        visit = Visit(due, Response(stored.capture, stored.record, attempts))
        if stored.capture.status not in redirects.STATUSES:
            visit.outcome, visit.detail = outcomes.of_capture(stored.capture)
        return visit

    def _redirect_target(self, visit: Visit) -> str | None:
        """Return where a redirect leads within the site; one that leads nowhere we ask for gets its outcome."""
        assert visit.response is not None
        capture = visit.response.capture
        location = redirects.location_of(capture)
        if location is None:
            return None
        try:
            target = canonicalise(redirects.resolve(capture.url, location), self._site)
        except AddressRefused as error:
            visit.outcome = Outcome.BLOCKED_HOST if isinstance(error, HostRefused) else Outcome.BLOCKED_URL
        else:
            if target == visit.due.url and capture.status not in redirects.STATUSES:
                return None  # a page that refreshes itself
            if target != visit.due.url and classify(target, self._site) is not AddressKind.TRAP:
                return target
            visit.outcome = Outcome.REDIRECT_LOOP if target == visit.due.url else Outcome.TRAP
        visit.detail = f"redirects to {location[:200] or 'nowhere'}"
        return None

    def _hold(self, visit: Visit, target: str) -> None:
        assert visit.response is not None
        before = self._hops.pop(visit.due.url, [])
        hop = Hop(visit.due.fetch_id, visit.due.url, visit.response)
        self._hops.setdefault(target, []).extend([*before, hop])

    def _begin_reading(self, visit: Visit) -> Pending[Reading]:
        assert visit.response is not None
        return self._workers.schedule(
            read_page, visit.response.capture, visit.due.promises_story, seconds=PAGE_SECONDS
        )

    def _settle(self, waiting: Waiting) -> None:
        for visit, reading in waiting:
            if reading is not None:
                visit.reading = _result(reading)
        if waiting:
            self._settlement.settle([visit for visit, _ in waiting])


def _may_be_further(url: str) -> bool:
    """Tell whether an address has the form of a further page of a story."""
    part = part_of(url)
    return part is not None and 1 < part[1] <= MAX_PARTS


def _result(reading: Pending[Reading]) -> Reading:
    try:
        return reading.result()
    except WORKER_FAILURES as error:
        return unread(error, PAGE_SECONDS)
