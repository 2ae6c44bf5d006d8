"""How stories live on: kinds of edits, ways of going, and revisits within a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, crawl, newsroom, rows

from uknip_crawler.archive import Archive
from uknip_crawler.demo import SampleSite, faults
from uknip_crawler.revisions import Kind, kind_of_edit

BODY = """\
A van left the road in Ryde on Monday at about 4pm, and came to rest against the wall of a chapel.

Nobody was hurt, and the wall is being looked at by an engineer from the council.

The road was shut for 2 hours while the van was recovered, and buses were sent another way."""


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("came to rest", "came to rset", Kind.TYPO),
        ("Ryde on Monday", "Ryde, on Monday", Kind.TYPO),
        ("for 2 hours", "for 3 hours", Kind.CORRECTION),
        ("Nobody was hurt", "The driver was hurt", Kind.CORRECTION),
        ("another way.", "another way.\n\nA man was held.", Kind.UPDATE),
        ("A van", "UPDATE 6pm\n\nA van", Kind.UPDATE),
        (BODY, "A man was charged. " * 20, Kind.SUBSTANTIVE),
        ("wall is", "wall  is", Kind.METADATA),
    ],
)
def test_an_edit_is_named_by_what_it_did_to_the_words(old: str, new: str, kind: Kind) -> None:
    """A figure changed is never a slip of spelling."""
    assert kind_of_edit("Van leaves road", BODY, "Van leaves road", BODY.replace(old, new)) == kind


@pytest.mark.parametrize(
    ("headline", "old", "new", "kind"),
    [
        ("Van hits chapel wall in Ryde", "", "", Kind.HEADLINE),
        ("Van hits chapel wall in Ryde", "came to rest", "came to rset", Kind.HEADLINE),
        ("Vann leaves road", "", "", Kind.TYPO),
        ("Van hits chapel wall in Ryde", "another way.", "another way.\n\nA man was held.", Kind.UPDATE),
    ],
)
def test_a_new_headline_is_named_unless_the_text_changed_more(
    headline: str, old: str, new: str, kind: Kind
) -> None:
    assert kind_of_edit("Van leaves road", BODY, headline, BODY.replace(old, new)) == kind


def test_a_long_text_of_one_word_is_named_without_delay() -> None:
    """Its comparison would take the square of its length."""
    assert kind_of_edit("H", "word " * 50_000, "H", "other " + "words " * 50_000) == Kind.SUBSTANTIVE


def test_the_newsrooms_edits_are_named_as_they_were_made(archived: Archived, tmp_path: Path) -> None:
    with archived(tmp_path, 30) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, tmp_path)
        made = {(site.url(edit.path), edit.kind) for edit in work.edited}
    named = rows(
        tmp_path,
        "SELECT url, kind FROM revisions JOIN articles ON articles.id = article_id WHERE number > 1",
    )
    assert set(named) == made
    first = rows(tmp_path, "SELECT DISTINCT kind, added_words FROM revisions WHERE number = 1")
    assert first == [("first", 0)]


@pytest.mark.fault("W05", "W09")
def test_each_way_of_going_has_its_record(archived: Archived, tmp_path: Path) -> None:
    """Taken off the lists, a password, the home page instead, then all of it back."""
    with archived(tmp_path, 30) as site:
        protected, redirected, deleted = (post.path for post in site.newsroom.published()[2:5])
        password = (
            '<html><body><h1>Protected: a story</h1><form class="post-password-form"></form></body></html>'
        )
        site.fail = {
            protected: faults.body(password.encode()),
            redirected: faults.redirect("/"),
            deleted: 410,
        }
        _make_due(tmp_path, *map(site.url, (protected, redirected, deleted)))
        crawl(site, tmp_path)
        assert _events(tmp_path) == [
            (site.url(path), kind)
            for path, kind in sorted(
                [(protected, "protected"), (redirected, "redirected"), (deleted, "missing")]
            )
        ]
        assert rows(tmp_path, "SELECT count(*) FROM articles WHERE body = '' OR status = 'gone'") == [(0,)]
        site.fail = {}
        _make_due(tmp_path, *map(site.url, (protected, redirected, deleted)))
        assert crawl(site, tmp_path)["restored"] == 3
        assert rows(tmp_path, "SELECT count(*) FROM revisions WHERE number > 1") == [(0,)]


def test_what_the_lists_drop_is_recorded_as_unpublished(archived: Archived, tmp_path: Path) -> None:
    """Then, by its own address, as missing and as gone."""
    with archived(tmp_path, 30) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, tmp_path)
        crawl(site, tmp_path)
        (removal,) = work.unpublished
        url = site.url(removal.path)
        site.requests.clear()
        crawl(site, tmp_path)
        assert removal.path not in {target for _, target, _ in site.requests}  # not asked for a third time
    kinds = rows(
        tmp_path, "SELECT kind FROM events JOIN articles ON articles.id = article_id WHERE url = ?", url
    )
    assert [kind for (kind,) in kinds] == ["unpublished", "missing", "gone"]


@pytest.mark.fault("W10")
def test_a_batch_of_sudden_404s_among_revisits_leaves_no_trace(tmp_path: Path) -> None:
    """Twelve of sixty are no fifth of all stories, but all of those that the run looked at."""
    with SampleSite(newsroom(70)) as site:
        crawl(site, tmp_path)
        paths = [post.path for post in site.newsroom.published()[5:17]]
        site.fail = dict.fromkeys(paths, 404)
        _make_due(tmp_path, *map(site.url, paths))
        assert "none was marked" in crawl(site, tmp_path, expect=3)["troubles"][0]
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE missed_runs > 0 OR status = 'gone'") == [(0,)]


def test_a_budget_caps_every_request_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """The likeliest edits first: new stories, then young ones."""
    with SampleSite(newsroom(30)) as site:
        report = crawl(site, tmp_path, "--budget", "12")
        assert report["requests"] == len(site.requests) == 12
        assert report["end_reason"] == "budget spent"
        crawl(site, tmp_path)
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(len(site.newsroom.published()),)]
        published = [post.path for post in site.newsroom.published()]
        _make_due(tmp_path, *map(site.url, published))
        site.requests.clear()
        report = crawl(site, tmp_path, "--budget", "9")
        asked = [target for _, target, status in site.requests if status == 304]
        assert len(site.requests) == 9
        assert report["revisits"]["requests"] == report["revisits"]["not_modified"] == len(asked)
    ages = {post.path: datetime.now(UTC) - post.published_at for post in site.newsroom.published()}
    # a quarter of the age, in classes each twice the one before; beyond 4,096 hours all are the last
    classes = {path: int(age.total_seconds() / 4 / 3600).bit_length() for path, age in ages.items()}
    assert max(classes[path] for path in asked) <= min(classes[path] for path in ages.keys() - set(asked))


def test_a_budget_too_small_for_the_sites_lists_is_no_failure_of_the_site(tmp_path: Path) -> None:
    with SampleSite(newsroom(30)) as site:
        assert crawl(site, tmp_path, "--budget", "1")["requests"] == 1
        crawl(site, tmp_path)
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(len(site.newsroom.published()),)]


def _events(directory: Path) -> list[tuple[str, str]]:
    sql = "SELECT url, kind FROM events JOIN articles ON articles.id = article_id ORDER BY url"
    return [(url, kind) for url, kind in rows(directory, sql)]


def _make_due(directory: Path, *urls: str) -> None:
    """Bring the next visit of addresses forward, as time would."""
    with Archive(directory) as archive, archive.transaction():
        for url in urls:
            archive.frontier.revisit(url, reason="revisit", due_at=datetime(2000, 1, 1, tzinfo=UTC))
