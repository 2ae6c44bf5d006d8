"""Headline, dates, people, section, tags and standfirst: as the page says, wherever and however it says it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import lxml.html
import pytest
from theme_shapes import PARTS, SHAPES

from uknip_crawler.extraction import read
from uknip_crawler.extraction.metadata.authors import split_byline, split_names
from uknip_crawler.extraction.metadata.dates import iso_text
from uknip_crawler.extraction.metadata.listed import with_listed
from uknip_crawler.extraction.page import text_of
from uknip_crawler.models import Article, Capture, Finding
from uknip_crawler.sites import load_site

FETCHED = datetime(2026, 3, 20, 9, tzinfo=UTC)
SITE = load_site("https://observer.example/")
URL = "https://observer.example/waterways/lock-keeper-finds-brass-bell-in-the-mud/"
TITLE = "Lock keeper finds brass bell in the mud"
TEXT = PARTS["TEXT"]


def article_of(body: str, head: str = "", url: str = URL) -> Article:
    page = (
        f"<!doctype html><html lang=en><head><title>{TITLE} - Withy Observer</title>{head}</head>"
        f"<body class='single single-post postid-77'>{body}</body></html>"
    )
    capture = Capture(url, 200, (("Content-Type", "text/html; charset=UTF-8"),), page.encode(), FETCHED)
    article = read(capture, SITE, expected_article=True).article
    assert article is not None
    return article


def story(above: str = "", below: str = "", h1: str = TITLE) -> str:
    """Return a plain page: what stands above the text, and what below it."""
    return f"{PARTS['MENU']}<main><article><h1>{h1}</h1>{above}{TEXT}{below}</article></main>"


def script(*values: object) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(value)}</script>' for value in values)


def posting(**fields: object) -> dict[str, object]:
    return {"@type": "NewsArticle", "headline": TITLE, "url": URL, **fields}


# Where themes print what


@pytest.mark.parametrize("name", SHAPES)
def test_a_story_is_read_in_the_shape_of_every_theme(name: str) -> None:
    """Author, section, tags and date are the story's: not the menu's, the sidebar's, a card's or the crumbs'."""
    shape = SHAPES[name]
    body = shape.body.replace("TITLE", TITLE)
    for part in PARTS:
        body = body.replace(part, PARTS[part])
    article = article_of(body)
    assert article.headline == TITLE
    assert (article.section, article.authors, article.tags) == (shape.section, shape.authors, shape.tags)
    assert iso_text(article.published_at) == shape.published
    for field in ("section", "authors", "published_at"):
        value = getattr(article, field)
        assert bool(value) == any(f.field == field and f.value for f in article.evidence)


# Headline


@pytest.mark.parametrize(
    "markup",
    [
        "<h1>Lock keeper finds<br>brass bell in the mud</h1>",
        "<h1><div>Lock keeper finds</div><div>brass bell in the mud</div></h1>",
        "<h1><span>Lock keeper finds</span><span>brass bell in the mud</span></h1>",
        "<h1>L<small>ock</small> keeper finds brass bell in the mud</h1>",
        "<h1><style>h1 {color: red}</style>Lock keeper finds brass bell in the mud</h1>",
        "<td><p>Lock keeper finds</p><p>brass bell in the mud</p></td>",
    ],
)
def test_words_that_the_page_sets_apart_are_not_glued(markup: str) -> None:
    """By a line break, a block or a label; a letter in its own element stays part of its word."""
    assert text_of(lxml.html.fragment_fromstring(markup)) == TITLE


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p><span>Live</span>Flood in Withy</p>", "Live Flood in Withy"),
        ("<p>CO<sub>2</sub> and <b>W</b>ord</p>", "CO2 and Word"),
        (
            "<p>i<span>Phone</span>, <span>Mc</span>Donald, 10<span>,500</span></p>",
            "iPhone, McDonald, 10,500",
        ),
        ("<p>Fire<wbr>fighters under<em>stand</em></p>", "Firefighters understand"),
    ],
)
def test_labels_part_words_only_where_a_reader_sees_two(markup: str, words: str) -> None:
    assert text_of(lxml.html.fragment_fromstring(markup)) == words


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>Blog</h1><main><article><h2>{TITLE}</h2>{TEXT}</article></main>",
        f"<h1>Latest from the towpath</h1><main><article><div class=ttl>{TITLE}</div>{TEXT}</article></main>",
        f"<section><h1><a href='/x/'>Ferry sells its last ticket</a></h1></section><main><h2>{TITLE}</h2>{TEXT}</main>",
        f"<section><h1>Ferry sells its last ticket</h1></section><main><article><h1>{TITLE}</h1>{TEXT}</article></main>",
        f"<h1 class=logo><a href='/'>Withy Observer</a></h1><main><article><h3>{TITLE}</h3>{TEXT}</article></main>",
    ],
)
def test_an_h1_that_nothing_supports_is_no_headline(body: str) -> None:
    """The blog's name, another story's headline, the logo: the title and the heading that agrees with it win."""
    assert article_of(body).headline == TITLE


