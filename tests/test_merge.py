"""Archives of one site are joined: from the command line, with what can go wrong on the way."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, content, crawl, rows
from processes import begin, uknip
from small_archives import SITE, Inline, Story, keep
from test_merge_properties import LATER, content_of, facts, same

from uknip_crawler.archive import DATABASE, Archive, lock
from uknip_crawler.archive.union import pages
from uknip_crawler.archive.union.runs import COLUMNS as RUN
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs.merge import files, merge

STORIES = [Story(1, (2, 4)), Story(2, moved_on=3), Story(3, deleted_on=5)]


@pytest.fixture(scope="module")
def three(archived: Archived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with archives of one site: `a` and `b` have their first crawl in common, `a` alone went on; `c` began later."""
    folder = tmp_path_factory.mktemp("three")
    with archived(folder / "a", 30) as site:
        shutil.copytree(folder / "a", folder / "b")
        site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, folder / "a")
        site.newsroom.work(NOW + timedelta(days=2))
        crawl(site, folder / "c")
    return folder


def joined(three: Path, to: Path, first: str, *others: str) -> Path:
    shutil.copytree(three / first, to)
    done = uknip("merge", *(str(three / other) for other in others), "--archive", str(to), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return to


def test_archives_crawled_between_edits_tell_the_same_in_any_order_and_from_captures_alone(
    three: Path, tmp_path: Path
) -> None:
    """Moves, edits and deletions that one archive saw and another slept through; it all verifies, and is rebuilt."""
    before = {one: content_of(three / one) for one in "abc"}
    whole = joined(three, tmp_path / "bca", "b", "c", "a")
    same(facts(whole), facts(joined(three, tmp_path / "ac", "a", "c")))  # all that b holds is in a
    assert {one: content_of(three / one) for one in "abc"} == before
    texts = "SELECT content_sha256 FROM revisions"
    assert set(rows(whole, texts)) == set(rows(three / "a", texts)) | set(rows(three / "c", texts))
    assert "Nothing new" in uknip("merge", str(three / "b"), "--archive", str(whole)).stdout
    verified = uknip("verify", "--archive", str(whole))
    assert verified.returncode == 0, verified.stdout
    told = content(whole)
    for left in whole.glob(f"{DATABASE}*"):
        left.unlink()
    assert uknip("rebuild", "--archive", str(whole)).returncode == 0
    rebuilt = content(whole)
    for table in ("articles", "revisions", "aliases"):
        assert rebuilt[table] == told[table], table


TOLD_ANEW = {
    *(
        "authors",
        "tags",
        "links",
        "evidence",
        "article_authors",
        "article_tags",
        "article_images",
        "article_furniture",
    ),
    *(
        "near_duplicates",
        "fingerprints",
        "fingerprint_bands",
        "layouts",
        "wordings",
        "lore",
        "studies",
        "warcs",
    ),
}
"""Tables of which all is made from captures when archives are joined, but what they cannot tell."""
JOINED = {
    *(
        "runs",
        "fetches",
        "articles",
        "aliases",
        "revisions",
        "events",
        "frontier",
        "sources",
        "images",
        "furniture",
    ),
    *("audits", "audit_stories", "findings", "redactions", "redaction_marks"),
}


def test_no_table_and_no_column_is_forgotten(two: tuple[Path, Path]) -> None:
    """One that is new is to be joined, or made anew."""
    with Archive(two[0]) as archive:
        names = {
            name for name in archive.db.table_names() if not name.startswith(("articles_fts", "_", "sqlite_"))
        }
        assert names == TOLD_ANEW | JOINED
        row = archive.db.conn.execute("SELECT * FROM frontier").fetchone()
        columns = [column[1] for column in archive.db.conn.execute("PRAGMA table_info(frontier)")]
        held = dict(zip(columns, row, strict=True))
        assert pages.joined([held | {"story": held["article_id"]}]) == held
        assert [c[1] for c in archive.db.conn.execute("PRAGMA table_info(runs)")] == ["id", *RUN.split(", ")]


# What can go wrong


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two small archives of one site."""
    keep(tmp_path / "a", STORIES, {1: [1, 2, 3], 2: [1]})
    keep(tmp_path / "b", STORIES, {3: [1, 2, 3], 5: [1, 3]}, hour=1)
    return tmp_path / "a", tmp_path / "b"


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uknip_crawler.ingest.workers.Workers", Inline)


def of_another_site(directory: Path) -> None:
    change(directory, "UPDATE runs SET base_url = 'https://other.example/'")


def of_a_newer_version(directory: Path) -> None:
    change(
        directory,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('uknip', 'm999_tomorrow', '2030-01-01')",
    )


def with_a_flipped_byte(directory: Path) -> None:
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DROP TRIGGER _sealing_revisions_update")
        db.execute("UPDATE revisions SET body = body || 'x' WHERE id = 1")
        db.commit()


def without_a_file(directory: Path) -> None:
    next((directory / "warc").iterdir()).unlink()


def without_a_database(directory: Path) -> None:
    (directory / DATABASE).unlink()


def with_something_else(directory: Path) -> None:
    for left in directory.glob(f"{DATABASE}*"):
        left.unlink()
    (directory / DATABASE).write_bytes(b"no database" * 100)


def change(directory: Path, sql: str) -> None:
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.execute(sql)
        db.commit()


@pytest.mark.parametrize(
    ("spoil", "status", "said"),
    [
        (of_another_site, 2, "archives https://other.example/"),
        (without_a_database, 2, "its database is lost: run"),
        (of_a_newer_version, 5, "written by a newer version"),
        (with_something_else, 5, "cannot open the archive"),
        (with_a_flipped_byte, 5, "is not as it was written"),
        (without_a_file, 5, "the file is missing"),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_what_cannot_be_joined_is_one_line_and_changes_nothing(
    two: tuple[Path, Path], spoil: object, status: int, said: str
) -> None:
    """Neither the archive nor the other; one that would have been new is not there."""
    a, b = two
    assert callable(spoil)
    spoil(b)
    before = content_of(a), content_of(b)
    for archive, *others in ((a, b), (a.parent / "new", a, b)):
        done = uknip("merge", *map(str, others), "--archive", str(archive))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
        assert said in done.stderr
    assert (content_of(a), content_of(b)) == before
    assert not (a.parent / "new").exists()


def test_an_archive_that_is_written_to_is_left_alone(two: tuple[Path, Path]) -> None:
    """Either of them; and one is not joined with itself."""
    a, b = two
    for held in (a, b):
        with lock.acquire(held):
            done = uknip("merge", str(b), "--archive", str(a))
        assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    done = uknip("merge", str(a), "--archive", str(a))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is the archive itself" in done.stderr
    (a / DATABASE).unlink()
    for archive, other in ((a, b), (b, a.parent)):
        done = uknip("merge", str(other), "--archive", str(archive))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (a / DATABASE).exists()


def test_a_full_disk_leaves_the_archive_as_it_was(two: tuple[Path, Path]) -> None:
    """Status 5, in one line."""
    a, b = two
    before = facts(a)
    done = begin("merge", str(b), "--archive", str(a), limit_bytes=300_000).end()
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    same(before, facts(a))
    assert not (a / "merging").exists()


@pytest.mark.fault("O07")
@pytest.mark.usefixtures("inline")
def test_a_merge_that_was_killed_is_simply_run_again(two: tuple[Path, Path]) -> None:
    """SIGKILL before each step of it; the other archive has redacted a story, so that files are written anew."""
    a, b = two
    redact(b, 2)
    whole = shutil.copytree(a, a.parent / "whole")
    merge(whole, [b], readers=Processes(1), clock=lambda: LATER)
    told = facts(whole)
    for point in ("_settle", "_drop_images", "replace", "rmtree"):
        killed = shutil.copytree(a, a.parent / point)
        killed_at(point, killed, b)
        merge(killed, [b], readers=Processes(1), clock=lambda: LATER)
        same(told, facts(killed))
        assert names(killed) == names(whole), point
        assert uknip("verify", "--archive", str(killed)).returncode == 0, point


def names(directory: Path) -> list[str]:
    return sorted(
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if "-" not in path.suffix
    )


def redact(directory: Path, number: int) -> None:
    from uknip_crawler.jobs import redaction

    with Archive(directory) as archive:
        [(story,)] = archive.db.conn.execute("SELECT id FROM articles WHERE post_id = ?", (100 + number,))
        redaction.redact(archive, redaction.aim(archive, [story]), "asked", at=LATER)


def killed_at(point: str, a: Path, b: Path) -> None:
    """Merge in a process of its own that ends itself when it comes to a step."""
    if (child := os.fork()) == 0:
        import uknip_crawler.archive
        from uknip_crawler.jobs import merge as job

        def end(*_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        begun = shutil.rmtree
        for where in (job, files, uknip_crawler.archive):
            if hasattr(where, point):
                setattr(where, point, end)
        if point == "rmtree":
            calls = iter([begun, end])
            shutil.rmtree = lambda *given, **named: next(calls)(*given, **named)  # type: ignore[assignment]
        job.merge(a, [b], readers=Processes(1), clock=lambda: LATER)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


@pytest.mark.usefixtures("inline")
def test_a_run_that_was_killed_in_another_archive_is_ended_here(two: tuple[Path, Path]) -> None:
    """The half record at the end of its file is cut; in the other archive all stays."""
    a, b = two
    (last,) = rows(b, "SELECT name, run_id FROM warcs ORDER BY name DESC LIMIT 1")
    change(b, f"UPDATE warcs SET closed_at = NULL, size_bytes = NULL WHERE name = '{last[0]}'")
    change(
        b, f"UPDATE runs SET finished_at = NULL, exit_status = NULL, end_reason = NULL WHERE id = {last[1]}"
    )
    path = (b / "warc" / last[0]).rename(b / "warc" / f"{last[0]}.open")
    path.write_bytes(path.read_bytes() + b"\x1f\x8b\x08torn")
    before = content_of(b)
    merge(a, [b], readers=Processes(1), clock=lambda: LATER)
    assert content_of(b) == before
    assert rows(a, "SELECT count(*) FROM runs WHERE end_reason = 'killed'") == [(1,)]
    assert uknip("verify", "--archive", str(a)).returncode == 0


@pytest.mark.usefixtures("inline")
def test_what_researchers_said_of_one_capture_is_kept_and_contradictions_are_named(tmp_path: Path) -> None:
    """A capture that one of them rejects stays out of its story's life, whoever is asked first."""
    keep(tmp_path / "a", STORIES, {1: [1, 2], 2: [1]})
    [(fetch,)] = rows(tmp_path / "a", "SELECT max(id) FROM fetches WHERE article_id IS NOT NULL")
    with Archive(tmp_path / "a") as archive, archive.transaction():
        archive.interruptions.set_aside({fetch: "a notice"})
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for name, verdict in (("a", "release"), ("b", "reject")):
        with Archive(tmp_path / name) as archive, archive.transaction():
            archive.interruptions.decide([fetch], verdict)  # type: ignore[arg-type]
    ab = shutil.copytree(tmp_path / "a", tmp_path / "ab")
    told = merge(ab, [tmp_path / "b"], readers=Processes(1), clock=lambda: LATER)
    assert len(told.contradictions) == 1
    assert told.contradictions[0].startswith(SITE.base_url)
    merge(tmp_path / "b", [tmp_path / "a"], readers=Processes(1), clock=lambda: LATER)
    same(facts(ab), facts(tmp_path / "b"))
    assert rows(ab, "SELECT outcome, verdict FROM fetches WHERE verdict IS NOT NULL") == [
        ("interrupted", "reject")
    ]


@pytest.mark.usefixtures("inline")
def test_images_of_all_are_there_once(two: tuple[Path, Path]) -> None:
    """An address that brought two files keeps both, and shows the one kept first."""
    from uknip_crawler.models import Media

    a, b = two
    for directory, body, day in ((a, b"older", 1), (b, b"newer", 2)):
        with Archive(directory) as archive:
            at = datetime(2026, 2, day, tzinfo=UTC)
            url = "https://courier.example/x.jpg"
            with archive.transaction():
                image = archive.db.conn.execute("INSERT INTO images (url) VALUES (?)", (url,)).lastrowid
                story = archive.db.conn.execute("SELECT min(id) FROM articles").fetchone()[0]
                archive.db.conn.execute(
                    "INSERT INTO article_images (article_id, position, image_id, is_lead) VALUES (?, 0, ?, 1)",
                    (story, image),
                )
                assert image is not None
                archive.images.keep(image, archive.images.write(url, body, Media("image/jpeg", 1, 1), at=at))
    merge(a, [b], readers=Processes(1), clock=lambda: LATER)
    assert {path.read_bytes() for path in (a / "images").rglob("*.jpg")} == {b"older", b"newer"}
    assert rows(a, "SELECT substr(fetched_at, 1, 10) FROM images") == [("2026-02-01",)]
    assert uknip("verify", "--archive", str(a)).returncode == 0
