"""Which of a located story's blocks are furniture after all, by what the archive knows of wordings, stories and boxes.

Needs no place: it holds on every layout, trusted or not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import cast

from uknip_crawler.extraction.learning.branches import judge_copies
from uknip_crawler.extraction.learning.containers import containers_of
from uknip_crawler.extraction.learning.layouts import Learned, Lore
from uknip_crawler.extraction.learning.learn import mark_lines, sheet_of
from uknip_crawler.extraction.learning.lines import Line, mark_cards
from uknip_crawler.extraction.learning.rules import Rule
from uknip_crawler.extraction.learning.stories import holds, number, other_story
from uknip_crawler.extraction.learning.studying import Study, lines_of
from uknip_crawler.extraction.learning.wording import judge, may_go
from uknip_crawler.extraction.metadata.headline import Headline
from uknip_crawler.extraction.page import Element
from uknip_crawler.extraction.page.places import is_wrapper
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.text import key
from uknip_crawler.models import BlockKind, Stripped


def drop_furniture(
    blocks: list[RawBlock],
    inside: Iterable[RawBlock],
    headline: Headline,
    learned: Learned,
    *,
    may_be_empty: bool = False,
) -> tuple[list[RawBlock], list[Stripped]]:
    """Return a story's blocks without furniture, and what was taken out.

    `inside` are further blocks of its container that were left out by their place; a further page of a story
    `may_be_empty`.
    """
    lore = learned.lore
    level = lines_of(blocks, headline)
    boxed = lines_of(inside, headline)
    every = [*level.values(), *boxed.values()]
    mark_cards(every)
    _mark(every, key(headline.text), learned)
    why = judge([*level.values()], lore.wordings, lore.templates, may_be_empty=may_be_empty)
    judge_copies(every, [*level.values()], why)
    why = {line: rule for line, rule in why.items() if line.masked not in learned.keep}
    gone = {index for index, line in level.items() if line in why}
    if not gone:
        return blocks, []
    gone |= _images_of(blocks, level, why)
    taken = [_stripped(level[index], why) for index in sorted(gone) if index in level]
    return [block for index, block in enumerate(blocks) if index not in gone], taken


def own_container(found: Study, learned: Learned) -> Element | None:
    """Return the element of one page whose new words are best its own, where no learned place fits; None where no
    sentence is new."""
    sheet = sheet_of(found)
    _mark(sheet.lines, sheet.headline, learned)
    for line in sheet.lines:
        line.place = line.steps
    places = containers_of([sheet]) if sheet.core_words else []
    sheet.enter(places)
    if sheet.container is None:
        return None
    return cast(Element, sheet.inside[0].elements[len(sheet.container) - 1])


def _mark(lines: Sequence[Line], headline: str, learned: Learned) -> None:
    lore = learned.lore

    def is_new(said: str) -> bool:
        return not holds(lore.recurring, number(said))

    mark_lines(lines, headline, is_new, learned.stories, lore.links)


def _stripped(line: Line, why: dict[Line, Rule]) -> Stripped:
    rule = why[line]
    return Stripped(line.text, rule.why, "", rule.stories, rule.layouts)


def _images_of(blocks: Sequence[RawBlock], level: dict[int, Line], why: dict[Line, Rule]) -> set[int]:
    """Return the images and embeds of boxes whose every line is furniture: a teaser's image goes with it."""
    held: dict[Hashable, list[bool]] = {}
    for line in level.values():
        for element, step in zip(line.elements, line.steps, strict=True):
            if is_wrapper(step):
                held.setdefault(element, []).append(line in why)
    condemned = {element for element, told in held.items() if all(told)}
    found = set()
    for index, block in enumerate(blocks):
        element = block.element if index not in level else None
        while element is not None:
            if element in condemned:
                found.add(index)
            element = element.getparent()
    return found


class Changes:
    """What new knowledge of wordings and stories may change in what is read already, told by the lines alone.

    A line that is not touched reads as before; one that is may do so all the same, by what stands around it.
    """

    def __init__(self, old: Lore, new: Learned) -> None:
        self._old, self._new = old, new

    def touch_kept(self, line: str, headline: str) -> bool:
        """Tell whether a line that stayed in a story may go now; `headline` is the story's key."""
        found = Line(line, BlockKind.PARAGRAPH, 0.0, False, False, (), ())
        if not found.key:
            return False
        if not found.is_prose and other_story(found, headline, self._new.stories, self._new.lore.links):
            return True
        return may_go(found, self._new.lore.wordings, self._new.lore.templates) and not may_go(
            found, self._old.wordings, self._old.templates
        )

    def touch_stripped(self, line: str) -> bool:
        """Tell whether a line that a rule of wording took may stay now."""
        found = Line(line, BlockKind.PARAGRAPH, 0.0, False, False, (), ())
        return bool(found.key) and not may_go(found, self._new.lore.wordings, self._new.lore.templates)