@pytest.mark.parametrize(
    ("evidence", "headline"),
    [
        ((Finding("headline", "markup", "Blog", "Blog"),), "Bell found in mud"),
        ((), "Bell found in mud"),
        (
            (
                Finding("headline", "markup", "Blog", "Blog"),
                Finding("headline", "meta", "Blog – UKNIP", "Blog"),
            ),
            "Blog",
        ),
    ],
)
def test_the_site_s_list_names_a_story_whose_page_does_not(
    evidence: tuple[Finding, ...], headline: str
) -> None:
    """What a second place on the page says as well stands; the list's word is evidence either way."""
    said = Finding("headline", "rest", "Bell found in mud", "Bell found in mud")
    result = with_listed(Article(URL, "Blog", (), evidence=evidence), [said], FETCHED)
    assert result.headline == headline
    assert set(result.evidence) == {said, *evidence}


# Dates


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("article:published_time", "2025-05-09T07:30:00.0000000Z"),
        ("article:published_time", "1746775800000"),
        ("DC.date.issued", "2025-05-09T08:30:00+01:00"),
        ("dcterms.issued", "2025-05-09 09:30:00 +0200"),
        ("sailthru.date", "Fri, 09 May 2025 07:30:00 GMT"),
        ("parsely-pub-date", "2025-05-09T07:30:00Z"),
        ("pubdate", "20250509T073000Z"),
        ("date", "Fri May 09 2025 08:30:00 GMT+0100 (British Summer Time)"),
        ("publish-date", "2025-05-09 03:30 EDT"),
    ],
)
def test_a_date_in_the_head_is_read_under_every_name(name: str, content: str) -> None:
    assert iso_text(article_of(story(), f'<meta name="{name}" content="{content}">').published_at) == (
        "2025-05-09T07:30:00Z"
    )


MARKED = [
    "<span itemprop=datePublished content='2025-05-09T08:30:00+01:00'>Friday</span>",
    "<meta itemprop=datePublished content='2025-05-09T08:30:00+01:00'>",
    "<span itemprop=datePublished>9 May 2025 08:30</span>",
    "<abbr class=published title='2025-05-09T08:30:00+01:00'>9 May</abbr>",
    "<time pubdate datetime='2025-05-09T08:30:00+01:00'>9 May</time><time datetime='2025-05-10'>10 May</time>",
    "<time datetime='2025-05-09T08:30:00+01:00'>9 May</time>",
    (
        "<div itemscope itemtype='https://schema.org/NewsArticle'><meta itemprop=dateCreated content='2025-05-01'>"
        "<meta itemprop=datePublished content='2025-05-09T08:30:00+01:00'></div>"
    ),
]


@pytest.mark.parametrize("mark", MARKED)
def test_a_date_marked_in_the_page_is_read_above_and_below_the_story(mark: str) -> None:
    """Microdata, hAtom, `pubdate`, a plain `time`; below the story in its own footer."""
    for page in (story(mark), story(below=f"<footer>{mark}</footer>")):
        assert iso_text(article_of(page).published_at) == "2025-05-09T07:30:00Z"


