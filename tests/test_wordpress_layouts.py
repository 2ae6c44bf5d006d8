"""Layouts learned on a real WordPress: three themes, promotions inside every story, a change of theme."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wordpress import Archivist, Crawl, WordPress

THEMES = {
    "twentytwentyone": "twentytwentytwo",
    "twentytwentytwo": "twentytwentythree",
    "twentytwentythree": "twentytwentyone",
}
PROMOS = ("Stay with", "sell you a kitchen", "bench in the county")


@pytest.fixture(scope="module", params=list(THEMES))
def archivist(
    request: pytest.FixtureRequest, wordpress_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Archivist]:
    folder = tmp_path_factory.mktemp("promoted")
    theme: str = request.param
    with WordPress(
        wordpress_files, folder / "site", theme=theme, permalinks="/%category%/%postname%/", promo=True
    ) as site:
        yield Archivist(site, folder)


@pytest.fixture(scope="module")
def first(archivist: Archivist) -> Crawl:
    return archivist.crawl()


@pytest.fixture(scope="module")
def rebuilt(archivist: Archivist, first: Crawl) -> Crawl:
    """A full crawl after a change of theme and of all addresses: without the latter every page answers 304."""
    archivist.site.set_theme(THEMES[archivist.site.theme])
    archivist.site.set_permalinks("/%year%/%monthnum%/%day%/%postname%/")
    return archivist.crawl("--full")


def test_promotions_put_into_the_text_are_no_story(archivist: Archivist, first: Crawl) -> None:
    """The pages show them; the archive holds every story as the newsroom wrote it, to the last block."""
    assert first.exit_status == 0, first.log
    page = archivist.site.fetch(next(iter(first.stories)))[2]
    assert "sell you a kitchen" in page
    assert first.misread() == []
    bodies = "\n".join(row["body"] for row in first.live().values())
    assert not [promo for promo in PROMOS if promo in bodies]


def test_the_themes_layout_is_trusted(first: Crawl) -> None:
    """And what was taken out can be seen, with the rule that took it."""
    [layout] = first.rows("SELECT * FROM layouts WHERE state = 'trusted'")
    assert layout["agreement"] > 0.9
    taken = {row["rule"] for row in first.rows("SELECT rule FROM furniture WHERE text LIKE '%kitchen%'")}
    assert taken == {"place"}


def test_a_change_of_theme_makes_no_revision_and_no_leak(first: Crawl, rebuilt: Crawl) -> None:
    """The same stories, word for word, read in a layout that the first crawl had not seen."""
    assert {row["post_id"] for row in rebuilt.live().values()} == {
        row["post_id"] for row in first.live().values()
    }
    assert rebuilt.revisions() == first.revisions()
    assert rebuilt.misread() == []
    assert len(rebuilt.rows("SELECT 1 FROM layouts WHERE state = 'trusted'")) == 2
