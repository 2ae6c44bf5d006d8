"""What the benchmarks of reading share: the learner as they use it, and how a body is held against the truth."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from examination import missing, words

from uknip_crawler.extraction import read, study_capture
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.extraction.learning.learn import Studied, Studies, learn
from uknip_crawler.extraction.learning.stories import Stories
from uknip_crawler.models import Capture, Reading
from uknip_crawler.sites import Site, load_site

BASE = "http://127.0.0.1:8000/"


# The learner: everything that is asked of it


@lru_cache(2048)
def _studied(capture: Capture, base: str) -> bytes | None:
    return study_capture(capture, load_site(base))


@lru_cache(2048)
def _told(capture: Capture, base: str) -> tuple[str, str]:
    article = reading(capture, Learned(), base).article
    return (article.headline, article.body) if article else ("", "")


def learned_from(captures: Sequence[Capture], held: Sequence[Capture] = (), base: str = BASE) -> Learned:
    """Return what these captures teach an archive that holds their stories and those of `held`."""
    stories = Stories(_told(one, base) for one in held or captures)
    studies = Studies()
    for one in captures:
        if found := _studied(one, base):
            studies.add(Studied(one.url, one.fetched_at, one.payload_sha256, found))
    layouts, lore = learn(studies, stories)
    return Learned(layouts, stories, lore=lore)


@lru_cache
def _site(base: str) -> Site:
    return load_site(base)


def reading(capture: Capture, learned: Learned, base: str = BASE) -> Reading:
    return read(capture, _site(base), expected_article=True, learned=learned, with_links=False)


# Right


@dataclass(slots=True)
class Tally:
    pages: int = 0
    exact: int = 0
    leaking: int = 0
    paragraphs: int = 0
    lost: int = 0

    def add(
        self, body: str, story: Sequence[str], post: Sequence[str] | None = None, *, by: str = "\n\n"
    ) -> None:
        """Count one body, its lines parted `by`; `post` is all that may stand in it, the story included."""
        lines = body.split(by)
        lost = missing(story, lines)
        self.pages += 1
        self.exact += words(lines) == words(story)
        self.leaking += bool(missing(lines, post or story))
        self.paragraphs += len(story)
        self.lost += len(lost)

    def __str__(self) -> str:
        pages = max(1, self.pages)
        shares = f"exact {self.exact / pages:7.2%}  leaking {self.leaking / pages:7.2%}"
        return f"{shares}  paragraphs lost {self.lost:4} of {self.paragraphs}  ({self.pages} pages)"


def show(name: str, tally: object) -> None:
    print(f"{name:34}{tally}", flush=True)