@pytest.mark.parametrize(
    "page",
    [
        story(
            below="<p>On <time datetime='2023-05-02'>2 May</time> the boat came up from the quarry in thick fog.</p>"
        ),
        "<header><time datetime='2026-03-20T09:00:00Z'>Friday, 20 March 2026</time></header>" + story(),
        story("<time>3 hours ago</time>"),
        story(
            below="<ol class=comment-list><li><b class=fn>Jo Troll</b><time datetime='2026-02-01'>1 Feb</time></li></ol>"
        ),
        story(
            below="<blockquote><p>Fog.</p><time datetime='2023-05-02T10:00:00Z'>2 May 2023</time></blockquote>"
        ),
        story(below=PARTS["CARDS"]) + PARTS["SIDE"],
    ],
)
def test_a_date_that_is_not_the_story_s_is_no_date(page: str) -> None:
    """In a sentence, in the site's header, in a comment, a quoted post, a card or the sidebar."""
    article = article_of(page)
    assert article.published_at is None
    assert article.authors == ()


def test_the_day_a_page_was_made_counts_only_where_nothing_says_when_it_was_published() -> None:
    made = script(posting(dateCreated="2025-05-09T07:30:00Z"))
    assert iso_text(article_of(story(), made).published_at) == "2025-05-09T07:30:00Z"
    article = article_of(story("<p>Published: 10 May 2025 09:00</p>"), made)
    assert iso_text(article.published_at) == "2025-05-10T08:00:00Z"


UPDATES = [
    {"@type": "BlogPosting", "headline": words, "url": f"{URL}#{hour}", "datePublished": f"2025-05-09T{hour}:00:00Z",
     "author": {"@type": "Person", "name": "Tom Reed"}}
    for hour, words in (("11", "Bell is clean"), ("10", "Divers arrive"))
]  # fmt: skip
LIVE = {
    "@type": "LiveBlogPosting", "headline": TITLE, "datePublished": "2025-05-09T07:30:00Z",
    "dateModified": "2025-05-09T11:00:00Z", "author": [{"@type": "Person", "name": "Ann Lee"}],
}  # fmt: skip


@pytest.mark.parametrize(
    "head",
    [
        script({**LIVE, "url": URL, "liveBlogUpdate": UPDATES}),
        script([*UPDATES, {**LIVE, "url": URL}]),
        script({"@graph": [*UPDATES, LIVE]}),
        script(UPDATES[0], {**LIVE, "url": URL}),
    ],
)
def test_a_live_blog_s_dates_and_authors_are_its_own(head: str) -> None:
    """Wherever its updates stand in the data."""
    article = article_of(story(), head)
    assert (article.headline, article.authors) == (TITLE, ("Ann Lee",))
    assert iso_text(article.published_at) == "2025-05-09T07:30:00Z"
    assert iso_text(article.modified_at) == "2025-05-09T11:00:00Z"


@pytest.mark.parametrize(
    "update",
    [
        "<article><time class=published datetime='2025-05-09T1{n}:00:00Z'>x</time><h2>{n}</h2><span class=author>Tom Reed</span>",
        (
            "<div itemprop=liveBlogUpdate itemscope itemtype='https://schema.org/BlogPosting'><span itemprop=author>Tom Reed</span>"
            "<time itemprop=datePublished datetime='2025-05-09T1{n}:00:00Z'>x</time>"
        ),
        "<div class=piece-{n}><h2>{n}</h2><p>Posted: 1{n}:40, 9 May 2025</p><p>By Tom Reed</p>",
    ],
)
def test_an_update_in_the_page_dates_no_live_blog(update: str) -> None:
    updates = "".join(
        update.replace("{n}", n) + f"{TEXT}</{update[1:].split()[0].split('>')[0]}>" for n in "10"
    )
    article = article_of(story("<p>By Ann Lee</p>", updates))
    assert (article.published_at, article.modified_at, article.authors) == (None, None, ("Ann Lee",))


# Broken structured data

