"""Pages from elsewhere, held against the truth that came with them.

A folder holds one site, or one folder a site. In each: `pages.warc.gz`, its pages, stories in the order in which an
archive would get them; `about.json`, an object with the address of the site as `base`; `truth.jsonl`, an object a story:

- `url`, `headline`, `published` (UTC, ISO 8601), `authors`, `tags`, `captions`;
- `sections`, any of which will do, or `section`;
- `paragraphs` with a kind each in `kinds`: list items and rows of tables are paragraphs; `embed`, `tweet` and `readmore`
  stand in the post and need not be in the body;
- `paragraphs_on_page`, how many of them stand on each page of a story in pages.

The pages are taken in by `uknip import-warc` and exported; read in this process with what the first n stories teach, the
others alone, each one's first page; and where folders have the same stories, taken in one after another into one
archive, as a site that changed its dress: no story may get a revision by it.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import trafilatura
from examination import HTML, missing
from reading import Tally, learned_from, reading, show
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from uknip_crawler.models import Capture

NO_STORY = {"embed", "tweet", "readmore"}
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Folder:
    path: Path

    @cached_property
    def base(self) -> str:
        return str(json.loads((self.path / "about.json").read_text("utf-8"))["base"]).rstrip("/")

    @cached_property
    def truth(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.path / "truth.jsonl").read_text("utf-8").splitlines()]

    def captures(self) -> Iterator[Capture]:
        with (self.path / "pages.warc.gz").open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response":
                    when = datetime.fromisoformat(record.rec_headers.get_header("WARC-Date"))
                    url = record.rec_headers.get_header("WARC-Target-URI")
                    yield Capture(url, 200, HTML, record.content_stream().read(), when)

    def dressed_as(self, other: Folder, target: Path) -> None:
        """Write the pages as those of another site's address, captured an hour after that one's last."""
        later = (max(one.fetched_at for one in other.captures()) + AN_HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
        old, new = urlsplit(self.base).netloc, urlsplit(other.base).netloc
        with target.open("wb") as file:
            writer = WARCWriter(file, gzip=True)
            for one in self.captures():
                body = one.body
                for form in (str, quote):
                    body = body.replace(form(old).encode(), form(new).encode())
                length = ("Content-Length", str(len(body)))
                head = StatusAndHeaders("200 OK", [*HTML, length], protocol="HTTP/1.1")
                payload, dated = io.BytesIO(body), {"WARC-Date": later}
                address = one.url.replace(self.base, other.base)
                writer.write_record(
                    writer.create_warc_record(
                        address, "response", payload=payload, http_headers=head, warc_headers_dict=dated
                    )
                )


@dataclass(slots=True)
class Fields:
    """How many of the stories have each field right. `minute` is the time of publication, `day` its day."""

    stories: int = 0
    missing: int = 0
    headline: int = 0
    minute: int = 0
    day: int = 0
    section: int = 0
    tags: int = 0
    authors: int = 0
    captions: int = 0
    of_captions: int = 0

    def add(self, row: dict[str, Any] | None, truth: dict[str, Any]) -> None:
        self.stories += 1
        if row is None:
            self.missing += 1
            return
        published = row["published_at"] or ""
        self.headline += _same(row["headline"] or "", truth["headline"])
        self.minute += published[:16] == truth["published"][:16]
        self.day += published[:10] == truth["published"][:10]
        self.section += row["section"] in (truth.get("sections") or [truth["section"]])
        self.tags += set(row["tags"]) >= set(truth["tags"])
        self.authors += set(row["authors"]) == set(truth["authors"])
        have, wanted = (
            [image.get("caption") or "" for image in row["images"]],
            [*filter(None, truth["captions"])],
        )
        self.captions += sum(
            any(_holds(one, other) or _holds(other, one) for one in have if one) for other in wanted
        )
        self.of_captions += len(wanted)

    def __str__(self) -> str:
        return "  ".join(f"{field.name} {getattr(self, field.name)}" for field in fields(self))


def _holds(text: str, part: str) -> bool:
    return not missing([part], [text])


def _same(one: str, other: str) -> bool:
    return _holds(one, other) and _holds(other, one)


def _story(truth: dict[str, Any], count: int | None = None) -> tuple[list[str], list[str]]:
    """Return the paragraphs of a story, or of its first `count`, and all that may stand in its body."""
    post = truth["paragraphs"][:count]
    return [text for text, kind in zip(post, truth["kinds"], strict=False) if kind not in NO_STORY], post


def uknip(*arguments: object) -> None:
    command = [sys.executable, "-m", "uknip_crawler", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"uknip {arguments[0]}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}"
        )


def exported(archive: Path) -> dict[str, dict[str, Any]]:
    """Return the archive's stories by each of their addresses."""
    target = archive.with_suffix(".jsonl")
    target.unlink(missing_ok=True)
    uknip("export", "jsonl", "--archive", archive, "-o", target)
    rows = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    return {address: row for row in rows for address in (row["url"], *row["aliases"])}


