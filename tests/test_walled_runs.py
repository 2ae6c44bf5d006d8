"""Runs that meet walls, emptied lists and sites gone wrong: nothing is written into histories, and the next run makes good."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from crawling import FAST, content, rows
from processes import uknip
from walled_site import SmallSite, name, small_site, story, text
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

# of no known make, in no language that is known, in nobody's markup
STRANGE = "<html><head><title>Entrez</title></head><body><div><h2>Le gardien vous salue</h2><p>Dites le mot de la semaine, et la grille s’ouvre.</p></div></body></html>"
KNOWN = (Path(__file__).parent / "walls" / "used" / "consent_partners.html").read_text("utf-8")


def run(site: SmallSite, archive: Path, expect: int) -> str:
    site.touch()
    done = uknip(
        "crawl", site.base_url, "--archive", str(archive), *(option for option in FAST if option != "--json")
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def history(archive: Path) -> list[Any]:
    """Return all that is written of stories: texts, versions, ends, events, links between copies."""
    lives = rows(archive, "SELECT url, status, revision_count, missed_runs FROM articles ORDER BY 1")
    return [
        content(archive),
        lives,
        *(rows(archive, f"SELECT count(*) FROM {t}") for t in ("events", "near_duplicates", "revisions")),
    ]


@pytest.mark.fault("W08")
@pytest.mark.parametrize("wall", [STRANGE, KNOWN], ids=["strange", "known"])
def test_walls_in_the_place_of_three_stories_leave_no_trace_in_them(wall: str, tmp_path: Path) -> None:
    """The captures are kept, the run says where it met them, the ledger and `why` too; the next run finds the stories unchanged."""
    with small_site(3) as site:
        run(site, tmp_path, 0)
        before = history(tmp_path)
        site.answer = lambda path, number: wall
        said = run(site, tmp_path, 3)
        assert history(tmp_path) == before
        first = f"{site.base_url}news/uk/breaking/bell-mended-by-the-verger/"
        assert all(f"{site.base_url}{path[1:]}" in said for path in site.pages)
        kept = rows(
            tmp_path, "SELECT outcome, warc_name IS NOT NULL FROM fetches WHERE url = ? ORDER BY id", first
        )
        assert kept == [("stored", 1), ("interrupted", 1)]
        assert "interrupted" in uknip("why", first, "--archive", str(tmp_path)).stdout
        assert first in uknip("status", "--archive", str(tmp_path)).stdout
        site.answer = lambda path, number: story(number)
        run(site, tmp_path, 0)
        assert history(tmp_path) == before
        assert rows(
            tmp_path, "SELECT outcome FROM fetches WHERE url = ? ORDER BY id DESC LIMIT 1", first
        ) == [("unchanged",)]


@pytest.mark.parametrize("wall", [STRANGE, KNOWN], ids=["strange", "known"])
def test_a_fresh_archive_takes_no_wall_for_a_story(wall: str, tmp_path: Path) -> None:
    """Nor has it to forget anything when the stories come."""
    with small_site(3) as site:
        site.answer = lambda path, number: wall
        run(site, tmp_path, 3)
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(0,)]
        site.answer = lambda path, number: story(number)
        run(site, tmp_path, 0)
        assert rows(tmp_path, "SELECT count(*), max(revision_count) FROM articles") == [(3, 1)]


def test_crawls_of_a_page_each_are_judged_together(tmp_path: Path) -> None:
    """As half-hourly ones are: the third story within a day that lost its text shows what the first had lost, and the fourth alone is not believed."""
    with small_site(6) as site:
        run(site, tmp_path, 0)
        before = history(tmp_path)
        for broken, expected in ((1, 0), (2, 0), (3, 3), (4, 3)):
            site.answer = lambda path, number, broken=broken: (
                story(number, body=[f"Shortcode {number * 3} misses its template {number + 9}."])
                if number < broken
                else story(number)
            )
            run(site, tmp_path, expected)
        assert history(tmp_path) == before
        site.answer = lambda path, number: story(number)
        run(site, tmp_path, 0)
        assert history(tmp_path) == before


@pytest.mark.fault("S05")
def test_an_emptied_sitemap_unpublishes_nothing(tmp_path: Path) -> None:
    """Nor one that names a few of many; when it is whole again nothing has happened."""
    with small_site(12) as site:
        run(site, tmp_path, 0)
        before = history(tmp_path)
        for listed in ([], [0, 1, 2]):
            site.listed = listed
            said = run(site, tmp_path, 3)
            assert (
                "post-sitemap.xml: names 3 of the 12" if listed else "lists nothing where it listed 12"
            ) in said
            assert history(tmp_path) == before
        site.listed = list(range(12))
        run(site, tmp_path, 0)
        assert history(tmp_path) == before


def test_stories_that_all_change_alike_are_not_believed_and_a_redesign_is(tmp_path: Path) -> None:
    """A notice below every headline, in the site's own markup; new markup around the same text raises no alarm."""
    with small_site(12) as site:
        run(site, tmp_path, 0)
        before = history(tmp_path)
        site.answer = lambda path, number: story(
            number, body=[f"Our press has stopped for the {number + 5}th time.", "Ring the bell."]
        )
        said = run(site, tmp_path, 3)
        # the sitemap dates all of them anew: only a few are asked, and they are enough
        assert "10 of 10 stories changed at once" in said
        assert history(tmp_path) == before
        site.answer = lambda path, number: story(number, redesigned=True)
        run(site, tmp_path, 0)
        assert rows(tmp_path, "SELECT max(revision_count) FROM articles") == [(1,)]
        site.answer = lambda path, number: story(
            number, redesigned=True, body=[*text(number), "The bell was found."] if number < 3 else None
        )
        run(site, tmp_path, 0)
        assert rows(tmp_path, "SELECT count(*) FROM articles WHERE revision_count = 2") == [(3,)]


