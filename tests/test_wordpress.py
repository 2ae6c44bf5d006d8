"""The archive of a real WordPress, checked against WordPress's own database, through a day's work and a rebuild."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crawling import content
from processes import uknip
from wordpress import Archivist, Crawl, Row, WordPress

from uknip_crawler.archive import DATABASE

BY_CATEGORY = "/%category%/%postname%/"
BY_DAY = "/%year%/%monthnum%/%day%/%postname%/"
NEW_STORIES = 5
MISSED = ("trashed", "replaced", "unpublished", "deleted")


@dataclass(frozen=True, slots=True)
class Case:
    """A site as it begins, and what it is rebuilt as in the end."""

    theme: str
    permalinks: str
    next_theme: str
    next_permalinks: str
    rest: bool


CASES = {
    "categories, open REST": Case("twentytwentythree", BY_CATEGORY, "twentytwentyone", BY_DAY, rest=True),
    "days, closed REST": Case("twentytwentyone", BY_DAY, "twentytwentytwo", BY_CATEGORY, rest=False),
}


# The story of one site: each step is taken once, in this order, however few tests are chosen


@pytest.fixture(scope="module", params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture(scope="module")
def archivist(
    case: Case, wordpress_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Archivist]:
    folder = tmp_path_factory.mktemp("newsroom")
    with WordPress(
        wordpress_files, folder / "site", theme=case.theme, permalinks=case.permalinks, rest=case.rest
    ) as site:
        yield Archivist(site, folder)


@pytest.fixture(scope="module")
def first(archivist: Archivist) -> Crawl:
    """The first crawl."""
    return archivist.crawl()


@pytest.fixture(scope="module")
def second(archivist: Archivist, first: Crawl) -> Crawl:
    """A crawl after which nothing has changed."""
    return archivist.crawl()


@pytest.fixture(scope="module")
def work(archivist: Archivist, second: Crawl) -> dict[str, Any]:
    """A day's work of the newsroom."""
    return archivist.site.work()


@pytest.fixture(scope="module")
def third(archivist: Archivist, work: dict[str, Any]) -> Crawl:
    """The crawl after the day's work."""
    return archivist.crawl()


@pytest.fixture(scope="module")
def fourth(archivist: Archivist, third: Crawl) -> Crawl:
    """The crawl after that."""
    return archivist.crawl()


@pytest.fixture(scope="module")
def rebuilt(archivist: Archivist, case: Case, fourth: Crawl) -> Crawl:
    """A full crawl after the site got a new theme and new addresses."""
    archivist.site.set_theme(case.next_theme)
    archivist.site.set_permalinks(case.next_permalinks)
    return archivist.crawl("--full")


@pytest.fixture(scope="module")
def pictured(archivist: Archivist, rebuilt: Crawl) -> Crawl:
    """A crawl that keeps the pictures too."""
    return archivist.crawl("--images")


# The first crawl


def test_the_first_crawl_is_complete(first: Crawl) -> None:
    """Exit status 0 says that nothing failed and nothing was lost."""
    assert first.exit_status == 0, first.log


def test_every_published_story_is_found_exactly_once(first: Crawl) -> None:
    """One article for each story, and none for a page, draft, private, future, trashed or protected post."""
    urls = [row["url"] for row in first.rows("SELECT url FROM articles")]
    assert sorted(urls) == sorted(first.stories)


@pytest.mark.fault("W05")
def test_a_story_behind_a_password_is_recorded_as_protected(first: Crawl) -> None:
    """Its address is public, its text is not."""
    [protected] = [story for story in first.hidden if story.has_password]
    assert first.rows("SELECT outcome FROM fetches WHERE url = ?", protected.url) == [
        {"outcome": "protected"}
    ]


@pytest.mark.fault("W06")
def test_nothing_hidden_is_in_the_archive(first: Crawl) -> None:
    """Neither title nor text of what the newsroom keeps back is archived."""
    texts = "\n".join(f"{row['headline']}\n{row['body']}" for row in first.live().values())
    assert len(first.hidden) == 7
    for story in first.hidden:
        assert story.title not in texts
        assert all(text not in texts for text in story.texts("paragraph"))


def test_headlines_are_exact(first: Crawl) -> None:
    """As WordPress prints them, without the site's name."""
    assert first.wrong(lambda row: row["headline"], lambda story: story.title) == {}


def test_instants_are_exact_to_the_second(first: Crawl) -> None:
    """UTC, through summer time and the hour that comes twice."""
    found = first.wrong(lambda row: row["published_at"], lambda story: story.published_at)
    found |= first.wrong(lambda row: row["modified_at"], lambda story: story.modified_at)
    assert found == {}


