"""The archive's own promises: identity, revisions, the ledger's single ending, transactions, captures."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import multiprocessing
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from uknip_crawler.archive import DATABASE, Archive, open_readonly, warc
from uknip_crawler.archive.backup import back_up
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.migrations import forget_former, migrations
from uknip_crawler.archive.story_rows import Evidence
from uknip_crawler.archive.warc import RecordRef
from uknip_crawler.duplicates.fingerprints import content_sha256
from uknip_crawler.errors import ArchiveLocked, StorageError, UsageError
from uknip_crawler.models import Article, Block, BlockKind, Capture, Image, Outcome

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
SITE = "https://uknip.co.uk"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    opened = Archive(tmp_path)
    with opened.transaction():
        opened.ledger.start_run("crawl", f"{SITE}/", {}, "test", at=NOW)
    yield opened  # type: ignore[misc]
    opened.close()


def story(
    path: str = "/news/uk/breaking/ferry-delayed/", text: str = "The ferry was late.", **fields: object
) -> Article:
    article = Article(SITE + path, "Ferry delayed by fog", (Block(BlockKind.PARAGRAPH, text),), post_id=7)
    return dataclasses.replace(article, **fields)  # type: ignore[arg-type]


def store(archive: Archive, article: Article, *came_from: str, at: datetime = NOW) -> Outcome:
    with archive.transaction():
        visits = archive.db.execute("SELECT count(*) FROM fetches").fetchone()[0]
        row = archive.ledger.open(1, f"{article.url}#{visits}", kind="article", found_by="seed", at=at)
        assert row is not None
        evidence = Evidence(1, row, at, "1")
        return archive.articles.store(
            article, content_sha256(article.headline, article.body), evidence, came_from
        )[0]


def values(archive: Archive, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in archive.db.execute(sql).fetchall()]


def test_storing_the_same_article_twice_changes_nothing(archive: Archive) -> None:
    """One row, one revision, the outcome says so."""
    assert store(archive, story()) is Outcome.STORED
    assert store(archive, story()) is Outcome.UNCHANGED
    assert values(archive, "SELECT count(*), max(revision_count) FROM articles") == [(1, 1)]


def test_changed_text_makes_a_revision_and_changed_tags_do_not(archive: Archive) -> None:
    """A revision is a change by the publisher to headline or text."""
    store(archive, story())
    assert store(archive, story(tags=("Ferry",), section="Travel")) is Outcome.UNCHANGED
    assert store(archive, story(text="The ferry was late. Nobody minded.")) is Outcome.REVISED
    assert values(archive, "SELECT number, body FROM revisions ORDER BY number") == [
        (1, "The ferry was late."),
        (2, "The ferry was late. Nobody minded."),
    ]
    assert values(archive, "SELECT section, revision_count FROM articles") == [(None, 2)]


def test_a_post_number_with_the_same_headline_is_a_move(archive: Archive) -> None:
    """The old address becomes an alias, the move an event, and no revision is made."""
    store(archive, story())
    assert store(archive, story("/2026/03/14/ferry-delayed-again/")) is Outcome.ALIAS
    assert values(archive, "SELECT url FROM articles") == [(f"{SITE}/2026/03/14/ferry-delayed-again/",)]
    assert values(archive, "SELECT url, evidence FROM aliases") == [
        (f"{SITE}/news/uk/breaking/ferry-delayed/", "post number")
    ]
    assert values(archive, "SELECT kind FROM events") == [("moved",)]
    assert values(archive, "SELECT count(*) FROM revisions") == [(1,)]


def test_a_renumbered_post_is_another_story(archive: Archive) -> None:
    """The number alone proves nothing when headline, text and slug all differ."""
    store(archive, story())
    other = story(
        "/news/uk/breaking/cat-rescued/", "A cat came down.", headline="Cat rescued from church spire"
    )
    assert store(archive, other) is Outcome.STORED
    assert values(archive, "SELECT count(*) FROM articles") == [(2,)]
    assert values(archive, "SELECT count(*) FROM aliases") == [(0,)]


def test_a_redirect_to_another_story_merges_nothing(archive: Archive) -> None:
    """WordPress guessed: numbers differ."""
    store(archive, story())
    guess = story(
        "/news/uk/breaking/ferry-delayed-twice/", "Another day.", headline="Ferry delayed twice", post_id=9
    )
    assert store(archive, guess, f"{SITE}/news/uk/breaking/ferry-delayed/") is Outcome.STORED
    assert values(archive, "SELECT count(*) FROM aliases") == [(0,)]


def test_the_same_text_under_another_number_is_a_duplicate(archive: Archive) -> None:
    """Linked, never dropped."""
    store(archive, story())
    assert store(archive, story("/news/uk/breaking/ferry-delayed-2/", post_id=8)) is Outcome.DUPLICATE
    assert values(archive, "SELECT id, duplicate_of FROM articles ORDER BY id") == [(1, None), (2, 1)]


def test_a_move_back_leaves_no_alias_of_itself(archive: Archive) -> None:
    """An address is the story's own or its alias, never both."""
    for path in ("/news/uk/a/ferry/", "/news/uk/b/ferry/", "/news/uk/a/ferry/"):
        store(archive, story(path))
    assert values(archive, "SELECT url FROM articles") == [(f"{SITE}/news/uk/a/ferry/",)]
    assert values(archive, "SELECT url FROM aliases") == [(f"{SITE}/news/uk/b/ferry/",)]


