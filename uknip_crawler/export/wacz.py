"""The captures as one WACZ file, which ReplayWeb.page, pywb and browsertrix open: records, index, stories as pages.

After https://specs.webrecorder.net/wacz/1.1.1/. Records are taken over as they lie in the archive; what is to be told of them
at the end waits in temporary tables, so that memory does not grow with the archive.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, BinaryIO

from uknip_crawler import __version__
from uknip_crawler.archive import warc
from uknip_crawler.archive.images import FOLDER, location
from uknip_crawler.archive.warc import RecordRef, excerpts
from uknip_crawler.archive.warc.excerpts import Told
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.export.boxing import Box, Entry
from uknip_crawler.export.dataset import Dataset
from uknip_crawler.export.facts import facts
from uknip_crawler.export.package import RIGHTS
from uknip_crawler.export.recipe import Recipe
from uknip_crawler.export.selection import Selection
from uknip_crawler.export.snapshot import Snapshot, Watch
from uknip_crawler.export.surt import surt
from uknip_crawler.export.tables import TABLES

VERSION = "1.1.1"
LINES = 1024
"""Lines of the index that are packed together, and found by one line of the index's index."""

_TABLES = (
    "CREATE TEMP TABLE wacz_index (line TEXT NOT NULL)",
    "CREATE TEMP TABLE wacz_pages (story INTEGER NOT NULL, url TEXT NOT NULL, at TEXT NOT NULL)",
)
_AS_OF = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', max(coalesce(finished_at, started_at))) FROM runs"
_MANY = 2**28
"""Letters of stories from which on the pages may take 2 GiB."""
_NO_DIGIT = re.compile(r"\D")
_PAGES = (
    "SELECT p.url, p.at, a.headline, a.standfirst, a.body FROM wacz_pages AS p JOIN articles AS a ON a.id = p.story "
    "ORDER BY a.published_at, a.url"
)


@dataclass(slots=True)
class Collection:
    """What was written: `rows` counts stories, captures and images, `damaged` those left out because they cannot be read;
    `hashes` are the digests of the files in it by their paths."""

    rows: dict[str, int] = field(default_factory=lambda: {"articles": 0, "captures": 0, "images": 0})
    damaged: int = 0
    hashes: dict[str, str] = field(default_factory=dict)


def write(moment: Snapshot, recipe: Recipe, output: BinaryIO, watch: Watch, dataset: Dataset) -> Collection:
    """Write the captures of the selected stories; without a selection all, also those of lists and of what is no story.

    Raises UsageError where there are none, or a redaction is not carried out yet; StorageError where a file is missing.
    """
    _require_clean(moment)
    db = moment.db
    for table in _TABLES:
        db.conn.execute(table)
    found: str | None = db.execute(_AS_OF).fetchone()[0]
    created = found or "1980-01-01T00:00:00Z"
    with Box(output, created) as box:
        writing = _Writing(moment, recipe.selection, box)
        writing.captures(watch)
        writing.images()
        writing.index()
        writing.pages()
        collection = writing.collection
        collection.hashes = {one["path"]: one["hash"] for one in box.resources}
        about = _about(moment, recipe, collection, dataset) | {"created": created, "resources": box.resources}
        described = _json(about)
        with box.file("datapackage.json", is_packed=True) as file:
            file.write(described)
        digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(described).hexdigest()}"}
        with box.file("datapackage-digest.json", is_packed=True) as file:
            file.write(_json(digest))
    return collection


def hashes_in(path: Path) -> dict[str, str]:
    """Return the digests that a file names of what is in it, by path; nothing for what is no WACZ file."""
    try:
        with zipfile.ZipFile(path) as box:
            named = json.loads(box.read("datapackage.json"))["resources"]
            return {str(one["path"]): str(one["hash"]) for one in named}
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, NotImplementedError, RuntimeError):
        return {}


def _require_clean(moment: Snapshot) -> None:
    if moment.db.execute("SELECT 1 FROM redactions WHERE finished_at IS NULL").fetchone():
        raise UsageError(
            f"{moment.archive}: a story is not taken out of all captures yet: run `uknip redact` again, then export"
        )


