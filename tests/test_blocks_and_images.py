"""Blocks keep the shape of a text, and pictures, players and captions what belongs to them."""

from __future__ import annotations

import pytest
from single_pages import STORY, article_of, content, page, paragraphs, shown, within

HERE = "https://courier.example"
BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP"
FILM = "https://www.youtube.com/watch?v=abcdefghijk"


@pytest.mark.parametrize(
    ("markup", "blocks"),
    [
        ("<ul><li>One<ul><li>one a</li></ul>after</li><li>Two<br>more</li></ul>", ["One", "one a", "after", "Two more"]),
        ("<dl><dt>When</dt><dd>Tuesday</dd></dl>", ["When", "Tuesday"]),
        ("<details><summary>Which path?</summary><p>The churchyard’s.</p></details>", ["Which path?", "The churchyard’s."]),
        ("<pre>The wall is down,<br>the bees are out,\n\nthe lane is shut</pre>", ["The wall is down,\nthe bees are out,", "the lane is shut"]),
        ("<blockquote><p>It held till now.</p><footer>— Ann Lee</footer></blockquote>", ["It held till now.", "— Ann Lee"]),
        ("<figure><blockquote>It held.</blockquote><figcaption>Ann Lee</figcaption></figure>", ["It held.", "Ann Lee"]),
        ('<aside class="pull-quote"><p>It held till now.</p></aside>', ["It held till now."]),
        ("<p>T<small>HE MANOR</small> of <span class='drop-cap'>P</span>ear.</p>", ["THE MANOR of Pear."]),
        ('<p>Thanks to all <img alt="🐝" src="/emoji/1f41d.png"> at the manor.</p>', ["Thanks to all 🐝 at the manor."]),
        ("<p>It was 10<sup>2</sup> feet and the 1<sup>st</sup> to go.</p>", ["It was 102 feet and the 1st to go."]),
        ("<table><tr><td>Pear Lane shut</td></tr><tr><td>Plum Lane open</td></tr></table>", ["Pear Lane shut", "Plum Lane open"]),
        ("<table><caption>Bricks</caption><tr><td>Old</td><td>New</td></tr></table>", ["Bricks\nOld | New"]),
        ("<figure><table><tr><td>Old</td><td>New</td></tr></table><figcaption>Bricks</figcaption></figure>", ["Old | New\nBricks"]),
        ("<figure><figcaption>Bricks</figcaption><table><tr><td>Old</td><td>New</td></tr></table></figure>", ["Bricks\nOld | New"]),
    ],
)  # fmt: skip
def test_a_block_keeps_its_shape(markup: str, blocks: list[str]) -> None:
    """Order, line breaks, speakers and captions stay with the text they belong to."""
    assert [text for _, text in shown(within(markup))] == blocks


@pytest.mark.parametrize(
    "mark",
    [
        '<sup><a href="#n1">1</a></sup>',
        '<a href="#fn1"><sup>[1]</sup></a>',
        "<sup>1</sup>",
        '<a class="footnote-ref" href="#fn:1">[1]</a>',
        '<span class="sr-only">opens a note</span>',
        '<span class="u-visually-hidden">opens a note</span>',
        '<span style="position:absolute; left:-9999px">note</span>',
        '<span style="clip:rect(0 0 0 0);height:1px;overflow:hidden;position:absolute">note</span>',
        '<i class="icon" aria-hidden="true">open_in_new</i>',
        "<span hidden>note</span>",
    ],
)
def test_marks_and_unseen_words_do_not_stick_to_a_sentence(mark: str) -> None:
    """What points to a note, and what only a screen reader says, is no text."""
    assert shown(content(paragraphs(*STORY[:2]), f"<p>{STORY[2]}{mark}</p>", paragraphs(*STORY[3:]))) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("desktop-only", "mobile-only"), ("d-none d-md-block", "d-md-none"), ("hidden-xs", "visible-xs"), ("hidden md:block", "md:hidden")],
)  # fmt: skip
def test_copies_for_other_screens_are_read_once(one: str, other: str) -> None:
    """Paragraph by paragraph, or the whole story twice."""
    each = "".join(f'<p class="{one}">{text}</p><p class="{other}">{text}</p>' for text in STORY)
    whole = f'<div class="{one}">{paragraphs()}</div><div class="{other}">{paragraphs()}</div>'
    assert shown(content(each)) == shown(content(whole)) == []


def test_a_refrain_is_read_as_often_as_it_is_printed() -> None:
    """What an author repeats is no copy."""
    assert len(shown(within("<p>Mind the wall.</p><p>Mind the wall.</p>"))) == 2


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("[et_pb_section fb_built=”1″][et_pb_row]Kept.[/et_pb_row]", "Kept."),
        ("Kept [ad_1] by [newsletter_form] the wall.", "Kept by the wall."),
        ('[caption id="x" width="300"]A wall[/caption] Kept.', "Kept."),
        ("[ninja_forms id=2]Kept.", "Kept."),
        (
            "He [the mason] said [sic] [he] was [...] there.",
            "He [the mason] said [sic] [he] was [...] there.",
        ),
    ],
)
def test_shortcodes_go_and_a_writers_brackets_stay(printed: str, read: str) -> None:
    """A name with an underscore, an attribute or a closing tag is no writer's."""
    assert [text for _, text in shown(within(f"<p>{printed}</p>"))] == [read]


