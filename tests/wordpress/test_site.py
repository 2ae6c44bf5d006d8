"""The WordPress that other tests crawl is what they take it for."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wordpress.site import WordPress

BY_CATEGORY = "/%category%/%postname%/"
BY_DAY = "/%year%/%monthnum%/%day%/%postname%/"


@pytest.fixture(
    scope="module", params=[("twentytwentytwo", BY_CATEGORY), ("twentytwentyone", BY_DAY)], ids=str
)
def site(
    wordpress_files: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[WordPress]:
    theme, permalinks = request.param
    state = tmp_path_factory.mktemp("wordpress")
    with WordPress(wordpress_files, state, theme=theme, permalinks=permalinks) as site:
        yield site


def test_the_truth_is_what_a_reader_sees(site: WordPress) -> None:
    """Title and text blocks of the database stand on the page, in the same order."""
    for story in site.published():
        status, _, page = site.fetch(story.url)
        text = _visible_text(page)
        assert status == 200
        assert story.title in text
        at = 0
        for wanted in story.texts("paragraph", "heading", "list_item", "quote", "cite"):
            at = text.find(wanted, at)
            assert at >= 0, f"{wanted!r} is not on {story.url} in its place"


def test_only_published_posts_are_readable(site: WordPress) -> None:
    """Drafts, private, future and trashed posts answer 404; a password-protected one keeps its text back."""
    hidden = [story for story in site.truth() if story.type == "post" and not story.is_public]
    assert len(hidden) == 6
    for story in hidden:
        status, _, page = site.fetch(story.url)
        assert status == (200 if story.has_password else 404)
        assert all(text not in page for text in story.texts("paragraph"))


def test_instants_know_london_summer_time(site: WordPress) -> None:
    """Half past midnight in July is the day before in UTC; half past one is told apart on the night of the change."""
    published = {story.title: story.published_at for story in site.published()}
    assert published["Night bus stranded by rising river at Skelby"] == "2024-07-19T23:30:00Z"
    assert published["Clockmaker kept awake as town hall strikes one, twice"] == "2024-10-27T01:30:00Z"
    assert published["Footbridge at Kirkdale reopens"] == "2024-05-02T11:00:00Z"


def test_a_day_of_work_changes_what_it_says_and_nothing_else(site: WordPress) -> None:
    """What was edited says so and when, what was not touched stays as it was, and the old addresses answer as told."""
    before = {story.id: story for story in site.published()}
    done = site.work()
    after = {story.id: story for story in site.published()}
    edited = after[done["edited"]["id"]]
    assert (edited.modified_at or "") > (before[edited.id].modified_at or "")
    assert edited.title == f"{before[edited.id].title} – UPDATED"
    assert edited.blocks[:-1] == before[edited.id].blocks
    untouched = set(before) - {done[case]["id"] for case in ("edited", "renamed", "moved")}
    assert all(after[number] == before[number] for number in untouched & set(after))
    _the_addresses_answer_as_promised(site, done)


def _the_addresses_answer_as_promised(site: WordPress, done: dict[str, dict[str, str]]) -> None:
    assert site.fetch(done["trashed"]["url"])[:2] == (301, done["trashed"]["guess_url"])
    assert site.fetch(done["renamed"]["url"])[:2] == (301, done["renamed"]["new_url"])
    if site.permalinks == BY_CATEGORY:
        assert site.fetch(done["replaced"]["url"])[:2] == (301, done["replaced"]["guess_url"])
        assert site.fetch(done["moved"]["url"])[:2] == (301, done["moved"]["new_url"])
    for case in ("unpublished", "deleted"):
        assert site.fetch(done[case]["url"])[0] == 404


def test_new_permalinks_redirect_every_old_address(site: WordPress) -> None:
    """Whatever structure the site had, its old addresses lead to the same stories under the new one."""
    before = {story.id: story.url for story in site.published()}
    old = site.permalinks
    site.set_permalinks(BY_DAY if old == BY_CATEGORY else BY_CATEGORY)
    try:
        after = {story.id: story.url for story in site.published()}
        assert {number: site.fetch(url)[:2] for number, url in before.items()} == {
            number: (301, url) for number, url in after.items()
        }
    finally:
        site.set_permalinks(old)


def test_a_closed_rest_interface_answers_401(wordpress_files: Path, tmp_path: Path) -> None:
    """Many sites keep the interface for themselves; the rest of the site works on."""
    site = WordPress(wordpress_files, tmp_path, theme="twentytwentyone", permalinks=BY_DAY, rest=False)
    with site:
        status, _, body = site.fetch("/wp-json/wp/v2/posts")
        assert (status, json.loads(body)["code"]) == (401, "rest_login_required")
        assert site.fetch("/wp-sitemap-posts-post-1.xml")[0] == 200
        assert [request.status for request in site.requests()] == [401, 200]


def _visible_text(page: str) -> str:
    without_code = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", without_code)).split())
