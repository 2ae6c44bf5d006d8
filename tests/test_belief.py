"""What an address, many stories or a list show for long enough is believed at last, and not before."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from processes import uknip
from walled_site import name, story, text

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.extraction import read
from uknip_crawler.ingest.listed_dates import with_believed_dates
from uknip_crawler.ingest.retraction import retract
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs.derivation import derive_after_run
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site

BASE = "https://uknip.co.uk/"
SITEMAP = f"{BASE}post-sitemap.xml"
START = datetime(2026, 4, 1, 9, tzinfo=UTC)
QUIET = (
    '<html><head><title>A quiet week</title><meta property="article:published_time" content="2026-03-09T10:00:00Z"></head>'
    "<body><main><section><h1>A quiet week</h1><p>Weather was fair and nothing at all went on in the parish.</p>"
    "<p>Rain is due by Friday, forecasters think.</p></section></main></body></html>"
)
HTML = (("Content-Type", "text/html; charset=utf-8"),)


def url(number: int) -> str:
    return f"{BASE}news/uk/breaking/{name(number)}/"


def visit_all(archive: Archive, day: int, pages: Callable[[int], str], stories: int) -> tuple[int, list[str]]:
    """Live through a run of one day that visits every story; return its exit status and what is said of it."""
    at, site = START + timedelta(days=day), load_site(BASE)
    with archive.transaction():
        run_id = archive.ledger.start_run("crawl", BASE, {}, "0", at=at)
        archive.frontier.add(
            [Candidate(url(n), "article", "sitemap") for n in range(stories)], at=at, due_at=at
        )
        for number in range(stories):
            archive.frontier.revisit(url(number), reason="changed", due_at=at)
        dues = archive.frontier.claim(run_id, 100, due_by=at, at=at)
    visits = []
    numbers = {url(number): number for number in range(stories)}
    for due in (due for due in dues if due.url in numbers):
        number = numbers[due.url]
        capture = Capture(due.url, 200, HTML, pages(number).encode(), at)
        record = archive.capture(run_id, capture, None, at=at)
        visits.append(
            Visit(due, Response(capture, record), reading=read(capture, site, expected_article=True))
        )
    Settlement(archive, site, CrawlRun(run_id, at, lambda: at)).settle(visits)
    archive.finish_captures(at=at)
    with archive.transaction():
        archive.ledger.close_open(run_id, Outcome.DEFERRED, "home page", at=at)
        archive.ledger.finish_run(run_id, 0, "finished", requests=stories, received_bytes=0, at=at)
    return derive_after_run(archive, BASE, (run_id, 0), readers=Processes(1), at=at)


def versions(archive: Archive) -> list[tuple[str, int]]:
    """Return how many versions began on which day."""
    return archive.db.conn.execute(
        "SELECT substr(captured_at, 6, 5), count(*) FROM revisions GROUP BY 1 ORDER BY 1"
    ).fetchall()


def test_a_change_of_all_stories_is_believed_once_three_runs_in_a_week_show_it(tmp_path: Path) -> None:
    """And then dates from the day on which it was first seen."""

    with Archive(tmp_path) as archive:
        assert visit_all(archive, 0, story, 12) == (0, [])
        for day in (1, 4):
            status, said = visit_all(archive, day, towels, 12)
            assert (status, len(said)) == (3, 1)
            assert "12 of 12 stories" in said[0]
            assert said[0].count(BASE) == 3
            assert versions(archive) == [("04-01", 12)]
        assert visit_all(archive, 9, towels, 12) == (0, [])
        assert versions(archive) == [("04-01", 12), ("04-02", 12)]


def test_a_story_retold_elsewhere_in_the_site_is_believed_as_slowly(tmp_path: Path) -> None:
    """It has lost its number, its markup and its words, but is dated."""
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 1)
        for day in (1, 4):
            assert visit_all(archive, day, lambda number: QUIET, 1)[0] == 3
            assert versions(archive) == [("04-01", 1)]
        assert visit_all(archive, 9, lambda number: QUIET, 1)[0] == 0
        assert versions(archive) == [("04-01", 1), ("04-02", 1)]


def decide(directory: Path, *arguments: str, expect: int = 0) -> list[dict[str, Any]]:
    """Give `uknip quarantine` and return what it says."""
    done = uknip("quarantine", *arguments, "--archive", str(directory), "--json")
    assert done.returncode == expect, done.stderr
    return json.loads(done.stdout) if done.stdout else []  # type: ignore[no-any-return]


def towels(number: int) -> str:
    return story(number, body=[*text(number), "Our tea towels are a third off."])


def test_a_change_of_all_stories_that_is_released_is_theirs_from_its_first_capture_on(tmp_path: Path) -> None:
    """What is held is said with its number, since when and where."""
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 12)
        assert visit_all(archive, 1, towels, 12)[0] == 3
    (held,) = decide(tmp_path)
    assert (held["addresses"], held["captures"], held["since"]) == (12, 12, "2026-04-02T09:00:00Z")
    assert "12 of 12 stories changed at once: gained 'our tea towels" in held["why"]
    assert len(held["examples"]) == 3
    decide(tmp_path, "--release", str(held["number"] + 1), expect=2)
    assert decide(tmp_path, "--release", str(held["number"]))[0]["taken"] == 12
    assert decide(tmp_path) == []
    with Archive(tmp_path) as archive:
        assert versions(archive) == [("04-01", 12), ("04-02", 12)]


def test_what_is_rejected_is_no_story_however_long_it_stays(tmp_path: Path) -> None:
    """It is not asked about again; what comes later counts from its own first time."""
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 1)
        visit_all(archive, 1, lambda number: QUIET, 1)
    decide(tmp_path, "--reject", "all")
    with Archive(tmp_path) as archive:
        assert [visit_all(archive, day, lambda number: QUIET, 1)[0] for day in (4, 9)] == [3, 3]
        assert versions(archive) == [("04-01", 1)]
    assert [group["captures"] for group in decide(tmp_path)] == [2]


def test_a_page_in_place_of_a_story_stays_when_it_is_released(tmp_path: Path) -> None:
    """Also when all is read again, and when the story as it was comes again, which is then an edit."""
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 1)
        assert visit_all(archive, 1, lambda number: QUIET, 1)[0] == 3
    decide(tmp_path, "--release", "all")
    assert uknip("reextract", "--all", "--archive", str(tmp_path)).returncode == 0
    with Archive(tmp_path) as archive:
        assert versions(archive) == [("04-01", 1), ("04-02", 1)]
        assert visit_all(archive, 2, story, 1) == (0, [])
        assert versions(archive) == [("04-01", 1), ("04-02", 1), ("04-03", 1)]


def test_new_stories_that_all_say_the_same_are_taken_where_that_is_released(tmp_path: Path) -> None:
    """By the next run, which finds them as they were."""
    with Archive(tmp_path) as archive:
        assert visit_all(archive, 0, lambda number: QUIET, 4)[0] == 3
        assert versions(archive) == []
    decide(tmp_path, "--release", "all")
    with Archive(tmp_path) as archive:
        assert visit_all(archive, 1, lambda number: QUIET, 4)[0] == 0
        assert versions(archive) == [("04-02", 4)]


def read_list(archive: Archive, day: int, listed: int) -> str | None:
    """Live through a run that reads the sitemap, which names so many stories; return what is said of it."""
    at = START + timedelta(days=day)
    with archive.transaction():
        run_id = archive.ledger.start_run("crawl", BASE, {}, "0", at=at)
        rows = [Candidate(url(n), "article", "sitemap", listed_on=SITEMAP) for n in range(listed)]
        archive.frontier.add(rows, at=at, due_at=at)
    return retract(archive, CrawlRun(run_id, at, lambda: at), SITEMAP, SITEMAP, began=at)


def unpublished(archive: Archive) -> int:
    row = archive.db.conn.execute("SELECT count(*) FROM events WHERE kind = 'unpublished'").fetchone()
    return int(row[0])


def test_a_list_that_stays_short_is_believed_and_one_that_was_ill_is_forgotten(tmp_path: Path) -> None:
    """Three runs in a row, a week between the first and the last."""
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 4)
        assert read_list(archive, 1, 4) is None
        assert "names 0 of the 4" in (read_list(archive, 2, 0) or "")
        assert read_list(archive, 3, 4) is None
        assert [read_list(archive, day, 1) is None for day in (4, 8, 10)] == [False, False, False]
        assert unpublished(archive) == 0
        assert read_list(archive, 12, 1) is None
        assert unpublished(archive) == 3


def test_a_list_that_is_released_is_taken_at_its_word_by_the_next_run(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 4)
        assert read_list(archive, 1, 4) is None
        assert read_list(archive, 2, 1) is not None
    (held,) = decide(tmp_path, "--release", "all")
    assert (held["examples"], held["is_list"]) == ([SITEMAP], True)
    with Archive(tmp_path) as archive:
        assert read_list(archive, 3, 1) is None
        assert unpublished(archive) == 3


@pytest.mark.parametrize(
    ("outcome", "later"),
    [(Outcome.REVISED, 30), (Outcome.UNCHANGED, 0), (Outcome.INTERRUPTED, 0)],
    ids=["changed", "as before", "held back"],
)
def test_a_list_that_dates_all_anew_is_tried_on_ten_from_all_over_it(
    outcome: Outcome, later: int, tmp_path: Path
) -> None:
    """What came of the ten decides on the others in the next run; while the ten are held back nobody knows."""
    urls = [f"{BASE}news/{number}/" for number in range(40)]

    def read_list(archive: Archive, run: int, outcome: Outcome) -> list[int]:
        """Live through a run; return the places in the list of the pages that were asked for as changed."""
        at = START + timedelta(days=run)
        dated = START + timedelta(days=min(run, 1))  # anew in the second run alone
        rows = [Candidate(url, "article", "sitemap", listed_on=SITEMAP, modified_at=dated) for url in urls]
        with archive.transaction():
            run_id = archive.ledger.start_run("crawl", BASE, {}, "0", at=at)
            rows = with_believed_dates(archive, rows, now=at, samples=True)
            archive.frontier.add(rows, at=at, due_at=at)
            asked = archive.frontier.claim(run_id, 100, due_by=at, at=at)
            for due in asked:
                archive.ledger.close(due.fetch_id, outcome, at=at)
                archive.frontier.settle(due.url, outcome, at=at, next_visit=timedelta(days=99))
        return sorted(urls.index(due.url) for due in asked if due.reason == "changed")

    with Archive(tmp_path) as archive:
        assert read_list(archive, 0, Outcome.STORED) == []
        assert read_list(archive, 1, outcome) == list(range(0, 40, 4))
        assert len(read_list(archive, 2, outcome)) == later
        assert read_list(archive, 3, outcome) == []
