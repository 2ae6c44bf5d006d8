"""Where the story sits: trafilatura points at its paragraphs, the page's own tree gives their text."""

from __future__ import annotations

import copy
import logging
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache

import trafilatura

from uknip_crawler.extraction.body.boxes import Boxes
from uknip_crawler.extraction.metadata.headline import Headline
from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.marks import holds_remarks, is_junk, lays_out
from uknip_crawler.extraction.page.places import TEXT_TAGS, ancestors, stable_classes
from uknip_crawler.extraction.page.raw import RawBlock, after_headline
from uknip_crawler.extraction.page.text import is_cut, is_sentence, key
from uknip_crawler.models import BlockKind, Stripped

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs every page without text as an error

SHARE_OF_STORY = 0.9
MAX_CARD_BLOCKS = 3
WORTH_WIDENING = 10
MAX_TWIN_DEPTH = 6
BIG_TWIN = 4
MAX_TRAFILATURA_ELEMENTS = 20_000
# class tokens under which WordPress themes wrap `the_content()`; a hint, never needed
_CONTENT = re.compile(
    r"(?:entry|post|article|single|td-post|penci-entry|inner-post|story)[-_](?:content|body|entry)|content-inner|post-entry"
)
Shape = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Body:
    """`blocks` are the story's, `above` those between headline and story, `dropped` what structure ruled out; `boxed`
    are the blocks of the container that a learned place ruled out."""

    blocks: list[RawBlock]
    above: list[RawBlock]
    dropped: list[Stripped]
    boxed: list[RawBlock] = field(default_factory=list)


@dataclass(slots=True)
class Survey:
    """What a page shows without knowledge of its layout: the blocks below the headline, the wrappers of teasers,
    the blocks trafilatura takes for story (index → words), and the element that holds the story."""

    blocks: list[RawBlock]
    cards: set[Element]
    approved: dict[int, int]
    container: Element | None


def survey(page: Page, raw: list[RawBlock], headline: Headline) -> Survey:
    """Look a page over with trafilatura."""
    printed = _printed(headline)
    after = after_headline(page, raw, printed)
    cards = _cards(after, printed)
    approved = _approved(page, after, cards, headline)
    container = _container(page, after, cards, approved, printed)
    if container is not None:
        container = _widened(after, cards, approved, container)
    return Survey(after, cards, approved, container)


def _printed(headline: Headline) -> Element | None:
    """Return where the headline is printed; an element that says something else, and links to it, is a teaser."""
    element = headline.element
    if element is None or element.find(".//a") is None:
        return element
    ours, theirs = set(key(headline.text).split()), set(key(text_of(element)).split())
    return element if 2 * len(ours & theirs) >= len(theirs) else None


def locate(page: Page, seen: Survey) -> Body:
    """Return the blocks of the story among all blocks of a page whose layout nobody knows."""
    if seen.container is None:
        return Body([], [], [])
    return _select(page, seen.blocks, seen.cards, seen.approved, seen.container)


def _inside(element: Element | None, container: Element) -> bool:
    while element is not None:
        if element is container:
            return True
        element = element.getparent()
    return False


def _cards(blocks: list[RawBlock], headline: Element | None) -> set[Element]:
    """Return wrappers of teasers: at most three texts around a headline-like link, of a shape that recurs."""
    counts: Counter[Element] = Counter()
    for block in blocks:
        if block.is_text:
            counts.update(ancestors(block.element))
    kept = set(ancestors(headline)) if headline is not None else set()
    found: dict[Element, tuple[str, ...]] = {}
    for block in blocks:
        if block.kind is not BlockKind.HEADING or block.linked < 0.9:
            continue
        card = None
        for element in ancestors(block.element):
            if counts[element] > MAX_CARD_BLOCKS or element in kept or _is_content(element):
                break
            card = element
        if card is not None:
            found[card] = (str(card.tag), *stable_classes(card.get("class") or "")[:1])
    shapes = Counter(found.values())
    return {card for card, shape in found.items() if shapes[shape] > 1}


def _is_content(element: Element) -> bool:
    if "articlebody" in (element.get("itemprop") or "").lower():
        return True
    return any(_names_content(token) for token in classes(element))


@lru_cache(4096)
def _names_content(token: str) -> bool:
    return _CONTENT.fullmatch(token.lower()) is not None


