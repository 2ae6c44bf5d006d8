"""Taking in what other crawlers captured: every page keeps its own time, whatever the order of import.

The captures are copied into the archive's own WARC files, so that it rests on nothing outside itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from uknip_crawler import __version__
from uknip_crawler.archive import Archive
from uknip_crawler.archive.merging import merge_split_stories
from uknip_crawler.archive.warc import RecordRef, rewriting
from uknip_crawler.archive.warc.lenient import ForeignWarc
from uknip_crawler.archive.warc.records import Damage, Loaded, Other, Record
from uknip_crawler.archive.warc.unpacking import inside
from uknip_crawler.errors import StorageError
from uknip_crawler.ingest.replay import BATCH, Replay, Stored
from uknip_crawler.ingest.visit import CrawlRun
from uknip_crawler.ingest.workers import Readers
from uknip_crawler.jobs import redaction
from uknip_crawler.jobs.derivation import derive
from uknip_crawler.jobs.recover import recover
from uknip_crawler.jobs.reextraction import load_learned
from uknip_crawler.models import FAILURES, Capture, Outcome
from uknip_crawler.sites import Site, load_site
from uknip_crawler.times import EARLIEST
from uknip_crawler.urls import (
    AddressKind,
    canonical_or_none,
    classify,
    is_numbered,
    is_variant,
    part_of,
)

_OPEN_FILES = 32
_TAKEN = frozenset({200, 301, 302, 303, 304, 307, 308, 404, 410})
"""Answers that tell of a story's life; others (errors, refusals) tell of the site's or of the crawler's."""
_UNREAD = FAILURES - {Outcome.LOST, Outcome.CHALLENGE, Outcome.INTERRUPTED}
"""Failures of an import: not the redirects whose page was never captured, nor the walls that the other crawler met."""
_NO_ORIGINAL = (
    "a revisit of a page that is in none of the files: import the file that holds it, and this one again"
)


@dataclass(slots=True)
class ImportReport:
    """What an import did. `taken` captures are new, `held` were there already, `elsewhere` are of other sites or of
    addresses that are never asked for, `passed_over` are answers without a page, `others` the records of other kinds;
    `damaged` tells what could not be read."""

    run: int = 0
    files: int = 0
    records: int = 0
    taken: int = 0
    held: int = 0
    elsewhere: int = 0
    passed_over: int = 0
    others: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    articles: int = 0
    revisions: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        return 3 if self.damaged or _UNREAD & self.outcomes.keys() else 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A record of one of the site's addresses, in the order of its time."""

    fetched_at: datetime
    url: str
    record: Record