def test_an_old_address_taken_over_by_another_post_is_the_other_posts(archive: Archive) -> None:
    """No revision of the old story, and its alias is the new story's address now."""
    store(archive, story("/news/uk/a/ferry/"))
    store(archive, story("/news/uk/b/ferry/"))
    other = story(
        "/news/uk/a/ferry/", "A cat came down.", headline="Cat rescued from church spire", post_id=200
    )
    assert store(archive, other) is Outcome.STORED
    assert store(archive, story("/news/uk/b/ferry/")) is Outcome.UNCHANGED
    assert values(archive, "SELECT url, post_id, revision_count FROM articles ORDER BY id") == [
        (f"{SITE}/news/uk/b/ferry/", 7, 1),
        (f"{SITE}/news/uk/a/ferry/", 200, 1),
    ]
    assert values(archive, "SELECT count(*) FROM aliases") == [(0,)]


def test_search_follows_what_is_stored(archive: Archive) -> None:
    """The index shows the current text, with word forms, and forgets the old one."""
    store(archive, story(text="Fishermen complained."))
    store(archive, story(text="Sailors rejoiced."))
    found = "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH '{}'"
    assert values(archive, found.format("complain")) == [(0,)]
    assert values(archive, found.format("sailor")) == [(1,)]


def test_pictures_and_people_are_replaced_not_added(archive: Archive) -> None:
    """A second reading shows what the page shows now."""
    picture = Image(f"{SITE}/one.jpg", "alt", "caption", "credit")
    store(archive, story(images=(picture,), lead_image=picture, authors=("Ada", "Bea")))
    store(archive, story(images=(), authors=("Bea",)))
    assert values(archive, "SELECT count(*) FROM article_images") == [(0,)]
    assert values(archive, "SELECT name FROM article_authors JOIN authors ON id = author_id") == [("Bea",)]


def test_a_ledger_row_closes_once(archive: Archive) -> None:
    """The second ending is refused."""
    with archive.transaction():
        row = archive.ledger.open(1, f"{SITE}/x/", kind="article", found_by="seed", at=NOW)
        assert row is not None
        assert archive.ledger.open(1, f"{SITE}/x/", kind="article", found_by="link", at=NOW) is None
        archive.ledger.close(row, Outcome.GONE, at=NOW)
    with pytest.raises(StorageError), archive.transaction():
        archive.ledger.close(row, Outcome.STORED, at=NOW)
    assert values(archive, "SELECT outcome FROM fetches") == [("gone",)]


