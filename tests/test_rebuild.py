"""The database is lost, and made again from the WARC files alone."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import NOW, content, crawl, rows
from processes import uknip

from uknip_crawler.archive import DATABASE
from uknip_crawler.demo import Newsroom, SampleSite, faults

LIVES = ("articles", "revisions", "aliases", "authors", "tags", "images", "links")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hard sample site through all its phases: edits, moves, deletions believed, a stumble, a redesign."""
    directory = tmp_path_factory.mktemp("life")
    with SampleSite(Newsroom(40, now=NOW)) as site:
        crawl(site, directory)
        site.newsroom.work(NOW + timedelta(days=1))
        stumbling = site.newsroom.published()[0].path
        site.fail[stumbling] = faults.first(1, faults.status(503))
        crawl(site, directory)
        crawl(site, directory)
        site.newsroom.redesign(NOW + timedelta(days=2))
        make_all_due(directory)
        crawl(site, directory)
    return directory


def make_all_due(directory: Path) -> None:
    """As if the time to look again had come."""
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.execute("UPDATE frontier SET due_at = '2026-01-01T00:00:00Z' WHERE article_id IS NOT NULL")
        db.commit()


@pytest.fixture
def lost(life: Path, tmp_path: Path) -> Path:
    """A copy of the archive whose database is gone."""
    copy = Path(shutil.copytree(life, tmp_path / "copy"))
    for file in copy.glob(f"{DATABASE}*"):
        file.unlink()
    return copy


@pytest.fixture(scope="module")
def before(life: Path) -> dict[str, list[tuple[Any, ...]]]:
    return content(life)


@pytest.mark.fault("V08")
def test_what_is_rebuilt_equals_the_original(
    lost: Path, life: Path, before: dict[str, list[tuple[Any, ...]]]
) -> None:
    """Articles with their status, revisions, aliases, people, tags, pictures, links; and it all verifies."""
    assert uknip("rebuild", "--archive", str(lost)).returncode == 0
    after = content(lost)
    for table in LIVES:
        assert after[table] == before[table], table
    same = "SELECT url, first_seen_at, captured_at, last_changed_at, missed_runs FROM articles ORDER BY url"
    assert rows(lost, same) == rows(life, same)
    assert rows(lost, "SELECT count(*) FROM articles WHERE status = 'gone'") == [(3,)]
    verified = uknip("verify", "--archive", str(lost))
    assert verified.returncode == 0, verified.stdout
    assert list(lost.glob("*.rebuilding*")) == []


def test_a_run_killed_before_its_first_record_does_not_stop_a_rebuild(lost: Path) -> None:
    """Its file is empty, or holds the beginning of a record and no more."""
    folder = lost / "warc"
    (folder / "uknip-20260320000000-00098-0001.warc.gz.open").touch()
    (folder / "uknip-20260321000000-00099-0001.warc.gz.open").write_bytes(b"\x1f\x8b\x08")
    assert uknip("rebuild", "--archive", str(lost)).returncode == 0
    assert uknip("verify", "--archive", str(lost)).returncode == 0
