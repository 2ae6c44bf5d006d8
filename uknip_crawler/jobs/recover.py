"""Making an archive whole after a run was killed: torn WARC tails cut, captures without a row replayed, rows closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from uknip_crawler.archive import Archive, warc
from uknip_crawler.archive.frontier import Candidate, Due
from uknip_crawler.archive.ledger import Response
from uknip_crawler.archive.multipage import PART
from uknip_crawler.archive.packing import Member
from uknip_crawler.errors import AddressRefused
from uknip_crawler.extraction import read
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.jobs.redaction import after_run, complete
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import Site
from uknip_crawler.urls import canonicalise, classify


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did: runs found killed, bytes cut from torn tails, captures replayed."""

    killed_runs: int = 0
    cut_bytes: int = 0
    replayed: int = 0


def recover(archive: Archive, site: Site, *, clock: Callable[[], datetime]) -> Recovered:
    """Bring an archive back to rest. Doing it twice changes nothing more."""
    cut = replayed = 0
    has_leafed = archive.ledger.has_finished_crawl()
    for name, run_id in archive.open_warcs():
        path = warc.locate(archive.warc_folder, name)
        if path is not None:
            cut += cut_torn_tail(path)
            is_live = archive.ledger.kind_of(run_id)[0] == "crawl"
            # the first crawl leafs through listings until it has ended once, unless a list told of all stories
            walks = not has_leafed and archive.ledger.visited_listings(run_id)
            run = CrawlRun(
                run_id,
                clock(),
                clock,
                walks_listings=walks,
                is_live=is_live,
            )
            replayed += _replay(archive, site, run, name, path)
        archive.adopt_warc(name, at=clock())
    killed = archive.ledger.unfinished_runs()
    complete(archive, at=clock())
    for run_id in killed:
        after_run(archive, run_id, at=clock())
    with archive.transaction():
        for run_id in killed:
            if archive.ledger.kind_of(run_id)[0] == "import":
                archive.frontier.add_imported(run_id, at=clock())
            archive.ledger.close_open(
                run_id, Outcome.LOST, "run was killed; due again in the next", at=clock()
            )
            archive.ledger.finish_run(run_id, 137, "killed", requests=0, received_bytes=0, at=clock())
    return Recovered(len(killed), cut, replayed)


def cut_torn_tail(path: Path) -> int:
    """Truncate a file after its last whole member; return how many bytes went."""
    size = path.stat().st_size
    end = max((member.offset + member.length for member in warc.members(path) if member.is_whole), default=0)
    if end < size:
        with path.open("r+b") as file:
            file.truncate(end)
    return size - end


def _replay(archive: Archive, site: Site, run: CrawlRun, name: str, path: Path) -> int:
    """Settle the captures no ledger row points at; return how many there were."""
    settlement = Settlement(archive, site, run)
    replayed = 0
    for member in warc.members(path):
        ref = warc.RecordRef(name, member.offset, member.length)
        capture = _capture(path, member)
        if capture is None or capture.status != 200 or archive.ledger.is_recorded(ref):
            continue
        visit = _visit(archive, site, run, capture)
        if visit is None:
            continue
        visit.response = Response(capture, ref)
        expected = visit.due.listed_on is not None or visit.due.promises_story
        visit.reading = read(capture, site, expected_article=expected)
        settlement.settle([visit])
        replayed += 1
    return replayed


def _capture(path: Path, member: Member) -> Capture | None:
    if not member.is_whole:
        return None
    with path.open("rb") as file:
        file.seek(member.offset)
        return warc.capture_of(file.read(member.length))


def _visit(archive: Archive, site: Site, run: CrawlRun, capture: Capture) -> Visit | None:
    """Return the open visit a capture belongs to; None for documents that the next run reads anew."""
    try:
        url = canonicalise(capture.url, site)
    except AddressRefused:
        return None
    row = archive.ledger.open_visit(run.id, url)
    if row is None:
        return None
    with archive.transaction():
        kind = classify(url, site).value
        archive.frontier.add([Candidate(url, kind, "replay")], at=run.clock(), due_at=run.started_at)
    listed_on = archive.frontier.listed_on(url)
    kind = PART if archive.pages.at(url) else kind
    return Visit(Due(row, url, kind, "replay", listed_on, None, None))