@pytest.mark.fault("D06", "D07")
def test_a_failure_in_a_transaction_leaves_nothing(archive: Archive) -> None:
    """No article without its revision, no row without its outcome."""

    def half() -> None:
        with archive.transaction():
            archive.frontier.add([Candidate(f"{SITE}/x/", "article", "seed")], at=NOW, due_at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert values(archive, "SELECT count(*) FROM frontier") == [(0,)]


def test_a_visit_due_at_once_waits_for_the_next_run(archive: Archive) -> None:
    """A run claims what was due when it began, so that it ends."""
    with archive.transaction():
        archive.frontier.add([Candidate(f"{SITE}/x/", "article", "seed")], at=NOW, due_at=NOW)
        (due,) = archive.frontier.claim(1, 10, due_by=NOW, at=NOW)
        archive.ledger.close(due.fetch_id, Outcome.TIMEOUT, at=NOW)
        archive.frontier.settle(due.url, Outcome.TIMEOUT, at=NOW, next_visit=timedelta(0))
        assert archive.frontier.claim(1, 10, due_by=NOW, at=NOW) == []
        second = archive.ledger.start_run("crawl", f"{SITE}/", {}, "test", at=NOW)
        assert len(archive.frontier.claim(second, 10, due_by=NOW + timedelta(seconds=1), at=NOW)) == 1


def test_a_source_makes_an_address_due_only_when_it_changed(archive: Archive) -> None:
    """The same date listed again costs no visit; a later one does."""
    url = f"{SITE}/x/"

    def listed(modified_at: datetime, at: datetime) -> int:
        with archive.transaction():
            archive.frontier.add(
                [Candidate(url, "article", "rest", listed_on="rest", modified_at=modified_at)],
                at=at,
                due_at=at,
            )
        return archive.frontier.waiting(due_by=at)

    assert listed(NOW, NOW) == 1
    with archive.transaction():
        archive.frontier.settle(url, Outcome.STORED, at=NOW, next_visit=timedelta(days=9))
    assert listed(NOW, NOW + timedelta(hours=1)) == 0
    assert listed(NOW + timedelta(minutes=5), NOW + timedelta(hours=1)) == 1


def test_an_address_listed_again_after_it_was_gone_is_looked_at_once(archive: Archive) -> None:
    """A story comes back with its old date; a source that lists a dead address for ever costs one visit."""
    url = f"{SITE}/x/"
    listing = [Candidate(url, "article", "rest", listed_on="rest", modified_at=NOW)]

    def listed(at: datetime) -> int:
        with archive.transaction():
            archive.frontier.add(listing, at=at, due_at=at)
        return archive.frontier.waiting(due_by=at)

    assert listed(NOW) == 1
    with archive.transaction():
        archive.listings.retract("rest", before=NOW + timedelta(hours=1), due_at=NOW)
        archive.frontier.settle(url, Outcome.GONE, at=NOW, next_visit=timedelta(days=90))
    assert listed(NOW + timedelta(hours=2)) == 1
    with archive.transaction():
        archive.frontier.settle(url, Outcome.GONE, at=NOW, next_visit=timedelta(days=90))
    assert listed(NOW + timedelta(hours=3)) == 0


def _try_lock(directory: str, answer: multiprocessing.Queue[str]) -> None:
    try:
        Archive(Path(directory)).close()
    except ArchiveLocked as error:
        answer.put(str(error))
    else:
        answer.put("open")


def test_another_process_cannot_open_it(archive: Archive) -> None:
    """One writer; the message says who holds it."""
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_try_lock, args=(str(archive.directory), answer))
    process.start()
    assert "another run" in answer.get(timeout=30)
    process.join()


def test_no_archive_is_one_clear_line(tmp_path: Path) -> None:
    """Reading creates nothing."""
    with pytest.raises(UsageError, match="no archive in"):
        open_readonly(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    """When it is opened, not at the first question."""
    (tmp_path / "uknip.db").write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match="file is not a database"):
        open_readonly(tmp_path)


@pytest.mark.fault("D13")
def test_a_newer_archive_is_refused(tmp_path: Path) -> None:
    """A table this version does not know is not touched."""
    with Archive(tmp_path) as opened:
        opened.db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('uknip', 'm999_future', '2030')"
        )
    for opening in (Archive, open_readonly):
        with pytest.raises(StorageError, match="newer version"):
            opening(tmp_path)


