"""Pages of docs/faults.md in one crawl: read whole, or said not to be; and a site that is ill writes no history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from crawling import rows
from hostile_pages import PAGES, Hostile, end
from processes import uknip
from small_site import HTML, Answer, Post, SmallSite, posts, rest, run

from uknip_crawler.archive import Archive, warc

OPTIONS = ("--concurrency", "16", "-s", "DOWNLOAD_TIMEOUT=60", "-s", "RETRY_TIMES=1")
NO_DATE = "0000-00-00T00:00:00"
SPARE = 7
"""Stories at which nothing is odd in any run."""


def address(name: str) -> str:
    return f"news/uk/breaking/{'-'.join(name.replace(',', '').split()).lower()}/"


ILL: dict[str, Answer] = {
    "database error": (200, HTML, "<h1>Error establishing a database connection</h1>"),
    "database error 500": (500, HTML, "<h1>Error establishing a database connection</h1>"),
    "maintenance": (503, HTML, "<p>Briefly unavailable for scheduled maintenance. Check back in a minute.</p>"),
    "soft 404": (200, HTML, PAGES["soft 404"].body("")),
    "password": (200, HTML, PAGES["password"].body("")),
    "not there": (404, HTML, "<title>Page not found</title>"),
}  # fmt: skip
"""What the site answers for stories in the second run, and what it was in the first."""


@dataclass
class Lived:
    """Two runs of a site: with hostile pages, then with pages that say that it is ill."""

    archive: Path
    base: str
    reports: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    histories: list[Any] = field(default_factory=list)

    def row(self, path: str, run: int = 1) -> tuple[str, str | None]:
        sql = "SELECT outcome, detail FROM fetches WHERE url = ? AND run_id = ?"
        [row] = rows(self.archive, sql, self.base + path, run)
        return row  # type: ignore[return-value]


def history(archive: Path) -> list[tuple[Any, ...]]:
    sql = "SELECT articles.url, status, revision_count, number, revisions.headline, revisions.body FROM articles JOIN revisions ON article_id = articles.id ORDER BY 1, 4"
    return rows(archive, sql)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    archive = tmp_path_factory.mktemp("hostile") / "archive"
    odd = [Post(1000 + number, address(name), NO_DATE) for number, name in enumerate(PAGES)]
    wild = [{"id": 2**63}, {"id": "INFINITE"}, {"id": -4}, {"id": 77, "status": "future"}, {"id": 78, "status": "private"}]  # fmt: skip
    with SmallSite(posts(SPARE + len(ILL))) as site:

        def app(path: str, headers: Mapping[str, str]) -> Answer | None:
            if not path.startswith("/wp-json/wp/v2/posts"):
                return None
            status, head, body = rest(site.base_url, [*odd, *site.posts], path)
            listed = json.loads(body)
            for entry in listed:
                if entry["link"].endswith("/barn-fire-1/"):
                    entry["title"] = {"rendered": "Barn fire \ud800 number 1"}  # half a character
            listed += [{"link": f"{site.base_url}2024/05/09/wild-{n}/", **one} for n, one in enumerate(wild)]
            return status, head, json.dumps(listed).replace('"INFINITE"', "1e400")

        site.app = app
        for name, hostile in PAGES.items():
            site.answers["/" + address(name)] = (
                200,
                {"Content-Type": hostile.media_type},
                hostile.body(name),
            )
        told = Lived(archive, site.base_url)
        for number in (1, 2):
            if number == 2:
                for post, answer in zip(site.posts[SPARE:], ILL.values(), strict=True):
                    site.answers["/" + post.path] = answer
                with Archive(archive) as opened, opened.transaction():
                    opened.db.conn.execute(
                        "UPDATE frontier SET due_at = '2000-01-01T00:00:00.000000Z' WHERE url LIKE '%barn-fire%'"
                    )
            done = run(site.base_url, archive, *OPTIONS)
            told.statuses.append(done.status)
            told.reports.append(done.report)
            told.histories.append(history(archive))
        yield told


@pytest.mark.fault(
    "X01", "X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09", "X10", "X12", "X13", "X14", "X16"
)
@pytest.mark.parametrize(("name", "hostile"), PAGES.items(), ids=list(PAGES))
def test_a_hostile_page_is_whole_or_named(name: str, hostile: Hostile, lived: Lived) -> None:
    """Text is clean, a date is read or unknown, and what is missing is said; the bytes are kept as they came."""
    outcome, detail = lived.row(address(name))
    if hostile.outcome:
        assert outcome == hostile.outcome, detail
    assert "\n" not in (detail or "")
    if outcome in ("stored", "duplicate"):
        sql = "SELECT body, published_at, published_raw FROM articles WHERE url = ?"
        [(body, published_at, raw)] = rows(lived.archive, sql, lived.base + address(name))
        assert end(name) in body or (hostile.flag or "truncated_parse") in (detail or "")
        assert not any(ord(character) < 32 and character != "\n" for character in body)
        if "date" in name:
            assert (published_at, raw[:4]) == (None, (name == "junk date" and "2024") or "0000")
    else:
        assert detail
    if name == "says Latin-1":
        assert "café was open" in body
    if hostile.flag == "repeated_paragraphs":
        assert hostile.flag in (detail or "")


@pytest.mark.fault("X05", "X06", "X07", "X16")
def test_the_bytes_of_hostile_pages_are_kept(lived: Lived) -> None:
    """Whatever was read of them."""
    kept = {}
    for path in (lived.archive / "warc").glob("*.warc.gz"):
        kept |= {one.url: one.body for one in warc.captures(path) if one.status == 200}
    assert [name for name, one in PAGES.items() if kept[lived.base + address(name)] != one.body(name)] == []


@pytest.mark.fault("S12", "W06", "X11")
def test_posts_with_impossible_numbers_or_unpublished_cost_only_themselves(lived: Lived) -> None:
    """Half a character in a headline neither; all other stories are stored, in a run that says what failed."""
    assert rows(lived.archive, "SELECT url FROM fetches WHERE url LIKE '%/wild-%'") == []
    stored = rows(lived.archive, "SELECT count(*) FROM articles WHERE url LIKE '%/barn-fire-%'")
    assert stored == [(SPARE + len(ILL),)]
    assert lived.statuses[0] == 3
    assert rows(lived.archive, "SELECT count(*) FROM fetches WHERE outcome IS NULL OR outcome = 'lost'") == [(0,)]  # fmt: skip


@pytest.mark.fault("W05", "W07", "W08", "W09")
def test_a_site_that_is_ill_writes_no_history(lived: Lived) -> None:
    """Errors at 500 and at 200, a password, a missing page: one row each, no revision, nothing gone after one run."""
    before, after = lived.histories
    assert after == before
    events = rows(lived.archive, "SELECT kind FROM events ORDER BY 1")
    assert events == [("missing",), ("protected",)]
    found = {
        name: lived.row(Post(0, post.path).path, 2)[0]
        for name, post in zip(ILL, posts(SPARE + len(ILL))[SPARE:], strict=True)
    }
    assert found == {
        "database error": "interrupted",
        "database error 500": "http_error",
        "maintenance": "http_error",
        "soft 404": "soft_404",
        "password": "protected",
        "not there": "gone",
    }
    assert lived.statuses[1] == 3
    done = uknip("verify", "--archive", str(lived.archive))
    assert done.returncode == 0, done.stdout
