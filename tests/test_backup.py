"""A backup is whole and consistent, whatever the archive is doing at the moment."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from crawling import FAST, crawl, newsroom, rows
from processes import begin, uknip
from sample_archive import add_article, new_archive

from uknip_crawler.archive import DATABASE, open_readonly
from uknip_crawler.archive.backup import LIST, known_backups
from uknip_crawler.demo import SampleSite

_INCONSISTENT = (
    "SELECT count(*) FROM articles WHERE revision_count <> (SELECT count(*) FROM revisions WHERE article_id = articles.id)",
    "SELECT count(*) FROM articles WHERE fetch_id NOT IN (SELECT id FROM fetches WHERE outcome IS NOT NULL)",
    "SELECT count(*) FROM pragma_foreign_key_check",
    "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
)


def back_up(archive: Path, file: Path, *options: str, expect: int = 0) -> str:
    """Run the command, assert its exit status, and return what it says."""
    done = uknip("backup", str(file), "--archive", str(archive), *options)
    assert done.returncode == expect, done.stderr
    return done.stderr if expect else done.stdout


@pytest.mark.fault("D10")
def test_backups_during_a_crawl_are_consistent_and_restore(tmp_path: Path) -> None:
    """One after the other while a real crawl writes; the last one is put in the place of a lost database."""
    archive, copies = tmp_path / "archive", []
    with SampleSite(newsroom(50)) as site:
        crawl(site, archive, "--limit", "3")
        running = begin("crawl", site.base_url, "--archive", str(archive), *FAST)
        while not running.has_ended(0):
            copies.append(tmp_path / f"copy-{len(copies)}.db")
            back_up(archive, copies[-1])
        assert running.end().returncode == 0
        restored = tmp_path / "restored"
        for copy in copies:
            shutil.rmtree(restored, ignore_errors=True)
            restored.mkdir()
            shutil.copy(copy, restored / DATABASE)
            assert [rows(restored, sql) for sql in _INCONSISTENT] == [[(0,)]] * len(_INCONSISTENT)
        counts = [_articles(copy, tmp_path) for copy in copies]
        assert counts == sorted(counts)
        assert any(3 <= count < 50 for count in counts)
        shutil.copytree(archive / "warc", restored / "warc")
        crawl(site, restored, expect=0)
    assert rows(restored, "SELECT count(*) FROM articles") == [(50,)]


def _articles(copy: Path, tmp_path: Path) -> int:
    folder = tmp_path / "counted"
    folder.mkdir(exist_ok=True)
    shutil.copy(copy, folder / DATABASE)
    return int(rows(folder, "SELECT count(*) FROM articles")[0][0])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    db = new_archive(tmp_path / "archive")
    add_article(db, "/news/kent/ferry-delayed-by-fog/", "Ferry delayed by fog")
    db.close()
    return tmp_path / "archive"


def test_a_backup_is_one_file_and_is_remembered(small: Path, tmp_path: Path) -> None:
    """No log beside it, nothing half made left over; `uknip redact` will name it as one to replace."""
    told = json.loads(back_up(small, tmp_path / "copy.db", "--json"))
    assert told == {
        "file": str(tmp_path / "copy.db"),
        "articles": 1,
        "size_bytes": (tmp_path / "copy.db").stat().st_size,
    }
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "copy.db"}
    listed = [json.loads(line) for line in (small / "backups.jsonl").read_text().splitlines()]
    assert [record["file"] for record in listed] == [str(tmp_path / "copy.db")]


def test_a_backup_replaces_nothing_unasked(small: Path, tmp_path: Path) -> None:
    """And never the archive itself."""
    (tmp_path / "copy.db").write_text("something else")
    assert "--force" in back_up(small, tmp_path / "copy.db", expect=2)
    assert (tmp_path / "copy.db").read_text() == "something else"
    back_up(small, tmp_path / "copy.db", "--force")
    assert (tmp_path / "copy.db").read_bytes().startswith(b"SQLite format 3")
    assert "own database" in back_up(small, small / DATABASE, "--force", expect=2)
    assert "folder that exists" in back_up(small, tmp_path / "no" / "x", expect=2)
    assert "no archive in" in back_up(tmp_path / "none", tmp_path / "x", expect=2)


def test_a_full_disk_leaves_the_old_backup(small: Path, tmp_path: Path) -> None:
    """Status 5, one line; no file may grow beyond a limit, which is how a process meets a full disk."""
    (tmp_path / "copy.db").write_text("the old backup")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "uknip_crawler",
            "backup",
            tmp_path / "copy.db",
            "--force",
            "--archive",
            small,
        ],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert (tmp_path / "copy.db").read_text() == "the old backup"
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "copy.db"}
    open_readonly(small).close()


def test_half_a_line_in_the_list_of_backups_stops_nothing(tmp_path: Path) -> None:
    """A backup that was killed may have left it; a redaction still names the others."""
    copy = tmp_path / "copy.db"
    copy.touch()
    (tmp_path / LIST).write_text(
        json.dumps({"file": str(copy), "at": "2026-03-14T08:00:00Z"}) + '\n{"file": "/ba'
    )
    assert list(known_backups(tmp_path)) == [(str(copy), "2026-03-14T08:00:00Z")]
