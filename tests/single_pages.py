"""One invented story, and pages of many makes around it."""

from __future__ import annotations

from datetime import UTC, datetime

from uknip_crawler.extraction import read
from uknip_crawler.models import Article, Capture, Reading
from uknip_crawler.sites import load_site

SITE = load_site("https://courier.example/")
URL = "https://courier.example/2026/02/03/orchard-wall/"
HEADLINE = "Orchard wall falls into the lane after a week of frost"
STORY = [
    "A brick wall that had stood around the manor orchard since 1790 fell into Pear Lane on Tuesday night.",
    "Nobody was passing at the time, and the only loss was a row of beehives that had been moved there in autumn.",
    "The frost had lifted the footings by a hand's breadth, according to the mason who was called to look at them.",
    "Pear Lane stays shut to cars until the bricks are cleared, while people on foot may use the churchyard path.",
    "The owner hopes to build the wall again with the old bricks, once the county's surveyor has agreed to the plan.",
    "A beekeeper from the next village took in the two swarms that were found alive under the fallen coping stones.",
]
OG = '<meta property="og:type" content="article"><meta property="article:published_time" content="2026-02-03T09:00:00Z">'


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts or STORY)


def page(article: str, *, head: str = OG, body_class: str = "site", after: str = "") -> str:
    return (
        f'<html lang="en"><head><title>{HEADLINE}</title><meta property="og:title" content="{HEADLINE}">{head}</head>'
        f'<body class="{body_class}"><main><article><h1>{HEADLINE}</h1>{article}</article></main>{after}</body></html>'
    )


def content(*parts: str) -> str:
    return page(f'<div class="entry-content">{"".join(parts)}</div>')


def reading_of(html: str, *, expected_article: bool = True) -> Reading:
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    capture = Capture(URL, 200, headers, html.encode(), datetime(2026, 2, 4, tzinfo=UTC))
    return read(capture, SITE, expected_article=expected_article)


def article_of(html: str) -> Article:
    article = reading_of(html).article
    assert article is not None
    return article


def lines_of(html: str) -> list[str]:
    return article_of(html).body.split("\n\n")


def within(inserted: str, at: int = 3) -> str:
    """Return a page with something put into the middle of its story."""
    return content(paragraphs(*STORY[:at]), inserted, paragraphs(*STORY[at:]) if at < len(STORY) else "")


def shown(html: str) -> list[tuple[str, str | None]]:
    """Return kind and text (an embed's address) of the blocks that are none of the story's own paragraphs."""
    found = [(block.kind.value, block.url or block.text) for block in article_of(html).blocks]
    assert [text for kind, text in found if text in STORY] == STORY
    return [row for row in found if row[1] not in STORY]
