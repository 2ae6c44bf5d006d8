"""Making an archive whole after a run was killed: torn WARC tails cut, captures without a row replayed, rows closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from uknip_crawler.archive import Archive, warc
from uknip_crawler.ingest.replay import BATCH, Replay, Stored
from uknip_crawler.ingest.visit import CrawlRun
from uknip_crawler.ingest.workers import Workers
from uknip_crawler.jobs.redaction import after_run, complete
from uknip_crawler.jobs.reextraction import load_learned
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import Site
from uknip_crawler.urls import canonical_or_none


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
            is_live = archive.ledger.kind_of(run_id)[0] != "import"
            # the first crawl leafs through listings until it has ended once, unless a list told of all stories
            walks = not has_leafed and archive.ledger.visited_listings(run_id)
            run = CrawlRun(run_id, clock(), clock, walks_listings=walks, is_live=is_live)
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
    """Settle the captures no ledger row points at, read as in any run; return how many there were."""
    orphans = list(
        dict(_orphans(archive, site, run, name, path)).items()
    )  # what was asked for again counts once
    if orphans:
        with Workers(site.base_url, load_learned(archive), count=1) as pool:
            replay = Replay(archive, site, run, pool, goes_on=True)
            for start in range(0, len(orphans), BATCH):
                replay.take([_stored(path, url, ref) for url, ref in orphans[start : start + BATCH]])
            replay.finish()
    return len(orphans)


def _orphans(
    archive: Archive, site: Site, run: CrawlRun, name: str, path: Path
) -> Iterator[tuple[str, warc.RecordRef]]:
    """Yield the pages of open visits; documents are read anew by the next run."""
    for member in warc.members(path):
        ref = warc.RecordRef(name, member.offset, member.length)
        capture = _capture(path, ref) if member.is_whole else None
        if capture is None or capture.status != HTTPStatus.OK or archive.ledger.is_recorded(ref):
            continue
        url = canonical_or_none(capture.url, site)
        if url is not None and archive.ledger.open_visit(run.id, url) is not None:
            yield url, ref


def _stored(path: Path, url: str, ref: warc.RecordRef) -> Stored:
    capture = _capture(path, ref)
    assert capture is not None  # it was read a moment ago
    return Stored(url, capture, ref)


def _capture(path: Path, ref: warc.RecordRef) -> Capture | None:
    with path.open("rb") as file:
        file.seek(ref.offset)
        return warc.capture_of(file.read(ref.length))
