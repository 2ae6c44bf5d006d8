"""Joining archives of one site: what they hold is written into a database beside the archive's own, settled there from all
captures, and takes its place in one step. Killed at any point, the archive is as it was or as it is to be.

The order: the others are held still and copied, rows are joined, WARC files and images put side by side (the archive's own
are linked), redactions done, everything derived; then files appear under names that nobody has, the database changes in one
transaction, and what it no longer knows goes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from uknip_crawler.archive import DATABASE, Archive, lock
from uknip_crawler.archive.union import Source, United, has_news, unite
from uknip_crawler.archive.warc import rewriting
from uknip_crawler.errors import StorageError
from uknip_crawler.ingest.workers import Readers
from uknip_crawler.jobs import redaction
from uknip_crawler.jobs.derivation import derive
from uknip_crawler.jobs.merge import files
from uknip_crawler.jobs.merge.opening import site_of, snapshot
from uknip_crawler.jobs.recover import recover
from uknip_crawler.sites import load_site

STAGE = "merging"
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Merged:
    """What a merge brought: runs, visits and WARC files that the archive did not have, stories that another archive had
    taken out for good, what the archive holds now; `contradictions` tells where one verdict had to give way to another,
    `damaged` which of the captures brought cannot be read."""

    archives: int = 0
    is_new: bool = False
    runs: int = 0
    visits: int = 0
    files: int = 0
    redacted: int = 0
    articles: int = 0
    revisions: int = 0
    aliases: int = 0
    contradictions: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        return 3 if self.damaged else 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def merge(
    directory: Path,
    others: Sequence[Path],
    *,
    readers: Readers,
    clock: Callable[[], datetime],
    site: str | None = None,
    progress: Progress = lambda done, of: None,
) -> Merged:
    """Join other archives of the same site into the one in a folder, made if need be. Doing it twice changes nothing.

    `site` is the one that the archive is said to be of, if that was said. The others are only read. `progress` hears how many WARC files of how many are there. Raises UsageError for what is no
    archive or one of another site, ArchiveLocked where another run writes, StorageError for what is damaged, a newer
    version's, or does not fit on the disk; then the archive is as it was.
    """
    base_url, folders = site_of(directory, others, site)
    merged = Merged(archives=len(folders))
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(lock.held_still(folder))
        archive = stack.enter_context(_target(directory))
        stage = stack.enter_context(_stage(directory))
        recover(archive, load_site(base_url), clock=clock)
        files.sweep(archive)
        sources = [snapshot(folder, stage, number) for number, folder in enumerate([directory, *folders])]
        with Archive(stage) as staged:
            staged.hurry()
            united = unite(staged.db, sources)
            merged.is_new = bool(united.runs or united.fetches) or has_news(staged.db, sources[0])
            if merged.is_new:
                _bring(staged, sources, united, merged, progress)
        if merged.is_new:
            with Archive(stage) as staged:  # which knows the redactions now
                _settle(staged, base_url, merged, readers=readers, clock=clock)
                files.publish(staged, archive)
        for table in ("articles", "revisions", "aliases"):
            setattr(merged, table, archive.db.table(table).count)
    return merged


@contextmanager
def _target(directory: Path) -> Iterator[Archive]:
    """Open the archive; one that was made for a merge that failed goes again."""
    is_there = (directory / DATABASE).exists()
    was_folder = directory.exists()
    try:
        with Archive(directory) as archive:
            yield archive
    except BaseException:
        if not is_there:
            for left in (*directory.glob(f"{DATABASE}*"), directory / "lock"):
                left.unlink(missing_ok=True)
            if not was_folder:
                shutil.rmtree(directory, ignore_errors=True)
        raise


@contextmanager
def _stage(directory: Path) -> Iterator[Path]:
    """Make the folder in which the new database comes to be; one that a killed merge left goes first."""
    stage = directory / STAGE
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        yield stage
    except OSError as error:
        raise StorageError(
            f"{directory}: cannot write: {error.strerror}; free some space and run again"
        ) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _bring(
    staged: Archive, sources: Sequence[Source], united: United, merged: Merged, progress: Progress
) -> None:
    """Put the files that the new database speaks of beside it."""
    staged.warc_folder.mkdir()
    own = sources[0].folder
    for done, (name, file) in enumerate(united.files.items(), start=1):
        is_own = file.path.parent == own
        merged.damaged += files.bring(file, staged.warc_folder / name, is_own=is_own)
        merged.files += not is_own
        progress(done, len(united.files))
    merged.damaged += files.bring_images(staged, [source.folder.parent for source in sources])
    merged.runs, merged.visits = united.runs, united.fetches
    merged.contradictions = united.contradictions


def _settle(
    staged: Archive, base_url: str, merged: Merged, *, readers: Readers, clock: Callable[[], datetime]
) -> None:
    """End killed runs, take out what was redacted anywhere, then tell the stories' lives from all captures."""
    redactions = staged.redactions
    stories = [one.story for one in redactions.all() if one.story is not None and not one.is_erased]
    with staged.transaction():
        for one in redactions.all():
            if one.story in stories and one.story is not None:
                redactions.learn(one.id, redactions.story_marks(one.story, stories))
                redactions.claim(one.story, redaction.formerly_shown(staged, one.story))
    merged.redacted = len(stories)
    recover(staged, load_site(base_url), clock=clock)
    if redactions.are_any:
        runs = [run_id for (run_id,) in staged.db.conn.execute("SELECT id FROM runs ORDER BY id").fetchall()]
        redaction.after_run(staged, *runs, at=clock())
        with staged.transaction():
            redactions.date_tombstones()
    derive(staged, base_url, everything=True, readers=readers, at=clock())
    staged.settle_down()
    rewriting.sweep(staged.db, staged.warc_folder)
