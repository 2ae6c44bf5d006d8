"""What layouts are learned from, in small: studied pages made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from uknip_crawler.extraction.layouts import Layout, Line, State, Stories, Study
from uknip_crawler.extraction.learning import learn
from uknip_crawler.extraction.masking import labels, mask

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY = ("div #page", "div .story")
KINDS = {"p": "paragraph", "h4": "heading", "li": "list_item"}


def line(text: str, *below: str, taught: bool = True, at: int = 10, linked: float = 0.0) -> Line:
    """A line below the story's element; `below` are the steps, the last its own, `at` tells boxes apart."""
    place = (*BODY, *(below or ("p",)))
    wrappers = (1, 2, *(at + depth for depth in range(len(place) - 2)))
    kind = KINDS.get(place[-1].split(" ")[0], "paragraph")
    return Line(place, wrappers, kind, text, mask(text), len(text.split()), linked, taught)


def page(number: int, *extra: Line, when: datetime = NOW, skeleton: str = "body > h1") -> Study:
    """A page with four paragraphs of its own and whatever else is on it, in its place by `extra`'s order."""
    own = [
        line(f"the ferry of pier {word(number)} and {word(n)} {word(number + n)} sailed late again")
        for n in range(4)
    ]
    lines = (*own[:2], *extra, *own[2:])
    return Study(skeleton, when, f"{skeleton}{number:05}", f"headline {word(number)}", BODY, lines)


def word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in f"{number:04}")


def only(studies: Sequence[Study], stories: Stories | None = None) -> Layout:
    (layout,) = learn(studies, stories or Stories())
    return layout


@pytest.mark.parametrize(
    ("pages", "state"), [(1, State.LEARNING), (4, State.LEARNING), (5, State.TRUSTED), (60, State.TRUSTED)]
)
def test_a_layout_is_trusted_from_five_pages(pages: int, state: State) -> None:
    """Before that, every page is read as if it were the first."""
    layout = only([page(number) for number in range(pages)])
    assert (layout.state, layout.studied, layout.agreement) == (state, pages, 1.0)
    assert layout.containers == ("div #page > div .story",)


def test_a_layout_no_longer_seen_is_retired_and_still_read_by() -> None:
    """Half a year after the last page, while others come: old captures are read again by it."""
    old = [page(number, when=NOW - timedelta(days=200)) for number in range(10)]
    new = [page(number, skeleton="body > main > h1") for number in range(10)]
    layouts = {layout.skeleton: layout for layout in learn([*old, *new], Stories())}
    assert layouts["body > h1"].state is State.RETIRED
    assert layouts["body > h1"].is_trusted
    assert layouts["body > main > h1"].state is State.TRUSTED


def test_a_layout_whose_latest_pages_fit_no_longer_is_drifting() -> None:
    """The story stands elsewhere on each of them: nothing to learn, and no more trust."""
    good = [page(number, when=NOW - timedelta(days=30)) for number in range(30)]
    bad = [
        Study(
            "body > h1",
            NOW,
            f"new{number}",
            "x",
            None,
            tuple(
                Line((f"section .s{word(number)}", "p"), (1, 2), "paragraph", text, mask(text), 9, 0.0, True)
                for text in [
                    f"quite another story {word(number)} number {word(number * 7)} about boats and bread"
                ]
            ),
        )
        for number in range(20)
    ]
    layout = only([*good, *bad])
    assert layout.state is State.DRIFTING
    assert not layout.is_trusted


def test_a_box_is_told_by_its_constant_line_and_a_wrapper_around_the_story_is_not() -> None:
    """New words under a label that never changes are furniture; each paragraph in a wrapper of its own is story."""
    studies = []
    for number in range(12):
        box = [
            line("What we know so far", "div .c0", "h4"),
            line(f"boat {word(number)} left {word(number + 3)}", "div .c0", "p"),
        ]
        wrapped = line(
            f"and then pier {word(number)} shut its gates for {word(number + 5)}",
            "div .w",
            "p",
            at=50 + number,
        )
        studies.append(page(number, *box, wrapped))
    layout = only(studies)
    assert layout.furniture == {"div .c0"}
    assert "div .w" in layout.story


def test_what_police_write_is_story_however_often_it_comes() -> None:
    """On every page, at the same place, word for word."""
    for said in (
        "More to follow.",
        "Kent Police have been approached for comment.",
        "Anyone with information is asked to call 101.",
    ):
        assert only([page(number, line(said)) for number in range(30)]).texts == frozenset()


def test_a_line_on_most_pages_is_furniture_and_one_that_wanders_on_some_is_not() -> None:
    """Most pages of this layout alone, or always the same slot; a line between other paragraphs each time is story."""
    said = "Neighbours meet for tea under the clock every other week."
    assert only([page(number, line(said)) for number in range(12)]).texts == {mask(said)}
    some = [page(number, *([line(said)] if number % 4 == 0 else [])) for number in range(40)]
    assert only(some).texts == {mask(said)}
    wanders = []
    for number in range(40):
        before = [
            line(f"and gate {word(number)} {word(n + 9)} stayed shut all day") for n in range(number % 5)
        ]
        wanders.append(page(number, *before, *([line(said)] if number % 4 == 0 else [])))
    assert only(wanders).texts == frozenset()


def test_a_line_that_another_layout_knows_at_a_natural_rate_is_story() -> None:
    """It came with the stories, not with the design."""
    said = "The tide tables are pinned to the harbour office door."
    here = [page(number, line(said)) for number in range(10)]
    there = [page(number, *([line(said)] if number == 3 else []), skeleton="other") for number in range(20)]
    assert all(not layout.texts for layout in learn([*here, *there], Stories()))


@pytest.mark.parametrize(
    ("text", "own", "masked"),
    [
        ("More news from Gravesend", "", "more news from §"),
        ("Gravesend news on your phone", "Gravesend", "§ news on your phone"),
        ("12 boats and 3.5 miles", "", "0 boats and 0 miles"),
        ("Police Launch Appeal", "", "police launch appeal"),
        ("About Zoe Marsden-Lee", "Zoe Marsden-Lee", "about §"),
        ("by uknip247", "uknip247", "by §"),
    ],
)
def test_a_masked_line_is_the_same_on_every_page(text: str, own: str, masked: str) -> None:
    """Names, numbers and what the page calls itself; never most of a line."""
    assert mask(text, labels(own)) == masked


LONG = "the harbour master of the invented town of wexcombe said on tuesday that ferries would sail again by noon"


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (LONG, True),
        (LONG[:30], True),
        (f"{LONG} and on it goes", True),
        (f"{LONG[:60]} that nothing would sail", False),
        ("zebras", False),
    ],
)
def test_a_cut_line_is_told_by_its_first_hundred_bytes(cut: str, expected: bool) -> None:
    """However long the opening that it quotes; a line that goes on differently within them is no quotation."""
    stories = Stories([("Ferries to sail again", LONG), ("Zebra seen on the pier", "Short.")])
    assert stories.has_opening(cut) == expected
    assert stories.has_headline("zebra seen on the pier")
    assert not stories.has_headline("zebra seen on the")
    assert stories.has_first("short")
    assert not Stories().has_opening("anything")
    assert not Stories().has_headline("anything")
