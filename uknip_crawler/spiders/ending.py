"""How a crawl ends: what is still open is closed, and the exit status tells the truth."""

from __future__ import annotations

from uknip_crawler.jobs import redaction
from uknip_crawler.models import FAILURES, Outcome
from uknip_crawler.spiders.crawl import Crawl


def finish(crawl: Crawl, reason: str, *, must_find: bool) -> None:
    """Close the books of a crawl whose last answer has come. `reason` is Scrapy's. Raises StorageError.

    One that `must_find` stories and leaves an archive without any is not complete.
    """
    archive, run, stop, now = crawl.archive, crawl.run, crawl.stop, crawl.clock()
    is_cut_short = stop.is_stopping or reason != "finished"
    if stop.reason == "not started":
        stop.reason = reason
    with archive.transaction():
        left = Outcome.DEFERRED if is_cut_short else Outcome.LOST
        archive.ledger.close_open(run.id, left, f"run ended: {stop.reason}", at=now)
        crawl.outcomes = archive.ledger.outcomes(run.id)
        of_images = archive.ledger.outcomes(run.id, of_images=True)
        _, believed = archive.articles.confirm_gone(run.id, at=now)
    if not believed:
        crawl.troubles.append(
            "more than a fifth of all stories went missing at once: none was marked as gone"
        )
    is_whole = stop.reason == "finished" and run.since is None
    if must_find and is_whole and not archive.holds_stories():
        crawl.troubles.append(_nothing_found(crawl))
    if not stop.is_stopping:
        failures = sum(crawl.outcomes[outcome] + of_images[outcome] for outcome in FAILURES)
        troubled = failures or crawl.troubles or reason not in ("finished", "shutdown")
        stop.exit_status = 3 if troubled else 0
    stop.exit_status = 128 + stop.signal if stop.signal else stop.exit_status
    archive.finish_captures(at=now)
    redaction.after_run(archive, run.id, at=now)
    with archive.transaction():
        archive.ledger.finish_run(
            run.id,
            stop.exit_status,
            stop.reason,
            requests=crawl.requests,
            received_bytes=crawl.received_bytes,
            at=now,
        )


def _nothing_found(crawl: Crawl) -> str:
    """Say what a crawl without any story has tried, and what kind of site that is."""
    tried = crawl.archive.ledger.lists_tried(crawl.run.id)
    lists = [f"{kind} ({how})" for kind, how in tried.items()]
    pages = crawl.archive.ledger.count_visits(crawl.run.id)
    lists.append(f"archive pages and links ({pages:,} {'page' if pages == 1 else 'pages'} read)")
    is_wordpress = tried.get("rest", "").startswith("answered")
    kind = (
        "the site is a WordPress without a story that could be read"
        if is_wordpress
        else "this seems to be no WordPress news site"
    )
    return f"no story was found: {kind}; tried {', '.join(lists)}: look at the address in a browser"
