"""How well the sample site's pages are read, held against figures that may only rise."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from crawling import NOW
from examination import Marks, Question, mark, questions

from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.duplicates.fingerprints import content_sha256
from uknip_crawler.extraction import read, study_capture
from uknip_crawler.extraction.learning.layouts import Layout, Learned, Lore, State
from uknip_crawler.extraction.learning.learn import Studied, Studies, learn
from uknip_crawler.extraction.learning.masking import mask
from uknip_crawler.extraction.learning.rules import Wordings
from uknip_crawler.extraction.learning.stories import Stories
from uknip_crawler.extraction.learning.studying import skeleton_in
from uknip_crawler.models import Capture, Reading
from uknip_crawler.sites import load_site

FLOOR = tomllib.loads(Path(__file__).with_name("accuracy_floor.toml").read_text("utf-8"))
SITE = load_site("http://127.0.0.1:8000/")
STORIES = 225
HARD_STORIES = 300


def served(newsroom: Newsroom) -> list[Question]:
    site = SampleSite(newsroom)
    site.base_url = SITE.base_url
    return questions(site, fetched_at=newsroom.now)


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return served(Newsroom(STORIES, now=NOW))


@pytest.fixture(scope="module")
def hard() -> list[Question]:
    return served(Newsroom(HARD_STORIES, now=NOW, hard=True))


@cache
def studied(capture: Capture) -> bytes | None:
    """Study a page once for all tests: most of their time would go into it."""
    return study_capture(capture, SITE)


def learned_from(asked: list[Question], stories: list[Question] | None = None) -> Learned:
    """Learn from some pages, with the headlines and openings of `stories` (else theirs) in the archive."""
    known = Stories((q.post.headline, q.post.body) for q in stories or asked)
    studies = Studies()
    for q in asked:
        if found := studied(q.capture):
            capture = q.capture
            studies.add(Studied(str(q.post.post_id), capture.fetched_at, capture.payload_sha256, found))
    layouts, lore = learn(studies, known)
    return Learned(layouts, known, lore=lore)


def readings(asked: list[Question], learned: Learned) -> list[tuple[Question, Reading]]:
    return [(q, read(q.capture, SITE, learned=learned, with_links=False)) for q in asked]


def examined(asked: list[Question], learned: Learned) -> Marks:
    return mark(readings(asked, learned))


def parted(asked: list[Question], count: int) -> tuple[list[Question], list[Question]]:
    """Return the first `count` pages of each layout, and the others."""
    by_layout = defaultdict(list)
    for question in asked:
        by_layout[question.post.layout].append(question)
    groups = list(by_layout.values())
    return [q for group in groups for q in group[:count]], [q for group in groups for q in group[count:]]


def holds(marks: Marks, floor: dict[str, float]) -> None:
    worse = {
        name: (figure, floor[name])
        for name, figure in marks.figures.items()
        if (figure > floor[name] if name in ("leaking", "lost_paragraphs") else figure < floor[name])
    }
    assert not worse, marks.wrong[:3]


@pytest.fixture(scope="module")
def learned(asked: list[Question]) -> Learned:
    return learned_from(asked)


def test_after_learning_every_body_is_exact(asked: list[Question], learned: Learned) -> None:
    """Nine layouts, furniture inside the story on four of them, wordings in no catalogue."""
    assert len({q.post.layout for q in asked}) == 9
    assert all(layout.state is State.TRUSTED for layout in learned.layouts.values())
    holds(examined(asked, learned), FLOOR["learned"])


def test_the_first_ten_pages_of_each_layout_are_nearly_clean(asked: list[Question]) -> None:
    """Ten pages teach the boxes; a bare paragraph seen twice may yet be story."""
    first, _ = parted(asked, 10)
    holds(examined(first, learned_from(first, asked)), FLOOR["first_ten"])


def test_without_learning_no_paragraph_is_lost(asked: list[Question]) -> None:
    """A page of an unknown layout may show furniture too much, never too little of the story."""
    holds(examined(asked[::2], Learned()), FLOOR["cold"])


def test_the_hard_site_is_read_no_worse_than_it_was(hard: list[Question]) -> None:
    """Fifteen layouts, furniture among the story's own paragraphs, story that looks like it."""
    assert len({q.post.layout for q in hard}) == 15
    holds(examined(hard, learned_from(hard)), FLOOR["hard"])


