"""Captures read again: layouts are learned by themselves, our reading is replaced, and only the publisher revises."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, crawl, rows
from processes import uknip

from uknip_crawler.archive import DATABASE, Archive
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.newsroom import Work
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs.reextraction import learn_layouts, load_learned, reextract
from uknip_crawler.revisions import only_adds

STORIES = 60


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Work, dict[str, str], SampleSite]:
    """The hard sample site crawled, worked on, crawled, redesigned, crawled: folder, work, true bodies by address."""
    directory = tmp_path_factory.mktemp("life")
    with SampleSite(Newsroom(STORIES, now=NOW)) as site:
        crawl(site, directory)
        work = site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, directory)
        site.newsroom.redesign(NOW + timedelta(days=2))
        with closing(sqlite3.connect(directory / DATABASE)) as db:  # as if the time to look again had come
            db.execute("UPDATE frontier SET due_at = '2026-01-01T00:00:00Z' WHERE article_id IS NOT NULL")
            db.commit()
        crawl(site, directory)
        bodies = {site.url(post.path): post.body for post in site.newsroom.published()}
        return directory, work, bodies, site


@pytest.fixture
def copy(life: tuple[Path, Work, dict[str, str], SampleSite], tmp_path: Path) -> Path:
    return Path(shutil.copytree(life[0], tmp_path / "copy"))


def test_after_a_crawl_every_story_is_read_by_what_was_learned(
    life: tuple[Path, Work, dict[str, str], SampleSite],
) -> None:
    """Furniture in no catalogue, inside the story, on four layouts and the redesign: not a line of it is left."""
    directory, _, bodies, _ = life
    held = dict(rows(directory, "SELECT url, body FROM articles WHERE status = 'live' AND missed_runs = 0"))
    assert held.keys() == bodies.keys()
    assert {url for url in bodies if held[url] != bodies[url]} == set()
    states = dict(rows(directory, "SELECT state, count(*) FROM layouts GROUP BY state"))
    assert states.get("trusted", 0) == 10


def test_only_the_publisher_makes_revisions(life: tuple[Path, Work, dict[str, str], SampleSite]) -> None:
    """The redesign of the whole site, and promos that change by the day, leave exactly the newsroom's edits."""
    directory, work, _, site = life
    edited = {site.url(edit.path) for edit in work.edited}
    assert {url for (url,) in rows(directory, "SELECT url FROM articles WHERE revision_count > 1")} == edited
    assert rows(directory, "SELECT count(*) FROM revisions") == [
        (STORIES + len(work.published) + len(edited),)
    ]
    revised = rows(directory, "SELECT count(*) FROM fetches WHERE outcome = 'revised'")
    assert revised == [(len(edited),)]


def test_reading_again_changes_nothing_and_says_so(copy: Path) -> None:
    """Everything, twice: the same rules give the same readings."""
    told = uknip("reextract", "--all", "--archive", str(copy))
    assert told.returncode == 0, told.stderr
    assert "nothing changed" in told.stdout
    report = json.loads(uknip("reextract", "--archive", str(copy), "--json").stdout)
    assert report["stories"] == 0
    assert report["layouts"]


def test_a_capture_that_showed_no_story_is_not_studied_again(copy: Path) -> None:
    """That it showed none is kept, and learning goes on without it."""
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        db.execute("UPDATE studies SET study = x'' WHERE fetch_id = (SELECT min(fetch_id) FROM studies)")
        db.execute("UPDATE layouts SET learned_through = NULL")
        db.commit()
    told = uknip("reextract", "--archive", str(copy), "--json")
    assert told.returncode == 0, told.stderr
    assert rows(copy, "SELECT count(*) FROM studies WHERE study = x''") == [(1,)]


def test_what_new_rules_touch_stays_out_of_date_until_it_is_read(copy: Path) -> None:
    """Also when a run is killed between learning and reading: the rules are no news to the next one."""
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        promotion = "(SELECT text FROM furniture WHERE rule = 'to the reader' ORDER BY id LIMIT 1)"
        db.execute(f"UPDATE articles SET body = body || char(10, 10) || {promotion} WHERE id = 3")
        db.execute("DELETE FROM wordings")  # as if the rule had not been known so far
        db.execute("UPDATE layouts SET learned_through = NULL")
        db.commit()
    with Archive(copy) as archive:
        base_url = archive.base_url()
        assert base_url is not None
        _, first = learn_layouts(archive, base_url, readers=Processes(1), at=NOW)
        _, second = learn_layouts(archive, base_url, readers=Processes(1), at=NOW)
    assert 3 in first
    assert 3 in second


