"""What an address, many stories or a list show for long enough is believed at last, and not before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from walled_site import name, story, text

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.extraction import read
from uknip_crawler.ingest.retraction import retract
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.jobs.derivation import derive_after_run
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site

BASE = "https://uknip.co.uk/"
SITEMAP = f"{BASE}post-sitemap.xml"
START = datetime(2026, 4, 1, 9, tzinfo=UTC)
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
    return derive_after_run(archive, BASE, (run_id, 0), workers=1, at=at)


def versions(archive: Archive) -> list[tuple[str, int]]:
    """Return how many versions began on which day."""
    return archive.db.conn.execute(
        "SELECT substr(captured_at, 6, 5), count(*) FROM revisions GROUP BY 1 ORDER BY 1"
    ).fetchall()


def test_a_change_of_all_stories_is_believed_once_three_runs_in_a_week_show_it(tmp_path: Path) -> None:
    """And then dates from the day on which it was first seen."""

    def changed(number: int) -> str:
        return story(number, body=[*text(number), "Our tea towels are a third off."])

    with Archive(tmp_path) as archive:
        assert visit_all(archive, 0, story, 12) == (0, [])
        for day in (1, 4):
            status, said = visit_all(archive, day, changed, 12)
            assert (status, len(said)) == (3, 1)
            assert "12 of 12 stories" in said[0]
            assert said[0].count(BASE) == 3
            assert versions(archive) == [("04-01", 12)]
        assert visit_all(archive, 9, changed, 12) == (0, [])
        assert versions(archive) == [("04-01", 12), ("04-02", 12)]


def test_a_story_retold_elsewhere_in_the_site_is_believed_as_slowly(tmp_path: Path) -> None:
    """It has lost its number, its markup and its words, but is dated."""
    other = (
        '<html><head><title>A quiet week</title><meta property="article:published_time" content="2026-03-09T10:00:00Z"></head>'
        "<body><main><section><h1>A quiet week</h1><p>Weather was fair and nothing at all went on in the parish.</p>"
        "<p>Rain is due by Friday, forecasters think.</p></section></main></body></html>"
    )
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 1)
        for day in (1, 4):
            assert visit_all(archive, day, lambda number: other, 1)[0] == 3
            assert versions(archive) == [("04-01", 1)]
        assert visit_all(archive, 9, lambda number: other, 1)[0] == 0
        assert versions(archive) == [("04-01", 1), ("04-02", 1)]


def test_a_list_that_stays_short_is_believed_and_one_that_was_ill_is_forgotten(tmp_path: Path) -> None:
    """Three runs in a row, a week between the first and the last."""
    with Archive(tmp_path) as archive:
        visit_all(archive, 0, story, 4)

        def read_list(day: int, listed: int) -> str | None:
            at = START + timedelta(days=day)
            with archive.transaction():
                run_id = archive.ledger.start_run("crawl", BASE, {}, "0", at=at)
                rows = [Candidate(url(n), "article", "sitemap", listed_on=SITEMAP) for n in range(listed)]
                archive.frontier.add(rows, at=at, due_at=at)
            return retract(archive, CrawlRun(run_id, at, lambda: at), SITEMAP, SITEMAP, began=at)

        def unpublished() -> int:
            return int(
                archive.db.conn.execute("SELECT count(*) FROM events WHERE kind = 'unpublished'").fetchone()[
                    0
                ]
            )

        assert read_list(1, 4) is None
        assert "names 0 of the 4" in (read_list(2, 0) or "")
        assert read_list(3, 4) is None
        assert [read_list(day, 1) is None for day in (4, 8, 10)] == [False, False, False]
        assert unpublished() == 0
        assert read_list(12, 1) is None
        assert unpublished() == 3
