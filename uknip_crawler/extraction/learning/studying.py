"""What one capture shows of its layout: the material that layouts are learned from, small enough to keep."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from uknip_crawler.extraction.learning.lines import Line, is_bold
from uknip_crawler.extraction.metadata.headline import Headline
from uknip_crawler.extraction.page import Element, Page
from uknip_crawler.extraction.page.places import ancestors, path, step
from uknip_crawler.extraction.page.raw import RawBlock, after_headline
from uknip_crawler.extraction.page.structured import Structured
from uknip_crawler.extraction.page.text import key
from uknip_crawler.models import BlockKind

MAX_LINES = 400
MAX_TEXT = 420
STUDY_VERSION = 1
"""Raised whenever the same capture may show something else."""
_KINDS = tuple(BlockKind)


@dataclass(slots=True, eq=False)
class Study:
    """The lines below a page's headline. `skeleton` names the layout; `headline` and `summary` are keys."""

    skeleton: str
    headline: str
    summary: str
    lines: list[Line]


def study(page: Page, raw: list[RawBlock], headline: Headline, data: Structured) -> Study:
    """Return what a page of a story shows; `raw` are all its blocks."""
    below = after_headline(page, raw, headline.element)
    found = (_line(block, headline, block.text[:MAX_TEXT], round(block.linked, 2)) for block in below)
    lines = [line for line in found if line is not None]
    summary = data.first("og:description", "description") or ""
    return Study(skeleton_of(headline, None), key(headline.text), key(summary), lines[:MAX_LINES])


def skeleton_of(headline: Headline, container: Element | None) -> str:
    """Return the name of a page's layout: the way from `body` down to its headline."""
    if headline.element is not None:
        return path(headline.element)
    return "without a headline: " + (path(container) if container is not None else "body")


def lines_of(blocks: Iterable[RawBlock], headline: Headline) -> dict[int, Line]:
    """Return the lines of blocks that hold words, by the block's index, as a page's own way down to them says."""
    found = ((i, _line(block, headline, block.text, block.linked)) for i, block in enumerate(blocks))
    return {index: line for index, line in found if line is not None}


def _line(block: RawBlock, headline: Headline, text: str, linked: float) -> Line | None:
    words = key(block.text) if block.is_text else ""
    if not words:
        return None
    chain = tuple(reversed(ancestors(block.element)))
    echo = words in headline.echoes
    return Line(text, block.kind, linked, is_bold(block), echo, tuple(map(step, chain)), chain)


# How studies are kept: no page's own code is run when they are read, as it would be with pickles


def pack(found: Study) -> bytes:
    """Return a study as it is kept: each element once, with the one that holds it."""
    steps: dict[str, int] = {}
    numbers: dict[Any, int] = {}
    elements: list[tuple[int, int]] = []
    rows = []
    for line in found.lines:
        inner = -1
        for element, one in zip(line.elements, line.steps, strict=True):
            if element not in numbers:
                numbers[element] = len(elements)
                elements.append((inner, steps.setdefault(one, len(steps))))
            inner = numbers[element]
        rows.append((line.text, _KINDS.index(line.kind), line.linked, line.is_bold + 2 * line.is_echo, inner))
    whole = (found.headline, found.summary, list(steps), elements, rows)
    data = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    return found.skeleton.encode() + b"\n" + zlib.compress(data, 6)


def skeleton_in(packed: bytes) -> str:
    """Return the name of a packed study's layout."""
    return packed.partition(b"\n")[0].decode()


def unpack(packed: bytes) -> Study:
    """Return a study as `pack` was given it, elements as their numbers."""
    skeleton, _, data = packed.partition(b"\n")
    headline, summary, steps, elements, rows = json.loads(zlib.decompress(data))
    chains: list[tuple[tuple[str, ...], tuple[int, ...]]] = []
    for number, (holder, one) in enumerate(elements):
        above = chains[holder] if holder >= 0 else ((), ())
        chains.append(((*above[0], steps[one]), (*above[1], number)))
    lines = []
    for text, kind, linked, flags, inner in rows:
        places, where = chains[inner] if inner >= 0 else ((), ())
        lines.append(Line(text, _KINDS[kind], linked, bool(flags & 1), bool(flags & 2), places, where))
    return Study(skeleton.decode(), headline, summary, lines)