def test_a_dry_run_writes_nothing(copy: Path) -> None:
    """Not a byte of the database, though there is something to do."""
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        db.execute(
            "UPDATE articles SET extractor_version = '1', body = 'Nothing of it is left.' WHERE id = 3"
        )
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = digest(copy)
    told = uknip("reextract", "--dry-run", "--archive", str(copy))
    assert "body          would change in 1" in told.stdout
    assert "Nothing was written" in told.stdout
    assert digest(copy) == before


def digest(directory: Path) -> str:
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        return hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()


def test_a_newer_reading_replaces_the_old_and_makes_no_revision(copy: Path) -> None:
    """Old versions are read again, their revisions too; what a publisher edited stays one revision."""
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        truth = db.execute("SELECT article_id, number, body FROM revisions ORDER BY id").fetchall()
        db.execute(
            "UPDATE articles SET extractor_version = '1', body = body || ' Read more', content_sha256 = 'x'"
        )
        db.execute("UPDATE revisions SET body = body || ' Read more'")
        db.commit()
    report = json.loads(uknip("reextract", "--archive", str(copy), "--json").stdout)
    assert report["changed"]["body"] == report["stories"] == STORIES + 4
    assert report["samples"]
    after = rows(copy, "SELECT article_id, number, body FROM revisions ORDER BY article_id, number")
    assert sorted(after) == sorted(truth)
    assert rows(copy, "SELECT count(*) FROM articles WHERE extractor_version = '1'") == [(0,)]
    assert uknip("verify", "--archive", str(copy)).returncode == 0


def test_doubts_are_those_of_the_newest_reading(copy: Path) -> None:
    """What was doubted once and is read whole today is not doubted any more; other notes of the ledger stay."""
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        doubted, noted = (row[0] for row in db.execute("SELECT fetch_id FROM articles ORDER BY id LIMIT 2"))
        db.execute("UPDATE fetches SET detail = 'doubtful_body' WHERE id = ?", (doubted,))
        db.execute("UPDATE fetches SET detail = 'seen on /a/' WHERE id = ?", (noted,))
        db.execute("UPDATE articles SET extractor_version = 'older'")
        db.commit()
    uknip("reextract", "--archive", str(copy))
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        details = dict(db.execute("SELECT id, detail FROM fetches WHERE id IN (?, ?)", (doubted, noted)))
    assert details == {doubted: None, noted: "seen on /a/"}


def test_a_re_reading_that_was_stopped_goes_on_where_it_was(copy: Path) -> None:
    """What is done is no longer out of date."""
    with closing(sqlite3.connect(copy / DATABASE)) as db:
        db.execute("UPDATE articles SET extractor_version = '1'")
        db.commit()

    class Stopped(Exception):
        pass

    done_when_stopped = []

    def stop(done: int, of: int) -> None:
        if done >= 30:
            done_when_stopped.append(done)
            raise Stopped

    with Archive(copy) as archive:
        base_url = archive.base_url()
        assert base_url is not None
        learned = load_learned(archive)
        with pytest.raises(Stopped):
            reextract(archive, base_url, learned, archive.readings.all(), readers=Processes(1), progress=stop)
    (left,) = rows(copy, "SELECT count(*) FROM articles WHERE extractor_version = '1'")[0]
    assert [STORIES + 4 - left] == done_when_stopped
    report = json.loads(uknip("reextract", "--archive", str(copy), "--json").stdout)
    assert report["stories"] == left


def test_a_capture_that_cannot_be_read_costs_no_text(copy: Path) -> None:
    """Its story keeps the reading it has, and the report names it."""
    ((article_id, body, name, offset),) = rows(
        copy,
        "SELECT a.id, a.body, f.warc_name, f.warc_offset FROM articles AS a JOIN fetches AS f ON f.id = a.fetch_id "
        "ORDER BY a.id LIMIT 1",
    )
    path = copy / "warc" / name
    data = bytearray(path.read_bytes())
    data[offset + 300] ^= 0xFF
    path.write_bytes(data)
    told = uknip("reextract", "--all", "--archive", str(copy))
    assert told.returncode == 3
    assert "1 captures gave no story now" in told.stdout
    assert rows(copy, "SELECT body FROM articles WHERE id = ?", article_id) == [(body,)]


