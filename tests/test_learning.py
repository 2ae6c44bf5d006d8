"""What the archive teaches, in small: a newspaper of a few pages, learned, and its pages read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from newspaper import (
    NOW,
    SITE,
    Post,
    body_of,
    learned_from,
    p,
    reading_of,
    rules_of,
    sentence,
    stories_of,
    studied,
    studies_of,
)

from uknip_crawler.extraction import read, study_capture
from uknip_crawler.extraction.learning.layouts import Layout, Learned, Lore, State
from uknip_crawler.extraction.learning.learn import learn
from uknip_crawler.extraction.learning.lines import Line, mark_cards
from uknip_crawler.extraction.learning.masking import mask
from uknip_crawler.extraction.learning.rules import Wordings
from uknip_crawler.extraction.learning.stories import Stories
from uknip_crawler.extraction.learning.studying import pack, skeleton_in, unpack
from uknip_crawler.models import BlockKind, Capture

FLAT = '<main class="flat"><section><h1>{headline}</h1>{story}</section></main>'
"""Another design of the same newspaper."""


def posts(count: int, inside: Callable[[int], str] = lambda number: "", first: int = 0) -> list[Post]:
    return [Post(number, inside(number)) for number in range(first, first + count)]


def only(learned: Learned) -> Layout:
    (layout,) = learned.layouts.values()
    return layout


def some(line: str, every: int, of: int = 40) -> list[Post]:
    """Return pages of which every so many have a line."""
    return posts(of, lambda number: line if number % every == 0 else "")


def stays(line: str, pages: Sequence[Post]) -> bool:
    """Tell whether the first page keeps a line when all of them were learned from, its story whole in either case."""
    body = body_of(pages[0], learned_from(pages))
    assert set(pages[0].sentences) <= set(body)
    assert set(body) <= {*pages[0].sentences, line}
    return line in body


# How far a layout is trusted


@pytest.mark.parametrize(
    ("pages", "state"), [(1, State.LEARNING), (4, State.LEARNING), (5, State.TRUSTED), (60, State.TRUSTED)]
)
def test_a_layout_is_trusted_from_five_pages(pages: int, state: State) -> None:
    """Before that, every page is read as if it were the first."""
    layout = only(learned_from(posts(pages)))
    assert (layout.state, layout.studied, layout.agreement) == (state, pages, 1.0)
    assert layout.is_trusted == (state is State.TRUSTED)


def test_a_layout_no_longer_seen_is_retired_and_still_read_by() -> None:
    """Half a year after the last page, while others come: old captures are read again by it."""
    old = [Post(number, seen_at=NOW - timedelta(days=200)) for number in range(10)]
    new = [Post(number, wrap=FLAT) for number in range(10, 20)]
    layouts, _ = learn(studies_of([*old, *new]), Stories())
    assert [layouts[skeleton_in(studied(post).packed)].state for post in (old[0], new[0])] == [
        State.RETIRED,
        State.TRUSTED,
    ]
    assert all(layout.is_trusted for layout in layouts.values())


def test_a_layout_whose_latest_pages_fit_no_longer_is_drifting() -> None:
    """On the last twenty the story stands outside, under the bare body: no more trust."""
    good = [Post(number, seen_at=NOW - timedelta(days=30)) for number in range(30)]
    bare = '<div id="page"><h1>{headline}</h1><div class="story"><p>Local news daily</p></div></div>'
    bad = [Post(n, wrap=bare + p(*(sentence(n, k) for k in range(4)))) for n in range(30, 50)]
    layout = only(learned_from([*good, *bad]))
    assert layout.state is State.DRIFTING
    assert not layout.is_trusted


# Where the story stands


def test_the_container_is_found_by_what_no_other_page_says() -> None:
    """No second extractor points at it: the sidebar is longer, and says the same on every page."""
    sidebar = "".join(p(sentence(90 + n, n)) for n in range(9))
    around = (
        '<div id="page"><h1>{headline}</h1><div class="columns">{story}'
        f'<div class="side">{sidebar}</div></div></div>'
    )
    pages = [Post(number, wrap=around) for number in range(8)]
    learned = learned_from(pages)
    assert only(learned).containers == ("div #page > div .columns > div .story",)
    assert body_of(pages[0], learned) == [*pages[0].sentences]


@pytest.mark.parametrize("mark", ["has-post-thumbnail", "format-standard", "wexcombe-with-thumb"])
def test_what_only_some_pages_have_on_the_storys_own_elements_is_no_mark(mark: str) -> None:
    """`post_class()` says whether a story has a picture: not where it stands."""
    marked = f'<div class="story {mark}">'
    pages = [replace(post, story=marked) if post.number % 3 else post for post in posts(24)]
    learned = learned_from(pages)
    assert only(learned).containers == ("div #page > div .story",)
    assert only(learned).agreement == 1.0
    assert all(body_of(post, learned) == [*post.sentences] for post in pages[:2])


def test_a_box_is_judged_on_the_pages_that_have_it() -> None:
    """On every sixth page most of the story stands in a box, under a label: of all pages' text it holds next to nothing."""

    def box(number: int) -> list[str]:
        return [sentence(number, 4 + k) for k in range(6)]

    label = "Read out in court"
    boxed = '<div class="read-out"><h3>Read out in court</h3>{}</div>'
    pages = posts(36, lambda n: boxed.format(p(*box(n))) if n % 6 == 0 else "")
    learned = learned_from(pages)
    assert "div .read-out" in only(learned).story
    own = pages[0].sentences
    assert body_of(pages[0], learned) == [*own[:2], label, *box(0), *own[2:]]


