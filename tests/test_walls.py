"""Pages that stand in a story's place: told from the page, from its address's history, from the run; stories never are."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from uknip_crawler.extraction import read
from uknip_crawler.ingest.interruptions import (
    Change,
    Shown,
    changed_at_once,
    interruptions_among,
    is_mass_loss,
    same_at_several,
    stands_in_place,
)
from uknip_crawler.models import Capture, Outcome, Reading
from uknip_crawler.sites import load_site

WALLS = Path(__file__).parent / "walls"
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
HTML = (("Content-Type", "text/html; charset=utf-8"),)
ELSEWHERE = "https://uknip.co.uk/news/uk/breaking/hens-cross-the-bridge-at-dawn/"
OLD = Shown(
    "Ferry sinks", "The ferry of Bisham sank at noon in nine feet of water.", 17, True, "body>article>h1"
)
WALL = Shown("Une petite question", "Avant de lire la suite, dites oui ou non.", None, False, "body>div>h1")

DATED = Shown(
    "The ferry's second life",
    "A barge with a new deck plies between Cookham and Hurley.",
    None,
    True,
    "body>div>h1",
)


def reading_of(page: Path, url: str = ELSEWHERE) -> Reading:
    return read(Capture(url, 200, HTML, page.read_bytes(), NOW), load_site(), expected_article=True)


@pytest.mark.parametrize(("folder", "told"), [("used", 21), ("kept", 20)])
def test_most_walls_are_told_from_the_page_alone(folder: str, told: int) -> None:
    """`kept` were written before the rules and not looked at while these were made: they measure what is to be expected."""
    pages = sorted((WALLS / folder).glob("*.html"))
    read_as_story = [page.stem for page in pages if reading_of(page).article is not None]
    assert len(pages) == 24
    assert len(read_as_story) <= 24 - told, read_as_story


@pytest.mark.parametrize("page", sorted((WALLS / "stories").glob("*.html")), ids=lambda page: page.stem)
def test_a_story_about_walls_is_a_story(page: Path) -> None:
    """Whatever its headline sounds like, however short and bare its page, and whatever its address says."""
    for url in (ELSEWHERE, f"https://uknip.co.uk/news/uk/breaking/{page.stem.replace('_', '-')}/"):
        assert reading_of(page, url).article is not None, url


@pytest.mark.parametrize(
    ("page", "outcome"),
    [("recaptcha_form", Outcome.CHALLENGE), ("consent_partners", Outcome.INTERRUPTED), ("domain_for_sale", Outcome.INTERRUPTED)],
)  # fmt: skip
def test_a_wall_is_called_what_it_is(page: str, outcome: Outcome) -> None:
    """A check of the visitor is a challenge, any other wall an interruption: both leave a run incomplete."""
    assert reading_of(WALLS / "used" / f"{page}.html").outcome is outcome


def test_a_page_without_what_its_story_had_is_not_the_story() -> None:
    """Another text, another markup, no number, no date: in whatever language."""
    why = stands_in_place(WALL, OLD)
    assert why is not None
    assert "number" in why


@pytest.mark.parametrize(
    "page",
    [
        Shown("Ferry sinks", "All is well.", None, False, "body>main>h1"),
        Shown("Boat lost", OLD.body, None, False, "body>main>h1"),
        Shown("Raised at last", "Divers have brought the wreck to land.", 17, True, "body>article>h1"),
        Shown("Raised at last", "Divers have brought the wreck to land.", 17, True, "body>main>h1"),
    ],
    ids=["same headline", "redesign without number", "rewritten", "rewritten and redesigned"],
)
def test_a_story_may_be_rewritten_or_redesigned(page: Shown) -> None:
    """It keeps its headline, its text, or the post's number."""
    assert stands_in_place(page, OLD) is None


def days(*shown: tuple[int, Shown]) -> list[tuple[datetime, Shown]]:
    return [(NOW + timedelta(days=day), page) for day, page in shown]


