"""A redacted story is gone from every byte of the archive, and stays out; everything else stays as it was."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from crawling import crawl, newsroom, rows
from test_commands import uknip
from warcio.archiveiterator import ArchiveIterator

from uknip_crawler.archive import warc
from uknip_crawler.demo import SampleSite
from uknip_crawler.demo.posts import Post
from uknip_crawler.redaction import _readable

REASON = "request of 4 May"


def everything(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (where, bytes) of all that the archive's files hold: raw, WARC records inflated, bodies decoded."""
    for path in sorted(directory.rglob("*")):
        if not path.is_file():
            continue
        yield path.name, path.read_bytes()
        if path.name.endswith((".warc.gz", ".warc.gz.open")):
            for member in warc.members(path):
                data = path.read_bytes()[member.offset : member.offset + member.length]
                for record in ArchiveIterator(__import__("io").BytesIO(data)):
                    where = f"{path.name}@{member.offset} {record.rec_type} {record.rec_headers.get_header('WARC-Target-URI')}"
                    yield where, str(record.rec_headers).encode() + str(record.http_headers).encode()
                    yield where, record.raw_stream.read()
                if (capture := warc.capture_of(data)) is not None:
                    yield where, _readable(capture)[0]


def found(directory: Path, *needles: str) -> list[tuple[str, str]]:
    """Return (where, needle) of everything in an archive that tells of a story, in any spelling a web page knows."""
    hits = []
    for where, data in everything(directory):
        plain = _plain(data)
        hits += [
            (where, needle)
            for needle in needles
            if needle.encode() in data or _plain(needle.encode()) in plain
        ]
    return hits


def _plain(data: bytes) -> bytes:
    text = re.sub(rb"<[^<>]*>|&#?\w+;|\\u[0-9a-f]{4}|\\[nrt]", b" ", data)
    return b" ".join(re.findall(rb"[a-z0-9]+", text.lower()))


def told_only_by(post: Post, others: list[Post]) -> list[str]:
    """Return the headline, the slug, and the sentences that no other story has."""
    elsewhere = " ".join(other.body for other in others)
    sentences = re.split(r"(?<=[.!?])\s+", post.body)
    own = [s for s in sentences if len(s.split()) > 7 and s not in elsewhere]
    assert len(own) > 3
    return [post.headline, slug_of(post), *own]


def slug_of(post: Post) -> str:
    return post.path.rstrip("/").rpartition("/")[2]


def chosen(site: SampleSite) -> Post:
    """A story without copies: no other has its text, or an address that begins with its own."""
    posts = site.newsroom.published()
    return next(
        post
        for post in posts[3:]
        if not any(
            other is not post and (slug_of(post) in other.path or other.body == post.body) for other in posts
        )
    )


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, SampleSite]]:
    directory = tmp_path_factory.mktemp("crawled")
    with SampleSite(newsroom(40)) as site:
        crawl(site, directory)
        yield directory, site


@pytest.fixture
def archive(crawled: tuple[Path, SampleSite], tmp_path: Path) -> Path:
    return Path(shutil.copytree(crawled[0], tmp_path / "archive"))


def redact(archive: Path, *arguments: str, expect: int = 0) -> str:
    done = uknip("redact", *arguments, "--archive", str(archive), cwd=archive.parent)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stderr if expect else done.stdout


def verified(directory: Path) -> bool:
    done = uknip("verify", "--archive", str(directory))
    assert done.returncode == 0, done.stdout
    return True


def test_nothing_of_a_redacted_story_is_left_in_any_byte(
    crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """Headline, sentences, slug: gone from database, logs and WARC files; the other stories are as before."""
    site = crawled[1]
    post = chosen(site)
    needles = told_only_by(post, [p for p in site.newsroom.published() if p is not post])
    url = site.url(post.path)
    assert len({needle for _, needle in found(archive, *needles)}) == len(needles)
    before = rows(
        archive, "SELECT url, headline, body, content_sha256 FROM articles WHERE url <> ? ORDER BY url", url
    )
    told = json.loads(redact(archive, url, "--reason", REASON, "--yes", "--json"))
    assert (told["stories"], told["copies_that_stay"]) == (1, [])
    assert told["captures"] >= 1
    assert found(archive, *needles) == []
    assert verified(archive)
    left = rows(
        archive,
        "SELECT url, headline, body, content_sha256 FROM articles WHERE status <> 'redacted' ORDER BY url",
    )
    assert left == before
    assert rows(archive, "SELECT headline, body, published_at FROM articles WHERE status = 'redacted'") == [
        ("[redacted]", "", None)
    ]
    out = archive.parent / "all.jsonl"
    assert uknip("export", "jsonl", "-o", str(out), "--archive", str(archive)).returncode == 0
    assert len(out.read_text().splitlines()) == len(before)
