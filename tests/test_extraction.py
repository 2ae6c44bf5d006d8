"""Reading never raises and never stalls, and says so where a page could not be read in full."""

from __future__ import annotations

import gc
import json
import time
from datetime import UTC, date, datetime

import pytest

from uknip_crawler.extraction import read
from uknip_crawler.extraction.body.cleaning import without_token
from uknip_crawler.extraction.body.images import credit_line, is_junk, split_credit, stem
from uknip_crawler.extraction.metadata.headline import split_kicker, without_suffix
from uknip_crawler.extraction.page.charset import decode_text
from uknip_crawler.models import BlockKind, Capture, Outcome, Reading
from uknip_crawler.sites import load_site

SITE = load_site()
URL = "https://uknip.co.uk/news/uk/breaking/weir-repaired/"
STORY = "<p>The weir at Dunmere has been repaired after two winters of leaks and one of floods.</p>"


def reading_of(html: str | bytes, url: str = URL, content_type: str = "text/html; charset=utf-8") -> Reading:
    body = html if isinstance(html, bytes) else html.encode("utf-8", "surrogatepass")
    return read(
        Capture(url, 200, (("Content-Type", content_type),), body, datetime(2026, 3, 1, tzinfo=UTC)), SITE
    )


def page(body: str = STORY, head: str = "") -> str:
    return (
        f"<html><head><title>Weir repaired - UKNIP</title>{head}</head><body class='single single-post postid-4'>"
        f"<article><h1>Weir repaired</h1><div class='entry-content'>{body}</div></article></body></html>"
    )


def paragraphs(html: str) -> list[str]:
    article = reading_of(html).article
    assert article is not None
    return [block.text for block in article.blocks]


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    "html", ["<svg>html", "", " ", "<", "<!--", "\0\0\0", "<html></html>", "<p>", "\x1a"]
)
def test_a_page_without_text_is_an_extract_error(html: str) -> None:
    """Nothing to read is a failure with a name, not a crash and not an article."""
    reading = reading_of(html)
    assert (reading.outcome, reading.article) == (Outcome.EXTRACT_ERROR, None)
    assert reading.reason


@pytest.mark.fault("X14")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"%PDF-1.7 \x00", "text/html"), (b"{}", "application/json"), (b"<rss/>", "application/rss+xml")],
)
def test_what_is_no_html_is_no_article(body: bytes, content_type: str) -> None:
    """A feed, a file and a PDF that claims to be a page are refused as not HTML."""
    reading = reading_of(body, content_type=content_type)
    assert (reading.outcome, reading.reason) == (Outcome.NOT_ARTICLE, "not_html")


@pytest.mark.fault("X13", "X16")
@pytest.mark.parametrize(
    "html",
    [
        page("".join("<p>ab</p>" for _ in range(125_000))),
        page(f"<p>{'word ' * 2_200_000}</p>"),
        page(f"<p title='{'x' * 10_000_000}'>a</p>{STORY}"),
        page(f"<p {' '.join(f'a{n}=1' for n in range(100_000))}>a</p>{STORY}"),
        page("<div>" * 3000 + STORY + "</div>" * 3000),
        page("<b>" * 40_000 + STORY),
        page("<p>[gallery " * 40_000),
        page(
            "<table>" + "<tr><td colspan=99999999>x</td><td rowspan=99999999>y</td></tr>" * 500 + "</table>"
        ),
        page("<a href='/news/uk/breaking/x/'><h3>A story</h3></a><p>Cut at the end of it...</p>" * 5_000),
    ],
    ids=[
        "paragraphs",
        "text",
        "attribute",
        "attributes",
        "nesting",
        "unclosed",
        "shortcodes",
        "table",
        "cards",
    ],
)
def test_a_hostile_page_costs_little(html: str) -> None:
    """Whatever its shape, a page is read or refused in seconds, and no cut page passes for a whole one."""
    gc.freeze()  # what other tests of this process left is no worker's to look through
    try:
        started = time.process_time()
        reading = reading_of(html)
        assert time.process_time() - started < 5
    finally:
        gc.unfreeze()
    assert reading.article is not None or reading.outcome is Outcome.EXTRACT_ERROR
    if "Dunmere" in html and reading.article is not None and "Dunmere" not in reading.article.body:
        assert "truncated_parse" in reading.flags


