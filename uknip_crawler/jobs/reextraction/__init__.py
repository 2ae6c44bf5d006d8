"""Reading the captures again: learn the layouts, then give every story the reading that today's rules give.

What a publisher changed stays a revision, what only our reading changed never becomes one: the versions of a story
are made from all its captures, each read by the same rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from uknip_crawler.archive import Archive
from uknip_crawler.archive.layouts import Row, Sampled, Wording
from uknip_crawler.archive.migration_dates import mark_migrations
from uknip_crawler.archive.readings import Captured
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.extraction import FOR_NOW, version_of
from uknip_crawler.extraction.learning.judging import Changes
from uknip_crawler.extraction.learning.layouts import Layout, Learned, Lore
from uknip_crawler.extraction.learning.learn import Studied, Studies, learn
from uknip_crawler.extraction.learning.masking import mask
from uknip_crawler.extraction.learning.rules import Wordings
from uknip_crawler.extraction.learning.stories import MAX_OPENING, Stories
from uknip_crawler.extraction.learning.studying import STUDY_VERSION
from uknip_crawler.extraction.learning.wording import WORDINGS
from uknip_crawler.extraction.page.text import key
from uknip_crawler.ingest.workers import (
    PAGE_SECONDS,
    WORKER_FAILURES,
    Pending,
    Pool,
    Readers,
    read_records,
    study_records,
)
from uknip_crawler.jobs.reextraction.history import Reextraction, Report
from uknip_crawler.models import Outcome, Reading

CHUNK = 25
AHEAD = 3
"""Chunks under way or done and waiting for their turn, a worker."""


def load_learned(archive: Archive) -> Learned:
    """Return everything the archive has learned, for `extraction.read`."""
    return Learned(_layouts(archive), _stories(archive), *_verdicts(archive), _lore(archive))


def _layouts(archive: Archive) -> dict[str, Layout]:
    return {row.skeleton: Layout.of(*row) for row in archive.layouts.learned()}


def _stories(archive: Archive) -> Stories:
    return Stories(archive.layouts.stories(MAX_OPENING))


def _lore(archive: Archive) -> Lore:
    return Lore.of(Wordings.of(archive.layouts.wordings()), archive.layouts.lore())


def _verdicts(archive: Archive) -> tuple[frozenset[str], frozenset[str]]:
    keep, strip = archive.layouts.verdicts()
    return frozenset(map(mask, keep)), frozenset(map(mask, strip))


def learn_layouts(
    archive: Archive, base_url: str, *, readers: Readers, at: datetime, dry_run: bool = False
) -> tuple[Learned, list[int]]:
    """Learn from a sample of the captures; return what is known now, and the stories that were read by other rules or
    may read otherwise by what was learned, in the order of their captures.

    Nothing is learned when no capture has come since. Only captures that nobody has studied yet are read for it. What
    may read otherwise is out of date from the moment the rules are kept: a re-reading that is killed loses none of it.
    """
    if archive.layouts.are_current():
        learned = load_learned(archive)
        return learned, _stale(archive, learned)
    sample = archive.layouts.sample(STUDY_VERSION)
    studied = _study(archive, base_url, [s for s in sample if s.study is None], readers)
    studies = Studies()
    for one in sample:
        if packed := studied.get(one.fetch_id, one.study):  # empty where a capture shows no story
            studies.add(Studied(one.story, one.fetched_at, one.digest, packed))
    stories = _stories(archive)
    layouts, lore = learn(studies, stories)
    learned = Learned(layouts, stories, *_verdicts(archive), lore)
    stale = _stale(archive, learned)
    touched = sorted(_touched(archive, Changes(_lore(archive), learned), set(stale)))
    if not dry_run:
        rows = [
            Row(layout.skeleton, layout.state, layout.studied, layout.agreement, layout.rules())
            for layout in layouts.values()
        ]
        with archive.transaction():
            for fetch_id, found in studied.items():
                archive.layouts.keep_study(fetch_id, STUDY_VERSION, found or b"")
            archive.layouts.keep_studies_of(one.fetch_id for one in sample)
            archive.layouts.save(rows, at=at)
            archive.layouts.save_lore(map(Wording._make, lore.wordings.rows()), lore.kept())
            archive.readings.outdate(touched, FOR_NOW)
    return learned, [*stale, *touched]


def _stale(archive: Archive, learned: Learned) -> list[int]:
    return archive.readings.stale(lambda skeleton: version_of(learned, skeleton))


def _study(
    archive: Archive, base_url: str, captures: Sequence[Sampled], readers: Readers
) -> dict[int, bytes | None]:
    """Return the packed studies of captures, by ledger row; None of those that show no story."""
    if not captures:
        return {}
    records = [capture.record for capture in captures]
    with readers.pool(base_url, Learned(), archive.warc_folder.resolve()) as pool:
        found = _in_order(
            pool,
            study_records,
            archive,
            _chunks(records, readers.count),
            lambda _record: [None],
            ahead=AHEAD * readers.count,
        )
        packed = chain.from_iterable(found)
        return {capture.fetch_id: study for capture, study in zip(captures, packed, strict=True)}


def reextract(
    archive: Archive,
    base_url: str,
    learned: Learned,
    article_ids: Sequence[int],
    *,
    readers: Readers,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Read every capture of some stories again and replace their readings, some at a time: what is done stays done.

    `progress` hears how many stories of how many are done. A story of which no capture gives a story keeps its reading.
    """
    report = Report()
    if not article_ids:
        return report
    progress(0, len(article_ids))
    batches: deque[dict[int, list[Captured]]] = deque()  # those under way

    def records() -> Iterator[list[RecordRef]]:
        for part in _chunks(article_ids, readers.count):
            batches.append(archive.readings.captures(part))
            yield [c.record for captures in batches[-1].values() for c in captures]

    ahead = AHEAD * readers.count
    with readers.pool(base_url, learned, archive.warc_folder.resolve()) as pool:
        for readings in _in_order(pool, read_records, archive, records(), _unreadable, ahead=ahead):
            batch, found = batches.popleft(), iter(readings)
            read_captures = {
                article_id: list(zip(captures, islice(found, len(captures)), strict=True))
                for article_id, captures in batch.items()
            }
            Reextraction(archive, learned, report, dry_run).store(read_captures)
            progress(report.stories, len(article_ids))
    if not dry_run:
        with archive.transaction():
            mark_migrations(archive.db)
    return report