def import_warcs(
    archive: Archive,
    base_url: str,
    paths: Sequence[Path],
    *,
    readers: Readers,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> ImportReport:
    """Take in the site's pages from WARC files. Importing twice changes nothing.

    `progress` hears how many records of how many are done. Raises UsageError for a file that is no WARC.
    """
    site = load_site(base_url)
    recover(archive, site, clock=clock)
    report = ImportReport(files=len(paths))
    with ExitStack() as stack, readers.pool(base_url, load_learned(archive)) as pool:
        files = _Files(stack)
        found, damaged = _survey(files, paths, site, clock(), report)
        listed = [one for one in found if not is_variant(one.record.url)]
        listed.sort(key=lambda one: part_of(one.url) is not None)  # a story's first page tells of the others
        variants = [one for one in found if is_variant(one.record.url)]
        with archive.transaction():
            report.run = archive.ledger.start_run("import", base_url, {}, __version__, at=clock())
        run = CrawlRun(report.run, clock(), clock, is_live=False)
        taking = _Taking(archive, site, files, Replay(archive, site, run, pool), report, clock)
        for damage in damaged:
            taking.refuse(damage)
        for start in range(0, len(listed), BATCH):
            taking.take(listed[start : start + BATCH])
            progress(start, len(listed))
        taking.take_again()
        for start in range(0, len(variants), BATCH):
            taking.take(taking.unknown(variants[start : start + BATCH]))
        taking.finish()
    _end(archive, report, clock)
    derive(archive, base_url, readers=readers, at=clock())
    report.outcomes = dict(archive.ledger.outcomes(report.run))
    report.articles = archive.db.table("articles").count
    report.revisions = archive.db.table("revisions").count
    return report


def _survey(
    files: _Files, paths: Sequence[Path], site: Site, now: datetime, report: ImportReport
) -> tuple[list[_Listed], list[Damage]]:
    """Return the records of the site's pages, the oldest first, and what is damaged."""
    listed: list[_Listed] = []
    damaged: list[Damage] = []
    others = Counter[str]()
    for path in chain.from_iterable(map(inside, paths)):
        for found in files.get(path).records():
            if isinstance(found, Damage):
                damaged.append(found)
                continue
            if isinstance(found, Other):
                others[found.kind] += 1
                continue
            report.records += 1
            if found.fetched_at > now:
                damaged.append(Damage(found.place, f"captured in the future, {found.fetched_at:%Y-%m-%d}"))
            elif found.fetched_at.date() < EARLIEST:
                damaged.append(Damage(found.place, "captured before there was a web"))
            elif (url := _page_of(found.url, site)) is None:
                report.elsewhere += 1
            else:
                listed.append(_Listed(found.fetched_at, url, found))
    report.others = dict(sorted(others.items()))
    # a revisit after the page it repeats
    listed.sort(key=lambda one: (one.fetched_at, one.record.is_revisit, one.url))
    return listed, damaged


def _page_of(url: str, site: Site) -> str | None:
    canonical = canonical_or_none(url, site)
    if canonical is None:
        return None
    is_trap = classify(canonical, site) is AddressKind.TRAP and not is_numbered(canonical)
    return None if is_trap else canonical


def _end(archive: Archive, report: ImportReport, clock: Callable[[], datetime]) -> None:
    archive.finish_captures(at=clock())
    redaction.after_run(archive, report.run, at=clock())
    with archive.transaction():
        merge_split_stories(archive.db)
        archive.frontier.add_imported(report.run, at=clock())
        archive.ledger.finish_run(
            report.run, report.exit_status, "finished", requests=0, received_bytes=0, at=clock()
        )


class _Files:
    """WARC files, a few of them open at a time."""

    def __init__(self, stack: ExitStack) -> None:
        self._open: OrderedDict[Path, ForeignWarc] = OrderedDict()
        stack.callback(self._close)

    def get(self, path: Path) -> ForeignWarc:
        found = self._open.pop(path, None) or ForeignWarc(path)
        self._open[path] = found
        while len(self._open) > _OPEN_FILES:
            self._open.popitem(last=False)[1].close()
        return found

    def _close(self) -> None:
        for file in self._open.values():
            file.close()


@dataclass(slots=True)
class _Taking:
    """One import under way. `digests` maps payload digests as written to where the payload lies with us."""

    archive: Archive
    site: Site
    files: _Files
    replay: Replay
    report: ImportReport
    clock: Callable[[], datetime]
    digests: dict[str, RecordRef] = field(default_factory=dict)
    unresolved: list[_Listed] = field(default_factory=list)
    seen: Counter[tuple[str, datetime, str]] = field(default_factory=Counter)

    def take(self, listed: Sequence[_Listed]) -> None:
        self.replay.take(list(self._stored(listed)))

    def take_again(self) -> None:
        """Try once more the revisits of pages that came after them."""
        waiting, self.unresolved = self.unresolved, []
        self.take(waiting)
        self.replay.settle_all()

    def unknown(self, variants: Sequence[_Listed]) -> list[_Listed]:
        """Return the first AMP or print form of each story that no ordinary page shows: better than nothing."""
        first = {one.url: one for one in reversed(variants) if self.archive.articles.at(one.url) is None}
        self.report.passed_over += len(variants) - len(first)
        return [one for one in variants if first.get(one.url) is one]

    def finish(self) -> None:
        for one in self.unresolved:
            self.refuse(Damage(one.record.place, _NO_ORIGINAL))
        self.replay.finish()

    def refuse(self, damage: Damage) -> None:
        """Record what could not be taken in: one line for people, one row of the ledger."""
        line = f"{damage.place}: {damage.reason}"
        self.report.damaged.append(line)
        with self.archive.transaction():
            now, place = self.clock(), str(damage.place)
            row = self.archive.ledger.open(
                self.report.run, place, kind="record", found_by="import", at=now, imported_from=place
            )
            if row is not None:
                self.archive.ledger.close(row, Outcome.DATALOSS, at=now, detail=damage.reason)

    def _stored(self, listed: Sequence[_Listed]) -> Iterator[Stored]:
        for one in listed:
            answer = self.files.get(one.record.place.path).load(one.record.place)
            if isinstance(answer, Damage):
                self.refuse(answer)
                continue
            capture = self._whole(one, answer)
            if capture is None:
                continue
            if capture.status not in _TAKEN:
                self.report.passed_over += 1
            elif self._is_held(one.url, capture):
                self.report.held += 1
            else:
                record = self.archive.capture(self.report.run, capture, None, at=self.clock())
                if answer.payload_digest:
                    self.digests.setdefault(answer.payload_digest, record)
                self.report.taken += 1
                yield Stored(one.url, capture, record, str(one.record.place), is_variant(one.record.url))

    def _is_held(self, url: str, capture: Capture) -> bool:
        key = (url, capture.fetched_at.replace(microsecond=0), capture.payload_sha256)
        self.seen[key] += 1
        return (
            self.seen[key] > 1
            or self.archive.ledger.record_of(*key) is not None
            or self._is_altered(*key[:2])
        )

    def _is_altered(self, url: str, fetched_at: datetime) -> bool:
        """Tell whether a capture is held with a redacted story's traces blacked out: its digest is another then."""
        if not self.archive.redactions.are_any:
            return False
        record = self.archive.ledger.record_of(url, fetched_at)
        return record is not None and rewriting.is_altered(self.archive.warc_folder, record)

    # Revisits

    def _whole(self, one: _Listed, answer: Loaded) -> Capture | None:
        """Return the capture that a record stands for; None, to be tried again, for a revisit of an unknown page."""
        if not one.record.is_revisit and answer.capture is not None:
            return answer.capture
        if answer.is_not_modified:
            headers = answer.capture.headers if answer.capture else ()
            return Capture(one.record.url, 304, headers, b"", one.fetched_at)
        original = self._original(one, answer)
        if original is None:
            self.unresolved.append(one)
            return None
        repeated = answer.capture or original
        return replace(
            repeated, url=one.record.url, status=200 if repeated.status == 304 else repeated.status,
            body=original.body, fetched_at=one.fetched_at,
        )  # fmt: skip

    def _original(self, one: _Listed, answer: Loaded) -> Capture | None:
        """Return the earlier capture that a revisit repeats, by its payload's digest or else by its address and time."""
        digest = answer.payload_digest
        records = [self.digests[digest]] if digest in self.digests else []
        named = _page_of(answer.refers_to_url or one.url, self.site)
        if named is not None and not records:
            if answer.refers_to_at is not None:
                record = self.archive.ledger.record_of(named, answer.refers_to_at)
                records += [record] if record else []
            else:
                records += self.archive.ledger.records_of(named)
        for record in records:
            try:
                capture = self.archive.read_capture(record)
            except StorageError:
                continue
            if digest is None or digest in self.digests or _matches(digest, capture.body):
                return capture
        return None


def _matches(digest: str, body: bytes) -> bool:
    """Tell whether a labelled digest (WARC 1.1 §5.8) may be that of a payload; of an unknown algorithm, yes."""
    algorithm, _, value = digest.partition(":")
    try:
        found = hashlib.new(algorithm.lower().replace("-", ""), body, usedforsecurity=False).digest()
    except (ValueError, TypeError):  # digests without a length of their own are none of a WARC file's
        return True
    return value.strip().lower() in (found.hex(), base64.b32encode(found).decode().lower())
