"""Reading on a real Dask cluster on loopback: the same database, row for row, also when a worker falls in the middle."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as WorkerTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from capabilities import need_modules
from crawling import NOW, Archived, rows
from machines import DaskMachines, wait_for
from pebble import ProcessExpired
from processes import uknip

from uknip_crawler.archive import DATABASE, Archive
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.errors import MachineError
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.ingest.workers import Processes, Readers, read_records
from uknip_crawler.jobs.derivation import name_edits
from uknip_crawler.jobs.reextraction import learn_layouts, reextract

if TYPE_CHECKING:
    from uknip_crawler.ingest.cluster import Cluster

BASE = "https://uknip.co.uk/"
SECONDS = 20.0


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskMachines]:
    need_modules("distributed")
    machines = DaskMachines(tmp_path_factory.mktemp("machines"))
    machines.start()
    try:
        yield machines
    finally:
        machines.stop()


@pytest.fixture(scope="module")
def cluster(machines: DaskMachines) -> Iterator[Cluster]:
    from uknip_crawler.ingest.cluster import Cluster

    with Cluster(machines.address) as cluster:
        wait_for(lambda: cluster.count == 2, "the second worker")
        yield cluster


@pytest.mark.parametrize(
    ("task", "arguments", "error"),
    [
        (time.sleep, (30,), WorkerTimeout),
        (os._exit, (11,), ProcessExpired),
        (bytearray, (2**32,), MemoryError),
    ],
    ids=["runs away", "crashes", "eats memory"],
)
def test_a_page_has_the_same_limits_there(
    cluster: Cluster, task: Any, arguments: tuple[int, ...], error: type[BaseException]
) -> None:
    """It costs its process; no worker falls by it."""
    workers = cluster.client.nthreads()
    with cluster.pool(BASE, Learned()) as pool:
        with pytest.raises(error):
            pool.schedule(task, *arguments, seconds=1.0).result()
        assert pool.schedule(abs, -3, seconds=SECONDS).result() == 3
    assert cluster.client.nthreads() == workers


@pytest.mark.fault("M04")
def test_a_worker_that_does_not_see_the_captures_says_so(cluster: Cluster, tmp_path: Path) -> None:
    """Before it reads any page: what is missing there would count as lost."""
    folder = tmp_path / "warc"
    folder.mkdir()
    (folder / "a.warc.gz").touch()
    with cluster.pool(BASE, Learned(), folder) as pool:
        (folder / "a.warc.gz").unlink()  # the workers' machines have another folder of that name
        with pytest.raises(MachineError, match=r"worker tcp://.*: sees 0 of 1 WARC files in .*: share that"):
            pool.schedule(read_records, folder, [], seconds=SECONDS).result()


def content(directory: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    names = rows(directory, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return {name: rows(directory, f"SELECT * FROM {name}") for (name,) in names}


def read_again(directory: Path, readers: Readers, progress: Any = lambda done, of: None) -> None:
    """Learn all there is to learn, and read every story again."""
    with Archive(directory) as archive:
        with archive.transaction():
            archive.db.execute("DELETE FROM studies")
            archive.db.execute("UPDATE layouts SET state = 'learning', rules = NULL, learned_through = NULL")
            archive.db.execute("UPDATE articles SET extractor_version = '', body = 'Not read yet.'")
        base_url = archive.base_url()
        assert base_url is not None
        learned, _ = learn_layouts(archive, base_url, readers=readers, at=NOW)
        report = reextract(
            archive, base_url, learned, archive.readings.all(), readers=readers, progress=progress
        )
        assert not report.unread
        name_edits(archive)
        link_near_duplicates(archive)


@pytest.mark.fault("M03")
def test_a_worker_that_falls_in_the_middle_changes_no_row(
    machines: DaskMachines, cluster: Cluster, archived: Archived, tmp_path: Path
) -> None:
    """What it had under way is read by the other one, in its place."""
    here, there = tmp_path / "here", tmp_path / "there"
    archived(here, 40)
    shutil.copytree(here, there)
    read_again(here, Processes(2))
    fallen: list[str] = []

    def fall(done: int, of: int) -> None:
        busy = [
            cluster.client.scheduler_info()["workers"][one]["name"]
            for one, has in cluster.client.processing().items()
            if has
        ]
        if done and not fallen and "two" in busy:
            assert done < of
            machines.fall("two")
            fallen.append("two")

    read_again(there, cluster, fall)
    assert fallen
    assert cluster.count == 1
    found, expected = content(there), content(here)
    assert len(expected["articles"]) == 40
    for name in expected:
        assert found[name] == expected[name], name


def test_the_command_reads_there(
    machines: DaskMachines, cluster: Cluster, archived: Archived, tmp_path: Path
) -> None:
    """And so do the ones that make a database anew; they leave nothing behind on the workers."""
    archived(tmp_path / "archive", 30)
    stories = "SELECT url, headline, body FROM articles ORDER BY url"
    before = rows(tmp_path / "archive", stories)
    done = uknip("reextract", "--all", "--dask", machines.address, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "30 stories read again" in done.stdout
    assert "nothing changed" in done.stdout
    (tmp_path / "archive" / DATABASE).unlink()
    done = uknip("rebuild", "--dask", machines.address, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "archive", stories) == before
    left = cluster.client.run(lambda dask_worker: [name for name in dask_worker.plugins if "uknip" in name])
    assert list(left.values()) == [[]]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("10.0.0.1:8786", 2, "give the scheduler's address"),
        ("tcp://127.0.0.1:1", 3, "no Dask scheduler answers"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(
    address: str, status: int, words: str, archived: Archived, tmp_path: Path
) -> None:
    """What, where, what to do."""
    need_modules("distributed")
    archived(tmp_path / "archive", 30)
    done = uknip("reextract", "--dask", address, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
    assert words in done.stderr


@pytest.mark.fault("M04")
def test_a_cluster_that_goes_away_in_the_middle_is_one_line(
    machines: DaskMachines, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last worker, and then its scheduler; nobody waits for ever."""
    from uknip_crawler.ingest import cluster as module

    monkeypatch.setattr(module, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(module, "LOST_SECONDS", 0.5)
    with cluster.pool(BASE, Learned()) as pool:
        machines.stop("one", "two")
        with pytest.raises(MachineError, match="the scheduler has lost its last worker"):
            pool.schedule(abs, -3, seconds=SECONDS).result()
        waiting = pool.schedule(abs, -3, seconds=SECONDS)
        machines.stop()
        with pytest.raises(MachineError, match="the scheduler is gone"):
            waiting.result()