def _about(moment: Snapshot, recipe: Recipe, collection: Collection, dataset: Dataset) -> dict[str, Any]:
    known = facts(moment, recipe.selection)
    counted = ", ".join(f"{count:,} {name}" for name, count in collection.rows.items())
    return {
        "profile": "data-package",
        "wacz_version": VERSION,
        "title": dataset.title or f"Archive of {known.site}",
        "description": f"Captures of the news site {known.site} as archived by uknip: {counted}.",
        "software": f"uknip {__version__}",
        "rights": RIGHTS,
        **dataset.keeper(),
        "uknip": {"version": __version__, **recipe.as_json()},
    }


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, indent=2, ensure_ascii=False).encode()


class _Writing:
    """One file being written, within the archive's snapshot."""

    def __init__(self, moment: Snapshot, selection: Selection, box: Box) -> None:
        self.collection = Collection()
        self._execute = moment.db.conn.execute
        self._archive = moment.archive
        self._box = box
        where, parameters = selection.where(moment.db, "ledger")
        # what a run brings of redacted stories is taken out at its end
        ended = "SELECT id FROM runs WHERE finished_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM redactions)"
        self._captures = f"FROM {TABLES['ledger'].source} WHERE {where} AND f.warc_name IS NOT NULL AND f.run_id IN ({ended})"
        self._parameters = parameters
        shown, _ = selection.where(moment.db, "images")
        self._images = f"FROM {TABLES['images'].source} WHERE {shown} AND i.sha256 IS NOT NULL"

    # Captures

    def captures(self, watch: Watch) -> None:
        """Write a file for each of the archive's, with those of its records that are chosen."""
        (total,) = self._execute(
            f"SELECT count(*) FROM (SELECT DISTINCT f.warc_name, f.warc_offset {self._captures})",
            self._parameters,
        ).fetchone()
        if not total:
            raise UsageError(f"{self._archive}: there is no capture of what was chosen")
        rows: Iterable[Any] = self._execute(
            "SELECT f.warc_name, f.warc_offset, f.warc_length, f.url, f.fetched_at, "
            f"max(CASE WHEN a.fetch_id = f.id THEN a.id END) {self._captures} "
            "GROUP BY f.warc_name, f.warc_offset ORDER BY f.warc_name, f.warc_offset",
            self._parameters,
        )
        watched: Iterable[Any] = watch(rows, total)
        for name, records in groupby(watched, itemgetter(0)):
            with self._file(name) as source, self._box.file(f"archive/{name}") as target:
                first = excerpts.first_member(source, 0)
                if (about := excerpts.told(first)) and about.kind == "warcinfo":
                    target.write(first)
                for _, offset, length, url, fetched_at, story in records:
                    self._copy(source, target, RecordRef(name, offset, length), url, fetched_at, story)

    def _copy(
        self, source: IO[bytes], target: Entry, ref: RecordRef, url: str, fetched_at: str, story: int | None
    ) -> None:
        """Write a capture and the request that brought it; one that repeats another only where that can be had."""
        member = _member(source, ref)
        about = excerpts.told(member) if warc.capture_of(member) else None
        if about is None:
            self.collection.damaged += 1
            return
        if about.kind == "revisit":
            if (original := self._original(url, fetched_at)) is None:
                return
            member = excerpts.repeating(member, original)
            about = replace(about, media_type="warc/revisit", status="", digest=original.digest)
        self._note(about, ref.name, target.write(member), member)
        self.collection.rows["captures"] += 1
        request = excerpts.first_member(source, ref.offset + ref.length)
        asked = excerpts.told(request)
        if asked and (asked.kind, asked.url) == ("request", about.url):
            target.write(request)
        if story is not None:
            self._execute("INSERT INTO wacz_pages VALUES (?, ?, ?)", (story, about.url, about.at))

    def _original(self, url: str, fetched_at: str) -> Told | None:
        """Return the capture that an answer 304 repeats: the last one before it that brought the page."""
        row = self._execute(
            f"SELECT f.warc_name, f.warc_offset, f.warc_length {self._captures} AND f.url = :url AND f.status = 200 "
            "AND f.fetched_at <= :fetched_at ORDER BY f.fetched_at DESC, f.id DESC LIMIT 1",
            {**self._parameters, "url": url, "fetched_at": fetched_at},
        ).fetchone()
        if row is None:
            return None
        with self._file(row[0]) as source:
            member = _member(source, RecordRef(*row))
        return excerpts.told(member) if warc.capture_of(member) else None

    def _file(self, name: str) -> IO[bytes]:
        path = warc.locate(self._archive / "warc", name)
        if path is None:
            raise StorageError(f"{name}: the file is missing; check the archive with `uknip verify`")
        return path.open("rb")

    # Images

    def images(self) -> None:
        """Write the kept images that chosen stories show: they have no answers to be records of."""
        rows: Iterator[Any] = self._execute(
            f"SELECT DISTINCT i.url, i.sha256, i.media_type, i.fetched_at {self._images} ORDER BY i.url",
            self._parameters,
        )
        for number, first in enumerate(rows, start=1):
            name = f"images-{number:04}.warc.gz"
            with self._box.file(f"archive/{name}") as target:
                for url, sha256, media_type, fetched_at in chain([first], rows):
                    path = self._archive / FOLDER / location(sha256, media_type)
                    content = path.read_bytes() if path.is_file() else b""
                    if hashlib.sha256(content).hexdigest() != sha256:
                        self.collection.damaged += 1
                        continue
                    member = excerpts.resource(url, media_type, content, fetched_at)
                    if about := excerpts.told(member):
                        self._note(about, name, target.write(member), member)
                        self.collection.rows["images"] += 1
                    if target.size >= warc.ROLL_BYTES:
                        break

    # What is told of them

    def _note(self, about: Told, name: str, offset: int, member: bytes) -> None:
        known = {
            "url": about.url,
            "mime": about.media_type,
            "status": about.status,
            "digest": about.digest,
            "length": str(len(member)),
            "offset": str(offset),
            "filename": name,
            "recordDigest": f"sha256:{hashlib.sha256(member).hexdigest()}",
        }
        told = json.dumps({field: value for field, value in known.items() if value})
        line = f"{surt(about.url)} {_NO_DIGIT.sub('', about.at)[:14]} {told}\n"
        self._execute("INSERT INTO wacz_index VALUES (?)", (line,))

    def index(self) -> None:
        """Write the sorted index, some lines packed together, and where these begin (ZipNum)."""
        lines = (line for (line,) in self._execute("SELECT line FROM wacz_index ORDER BY line"))
        meta = {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}
        begins = [f"!meta 0 {json.dumps(meta)}\n"]
        with self._box.file("indexes/index.cdx.gz") as file:
            while some := list(islice(lines, LINES)):
                packed = zlib.compress("".join(some).encode(), wbits=zlib.MAX_WBITS | 16)
                digest = f"sha256:{hashlib.sha256(packed).hexdigest()}"
                place = {"offset": file.write(packed), "length": len(packed), "digest": digest}
                begins.append(f"{some[0].split('{', 1)[0]}{json.dumps(place)}\n")
        with self._box.file("indexes/index.idx", is_packed=True) as file:
            file.write("".join(begins).encode())

    def pages(self) -> None:
        """Write the stories as the pages to begin with, in the order of every export, with their words to search in."""
        (letters,) = self._execute(f"SELECT total(length(body)) FROM ({_PAGES})").fetchone()
        size = sum(map(len, self._page_lines())) if letters > _MANY else 0
        with self._box.file("pages/pages.jsonl", is_packed=True, size=size) as file:
            for line in self._page_lines():
                file.write(line)
        (self.collection.rows["articles"],) = self._execute(f"SELECT count(*) FROM ({_PAGES})").fetchone()

    def _page_lines(self) -> Iterator[bytes]:
        yield _line({"format": "json-pages-1.0", "id": "pages", "title": "Stories", "hasText": True})
        for url, at, headline, standfirst, body in self._execute(_PAGES):
            moment = f"{at[:19]}Z"
            page = {
                "id": hashlib.sha256(f"{moment}/{url}".encode()).hexdigest()[:22],
                "url": url,
                "ts": moment,
            }
            words = "\n\n".join(filter(None, (headline, standfirst, body)))
            yield _line({**page, "title": headline, "text": words})


def _member(source: IO[bytes], ref: RecordRef) -> bytes:
    source.seek(ref.offset)
    return source.read(ref.length)


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