def test_numbered_parts_are_one_place() -> None:
    """However many a story has, and whichever of them a page of the sample lacked."""

    def parts(number: int) -> str:
        return "".join(
            f'<div class="part-{n}">{p(sentence(number, 4 + n))}</div>' for n in range(3 + number % 4)
        )

    learned = learned_from(posts(12, parts))
    assert only(learned).marks.counters == {".part-"}
    longer = Post(77, "".join(f'<div class="part-{n}">{p(sentence(77, 4 + n))}</div>' for n in range(5)))
    assert len(body_of(longer, learned)) == 9


# Boxes


@pytest.mark.parametrize(
    "box",
    [
        "<h4>What we know so far</h4><p>{changing}</p>",
        "<p>Choose one:</p><p>{changing}</p>",
        '<p class="who"><a href="/author/{n}/">Our {trade}</a></p><p>{changing}</p>',
    ],
)
def test_a_box_with_a_constant_line_or_link_above_changing_words_is_furniture(box: str) -> None:
    """Fact boxes, polls, authors and their lives: new on every page, and not the story."""

    def inside(number: int) -> str:
        filled = box.format(changing=sentence(number, 7), n=number, trade=sentence(number).split()[1])
        return f'<div class="aside-box">{filled}</div>'

    pages = posts(15, inside)
    learned = learned_from(pages)
    assert [*only(learned).furniture] == ["div .aside-box"]
    assert only(learned).furniture["div .aside-box"] == 15
    assert body_of(pages[3], learned) == [*pages[3].sentences]


NAMES = ("Ada", "Brin", "Cato", "Dora", "Egon", "Fay", "Gus", "Hal", "Ines", "Jory", "Kit", "Lou")


def test_boxes_of_one_sentence_filled_in_anew_on_every_page_are_furniture() -> None:
    """An author's life beside a poll, with two names in it: no two are alike, and all are."""

    def inside(number: int) -> str:
        name, town = NAMES[number], NAMES[-1 - number]
        life = (
            f"Reporter {name} has written about life in {town} since the old mill burned down.",
            f"Before that {name} sold papers by the gate in {town} for nine years and a summer.",
            f"Readers of {name} know the dog from {town} that barks at every council meeting.",
        )
        polled = f"{p('Cast your vote')}{p('Yes')}{p('No')}"
        return f'<div class="unit">{polled}</div><div class="unit">{p(*life)}</div>'

    pages = posts(12, inside)
    learned = learned_from(pages)
    assert [*only(learned).furniture] == ["div .unit"]
    assert body_of(pages[4], learned) == [*pages[4].sentences]