def _approved(page: Page, blocks: list[RawBlock], cards: set[Element], headline: Headline) -> dict[int, int]:
    """Return the blocks that trafilatura takes for story: index → words. Teasers and echoes do not count."""
    told = _told(page)
    if not told:
        return {}
    lines = {key(line) for line in told}
    running = f" {' '.join(key(line) for line in told)} "
    cut = sum(block.is_text and is_cut(block.text) for block in blocks) > 1
    found: dict[int, int] = {}
    for index, block in enumerate(blocks):
        if not block.is_text or block.linked > 0.6:
            continue
        words = key(block.text)
        size = len(words.split())
        if is_cut(block.text) and (cut or any(words.startswith(echo) for echo in headline.echoes)):
            continue
        is_told = words in lines or (size > 3 and f" {words} " in running)
        if is_told and words not in headline.echoes and cards.isdisjoint(ancestors(block.element)):
            found[index] = size
    return found


def _told(page: Page) -> list[str]:
    if page.is_bounded or len(page.elements) > MAX_TRAFILATURA_ELEMENTS:
        return []
    try:
        document = trafilatura.bare_extraction(
            copy.deepcopy(page.root),
            fast=True,
            include_comments=False,
            with_metadata=False,
            include_tables=True,
        )
    except Exception:  # noqa: BLE001  `<svg>html` raises AssertionError in it; other pages may raise anything
        return []
    body = getattr(document, "body", None)
    return (
        [line for text in body.itertext() for line in text.split("\n") if line.strip()]
        if body is not None
        else []
    )


def _container(
    page: Page,
    blocks: list[RawBlock],
    cards: set[Element],
    approved: dict[int, int],
    headline: Element | None,
) -> Element | None:
    """Return the smallest element that holds nearly all of the story, or what stands for it by its markup."""
    weights: Counter[Element] = Counter()
    for index, size in approved.items():
        for element in [*ancestors(blocks[index].element), *page.by_tag["body"][:1]]:
            weights[element] += size
    total = sum(approved.values())
    marked = [e for e in page.elements if _is_content(e) and not cards.intersection(ancestors(e))]
    if total:
        for element in sorted(marked, key=lambda e: (-weights[e], -page.position[e])):
            if weights[element] >= total / 2:
                return element
            break
        # never a paragraph: one long one may hold nearly all words of a story
        holding = [
            e for e, weight in weights.items() if weight >= SHARE_OF_STORY * total and e.tag not in TEXT_TAGS
        ]
        return max(holding, key=lambda element: page.position[element], default=None)
    return _by_markup(page, blocks, cards, marked, headline)


def _by_markup(
    page: Page, blocks: list[RawBlock], cards: set[Element], marked: list[Element], headline: Element | None
) -> Element | None:
    """Return the story's element on a page too short for trafilatura: one line may be a whole story."""
    plain = [block for block in blocks if block.kind is not BlockKind.HEADING and block.linked < 0.6]
    # a page whose very story stands in an `aside` or a form has no text outside of one
    open_air = [block for block in plain if block.junk is None or not block.is_text] or plain
    homes = [ancestors(block.element) for block in open_air]
    homes = [chain for chain in homes if not cards.intersection(chain)]
    held = {element for chain in homes for element in chain}
    if own := [element for element in marked if element in held]:
        return own[-1] if _inside(own[-1], own[0]) else own[0]
    around = ancestors(headline) if headline is not None else []
    named = [element for name in ("article", "main") for element in page.by_tag[name]]
    bodies = page.by_tag["body"][:1] if homes else []
    return next((element for element in [*around, *named] if element in held), bodies[0] if bodies else None)


