"""What is no story is refused whatever its address, a story never for what stands beside it, and doubts are said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from single_pages import HEADLINE, OG, STORY, URL, content, page, paragraphs, reading_of

from uknip_crawler.extraction.body.blocks import read_blocks
from uknip_crawler.extraction.body.doubt import leaves_story_out
from uknip_crawler.extraction.page import parse
from uknip_crawler.models import DOUBTFUL_BODY, Outcome

OWN = {"@type": "NewsArticle", "headline": HEADLINE, "url": URL, "datePublished": "2026-02-03"}
CLOUDFLARE = "<script>a.src='/cdn-cgi/challenge-platform/h/g/scripts/jsd/main.js'</script>"
TEXT = f'<div class="text">{paragraphs()}</div>'
POSTS = "".join(
    f'<article class="post hentry"><h2><a href="/2026/02/0{n}/s{n}/">Story {n} of the week</a></h2>{paragraphs()}</article>'
    for n in (1, 2, 3)
)
EXCERPTS = "".join(
    f'<div class="row"><h3><a href="/s{n}/">Story {n}</a></h3><p>The vale has seen {n} frosts like this one since the county began to count them.</p></div>'
    for n in range(8)
)
REMARKS = "".join(
    f'<li class="comment"><p>I walked past that wall {n} times a day as a child, and it leaned even then, believe me.</p></li>'
    for n in range(20)
)
NOTICE = '<div id="cookie-notice"><p>We and our partners store small files on your device to measure how often pages are read.</p></div>'


def ld(*nodes: dict[str, Any]) -> str:
    return f'<script type="application/ld+json">{json.dumps(nodes)}</script>'


@pytest.mark.parametrize(
    "html",
    [
        page(TEXT, head=ld(OWN, {"@type": "CollectionPage", "url": "https://courier.example/lanes/"})),
        page(TEXT, head=ld({"@graph": [{"@type": ["WebPage", "CollectionPage"], "@id": URL}, OWN]})),
        page(TEXT, head=ld(OWN, {"@type": "ItemList"}, {"@type": "SearchResultsPage"})),
        page(TEXT, head=ld({"@type": "LiveBlogPosting", "headline": HEADLINE, "mainEntityOfPage": "/2026/02/03/orchard-wall/"})),
        page(TEXT, head=ld(OWN), body_class="page page--story"),
        page(TEXT, head=ld(OWN), body_class="archive blog home"),
        page(TEXT, head=OG, body_class="page"),
        page(TEXT, head=OG, body_class="blog"),
        page(TEXT, head=ld(OWN), after=CLOUDFLARE),
        page(TEXT, head=OG, after=CLOUDFLARE),
        page(TEXT + TEXT, head="", after=CLOUDFLARE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("expected", [True, False])
def test_a_story_of_this_address_is_read_whatever_stands_beside_it(html: str, expected: bool) -> None:
    """Its section, its list of links, a theme's class names and a guard's script make it nothing else."""
    article = reading_of(html, expected_article=expected).article
    assert article is not None
    assert all(text in article.body for text in STORY)


@pytest.mark.parametrize(
    ("html", "outcome"),
    [
        (page(POSTS, head="", body_class="archive category"), Outcome.NOT_ARTICLE),
        (page(POSTS, head=OG, body_class="home blog"), Outcome.NOT_ARTICLE),
        (page(TEXT, head=ld({"@type": "CollectionPage", "url": URL})), Outcome.NOT_ARTICLE),
        (page(TEXT, head=ld({"@type": "Article", "headline": HEADLINE, "url": URL}), body_class="page page-id-2"), Outcome.NOT_ARTICLE),
        (page(TEXT, head=ld(OWN), body_class="error404"), Outcome.SOFT_404),
        (page("<p>Checking your browser.</p>", head="<script>window._cf_chl_opt={}</script>"), Outcome.CHALLENGE),
    ],
)  # fmt: skip
def test_what_is_no_story_is_refused(html: str, outcome: Outcome) -> None:
    """Listings, WordPress's own pages, missing pages and challenges, also where something vouches for them."""
    reading = reading_of(html)
    assert (reading.outcome, reading.article) == (outcome, None)


def doubts(html: str, body: list[str]) -> bool:
    return leaves_story_out(read_blocks(parse(html.encode(), URL, "text/html")), body, frozenset())


@pytest.mark.parametrize("kept", [STORY[:4], STORY[2:], STORY[::2], STORY[:1]])
@pytest.mark.parametrize(
    "html",
    [
        content(paragraphs()),
        page(
            f'<div class="one">{paragraphs(*STORY[:3])}</div><div class="two">{paragraphs(*STORY[3:])}</div>'
        ),
        page("".join(f'<section><div class="u">{paragraphs(text)}</div></section>' for text in STORY)),
    ],
    ids=["one container", "two containers", "sections"],
)
def test_a_body_without_a_third_of_its_sentences_is_doubtful(html: str, kept: list[str]) -> None:
    """Wherever on the page the others stand."""
    assert doubts(html, kept)


@pytest.mark.parametrize(
    "beside",
    [f'<ol id="comments">{REMARKS}</ol>', f"<div>{EXCERPTS}</div>", NOTICE, f"<aside>{paragraphs(*STORY[:2])}</aside>".replace("wall", "gate")],
    ids=["remarks", "excerpts", "notice", "aside"],
)  # fmt: skip
def test_a_whole_body_is_not_doubted_for_what_stands_beside_it(beside: str) -> None:
    """Comments, excerpts of other stories, notices and boxes are no measure of a story."""
    reading = reading_of(page(TEXT, after=beside))
    assert reading.article is not None
    assert reading.article.body.split("\n\n") == STORY
    assert DOUBTFUL_BODY not in reading.flags


def test_what_is_known_to_be_furniture_raises_no_doubt() -> None:
    """A paragraph that the archive has learned to be a promotion is not missed."""
    html = content(paragraphs())
    page_blocks = read_blocks(parse(html.encode(), URL, "text/html"))
    assert not leaves_story_out(page_blocks, STORY[:3], frozenset(STORY[3:]))