@pytest.mark.parametrize(("every", "count"), [(1, 15), (3, 12)])
def test_a_box_with_a_name_of_its_own_is_furniture_also_where_it_was_seen_once(
    every: int, count: int
) -> None:
    """On one page it stands in a frame that no other page has; a label of its own tells it from four pages."""

    def facts(number: int) -> str:
        return f'<div class="facts">{p("What we know so far", sentence(number, 7))}</div>'

    def inside(number: int) -> str:
        if number % every:
            return ""
        return f'<div class="frame">{facts(number)}</div>' if number in (3, 6) else facts(number)

    pages = posts(count, inside)
    assert body_of(pages[3], learned_from(pages)) == [*pages[3].sentences]


def test_a_box_keeps_its_name_though_on_one_of_few_pages_nothing_else_is_new() -> None:
    """There the story is two words, and the author's life the only sentence that no other page has."""

    def life(number: int) -> str:
        return f'<div class="life">{p("About the author", sentence(number, 7))}</div>'

    short = (
        '<div id="page"><h1>{headline}</h1><div class="story"><p>Picture story.</p>'
        + life(7)
        + "</div></div>"
    )
    pages = [*posts(7, life), Post(7, wrap=short), *posts(2, life, first=8)]
    assert [*only(learned_from(pages)).furniture] == ["div .life"]


def test_a_wrapper_around_the_storys_own_paragraphs_is_story() -> None:
    """One for each paragraph, as page builders make them."""
    pages = posts(12, lambda number: f'<div class="wrap">{p(sentence(number, 7))}</div>')
    learned = learned_from(pages)
    assert "div .wrap" in only(learned).story
    assert sentence(0, 7) in body_of(pages[0], learned)


def test_a_short_story_with_a_link_below_is_no_teasers_card() -> None:
    """A card begins with its headline-like link."""

    def line(text: str, linked: float) -> Line:
        return Line(text, BlockKind.PARAGRAPH, linked, False, False, ("div", "p"), (1, text))

    story, link = line(sentence(1), 0.0), line("The council's plan for the old tannery", 1.0)
    mark_cards([story, link])
    assert not story.in_card
    mark_cards([link, story])
    assert story.in_card


# Wordings


@pytest.mark.parametrize(
    "said",
    [
        "More to follow.",
        "Kent Police have been approached for comment.",
        "Anyone with information is asked to call 101.",
        "Can you help? Call police on 101, quoting reference 46/12345/26.",
    ],
)
def test_what_police_and_newsrooms_write_under_stories_is_story_however_often_it_comes(said: str) -> None:
    """On every page, at the same place, word for word, also where it speaks to the reader."""
    assert stays(said, posts(30, lambda _: p(said)))


def test_a_line_on_most_pages_is_furniture_and_the_same_on_one_page_is_story() -> None:
    said = "Neighbours meet for tea under the clock every other week."
    assert not stays(said, posts(12, lambda _: p(said)))
    assert stays(said, [Post(0, p(said)), *posts(11, first=1)])


def test_what_speaks_to_the_reader_goes_also_from_few_pages() -> None:
    said = "Send your pictures of the harbour to our desk."
    assert not stays(said, some(p(said), every=8))


def test_a_quotation_that_speaks_to_the_reader_stays() -> None:
    """Also one that three people gave, word for word."""
    said = "“Send us your pictures of the harbour and we will look at them.”"
    assert stays(said, some(p(said), every=8))


@pytest.mark.parametrize(
    "label",
    [
        "Report by {name} Marsden",
        "Photograph by {name} Marsden for the Weekly",
        "Reading time: {n} minutes",
        "{name} Marsden covers the coast from {place}",
    ],
)
def test_what_bare_lines_have_in_common_besides_names_and_numbers_is_furniture(label: str) -> None:
    """Credits, reading times, slogans: each page fills in its own."""
    names, places = ["Zoe", "Amir", "Beth", "Carl", "Dina"], ["Deal", "Hythe", "Ryde", "Cowes"]

    def inside(number: int) -> str:
        return p(label.format(name=names[number % 5], place=places[number % 4], n=number + 1))

    pages = posts(20, inside)
    learned = learned_from(pages)
    assert body_of(pages[4], learned) == [*pages[4].sentences]
    assert all(rule.startswith(("bare: ", "most pages")) for rule in rules_of(pages[4], learned).values())


