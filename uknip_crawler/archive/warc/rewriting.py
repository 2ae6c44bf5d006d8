"""WARC files made anew without some of their records, and the records that say what was taken out and must stay out.

The new file gets a new name; one transaction turns the ledger from the old file to the new one, and only then the old
one goes. Killed at any point, the ledger points at whole records, and `sweep` clears up what was left.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from uknip_crawler.archive import warc
from uknip_crawler.archive.database import as_text, transaction
from uknip_crawler.errors import StorageError
from uknip_crawler.models import Capture

Treat = Callable[[Capture], Capture | None]
"""Returns the capture itself to leave its record as it is, another one to put in its place, None to drop it."""

_REWRITTEN = re.compile(r"^(?P<stem>.*?)(?:-r(?P<number>\d+))?\.warc\.gz$")
_PARTIAL = ".part"
_REDACTION = "-redaction-"
_FORMAT = "application/json"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What a WARC file says of a redacted story: how to know it again, why and when it was taken out."""

    marks: tuple[str, ...]
    reason: str
    at: str


@dataclass(slots=True)
class Plan:
    """What becomes of the records of one file: offsets to drop, and captures to put in the place of others."""

    name: str
    responses: int = 0
    damaged: int = 0
    dropped: set[int] = field(default_factory=set)
    changed: dict[int, Capture] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.dropped or self.changed)


def plan(
    folder: Path, name: str, treat: Treat, *, is_gone: Callable[[str], bool], doomed: Collection[int] = ()
) -> Plan:
    """Decide about every record of a file; `doomed` are offsets dropped unseen. A request goes with its response.

    `is_gone` tells of an address whether its requests go in any case. Damaged records go too: nobody can tell what
    they hold.
    """
    path = warc.locate(folder, name)
    if path is None:
        raise StorageError(f"{name}: the file is missing; check the archive with `uknip verify`")
    made, gone = Plan(name), set[str]()
    with path.open("rb") as file:
        for member in warc.members(path):
            file.seek(member.offset)
            data = file.read(member.length)
            kind, uri = _kind_and_uri(data) if member.is_whole else ("damaged", "")
            if member.offset in doomed:
                made.dropped.add(member.offset)
                made.responses += 1
                gone.add(uri)
            elif kind == "request" and (uri in gone or is_gone(uri)):
                made.dropped.add(member.offset)
            elif kind in ("response", "revisit", "damaged"):
                capture = warc.capture_of(data) if member.is_whole else None
                if capture is None:
                    made.dropped.add(member.offset)
                    made.damaged += 1
                    continue
                treated = treat(capture)
                if treated is None:
                    made.dropped.add(member.offset)
                    made.responses += 1
                    gone.add(uri)
                elif treated is not capture:
                    made.changed[member.offset] = treated
    return made


def carry_out(db: Database, folder: Path, made: Plan, step: Callable[[str], None]) -> None:
    """Write the file anew as planned, turn the ledger to it, delete the old one; `step` hears what is done."""
    old = folder / made.name
    new = folder / _successor(made.name)
    moved = _write(old, new, made)
    step("written")
    with transaction(db):
        _turn(db, made, new, moved)
    step("turned")
    old.unlink()
    warc.sync_folder(folder)
    step("deleted")


def _write(old: Path, new: Path, made: Plan) -> dict[int, tuple[int, int]]:
    """Return (new offset, new length) by old offset of the records that are in the new file."""
    moved: dict[int, tuple[int, int]] = {}
    partial = new.with_name(f"{new.name}{_PARTIAL}")
    try:
        with old.open("rb") as source, partial.open("wb") as target:
            for member in warc.members(old):
                if member.offset in made.dropped:
                    continue
                source.seek(member.offset)
                data = source.read(member.length)
                if (capture := made.changed.get(member.offset)) is not None:
                    data = warc.altered(capture)
                moved[member.offset] = (target.tell(), len(data))
                target.write(data)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(new)  # one of that name is whole, also to those who have lost the ledger
        warc.sync_folder(new.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"{new}: cannot write: {error.strerror}; free some space and run again") from error
    return moved


def _turn(db: Database, made: Plan, new: Path, moved: dict[int, tuple[int, int]]) -> None:
    execute = db.conn.execute
    execute(
        "INSERT INTO warcs (name, run_id, opened_at, closed_at, size_bytes) "
        "SELECT ?, run_id, opened_at, closed_at, ? FROM warcs WHERE name = ?",
        (new.name, new.stat().st_size, made.name),
    )
    rows = execute("SELECT id, warc_offset FROM fetches WHERE warc_name = ?", (made.name,)).fetchall()
    for fetch_id, offset in rows:
        if offset not in moved:
            execute(
                "UPDATE fetches SET warc_name = NULL, warc_offset = NULL, warc_length = NULL, payload_sha256 = NULL "
                "WHERE id = ?",
                (fetch_id,),
            )
            continue
        execute(
            "UPDATE fetches SET warc_name = ?, warc_offset = ?, warc_length = ? WHERE id = ?",
            (new.name, *moved[offset], fetch_id),
        )
        if (capture := made.changed.get(offset)) is not None:
            execute(
                "UPDATE fetches SET payload_sha256 = ?, body_bytes = ? WHERE id = ?",
                (capture.payload_sha256, len(capture.body), fetch_id),
            )
    execute("DELETE FROM warcs WHERE name = ?", (made.name,))