def all_known(folder: Folder, archive: Path) -> None:
    uknip("import-warc", folder.path / "pages.warc.gz", "--base-url", f"{folder.base}/", "--archive", archive)
    rows, tally, found = exported(archive), Tally(), Fields()
    for truth in folder.truth:
        row = rows.get(truth["url"])
        found.add(row, truth)
        tally.add((row and row["body"]) or "", *_story(truth))
    show(f"{folder.path.name}: all known", tally)
    show("", found)


def some_known(folder: Folder) -> None:
    by_url, base = {one.url: one for one in folder.captures()}, f"{folder.base}/"
    stories = [(by_url[truth["url"]], truth) for truth in folder.truth if truth["url"] in by_url]
    peers = Tally()
    for capture, truth in stories:
        body = trafilatura.extract(capture.body, include_comments=False) or ""
        peers.add(body, *_story(truth, truth["paragraphs_on_page"][0]), by="\n")
    show("  first pages, trafilatura", peers)
    for count in (5, 8, 20):
        learned, tally = learned_from([capture for capture, _ in stories[:count]], base=base), Tally()
        for capture, truth in stories[count:]:
            article = reading(capture, learned, base).article
            tally.add(article.body if article else "", *_story(truth, truth["paragraphs_on_page"][0]))
        show(f"  learned from {count}, the others read", tally)


def one_after_another(first: Folder, second: Folder, work: Path) -> None:
    archive, pages = work / "both", work / "pages.warc.gz"
    base = ("--base-url", f"{first.base}/", "--archive", archive)
    second.dressed_as(first, pages)
    uknip("import-warc", first.path / "pages.warc.gz", *base)
    uknip("import-warc", pages, *base)
    rows, tally, invented = exported(archive), Tally(), 0
    before = {truth["url"]: (truth["headline"], truth["paragraphs"]) for truth in first.truth}
    shared = 0
    for truth in second.truth:
        url = truth["url"].replace(second.base, first.base)
        row = rows.get(url)
        tally.add((row and row["body"]) or "", *_story(truth))
        if row and before.get(url) == (truth["headline"], truth["paragraphs"]):
            shared += 1
            invented += row["revisions"] - 1
    show(
        f"{first.path.name}, then {second.path.name}",
        f"{tally}  {invented} invented revisions of {shared} stories",
    )


def measure(root: Path) -> None:
    paths = (
        [root]
        if (root / "truth.jsonl").exists()
        else sorted(path.parent for path in root.glob("*/truth.jsonl"))
    )
    folders = [Folder(path) for path in paths]
    for folder in folders:
        with tempfile.TemporaryDirectory() as work:
            all_known(folder, Path(work) / "archive")
        some_known(folder)
    same = defaultdict(list)
    for folder in folders:
        same[frozenset(truth["url"].removeprefix(folder.base) for truth in folder.truth)].append(folder)
    for first, second in chain.from_iterable(map(pairwise, same.values())):
        with tempfile.TemporaryDirectory() as work:
            one_after_another(first, second, Path(work))
