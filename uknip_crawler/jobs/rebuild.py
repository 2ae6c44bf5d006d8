"""Making the database anew from the WARC files alone: the runs are lived again, capture by capture, and read by today's rules.

What never reached a WARC file is not there afterwards: visits without an answer, audits, verdicts on furniture.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from uknip_crawler import __version__
from uknip_crawler.archive import DATABASE, Archive, warc
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.archive.merging import merge_split_stories
from uknip_crawler.archive.warc import RecordRef, rewriting
from uknip_crawler.archive.warc.lenient import ForeignWarc
from uknip_crawler.archive.warc.records import Damage, Record
from uknip_crawler.discovery import Listed, SourceUnusable, feed, rest, sitemap
from uknip_crawler.errors import AddressRefused, ContentError, StorageError, UsageError
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.ingest.candidates import candidate_of
from uknip_crawler.ingest.replay import BATCH, Replay, Stored
from uknip_crawler.ingest.visit import CrawlRun
from uknip_crawler.ingest.workers import Readers
from uknip_crawler.jobs import redaction
from uknip_crawler.jobs.derivation import derive
from uknip_crawler.jobs.recover import cut_torn_tail
from uknip_crawler.jobs.reextraction import load_learned
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import DEFAULT_BASE_URL, Site, load_site
from uknip_crawler.urls import canonical_or_none, is_variant

UNDER_WAY = f"{DATABASE}.rebuilding"
_NAME = re.compile(r"uknip-(\d{14})-(\d+)-(\d+)(-m[0-9a-f]{8})?(?:-r\d+)?\.warc\.gz(?:\.open)?$")
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild made, and the lines about what it could not read."""

    runs: int = 0
    captures: int = 0
    articles: int = 0
    revisions: int = 0
    aliases: int = 0
    damaged: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    opened_at: datetime
    run_id: int
    serial: int
    merged: str
    path: Path

    @property
    def run(self) -> tuple[int, str]:
        """What the files of one run have in common: its number, and, of one that a merge brought, a mark beside it."""
        return self.run_id, self.merged

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".open")


def rebuild(
    directory: Path, *, readers: Readers, at: datetime, progress: Progress = lambda done, of: None
) -> Rebuilt:
    """Make a lost database again. It appears whole or not at all; one that was killed begins again.

    `progress` hears which run of how many is lived again. Raises UsageError when there is a database, or
    nothing to make one from.
    """
    if (directory / DATABASE).exists():
        raise UsageError(
            f"{directory / DATABASE} is there: move it away first, then run `uknip rebuild` again"
        )
    rewriting.delete_predecessors(directory / "warc")
    files = sorted(_files(directory / "warc"), key=lambda one: (one.run, one.serial))
    if not files:
        raise UsageError(f"no WARC files of ours in {directory / 'warc'}: there is nothing to rebuild from")
    with Archive(directory, database=UNDER_WAY, anew=True) as archive:
        archive.hurry()
        tombstones = _keep_out(archive)
        rebuilt, base_url = Rebuilt(), DEFAULT_BASE_URL
        runs = [list(of_run) for _, of_run in groupby(files, key=lambda one: one.run)]
        runs.sort(key=lambda of_run: (of_run[0].opened_at, of_run[0].run))  # a merge brings runs from between
        run_id = 0
        for of_run in runs:
            run_id = max(of_run[0].run_id, run_id + 1)
            progress(rebuilt.runs, len(runs))
            base_url = _live_again(archive, run_id, of_run, rebuilt, readers)
        for path in tombstones:
            archive.enrol_warc(path.name, run_id, at=at)
        _complete_redactions(archive, at)
        derive(archive, base_url, everything=True, readers=readers, at=at)
        with archive.transaction():
            archive.images.readopt()
        for table in ("articles", "revisions", "aliases"):
            setattr(rebuilt, table, archive.db.table(table).count)
        archive.settle_down()
    (directory / UNDER_WAY).rename(directory / DATABASE)
    return rebuilt


def _files(folder: Path) -> Iterator[_File]:
    for path in folder.glob("*"):
        if named := _NAME.match(path.name):
            yield _File(
                datetime.strptime(f"{named[1]}Z", "%Y%m%d%H%M%S%z"),
                int(named[2]),
                int(named[3]),
                named[4] or "",
                path,
            )


def _keep_out(archive: Archive) -> list[Path]:
    """Take over the redactions that WARC files tell of, before anything else; return those files."""
    with archive.transaction():
        for tombstone in rewriting.tombstones(archive.warc_folder):
            archive.redactions.adopt(tombstone.marks, tombstone.reason, tombstone.at)
    return rewriting.tombstone_files(archive.warc_folder)


def _complete_redactions(archive: Archive, at: datetime) -> None:
    """Take out what captures still hold of stories whose redaction was killed before the database was lost."""
    if archive.redactions.withheld():
        runs = archive.db.conn.execute("SELECT id FROM runs ORDER BY id").fetchall()
        redaction.after_run(archive, *(run_id for (run_id,) in runs), at=at)