# Captures


def capture(number: int, body: bytes = b"<p>text</p>", status: int = 200) -> Capture:
    headers = (("Content-Type", "text/html"), ("Etag", '"a1"'))
    return Capture(f"{SITE}/{number}/", status, headers, body, NOW)


def written(archive: Archive, count: int) -> list[RecordRef]:
    refs = [
        archive.capture(1, capture(n, f"<p>{n}</p>".encode() * 50), (("User-Agent", "uknip"),), at=NOW)
        for n in range(count)
    ]
    archive.finish_captures(at=NOW)
    return refs


def test_a_capture_is_read_back_as_it_was_received(archive: Archive) -> None:
    """Bytes, status, headers, time."""
    ref = archive.capture(1, capture(1, b"\x1f\x8b\x00not gzip", 404), (), at=NOW)
    archive.finish_captures(at=NOW)
    assert archive.read_capture(ref) == capture(1, b"\x1f\x8b\x00not gzip", 404)


@pytest.mark.fault("V01")
def test_warc_files_satisfy_another_reader(archive: Archive) -> None:
    """warcio's own check: every digest right, one record a member, request and response in pairs."""
    from warcio.archiveiterator import ArchiveIterator

    written(archive, 3)
    (path,) = archive.warc_folder.glob("*.warc.gz")
    kinds = []
    with path.open("rb") as file:
        for record in ArchiveIterator(file, check_digests="raise"):
            record.content_stream().read()
            kinds.append(record.rec_type)
            if record.rec_type == "response":
                assert record.rec_headers.get_header("WARC-Payload-Digest").startswith("sha256:")
    assert kinds == ["warcinfo"] + ["response", "request"] * 3


