"""What is known of the site: loading it, and that its rules leave stories alone."""

from __future__ import annotations

import dataclasses
import time

import pytest

from uknip_crawler.errors import UsageError
from uknip_crawler.sites import DEFAULT_BASE_URL, fold, load_site
from uknip_crawler.urls import MAX_URL_LENGTH

SITE = load_site()


def is_furniture(line: str) -> bool:
    furniture, folded = SITE.furniture, fold(line)
    return (
        folded in furniture.lines | furniture.tail
        or folded.startswith(furniture.starts)
        or any(pattern.fullmatch(folded) for pattern in furniture.patterns + furniture.tail_patterns)
    )


@pytest.mark.parametrize(
    ("given", "base_url", "host"),
    [
        (DEFAULT_BASE_URL, "https://uknip.co.uk/", "uknip.co.uk"),
        ("uknip.co.uk", "https://uknip.co.uk/", "uknip.co.uk"),
        ("https://www.uknip.co.uk/?#x", "https://www.uknip.co.uk/", "uknip.co.uk"),
        ("https://www.uknip.co.uk/news/?#x", "https://www.uknip.co.uk/news/", "uknip.co.uk"),
        ("https://uknip.co.uk/news", "https://uknip.co.uk/news/", "uknip.co.uk"),
        ("https://uknip.co.uk//a/./../b c/index.php", "https://uknip.co.uk/b%20c/", "uknip.co.uk"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]:8000/", "http://[::1]:8000/", "::1"),
    ],
)
def test_a_site_is_loaded_from_its_address(given: str, base_url: str, host: str) -> None:
    """A site is a host, or a folder of one; the file that shows it is no part of its address."""
    site = load_site(given)
    assert (site.base_url, site.host) == (base_url, host)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "https://",
        "ftp://uknip.co.uk",
        "https://u:p@uknip.co.uk/",
        "https://uknip.co.uk:99999",
    ],
)
def test_an_address_that_names_no_site_is_a_usage_error(given: str) -> None:
    """The message says what to give instead."""
    with pytest.raises(UsageError):
        load_site(given)


def test_what_is_known_of_a_site_cannot_be_changed() -> None:
    """It is shared by everything that runs."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        SITE.base_url = "https://evil.example/"  # type: ignore[misc]


def test_lines_are_compared_whatever_their_quotes_and_blanks() -> None:
    """Templates differ in quotes, dashes, capitals and non-breaking blanks."""
    assert fold("  Don’t\u00a0 STOP – “Now”\n") == 'don\'t stop - "now"'


@pytest.mark.parametrize(
    "line",
    [
        "UK News in Pictures",
        "social media2",
        "Never miss another Breaking story again",
        "Click here to join our WhatsApp community.",
        "Follow UKNIP",
        "Single Post Template",
        "Most Read",
        "Today: December 9, 2023",
        "Breaking News from around the UK Your Trusted news Source!",
        "3 weeks ago",
        "9 mins ago",
        "Sunday, November 27, 2022",
        "by @uknip247",
        "2 Min Read",
        "FacebookTwitterRedditPinterestEmailGoogle+WhatsApp",
        "ADVERTISEMENT",
        "Recommended for you",
        "Must READ",
        "More For You",
        "More From UK News in Pictures",
        "More From UKNIP",
        "Published: 4:21 pm March 13, 2026",
        "Updated: 15:50",
        "Location",
        "More news from Ryde",
        "More from Kent Police",
        "View all Kent Police coverage",
        "We are your go-to destination for breaking UK news and pictures",
        "Follow us on Facebook at for the latest",
        "YOU MIGHT LIKE",
    ],
)
def test_the_sites_own_furniture_is_known(line: str) -> None:
    """Lines that every era's template prints around its stories."""
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "More to follow",
        "More to follow.",
        "Kent Police have been approached for comment.",
        "Hampshire Police have been approached for comment",
        "Anyone with information should call 101, quoting reference 44.",
        "You can also contact the independent charity Crimestoppers on 0800 555 111.",
        "Diversion: follow the solid circle symbol to the A2.",
        "Updated: Police have now reopened the road.",
        "Today a man was charged.",
        "Location of the fire was a barn near Ryde.",
        "The fire started 3 weeks ago.",
        "On Sunday, November 27, 2022 the road was shut.",
        "Photo of beach credit Skyline",
    ],
)
def test_a_storys_recurring_phrases_are_not_furniture(line: str) -> None:
    """They stand on many pages and belong to each."""
    assert not is_furniture(line)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Police said.[block_2] They left", "Police said. They left"),
        ("[block_4]", ""),
        ("[pydsmugmugslider albumid=”99” width=”600”]", ""),
        ("A man [of Ryde] was held", "A man [of Ryde] was held"),
        ("He said: “[It] was loud”", "He said: “[It] was loud”"),
    ],
)
def test_tokens_go_and_the_words_around_them_stay(text: str, left: str) -> None:
    """Square brackets are also an editor's."""
    for token in SITE.furniture.tokens:
        text = token.sub("", text)
    assert text == left


def test_no_rule_takes_long_on_a_hostile_line() -> None:
    """Every rule, used as it is meant, against text made of what it likes to repeat."""
    repeated = ["/", "/a", "9", "[gallery ", "more from ", "view all ", " ", "2024/"]
    began = time.perf_counter()
    for hostile in (piece * (20_000 // len(piece)) for piece in repeated):
        for pattern in (*SITE.article_paths, *SITE.listing_paths, *SITE.trap_paths):
            pattern.search(hostile[:MAX_URL_LENGTH])
        for pattern in (*SITE.furniture.patterns, *SITE.furniture.tail_patterns):
            pattern.fullmatch(hostile)
        for pattern in SITE.furniture.tokens:
            pattern.sub("", hostile)
    assert time.perf_counter() - began < 2