def test_a_line_up_stays() -> None:
    """Three lines of one shape are the story's own list, though every story of the kind has such a list."""
    names = [
        "Abel",
        "Celia",
        "Dixie",
        "Ellis",
        "Freya",
        "Hobbs",
        "Irwin",
        "Jonas",
        "Keats",
        "Lodge",
        "Moira",
        "Nancy",
    ]

    def lineup(number: int) -> list[str]:
        return [
            f"Seat number {n + 1}, {names[(number + n) % 12]} {names[(number + n + 5) % 12]} of Wexcombe"
            for n in range(4)
        ]

    pages = posts(20, lambda number: p(*lineup(number)))
    assert body_of(pages[0], learned_from(pages)) == [
        *pages[0].sentences[:2],
        *lineup(0),
        *pages[0].sentences[2:],
    ]


def test_sentences_wrapped_hard_stay() -> None:
    """Mail pasted line by line: no line but the last ends, and none is a label."""
    wrapped = (
        "The mayor of the town said",
        "that every street would have",
        "a lamp before the winter comes.",
    )
    pages = posts(24, lambda number: p(*wrapped) if number % 4 == 0 else "")
    assert set(wrapped) <= set(body_of(pages[0], learned_from(pages)))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("More news from Gravesend", "more news from §"),
        ("12 boats and 3.5 miles", "0 boat and 0 mile"),
        ("Reading time: 1 minute", "reading time: 0 minute"),
        ("Reading time: 2 minutes", "reading time: 0 minute"),
        ("Police Launch Appeal", "police launch appeal"),
        ("About Zoe Marsden-Lee and others", "about § and others"),
        ("Follow the Courier on your phone", "follow the § on your phone"),
    ],
)
def test_a_masked_line_is_the_same_on_every_page(text: str, masked: str) -> None:
    """Names, numbers, what is counted in the singular; it depends on the line alone."""
    assert mask(text) == masked


def test_subheadings_that_many_stories_share_stay() -> None:
    """Unlinked, and a sentence of the story follows."""
    pages = some("<h3>What happened next</h3>", every=3)
    assert stays("What happened next", pages)


def test_a_subheading_set_like_any_paragraph_stays_with_furniture_below_it() -> None:
    """A fifth of the stories have one that begins alike; an editor put a promotion between one and its text."""
    said = "Follow the channel for harbour news"
    sought = ("otters", "weir", "library", "ferry", "chapel", "meadow", "lantern", "orchard")

    def inside(number: int) -> str:
        heading = f"In search of the {sought[number // 5]}"
        if number % 10 == 0:
            return p(heading, said)
        return p(heading) if number % 5 == 0 else p(said) if number % 5 == 1 else ""

    pages = posts(40, inside)
    own = pages[0].sentences
    assert body_of(pages[0], learned_from(pages)) == [*own[:2], "In search of the otters", *own[2:]]


def test_bold_promotions_on_a_tenth_of_a_layout_go() -> None:
    """They stand where a bold subheading might."""
    said = "Follow the channel for harbour news"
    assert not stays(said, some(f"<p><strong>{said}</strong></p>", every=8))


def test_twenty_notices_from_one_template_keep_their_text() -> None:
    """Hardly anything would be left of them: what comes back on other pages is all they say."""

    def notice(number: int) -> tuple[str, ...]:
        return (
            f"A meeting of the parish council is held on {number + 1} May at the village hall in Wexcombe.",
            "Please bring a chair and a cup with you, since both are short in our hall.",
            "Give your name at the door, and tell us in good time if you would like to speak.",
            "The agenda is pinned to the door of the post office a week before each meeting.",
        )

    pages = [*posts(30), *(Post(40 + n, own=notice(n)) for n in range(20))]
    learned = learned_from(pages)
    assert all(body_of(post, learned) == [*post.sentences] for post in pages[30:33])


