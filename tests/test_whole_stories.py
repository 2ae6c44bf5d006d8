"""Stories are read whole, whatever their boxes are called, and what stands among their lines costs only itself."""

from __future__ import annotations

import pytest
from single_pages import HEADLINE, OG, STORY, content, lines_of, page, paragraphs, within

ADVERT = '<div class="ad">Advertisement</div>'
LINK = '<a href="/2026/02/01/mill-race/">Mill race to be dredged in spring</a>'
UPDATES = [
    ("14:20", "Lane shut", STORY[3]),
    ("11:05", "Owner speaks", STORY[4]),
    ("9.40am", "Bees safe", STORY[5]),
]


def box(text: str, attributes: str) -> str:
    return f"<div {attributes}>{text}</div>"


@pytest.mark.parametrize(
    "pieces",
    [
        box(paragraphs(*STORY[:3]), 'class="article__body"')
        + ADVERT
        + box(paragraphs(*STORY[3:]), 'class="article__body"'),
        box(paragraphs(*STORY[:3]), 'class="article-body-top"')
        + ADVERT
        + box(paragraphs(*STORY[3:]), 'class="article-body-bottom"'),
        "".join(
            f'<section class="part">{paragraphs(*STORY[i : i + 2])}</section>{ADVERT}' for i in (0, 2, 4)
        ),
        "".join(
            f'<div class="row"><div class="col post-content">{paragraphs(*STORY[i : i + 2])}</div></div>'
            for i in (0, 2, 4)
        ),
    ],
    ids=["twins", "twins of two names", "sections", "rows"],
)
def test_a_story_in_pieces_is_whole(pieces: str) -> None:
    """An advertisement between two containers ends no story."""
    assert lines_of(page(pieces)) == STORY


@pytest.mark.parametrize(
    "html",
    [
        f"<ul><li>{paragraphs()}</li></ul>",
        f"<ol><li>{''.join(f'<div>{text}</div>' for text in STORY)}</li></ol>",
        "".join(f"<div>{text}</div>" for text in STORY),
        "".join(f"<span>{text}</span>" for text in STORY),
        "<br><br>".join(STORY),
        f"<p>{'<br>&nbsp;<br>'.join(STORY)}</p>",
        paragraphs(*STORY[:5])
        + '<div class="wp-block-media-text"><figure><img src="/wall.jpg"></figure>'
        + f'<div class="wp-block-media-text__content">{paragraphs(STORY[5])}</div></div>',
        "".join(
            f'<div class="vc_row"><div class="wpb_column vc_col-sm-6"><div class="wpb_wrapper">{paragraphs(*STORY[i : i + 2])}</div></div></div>'
            for i in (0, 2, 4)
        ),
        paragraphs(*STORY[:5]) + f"<h4>{STORY[5]}</h4>",
    ],
    ids=[
        "list item",
        "list item of divs",
        "divs",
        "spans",
        "breaks",
        "blank lines",
        "media text",
        "columns",
        "heading",
    ],
)
def test_a_story_in_odd_markup_is_whole(html: str) -> None:
    """Paragraphs are told by their sentences, not by their tags."""
    assert lines_of(content(html)) == STORY


@pytest.mark.parametrize("name", ["Report--Ads", "promo", "related-content", "newsletter-part", "sidebar"])
def test_names_of_furniture_lie_where_all_of_the_story_has_them(name: str) -> None:
    """A section called after advertising that holds the story's only sentences is the story."""
    parts = "".join(
        f'<section class="part {name}">{paragraphs(*STORY[i : i + 2])}</section>' for i in (0, 2, 4)
    )
    assert lines_of(page(parts)) == STORY


@pytest.mark.parametrize(
    "attributes",
    [
        "hidden",
        'style="display: none"',
        'class="hideable"',
        'class="unregistered-content"',
        'id="locked" class="paywall"',
    ],
)
def test_the_rest_of_a_story_is_read_where_it_is_hidden(attributes: str) -> None:
    """What a script shows after a click or a registration is on the page."""
    assert lines_of(content(paragraphs(*STORY[:2]), box(paragraphs(*STORY[2:]), attributes))) == STORY


@pytest.mark.parametrize(
    "gate",
    [
        '<div class="regwall"><h3>Register to read on</h3><p>It is free and takes a minute.</p><form><input name="e"></form></div>',
        '<section class="subscribe-box"><p>Please sign in to go on reading today.</p><a href="/login/">Log in</a></section>',
        '<div class="x"><p>Have the week on the lanes sent to you every Friday, with the bus notices.</p><form><input type="email"></form></div>',
    ],
)
def test_a_gate_in_mid_story_is_no_story(gate: str) -> None:
    """A form and what it says are dropped; the paragraphs on both sides stay."""
    assert lines_of(within(gate)) == STORY


def test_a_hidden_transcript_is_no_rest_of_the_story() -> None:
    """A long hidden text in a player stands beside none of the story's sentences."""
    spoken = "And then we heard the wall come down like thunder and ran out into the lane to see. " * 8
    player = f'<div class="player"><div class="transcript" style="display:none"><p>{spoken}</p><p>{spoken}</p></div></div>'
    assert lines_of(within(player)) == STORY


