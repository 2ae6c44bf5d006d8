"""A lost bit is named wherever it changes what a reader sees, and ends no command in a traceback; a read-only archive is
checked and copied like any other."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from capabilities import need_programs
from crawling import crawl, newsroom
from processes import uknip

from uknip_crawler.archive import DATABASE, Archive, open_readonly
from uknip_crawler.archive.sealing import broken
from uknip_crawler.demo import SampleSite


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "archive"
    with SampleSite(newsroom(8)) as site:
        crawl(site, directory)
    return directory


@pytest.fixture
def archive(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "archive"))


@pytest.fixture(scope="module")
def flips() -> ModuleType:
    path = Path(__file__).parent.parent / "bench" / "flips.py"
    spec = importlib.util.spec_from_file_location("flips", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def flip(archive: Path, text: bytes) -> None:
    """Flip a bit of every place where a text stands in the database file."""
    path = archive / DATABASE
    data = path.read_bytes()
    assert text in data
    path.write_bytes(data.replace(text, bytes([text[0] ^ 1]) + text[1:]))


def verify(archive: Path) -> str:
    done = uknip("verify", "--archive", str(archive))
    assert done.returncode == 5, done.stdout + done.stderr
    assert not done.stderr
    return done.stdout


def one(archive: Path, sql: str) -> str:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        return str(db.execute(sql).fetchone()[0])


@pytest.mark.fault("D11")
@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("SELECT substr(body, 20, 30) FROM revisions WHERE id = 2", "revisions"),
        ("SELECT headline FROM revisions WHERE id = 3", "revisions"),
        (
            "SELECT said FROM (SELECT listed_said AS said FROM frontier WHERE listed_said IS NOT NULL LIMIT 1)",
            "frontier",
        ),
        ("SELECT url FROM images LIMIT 1", "images"),
        ("SELECT opened_at FROM fetches WHERE id = 4", "fetches"),
        ("SELECT raw FROM evidence WHERE length(raw) > 12 LIMIT 1", "evidence"),
    ],
)
def test_a_lost_bit_of_what_a_reader_sees_is_named(sql: str, table: str, archive: Path) -> None:
    """By its table and row; a revision, which nothing else looks at, no less than the story."""
    flip(archive, one(archive, sql).encode())
    assert f"\n{table}: the row with " in f"\n{verify(archive)}"


@pytest.mark.fault("D11")
def test_random_flips_are_named_or_invisible(whole: Path, flips: ModuleType) -> None:
    """A sample of the benchmark's: none is passed over, none ends in a traceback."""
    counts = flips.measure(whole, flips=12, seed=7, captures=False)
    assert counts["named"] + counts["invisible"] == 12
    assert set(counts) <= {"named", "invisible"}


@pytest.mark.parametrize("command", ["status", "verify"])
def test_a_database_that_cannot_be_read_is_one_line(command: str, archive: Path) -> None:
    """Status 5, and what to do; the damage is in the root page of a table, and in the file's head."""
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'runs'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray((archive / DATABASE).read_bytes())
    data[(page - 1) * size] ^= 0xFF
    (archive / DATABASE).write_bytes(data)
    done = uknip(command, "--archive", str(archive))
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    data[0] ^= 1
    (archive / DATABASE).write_bytes(data)
    done = uknip(command, "--archive", str(archive))
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)


def test_what_another_program_writes_is_no_damage(archive: Path) -> None:
    """It is noted, and has its checksum from the next time that something is written."""
    with closing(sqlite3.connect(archive / DATABASE)) as db, db:
        db.execute("UPDATE authors SET name = name || ' (desk)'")
        db.execute("INSERT INTO tags (name) VALUES ('Added')")
        db.execute("DELETE FROM links")
        assert list(broken(db)) == []
    with Archive(archive) as opened, opened.transaction():
        pass
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        assert list(broken(db)) == []
        assert db.execute("SELECT count(*) FROM _unsealed").fetchone() == (0,)
        db.execute("DROP TRIGGER _sealing_tags_delete")
        db.execute("DELETE FROM tags WHERE name = 'Added'")
        assert list(broken(db)) == ["tags: 1 rows are missing, or their checksums are damaged"]


# Read-only


def read_only(archive: Path) -> Iterator[Path]:
    paths = [archive, *archive.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield archive
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def frozen(archive: Path) -> Iterator[Path]:
    """An archive without leave to write, also for root once it has given up its right to overrule that."""
    yield from read_only(archive)


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that must keep to what the file modes say."""
    command = [sys.executable, "-m", "uknip_crawler", *arguments]
    if os.getuid() == 0:
        need_programs("setpriv")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("log", [False, True], ids=["at rest", "with a log"])
def test_a_read_only_archive_is_verified_read_and_backed_up(
    log: bool, archive: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also one whose log was not folded in; the finished backup stays although it cannot be noted."""
    if log:
        with closing(sqlite3.connect(archive / DATABASE)) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("UPDATE runs SET end_reason = 'seen in the log'")
            db.commit()
            for name in (DATABASE, f"{DATABASE}-wal"):
                shutil.copy(archive / name, tmp_path / name)
        for name in (DATABASE, f"{DATABASE}-wal"):
            shutil.copy(tmp_path / name, archive / name)
    frozen = request.getfixturevalue("frozen")
    assert ask("status", "--archive", str(frozen)).returncode == 0
    done = ask("verify", "--archive", str(frozen))
    assert (done.returncode, done.stdout) == (0, "8 articles checked, 0 problems\n"), done.stderr
    room = tmp_path / "room"
    room.mkdir()
    done = ask("backup", str(room / "copy.db"), "--archive", str(frozen))
    assert done.returncode == 0, done.stderr
    assert "does not note this backup" in done.stderr
    assert "8 articles" in done.stdout
    with closing(open_readonly(frozen)) as db, closing(sqlite3.connect(room / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM articles").fetchone() == (8,)
        seen = copy.execute("SELECT DISTINCT end_reason FROM runs").fetchall()
        assert (seen == [("seen in the log",)]) == log
        assert db.table("articles").count == 8


def test_damage_of_a_read_only_archive_is_named(archive: Path, request: pytest.FixtureRequest) -> None:
    flip(archive, one(archive, "SELECT headline FROM articles WHERE id = 1").encode())
    frozen = request.getfixturevalue("frozen")
    done = ask("verify", "--archive", str(frozen))
    assert done.returncode == 5
    assert "articles: the row with id 1 " in done.stdout
    assert "search index: " in done.stdout