def test_authors_are_exact(first: Crawl) -> None:
    """The name that the newsroom gave, accents and apostrophe included."""
    authors = _names(first, "author")
    assert first.wrong(lambda row: authors[row["url"]], lambda story: [story.author]) == {}


def test_tags_are_exact(first: Crawl) -> None:
    """All of them, with `&` as a reader sees it."""
    tags = _names(first, "tag")
    assert first.wrong(lambda row: sorted(tags[row["url"]]), lambda story: sorted(story.tags)) == {}


def test_the_section_is_one_of_the_categories(first: Crawl) -> None:
    """WordPress has many categories a story, the archive one section."""
    wrong = {
        url: row["section"]
        for url, row in first.live().items()
        if row["section"] not in first.stories[url].categories
    }
    assert wrong == {}


def test_the_lead_image_is_the_featured_image(first: Crawl) -> None:
    """Where there is none, it is a picture of the text or nothing: never the site's own furniture."""
    for url, row in first.live().items():
        story = first.stories[url]
        allowed = [story.featured_image] if story.featured_image else [None, *story.pictures]
        assert row["lead_image_url"] in allowed, url


def test_bodies_are_exact_block_by_block(first: Crawl) -> None:
    """Every paragraph, heading, list item and quote in order; no comment, caption, post or line of furniture."""
    assert first.misread() == []


def test_captions_belong_to_their_pictures(first: Crawl) -> None:
    """Each picture of a text comes with the caption printed under it, its credit apart."""
    query = (
        "SELECT caption, credit FROM article_images JOIN articles ON articles.id = article_id WHERE url = ?"
    )
    for url, story in first.stories.items():
        found = [f"{row['caption']} Photo: {row['credit']}" for row in first.rows(query, url)]
        assert set(story.texts("caption")) <= set(found), url


# A crawl when nothing has changed


def test_an_unchanged_site_is_asked_very_little(second: Crawl) -> None:
    """robots.txt and the sources, but none of fifty articles."""
    assert second.exit_status == 0, second.log
    assert second.requests <= 8


def test_an_unchanged_site_makes_no_revision(first: Crawl, second: Crawl) -> None:
    """Nothing was edited: the articles are those of the first crawl."""
    assert second.revisions() == first.revisions() == len(first.stories)
    assert second.live().keys() == first.live().keys()


# A crawl after a day's work


def test_new_stories_are_stored(work: dict[str, Any], third: Crawl) -> None:
    """Also the one published on schedule, whose date of modification is older than the last crawl."""
    assert third.exit_status == 0, third.log
    new = {story["url"] for story in [*work["new"], work["published_on_schedule"]]} | {
        work["replaced"]["guess_url"]
    }
    assert len(new) == NEW_STORIES
    assert new <= third.live().keys()


def test_an_edited_story_has_two_revisions(work: dict[str, Any], first: Crawl, third: Crawl) -> None:
    """The first as it was, the second as it is; both can be read."""
    url = work["edited"]["url"]
    article = third.article(url)
    revisions = third.rows("SELECT * FROM revisions WHERE article_id = ? ORDER BY number", article["id"])
    assert [row["headline"] for row in revisions] == [first.stories[url].title, third.stories[url].title]
    assert [row["body"] for row in revisions] == [first.article(url)["body"], article["body"]]
    assert article["revision_count"] == 2
    assert article["body"].endswith("UPDATE: a second crane has been sent for.")


@pytest.mark.parametrize("change", ["renamed", "moved"])
def test_a_new_address_is_an_alias_and_no_revision(
    change: str, work: dict[str, Any], second: Crawl, third: Crawl
) -> None:
    """The story stays one article; its old address still finds it."""
    old, new = work[change]["url"], work[change]["new_url"]
    article = third.article(new)
    assert article["id"] == second.article(old)["id"]
    assert (article["status"], article["revision_count"]) == ("live", 1)
    assert third.alias(old) == (article["id"] if old != new else None)


def test_nothing_but_the_edit_makes_a_revision(work: dict[str, Any], second: Crawl, third: Crawl) -> None:
    """Each new story has one, the edited story one more."""
    assert third.revisions() == second.revisions() + NEW_STORIES + 1


@pytest.mark.fault("W09")
@pytest.mark.parametrize("change", MISSED)
def test_a_story_missed_once_stays_readable(
    change: str, work: dict[str, Any], second: Crawl, third: Crawl
) -> None:
    """One miss may be an accident: it is counted, and nothing else changes."""
    url = work[change]["url"]
    article = third.article(url)
    assert (article["status"], article["missed_runs"]) == ("live", 1)
    assert (article["headline"], article["body"]) == _reading(second.article(url))


