"""A redacted story is gone from every byte of the archive, and stays out; everything else stays as it was."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from crawling import NOW, Archived, crawl, newsroom, rows
from processes import uknip
from sample_archive import CAPTURED, SITE, add_article, add_image, new_archive
from test_images import drawn
from warcio.archiveiterator import ArchiveIterator

from uknip_crawler.archive import Archive, warc
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.redactions import marks_of
from uknip_crawler.archive.warc.rewriting import tombstones
from uknip_crawler.browse.server import datasette_for
from uknip_crawler.demo import SampleSite, faults
from uknip_crawler.demo.posts import Post
from uknip_crawler.extraction.page.content import readable
from uknip_crawler.jobs import redaction
from uknip_crawler.models import Block, BlockKind

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
                for record in ArchiveIterator(BytesIO(data)):
                    where = f"{path.name}@{member.offset} {record.rec_type} {record.rec_headers.get_header('WARC-Target-URI')}"
                    yield where, str(record.rec_headers).encode() + str(record.http_headers).encode()
                    yield where, record.raw_stream.read()
                if (capture := warc.capture_of(data)) is not None:
                    yield where, readable(capture)[0]


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
def crawled(
    archived: Archived, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, SampleSite]]:
    directory = tmp_path_factory.mktemp("crawled")
    with archived(directory, 30) as site:
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


@pytest.mark.fault("P01")
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
    (tombstone,) = rows(archive, "SELECT id FROM articles WHERE status = 'redacted'")[0]
    page = asyncio.run(datasette_for(archive).client.get(f"/uknip/articles/{tombstone}")).text
    assert "[redacted]" in page
    assert not any(needle in page for needle in needles)
    again = json.loads(uknip("reextract", "--all", "--json", "--archive", str(archive)).stdout)
    assert (again["stories"], set(again["changed"].values()), again["unread"]) == (len(before), {0}, [])
    out = archive.parent / "all.jsonl"
    assert uknip("export", "jsonl", "-o", str(out), "--archive", str(archive)).returncode == 0
    assert len(out.read_text().splitlines()) == len(before)


@pytest.mark.fault("P01")
def test_a_damaged_record_goes_too(crawled: tuple[Path, SampleSite], archive: Path) -> None:
    """It may hold the story, and cannot be searched; what stands beside it stays."""
    site = crawled[1]
    url = site.url(chosen(site).path)
    [(name, offset, length)] = rows(
        archive, "SELECT warc_name, warc_offset, warc_length FROM fetches WHERE url = ?", url
    )
    path = archive / "warc" / name
    record = path.read_bytes()[offset : offset + length]
    robots = path.read_bytes()[: next(member for member in warc.members(path) if member.offset).offset]
    wrong = record[:-6] + b"??" + record[-4:]  # in the checksum: all of the text stands before it
    headless = bytes(10) + record[10:]
    path.write_bytes(path.read_bytes() + wrong + robots + headless)  # no row of the ledger points there
    told = json.loads(redact(archive, url, "--reason", REASON, "--yes", "--json"))
    assert told["damaged"] == 2
    left = b"".join(path.read_bytes() for path in (archive / "warc").iterdir())
    assert (wrong[12:-8] in left, headless[12:-8] in left, left.count(robots)) == (False, False, 2)
    assert verified(archive)


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from uknip_crawler.jobs import redaction
from uknip_crawler.archive import Archive
from uknip_crawler.archive.reports.addresses import story_at
from uknip_crawler.sites import load_site

def step(what):
    if what == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

with Archive(Path(sys.argv[1])) as archive:
    story = story_at(archive.db.conn, load_site(archive.base_url()), sys.argv[2])
    target = redaction.aim(archive, [story])
    redaction.redact(archive, target, "request of 4 May", at=datetime.now(UTC), step=step)
"""
STEPS = (
    "announced",
    "tombstones written",
    "captures written",
    "captures turned",
    "captures deleted",
    "images deleted",
    "rows erased",
    "scoured",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_redaction_killed_half_way_is_completed(
    step: str, crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """By the same command again; nothing is left, and nothing else is lost."""
    site = crawled[1]
    post = chosen(site)
    needles = told_only_by(post, [p for p in site.newsroom.published() if p is not post])
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, archive, site.url(post.path), step], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "not finished" in redact(archive, "--list")
    redact(archive, site.url(post.path), "--reason", REASON, "--yes")
    assert "not finished" not in redact(archive, "--list")
    assert found(archive, *needles) == []
    assert verified(archive)
    assert rows(archive, "SELECT status, count(*) FROM articles GROUP BY 1") == [
        ("live", 29),
        ("redacted", 1),
    ]


@pytest.mark.parametrize("step", ["tombstones written", "captures written", "captures turned"])
def test_a_redaction_killed_half_way_is_completed_by_a_rebuild(
    step: str, crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """Also when the database is lost that told how far it was."""
    site = crawled[1]
    post = chosen(site)
    needles = told_only_by(post, [p for p in site.newsroom.published() if p is not post])
    subprocess.run(
        [sys.executable, "-c", _KILLED, archive, site.url(post.path), step], capture_output=True, check=False
    )
    for file in archive.glob("uknip.db*"):
        file.unlink()
    assert uknip("rebuild", "--archive", str(archive)).returncode == 0
    assert found(archive, *needles) == []
    assert verified(archive)
    assert rows(archive, "SELECT count(*) FROM articles") == [(29,)]


def test_records_that_do_not_tell_of_the_story_stay_to_the_byte(
    crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """And what was altered says so in its header."""
    site = crawled[1]
    before = set(_members(archive))
    redact(archive, site.url(chosen(site).path), "--reason", REASON, "--yes")
    after = set(_members(archive))
    new = [data for data in after - before if b"redaction" not in _head(data)]
    assert before & after
    assert all(_head(data).startswith(b"WARC/1.1") for data in new)
    assert all(b"WARC-Altered: redaction" in _head(data) for data in after - before if _is_response(data))


def _members(directory: Path) -> Iterator[bytes]:
    for path in (directory / "warc").glob("*.warc.gz"):
        for member in warc.members(path):
            yield path.read_bytes()[member.offset : member.offset + member.length]


def _head(member: bytes) -> bytes:
    return gzip.decompress(member).split(b"\r\n\r\n")[0]


def _is_response(member: bytes) -> bool:
    return b"WARC-Type: response" in _head(member)


_OTHERS = (
    "SELECT url, headline, standfirst, section, published_at, modified_at, body, revision_count, "
    "(SELECT group_concat(name) FROM article_authors JOIN authors ON authors.id = author_id WHERE article_id = articles.id) "
    "FROM articles WHERE status <> 'redacted' ORDER BY url"
)


@pytest.mark.fault("P02")
def test_a_redacted_story_stays_out_though_the_site_still_serves_it(
    crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """Its known address is not asked for; at a new one it is known by number, day, slug and text, and not kept."""
    site = crawled[1]
    post = chosen(site)
    needles = told_only_by(post, [p for p in site.newsroom.published() if p is not post])
    redact(archive, site.url(post.path), "--reason", REASON, "--yes")
    others = rows(archive, _OTHERS)
    site.requests.clear()
    crawl(site, archive, "--full")
    assert post.path not in {target for _, target, _ in site.requests}
    assert rows(archive, "SELECT status, count(*) FROM articles GROUP BY 1") == [
        ("live", 29),
        ("redacted", 1),
    ]
    assert found(archive, *needles) == []
    moved, older, neighbour = f"/moved{post.path}", "/an-older-address/", "/another-page/"
    with Archive(archive) as opened, opened.transaction():
        opened.frontier.add(
            [Candidate(site.url(path), "article", "seed") for path in (moved, older, neighbour)],
            at=datetime.now(UTC),
            due_at=datetime(2000, 1, 1, tzinfo=UTC),
        )
    link = ("Link", f'<{post.path}>; rel="prev"')
    site.fail |= {
        moved: lambda answer: site.answer(post.path),
        older: faults.redirect(post.path),
        neighbour: lambda answer: replace(answer, headers=(*answer.headers, link)),
    }
    try:
        report = crawl(site, archive)
    finally:
        site.fail.clear()
    assert report["outcomes"]["redacted"] == 2
    assert rows(archive, _OTHERS) == others
    hidden = rows(
        archive, "SELECT url, warc_name, detail, redirected_to FROM fetches WHERE outcome = 'redacted'"
    )
    assert {url.partition(":")[0] for url, *_ in hidden} == {"redacted"}
    assert {tuple(rest) for _, *rest in hidden} == {(None, None, None)}
    assert found(archive, *needles) == []
    assert verified(archive)


@pytest.mark.fault("P02")
def test_the_warc_files_alone_tell_what_must_stay_out(
    crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """Without telling anybody what it was."""
    site = crawled[1]
    redact(archive, site.url(chosen(site).path), "--reason", REASON, "--yes")
    marks = {mark for (mark,) in rows(archive, "SELECT mark FROM redaction_marks")}
    (told,) = tombstones(archive / "warc")
    assert (set(told.marks), told.reason) == (marks, REASON)
    assert all(re.fullmatch("[0-9a-f]{64}", mark) for mark in told.marks)


def test_several_stories_go_at_once_and_backups_and_exports_are_named(
    crawled: tuple[Path, SampleSite], archive: Path
) -> None:
    """What still holds the text elsewhere must be replaced by hand."""
    site = crawled[1]
    posts = site.newsroom.published()[5:7]
    assert uknip("backup", str(archive.parent / "copy.db"), "--archive", str(archive)).returncode == 0
    (archive.parent / "exports").mkdir()
    (archive.parent / "exports" / "uknip.csv").touch()
    told = json.loads(
        redact(archive, *(site.url(p.path) for p in posts), "--reason", REASON, "--yes", "--json")
    )
    assert told["stories"] == 2
    assert told["backups_to_replace"] == [str(archive.parent / "copy.db")]
    assert told["exports_to_replace"] == ["exports/uknip.csv"]
    listed = json.loads(redact(archive, "--list", "--json"))
    assert [(one["reason"], one["finished"]) for one in listed] == [(REASON, True)] * 2


def test_nothing_goes_unasked(crawled: tuple[Path, SampleSite], archive: Path) -> None:
    """A dry run changes no byte, a question not answered neither; what cannot be meant is one line."""
    url = crawled[1].url(chosen(crawled[1]).path)
    before = [data for _, data in everything(archive / "warc")], rows(archive, "SELECT * FROM articles")
    assert json.loads(redact(archive, url, "--dry-run", "--json"))["stories"] == 1
    redact(archive, url, "--reason", REASON, expect=130)
    assert (
        [data for _, data in everything(archive / "warc")],
        rows(archive, "SELECT * FROM articles"),
    ) == before
    for arguments, said in (
        ((url,), "--reason"),
        ((), "--list"),
        (("https://uknip.co.uk/no-such-story/", "--reason", REASON, "--yes"), "no story at"),
    ):
        error = redact(archive, *arguments, expect=2)
        assert said in error
        assert error.count("\n") == 1
    assert "nothing was redacted" in redact(archive, "--list")


def test_the_text_of_a_copy_that_stays_is_no_mark(tmp_path: Path) -> None:
    """Or the copy would be kept out at its next move; where both go, it is one."""
    db = new_archive(tmp_path)
    stories = [
        add_article(db, path, "Ferry sinks", "She sank.") for path in ("/news/kent/a/", "/news/kent/a-2/")
    ]
    db.execute("UPDATE revisions SET content_sha256 = 'the same'")
    db.conn.commit()
    db.close()
    text = marks_of([], None, None, ["the same"])
    with Archive(tmp_path) as archive:
        assert not text & archive.redactions.story_marks(stories[0], stories[:1])
        assert text <= archive.redactions.story_marks(stories[0], stories)
        assert redaction.aim(archive, stories[:1]).copies == {f"{SITE}/news/kent/a-2/"}
        assert redaction.aim(archive, stories).copies == set()


def test_an_address_that_another_story_has_taken_over_is_no_mark(tmp_path: Path) -> None:
    """Or the other story would be kept out with the redacted one."""
    db = new_archive(tmp_path)
    add_article(db, "/news/kent/live/", "Road closed in Ashford today", "A tree fell.")
    moved = add_article(db, "/news/kent/ferry-sinks-in-ramsgate/", "Ferry sinks in Ramsgate", "She sank.")
    db.execute("UPDATE fetches SET url = ?, article_id = ?", (f"{SITE}/news/kent/live/", moved))
    db.conn.commit()
    db.close()
    redact(tmp_path, "/news/kent/ferry-sinks-in-ramsgate/", "--reason", REASON, "--yes")
    with Archive(tmp_path) as archive:
        assert archive.redactions.keeps_out(f"{SITE}/news/kent/ferry-sinks-in-ramsgate/")
        assert not archive.redactions.keeps_out(f"{SITE}/news/kent/live/")


def test_stories_grouped_through_a_redacted_one_are_grouped_anew(tmp_path: Path) -> None:
    """Two that are alike only to the story between them are no copies of one another."""
    db = new_archive(tmp_path)
    one, between, other = (
        add_article(db, f"/news/kent/{name}/", f"The {name} of three", "Text.", content_sha256=name)
        for name in ("first", "second", "third")
    )
    db.conn.commit()
    db.close()
    with Archive(tmp_path) as archive:
        with archive.transaction():
            for story, name in ((one, "first"), (between, "second"), (other, "third")):
                archive.duplicates.place(story, name, bytes(512), [])
            archive.duplicates.link(one, between, 0.5, ["shared"])
            archive.duplicates.link(between, other, 0.5, ["shared"])
            archive.duplicates.regroup()
        redaction.redact(archive, redaction.aim(archive, [between]), REASON, at=NOW)
    assert rows(tmp_path, "SELECT id, duplicate_of FROM articles") == [(1, None), (2, None), (3, None)]
    assert rows(tmp_path, "SELECT article_id FROM fingerprints") == [(one,), (other,)]


def test_where_a_picture_was_redirected_to_goes_with_it(tmp_path: Path) -> None:
    """The row of that visit names the file and its digest."""
    db = new_archive(tmp_path)
    story = add_article(db, "/news/kent/ferry-sinks-in-ramsgate/", "Ferry sinks in Ramsgate", "She sank.")
    add_image(db, story, 0, f"{SITE}/lead.jpg")
    visit = {"run_id": 1, "kind": "image", "opened_at": CAPTURED, "closed_at": CAPTURED}
    moved = {"url": f"{SITE}/lead.jpg", "found_by": "article", "redirected_to": f"{SITE}/f/81c2.jpg"}
    there = {"url": f"{SITE}/f/81c2.jpg", "found_by": "redirect", "payload_sha256": "81c2" * 16}
    db.table("fetches").insert_all(
        [visit | moved | {"outcome": "alias"}, visit | there | {"outcome": "stored"}], alter=False
    )
    db.close()
    redact(tmp_path, "/news/kent/ferry-sinks-in-ramsgate/", "--reason", REASON, "--yes")
    assert found(tmp_path, "81c2", "lead.jpg") == []


def test_every_picture_a_story_ever_showed_goes(tmp_path: Path) -> None:
    """One file at two of its addresses, and the picture at its head before an edit put another there."""
    with SampleSite(newsroom(12)) as site:
        post = next(post for post in site.newsroom.published() if post.lead_image and not post.unstructured)
        assert post.lead_image
        crawl(site, tmp_path, "--images")
        other = replace(post.lead_image, url="/wp-content/uploads/2026/03/quay-at-dawn.jpg")
        copies = tuple(
            Block(BlockKind.IMAGE, "", image=replace(other, url=f"/wp-content/uploads/2026/03/{name}.jpg"))
            for name in ("quay-at-noon", "quay-at-dusk")
        )
        for name, width in (("dawn", 70), ("noon", 80), ("dusk", 80)):
            body = faults.body(drawn("PNG", width), content_type="image/png")
            site.fail[f"/wp-content/uploads/2026/03/quay-at-{name}.jpg"] = body
        site.newsroom.work(NOW + timedelta(days=1))
        edited = replace(site.newsroom.posts[post.post_id], lead_image=other, modified_at=site.newsroom.now)
        site.newsroom.posts[post.post_id] = replace(edited, blocks=(*edited.blocks, *copies))
        crawl(site, tmp_path, "--images", "--full")
        url = site.url(edited.path)
    shown = (
        "SELECT count(*) FROM article_images JOIN images ON images.id = image_id "
        "JOIN articles ON articles.id = article_id WHERE articles.url = ? AND sha256 IS NOT NULL"
    )
    assert rows(tmp_path, shown, url)[0][0] >= 3
    redact(tmp_path, url, "--reason", REASON, "--yes")
    assert found(tmp_path, post.lead_image.url.rpartition("/")[2], "quay-at-dawn", "quay-at-noon") == []
    assert verified(tmp_path)


def test_a_story_without_a_capture_can_be_redacted(tmp_path: Path) -> None:
    """Marks told by another archive's WARC file keep it out here too."""
    db = new_archive(tmp_path / "a")
    url = SITE + "/news/kent/ferry-sinks-in-ramsgate/"
    add_article(db, "/news/kent/ferry-sinks-in-ramsgate/", "Ferry sinks in Ramsgate", "She sank.")
    db.close()
    redact(tmp_path / "a", url, "--reason", REASON, "--yes")
    with Archive(tmp_path / "b") as archive:
        for told in tombstones(tmp_path / "a" / "warc"):
            with archive.transaction():
                archive.redactions.adopt(told.marks, told.reason, told.at)
                archive.redactions.adopt(told.marks, told.reason, told.at)
        assert archive.redactions.keeps_out(url)
        assert [(one.reason, one.is_finished) for one in archive.redactions.all()] == [(REASON, True)]