@pytest.mark.parametrize("count", [20, 10, 5])
def test_new_pages_of_the_hard_site_are_read_by_what_the_first_taught(
    hard: list[Question], count: int
) -> None:
    """Layouts learned from their first pages, the others read; the archive holds what they may tease."""
    first, others = parted(hard, count)
    holds(examined(others, learned_from(first, hard)), FLOOR[f"hard_first_{count}"])


def test_a_redesign_makes_no_revision(asked: list[Question], learned: Learned) -> None:
    """The whole site in a layout nobody has seen: every story reads as before, to the letter."""
    newsroom = Newsroom(STORIES, now=NOW)
    newsroom.redesign(NOW + timedelta(days=1))
    again = served(newsroom)[::2]
    both = learned_from([*asked, *again])
    old, new = readings(asked, both), readings(again, both)
    holds(mark(new), FLOOR["learned"])
    holds(mark(old), FLOOR["learned"])
    before = {q.post.post_id: _digest(reading) for q, reading in old[::2]}
    assert {q.post.post_id: _digest(reading) for q, reading in new} == before


def _digest(reading: Reading) -> str:
    assert reading.article is not None
    return content_sha256(reading.article.headline, reading.article.body)


def test_the_same_captures_teach_the_same_in_any_order(asked: list[Question]) -> None:
    """Forwards, backwards, and through the archive's own form."""
    some = asked[::2]
    one, two = learned_from(some), learned_from(some[::-1])
    assert one.layouts == two.layouts
    assert one.lore == two.lore
    assert Lore.of(Wordings.of(one.lore.wordings.rows()), one.lore.kept()) == one.lore
    for layout in one.layouts.values():
        kept = Layout.of(layout.skeleton, layout.state, layout.studied, layout.agreement, layout.rules())
        assert kept == layout
        assert kept.digest == layout.digest


def test_an_unknown_layout_is_read_as_ever(asked: list[Question], learned: Learned) -> None:
    """The places of one layout are never those of another."""
    alone = next(layout for layout in learned.layouts)
    rest = Learned(
        {name: layout for name, layout in learned.layouts.items() if name != alone}, learned.stories
    )
    page = next(q for q in asked if (found := studied(q.capture)) and skeleton_in(found) == alone)
    cold = Learned({}, learned.stories)
    assert read(page.capture, SITE, learned=rest) == read(page.capture, SITE, learned=cold)


def test_a_layout_that_breaks_its_promise_is_read_as_ever(asked: list[Question], learned: Learned) -> None:
    """The container is gone though the headline stands where it stood: flagged, and nothing is lost."""
    question = next(q for q in asked if q.post.layout == "newspaper")
    body = question.capture.body.replace(b"td-post-content tagdiv-type", b"story-text")
    capture = type(question.capture)(
        question.capture.url, 200, question.capture.headers, body, question.capture.fetched_at
    )
    reading = read(capture, SITE, learned=learned)
    assert reading.article is not None
    assert "layout_drift" in reading.flags
    assert set(question.post.body.split("\n\n")) <= set(reading.article.body.split("\n\n"))


def test_a_verdict_overrules_what_was_learned(asked: list[Question], learned: Learned) -> None:
    """Kept lines come back where they stood; stripped lines go, also from a layout nobody knows."""
    question = next(q for q in asked if q.around.donation and len(q.post.blocks) > 4)
    line = question.around.donation[1]
    kept = Learned(learned.layouts, learned.stories, keep=frozenset({mask(line)}), lore=learned.lore)
    article = read(question.capture, SITE, learned=kept).article
    assert article is not None
    assert line in article.body
    story = question.post.blocks[0].text
    stripped = Learned({}, Stories(), strip=frozenset({mask(story)}))
    article = read(question.capture, SITE, learned=stripped).article
    assert article is not None
    assert story not in article.body