@pytest.mark.fault("X03")
@pytest.mark.parametrize("depth", [200, 250, 300, 2500])
def test_deep_nesting_is_read_or_flagged(depth: int) -> None:
    """The last paragraph is there, or the reading says that the parse was cut."""
    reading = reading_of(
        page("<div>" * depth + "<p>The deep end.</p>" + "</div>" * depth + "<p>ENDMARKER here.</p>")
    )
    article = reading.article
    assert "truncated_parse" in reading.flags or (article is not None and "ENDMARKER" in article.body)


@pytest.mark.fault("X10")
def test_an_unclosed_comment_is_flagged() -> None:
    """A comment that never ends hides the rest of the page; the reading says so."""
    assert "truncated_parse" in reading_of(page(f"{STORY}<!-- and the rest {STORY}")).flags


@pytest.mark.fault("X09")
def test_repeated_paragraphs_stay_and_are_flagged() -> None:
    """The same paragraph twice is what the page prints: kept, and named as a doubt."""
    reading = reading_of(page(STORY * 2))
    assert reading.article is not None
    assert len(reading.article.blocks) == 2
    assert "repeated_paragraphs" in reading.flags


@pytest.mark.fault("X02")
@pytest.mark.parametrize(
    "base", ["http://[bad", "javascript:alert(1)", "http://[::1", "\x00", "http://a:b@c:d/"]
)
def test_a_hostile_base_is_survived(base: str) -> None:
    """A base address that is none leaves links relative to the page."""
    reading = reading_of(page(f"{STORY}<p><a href='next/'>Next</a> one.</p>", f"<base href='{base}'>"))
    assert reading.article is not None
    assert f"{URL}next/" in reading.links


def test_links_are_capped_and_absolute() -> None:
    """Five thousand links are enough of any page; scripts and mail are no links."""
    anchors = "".join(f"<a href='/a/{n}/'>x</a>" for n in range(6_000))
    links = reading_of(
        page(f"{STORY}<a href='javascript:x()'>x</a><a href='mailto:a@b.c'>x</a>{anchors}")
    ).links
    assert len(links) == 5_000
    assert links[0] == "https://uknip.co.uk/a/0/"


@pytest.mark.fault("X04", "X05")
def test_controls_nul_and_broken_bytes_leave_the_text_clean() -> None:
    """Controls go, bytes that are no UTF-8 become U+FFFD, and what follows is still there."""
    html = page("<p>Ciar\u00e1n\x00 was\x01 at \u201chome\u201d \u2014 BROKEN. ENDMARKER&#1;</p>").encode()
    article = reading_of(html.replace(b"BROKEN", b"x\xffy")).article
    assert article is not None
    assert article.body == "Ciarán was at “home” — x\ufffdy. ENDMARKER"


@pytest.mark.fault("X06", "X07")
@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("café".encode(), "iso-8859-1", "café"),
        ("café".encode("cp1252"), "utf-8", "café"),
        ("“x”".encode("cp1252"), "iso-8859-1", "“x”"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "cp1252", "café"),
        (b"\xff\xfe" + "café".encode("utf-16-le"), "utf-8", "café"),
        ("žluť".encode("iso-8859-2"), "iso-8859-2", "žluť"),
        (b"caf\xe9", "punycode", "café"),
        (b"caf\xe9", "no-such-charset", "café"),
    ],
)
def test_a_lie_about_the_charset_does_no_harm(data: bytes, label: str, text: str) -> None:
    """The byte order mark rules, then valid UTF-8, then the label, then Windows-1252."""
    assert decode_text(data, f"text/html; charset={label}")[0] == text


