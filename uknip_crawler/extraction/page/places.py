"""Where an element stands: its path as tags, ids and classes, without what differs from page to page."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache

from uknip_crawler.extraction.page import Element

# fmt: off
TEXT_TAGS = frozenset({
    "p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "figure", "picture", "img", "a", "span", "table",
    "pre", "iframe", "video", "audio", "strong", "em", "b", "i",
})
# fmt: on
SEPARATOR = " > "
ANYWHERE = "… > "
"""Begins a place that is told by its own step alone, whatever stands around it."""
DIGITS = "0123456789"
_VARIABLE = re.compile(r"\d|^(?:category|tag|post|status|format|type|author|has|is)-|^(?:hentry|sticky)$")
_OWN_WORDS = re.compile(r"^(?:category|tag|author)-")
_OF_A_POST = re.compile(
    r"^\.(?:post-(?:\d|in-|password-)[\w-]*|(?:format|status|type)-[\w-]+|has-post-(?:thumbnail|password)|sticky)$"
)


def ancestors(element: Element) -> list[Element]:
    """Return the element and what holds it, innermost first, up to but without `body`."""
    chain, current = [], element
    while current is not None and current.tag not in ("body", "html"):
        chain.append(current)
        parent = current.getparent()
        if parent is None:
            break
        current = parent
    return chain


@lru_cache(8192)
def stable_classes(attribute: str) -> tuple[str, ...]:
    """Return the classes that are no page's own: no numbers, none of WordPress's post_class() words."""
    return tuple(token for token in attribute.split() if not _VARIABLE.search(token))


def path(element: Element) -> str:
    """Return the element's place, outermost first: tag, id without digits, first stable class."""
    return SEPARATOR.join(["body", *(_coarse(e) for e in reversed(ancestors(element)))])


def _coarse(element: Element) -> str:
    return _coarse_step(str(element.tag), element.get("id") or "", element.get("class") or "")


@lru_cache(8192)
def _coarse_step(tag: str, name: str, attribute: str) -> str:
    mark = f"#{'-'.join(name.split())}" if name.strip() and not re.search(r"\d", name) else ""
    return tag + mark + "".join(f".{token}" for token in stable_classes(attribute)[:1])


def step(element: Element) -> str:
    """Return tag, id and classes, all of them but the story's own words, parted by blanks: `div #main .box-3`."""
    return _step(str(element.tag), element.get("id") or "", element.get("class") or "")


@lru_cache(8192)
def _step(tag: str, name: str, attribute: str) -> str:
    marks = [f"#{name.split()[0]}"] if name.strip() else []
    marks += [f".{token}" for token in attribute.split() if not _OWN_WORDS.match(token)]
    return " ".join([tag, *dict.fromkeys(marks)])


def is_of_post(mark: str) -> bool:
    """Tell whether an id or class says something of one post, wherever it stands: words of WordPress's post_class()."""
    return _OF_A_POST.match(mark) is not None


def steps(element: Element) -> tuple[str, ...]:
    """Return the steps from below `body` down to the element."""
    return tuple(step(e) for e in reversed(ancestors(element)))


@dataclass(frozen=True, slots=True)
class Marks:
    """The ids and classes that belong to a layout and not to a page; `counters` are those that number an element's
    parts (`part-` of `part-1`, `part-2`), without the number."""

    own: frozenset[str] = frozenset()
    counters: frozenset[str] = frozenset()

    def narrowed(self, full: str) -> str:
        """Return a step with only the layout's own ids and classes."""
        return _narrowed(self.own, self.counters, full)


@lru_cache(8192)
def _narrowed(own: frozenset[str], counters: frozenset[str], full: str) -> str:
    tag, *marks = full.split(" ")
    stems = (stem if (stem := mark.rstrip(DIGITS)) in counters else mark for mark in marks)
    return " ".join([tag, *dict.fromkeys(m for m in stems if m in own or m in counters)])


def is_wrapper(full: str) -> bool:
    """Tell whether a step is a box around text, not text itself."""
    return full.partition(" ")[0] not in TEXT_TAGS


def own_step(place: str) -> str:
    """Return the last step of a place."""
    return place.rpartition(SEPARATOR)[2]


def listed_as(place: str, places: Container[str]) -> str | None:
    """Return the name under which a place is among some, its own or that of its step anywhere; None where it is not."""
    return next((name for name in (place, ANYWHERE + own_step(place)) if name in places), None)


def branches(below: tuple[str, ...]) -> Iterator[str]:
    """Yield the places that the narrowed steps below a container pass through, outermost first.

    Elements that only shape text count where they carry a class or an id.
    """
    passed: list[str] = []
    for one in below:
        if is_wrapper(one) or " " in one:
            passed.append(one)
            yield SEPARATOR.join(passed)
