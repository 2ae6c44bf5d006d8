"""Reading the captures again: learn the layouts, then give every story the reading that today's rules give.

What a publisher changed stays a revision, what only our reading changed never becomes one: the versions of a story
are told anew from all its captures, each read by the same rules.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WorkerTimeout
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from pebble import ProcessExpired

from uknip_crawler.archive import Archive
from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.layouts import Row
from uknip_crawler.archive.migrated import mark_migrations
from uknip_crawler.archive.parts import Evidence
from uknip_crawler.archive.readings import Captured, Version
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.extraction import version_of
from uknip_crawler.extraction.layouts import MAX_OPENING, Layout, Learned, Stories
from uknip_crawler.extraction.learning import learn
from uknip_crawler.extraction.listed import with_listed
from uknip_crawler.extraction.masking import mask
from uknip_crawler.fingerprints import content_sha256
from uknip_crawler.models import Article, Outcome, Reading, Stripped
from uknip_crawler.revisions import compare, only_adds
from uknip_crawler.workers import PAGE_SECONDS, Workers, read_records, study_records

CHUNK = 25
SAMPLES = 5
FIELDS = (
    "headline", "kicker", "standfirst", "section", "published_at", "modified_at", "authors", "tags", "body", "images",
)  # fmt: skip


@dataclass(slots=True)
class Sample:
    """A story whose text changed: how many words it has more and less, and a short diff."""

    url: str
    added_words: int
    removed_words: int
    diff: str


@dataclass(slots=True)
class Report:
    """What a re-reading changed. `lost_text` are stories with fewer words than before, `unread` captures that gave
    no story now, as (address, reason): their old readings stay."""

    stories: int = 0
    captures: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    lost_text: list[tuple[str, int]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def note(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        for name in FIELDS:
            self.changed[name] += before[name] != after[name]
        if before["body"] == after["body"]:
            return
        change = compare(before["headline"], before["body"], after["headline"], after["body"])
        self.samples.append(Sample(before["url"], change.added_words, change.removed_words, change.diff))
        self.samples.sort(key=lambda s: (-s.added_words - s.removed_words, s.url))
        del self.samples[SAMPLES:]
        if change.removed_words > change.added_words:
            self.lost_text.append((before["url"], change.removed_words - change.added_words))


def load_learned(archive: Archive) -> Learned:
    """Return everything the archive has learned, for `extraction.read`."""
    return Learned(_layouts(archive), _stories(archive), *_verdicts(archive))


def _layouts(archive: Archive) -> dict[str, Layout]:
    return {row.skeleton: Layout.of(*row) for row in archive.layouts.learned()}


def _stories(archive: Archive) -> Stories:
    return Stories(archive.layouts.stories(MAX_OPENING))


def _verdicts(archive: Archive) -> tuple[frozenset[str], frozenset[str]]:
    keep, strip = archive.layouts.verdicts()
    return frozenset(map(mask, keep)), frozenset(map(mask, strip))


def learn_layouts(
    archive: Archive, base_url: str, *, workers: int, at: datetime, dry_run: bool = False
) -> Learned:
    """Learn every layout from a sample of its captures; nothing is done when no capture has come since."""
    if archive.layouts.are_current():
        return load_learned(archive)
    stories = _stories(archive)
    with Workers(base_url, Learned(), count=workers) as pool:
        found = _in_order(
            pool, study_records, archive, _chunks(archive.layouts.sample(), CHUNK), lambda _record: []
        )
        layouts = {layout.skeleton: layout for layout in learn(chain.from_iterable(found), stories)}
    if not dry_run:
        rows = [
            Row(layout.skeleton, layout.state, layout.studied, layout.agreement, layout.rules())
            for layout in layouts.values()
        ]
        with archive.transaction():
            archive.layouts.save(rows, at=at)
    return Learned(layouts, stories, *_verdicts(archive))


def reread(
    archive: Archive,
    base_url: str,
    learned: Learned,
    article_ids: Sequence[int],
    *,
    workers: int,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Read every capture of some stories again and replace their readings, some at a time: what is done stays done.

    `progress` hears how many stories are done. A story of which no capture gives a story keeps its reading.
    """
    report = Report()
    if not article_ids:
        return report
    batches: deque[dict[int, list[Captured]]] = deque()  # those under way

    def records() -> Iterator[list[RecordRef]]:
        for part in _chunks(article_ids, CHUNK):
            batches.append(archive.readings.captures(part))
            yield [c.record for captures in batches[-1].values() for c in captures]

    with Workers(base_url, learned, count=workers) as pool:
        for readings in _in_order(pool, read_records, archive, records(), _unreadable):
            batch, found = batches.popleft(), iter(readings)
            told = {
                article_id: list(zip(captures, islice(found, len(captures)), strict=True))
                for article_id, captures in batch.items()
            }
            _Batch(archive, learned, report, dry_run).store(told)
            progress(report.stories)
    if not dry_run:
        with archive.transaction():
            mark_migrations(archive.db)
    return report


