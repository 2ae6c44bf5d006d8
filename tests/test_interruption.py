"""Killing a crawl at any point loses nothing: the next run ends with what an undisturbed one would have."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crawling import FAST, Archived, arguments, crawl, newsroom, rows, tables
from processes import Running, begin, uknip

from uknip_crawler.archive import Archive, warc
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.demo import SampleSite, faults
from uknip_crawler.errors import UsageError
from uknip_crawler.jobs.recover import recover
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site

CLOCK = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)


def start(site: SampleSite, directory: Path) -> Running:
    return begin("crawl", site.base_url, "--archive", str(directory), *FAST)


def wait_for_requests(site: SampleSite, count: int) -> None:
    deadline = time.monotonic() + 240
    while len(site.requests) < count:
        assert time.monotonic() < deadline, f"only {len(site.requests)} requests came"
        time.sleep(0.002)


@pytest.fixture(scope="module")
def port() -> int:
    """A free port for every site of the module: addresses must be the same in archives that are compared."""
    with SampleSite(newsroom(20)) as site:
        return int(site.base_url.rstrip("/").rpartition(":")[2])


@pytest.fixture(scope="module")
def undisturbed(port: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    directory = tmp_path_factory.mktemp("undisturbed")
    with SampleSite(newsroom(40), port=port) as site:
        crawl(site, directory)
    return tables(directory)


@pytest.mark.fault("D01", "O02")
@pytest.mark.parametrize("kills", [(1,), (7,), (12, 5), (38, 3, 3), (46,)])
def test_kill_minus_nine_and_run_again_ends_the_same(
    kills: tuple[int, ...], port: int, undisturbed: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """The process dies after the site has served so many requests; no clean-up of any kind runs."""
    with SampleSite(newsroom(40), port=port) as site:
        for requests in kills:
            site.requests.clear()
            process = start(site, tmp_path)
            wait_for_requests(site, requests)
            process.send(signal.SIGKILL)
            assert process.end().returncode == -signal.SIGKILL
        crawl(site, tmp_path)
    assert tables(tmp_path) == undisturbed
    assert rows(tmp_path, "SELECT count(*) FROM runs WHERE finished_at IS NULL") == [(0,)]
    assert verified(tmp_path)


def test_a_kill_while_stories_are_read_again_ends_the_same(
    port: int, undisturbed: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """The run itself had ended, and the next one brings nothing new: what was not done is done then."""
    with SampleSite(newsroom(40), port=port) as site:
        process = start(site, tmp_path)
        wait_for_requests(site, 46)
        while rows(tmp_path, "SELECT finished_at FROM runs") == [(None,)]:
            assert not process.has_ended(0)
            time.sleep(0.01)
        process.send(signal.SIGKILL)
        process.end()
        assert rows(tmp_path, "SELECT derived_at FROM runs") == [(None,)]
        crawl(site, tmp_path)
    newly_listed = {"frontier": undisturbed["frontier"]}  # the newest story, again, as in any second run
    assert tables(tmp_path) | newly_listed == undisturbed
    assert rows(tmp_path, "SELECT count(*) FROM runs WHERE derived_at IS NULL") == [(0,)]


def verified(directory: Path) -> bool:
    done = uknip("verify", "--archive", str(directory))
    assert done.returncode == 0, done.stdout + done.stderr
    return True


@pytest.mark.fault("D03", "V07")
@pytest.mark.parametrize("limit_bytes", [600_000, 900_000])
def test_a_full_disk_ends_the_run_and_loses_nothing(limit_bytes: int, tmp_path: Path) -> None:
    """No file may grow beyond a limit, which is how a process meets a full disk: status 5, one line, no traceback."""
    with SampleSite(newsroom(40)) as site:
        done = subprocess.run(
            arguments(site.base_url, tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes)),
        )
        assert done.returncode == 5, done.stderr
        assert "Traceback" not in done.stderr
        assert verified(tmp_path)
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(40,)]
    assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL") == [(0,)]


@pytest.mark.fault("O03")
def test_a_terminated_crawl_ends_in_order(tmp_path: Path) -> None:
    """SIGTERM: status 143, every row closed, the WARC file closed, and the next run goes on."""
    with SampleSite(newsroom(40)) as site:
        process = start(site, tmp_path)
        wait_for_requests(site, 12)
        process.send(signal.SIGTERM)
        assert process.end(60).returncode == 128 + signal.SIGTERM
        assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL OR outcome = 'lost'") == [
            (0,)
        ]
        assert rows(tmp_path, "SELECT exit_status FROM runs") == [(128 + signal.SIGTERM,)]
        assert list((tmp_path / "warc").glob("*.open")) == []
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(40,)]


@pytest.mark.fault("O03")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_no_fault_of_a_page(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C in a terminal reaches the workers too."""
    with SampleSite(newsroom(40)) as site:
        process = start(site, tmp_path)
        wait_for_requests(site, 15)
        os.killpg(process.pid, number)
        assert process.end(20).returncode == 128 + number
        failures = rows(tmp_path, "SELECT url, outcome, detail FROM fetches WHERE outcome LIKE 'extract%'")
        assert failures == []


