"""The database under torn logs, locks, readers and kills: what was committed is there, in its order, and nothing else."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from uknip_crawler.archive import DATABASE, Archive, open_readonly
from uknip_crawler.archive.database import connect
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.migrations import migrations

AT = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
SITE = "https://uknip.co.uk/"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive") as opened:
        yield opened


def start(archive: Archive) -> int:
    with archive.transaction():
        return archive.ledger.start_run("crawl", SITE, {}, "test", at=AT)


def commit(archive: Archive, run: int, name: str) -> None:
    with archive.transaction():
        row = archive.ledger.open(run, SITE + name, kind="unknown", found_by="seed", at=AT)
        assert row is not None


@pytest.mark.fault("D02")
def test_a_torn_log_gives_what_was_committed_before_the_tear(archive: Archive, tmp_path: Path) -> None:
    """Whatever the length of what is left of it: an exact prefix of the commits, in a sound database."""
    run = start(archive)
    path = tmp_path / "archive" / DATABASE
    log = path.with_name(f"{DATABASE}-wal")
    archive.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    ends = []
    for number in range(12):
        commit(archive, run, f"{number}/")
        ends.append(log.stat().st_size)
    whole = log.read_bytes()
    copy = tmp_path / "copy.db"
    for cut in range(0, len(whole), len(whole) // 60):
        shutil.copy(path, copy)
        copy.with_name("copy.db-wal").write_bytes(whole[:cut])
        copy.with_name("copy.db-shm").unlink(missing_ok=True)
        with closing(sqlite3.connect(copy)) as db:
            found = [url for (url,) in db.execute("SELECT url FROM fetches ORDER BY id")]
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert found == [f"{SITE}{number}/" for number in range(sum(end <= cut for end in ends))]


@pytest.mark.fault("D04", "D05")
def test_a_writer_waits_for_another_and_then_reads_what_that_one_wrote(archive: Archive, tmp_path: Path) -> None:  # fmt: skip
    """No "database is locked", no stale reading under a write."""
    run = start(archive)
    taken = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(tmp_path / "archive" / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE runs SET end_reason = 'written by another'")
            taken.set()
            time.sleep(0.7)
            other.execute("COMMIT")

    archive.db.execute("SELECT end_reason FROM runs").fetchall()
    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    began = time.monotonic()
    with archive.transaction():
        assert archive.db.execute("SELECT end_reason FROM runs").fetchall() == [("written by another",)]
        archive.ledger.open(run, SITE, kind="unknown", found_by="seed", at=AT)
    assert time.monotonic() - began > 0.5
    holder.join()


@pytest.mark.fault("D07")
def test_a_bad_row_in_a_batch_stores_none_of_it(archive: Archive) -> None:
    """Half a character cannot be written: the rows before it are not either, and the next batch is."""
    start(archive)
    good = [Candidate(f"{SITE}{number}/", "article", "seed") for number in range(3)]
    with pytest.raises(UnicodeEncodeError), archive.transaction():
        archive.frontier.add([*good, Candidate(f"{SITE}\ud800/", "article", "seed")], at=AT, due_at=AT)
    count = "SELECT count(*) FROM frontier"
    assert archive.db.execute(count).fetchone() == (0,)
    with archive.transaction():
        archive.frontier.add(good, at=AT, due_at=AT)
    assert archive.db.execute(count).fetchone() == (3,)


@pytest.mark.fault("D12")
def test_a_reader_who_never_stops_lets_the_log_be_folded_in(archive: Archive, tmp_path: Path) -> None:
    """It stays a few megabytes whatever is written, and the reader sees each commit."""
    run = start(archive)
    log = tmp_path / "archive" / f"{DATABASE}-wal"
    largest, stop, seen = 0, threading.Event(), [0]

    def read() -> None:
        with closing(open_readonly(tmp_path / "archive")) as db:
            while not stop.is_set():
                seen[0] = db.execute("SELECT count(*) FROM fetches").fetchone()[0]

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(250):
            commit(archive, run, "x" * 2000 + f"{number}/")
            largest = max(largest, log.stat().st_size)
        deadline = time.monotonic() + 10
        while seen[0] < 250 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        stop.set()
        reader.join()
    assert seen[0] == 250
    assert largest < 12 * 2**20


@pytest.mark.fault("D13")
def test_a_migration_that_is_killed_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    """The next opening makes it whole."""
    child = os.fork()
    if child == 0:
        connection = Database(tmp_path / DATABASE)
        last = migrations.pending(Database(memory=True))[-1]
        made = connection.conn.execute
        connection.conn.execute("PRAGMA journal_mode = WAL")
        migrations.apply(connection, stop_before=last.name)
        connection.conn.set_progress_handler(lambda: os._exit(9), 400)
        migrations.apply(connection)
        made("SELECT 1")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    whole = Database(memory=True)
    migrations.apply(whole)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as db:
        names = {name for (name,) in db.execute("SELECT name FROM _sqlite_migrations")}
        assert len(names) < len(migrations.pending(Database(memory=True)))
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again = connect(tmp_path)
    assert set(again.table_names()) == set(whole.table_names())
    again.close()