def bring_up_to_date(
    archive: Archive, base_url: str, run_id: int | None, *, workers: int, at: datetime
) -> Report:
    """Do what follows a run that fetched something: learn, then read again what it brought and what is out of date.

    Without a run everything is read again.
    """
    brought = archive.readings.all() if run_id is None else archive.readings.captured_in(run_id)
    known = Learned(_layouts(archive), Stories(), *_verdicts(archive))
    if not brought and not archive.readings.stale(lambda skeleton: version_of(known, skeleton)):
        return Report()
    learned = learn_layouts(archive, base_url, workers=workers, at=at)
    stale = archive.readings.stale(lambda skeleton: version_of(learned, skeleton))
    wanted = [*brought, *(set(stale) - set(brought))]
    return reread(archive, base_url, learned, wanted, workers=workers)


def _chunks(items: Sequence[Any], size: int) -> list[Any]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _unreadable(_record: RecordRef) -> list[Reading]:
    reason = f"not read within {PAGE_SECONDS} s and its share of memory"
    return [Reading(outcome=Outcome.EXTRACT_TIMEOUT, reason=reason)]


def _in_order(
    pool: Workers,
    task: Callable[..., list[Any]],
    archive: Archive,
    chunks: Iterable[list[RecordRef]],
    instead: Callable[[RecordRef], list[Any]],
) -> Iterator[list[Any]]:
    """Yield what the workers made of each chunk, in order, a few chunks ahead.

    A chunk that a page broke is done again record by record, so that only that page is without a result.
    """

    def begin(records: list[RecordRef]) -> Future[list[Any]]:
        return pool.schedule(task, archive.warc_folder, records, seconds=PAGE_SECONDS * max(1, len(records)))

    waiting: list[tuple[list[RecordRef], Future[list[Any]]]] = []
    rest = iter(chunks)
    while True:
        for records in islice(rest, 6 - len(waiting)):
            waiting.append((records, begin(records)))
        if not waiting:
            return
        records, future = waiting.pop(0)
        try:
            yield future.result()
        except (WorkerTimeout, ProcessExpired, MemoryError):
            found: list[Any] = []
            for record in records:
                try:
                    found += begin([record]).result()
                except (WorkerTimeout, ProcessExpired, MemoryError):
                    found += instead(record)
            yield found


Told = list[tuple[Captured, Reading]]


