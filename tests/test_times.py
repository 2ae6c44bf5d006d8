"""Times that cannot be right are kept as printed, and flagged; changes of labels alone are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, crawl, rows

from uknip_crawler.models import Article, Block, BlockKind, Moment
from uknip_crawler.revisions import other_changes
from uknip_crawler.times import impossible_times

CAPTURED = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
STORY = Article("https://uknip.co.uk/a/", "Ferry late", (Block(BlockKind.PARAGRAPH, "The ferry was late."),))


@pytest.mark.parametrize(
    ("published", "modified", "flags"),
    [
        (CAPTURED - timedelta(hours=1), CAPTURED, ()),
        (date(2026, 3, 14), CAPTURED - timedelta(hours=9), ()),
        (CAPTURED + timedelta(minutes=4), None, ()),
        (CAPTURED + timedelta(minutes=6), None, ("published_in_future",)),
        (CAPTURED - timedelta(days=2), CAPTURED + timedelta(days=1), ("modified_in_future",)),
        (CAPTURED - timedelta(days=2), CAPTURED - timedelta(days=3), ("modified_before_published",)),
        (date(2026, 3, 12), CAPTURED - timedelta(days=3), ("modified_before_published",)),
        (None, None, ()),
    ],
)
def test_a_time_that_cannot_be_right_is_named(
    published: Moment | None, modified: Moment | None, flags: tuple[str, ...]
) -> None:
    """A bare day says nothing of the hour, and clocks may differ by some minutes."""
    article = replace(STORY, published_at=published, modified_at=modified)
    assert impossible_times(article, CAPTURED) == flags


@pytest.mark.parametrize(
    ("raw", "flags"),
    [
        ("2031-01-01T00:00:00Z", ("published_in_future",)),
        ("1970-01-01T00:00:00+00:00", ("published_too_early",)),
        ("0000-00-00 00:00:00", ()),
        ("yesterday", ()),
        ("0001-01-01", ("published_too_early",)),
    ],
)
def test_a_time_that_was_not_believed_is_named_by_its_text(raw: str, flags: tuple[str, ...]) -> None:
    """It is NULL in the archive; its text says why."""
    assert impossible_times(replace(STORY, published_raw=raw), CAPTURED) == flags


def test_a_label_changed_is_told_and_a_text_changed_is_not() -> None:
    """The text's changes are revisions."""
    other = replace(STORY, section="Crime", tags=("Ryde", "Ferry"))
    assert other_changes(STORY, other) == "section: nothing → Crime; tags: nothing → Ryde, Ferry"
    assert other_changes(STORY, STORY) is None
    assert other_changes(STORY, replace(other, headline="Ferry cancelled")) is None


def test_a_story_put_into_another_section_has_its_event(archived: Archived, tmp_path: Path) -> None:
    """The newsroom moves one; its text is the same, and so are its revisions."""
    with archived(tmp_path, 30) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        [moved] = [move for move in work.moved if move.kind == "section"]
        crawl(site, tmp_path)
        url = site.url(moved.new_path)
    told = rows(
        tmp_path,
        "SELECT articles.url, substr(detail, 1, 8), revision_count FROM events "
        "JOIN articles ON articles.id = article_id WHERE kind = 'metadata'",
    )
    assert told == [(url, "section:", 1)]
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE time_flags IS NOT NULL") == [(0,)]