@pytest.mark.fault("X12")
@pytest.mark.parametrize(
    "node",
    [
        {
            "@type": ["NewsArticle", 7],
            "headline": 7,
            "author": [[{"name": ["x"]}]],
            "datePublished": {"a": 1},
        },
        {"@type": "NewsArticle", "headline": None, "image": [[None]], "keywords": 3, "articleSection": {}},
        {"@type": "NewsArticle", "headline": "\ud800 Weir repaired", "author": "\u0000"},
        [[[[]]]],
        "text",
    ],
)
def test_json_ld_of_wrong_types_is_survived(node: object) -> None:
    """Structured data of any shape costs no article."""
    head = f'<script type="application/ld+json">{json.dumps(node)}</script>'
    article = reading_of(page(head=head)).article
    assert article is not None
    assert article.headline == "Weir repaired"
    assert article.body.startswith("The weir at Dunmere")


def test_deeply_nested_json_ld_is_survived() -> None:
    """A hundred thousand brackets are no structured data."""
    assert reading_of(page(head=f'<script type="application/ld+json">{"[" * 100_000}</script>')).article


@pytest.mark.fault("X08")
def test_an_unreadable_date_is_unknown_and_its_text_kept() -> None:
    """A zero date gives no date; the address's day is taken only where the address has one."""
    head = '<meta property="article:published_time" content="0000-00-00T00:00:00+00:00">'
    article = reading_of(page(head=head)).article
    assert article is not None
    assert (article.published_at, article.published_raw) == (None, "0000-00-00T00:00:00+00:00")
    dated = reading_of(page(head=head), "https://uknip.co.uk/2024/07/01/weir-repaired/").article
    assert dated is not None
    assert dated.published_at == date(2024, 7, 1)


def test_the_canonical_address_is_the_article_own() -> None:
    """A canonical link to the same site is taken, one to a foreign host or to the home page is not."""
    other = "https://uknip.co.uk/news/uk/uk-news/weir-repaired/"
    for address, expected in (
        (other, other),
        ("https://evil.example/x/", URL),
        ("https://uknip.co.uk/", URL),
    ):
        article = reading_of(page(head=f'<link rel="canonical" href="{address}">')).article
        assert article is not None
        assert article.url == expected


def test_police_phrases_stay() -> None:
    """What recurs in many stories and belongs to each of them is kept word for word."""
    lines = [
        "More to follow",
        "Kent Police have been approached for comment",
        "Anyone with information is asked to call 101",
        "Call Crimestoppers on 0800 555 111",
        "More from the court on Monday.",
        "Follow the solid square diversion",
    ]
    assert paragraphs(page(STORY + "".join(f"<p>{line}</p>" for line in lines)))[1:] == lines


def test_a_tail_marker_inside_a_sentence_cuts_nothing() -> None:
    """Words that would end a body alone on their line end nothing inside a sentence."""
    line = "The most read book in Dunmere, the librarian said, is the one you might like least."
    assert paragraphs(page(f"{STORY}<p>{line}</p>"))[-1] == line


def test_the_only_line_of_a_story_stays_though_it_repeats_the_headline() -> None:
    """A story of one sentence that is also its headline is not emptied."""
    assert paragraphs(page("<p>Weir repaired.</p>")) == ["Weir repaired."]


def test_a_credit_line_goes_to_the_picture() -> None:
    """A last line that only credits the picture leaves the text."""
    article = reading_of(page(f"<img src='/i/beach.jpg'>{STORY}<p>Photo of beach credit Skyline</p>")).article
    assert article is not None
    assert [block.kind for block in article.blocks] == [BlockKind.IMAGE, BlockKind.PARAGRAPH]
    assert (article.images[0].caption, article.images[0].credit) == ("Photo of beach", "Skyline")


@pytest.mark.parametrize(
    ("caption", "parts"),
    [
        ("Two boats. Photo: Ann Lee", ("Two boats.", "Ann Lee")),
        ("Two boats (Picture: Ann Lee)", ("Two boats", "Ann Lee")),
        ("© Wold Museum", (None, "Wold Museum")),
        ("Credit: Skyline", (None, "Skyline")),
        ("Two boats at low tide", ("Two boats at low tide", None)),
        ("To their credit the crew stayed", ("To their credit the crew stayed", None)),
    ],
)
def test_caption_and_credit_are_told_apart(caption: str, parts: tuple[str | None, str | None]) -> None:
    """The credit is what a label or sign announces; the word alone announces nothing."""
    assert split_credit(caption) == parts


