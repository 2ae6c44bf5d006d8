"""How a run ends: what is still open is closed, and the exit status tells the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uknip_crawler.jobs import redaction
from uknip_crawler.models import FAILURES, Outcome

if TYPE_CHECKING:
    from uknip_crawler.spiders.uknip import UknipSpider


def finish(spider: UknipSpider, reason: str) -> None:
    """Close the books of a run whose last answer has come. `reason` is Scrapy's. Raises StorageError."""
    archive, run, now = spider.archive, spider.run, spider.clock()
    stopped = spider.is_stopping or reason != "finished"
    if spider.end_reason == "not started":
        spider.end_reason = reason
    with archive.transaction():
        left = Outcome.DEFERRED if stopped else Outcome.LOST
        archive.ledger.close_open(run.id, left, f"run ended: {spider.end_reason}", at=now)
        spider.outcomes = archive.ledger.outcomes(run.id)
        of_images = archive.ledger.outcomes(run.id, of_images=True)
        _, believed = archive.articles.confirm_gone(run.id, at=now)
    troubles = spider.discovery.troubles
    if not believed:
        troubles.append("more than a fifth of all stories went missing at once: none was marked as gone")
    if _found_nothing(spider):
        troubles.append(
            "no story was found: neither a list of the site nor its home page leads to one that could be read"
        )
    if not spider.is_stopping:
        failures = sum(spider.outcomes[outcome] + of_images[outcome] for outcome in FAILURES)
        troubled = failures or troubles or reason not in ("finished", "shutdown")
        spider.exit_status = 3 if troubled else 0
    spider.exit_status = 128 + spider.stopped_by if spider.stopped_by else spider.exit_status
    archive.finish_captures(at=now)
    redaction.after_run(archive, run.id, at=now)
    with archive.transaction():
        archive.ledger.finish_run(
            run.id,
            spider.exit_status,
            spider.end_reason,
            requests=spider.requests,
            received_bytes=spider.received_bytes,
            at=now,
        )


def _found_nothing(spider: UknipSpider) -> bool:
    """Tell whether a run that could have found stories leaves an archive without any."""
    is_whole = spider.visits_pages and spider.end_reason == "finished" and spider.run.since is None
    return is_whole and spider.discovery.lists_anything and not spider.archive.holds_stories()