@pytest.mark.fault("V04")
@pytest.mark.parametrize("hit", [2, 6, 10])
def test_one_flipped_byte_loses_one_record(archive: Archive, hit: int) -> None:
    """Every other record is still readable."""
    refs = written(archive, 12)
    (path,) = archive.warc_folder.glob("*.warc.gz")
    data = bytearray(path.read_bytes())
    # in the compressed data: a member's header holds bytes that no checksum covers
    data[refs[hit].offset + refs[hit].length // 2] ^= 0xFF
    path.write_bytes(data)
    readable = 0
    for number, ref in enumerate(refs):
        with contextlib.suppress(StorageError):
            assert archive.read_capture(ref).url == f"{SITE}/{number}/"
            readable += 1
    assert readable == 11
    damaged = [member for member in warc.members(path) if not member.is_whole]
    assert len(damaged) == 1


@pytest.mark.fault("V03")
@pytest.mark.parametrize("keep", [1, 37, 200])
def test_records_after_a_torn_one_are_readable(archive: Archive, keep: int) -> None:
    """What a record left behind that never got whole is one damaged stretch."""
    refs = written(archive, 3)
    (path,) = archive.warc_folder.glob("*.warc.gz")
    data, second = path.read_bytes(), refs[1].offset
    torn = data[refs[0].offset :][:keep]
    path.write_bytes(data[:second] + torn + data[second:])
    found = list(warc.members(path))
    assert [(one.offset, one.length) for one in found if not one.is_whole] == [(second, keep)]
    assert [one.url for one in warc.captures(path)] == [f"{SITE}/{number}/" for number in range(3)]


@pytest.mark.fault("V02")
@pytest.mark.parametrize("keep", [1, 37, 200])
def test_a_torn_tail_is_seen_whatever_its_length(archive: Archive, keep: int) -> None:
    """A short last record must not pass for a whole one."""
    refs = written(archive, 2)
    (path,) = archive.warc_folder.glob("*.warc.gz")
    data = path.read_bytes()
    path.write_bytes(data + data[refs[0].offset :][:keep])
    *whole, last = warc.members(path)
    assert all(member.is_whole for member in whole)
    assert not last.is_whole
    assert last.length == keep


def test_an_alias_that_stops_redirecting_does_not_make_its_story_gone(archive: Archive) -> None:
    """Only the story's own address speaks for it."""
    store(archive, story("/news/uk/a/ferry/"))
    store(archive, story("/news/uk/b/ferry/"))
    known = archive.articles.at(f"{SITE}/news/uk/b/ferry/")
    assert known is not None

    def missed(url: str) -> None:
        with archive.transaction():
            archive.articles.missed(known, url, 1, "missing", "HTTP 404", at=NOW)

    missed(f"{SITE}/news/uk/a/ferry/")
    assert values(archive, "SELECT missed_runs FROM articles") == [(0,)]
    missed(f"{SITE}/news/uk/b/ferry/")
    missed(f"{SITE}/news/uk/b/ferry/")
    assert values(archive, "SELECT kind FROM events WHERE kind <> 'moved'") == [("missing",)]
    assert values(archive, "SELECT missed_runs FROM articles") == [(1,)]


# Archives of earlier versions

FORMER = Path(__file__).parent / "archives" / "before_first_release.db.gz"


def former_archive(directory: Path) -> Path:
    """Unpack the database of eight stories that the program wrote in eight steps of its tables."""
    with gzip.open(FORMER) as packed:
        (directory / DATABASE).write_bytes(packed.read())
    return directory


def test_an_archive_made_before_the_first_release_is_carried_over(tmp_path: Path) -> None:
    """Every story and revision as it was, in the tables of a new archive."""
    old = sqlite3.connect(former_archive(tmp_path) / DATABASE)
    stories = old.execute("SELECT url, headline, body, published_at FROM articles ORDER BY id").fetchall()
    revisions = old.execute("SELECT article_id, number, body FROM revisions ORDER BY id").fetchall()
    (read_again_at,) = old.execute("SELECT rested_at FROM runs").fetchone()
    old.close()
    assert len(stories) == 8
    with Archive(tmp_path) as archive, Archive(tmp_path / "new") as new:
        db = archive.db
        assert (
            db.execute("SELECT url, headline, body, published_at FROM articles ORDER BY id").fetchall()
            == stories
        )
        assert (
            db.execute("SELECT article_id, number, body FROM revisions ORDER BY id").fetchall() == revisions
        )
        assert db.execute("SELECT derived_at FROM runs").fetchall() == [(read_again_at,)]
        assert columns(db) == columns(new.db)
    with Archive(tmp_path) as archive:  # and once more: nothing is left to do
        assert archive.db.table("articles").count == 8


@pytest.mark.parametrize("step", [one.name for one in migrations.pending(Database(memory=True))][1:])
def test_an_archive_of_every_earlier_form_is_read_and_written(step: str, tmp_path: Path) -> None:
    """A command that only reads gives it today's tables too; a backup is made of it as it is."""
    directory = former_archive(tmp_path)
    db = Database(directory / DATABASE)
    forget_former(db)
    migrations.apply(db, stop_before=step)
    before = db.table_names()
    db.close()
    back_up(directory, tmp_path / "copy.db", force=False, at=NOW)
    copy = Database(tmp_path / "copy.db")
    assert set(before) <= set(copy.table_names())
    copy.close()
    reading = open_readonly(directory)
    assert reading.table("articles").count == 8
    reading.close()
    with Archive(tmp_path / "new") as new, Archive(directory) as archive:
        assert columns(archive.db) == columns(new.db)


def test_an_earlier_archive_that_cannot_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is mounted read-only."""
    former_archive(tmp_path)
    monkeypatch.setattr("uknip_crawler.archive.database.is_readonly", lambda directory: True)
    with pytest.raises(StorageError, match="earlier version's archive"):
        open_readonly(tmp_path)


def columns(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    names = [name for name in db.table_names() if not name.startswith("articles_fts")]
    return {name: db.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in sorted(names)}


@pytest.mark.fault("D13")
def test_an_archive_stopped_among_the_former_steps_is_told_the_way_out(tmp_path: Path) -> None:
    """Its captures hold everything."""
    db = sqlite3.connect(former_archive(tmp_path) / DATABASE)
    with db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm008_studies'")
    db.close()
    with pytest.raises(StorageError, match="uknip rebuild"):
        Archive(tmp_path)
