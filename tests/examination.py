"""How well pages of the sample site are read, measured against what its newsroom put on them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from uknip_crawler.demo.furniture import Furniture, furniture
from uknip_crawler.demo.posts import Post
from uknip_crawler.demo.server import SampleSite
from uknip_crawler.models import Article, Capture, Reading

HTML = (("Content-Type", "text/html; charset=UTF-8"),)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Question:
    """One page as served, and the truth about it."""

    post: Post
    around: Furniture
    capture: Capture


@dataclass(slots=True)
class Marks:
    """What was right. `wrong` holds the addresses whose body is not exactly the story, with what differs: paragraphs
    that are lost, and lines that are no part of the story."""

    pages: int = 0
    exact_bodies: int = 0
    leaking: int = 0
    paragraphs: int = 0
    lost_paragraphs: int = 0
    exact_headlines: int = 0
    minutes_printed: int = 0
    exact_minutes: int = 0
    wrong: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, float]:
        """Return shares of pages, of paragraphs for `lost_paragraphs`, of dated pages for `exact_minutes`."""
        pages = max(1, self.pages)
        return {
            "exact_bodies": self.exact_bodies / pages,
            "leaking": self.leaking / pages,
            "lost_paragraphs": self.lost_paragraphs / max(1, self.paragraphs),
            "exact_headlines": self.exact_headlines / pages,
            "exact_minutes": self.exact_minutes / self.minutes_printed if self.minutes_printed else 1.0,
        }


def questions(site: SampleSite, *, fetched_at: datetime) -> list[Question]:
    """Return every story's page as the site serves it now, oldest story first."""
    posts = site.newsroom.published()
    found = []
    for post in reversed(posts):
        others = site.others(post)
        around = furniture(post, others, site.newsroom.promo)
        capture = Capture(site.url(post.path), 200, HTML, site.answer(post.path).body, fetched_at)
        found.append(Question(post, around, capture))
    return found


def mark(answers: Iterable[tuple[Question, Reading]]) -> Marks:
    """Compare readings with the truth; neither white space nor how paragraphs are broken counts for more than
    exactness."""
    marks = Marks()
    for question, reading in answers:
        _mark_one(marks, question, reading.article)
    return marks


def _mark_one(marks: Marks, question: Question, article: Article | None) -> None:
    post = question.post
    truth = lines(post.body)
    read = lines(article.body) if article else []
    lost, more = missing(truth, read), missing(read, truth)
    marks.pages += 1
    marks.paragraphs += len(truth)
    marks.lost_paragraphs += len(lost)
    marks.leaking += bool(more)
    if read == truth:
        marks.exact_bodies += 1
    else:
        marks.wrong.append((post.path, lost, more))
    marks.exact_headlines += article is not None and article.headline == post.headline
    if not post.unstructured:
        marks.minutes_printed += 1
        marks.exact_minutes += article is not None and article.published_at == post.published_at


def lines(body: str) -> list[str]:
    """Return the lines of a body, white space made even."""
    return [" ".join(line.split()) for line in body.split("\n\n") if line.strip()]


def missing(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return those of some lines whose words do not stand together, in their order, anywhere in the others."""
    whole = words(others)
    return tuple(line for line in some if words([line]) not in whole)


def words(texts: Sequence[str]) -> str:
    """Return the words of some texts, one space before and after each."""
    found = (word for text in texts for word in _WORD.findall(unicodedata.normalize("NFC", text)))
    return f" {' '.join(found)} "