@pytest.mark.fault("O03")
def test_a_run_that_waits_for_an_answer_ends_in_time(tmp_path: Path) -> None:
    """A server that says nothing does not hold up a run that is told to stop; its address is due again."""
    with SampleSite(newsroom(40)) as site:
        silent = site.newsroom.published()[3].path
        site.fail[silent] = faults.hang
        process = start(site, tmp_path)
        wait_for_requests(site, 12)
        process.send(signal.SIGTERM)
        begun = time.monotonic()
        assert process.end(40).returncode == 128 + signal.SIGTERM
        assert time.monotonic() - begun < 20
        assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL") == [(0,)]
        assert rows(tmp_path, "SELECT exit_status FROM runs") == [(128 + signal.SIGTERM,)]
        site.fail.clear()
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(40,)]


def test_a_signal_while_stories_are_read_again_ends_at_once(tmp_path: Path) -> None:
    """The run has ended; what is left of reading is the next run's."""
    with SampleSite(newsroom(40)) as site:
        process = start(site, tmp_path)
        wait_for_requests(site, 46)
        while rows(tmp_path, "SELECT finished_at FROM runs") == [(None,)]:
            assert not process.has_ended(0)
            time.sleep(0.01)
        time.sleep(0.5)
        process.send(signal.SIGINT)
        begun = time.monotonic()
        assert process.end(20).returncode == 128 + signal.SIGINT
        assert time.monotonic() - begun < 15
        crawl(site, tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM runs WHERE derived_at IS NULL") == [(0,)]
    assert verified(tmp_path)


@pytest.mark.fault("O01")
def test_a_second_crawl_at_the_same_time_gives_75_at_once(tmp_path: Path) -> None:
    """And the first is not disturbed; a killed holder's lock is free."""
    with SampleSite(newsroom(20)) as site:
        site.fail["/robots.txt"] = faults.first(1, faults.hang(40))
        first = start(site, tmp_path)
        while not rows_of_runs(tmp_path):
            time.sleep(0.05)
        began = time.monotonic()
        refused = crawl(site, tmp_path, expect=75)
        assert time.monotonic() - began < 20
        assert "another run" in refused["message"]
        first.send(signal.SIGKILL)
        first.end()
        site.fail.clear()
        crawl(site, tmp_path)


def rows_of_runs(directory: Path) -> bool:
    try:
        return rows(directory, "SELECT id FROM runs") != []
    except (UsageError, sqlite3.OperationalError):  # no database yet, or no table in it
        return False


PAGE = """<!doctype html><html lang="en-GB"><head><title>Ferry delayed by fog – UKNIP</title>
<meta property="article:published_time" content="2026-03-14T08:00:00Z">
</head><body class="single single-post postid-7"><article id="post-7" class="post"><h1>Ferry delayed by fog</h1>
<div class="text"><p>The first ferry from Ryde left ninety minutes late on Saturday because of thick fog in the Solent.</p>
<p>Passengers were given hot drinks in the terminal while the crew waited for the weather to lift.</p></div>
</article></body></html>"""


UNPROVEN = re.sub(r'<meta [^>]*>| class="[^"]*"| id="post-7"', "", PAGE)
"""Nothing in its markup says that it is a story."""


def an_orphan(
    directory: Path,
    url: str = "https://uknip.co.uk/news/uk/breaking/ferry-delayed-by-fog/",
    page: str = PAGE,
    *,
    torn: bool = False,
    found_by: str = "seed",
) -> str:
    """Die between the WARC record and the row: the order of writing makes this the only gap there is."""
    site = load_site()
    archive = Archive(directory)
    with archive.transaction():
        run = archive.ledger.start_run("crawl", site.base_url, {}, "test", at=CLOCK)
        archive.frontier.add([Candidate(url, "article", found_by)], at=CLOCK, due_at=CLOCK)
        archive.frontier.claim(run, 1, due_by=CLOCK, at=CLOCK)
    headers = (("Content-Type", "text/html; charset=UTF-8"),)
    archive.capture(run, Capture(url, 200, headers, page.encode(), CLOCK), (), at=CLOCK)
    archive.sync_captures()
    archive.close()
    if torn:
        path = next((directory / "warc").glob("*.open"))
        with path.open("ab") as file:
            file.write(path.read_bytes()[:200])
    return url


@pytest.mark.fault("V06")
def test_a_capture_without_a_row_is_replayed_once(tmp_path: Path) -> None:
    """The page was fetched; asking the site again would be one request too many."""
    url = an_orphan(tmp_path)
    for expected in (1, 0):
        with Archive(tmp_path) as archive:
            recovered = recover(archive, load_site(), clock=lambda: CLOCK)
        assert recovered.replayed == expected
    assert rows(tmp_path, "SELECT url, headline FROM articles") == [(url, "Ferry delayed by fog")]
    assert rows(tmp_path, "SELECT outcome FROM fetches") == [(Outcome.STORED,)]
    assert verified(tmp_path)


@pytest.mark.parametrize(("found_by", "outcome"), [("feed", Outcome.STORED), ("link", Outcome.NOT_ARTICLE)])
def test_a_replayed_page_is_believed_where_the_live_one_is(
    found_by: str, outcome: Outcome, tmp_path: Path
) -> None:
    """The feed lists nothing but stories: an address of no known form need not prove that it leads to one."""
    an_orphan(tmp_path, "https://uknip.co.uk/ferry/", UNPROVEN, found_by=found_by)
    with Archive(tmp_path) as archive:
        recover(archive, load_site(), clock=lambda: CLOCK)
    assert rows(tmp_path, "SELECT outcome FROM fetches") == [(outcome,)]


@pytest.mark.fault("V02", "V07")
def test_a_torn_tail_is_cut(tmp_path: Path) -> None:
    """Two hundred bytes of a record that never got whole."""
    an_orphan(tmp_path, torn=True)
    with Archive(tmp_path) as archive:
        recovered = recover(archive, load_site(), clock=lambda: CLOCK)
    assert recovered.cut_bytes == 200
    assert recovered.replayed == 1
    path = next((tmp_path / "warc").glob("*.warc.gz"))
    assert all(member.is_whole for member in warc.members(path))


@pytest.mark.fault("D01", "O02")
def test_a_kill_while_following_edits_makes_no_false_revision(archived: Archived, tmp_path: Path) -> None:
    """Killed while the newsroom works: the rerun shows the site as it is now."""
    with archived(tmp_path, 30) as site:
        work = site.newsroom.work(datetime(2026, 3, 15, 9, 30, tzinfo=UTC))
        site.requests.clear()
        process = start(site, tmp_path)
        wait_for_requests(site, 6)
        process.send(signal.SIGKILL)
        process.end()
        crawl(site, tmp_path)
        expected = {site.url(edit.path) for edit in work.edited}
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles WHERE revision_count > 1")} == expected
    assert {n for (n,) in rows(tmp_path, "SELECT max(number) FROM revisions GROUP BY article_id")} == {1, 2}


_SERVER = """
import os, pathlib
from multiprocessing import forkserver
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.ingest.workers import Workers
if __name__ == "__main__":
    with Workers("https://courier.example/", Learned(), count=1) as pool:
        pool.schedule(os.getpid, seconds=60).result()
        told = pathlib.Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text()
    print(told.split("SigBlk:")[1].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_what_workers_come_from_is_deaf_to_the_group_from_its_birth(tmp_path: Path) -> None:
    """Python's own tracker of resources, begun on the way, lets signals through again."""
    script = tmp_path / "server.py"
    script.write_text(_SERVER)
    told = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    blocked = int(told.stdout, 16)
    assert all(blocked >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGTERM))