@pytest.mark.parametrize(
    ("markup", "address"),
    [
        ('<picture><source srcset="/w-large.webp 1600w, /w-small.webp 400w"><img src="/w-small.jpg"></picture>', "/w-large.webp"),
        (f'<picture><source data-srcset="/w.jpg"><img src="{BLANK}"></picture>', "/w.jpg"),
        (f'<img src="{BLANK}" data-lazy-src="/w.jpg">', "/w.jpg"),
        ('<img src="/img/placeholder.png" data-unheard-of="/w.jpg">', "/w.jpg"),
        (f'<img src="{BLANK}" data-srcset="/w-300x200.jpg 300w,/w-900x600.jpg 900w">', "/w-900x600.jpg"),
        (f'<img srcset="{BLANK} 1w, /w.jpg 800w, /v.jpg 400w">', "/w.jpg"),
        ('<img src="/s_300,h_2/w.jpg" srcset="/s_300,h_2/w.jpg 300w, /s_900,h_6/w.jpg 900w">', "/s_900,h_6/w.jpg"),
        (f'<img src="{BLANK}"><noscript><img src="/w.jpg"></noscript>', "/w.jpg"),
        ("<div class='photo' data-bg='url(/w.jpg)'></div>", "/w.jpg"),
        ("<figure><div role='img' style=\"background-image:url('/w.jpg')\"></div></figure>", "/w.jpg"),
    ],
)  # fmt: skip
def test_a_picture_is_found_behind_its_loader_in_its_largest_size(markup: str, address: str) -> None:
    """In `picture`, lazy attributes, candidate lists, backgrounds and copies for browsers without script."""
    assert [image.url for image in article_of(within(markup)).images] == [HERE + address]


@pytest.mark.parametrize(
    "served",
    [
        "https://i0.wp.com/courier.example/wp-content/uploads/2026/02/wall.jpg?resize=640%2C480&ssl=1",
        "https://www.courier.example/wp-content/uploads/2026/02/wall-300x200.jpg",
        "/wp-content/uploads/2026/02/wall-scaled.jpg",
        "/wp-content/uploads/2026/02/wall-300x200.jpg.webp",
        "/wp-content/uploads/2026/02/wall.webp?x=12",
        "https://static.example/img/courier.example/wp-content/uploads/2026/02/wall.jpg?w=300",
        "/cdn-cgi/image/width=300/https://courier.example/wp-content/uploads/2026/02/wall.jpg",
        "/_next/image?url=%2Fwp-content%2Fuploads%2F2026%2F02%2Fwall.jpg&w=640",
    ],
)
def test_a_picture_is_one_whatever_serves_it(served: str) -> None:
    """The picture of the head and the one in the text are the same."""
    named = f"{HERE}/wp-content/uploads/2026/02/wall.jpg"
    html = page(
        f'<div class="entry-content">{paragraphs(*STORY[:2])}<img src="{served}">{paragraphs(*STORY[2:])}</div>',
        head=f'<meta property="og:image" content="{named}">',
    )
    assert [image.url for image in article_of(html).images] == [named]


def test_pictures_of_one_script_are_told_apart_by_their_number() -> None:
    """A query is not always a size."""
    assert len(article_of(within('<img src="/show.php?id=1"><img src="/show.php?id=2">')).images) == 2


@pytest.mark.parametrize(
    "markup",
    [
        '<div class="pic"><img src="/w.jpg"><div class="pic__caption"><p>The wall on Monday.</p></div></div>',
        '<div class="media"><img src="/w.jpg"><span class="image-caption"><span>The wall on Monday.</span></span></div>',
        '<div class="wrap"><img src="/w.jpg"></div><div class="caption">The wall on Monday.</div>',
        '<figure><img src="/w.jpg"><figcaption><p>The wall on Monday.</p></figcaption></figure>',
    ],
)
def test_a_caption_goes_to_its_picture_and_not_into_the_text(markup: str) -> None:
    """Also where it is a paragraph in a box."""
    assert [kind for kind, _ in shown(within(markup))] == ["image"]
    assert article_of(within(markup)).images[0].caption == "The wall on Monday."


def test_captions_of_others_do_not_go_to_the_picture_before() -> None:
    """A gallery's, a player's and a quotation's own words stay with them."""
    first = '<p><img src="/first.jpg"></p>'
    gallery = '<figure><figure><img src="/b.jpg"><figcaption>Bees</figcaption></figure><figure><img src="/c.jpg"></figure><figcaption>All of it</figcaption></figure>'
    film = f'<figure><iframe src="{FILM}"></iframe><figcaption>The fall on film</figcaption></figure>'
    captions = {i.url.rpartition("/")[2]: i.caption for i in article_of(within(first + gallery)).images}
    assert captions == {"first.jpg": None, "b.jpg": "Bees", "c.jpg": "All of it"}
    assert [image.caption for image in article_of(within(first + film)).images] == [None]


def test_a_picture_shown_twice_keeps_both_captions() -> None:
    """It is one picture, and both showings say something of it."""
    twice = "".join(
        f'<figure><img src="/w.jpg"><figcaption>{text}</figcaption></figure>' for text in ("Before", "After")
    )
    assert [image.caption for image in article_of(within(twice)).images] == ["Before / After"]


@pytest.mark.parametrize(
    "markup",
    [
        '<lite-youtube videoid="abcdefghijk"></lite-youtube>',
        '<div class="video" data-video-id="abcdefghijk"><img src="/still.jpg"><button>Play</button></div>',
        '<div class="youtube" data-embed="abcdefghijk"><div class="play"></div></div>',
        f'<p><a href="{FILM}"><img src="/still.jpg" alt="Play"></a></p>',
        f'<div class="rll-youtube-player" data-src="{FILM}" data-id="abcdefghijk"></div><noscript><iframe src="{FILM}"></iframe></noscript>',
        f'<iframe data-cmp-src="{FILM}" src="about:blank"></iframe>',
    ],
)
def test_a_player_that_waits_for_a_click_is_an_embed(markup: str) -> None:
    """Its still is no picture of the story."""
    assert shown(within(markup)) == [("embed", FILM)]
    assert article_of(within(markup)).images == ()