# The crawl after that


@pytest.mark.fault("W09")
@pytest.mark.parametrize("change", MISSED)
def test_a_story_missed_twice_is_gone_and_still_readable(
    change: str, work: dict[str, Any], second: Crawl, fourth: Crawl
) -> None:
    """What the site took down is what an archive is for."""
    url = work[change]["url"]
    article = fourth.article(url)
    assert article["status"] == "gone"
    assert article["gone_at"]
    assert (article["headline"], article["body"]) == _reading(second.article(url))


@pytest.mark.parametrize("change", ["trashed", "replaced"])
def test_a_guessed_redirect_is_no_alias(change: str, work: dict[str, Any], fourth: Crawl) -> None:
    """WordPress sends readers of a trashed story to another one, known before or new: the two stay apart."""
    url, guess = work[change]["url"], work[change]["guess_url"]
    other = fourth.article(guess)
    assert other["id"] != fourth.article(url)["id"]
    assert fourth.alias(url) is None
    assert (other["headline"], other["revision_count"]) == (fourth.stories[guess].title, 1)


def test_after_a_day_of_work_the_archive_is_the_site(work: dict[str, Any], fourth: Crawl) -> None:
    """Every live article as the site has it now, and no other."""
    assert fourth.exit_status == 0, fourth.log
    assert fourth.wrong(lambda row: row["headline"], lambda story: story.title) == {}
    assert fourth.misread() == []


# A crawl after the site was rebuilt


def test_a_rebuilt_site_has_the_same_stories(fourth: Crawl, rebuilt: Crawl) -> None:
    """Every story lives at its new address, under the number it had."""
    assert rebuilt.exit_status == 0, rebuilt.log
    assert rebuilt.live().keys() == rebuilt.stories.keys()
    assert _identity(rebuilt) == _identity(fourth)


def test_a_rebuilt_site_leaves_its_old_addresses_as_aliases(fourth: Crawl, rebuilt: Crawl) -> None:
    """Whoever cites the old address still finds the story."""
    assert {url: rebuilt.alias(url) for url in fourth.live()} == {
        url: row["id"] for url, row in fourth.live().items()
    }


def test_a_redesign_makes_no_revision(fourth: Crawl, rebuilt: Crawl) -> None:
    """Another theme prints the same texts: the archive reads them alike."""
    assert rebuilt.misread() == []
    assert rebuilt.revisions() == fourth.revisions()


# Pictures


def test_every_picture_is_kept_as_wordpress_has_it(archivist: Archivist, pictured: Crawl) -> None:
    """Byte for byte, the featured pictures and those in the text."""
    kept = {row["url"]: row["sha256"] for row in pictured.rows("SELECT url, sha256 FROM images")}
    shown = {
        url for story in pictured.stories.values() for url in (story.featured_image, *story.pictures) if url
    }
    assert shown >= kept.keys() >= {story.featured_image for story in pictured.stories.values()} - {None}
    for url, digest in kept.items():
        [file] = archivist.site.state.rglob(url.rpartition("/")[2])
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


# The database is lost


def test_the_captures_of_wordpress_make_the_same_database(
    archivist: Archivist, pictured: Crawl, tmp_path: Path
) -> None:
    """Stories, their states and their addresses, through a day's work, a new theme and new permalinks."""
    copy = tmp_path / "copy"
    shutil.copytree(archivist.archive, copy, ignore=shutil.ignore_patterns(f"{DATABASE}*"))
    assert uknip("rebuild", "--archive", str(copy)).returncode == 0
    before, after = content(archivist.archive), content(copy)
    for table in ("articles", "revisions", "aliases", "authors", "tags", "images", "links"):
        assert after[table] == before[table], table


# How the archive is read


def _reading(article: Row) -> tuple[str, str]:
    return article["headline"], article["body"]


def _names(crawl: Crawl, kind: str) -> dict[str, list[str]]:
    """Return each article's authors or tags in their order."""
    names: dict[str, list[str]] = {row["url"]: [] for row in crawl.rows("SELECT url FROM articles")}
    for row in crawl.rows(
        f"SELECT url, name FROM article_{kind}s JOIN {kind}s ON {kind}s.id = {kind}_id "
        "JOIN articles ON articles.id = article_id ORDER BY article_id, position"
    ):
        names[row["url"]].append(row["name"])
    return names


def _identity(crawl: Crawl) -> dict[int, int]:
    """Return WordPress's number of each live story by ours."""
    by_url = {url: story.id for url, story in crawl.stories.items()}
    return {row["id"]: by_url[url] for url, row in crawl.live().items()}