@pytest.mark.parametrize(
    "update",
    [
        '<article class="update"><time>{0}</time><h2>{1}</h2><p>{2}</p></article>',
        '<div class="entry"><div class="meta"><span>{0}</span> <span class="author">By Ann Lee</span></div><h3>{1}</h3><p>{2}</p></div>',
        '<li class="post"><span class="stamp">{0}</span><h3>{1}</h3><p>{2}</p></li>',
        '<section class="lb"><header><a href="#p"><time>{0}</time></a><h3>{1}</h3></header><p>{2}</p></section>',
    ],
    ids=["articles", "bylines", "items", "headers"],
)
@pytest.mark.parametrize("inside", [True, False])
def test_the_updates_of_a_live_report_keep_heading_and_time(update: str, inside: bool) -> None:
    """Each update is read with the time the page prints, in the order it prints them."""
    updates = "".join(update.format(*told) for told in UPDATES)
    if "<li" in update:
        updates = f"<ul>{updates}</ul>"
    first = paragraphs(*STORY[:3])
    report = content(first, updates) if inside else page(box(first, 'class="entry-content"') + updates)
    assert lines_of(report) == [*STORY[:3], *(line for told in UPDATES for line in told)]


@pytest.mark.parametrize("marker", ["Most Read", "Related posts", "Follow UKNIP", "More from the Vale"])
@pytest.mark.parametrize(
    "form",
    [
        "<p>{0}</p>",
        "<p>{0}</p><p>{1}</p><p>{1}</p>",
        "<h3>{0}</h3><ul><li>{1}</li><li>{1}</li></ul>",
        '<div class="b"><h4>{0}</h4><div><h5>{1}</h5></div></div>',
    ],
    ids=["line", "lines", "list", "box"],
)
def test_a_tail_marker_in_mid_story_costs_its_own_box(marker: str, form: str) -> None:
    """The story goes on after a list of others, and is read to its end."""
    marker = marker if marker != "More from the Vale" else "More from Valebridge"
    assert lines_of(within(form.format(marker, LINK))) == STORY


def test_a_tail_marker_ends_a_story_after_which_nothing_is_told() -> None:
    """Headlines without links are no sentences of the story."""
    tail = f"<p>Most Read</p><p>{LINK}</p><p>Frost expected again on the hills</p>"
    assert lines_of(content(paragraphs(), tail)) == STORY


@pytest.mark.parametrize(
    "line",
    [
        '<p><a href="/x/"><strong>MILL RACE TO BE DREDGED</strong></a></p>',
        f"<h4>{LINK}</h4>",
        f"<div>{LINK}</div>",
        '<p><a href="https://store.example/courier">Download our app</a></p>',
        f"<p>{LINK} | {LINK}</p>",
    ],
)
@pytest.mark.parametrize("at", [3, 6])
def test_a_line_that_only_leads_elsewhere_is_dropped(line: str, at: int) -> None:
    """A lone link among paragraphs is a teaser, wherever it stands."""
    assert lines_of(within(line, at)) == STORY


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('<h3><a href="#bees" id="bees">What became of the bees</a></h3>', "What became of the bees"),
        ('<p><a href="https://giving.example/wall">giving.example/wall</a></p>', "giving.example/wall"),
        ('<p><a href="mailto:desk@courier.example">desk@courier.example</a></p>', "desk@courier.example"),
        (
            '<p><a href="https://county.example/plan">The county’s plan for the wall</a></p>',
            "The county’s plan for the wall",
        ),
    ],
)
def test_a_linked_line_that_tells_something_stays(line: str, text: str) -> None:
    """Anchors of the page, addresses spelt out and sources on other sites are the story's own."""
    assert lines_of(within(line)) == [*STORY[:3], text, *STORY[3:]]


def test_a_heading_without_text_below_it_is_dropped() -> None:
    """A last heading announces what the page does not hold; a closing sentence set as a heading is text."""
    assert lines_of(content(paragraphs(), "<h3>What happens next</h3>")) == STORY


def test_the_headline_of_another_story_is_not_where_the_story_begins() -> None:
    """The page's only `h1` may be a teaser below the story."""
    other = '<section><h1><a href="/goats/">Goats come down from the fell early</a></h1><p>They are three weeks before their time, says their keeper of forty years.</p></section>'
    html = page(f'<div class="text">{paragraphs()}</div>', after=other)
    assert lines_of(html.replace(f"<h1>{HEADLINE}</h1>", f"<h2>{HEADLINE}</h2>")) == STORY


@pytest.mark.parametrize(
    "value",
    ["'{}'", '"{}"', '"<b>{}</b>"', "{}"],
    ids=["single", "double", "markup", "unquoted"],
)
def test_a_giant_attribute_costs_itself(value: str) -> None:
    """A list of teasers in an attribute takes neither the story nor trust in it."""
    filling = "x" * 90_000 if value == "{}" else "mill race and goats, " * 5_000
    html = within(f"<div class=teasers data-posts={value.format(filling)}></div>")
    assert lines_of(html) == STORY


def test_a_giant_path_and_a_giant_script_cost_themselves() -> None:
    """A drawing is no text, and a comparison in a script begins no tag."""
    drawing = f'<svg><path d="M{" 1.2,3.4" * 20_000}"/></svg>'
    script = f"<script>if(a<b){{{'x=1;' * 30_000}}}</script>"
    assert lines_of(within(drawing + script)) == STORY
    assert (
        lines_of(page(f'<section data-x="{"y " * 60_000}" class="k">{paragraphs()}</section>', head=OG))
        == STORY
    )
