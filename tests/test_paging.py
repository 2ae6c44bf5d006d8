"""What a page says of its place in a story of several pages, in the ways that themes say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from uknip_crawler.extraction import read
from uknip_crawler.models import Capture, Reading
from uknip_crawler.sites import load_site

SITE = "https://uknip.co.uk"
URL = f"{SITE}/news/uk/breaking/the-mill-fire/"
ROAD = f"{SITE}/news/uk/m-25/"
SENTENCES = (
    "Smoke stood over the old mill at Carrow before the first of the engines had left the yard.",
    "The second crew laid hose from the weir to the sluice while the miller's family watched",
)
TEXT = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
SINGLE = "single single-post postid-7"


def reading(
    line: str = "",
    *,
    url: str = URL,
    canonical: str | None = None,
    tokens: str = SINGLE,
    head: str = "",
    after: str = "",
) -> Reading:
    page = f"""<!doctype html><html lang="en-GB"><head><title>The mill fire - UKNIP</title>
<link rel="canonical" href="{canonical or url}"><meta property="article:published_time" content="2026-02-01T10:00:00Z">{head}
</head><body class="{tokens}"><main><article><h1>The mill fire</h1><div class="entry-content">{TEXT}{line}</div></article>
{after}</main></body></html>"""
    html = ("Content-Type", "text/html; charset=utf-8")
    capture = Capture(url, 200, (html,), page.encode(), datetime(2026, 3, 1, tzinfo=UTC))
    return read(capture, load_site(SITE))


def body(found: Reading) -> str:
    assert found.article is not None
    return found.article.body


LINES = {
    "core": f'<p class="post-nav-links">Pages: <span>1</span> <a href="{URL}2/">2</a></p>',
    "no element around it": f'Pages: 1 <a href="{URL}2/">2</a>',
    "bold": f'<p><strong>Pages: <b>1</b> <a href="{URL}2/"><span>2</span></a></strong></p>',
    "a heading for readers": f'<nav><h2>Post pages</h2><div><span>1</span><a href="{URL}2/">2</a></div></nav>',
    "next": f'<div><a class="button" href="{URL}2/">Next Page →</a></div>',
    "an arrow": f'<div><a href="{URL}2/">»</a></div>',
    "one of many": f'<div><span>Page 1 of 3</span> <a href="{URL}2/">Next</a></div>',
    "a slide": f'<p>1 / 12 <a href="{URL}2/">Next slide</a></p>',
    "in words": f'<p><a href="{URL}2/">Read the rest of this story on page two</a></p>',
    "shouted": f'<p style="text-align:center"><strong><a href="{URL}2/">CONTINUE ON NEXT PAGE</a></strong></p>',
    "a menu": f'<form><select><option value="{URL}">1. Smoke</option><option value="{URL}2/">2. Hose</option></select></form>',
    "numbered titles": f'<ul><li>1. The smoke</li><li><a href="{URL}2/">2. The hose comes down</a></li></ul>',
    "titles": f'<ol><li>The smoke</li><li><a href="{URL}2/">The hose comes down</a></li></ol>',
    "relative": '<p>Pages: 1 <a href="2/">2</a></p>',
    "without a slash": '<p>Pages: 1 <a href="/news/uk/breaking/the-mill-fire/2">2</a></p>',
    "a folder": f'<p>Pages: 1 <a href="{URL}page/2/">2</a></p>',
    "a name": f'<p>Pages: 1 <a href="{URL}page-2/">2</a></p>',
    "a parameter": f'<p>Pages: 1 <a href="{URL}?page=2">2</a></p>',
}


@pytest.mark.parametrize("line", LINES)
def test_a_first_page_names_the_next_and_its_line_is_no_text(line: str) -> None:
    found = reading(LINES[line])
    assert found.paging is not None
    assert (found.paging.number, found.paging.first, found.paging.last) == (1, URL, 2)
    assert body(found) == "\n\n".join(SENTENCES)


FURTHER = {
    "core": {"line": f'<p>Pages: <a href="{URL}">1</a> 2 <a href="{URL}3/">3</a></p>'},
    "core's classes": {"tokens": f"{SINGLE} paged-2 single-paged-2"},
    "no WordPress": {"line": f'<p>Pages: <a href="{URL}">1</a> 2</p>', "tokens": ""},
    "back": {"line": f'<p><a href="{URL}">Back to page 1</a></p>'},
    "the canonical link": {"canonical": URL},
    "a link in the head": {"head": f'<link rel="prev" href="{URL}">'},
    "titles": {
        "line": f'<ol><li><a href="{URL}">Smoke</a></li><li>Hose</li><li><a href="{URL}3/">Swans</a></li></ol>'
    },
}


@pytest.mark.parametrize("way", FURTHER)
def test_a_further_page_says_which_it_is(way: str) -> None:
    found = reading(url=f"{URL}2/", **FURTHER[way])
    assert found.paging is not None
    assert (found.paging.number, found.paging.first) == (2, URL)
    assert body(found) == "\n\n".join(SENTENCES)


def test_a_page_asked_for_by_its_shortlink_knows_its_pages() -> None:
    found = reading(LINES["core"], url=f"{SITE}/?p=7", canonical=URL)
    assert found.paging is not None
    assert (found.paging.number, found.paging.others) == (1, ((2, f"{URL}2/"),))


@pytest.mark.parametrize("whole", [f"{URL}?all=1", f"{URL}all/"])
def test_the_page_that_shows_all_is_named(whole: str) -> None:
    found = reading(f'<p>Pages: 1 <a href="{URL}2/">2</a> | <a href="{whole}">View all</a></p>')
    assert found.paging is not None
    assert found.paging.whole == whole
    assert body(found) == "\n\n".join(SENTENCES)


def neighbours(folder: str, number: int, *labels: str) -> str:
    links = zip((number - 1, number + 1), ("prev", "next"), labels, strict=True)
    return (
        "<nav>"
        + "".join(f'<a rel="{rel}" href="{folder}{n}/">{label}</a>' for n, rel, label in links)
        + "</nav>"
    )


def test_a_heading_that_ends_a_page_is_the_storys_where_a_page_goes_on() -> None:
    """Its text stands on the next page; on a last page nothing follows that it could head."""
    heading = "<h3>What the fire cost</h3>"
    assert body(reading(heading + LINES["core"])).endswith("What the fire cost")
    assert body(reading(heading + FURTHER["core"]["line"], url=f"{URL}2/")).endswith("What the fire cost")
    assert body(reading(heading + f'<p>Pages: <a href="{URL}">1</a> 2</p>', url=f"{URL}2/")) == body(
        reading()
    )


OTHERS = {
    "the next story": {"after": f'<nav><a rel="next" href="{SITE}/news/uk/breaking/another/">Next</a></nav>'},
    "comments": {"after": f'<nav><a href="{URL}comment-page-2/#comments">2</a></nav>'},
    "a list of stories": {"after": f'<nav><a href="{SITE}/page/2/">2</a></nav>'},
    "a story below it": {"after": f'<p><a href="{URL}20/">20 drivers were stuck overnight</a></p>'},
    "a story's own number": {"url": f"{ROAD}12/", "after": neighbours(ROAD, 12, "Crash at junction 11", "Junction 13 shut")},
    "breadcrumbs": {"url": f"{ROAD}12/", "after": f'<ol><li><a href="{ROAD}">M25</a></li><li>Crash</li></ol>'},
    "numbers of posts": {
        "url": f"{SITE}/archives/12/", "tokens": "single single-post postid-12",
        "after": neighbours(f"{SITE}/archives/", 12, "Previous", "Next"),
    },
    "a year": {"url": f"{SITE}/news/uk/the-floods/2020/", "after": f'<a href="{SITE}/news/uk/the-floods/">Floods</a>'},
}  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_other_links_and_numbers_make_no_pages(other: str) -> None:
    assert reading(**OTHERS[other]).paging is None


def test_a_sentence_that_leads_to_another_page_stays() -> None:
    sentence = "Turn to page 2 for the story of the crews and the long night they had."
    found = reading(f'<p>{sentence.replace("page 2", f"""<a href="{URL}2/">page 2</a>""")}</p>')
    assert found.paging is not None
    assert body(found).endswith(sentence)