def _live_again(
    archive: Archive, run_id: int, files: Sequence[_File], rebuilt: Rebuilt, readers: Readers
) -> str:
    """Live one run again; return the base URL of its site."""
    about = warc.about(files[0].path)
    records = [record for file in files for record in _records(file, rebuilt)]
    base_url = about.get("isPartOf") or (urljoin(records[0].url, "/") if records else DEFAULT_BASE_URL)
    site = load_site(base_url)
    told = about.get("description")
    kind = told if told in ("import", "audit") else "crawl"
    clock = _Clock(files[0].opened_at)
    run = CrawlRun(run_id, clock.time, clock.now, walks_listings=False, is_live=kind != "import")
    with archive.transaction():
        archive.ledger.start_run(kind, site.base_url, {}, __version__, at=clock.time, run_id=run_id)
    for file in files:
        archive.enrol_warc(file.name, run_id, at=file.opened_at)
    with readers.pool(site.base_url, load_learned(archive)) as pool:
        _Reliving(archive, site, run, Replay(archive, site, run, pool), clock, rebuilt.damaged).live(records)
    rebuilt.runs += 1
    rebuilt.captures += len(records)
    with archive.transaction():
        if run.is_live:
            archive.articles.confirm_gone(run_id, at=clock.time)
        else:
            merge_split_stories(archive.db)
            archive.frontier.add_imported(run_id, at=clock.time)
        archive.ledger.finish_run(
            run_id, 0, "rebuilt", requests=len(records), received_bytes=0, at=clock.time
        )
    return site.base_url


def _records(file: _File, rebuilt: Rebuilt) -> Iterator[Record]:
    """Yield the responses of a file of ours; what is damaged is said."""
    cut_torn_tail(file.path)
    if not file.path.stat().st_size:  # its run was killed before the first record was whole
        return
    with contextlib.closing(ForeignWarc(file.path)) as warc_file:
        for found in warc_file.records():
            if isinstance(found, Damage):
                rebuilt.damaged.append(f"{found.place}: {found.reason}")
            elif isinstance(found, Record):
                yield found


@dataclass(slots=True)
class _Clock:
    """The time at which the run that is lived again has arrived."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass(slots=True)
class _Reliving:
    archive: Archive
    site: Site
    run: CrawlRun
    replay: Replay
    clock: _Clock
    damaged: list[str]

    def live(self, records: Sequence[Record]) -> None:
        """Settle a run's captures; of a crawl the last of each address, for the earlier ones were tried again."""
        named = [
            (url, record)
            for record in records
            if (url := canonical_or_none(record.url, self.site)) is not None
        ]
        if self.run.is_live:
            last = dict(named)
            named = [(url, record) for url, record in named if last[url] is record]
        batch: list[Stored] = []
        for url, record in named:
            ref = RecordRef(
                record.place.path.name.removesuffix(".open"), record.place.offset, record.place.length
            )
            try:
                capture = self.archive.read_capture(ref)
            except StorageError as error:
                self.damaged.append(str(error))
                continue
            self.clock.time = max(self.clock.time, capture.fetched_at)
            kind = _document_kind(capture)
            if kind is None:
                place = "" if self.run.is_live else f"{ref.name} at byte {ref.offset}"
                batch.append(Stored(url, capture, ref, place, is_variant(capture.url)))
            elif self.run.is_live:
                self._hear(url, kind, capture, ref)
            if len(batch) == BATCH:
                self.replay.take(batch)
                batch = []
        self.replay.take(batch)
        self.replay.finish()

    def _hear(self, url: str, kind: str, capture: Capture, ref: RecordRef) -> None:
        """Take the addresses that a list of the site named then, and what it said of them."""
        entries, listed_on, is_post = _entries(url, kind, capture, self.site)
        candidates: list[Candidate] = []
        for entry in entries:
            with contextlib.suppress(AddressRefused):
                candidate = candidate_of(entry, self.site, kind, listed_on, is_post=is_post)
                candidates += [candidate] if candidate else []
        outcome = Outcome.LISTED if capture.status == HTTPStatus.OK else Outcome.SOURCE_FAILED
        outcome = Outcome.UNCHANGED if capture.status == HTTPStatus.NOT_MODIFIED else outcome
        with self.archive.transaction():
            self.archive.frontier.add(candidates, at=self.clock.time, due_at=self.run.started_at)
            row = self.archive.ledger.open(self.run.id, url, kind=kind, found_by="seed", at=self.clock.time)
            if row is not None:
                response = Response(capture, ref)
                self.archive.ledger.close(row, outcome, at=self.clock.time, response=response)


def _document_kind(capture: Capture) -> str | None:
    """Return what kind of document of the site a capture is, or None for a page."""
    path = urlsplit(capture.url).path
    if path == "/robots.txt":
        return "robots"
    if path.startswith("/wp-json/") or rest.ROUTE in capture.url:
        return "rest"
    if path.endswith((".xml", ".xml.gz", ".txt")):
        return "sitemap"
    kind = (capture.header("content-type") or "").lower()
    return "feed" if path.rstrip("/").endswith("/feed") or "rss+xml" in kind or "atom+xml" in kind else None


def _entries(
    url: str, kind: str, capture: Capture, site: Site
) -> tuple[tuple[Listed, ...], str | None, bool]:
    """Return what a list names, the source that vouches for it, and whether it lists nothing but stories."""
    if capture.status != HTTPStatus.OK or kind == "robots" or "include=" in url:
        return (), None, False
    try:
        body = decode(capture)
        if kind == "rest":
            return (
                rest.parse_posts(body, dict(capture.headers)).entries,
                rest.list_of(url),
                True,
            )
        if kind == "feed":
            return feed.parse(body, url=url).entries, None, True
        read = sitemap.parse(body, url=url)
    except (ContentError, SourceUnusable):
        return (), None, False
    about_posts = sitemap.is_about_posts(url)
    if read.kind == "index" or about_posts is False:
        return (), None, False
    if read.kind == "feed":
        return read.entries, None, True
    return read.entries, url, bool(about_posts)