def test_a_further_page_of_a_story_may_hold_nothing_but_furniture() -> None:
    """Of a story's own page, what only comes back on others is better than nothing."""
    said = "Read 40 times since the morning."
    learned = learned_from(posts(12, lambda number: p(f"Read {number + 3} times since the morning.")))
    whole = Post(0, wrap=f'<div id="page"><h1>{{headline}}</h1><div class="story">{p(said)}</div></div>')
    url = whole.capture.url
    pages = f'<p>Pages: <a href="{url}">1</a> 2</p>'.encode()

    def text(capture: Capture) -> str | None:
        article = read(capture, SITE, expected_article=True, learned=learned).article
        return article and article.body

    further = whole.capture.body.replace(b"</div></div>", pages + b"</div></div>")
    assert text(whole.capture) == said
    assert text(replace(whole.capture, url=f"{url}2/", body=further)) == ""


# Teasers


def teased(teaser: str) -> tuple[list[Post], str]:
    """Return pages of which the first teases the second, free among its own paragraphs, and the teaser."""
    other = Post(1)
    shown = teaser.format(
        headline=other.headline, upper=other.headline.upper(), opening=" ".join(other.sentences)
    )
    return [Post(0, p(shown)), *posts(11, first=1)], shown


@pytest.mark.parametrize(
    ("teaser", "rule"),
    [
        ("{headline}", "headline"),
        ("{upper}", "headline"),
        ("Read also: {headline}", "label and headline"),
        ("3 March – {headline}", "label and headline"),
        ("TOWN HALL {headline}", "kicker and headline"),
        ("{opening:.70}…", "opening"),
        ("{opening:.140} […]", "opening"),
    ],
)
def test_lines_that_tell_another_story_are_teasers(teaser: str, rule: str) -> None:
    """By its headline, alone or after a label or capitals, or by its opening cut short, across paragraphs as well."""
    pages, shown = teased(teaser)
    learned = learned_from(pages)
    assert rules_of(pages[0], learned) == {shown: rule}
    assert body_of(pages[0], learned) == [*pages[0].sentences]
    assert body_of(pages[1], learned) == [*pages[1].sentences]


def test_an_opening_quoted_whole_goes_from_other_pages_and_never_from_its_own() -> None:
    """Teasers in boxes on many pages, and once free in the text."""
    opening = "The lamps of Wexcombe went out one by one while the whole town slept on."
    own = (opening, *(sentence(0, n) for n in range(3)))
    box = f'<div class="more"><h4>More</h4>{p(opening)}</div>'
    free = Post(20, p(opening), wrap=FLAT)
    learned = learned_from([Post(0, own=own), *posts(12, lambda _: box, first=1)])
    assert body_of(Post(0, own=own), learned) == [*own]
    assert body_of(free, learned) == [*free.sentences]


@pytest.mark.parametrize(
    ("cut", "expected"),
    [(0, True), (30, True), (-1, True), (29, False)],
)
def test_a_cut_line_is_told_by_its_first_hundred_bytes(cut: int, expected: bool) -> None:
    """However long the opening that it quotes; its own story's opening is none, and a few words tell nothing."""
    long = "the harbour master of the invented town of wexcombe said on tuesday that ferries would sail again by noon"
    stories = Stories([("Ferries to sail again", long), ("Zebra seen on the pier", "Short.")])
    words = {0: long, -1: f"{long} and on it goes"}.get(cut, long[:cut])
    assert stories.has_opening(words, "zebra seen on the pier") == expected
    assert not stories.has_opening(words, "ferries to sail again")
    assert not stories.has_opening(f"{long[:60]} that nothing would sail", "")
    assert not Stories().has_opening(long, "")


def test_a_headline_is_known_whole() -> None:
    stories = Stories([("Zebra seen on the pier", "Short.")])
    assert stories.has_headline("zebra seen on the pier")
    assert not stories.has_headline("zebra seen on the")
    assert not Stories().has_headline("anything")
    joined = stories.joined(["a walrus too"], [])
    assert joined.has_headline("a walrus too")
    assert joined.has_headline("zebra seen on the pier")


