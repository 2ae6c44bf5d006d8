"""The WARC files and images of archives that are joined: copied, put in their places, and taken away."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from uknip_crawler.archive import Archive, warc
from uknip_crawler.archive.images import FOLDER as IMAGES
from uknip_crawler.archive.images import Images, Kept, digest_of
from uknip_crawler.archive.union import File
from uknip_crawler.archive.warc import rewriting
from uknip_crawler.archive.warc.rewriting import is_tombstone
from uknip_crawler.errors import StorageError

_PARTIAL = ".part"


def bring(file: File, to: Path, *, is_own: bool) -> list[str]:
    """Put a WARC file in the place of its new name; return what of it cannot be read.

    The archive's own closed files are linked: nobody ever writes to them again. One that was left open is cut later, so it
    is copied.
    """
    if file.closed_at is None:
        to = to.with_name(f"{to.name}.open")
    if is_own and file.closed_at is not None:
        _link(file.path, to)
        return []
    _copy(file.path, to)
    if file.closed_at is None:
        return []
    return [
        f"{file.path} at byte {member.offset}: {member.length:,} bytes are damaged"
        for member in warc.members(to)
        if not member.is_whole
    ]


def bring_images(staged: Archive, directories: Sequence[Path]) -> list[str]:
    """Put the images of all archives side by side, with one index; return what cannot be read.

    An address of which two archives had kept different files has both; the one kept first is told last, which counts.
    """
    lines: set[Kept] = set()
    trouble = []
    for number, directory in enumerate(directories):
        for kept in set(Images(staged.db, directory).indexed()) - lines:
            path, to = directory / IMAGES / kept.location, staged.directory / IMAGES / kept.location
            if not to.is_file():
                if not path.is_file():
                    continue  # lost before: its next crawl asks again
                to.parent.mkdir(parents=True, exist_ok=True)
                if number == 0:
                    _link(path, to)
                else:
                    _copy(path, to)
                    if digest_of(to) != kept.sha256:
                        to.unlink()
                        trouble.append(f"{path}: damaged")
                        continue
            lines.add(kept)
    if lines:
        order = sorted(lines, key=lambda kept: (kept.url, kept.fetched_at, kept.sha256), reverse=True)
        staged.images.write_index(order)
    return trouble


def publish(staged: Archive, archive: Archive) -> None:
    """Let the archive be what was made beside it: files first, then the database in one transaction."""
    before = {name for (name,) in archive.db.conn.execute("SELECT name FROM warcs")}
    after = {name for (name,) in staged.db.conn.execute("SELECT name FROM warcs")}
    _place(staged.warc_folder, archive.warc_folder)
    _place(staged.directory / IMAGES, archive.directory / IMAGES)
    _drop_images(staged, archive)
    is_clean = archive.replace_with(staged)
    for name in before - after:
        (archive.warc_folder / name).unlink(missing_ok=True)
    warc.sync_folder(archive.warc_folder)
    if staged.redactions.are_any and not is_clean:
        raise StorageError(
            "joined, but somebody is reading the archive, so redacted text may be in its log: close `uknip browse` and run it again"
        )


def sweep(archive: Archive) -> None:
    """Delete what a merge that was killed had yet to delete: files that the ledger knows under another name."""
    known = {name for (name,) in archive.db.conn.execute("SELECT name FROM warcs")}
    rewriting.sweep(archive.db, archive.warc_folder)
    strays = [path for path in archive.warc_folder.glob("*.warc.gz") if path.name not in known]
    if not strays:
        return
    held = {warc.identity(archive.warc_folder / name) for name in known}
    marks = archive.redactions.known
    for path in strays:
        if is_tombstone(path.name):
            if {mark for one in rewriting.tombstones_in(path) for mark in one.marks} <= marks:
                path.unlink()
        elif warc.identity(path) in held:
            path.unlink()


def _place(source: Path, target: Path) -> None:
    for path in _files(source):
        to = target / path.relative_to(source)
        if to.is_file() and (to.samefile(path) or filecmp.cmp(path, to, shallow=False)):
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f"{to.name}{_PARTIAL}")
        partial.unlink(missing_ok=True)
        _link(path, partial)
        partial.replace(to)
        warc.sync_folder(to.parent)


def _drop_images(staged: Archive, archive: Archive) -> None:
    """Delete the files of images that were taken out with their stories."""
    folder = archive.directory / IMAGES
    stay = {kept.location for kept in staged.images.indexed()}
    for kept in archive.images.indexed():
        if kept.location not in stay:
            (folder / kept.location).unlink(missing_ok=True)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ()


def _link(path: Path, to: Path) -> None:
    try:
        to.hardlink_to(path)
    except OSError:  # a file system without links
        _copy(path, to)


def _copy(path: Path, to: Path) -> None:
    try:
        with path.open("rb") as source, to.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise StorageError(f"{path}: cannot be copied to {to.parent}: {error.strerror}") from error