@pytest.mark.parametrize(
    ("captures", "aside"),
    [
        (days((0, OLD), (1, WALL), (2, OLD)), {1}),
        (days((0, WALL), (1, OLD), (2, OLD)), {0}),
        (days((0, WALL), (1, WALL), (2, WALL), (3, OLD)), {0, 1, 2}),
        (days((0, OLD), (1, WALL), (2, WALL)), {1, 2}),
        (days((0, OLD), (1, WALL), (4, WALL), (9, WALL)), {1, 2, 3}),
        (days((0, OLD), (1, DATED), (4, DATED), (9, DATED)), set()),
        (days((0, OLD), (1, OLD)), set()),
    ],
    ids=["between", "first", "at first", "still there", "for long", "believed", "none"],
)
def test_interruptions_are_found_among_an_addresss_captures(
    captures: list[tuple[datetime, Shown]], aside: set[int]
) -> None:
    """Before, between and after the story; what three captures of more than a week agree on is the story now, if it has anything of a story's page."""
    assert set(interruptions_among(captures)) == aside


def at(number: int, slug: str, page: Shown, before: Shown | None = None) -> Change:
    return Change(number, f"https://uknip.co.uk/news/uk/breaking/{slug}/", page, before)


def told(number: int) -> Shown:
    return Shown(
        f"Event {number}",
        f"On day {number} the {number}th mill of parish {number} burned {number} times.",
        number,
        True,
        "h1",
    )


def test_one_page_at_several_addresses_is_no_story() -> None:
    """New or known: a text that says nothing of the addresses at which it stands."""
    new = [at(1, "ferry-sinks", WALL), at(2, "mill-burns", WALL), at(3, "goats-escape", OLD)]
    assert set(same_at_several(new)) == {1, 2}
    known = [at(n, f"slug-{n}", WALL, told(n)) for n in (1, 2)]
    assert set(same_at_several(known)) == {1, 2}


def test_copies_of_a_story_are_stories() -> None:
    """A second copy lies at an address like the first's, or at one that the story tells of; all are edited alike."""
    copies = [at(1, "ferry-sinks", OLD), at(2, "ferry-sinks-2", OLD), at(3, "bisham-ferry-sank", OLD)]
    assert same_at_several(copies) == {}
    rewritten = [
        at(n, slug, WALL, OLD) for n, slug in enumerate(("ferry-sinks", "ferry-sinks-2", "bisham-ferry"))
    ]
    assert same_at_several(rewritten) == {}


def test_one_text_under_three_headlines_that_had_their_own_is_no_story() -> None:
    """As where a site asks to log in below every headline; two may be coincidence."""
    gate = [Shown(f"Event {n}", "Subscribers read on.", n, True, "h1") for n in range(3)]
    changes = [at(n, f"event-{n}", gate[n], told(n)) for n in range(3)]
    assert set(same_at_several(changes)) == {0, 1, 2}
    assert same_at_several(changes[:2]) == {}


def edited(number: int, *lines: str) -> Change:
    before = told(number)
    after = Shown(before.headline, "\n\n".join([before.body, *lines]), number, True, "h1")
    return at(number, f"event-{number}", after, before)


def test_the_same_line_in_a_third_of_ten_stories_is_nobodys_edit() -> None:
    """Not in fewer, not what police write under many stories, and not edits that differ."""
    visited: Counter[object] = Counter({None: 12})
    sale = [edited(n, "Get a third off our tea towels this week.") for n in range(6)]
    assert set(changed_at_once(sale, visited)) == set(range(6))
    assert changed_at_once(sale[:4], visited) == {}
    one_released = edited(7, "Get a third off our tea towels this week.")
    assert changed_at_once(sale, visited, [one_released]) == {}, "it speaks for the line"
    assert changed_at_once(sale, Counter({None: 9})) == {}
    assert (
        changed_at_once([edited(n, "Anyone with information should call 101.") for n in range(12)], visited)
        == {}
    )
    assert changed_at_once([edited(n, f"A {n}th hen was found later.") for n in range(12)], visited) == {}


@pytest.mark.parametrize(
    ("lost", "of", "ill"),
    [
        (0, 0, False),
        (1, 3, False),
        (3, 3, True),
        (1, 1, True),
        (3, 5, True),
        (9, 100, False),
        (40, 100, True),
        (10, 100, False),
    ],
)
def test_a_list_that_loses_most_of_its_stories_at_once_is_ill(lost: int, of: int, ill: bool) -> None:
    """A few stories are taken down every day, a third of them never."""
    assert is_mass_loss(lost, of) is ill
