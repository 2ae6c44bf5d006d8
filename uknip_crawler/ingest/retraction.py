"""What a list of the site names no longer: it goes into the stories' histories, unless it is the list that is ill."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.ingest.interruptions import BELIEVED_RUNS, is_mass_loss
from uknip_crawler.ingest.judgement import is_long
from uknip_crawler.ingest.visit import CrawlRun


def retract(
    archive: Archive, run: CrawlRun, source: str, listed_on: str | None, *, began: datetime
) -> str | None:
    """Have the stories looked at that a source (None: all of them) no longer lists, and record that it does not.

    Of a list that suddenly names far fewer stories nothing is written: return a line that says so, else None. The
    ledger keeps the doubt; a list that stays as short through `BELIEVED_RUNS` runs and a week is believed, or that the
    researcher has released. Until then it is read whole again in every run.
    """
    lost, of = archive.listings.no_longer_listed(listed_on, before=began)
    now, kind = run.clock(), "sitemap" if listed_on else "rest"
    if is_mass_loss(lost, of):
        runs, since, is_released = archive.ledger.doubted(source, run.id)
        is_lasting = since is not None and runs + 1 >= BELIEVED_RUNS and is_long(since, now)
        if not (is_lasting or is_released):
            why = f"names {of - lost:,} of the {of:,} stories it named; none was taken for unpublished"
            known = replace(archive.sources.get(source, kind), etag=None, last_modified=None, cursor=None)
            with archive.transaction():
                archive.ledger.doubt(run.id, source, kind, why, at=now)
                archive.sources.save(replace(known, listed=of), "failed", at=now, detail=why)
            return f"{kind} {source}: {why}"
    with archive.transaction():
        note_unpublished(
            archive, run, archive.listings.retract(listed_on, before=began, due_at=run.started_at)
        )
    return None


def note_unpublished(archive: Archive, run: CrawlRun, urls: Iterable[str]) -> None:
    """Record that no list of the site names the stories at some addresses. Runs inside the caller's transaction."""
    for url in urls:
        archive.articles.unpublished(url, run.id, at=run.clock())
