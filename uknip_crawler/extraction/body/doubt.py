"""A doubt about a reading: too many of the page's long sentences are not in the body, though they stand as a story's do."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.marks import holds_remarks
from uknip_crawler.extraction.page.places import TEXT_TAGS, ancestors, stable_classes
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.text import key

COLD_RULES = frozenset(
    {"after_story", "before_story", "wrapper", "teaser_card", "form", "comments", "tail", "teasers"}
)
"""Rules that judge one page by itself and may err; what other rules take is known to be furniture."""

SHARE_LEFT_OUT = 0.2
MIN_WORDS_LEFT_OUT = 30
MIN_CHARACTERS = 60
MANY = 3
_ASIDE = re.compile(
    r"cookie|consent|gdpr|privacy|disclaimer|copyright|legal|terms|footer|caption|credit|transcript|modal|popup|signup|newsletter"
)


def may_leave_story_out(page: Page, container: Element, body: str, is_new: Callable[[str], bool]) -> bool:
    """Tell whether a page whose story stands in a known place needs a closer look: paragraphs outside of it that no other
    page has (`is_new`) hold over a fifth of the words. Most pages need none."""
    inside = set(container.iter("p"))
    apart = [text_of(p) for p in page.by_tag["p"] if p not in inside and p.find(".//a") is None]
    words = sum(len(text.split()) for text in apart if len(text) >= MIN_CHARACTERS and is_new(text))
    return words >= MIN_WORDS_LEFT_OUT and words > SHARE_LEFT_OUT * (words + len(body.split()))


def leaves_story_out(page: list[RawBlock], body: Iterable[str], furniture: AbstractSet[str]) -> bool:
    """Tell whether a body lacks over a fifth of the words in long unlinked sentences that stand as a story's do.

    `page` is every block of the page, `body` the texts of the story, `furniture` the texts that are known to be none.
    Comments, teasers, notices and lists of other stories are no measure of a story, however long.
    """
    told = [block for block in page if block.is_told]
    kept = {key(text) for text in body}
    running = f" {' '.join(key(text) for text in body)} "
    known = {key(text) for text in furniture}
    inside = [block for block in told if key(block.text) in kept or f" {key(block.text)} " in running]
    found = {id(block) for block in inside}
    left = [block for block in told if id(block) not in found and key(block.text) not in known]
    open_air = _OpenAir(page, inside)
    words = Counter({True: _words(inside), False: _words([b for b in left if open_air.holds(b)])})
    return words[False] >= MIN_WORDS_LEFT_OUT and words[False] > SHARE_LEFT_OUT * sum(words.values())


def _words(blocks: list[RawBlock]) -> int:
    return sum(len(text.split()) for text in {block.text for block in blocks})


class _OpenAir:
    """Where on a page a sentence may be the story's: beside what was read, or in no box of another kind."""

    def __init__(self, page: list[RawBlock], inside: list[RawBlock]) -> None:
        self._homes = {e for block in inside for e in ancestors(block.element)[1:2]}
        self._around = {e for block in inside for e in ancestors(block.element)}
        self._linked: Counter[Element] = Counter()
        self._told: Counter[Element] = Counter()
        rows: dict[tuple[Element | None, str, tuple[str, ...]], set[Element]] = defaultdict(set)
        for block in page:
            chain = ancestors(block.element)
            if block.is_text and block.linked > 0.9:
                self._linked.update(chain)
            if block.is_told:
                self._told.update(chain)
                for element in chain:
                    if element.tag not in TEXT_TAGS or element.tag == "li":
                        names = stable_classes(element.get("class") or "")
                        rows[element.getparent(), str(element.tag), names].add(element)
        foreign = [alike for alike in rows.values() if len(alike) >= MANY and not alike & self._around]
        self._rows = {element for alike in foreign for element in alike}

    def holds(self, block: RawBlock) -> bool:
        chain = ancestors(block.element)
        if self._homes.intersection(chain[1:2]):
            return True
        apart = [e for e in chain if e not in self._around]
        if block.junk is not None and block.junk in apart:
            return False
        is_own = any(e.tag == "article" for e in self._around.intersection(chain))
        if any(holds_remarks(e) or (e in self._rows and not is_own) or _is_aside(e) for e in apart):
            return False
        return not any(self._linked[e] >= self._told[e] for e in apart[1:] if self._linked[e])


def _is_aside(element: Element) -> bool:
    return any(_ASIDE.search(token.lower()) for token in (*classes(element), element.get("id") or ""))
