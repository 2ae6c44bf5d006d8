"""Kept images: each file once, named by its digest, and what is known of each address an image has.

A file in images/ is whole and on the disk before anything speaks of it: written beside its place, synced, moved, then
a line in images/index.jsonl, then its row. The index tells address → file without the database.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlite_utils import Database

from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.warc import sync_folder
from uknip_crawler.errors import StorageError
from uknip_crawler.models import Media

FOLDER = "images"
INDEX = "index.jsonl"
MAX_FAILURES = 3
BY_ROBOTS = "robots.txt forbids it"
BY_HOST = "no image host: "
"""Refusals that another robots.txt, or another list of hosts, may lift; the second is followed by the host."""

_TEMPORARY = ".part"


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept image: one line of the index, and the columns of its row. `fetched_at` is UTC text."""

    url: str
    sha256: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    fetched_at: str

    @property
    def location(self) -> str:
        return location(self.sha256, self.media_type)


def location(sha256: str, media_type: str) -> str:
    """Return where an image lies within images/: `ab/abcd….jpg`."""
    extension = media_type.removeprefix("image/").replace("jpeg", "jpg")
    return f"{sha256[:2]}/{sha256}.{extension}"


class Images:
    """The images of one archive. `keep`, `fail` and `refuse` run inside the caller's transaction."""

    def __init__(self, db: Database, directory: Path) -> None:
        self._db = db
        self._folder = directory / FOLDER
        self._index: IO[bytes] | None = None

    # What is still to be had

    def wanted(self, since: datetime | None = None) -> list[int]:
        """Return the images to ask for: lead images first, of these the newest story's first.

        `since` leaves out those of stories published earlier. Not among them: kept and refused ones, and those that
        failed three times.
        """
        rows = self._db.conn.execute(
            """
            SELECT images.id, max(coalesce(published_at, first_seen_at)) AS newest FROM images
            JOIN article_images ON image_id = images.id JOIN articles ON articles.id = article_id
            WHERE sha256 IS NULL AND refused IS NULL AND failures < ? AND articles.status <> 'redacted'
                AND coalesce(published_at, first_seen_at) >= ?
            GROUP BY images.id ORDER BY max(is_lead) DESC, newest DESC, min(position), images.id
            """,
            (MAX_FAILURES, as_text(since) or ""),
        )
        return [row[0] for row in rows]

    def address(self, image_id: int) -> tuple[str, str]:
        """Return an image's address and that of a story which shows it."""
        row: tuple[str, str] = self._db.conn.execute(
            "SELECT images.url, articles.url FROM images JOIN article_images ON image_id = images.id "
            "JOIN articles ON articles.id = article_id WHERE images.id = ? ORDER BY is_lead DESC, articles.id LIMIT 1",
            (image_id,),
        ).fetchone()
        return row

    def kept_at(self, url: str) -> Kept | None:
        """Return the image kept of an address, or None."""
        row = self._db.conn.execute(
            "SELECT url, sha256, media_type, size_bytes, width, height, fetched_at FROM images "
            "WHERE url = ? AND sha256 IS NOT NULL",
            (url,),
        ).fetchone()
        return Kept(*row) if row else None

    # Keeping

    def write(self, url: str, body: bytes, media: Media, *, at: datetime) -> Kept:
        """Put an image on the disk; return once it will survive a power cut. Raises StorageError."""
        digest = hashlib.sha256(body).hexdigest()
        facts = (media.media_type, len(body), media.width, media.height, as_text(at) or "")
        kept = Kept(url, digest, *facts)
        path = self._folder / kept.location
        with self._writing():
            if not path.is_file() or path.stat().st_size != len(body):
                self._put(path, body)
            self._note(kept)
        return kept

    def copy(self, kept: Kept, url: str) -> Kept:
        """Have the index say that a kept image is also found at another address."""
        kept = replace(kept, url=url)
        with self._writing():
            self._note(kept)
        return kept

    def keep(self, image_id: int, kept: Kept) -> bool:
        """Record an image as kept; return whether another address had brought the same file."""
        twin = self._db.conn.execute(
            "SELECT 1 FROM images WHERE sha256 = ? AND id <> ? LIMIT 1", (kept.sha256, image_id)
        ).fetchone()
        self._db.conn.execute(
            "UPDATE images SET sha256 = ?, media_type = ?, size_bytes = ?, width = ?, height = ?, fetched_at = ?, "
            "failures = 0, refused = NULL WHERE id = ?",
            (
                kept.sha256,
                kept.media_type,
                kept.size_bytes,
                kept.width,
                kept.height,
                kept.fetched_at,
                image_id,
            ),
        )
        return twin is not None

    def fail(self, image_id: int) -> None:
        self._db.conn.execute("UPDATE images SET failures = failures + 1 WHERE id = ?", (image_id,))

    def refuse(self, image_id: int, reason: str) -> None:
        """Record why an image is not kept and not asked for again."""
        self._db.conn.execute("UPDATE images SET refused = ? WHERE id = ?", (reason, image_id))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"cannot write: {error.strerror}; free some space and run again"
            raise StorageError(f"{self._folder}: {reason}") from error

    def _put(self, path: Path, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f"{path.name}{_TEMPORARY}"
        try:
            with temporary.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        for folder in (path.parent, self._folder, self._folder.parent):  # each may be new
            sync_folder(folder)

    def _note(self, kept: Kept) -> None:
        if self._index is None:
            self._index = (self._folder / INDEX).open("a+b")
            self._index.truncate(_whole_lines(self._index))
        self._index.write(json.dumps(asdict(kept)).encode() + b"\n")
        self._index.flush()
        os.fsync(self._index.fileno())

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None

    # Coming to rest

    def recover(self, is_lifted: Callable[[str, str], bool]) -> None:
        """Make rows and files agree again after a run was killed, a file lost, or the rules changed.

        `is_lifted` tells of an address and the reason it was refused for whether it may be asked for now. Runs inside
        the caller's transaction.
        """
        for path in self._folder.glob(f"*{_TEMPORARY}"):
            path.unlink(missing_ok=True)
        self._forget_lost()
        self.readopt()
        refused = self._db.conn.execute(
            "SELECT id, url, refused FROM images WHERE refused = ? OR instr(refused, ?) = 1",
            (BY_ROBOTS, BY_HOST),
        ).fetchall()
        lifted = [(image_id,) for image_id, url, reason in refused if is_lifted(url, reason)]
        self._db.conn.executemany("UPDATE images SET refused = NULL WHERE id = ?", lifted)

    def _forget_lost(self) -> None:
        """Have images whose file is no longer there asked for again."""
        rows = self._db.conn.execute("SELECT id, sha256, media_type FROM images WHERE sha256 IS NOT NULL")
        lost = [
            (image_id,)
            for image_id, sha256, media_type in rows
            if not (self._folder / location(sha256, media_type)).is_file()
        ]
        self._db.conn.executemany(
            "UPDATE images SET sha256 = NULL, media_type = NULL, size_bytes = NULL, width = NULL, height = NULL, "
            "fetched_at = NULL WHERE id = ?",
            lost,
        )

    def readopt(self) -> int:
        """Record as kept what the index says of addresses that stories show; return how many were adopted.

        The last line about an address counts. A file that is not there, or is not what its name says, is not adopted.
        Runs inside the caller's transaction.
        """
        adopted = 0
        for kept in {kept.url: kept for kept in self.indexed()}.values():
            row = self._db.conn.execute(
                "SELECT id FROM images WHERE url = ? AND sha256 IS NULL", (kept.url,)
            ).fetchone()
            if row and digest_of(self._folder / kept.location) == kept.sha256:
                self.keep(row[0], kept)
                adopted += 1
        return adopted

    def forget(self, urls: set[str], digests: set[str]) -> None:
        """Delete files by their digests, and every line of the index about them or about some addresses.

        The index is put in the old one's place when it is whole and on the disk. Doing it twice changes nothing more.
        """
        kept = list(self.indexed())
        others = {one.sha256 for one in kept if one.url not in urls}
        digests = (
            digests | {one.sha256 for one in kept if one.url in urls} - others
        )  # an address may have had several
        stay = [one for one in kept if one.url not in urls and one.sha256 not in digests]
        with self._writing():
            for digest in digests:
                for path in self._folder.glob(f"{digest[:2]}/{digest}.*"):
                    path.unlink()
            if len(stay) == len(kept):
                return
            self.close()
            self._write_index(stay)

    def write_index(self, kept: Iterable[Kept]) -> None:
        """Put these lines in the index's place."""
        with self._writing():
            self._write_index(kept)

    def _write_index(self, kept: Iterable[Kept]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f"{INDEX}{_TEMPORARY}"
        with temporary.open("wb") as file:
            file.writelines(json.dumps(asdict(one)).encode() + b"\n" for one in kept)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / INDEX)
        sync_folder(self._folder)

    def indexed(self) -> Iterator[Kept]:
        """Yield what the index says, line by line."""
        try:
            file = (self._folder / INDEX).open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                with contextlib.suppress(ValueError, TypeError):  # a killed run may have left half a line
                    yield Kept(**json.loads(line))

    def check(self) -> Iterator[str]:
        """Yield one line for each kept file that is missing or damaged, and for each file that is not ours."""
        known = {INDEX, *(kept.location for kept in self.indexed())}
        for sha256, media_type in self._db.conn.execute(
            "SELECT DISTINCT sha256, media_type FROM images WHERE sha256 IS NOT NULL"
        ):
            known.add(name := location(sha256, media_type))
            digest = digest_of(self._folder / name)
            if digest is None:
                yield f"images: {name} is missing; `uknip crawl --images` fetches it again"
            elif digest != sha256:
                yield f"images: {name} is damaged; delete it, and `uknip crawl --images` fetches it again"
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder).as_posix()
            if path.is_file() and name not in known and path.suffix != _TEMPORARY:
                yield f"images: {name} is not of this archive"


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None when there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _whole_lines(file: IO[bytes]) -> int:
    """Return where the last whole line of a file ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