def warc(path: Path, *captures: tuple[int, str, str]) -> Path:
    """Write a WARC file of (day, path, page)."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for day, address, page in captures:
            head = StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
            )
            at = {"WARC-Date": f"2026-03-{day:02}T10:00:00Z"}
            body = page.encode()
            writer.write_record(
                writer.create_warc_record(
                    f"https://uknip.co.uk{address}", "response", payload=BytesIO(body), length=len(body),
                    http_headers=head, warc_headers_dict=at,
                )
            )  # fmt: skip
    return path


@pytest.mark.parametrize("order", [(1, 2, 3), (2, 1, 3), (2, 3, 1)])
def test_imported_walls_are_no_part_of_a_storys_life_in_any_order(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    """Nor when the database is made again from the captures, nor when all are read again."""
    address, archive = f"/news/uk/breaking/{name(1)}/", tmp_path / "archive"
    pages = {1: story(1), 2: STRANGE, 3: story(1, body=[*text(1), "The ladder was sold."])}
    files = [warc(tmp_path / f"{day}.warc.gz", (day, address, pages[day])) for day in order]
    for file in files:
        assert uknip("import-warc", str(file), "--archive", str(archive)).returncode == 0
    lives = "SELECT url, status, headline, body, revision_count, first_seen_at, last_seen_at FROM articles"
    shown = rows(archive, lives)
    assert [(row[4], row[5][:10], row[6][:10]) for row in shown] == [(2, "2026-03-01", "2026-03-03")]
    assert [row[0] for row in rows(archive, "SELECT headline FROM revisions")] == [shown[0][2]] * 2
    assert rows(archive, "SELECT outcome FROM fetches WHERE fetched_at LIKE '2026-03-02%'") == [
        ("interrupted",)
    ]
    (archive / "uknip.db").unlink()
    assert uknip("rebuild", "--archive", str(archive)).returncode == 0
    assert rows(archive, lives) == shown
    assert uknip("reextract", "--archive", str(archive)).returncode == 0
    assert rows(archive, lives) == shown