def _widened(
    blocks: list[RawBlock], cards: set[Element], approved: dict[int, int], container: Element
) -> Element:
    """Return the container, or what holds its twins too: a story may be cut in pieces by an advertisement."""
    told = {index: block for index, block in enumerate(blocks) if block.is_told}
    own = [block for block in told.values() if _inside(block.element, container)]
    if not own:
        return container
    kin = {_mark(e) for block in own for e in _up_to(block.element, container)} | {_mark(container)}
    begins = next(index for index, block in told.items() if block is own[0])
    around = next((e for e in container.iterancestors() if e.tag == "article"), None)
    main = next((e for e in container.iterancestors() if e.tag == "main"), around)
    teasing = _Teasing(blocks)
    outer = set(container.iterancestors())
    size = sum(len(block.text.split()) for block in own)
    missed = []
    for index, block in told.items():
        chain = ancestors(block.element)
        above = [e for e in chain if e not in outer]
        if index < begins or container in chain or teasing.holds(block, above):
            continue
        if any(e in cards or holds_remarks(e) or is_junk(e, str(e.tag)) for e in above if e.tag != "header"):
            continue
        marks = [_mark(e) for e in above[:MAX_TWIN_DEPTH] if e.tag not in TEXT_TAGS and classes(e)]
        is_twin = not kin.isdisjoint(marks)
        if around is not None and around in chain:
            is_big = bool(above) and BIG_TWIN * teasing.words(above[-1]) >= size
            missed += [block] if is_twin or is_big or index in approved else []
        elif _mark(container) in marks if main is not None and main in chain else main is None and is_twin:
            missed += [block] if len(above) <= MAX_TWIN_DEPTH else []
    words = sum(len(block.text.split()) for block in missed)
    if not missed or WORTH_WIDENING * words < size:
        return container
    holders = [set(ancestors(block.element)) for block in missed]
    return next((e for e in container.iterancestors() if all(e in held for held in holders)), container)


class _Teasing:
    """Where sentences stand beside as many lines that lead elsewhere: teasers, with or without a heading."""

    def __init__(self, blocks: list[RawBlock]) -> None:
        self._linked: Counter[Element] = Counter()
        self._told: Counter[Element] = Counter()
        self._words: Counter[Element] = Counter()
        for block in blocks:
            leads = block.is_text and block.linked > 0.9 and len(block.text.split()) > 2
            counts = self._linked if leads else self._told
            if counts is self._linked or block.is_told:
                counts.update(ancestors(block.element))
            if block.is_told:
                self._words.update(dict.fromkeys(ancestors(block.element), len(block.text.split())))

    def words(self, element: Element) -> int:
        """Return how many words of long sentences an element holds."""
        return self._words[element]

    def holds(self, block: RawBlock, above: list[Element]) -> bool:
        return any(self._linked[e] >= self._told[e] for e in above[1:] if self._linked[e])


def _mark(element: Element) -> tuple[str, tuple[str, ...]]:
    return str(element.tag), stable_classes(element.get("class") or "")


def _up_to(element: Element, container: Element) -> list[Element]:
    chain = ancestors(element)
    return (
        [e for e in chain[: chain.index(container)] if e.tag not in TEXT_TAGS] if container in chain else []
    )


def _select(
    page: Page, blocks: list[RawBlock], cards: set[Element], approved: dict[int, int], container: Element
) -> Body:
    boxes = Boxes(blocks, cards, approved, container)
    homes = {(), *(_shape(blocks[i], container) for i in approved)}
    last = max(approved, default=len(blocks))
    body = Body([], [], [])
    for index, block in enumerate(blocks):
        if not _inside(block.element, container):
            if not body.blocks and page.position[block.element] < page.position[container]:
                body.above.append(block)
            continue
        rule = boxes.rule_of(block)
        if rule is None and index > last and not _belongs(block, container, homes) and not boxes.keeps(block):
            rule = "after_story"
        if rule is None and not body.blocks and _is_label(block, container, homes):
            rule = "before_story"
        if rule is not None and (time := boxes.time_of(block)):
            block, rule = replace(block, text=time, is_spared=True), None
        if rule is None:
            body.blocks.append(block)
            continue
        if not body.blocks:
            body.above.append(block)
        if block.text and block.is_text:
            body.dropped.append(Stripped(block.text, rule))
    return body


def _shape(block: RawBlock, container: Element) -> Shape:
    """Return the wrappers between container and block as tag and class, without what only shapes or lays out text."""
    shape = []
    for element in ancestors(block.element):
        if element is container:
            break
        if element.tag not in TEXT_TAGS and not lays_out(element):
            names = stable_classes(element.get("class") or "")
            shape.append((str(element.tag), names[0] if names else ""))
    return tuple(shape)


def _belongs(block: RawBlock, container: Element, homes: set[Shape]) -> bool:
    """Tell whether a block stands as story blocks do, not in a box of its own."""
    if block.linked > 0.6 and block.kind is not BlockKind.PARAGRAPH:
        return False
    return not block.is_text or _shape(block, container) in homes


def _is_label(block: RawBlock, container: Element, homes: set[Shape]) -> bool:
    """Tell whether a text above the story is a label in a box of its own: an author, a category, a date."""
    if block.kind is not BlockKind.PARAGRAPH or _belongs(block, container, homes):
        return False
    return len(block.text.split()) <= 8 and not is_sentence(block.text)