WHOLE = json.dumps(
    posting(
        datePublished="2025-05-09T07:30:00Z",
        articleSection="Waterways",
        keywords=["Canals"],
        author="Ann Lee",
    )
)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.replace('"url"', '"description": "He said "never again" and left", "url"'),
        WHOLE.replace("brass bell", '"brass" bell'),
        WHOLE.replace("finds brass", "finds\n\tbrass"),
        WHOLE.replace('"', "'"),
        WHOLE[:-1],
        WHOLE.replace('["Canals"]', '["Canals"'),
        WHOLE.replace("]", ",],").replace(",],,", ",],"),
        WHOLE.replace(', "url"', ' "url"'),
        WHOLE.replace('"url"', '// the address\n"url"'),
        WHOLE.replace('"', "&quot;"),
        f"<!-- {WHOLE} -->",
        f"//<![CDATA[\n{WHOLE}\n//]]>",
        f"/*<![CDATA[*/{WHOLE}/*]]>*/",
        f'{{"@type": "Organization", "name": "X"}}\n{WHOLE};',
    ],
)
def test_broken_structured_data_gives_what_can_be_read_of_it(text: str) -> None:
    article = article_of(story(), f"<script type='application/ld+json'>{text}</script>")
    assert (article.headline, article.section, article.tags) == (TITLE, "Waterways", ("Canals",))
    assert (article.authors, iso_text(article.published_at)) == (("Ann Lee",), "2025-05-09T07:30:00Z")


def test_what_was_repaired_is_held_against_the_page() -> None:
    """A headline and a summary that the page does not have are not believed; the date is."""
    text = (
        '{"@type": "NewsArticle", "headline": "Bell "found", "description": "He "says": it rang twice for him'
    )
    text += ' alone", "datePublished": "2025-05-09T07:30:00Z"}'
    article = article_of(story(), f"<script type='application/ld+json'>{text}</script>")
    assert [f.source for f in article.evidence if f.field == "headline"] == ["markup", "meta"]
    assert (article.standfirst, iso_text(article.published_at)) == (None, "2025-05-09T07:30:00Z")


@pytest.mark.parametrize("unit", ["true}{", '["a"', '"a" b "c" d', "\\u", "/*\n", '{"a":', ",[[", "&quot;"])
def test_hostile_structured_data_costs_little_and_still_gives_its_date(unit: str) -> None:
    """Five megabytes at once, and half that a repair would take minutes for."""
    start = '{"@type": "NewsArticle", "datePublished": "2025-05-09T07:30:00Z", "x": '
    for size in (4_500_000, 90_000):
        text = start + unit * (size // len(unit))
        before = time.process_time()
        article = article_of(story(), f"<script type='application/ld+json'>{text}</script>")
        assert time.process_time() - before < 4
        assert iso_text(article.published_at) == "2025-05-09T07:30:00Z"


# People


@pytest.mark.parametrize(
    ("printed", "people"),
    [
        ("Ann Lee and Jo Field", ["Ann Lee", "Jo Field"]),
        ("Ann Lee, Jo Field & Zoë O’Brien", ["Ann Lee", "Jo Field", "Zoë O’Brien"]),
        ("Ann Lee; Ludwig van der Berg", ["Ann Lee", "Ludwig van der Berg"]),
        ("Ann Lee Jr., J. P. Moor-Hall", ["Ann Lee Jr.", "J. P. Moor-Hall"]),
        ("Ann Lee, Political Editor", ["Ann Lee"]),
        ("Orla Finch & Co", ["Orla Finch & Co"]),
        ("Orla Finch, Jo Field & Sons", ["Orla Finch, Jo Field & Sons"]),
        ("Kent Police and Essex Police", ["Kent Police and Essex Police"]),
        ("Lee, Ann", ["Lee, Ann"]),
        ("Ann and Jo Field", ["Ann and Jo Field"]),
        ("Marks and Spencer", ["Marks and Spencer"]),
    ],
)
def test_two_names_in_one_string_are_two_people_and_a_firm_is_one(printed: str, people: list[str]) -> None:
    assert split_names(printed) == people
    assert article_of(story(), script(posting(author={"@type": "Person", "name": printed}))).authors == tuple(
        people
    )


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("Ann Lee in Fenwick", ["Ann Lee"]),
        ("Ann Lee, Crime Reporter, 3 May 2025", ["Ann Lee"]),
        ("Local Democracy Reporter Ann Lee", ["Ann Lee"]),
        ("ANN LEE (ann@observer.example) @annlee", ["ANN LEE"]),
        ("Ann Lee Updated: 3 May 2025", ["Ann Lee"]),
        ("Staff Reporter", []),
        ("Friday Morning", []),
        ("The Courier", []),
        ("the time crews came it was over", []),
    ],
)
def test_a_byline_names_people_and_nothing_else(byline: str, people: list[str]) -> None:
    assert split_byline(byline) == people
    assert article_of(story(f"<div class=x>By {byline}</div>")).authors == tuple(people)


