"""A newspaper in small: stories that nobody else tells, on pages with whatever a test puts around and into them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from uknip_crawler.extraction import read, study_capture
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.extraction.learning.learn import Studied, Studies, learn
from uknip_crawler.extraction.learning.stories import Stories
from uknip_crawler.models import Capture, Reading
from uknip_crawler.sites import load_site

SITE = load_site("https://wexcombe.example/")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TRADES = [
    "baker",
    "joiner",
    "farrier",
    "chemist",
    "postman",
    "glazier",
    "cooper",
    "weaver",
    "potter",
    "saddler",
]
GOODS = [
    "barrels",
    "ladders",
    "bricks",
    "lanterns",
    "baskets",
    "kettles",
    "saddles",
    "blankets",
    "benches",
    "ropes",
]
PLACES = ["quay", "orchard", "mill", "bridge", "chapel", "market", "tannery", "viaduct", "meadow", "quarry"]
DEEDS = ["left", "moved", "sold", "lost", "found", "painted", "counted", "hid", "mended", "burned"]
OFTEN = ["before dawn", "after lunch", "at dusk", "during the storm", "by lantern light"]


def sentence(number: int, n: int = 0) -> str:
    """Return the n-th sentence of a story, which no other has: it says nothing in names or numbers alone."""
    trade, goods = TRADES[number % 10], GOODS[number // 10 % 10]
    place, deed = PLACES[(number + n) % 10], DEEDS[(number // 10 + n) % 10]
    return f"The {trade} of the {place} {deed} nine {goods} {OFTEN[n % 5]}, as the {GOODS[n % 10]} were seen by a {TRADES[n % 10]}."


def headline(number: int) -> str:
    return f"{TRADES[number % 10].title()} in a stir over {GOODS[number // 10 % 10]} near the {PLACES[number % 7]}"


def p(*lines: str) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


@dataclass(frozen=True)
class Post:
    """One page. `inside` stands among the story's own four paragraphs, after the second; `lead` before them; `wrap`
    holds the story's element, as `{}`, and `story` opens that element."""

    number: int
    inside: str = ""
    lead: str = ""
    story: str = '<div class="story">'
    wrap: str = '<div id="page"><h1>{headline}</h1>{story}</div>'
    seen_at: datetime = NOW
    own: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        return headline(self.number)

    @property
    def sentences(self) -> tuple[str, ...]:
        return self.own or tuple(sentence(self.number, n) for n in range(4))

    @cached_property
    def capture(self) -> Capture:
        text = self.lead + p(*self.sentences[:2]) + self.inside + p(*self.sentences[2:])
        page = self.wrap.replace("{headline}", self.headline).replace("{story}", f"{self.story}{text}</div>")
        title = f"<title>{self.headline}</title>"
        html = f"<html lang=en-GB><head>{title}</head><body>{page}</body></html>".encode()
        url = f"https://wexcombe.example/2026/03/01/story-{self.number}/"
        return Capture(url, 200, (("Content-Type", "text/html; charset=UTF-8"),), html, self.seen_at)


def studied(post: Post) -> Studied:
    packed = study_capture(post.capture, SITE)
    assert packed is not None
    return Studied(str(post.number), post.seen_at, post.capture.payload_sha256, packed)


def studies_of(posts: Iterable[Post]) -> Studies:
    studies = Studies()
    for post in posts:
        studies.add(studied(post))
    return studies


def stories_of(posts: Iterable[Post]) -> Stories:
    return Stories((post.headline, "\n\n".join(post.sentences)) for post in posts)


def learned_from(posts: Iterable[Post]) -> Learned:
    """Return what an archive of these pages knows."""
    held = list(posts)
    stories = stories_of(held)
    layouts, lore = learn(studies_of(held), stories)
    return Learned(layouts, stories, lore=lore)


def reading_of(post: Post, learned: Learned) -> Reading:
    reading = read(post.capture, SITE, expected_article=True, learned=learned)
    assert reading.article is not None, reading
    return reading


def body_of(post: Post, learned: Learned) -> list[str]:
    """Return the lines of a story as read, list markers taken off."""
    article = reading_of(post, learned).article
    assert article is not None
    return [re.sub(r"^- ", "", line) for line in re.split(r"\n+", article.body)]


def rules_of(post: Post, learned: Learned) -> dict[str, str]:
    """Return why each line was taken out."""
    return {line.text: line.rule for line in reading_of(post, learned).furniture}
