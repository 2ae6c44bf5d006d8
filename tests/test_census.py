"""Finding the posts that a site lists no longer from a few pages of its list."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

import pytest

from uknip_crawler.discovery.census import Census


def missing(ours: Collection[int], theirs: Collection[int]) -> tuple[list[int], int]:
    """Return what a census finds missing, and how many pages it read."""
    listed, read = sorted(theirs), 0
    census = Census(ours, len(listed), 100)
    while (page := census.next_page()) is not None:
        read += 1
        census.take(listed[(page - 1) * 100 : page * 100])
    return sorted(census.missing), read


@pytest.mark.parametrize("seed", range(10))
def test_three_of_fifty_thousand_are_found_in_thirty_pages(seed: int) -> None:
    """Numbers with gaps, as WordPress counts pictures and drafts too; every missing post costs nine pages at most."""
    random = Random(seed)
    ours = sorted(random.sample(range(1, 400_000), 50_000))
    gone = sorted(random.sample(ours, 3))
    found, read = missing(ours, set(ours) - set(gone))
    assert found == gone
    assert read <= 30


def test_nothing_missing_needs_no_page() -> None:
    """As many as we know: there is nothing to look at."""
    assert missing(range(1, 1001), range(1, 1001)) == ([], 0)


@pytest.mark.parametrize(
    "gone", [{1}, {1000}, set(range(201, 700)), set(range(1, 1000)), {100, 101, 200, 201}]
)
def test_ends_and_stretches_are_found_in_no_more_than_all_pages(gone: set[int]) -> None:
    """The first, the last, half the list, all but one, both sides of a page's edge."""
    ours = set(range(1, 1001))
    found, read = missing(ours, ours - gone)
    assert found == sorted(gone)
    assert read <= 10


@pytest.mark.parametrize("numbers", [[5, 3, 900], [10**18], [1], [7] * 100])
def test_a_senseless_list_comes_to_an_end(numbers: list[int]) -> None:
    """Whatever a site answers, no page is read twice."""
    census, read = Census(range(1, 1001), 900, 100), 0
    while census.next_page() is not None:
        census.take(numbers)
        read += 1
    assert read <= 9


def test_an_empty_page_within_the_list_is_refused() -> None:
    """The list shrank while it was read: nothing can be told from places."""
    census = Census(range(1, 1001), 900, 100)
    assert census.next_page() is not None
    with pytest.raises(ValueError, match="empty"):
        census.take([])
