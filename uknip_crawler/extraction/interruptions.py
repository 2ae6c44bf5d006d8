"""Is a page something that stands in a story's place? Told from the page alone, by what it lacks and what it does.

Only pages that show nothing WordPress puts on a story are asked; no story is refused for its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from urllib.parse import urlsplit

from lxml import etree

from uknip_crawler.extraction.metadata.dating import may_be_dated
from uknip_crawler.extraction.page import Page, classes, text_of
from uknip_crawler.extraction.page.structured import Structured
from uknip_crawler.models import Capture
from uknip_crawler.sites import fold
from uknip_crawler.sites.walls import Walls, load_walls
from uknip_crawler.urls import slug

MAX_WORDS = 250
"""A notice is short: of a longer page only its address's history can tell."""
ENOUGH = 4
"""Weight of what speaks against a page from which it is no story."""
_FEW_WORDS = 80
_WHOLE = 6
"""Words from which a sentence is no button or label."""
_POST = re.compile(r"(?:post|postid)-\d+")
_STORY_CLASSES = frozenset(
    {"single", "single-post", "hentry", "type-post", "entry-content", "post-content", "article-body"}
)
_UNSEEN = frozenset({"script", "style", "template", "svg", "head"})
_INLINE = frozenset(
    {"a", "abbr", "b", "em", "font", "i", "img", "input", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u"}
)  # fmt: skip
_REFRESH = re.compile(r"\s*\d*(?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?['\"]?\s*(?P<to>[^'\"\s]+)", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|'[^']{20,}'")
_SENTENCE = re.compile(r"(?<=[.!?:])\s+")
_READER = re.compile(
    r"\b(?:you|your|yours|we|our|ours|us|please|this (?:site|page|website|domain|server))\b|^[a-z]+ (?:to|your|this)\b"
)


class Interruption(Enum):
    """What stands in the story's place."""

    CHECK = "a check that the visitor is a person"
    STOP = "a notice that lets nobody on"
    MISSING = "a notice that the story is not there"


def interruption(page: Page, data: Structured, capture: Capture) -> Interruption | None:
    """Return what stands in a story's place, None for a page that may be one."""
    if _has_story_marks(page, data):
        return None
    seen = _Notice(page, data, load_walls(), capture)
    if not 0 < seen.words <= MAX_WORDS or _is_dated(page):
        return None
    return seen.kind if seen.weight >= ENOUGH else None


def _has_story_marks(page: Page, data: Structured) -> bool:
    """Tell whether a page shows anything but a date that WordPress, a theme or a plugin puts on a story's page."""
    if (
        data.article
        or data.first("article:published_time", "article:modified_time")
        or "shortlink" in data.rel
    ):
        return True
    place = _place(page.url)
    if place and place in {_place(data.rel.get("canonical")), _place(data.first("og:url"))}:
        return True
    for name in ("body", "article", "div", "main", "section"):
        for element in page.by_tag[name]:
            tokens = classes(element)
            if not _STORY_CLASSES.isdisjoint(tokens) or _POST.fullmatch(element.get("id") or ""):
                return True
            if any(_POST.fullmatch(token) for token in tokens):
                return True
    return False


def _is_dated(page: Page) -> bool:
    return any(may_be_dated(element) for body in page.by_tag["body"] for element in body.iter("*"))


class _Notice:
    """What a page without marks of a story says and does, as weights."""

    def __init__(self, page: Page, data: Structured, walls: Walls, capture: Capture) -> None:
        self._page, self._data, self._walls, self._capture = page, data, walls, capture
        self._lines = list(_lines(page))
        self.words = sum(len(line.split()) for line in self._lines) + len(page.title.split())

    @property
    def kind(self) -> Interruption:
        if self._machinery or any(self._walls.checks.fullmatch(head) for head in self._heads):
            return Interruption.CHECK
        is_missing = any(self._walls.missing.fullmatch(head) for head in self._heads)
        return Interruption.MISSING if is_missing else Interruption.STOP

    @property
    def weight(self) -> int:
        named = 2 if any(self._walls.named(head) for head in self._heads) else 0
        led = 3 if self._leads_elsewhere and self.words <= _FEW_WORDS else 0
        asked = int(self._asks) + int(self._hides)
        return named + self._machinery + led + asked + self._speaks + self._strangeness

    @cached_property
    def _heads(self) -> list[str]:
        """Titles and headlines, whole and without the site's name behind a dash."""
        headings = self._page.by_tag["h1"][:2] or self._page.by_tag["h2"][:1]
        told = [self._page.title, *map(text_of, headings)]
        told += [] if headings else self._lines[:1]
        return [fold(part) for one in told for part in {one, re.split(r"\s+[-–—|‹]\s+", one)[0]} if part]

    @cached_property
    def _machinery(self) -> int:
        """3 for a known product's, 2 for a puzzle of any other that is not a comment form's."""
        named, has_form = [], False
        for element in self._page.elements:
            own = [value for name in ("src", "href", "action", "id", "class") if (value := element.get(name))]
            script = element.text if element.tag == "script" else None
            named.append(fold(" ".join([*own, (script or "")[:4_000]])))
            has_form = has_form or element.tag == "textarea"
        named += map(fold, self._lines)
        if any(self._walls.machinery.search(name) for name in named):
            return 3
        return 2 if not has_form and any(self._walls.puzzles.search(name) for name in named) else 0

    @cached_property
    def _leads_elsewhere(self) -> bool:
        for meta in self._page.by_tag["meta"]:
            if (meta.get("http-equiv") or "").strip().lower() != "refresh":
                continue
            found = _REFRESH.match(meta.get("content") or "")
            target = self._page.absolute(found["to"]) if found else None
            if target and target.split("#")[0].rstrip("/") != self._page.url.rstrip("/"):
                return True
        return False

    @property
    def _asks(self) -> bool:
        """Whether it waits for a password, an address or a press of a button."""
        fields = (e.get("type", "") for e in self._page.by_tag["input"])
        return bool(self._page.by_tag["button"]) or any(
            kind in ("password", "email", "submit") for kind in fields
        )

    @property
    def _hides(self) -> bool:
        told = f"{self._data.first('robots') or ''} {self._capture.header('x-robots-tag') or ''}".lower()
        return "noindex" in told or "none" in told.replace(",", " ").split()

    @cached_property
    def _speaks(self) -> int:
        """How far it speaks to its visitor about the visit: 2 in half of its sentences, 1 in any; less the 2 of a page
        that for the most part tells of something else."""
        sentences = [
            s
            for line in self._lines
            for s in _SENTENCE.split(_QUOTED.sub(" ", fold(line)))
            if len(s.split()) > 2
        ]
        speaking = sum(bool(_READER.search(s) and self._walls.visit.search(s)) for s in sentences)
        whole = [s for s in sentences if len(s.split()) >= _WHOLE]
        telling = sum(not (_READER.search(s) or self._walls.visit.search(s)) for s in whole)
        spoken = (2 if 2 * speaking >= len(sentences) else 1) if speaking else 0
        return spoken - (2 if telling and 2 * telling >= len(whole) else 0)

    @cached_property
    def _strangeness(self) -> int:
        """How far the page is strange to its address and site: 2 where nothing leads on and no words of the address
        are said, down to -2."""
        words = {word for word in re.split(r"[\W_]+", slug(self._page.url).lower()) if len(word) > 3}
        said = fold(" ".join([self._page.title, *self._lines]))
        is_named = bool(words) and 3 * sum(word in said for word in words) >= len(words)
        leads_on = any(self._is_of_site(address) for address in self._page.hrefs)
        return (-2 if is_named else int(bool(words))) + (0 if leads_on else 1)

    def _is_of_site(self, address: str) -> bool:
        """Tell whether a link leads to another page of the site than its home page, and to no form."""
        target = self._page.absolute(address)
        if not target or "?" in address or address.startswith("#"):
            return False
        place = urlsplit(target)
        is_form = bool(self._walls.visit.search(fold(re.sub(r"[\W_]+", " ", place.path))))
        return place.netloc == urlsplit(self._page.url).netloc and len(place.path) > 1 and not is_form


def _place(address: str | None) -> str:
    try:
        return urlsplit(address or "").path.rstrip("/")
    except ValueError:
        return ""


def _lines(page: Page) -> Iterator[str]:
    """Yield the lines that a visitor sees, of a page that is far too long for a notice only the first."""
    parts: list[str] = []
    left = 2 * MAX_WORDS  # counted between tags, of which some stand inside words
    for body in page.by_tag["body"][:1]:
        walk = etree.iterwalk(body, events=("start", "end"))
        for event, element in walk:
            is_block = not isinstance(element.tag, str) or element.tag not in _INLINE
            if event == "start" and (not isinstance(element.tag, str) or element.tag in _UNSEEN):
                walk.skip_subtree()
            elif event == "start" or element is not body:
                text = (element.text if event == "start" else element.tail) or ""
                parts.append(("\n" if is_block else "") + text.replace("\n", " "))
                left -= len(text.split())
                if left < 0:
                    break
    for line in "".join(parts).split("\n"):
        if words := " ".join(line.split()):
            yield words