def is_altered(folder: Path, ref: warc.RecordRef) -> bool:
    """Tell whether a response is no longer as received; False where it cannot be read."""
    with contextlib.suppress(StorageError):
        return any(name == warc.ALTERED for name, _ in warc.described(folder, ref)[0])
    return False


def sweep(db: Database, folder: Path) -> None:
    """Delete what a killed rewriting left: new files the ledger never turned to, old ones it turned away from."""
    known = {name for (name,) in db.conn.execute("SELECT name FROM warcs")}
    stems = {found["stem"] for name in known if (found := _REWRITTEN.match(name)) and found["number"]}
    for path in folder.glob(f"*.warc.gz{_PARTIAL}"):
        path.unlink()
    for path in folder.glob("*.warc.gz"):
        found = _REWRITTEN.match(path.name)
        if path.name not in known and found and (found["number"] or found["stem"] in stems):
            path.unlink()


def delete_predecessors(folder: Path) -> None:
    """Delete what newer files of the same captures were made to take the place of, where no ledger tells."""
    newest: dict[str, tuple[int, Path]] = {}
    for path in folder.glob("*.warc.gz"):
        if found := _REWRITTEN.match(path.name):
            one = (int(found["number"] or 0), path)
            if other := newest.get(found["stem"]):
                min(one, other)[1].unlink()
            newest[found["stem"]] = max(one, other or one)


def _successor(name: str) -> str:
    found = _REWRITTEN.match(name)
    assert found is not None
    return f"{found['stem']}-r{int(found['number'] or 0) + 1}.warc.gz"


def _kind_and_uri(member: bytes) -> tuple[str, str]:
    try:
        record = next(iter(ArchiveIterator(BytesIO(member))))
    except (ArchiveLoadFailed, StopIteration, OSError, ValueError, AttributeError, EOFError):
        return "damaged", ""  # warcio raises all of these on damaged records
    return record.rec_type, record.rec_headers.get_header("WARC-Target-URI") or ""


# Tombstones


def write_tombstone(
    db: Database, folder: Path, number: int, run_id: int, software: str, tombstone: Tombstone, *, at: datetime
) -> None:
    """Put a redaction into a WARC file of its own, unless it is there; `number` is the redaction's."""
    name = f"uknip-{re.sub('[^0-9]', '', tombstone.at)}{_REDACTION}{number:04d}.warc.gz"
    path = folder / name
    if path.is_file() and any(tombstones_in(path)):
        return
    path.unlink(missing_ok=True)
    (folder / f"{name}.open").unlink(missing_ok=True)
    with transaction(db):  # first the row, then the file: a file without a row would never be recovered
        db.conn.execute(
            "INSERT OR IGNORE INTO warcs (name, run_id, opened_at) VALUES (?, ?, ?)",
            (name, run_id, as_text(at)),
        )
    file = warc.WarcFile(folder, name, {"software": software})
    record = {"marks": tombstone.marks, "reason": tombstone.reason, "at": tombstone.at}
    file.write_metadata("urn:uknip:redaction", _FORMAT, json.dumps(record).encode(), at=at)
    size = file.close()
    with transaction(db):
        db.conn.execute(
            "UPDATE warcs SET closed_at = ?, size_bytes = ? WHERE name = ?", (as_text(at), size, name)
        )


def tombstones(folder: Path) -> Iterator[Tombstone]:
    """Yield every redaction that WARC files tell of: whoever makes a database from them must keep those stories out."""
    for path in tombstone_files(folder):
        yield from tombstones_in(path)


def is_tombstone(name: str) -> bool:
    """Tell of a file's name whether redactions are in it, and no captures."""
    return _REDACTION in name


def times_rewritten(name: str) -> int:
    """Return how often something was taken out of a file, by its name."""
    found = _REWRITTEN.match(name)
    return int(found["number"] or 0) if found else 0


def tombstone_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_REDACTION}*.warc.gz"))


def tombstones_in(path: Path) -> Iterator[Tombstone]:
    """Yield the redactions that one file tells of. Raises StorageError where one cannot be read."""
    with path.open("rb") as file:
        try:
            for record in ArchiveIterator(file):
                if record.rec_type == "metadata" and record.content_type == _FORMAT:
                    told: dict[str, Any] = json.loads(record.raw_stream.read())
                    yield Tombstone(tuple(told["marks"]), str(told["reason"]), str(told["at"]))
        except (ArchiveLoadFailed, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{path.name}: the redaction in it cannot be read: {error}") from error