def test_a_sentence_is_no_credit_line() -> None:
    """A paragraph that speaks of pictures or of credit is story."""
    assert (
        credit_line("Police have released a photo of a man they want to speak to: he was seen on Monday")
        is None
    )
    assert credit_line("Residents deserve credit for acting quickly") is None


@pytest.mark.parametrize(
    ("name", "junk"),
    [
        ("wp-content/uploads/2024/01/logo-300x60.png", True),
        ("wp-content/uploads/2022/03/uknip-logo.png", True),
        ("wp-content/themes/old/blank.png", True),
        ("wp-content/uploads/1x1.gif", True),
        ("wp-content/uploads/2024/01/pixel-the-dog.jpg", False),
        ("wp-content/uploads/2024/01/blank-firing-pistol.jpg", False),
    ],
)
def test_a_decoration_is_no_picture_of_a_story(name: str, junk: bool) -> None:
    """A file that is nothing but a logo or placeholder is refused; a story's picture may speak of one."""
    assert is_junk(f"https://uknip.co.uk/{name}") is junk


def test_all_sizes_of_a_picture_are_one() -> None:
    """WordPress's size suffixes and the scheme make no other picture."""
    assert stem("https://uknip.co.uk/i/a-300x200.jpg?x=1") == stem("http://uknip.co.uk/i/a-scaled.jpg")


@pytest.mark.parametrize(
    ("printed", "headline", "kicker"),
    [
        ("KNIFE ATTACK Man in hospital after stabbing", "Man in hospital after stabbing", "KNIFE ATTACK"),
        ("UPDATED: M20 closed near Dunmere", "M20 closed near Dunmere", "UPDATED"),
        ("M20 closed near Dunmere", "M20 closed near Dunmere", None),
        ("MISSING teenager found safe in Dunmere", "MISSING teenager found safe in Dunmere", None),
        ("LIVE MUSIC RETURNS TO DUNMERE PIER", "LIVE MUSIC RETURNS TO DUNMERE PIER", None),
    ],
)
def test_a_kicker_is_told_from_a_headline_in_capitals(
    printed: str, headline: str, kicker: str | None
) -> None:
    """Known capitals before a headline that starts anew are its kicker; capitals in a sentence are not."""
    assert split_kicker(printed, [], SITE) == (headline, kicker)


def test_the_site_name_leaves_the_headline() -> None:
    """Every suffix goes, also two of them; the name inside a headline stays."""
    names = SITE.names
    assert without_suffix("Weir repaired – UKNIP", names) == "Weir repaired"
    assert without_suffix("Weir repaired | UKNIP - UK News in Pictures", names) == "Weir repaired"
    assert without_suffix("UKNIP reader finds ring", names) == "UKNIP reader finds ring"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the end.[block_2]The next", "the end. The next"),
        ("taken [block_4] to hospital", "taken to hospital"),
        ("precaution [block_5], police said", "precaution, police said"),
        ("[block_1]", ""),
        ("no [brackets] here", "no [brackets] here"),
    ],
)
def test_a_token_leaves_its_neighbours_whole(text: str, left: str) -> None:
    """Words on both sides of a token are neither eaten nor glued together."""
    assert without_token(text, SITE.furniture.tokens[0]) == left


def test_the_same_capture_reads_the_same() -> None:
    """A page read ten times gives ten equal readings: nothing is remembered between pages."""
    html = page(STORY * 3)
    assert len({repr(reading_of(html)) for _ in range(10)}) == 1


def test_a_story_is_more_than_its_longest_paragraph() -> None:
    """Nine words in ten stand in one paragraph; the lines before and after it are story too."""
    long = "The harbour board met for nine hours and heard from everybody who had asked to speak. " * 30
    html = (
        "<html><body><h1>Board meets</h1><div><p>The board has met.</p>"
        f"<p>{long}</p><p>It meets again on Monday.</p></div></body></html>"
    )
    article = reading_of(html.encode()).article
    assert article is not None
    assert article.body.startswith("The board has met.")
    assert article.body.endswith("It meets again on Monday.")
