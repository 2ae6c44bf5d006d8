"""`uknip audit`: our readings beside the site's own content, by REST, by feed, and where there is neither."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from crawling import Archived, crawl, newsroom, rows
from processes import uknip

from uknip_crawler.archive import DATABASE
from uknip_crawler.demo import SampleSite
from uknip_crawler.extraction.body.reference import compare, reference_body
from uknip_crawler.sites import load_site

SITE = load_site()
URL = "https://uknip.co.uk/news/uk/breaking/a-ferry/"


def audit(directory: Path, *options: str, expect: int = 0) -> dict[str, object]:
    done = uknip("audit", "--delay", "0", "--archive", str(directory), "--json", *options)
    assert done.returncode == expect, done.stderr
    found: dict[str, object] = json.loads(done.stdout) if done.stdout else {"message": done.stderr}
    return found


@pytest.mark.parametrize(("doors", "source", "compared"), [({}, "rest", 20), ({"rest": False}, "feed", 10)])
def test_a_right_archive_scores_one_and_a_damaged_one_less(
    tmp_path: Path, doors: dict[str, bool], source: str, compared: int
) -> None:
    """Ten words put into a newest story of so many cost precision just there; words taken out cost recall."""
    with SampleSite(newsroom(30), **doors) as site:
        crawl(site, tmp_path)
        asked = len(site.requests)
        right = audit(tmp_path, "--sample", "20")
        assert len(site.requests) - asked <= 3
        assert rows(tmp_path, "SELECT count(*) FROM events") == [(0,)]
        assert (right["source"], right["compared"]) == (source, compared)
        assert (right["precision"], right["recall"], right["exact_share"], right["worst"]) == (1, 1, 1, [])
        newest = site.newsroom.published()[0]
        url, words = site.url(newest.path), len(newest.body.replace("- ", "").split())
        with closing(sqlite3.connect(tmp_path / DATABASE)) as db:
            db.execute("UPDATE articles SET body = body || ? WHERE url = ?", ("\n\n" + "zebra " * 10, url))
            db.commit()
        wrong = audit(tmp_path, "--sample", "20")
        assert wrong["recall"] == 1
        assert wrong["exact_share"] == pytest.approx((compared - 1) / compared)
        assert wrong["precision"] == pytest.approx((compared - 1 + words / (words + 10)) / compared, abs=0.01)
        assert [story["url"] for story in wrong["worst"]] == [url]  # type: ignore[attr-defined]
        assert "+ zebra" in wrong["worst"][0]["diff"]  # type: ignore[index]
    assert rows(tmp_path, "SELECT kind, count(*) FROM runs GROUP BY kind") == [("audit", 2), ("crawl", 1)]
    assert json.loads(uknip("status", "--archive", str(tmp_path), "--json").stdout)["last_run"]["run"] == 1
    assert rows(tmp_path, "SELECT count(*) FROM audits") == [(2,)]
    assert rows(tmp_path, "SELECT count(*) FROM audit_stories") == [(2 * compared,)]


def test_what_was_edited_since_is_counted_and_not_scored(archived: Archived, tmp_path: Path) -> None:
    """The site's text is newer than ours: no fault of the reading."""
    from datetime import timedelta

    from crawling import NOW

    with archived(tmp_path, 30) as site:
        with closing(sqlite3.connect(tmp_path / DATABASE)) as db:  # captured before the newsroom's next day
            db.execute("UPDATE articles SET captured_at = ?", (NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),))
            db.commit()
        site.newsroom.work(NOW + timedelta(days=1))
        found = audit(tmp_path, "--sample", "30")
        assert found["edited_since"] == len(
            [p for p in site.newsroom.published() if p.modified_at > NOW and p.post_id <= 30]
        )
        assert found["exact_share"] == 1


def test_a_site_without_content_of_its_own_cannot_be_audited(tmp_path: Path) -> None:
    """One line, status 3, and nothing stored."""
    with SampleSite(newsroom(20), rest=False, feed=False) as site:
        crawl(site, tmp_path)
        told = audit(tmp_path, expect=3)
    assert "offers no story's own content" in str(told["message"])
    assert rows(tmp_path, "SELECT count(*) FROM audits") == [(0,)]


@pytest.mark.parametrize(
    ("html", "body"),
    [
        ("<p>The ferry sailed.</p>\n<p>It was late.</p>", "The ferry sailed.\n\nIt was late."),
        ("<div class='elementor'><p>One outer element.</p></div>", "One outer element."),
        ("<p>[block_2]Twice a day.</p><p>https://youtu.be/abcdefghijk</p>", "Twice a day."),
        ("<ul><li>Bring a coat</li></ul>", "- Bring a coat"),
        ("<figure><img src='a.jpg' alt=''><figcaption>A caption</figcaption></figure><p>Text.</p>", "Text."),
        ("<p>The beginning of it […]</p>", None),
        ("", None),
        ("<script>alert(1)</script>", None),
    ],
)
def test_the_sites_content_is_read_like_a_pages_body(html: str, body: str | None) -> None:
    """Captions, embeds and shortcodes apart; an excerpt is no content."""
    assert reference_body(html, URL, SITE) == body


def test_scores_count_words() -> None:
    """Three of our four words are the site's, three of the site's five are ours."""
    score = compare("a b c x", "a b c d e")
    assert (score.precision, score.recall, score.is_exact) == (0.75, 0.6, False)
    assert compare("", "").precision == compare("", "").recall == 1
    assert compare("- One\n\nTwo", "One\n\n- Two").is_exact
