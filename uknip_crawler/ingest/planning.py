"""When an address is due next, and what makes its next request conditional."""

from __future__ import annotations

from datetime import datetime, timedelta

from uknip_crawler.archive import Archive
from uknip_crawler.archive.articles import Known
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Outcome

ARTICLE_OUTCOMES = frozenset(
    {Outcome.STORED, Outcome.UNCHANGED, Outcome.REVISED, Outcome.ALIAS, Outcome.DUPLICATE}
)


class Planning:
    """Plans of one run; captures of another time say nothing of the site as it is now."""

    def __init__(self, archive: Archive, run: CrawlRun) -> None:
        self._archive = archive
        self._run = run

    def plan(
        self,
        url: str,
        outcome: Outcome,
        wait: timedelta | None,
        article_id: int | None,
        now: datetime,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> None:
        """Say when an address is due next; a capture made by others only tells whose address it is."""
        if not self._run.is_live:
            self._archive.frontier.belongs(url, article_id)
            return
        validators = {"etag": etag, "last_modified": last_modified}
        self._archive.frontier.settle(
            url, outcome, at=now, next_visit=wait, article_id=article_id, **validators
        )

    def missed(self, known: Known, url: str, kind: str, detail: str) -> None:
        """Record that an address no longer shows its story."""
        if self._run.is_live:
            self._archive.articles.missed(known, url, self._run.id, kind, detail, at=self._run.clock())


def validators(visit: Visit, outcome: Outcome) -> tuple[str | None, str | None]:
    """Return what makes the next request conditional; nothing unless a 304 would mean the story we hold.

    A 304 need not repeat the validators it confirms (RFC 9110 §15.4.5).
    """
    if visit.response is None or outcome not in ARTICLE_OUTCOMES:
        return None, None
    capture = visit.response.capture
    confirmed = (visit.due.etag, visit.due.last_modified) if capture.status == 304 else (None, None)
    return capture.header("etag") or confirmed[0], capture.header("last-modified") or confirmed[1]