# What is kept, and who has the last word


def mixed() -> list[Post]:
    """Return pages of two designs with a bit of everything."""
    promo, box = (
        p("Send your pictures of the harbour to our desk."),
        '<div class="box"><h4>So far</h4>{}</div>',
    )
    return [
        Post(n, (promo if n % 3 == 0 else "") + p(f"Words: Zoe Marsden {n}") + box.format(p(sentence(n, 8))))
        for n in range(20)
    ] + [Post(n, promo if n % 2 else "", wrap=FLAT) for n in range(20, 30)]


@pytest.mark.parametrize("seed", range(4))
def test_the_same_captures_teach_the_same_in_any_order(seed: int) -> None:
    """Layouts, wordings and all else, to the letter."""
    pages = mixed()
    expected = learn(studies_of(pages), stories_of(pages))
    Random(seed).shuffle(pages)
    layouts, lore = learn(studies_of(pages), stories_of(pages))
    assert (layouts, lore) == expected
    assert [layout.rules() for layout in layouts.values()] == [
        layout.rules() for layout in expected[0].values()
    ]
    assert sorted(lore.wordings.rows()) == sorted(expected[1].wordings.rows())
    assert lore.kept() == expected[1].kept()


def test_what_was_learned_comes_back_from_the_archive_as_it_went() -> None:
    layouts, lore = learn(studies_of(mixed()), Stories())
    for layout in layouts.values():
        kept = Layout.of(layout.skeleton, layout.state, layout.studied, layout.agreement, layout.rules())
        assert kept == layout
        assert kept.digest == layout.digest
    assert Lore.of(Wordings.of(lore.wordings.rows()), lore.kept()) == lore
    assert Lore.of(Wordings(), {}) == Lore()


def test_a_study_is_unpacked_as_it_was_packed() -> None:
    """Text, kind, links, marks, and which lines stand in one element."""
    packed = study_capture(mixed()[0].capture, SITE)
    assert packed is not None
    found = unpack(packed)
    assert pack(found) == packed
    assert found.skeleton == skeleton_in(packed)
    assert [line.text for line in found.lines if line.kind is BlockKind.HEADING] == ["So far"]
    label, fact = (line for line in found.lines if "div .box" in line.steps)
    assert label.elements[:-1] == fact.elements[:-1]
    assert label.elements[-1] != fact.elements[-1]
    assert all(len(line.steps) == len(line.elements) for line in found.lines)


def test_wordings_hold_on_a_page_whose_layout_nobody_trusts() -> None:
    """The promotion is known from the old design; of the new one this page is the first."""
    learned = learned_from(mixed()[:20])
    new = Post(33, p("Send your pictures of the harbour to our desk."), wrap=FLAT)
    assert len(learned.layouts) == 1
    assert body_of(new, learned) == [*new.sentences]


def test_a_line_taken_out_says_why_and_how_often_it_was_seen() -> None:
    """By place: on how many pages. By wording: on how many stories, in how many layouts."""
    pages = mixed()
    told = {line.text: line for line in reading_of(pages[0], learned_from(pages)).furniture}
    box, promo = told["So far"], told["Send your pictures of the harbour to our desk."]
    assert (box.rule, box.place, box.pages) == ("place", "div .box", 20)
    assert (promo.rule, promo.pages, promo.layouts) == ("to the reader", 12, 2)


def test_a_verdict_stands_above_what_was_learned() -> None:
    """What is kept stands where it stood, be it furniture by place or by wording; what is stripped goes."""
    pages = mixed()
    learned = learned_from(pages)
    promo, label = "Send your pictures of the harbour to our desk.", "So far"
    assert {promo, label}.isdisjoint(body_of(pages[0], learned))
    kept = replace(learned, keep=frozenset(map(mask, (promo, label))))
    body = body_of(pages[0], kept)
    assert body[2] == promo
    assert label in body
    story = pages[0].sentences[1]
    assert story not in body_of(pages[0], replace(learned, strip=frozenset({mask(story)})))