@pytest.mark.parametrize(
    "name",
    [
        "ann@observer.example",
        "https://observer.example/author/ann",
        "@annlee",
        "ann_lee",
        "annlee99",
        "Withy Observer",
    ],
)
def test_an_account_or_the_paper_itself_gives_way_to_a_printed_byline(name: str) -> None:
    """Both stay as evidence."""
    for head in (
        script(posting(author={"@type": "Person", "name": name})),
        f"<meta name=author content='{name}'>",
    ):
        article = article_of(story("<p>By Ann Lee</p>"), head)
        assert article.authors == ("Ann Lee",)
        assert name in [finding.raw for finding in article.evidence if finding.field == "authors"]


def test_names_on_lines_of_their_own_are_several_people() -> None:
    linked = (
        "<div class=byline>By <a href='/author/ann/'>Ann Lee</a><br><a href='/author/jo/'>Jo Field</a></div>"
    )
    for byline in (linked, "<div class=byline>Ann Lee<br>Jo Field</div>"):
        assert article_of(story(byline)).authors == ("Ann Lee", "Jo Field")


# Standfirst


@pytest.mark.parametrize(
    "summary",
    [
        "A lock keeper who was raking weed out of Withy Basin on Thursday pulled up a bra",
        "A lock keeper who was raking weed out of Withy Basin on Thursday pulled up a brass ship's bell. It carries […]",
        "A lock keeper who was raking weed out of Withy Basin on Thursday... Read More »",
        f"A lock keeper who was raking weed out of Withy Basin … {TITLE} Read More »",
        f"{TITLE} A lock keeper who was raking weed out of",
        "2 min readA lock keeper who was raking weed out of Withy Basin on Thursday pulled up a brass",
        (
            "Canals Withy A lock keeper who was raking weed out of Withy Basin on Thursday pulled up a brass ship's bell. ShareIt"
            " carries the name of a narrowboat that sank there"
        ),
        "&amp;lt;p&amp;gt;A lock keeper who was raking weed out of Withy Basin on Thursday&amp;lt;/p&amp;gt;",
    ],
)
def test_an_excerpt_is_no_standfirst(summary: str) -> None:
    """However it is cut, and whatever a plugin has glued to it."""
    assert article_of(story(), f'<meta property="og:description" content="{summary}">').standfirst is None


@pytest.mark.parametrize(
    "summary",
    [
        "Museum hopes that a grandchild of the drowned crew will come forward",
        "&lt;p&gt;Museum hopes that a grandchild of the drowned crew will come forward&lt;/p&gt;",
        "Museum hopes that a grandchild of the drowned crew will come forward Read More »",
        "Reading Time: 2 minutesMuseum hopes that a grandchild of the drowned crew will come forward",
    ],
)
def test_a_standfirst_of_its_own_words_stands_without_what_plugins_add(summary: str) -> None:
    article = article_of(story(), f'<meta property="og:description" content="{summary}">')
    assert article.standfirst == "Museum hopes that a grandchild of the drowned crew will come forward"


def test_tags_beside_a_story_whose_headline_stands_apart() -> None:
    """The headline in a banner across the page; the tags in a strip beside the story's own element."""
    banner = f"<div class='banner'><h1>{TITLE}</h1></div>"
    strip = "<div class='strip'><a rel='tag' href='/tag/locks/'>Locks</a></div>"
    own = f"<article id='post-77' class='post type-post'><div class='entry'>{TEXT}</div></article>"
    assert article_of(f"{banner}<div class='page'><div class='row'>{strip}{own}</div></div>").tags == (
        "Locks",
    )