def test_the_researchers_word_survives_learning(copy: Path) -> None:
    """A line kept comes back, a line stripped goes, and both stay so when everything is learned again."""
    ((number, text),) = rows(
        copy, "SELECT id, text FROM furniture WHERE text LIKE 'Four pounds a month%' AND rule = 'place'"
    )
    ruled = uknip("layouts", "--keep", str(number), "--strip", "More to follow.", "--archive", str(copy))
    assert ruled.returncode == 0, ruled.stderr
    for options in ((), ("--all",)):
        assert uknip("reextract", *options, "--archive", str(copy)).returncode == 0
        assert rows(copy, "SELECT count(*) > 0 FROM articles WHERE body LIKE ?", f"%{text}%") == [(1,)]
        assert rows(copy, "SELECT count(*) FROM articles WHERE body LIKE '%More to follow.%'") == [(0,)]
    assert (
        uknip(
            "layouts", "--forget", str(number), "--forget", "More to follow.", "--archive", str(copy)
        ).returncode
        == 0
    )
    assert uknip("reextract", "--archive", str(copy)).returncode == 0
    assert rows(copy, "SELECT count(*) FROM articles WHERE body LIKE ?", f"%{text}%") == [(0,)]
    assert rows(copy, "SELECT count(*) > 0 FROM articles WHERE body LIKE '%More to follow.%'") == [(1,)]


def test_layouts_can_be_looked_at(life: tuple[Path, Work, dict[str, str], SampleSite]) -> None:
    """All of them, one of them, and every line taken out of stories; in words and as JSON."""
    directory = life[0]
    layouts = json.loads(uknip("layouts", "--archive", str(directory), "--json").stdout)
    assert {layout["state"] for layout in layouts} <= {"learning", "trusted", "drifting", "retired"}
    name = layouts[0]["name"]
    assert name in uknip("layouts", "--archive", str(directory)).stdout
    assert "the story stands in" in uknip("layouts", name, "--archive", str(directory)).stdout
    assert json.loads(uknip("layouts", name, "--archive", str(directory), "--json").stdout)["rules"][
        "containers"
    ]
    lines = json.loads(uknip("layouts", "--furniture", "--archive", str(directory), "--json").stdout)
    assert {"place", "headline", "to the reader"} <= {line["rule"] for line in lines}
    assert all(line["pages"] for line in lines if line["rule"] == "place")
    wordings = json.loads(uknip("layouts", "--wordings", "--archive", str(directory), "--json").stdout)
    assert {"in boxes", "most pages"} <= {rule["why"] for rule in wordings}
    assert all(rule["text"] and rule["stories"] for rule in wordings if rule["kind"] == "line")
    assert "most pages" in uknip("layouts", "--wordings", "--archive", str(directory)).stdout
    assert uknip("layouts", "Lnone", "--archive", str(directory)).returncode == 2
    assert uknip("layouts", "--keep", "999999", "--archive", str(directory)).returncode == 2


def test_layouts_do_not_depend_on_the_order_of_captures(archived: Archived, tmp_path: Path) -> None:
    """The whole site at once, or newest first in three runs: the same layouts, word for word."""
    learned = []
    with archived(tmp_path / "once") as site:
        for _ in range(3):
            crawl(site, tmp_path / "thrice", "--limit", "30")
        for name in ("once", "thrice"):
            learned.append(
                rows(
                    tmp_path / name,
                    "SELECT skeleton, state, studied, agreement, rules FROM layouts ORDER BY 1",
                )
            )
    assert learned[0] == learned[1]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("One.\n\nTwo.", "Label\n\nOne.\n\nTwo.\n\nBox", True),
        ("One.\n\nTwo.", "One.\n\nThree.\n\nTwo.", True),
        ("One.\n\nTwo.", "Two.\n\nOne.", False),
        ("One.\n\nTwo.", "One.", False),
        ("One.", "Once.", False),
    ],
)
def test_a_text_that_only_grew_is_told_from_an_edit(old: str, new: str, expected: bool) -> None:
    """Every old paragraph still there, in order: it may be furniture of a layout still being learned."""
    assert only_adds(old, new) is expected


def test_pages_that_quote_a_story_as_it_was_before_an_edit_are_read_the_same(
    life: tuple[Path, Work, dict[str, str], SampleSite],
) -> None:
    """Their teasers are teasers still: reading everything once more changes nothing."""
    done = uknip("reextract", "--all", "--dry-run", "--json", "--archive", str(life[0]))
    assert json.loads(done.stdout)["changed"]["body"] == 0
