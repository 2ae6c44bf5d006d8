"""How well the sample site's pages are read, held against figures that may only rise."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
from crawling import NOW

from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.examination import Marks, Question, mark, questions
from uknip_crawler.extraction import read
from uknip_crawler.extraction.layouts import Layout, Learned, State, Stories
from uknip_crawler.extraction.learning import learn
from uknip_crawler.extraction.studying import study
from uknip_crawler.fingerprints import content_sha256
from uknip_crawler.sites import load_site

FLOOR = tomllib.loads(Path(__file__).with_name("accuracy_floor.toml").read_text("utf-8"))
SITE = load_site("http://127.0.0.1:8000/")
STORIES = 225


@pytest.fixture(scope="module")
def site() -> SampleSite:
    found = SampleSite(Newsroom(STORIES, now=NOW))
    found.base_url = SITE.base_url
    return found


@pytest.fixture(scope="module")
def asked(site: SampleSite) -> list[Question]:
    return questions(site, fetched_at=NOW)


def learned_from(asked: list[Question], stories: list[Question] | None = None) -> Learned:
    """Learn from some pages, with the headlines and openings of `stories` (else theirs) in the archive."""
    known = Stories((q.post.headline, q.post.body) for q in stories or asked)
    studies = [found for q in asked if (found := study(q.capture, SITE))]
    return Learned({layout.skeleton: layout for layout in learn(studies, known)}, known)


def examined(asked: list[Question], learned: Learned) -> Marks:
    return mark((q, read(q.capture, SITE, learned=learned, with_links=False)) for q in asked)


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
    by_layout = defaultdict(list)
    for question in asked:
        by_layout[question.post.layout].append(question)
    first = [question for group in by_layout.values() for question in group[:10]]
    holds(examined(first, learned_from(first, asked)), FLOOR["first_ten"])


def test_without_learning_no_paragraph_is_lost(asked: list[Question]) -> None:
    """A page of an unknown layout may show furniture too much, never too little of the story."""
    holds(examined(asked, Learned()), FLOOR["cold"])


def test_a_redesign_makes_no_revision(asked: list[Question], learned: Learned) -> None:
    """The whole site in a layout nobody has seen: every story reads as before, to the letter."""
    newsroom = Newsroom(STORIES, now=NOW)
    newsroom.redesign(NOW + timedelta(days=1))
    rebuilt = SampleSite(newsroom)
    rebuilt.base_url = SITE.base_url
    again = questions(rebuilt, fetched_at=NOW + timedelta(days=1))
    both = learned_from([*asked, *again])
    holds(examined(again, both), FLOOR["learned"])
    holds(examined(asked, both), FLOOR["learned"])
    before = {q.post.post_id: _digest(q, both) for q in asked}
    assert {q.post.post_id: _digest(q, both) for q in again} == before


def _digest(question: Question, learned: Learned) -> str:
    article = read(question.capture, SITE, learned=learned).article
    assert article is not None
    return content_sha256(article.headline, article.body)


def test_the_same_captures_give_the_same_layouts_in_any_order(asked: list[Question]) -> None:
    """Forwards, backwards, and through the archive's own form."""
    some = asked[::2]
    one, two = learned_from(some), learned_from(some[::-1])
    assert one.layouts == two.layouts
    for layout in one.layouts.values():
        kept = Layout.of(layout.skeleton, layout.state, layout.studied, layout.agreement, layout.rules())
        assert kept == layout
        assert kept.digest == layout.digest


def test_an_unknown_layout_is_read_as_ever(asked: list[Question], learned: Learned) -> None:
    """What was learned of one layout is never applied to another."""
    alone = next(layout for layout in learned.layouts)
    rest = Learned(
        {name: layout for name, layout in learned.layouts.items() if name != alone}, learned.stories
    )
    page = next(q for q in asked if read(q.capture, SITE).skeleton == alone)
    cold = Learned({}, learned.stories)
    assert read(page.capture, SITE, learned=rest) == read(page.capture, SITE, learned=cold)


def test_a_layout_that_breaks_its_promise_is_read_as_ever(asked: list[Question], learned: Learned) -> None:
    """The container is gone though the headline stands where it stood: flagged, and nothing is lost."""
    question = next(q for q in asked if q.post.layout == "newspaper")
    body = question.capture.body.replace(b"td-post-content", b"td-new-content")
    capture = type(question.capture)(
        question.capture.url, 200, question.capture.headers, body, question.capture.fetched_at
    )
    reading = read(capture, SITE, learned=learned)
    assert reading.article is not None
    assert "layout_drift" in reading.flags
    assert set(question.post.body.split("\n\n")) <= set(reading.article.body.split("\n\n"))


def test_a_verdict_overrules_what_was_learned(asked: list[Question], learned: Learned) -> None:
    """Kept lines come back where they stood; stripped lines go, also from a layout nobody knows."""
    from uknip_crawler.extraction.masking import mask

    question = next(q for q in asked if q.around.donation and len(q.post.blocks) > 4)
    line = question.around.donation[1]
    kept = Learned(learned.layouts, learned.stories, keep=frozenset({mask(line)}))
    article = read(question.capture, SITE, learned=kept).article
    assert article is not None
    assert line in article.body
    story = question.post.blocks[0].text
    stripped = Learned({}, Stories(), strip=frozenset({mask(story)}))
    article = read(question.capture, SITE, learned=stripped).article
    assert article is not None
    assert story not in article.body
