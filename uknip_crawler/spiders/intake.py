"""What all of the site's lists share: their addresses go to the frontier, what they are worth is remembered, trouble is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.sources import Source
from uknip_crawler.discovery import Listed
from uknip_crawler.errors import AddressRefused, HostRefused
from uknip_crawler.ingest.candidates import candidate_of
from uknip_crawler.ingest.listed_dates import with_believed_dates
from uknip_crawler.ingest.retraction import retract
from uknip_crawler.models import Outcome
from uknip_crawler.spiders.crawl import Crawl
from uknip_crawler.spiders.documents import FORBIDDEN, Document, Documents
from uknip_crawler.urls import canonicalise

T = TypeVar("T")

_ABSENT_FOR = timedelta(days=7)
_REFUSED_FOR = timedelta(days=1)
_WALK_EVERY = timedelta(days=7)
_MISSING = frozenset({f"HTTP {HTTPStatus.NOT_FOUND}", f"HTTP {HTTPStatus.GONE}", FORBIDDEN})


class Intake:
    """Takes in what the lists of one run name. `troubles` make the run end with 3.

    `unread` are lists that were refused or broken: they are trouble where no other list names every story.
    """

    def __init__(self, crawl: Crawl, documents: Documents) -> None:
        self.site = crawl.site
        self.run = crawl.run
        self.archive = crawl.archive
        self.documents = documents
        self.clock = crawl.clock
        self.crawl = crawl
        self.troubles = crawl.troubles
        self.unread: list[str] = []

    def add(
        self,
        entries: tuple[Listed, ...],
        found_by: str,
        listed_on: str | None,
        *,
        is_post: bool,
        doubts_dates: bool = False,
    ) -> int:
        """Offer addresses to the frontier; return how many were new. `doubts_dates`: see `with_believed_dates`."""
        with self.archive.transaction():
            candidates = list(self._candidates(entries, found_by, listed_on, is_post=is_post))
            if doubts_dates:
                candidates = with_believed_dates(
                    self.archive, candidates, now=self.run.started_at, samples=found_by != "rest"
                )
            return self.archive.frontier.add(candidates, at=self.clock(), due_at=self.run.started_at)

    def _candidates(
        self, entries: tuple[Listed, ...], found_by: str, listed_on: str | None, *, is_post: bool
    ) -> Iterator[Candidate]:
        for entry in entries:
            if self.run.since and not _is_since(entry, self.run.since):
                continue
            try:
                candidate = candidate_of(entry, self.site, found_by, listed_on, is_post=is_post)
            except AddressRefused as error:
                self._refuse(entry.url, found_by, error)
                continue
            if candidate is not None:
                yield candidate

    def retract(self, source: str, listed_on: str | None, began: datetime) -> bool:
        """Look at the stories that a source (None: all of them) no longer lists; return whether it is believed."""
        doubt = retract(self.archive, self.run, source, listed_on, began=began)
        self.troubles += [doubt] if doubt else []
        return doubt is None

    def _refuse(self, url: str, found_by: str, error: AddressRefused) -> None:
        outcome = Outcome.BLOCKED_HOST if isinstance(error, HostRefused) else Outcome.BLOCKED_URL
        now = self.clock()
        url = url[:2083].encode("utf-8", "backslashreplace").decode()
        row = self.archive.ledger.open(self.run.id, url, kind="unknown", found_by=found_by, at=now)
        if row is not None:
            self.archive.ledger.close(row, outcome, at=now, detail=str(error))

    def is_ours(self, url: str, found_by: str) -> bool:
        """Tell whether a list is the site's; the ledger gets a row for one that is not."""
        try:
            canonicalise(url, self.site)
        except AddressRefused as error:
            with self.archive.transaction():
                self._refuse(url, found_by, error)
            return False
        return True

    # What is remembered of a list

    def is_absent(self, known: Source, *, full: bool) -> bool:
        """Tell whether a list need not be asked for: it was missing lately, or refused very lately, and that is said again."""
        if full or known.status != "absent" or known.last_asked_at is None:
            return False
        is_missing = known.detail in _MISSING
        age = self.run.started_at - datetime.fromisoformat(known.last_asked_at)
        if age >= (_ABSENT_FOR if is_missing else _REFUSED_FOR):
            return False
        if not is_missing:
            self.unread.append(f"{known.kind} {known.url}: {known.detail}")
        return True

    def was_asked(self, url: str) -> bool:
        """Tell whether this run has asked for a list already."""
        return url in self.documents.asked

    def is_old(self, read_at: str | None) -> bool:
        """Tell whether a list read then is to be read from its start again."""
        return read_at is None or self.run.started_at - datetime.fromisoformat(read_at) > _WALK_EVERY

    def save(self, source: Source, status: str, cursor: datetime | str | None = None) -> None:
        if self.run.since:
            return  # only a part was taken: the next run must not think that it knows the rest
        text = cursor.isoformat() if isinstance(cursor, datetime) else cursor
        with self.archive.transaction():
            self.archive.sources.save(
                replace(source, cursor=text or source.cursor),
                status,  # type: ignore[arg-type]
                at=self.clock(),
            )

    def failed(self, known: Source, answer: Document[T], *, named: bool = False) -> bool:
        """Record a list that gave nothing, and return False.

        Trouble where it used to give something, or where the site itself names it (`named`) and it is there.
        """
        if self.crawl.budget.is_spent:
            return False  # the run's own limit says nothing of the list
        is_missing = answer.status == "absent" and answer.detail in _MISSING
        status = "absent" if answer.status == "absent" and known.last_complete_at is None else "failed"
        said = f"{known.kind} {known.url}: {answer.detail}"
        if known.last_complete_at is not None or (named and not is_missing):
            self.troubles.append(said)
        elif named or not is_missing:
            self.unread.append(said)
        with self.archive.transaction():
            self.archive.sources.save(known, status, at=self.clock(), detail=answer.detail)  # type: ignore[arg-type]
        return False


def _is_since(entry: Listed, since: datetime) -> bool:
    moments = [moment for moment in (entry.published_at, entry.modified_at) if moment is not None]
    return not moments or max(moments) >= since