@dataclass(slots=True)
class _Batch:
    """Some stories, stored in one transaction."""

    archive: Archive
    learned: Learned
    report: Report
    dry_run: bool

    def store(self, told: dict[int, Told]) -> None:
        if self.dry_run:
            for article_id, captures in told.items():
                self._one(article_id, captures)
            return
        with self.archive.transaction():
            for article_id, captures in told.items():
                self._one(article_id, captures)

    def _one(self, article_id: int, captures: Told) -> None:
        self.report.stories += 1
        self.report.captures += len(captures)
        before = self.archive.readings.now(article_id)
        read = [(captured, reading) for captured, reading in captures if reading.article is not None]
        for captured, reading in captures:
            if reading.article is None:
                self.report.unread.append(
                    (before["url"], f"{captured.captured_at:%Y-%m-%d}: {reading.reason}")
                )
        newest_failed = not read or read[-1][0].fetch_id != captures[-1][0].fetch_id
        if newest_failed or any(r.article is None for _, r in captures):
            if not self.dry_run:  # half a life is no life: everything stays as it was read before
                self.archive.readings.mark_read(article_id, self._version(captures, before))
            return
        read = self._with_listed(read, before["url"])
        versions, shown, stripped = self._versions(read, before["url"])
        self.report.note(before, _fields(shown.article))
        if not self.dry_run:
            self.archive.readings.replace(
                article_id,
                versions,
                shown,
                stripped,
                layouts={c.fetch_id: self._layout(c, r) for c, r in read},
            )

    def _with_listed(self, read: Told, url: str) -> Told:
        """Return the readings with what the site's own lists say of the story."""
        newest = read[-1][1].article
        said = self.archive.frontier.said_of(url, newest.post_id if newest else None)
        return [
            (c, replace(r, article=with_listed(r.article, said, c.captured_at) if r.article else None))
            for c, r in read
        ]

    def _version(self, captures: Told, before: dict[str, Any]) -> str:
        skeletons = dict(self.archive.readings.skeletons())
        return version_of(self.learned, skeletons.get(before["layout_id"]))

    def _layout(self, captured: Captured, reading: Reading) -> int | None:
        if reading.skeleton is None or self.dry_run:
            return None
        return self.archive.layouts.id_of(reading.skeleton, at=captured.captured_at)

    def _versions(self, read: Told, url: str) -> tuple[list[Version], Version, tuple[Stripped, ...]]:
        """Return the publisher's versions, the one to show, and the furniture on its page.

        A page in another layout that is still young may hold furniture nobody knows yet: when its text only adds
        to the text known before, the older reading stands until the layout is trusted.
        """
        versions: list[Version] = []
        shown: Version | None = None
        skeleton: str | None = None
        stripped: tuple[Stripped, ...] = ()
        for captured, reading in read:
            version = self._version_at(captured, reading)
            young = not self._is_trusted(reading.skeleton)
            if shown is not None and shown.content_sha256 != version.content_sha256:
                doubtful = young and reading.skeleton != skeleton
                if doubtful and only_adds(shown.article.body, version.article.body):
                    continue
            if shown is None or shown.content_sha256 != version.content_sha256:
                versions.append(version)
            shown, skeleton, stripped = version, reading.skeleton, reading.furniture
        assert shown is not None
        newest = self._version_at(
            *read[-1]
        )  # also what is held back is read again once its layout is trusted
        evidence = replace(
            shown.evidence,
            extractor_version=newest.evidence.extractor_version,
            layout_id=newest.evidence.layout_id,
        )
        return versions, replace(shown, evidence=evidence), stripped

    def _version_at(self, captured: Captured, reading: Reading) -> Version:
        assert reading.article is not None
        article = reading.article
        digest = content_sha256(article.headline, article.body)
        evidence = Evidence(
            captured.run_id,
            captured.fetch_id,
            captured.captured_at,
            reading.version,
            self._layout(captured, reading),
        )
        return Version(article, digest, evidence)

    def _is_trusted(self, skeleton: str | None) -> bool:
        layout = self.learned.layouts.get(skeleton or "")
        return layout is not None and layout.is_trusted


def _fields(article: Article) -> dict[str, Any]:
    return {
        "headline": article.headline,
        "kicker": article.kicker,
        "standfirst": article.standfirst,
        "section": article.section,
        "published_at": as_text(article.published_at),
        "modified_at": as_text(article.modified_at),
        "authors": article.authors,
        "tags": article.tags,
        "body": article.body,
        "images": tuple(image.url for image in article.images),
    }