def learn_and_reextract(
    archive: Archive,
    base_url: str,
    *,
    everything: bool,
    readers: Readers,
    at: datetime,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Do what follows a run that fetched something: learn, then read again what it brought and what is out of date."""
    brought = archive.readings.all() if everything else archive.readings.underived()
    known = Learned(_layouts(archive), Stories(), *_verdicts(archive))
    if not brought and not _stale(archive, known):
        return Report()
    learned, out_of_date = learn_layouts(archive, base_url, readers=readers, at=at)
    if not everything:
        brought = archive.readings.unsettled(lambda skeleton: version_of(learned, skeleton))
    others = set() if everything else set(out_of_date) - set(brought)
    wanted = [*brought, *sorted(others)]
    return reextract(archive, base_url, learned, wanted, readers=readers, progress=progress)


def _touched(archive: Archive, changes: Changes, anyway: Collection[int]) -> set[int]:
    """Return the stories that may read otherwise by what was learned of wordings and of other stories, besides those
    that are read again `anyway`."""
    found = {
        article_id
        for article_id, headline, body in archive.readings.texts()
        if article_id not in anyway
        and any(changes.touch_kept(line.removeprefix("- "), key(headline)) for line in body.split("\n\n"))
    }
    stripped = archive.readings.stripped(WORDINGS)
    return found | {
        number for number, line in stripped if number not in anyway and changes.touch_stripped(line)
    }


def _chunks(items: Sequence[Any], workers: int) -> list[Any]:
    """Cut items into tasks: small ones where there are few, or one worker would do all of a small run's reading."""
    size = min(CHUNK, max(1, len(items) // (4 * workers)))
    return [items[start : start + size] for start in range(0, len(items), size)]


def _unreadable(_record: RecordRef) -> list[Reading]:
    reason = f"not read within {PAGE_SECONDS} s and its share of memory"
    return [Reading(outcome=Outcome.EXTRACT_TIMEOUT, reason=reason)]


def _in_order(
    pool: Pool,
    task: Callable[..., list[Any]],
    archive: Archive,
    chunks: Iterable[list[RecordRef]],
    instead: Callable[[RecordRef], list[Any]],
    *,
    ahead: int,
) -> Iterator[list[Any]]:
    """Yield what the workers made of each chunk, in order; `ahead` chunks are under way at a time.

    A chunk that a page broke is done again record by record, so that only that page is without a result.
    """

    folder = archive.warc_folder.resolve()

    def begin(records: list[RecordRef]) -> Pending[list[Any]]:
        return pool.schedule(task, folder, records, seconds=PAGE_SECONDS * max(1, len(records)))

    waiting: list[tuple[list[RecordRef], Pending[list[Any]]]] = []
    rest = iter(chunks)
    while True:
        for records in islice(rest, ahead - len(waiting)):
            waiting.append((records, begin(records)))
        if not waiting:
            return
        records, future = waiting.pop(0)
        try:
            yield future.result()
        except WORKER_FAILURES:
            found: list[Any] = []
            for record in records:
                try:
                    found += begin([record]).result()
                except WORKER_FAILURES:
                    found += instead(record)
            yield found
