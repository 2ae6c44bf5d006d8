"""A story in pages (`<!--nextpage-->`): which of them a page is, where the others are, and the line that says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.structured import Structured
from uknip_crawler.extraction.page.text import is_sentence
from uknip_crawler.models import Paging
from uknip_crawler.sites import Site
from uknip_crawler.urls import MAX_PARTS, is_same_address, part_of, post_number

# fmt: off
_TELLING = frozenset(
    {
        "page", "pages", "part", "parts", "chapter", "section", "next", "previous", "prev", "back",
        "forward", "continue", "continued", "continues", "reading", "read", "more", "of", "the", "this",
        "to", "on", "story", "article", "post", "posts", "first", "last", "older", "newer", "navigation",
        "pagination", "go", "see", "jump", "keep", "view", "show", "all", "single", "full", "one", "entire",
        "complete", "whole",
        "rest", "two", "three", "four", "five", "slide", "slides", "click", "here", "turn", "following",
    }
)
# fmt: on
"""Words of a line that leads through a story's pages. A line with any other word may be the story's own."""
_MOST_WORDS = 10
_TITLED = re.compile(r"(?i)(?:(?:page|part|chapter) ?(\d{1,3})\b|(\d{1,3}) ?[.:)–—-](?=\s))")
_WHOLE = re.compile(
    r"(?i)(?:view|show|read|see)?(?: (?:the|this))?(?: (?:story|article|post))?(?: as| on| in)?(?: an?)? ?"
    r"(?:all(?: pages| parts)?|(?:on )?(?:one|single)[ -]page|(?:full|whole|entire|complete) (?:story|article|post|text))"
    r"(?: view)?"
)
_WHOLE_PATH = re.compile(r"/(?:all|full|single|view-?all|complete|whole|single-page|one-page)/?")
_KEPT_WHOLE = frozenset({"body", "html", "main", "article"})
_NO_LINE = frozenset({"img", "picture", "video", "iframe", "table", "h1", "form", "blockquote", "figure"})
_WORD = re.compile(r"[^\W\d_]+")


class _Way(NamedTuple):
    """A link to a page by its number; `says` that its label leads through pages, not elsewhere."""

    element: Element
    url: str
    number: int
    says: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """One thing a page may be: page `number` of the story that begins at `first`."""

    first: str
    number: int


def take_paging(page: Page, data: Structured, site: Site) -> Paging | None:
    """Return what a story's page says of its place among the story's pages, and take the line that says it out.

    None for a story in one page.
    """
    own = page.canonical(page.url, site)
    declared = page.canonical(data.rel.get("canonical"), site)
    stems = [stem for url in (own, declared) if url and (stem := _stem(url))]
    led = [(i, url) for i, href in page.leading(*(stems or [""])) if (url := page.canonical(href, site))]
    options = [(o, url) for o, href in _options(page, stems) if (url := page.canonical(href, site))]
    beside = [page.canonical(data.rel.get(rel), site) for rel in ("prev", "next")]
    if not any(url and part_of(url) for url in (own, declared, *beside, *(url for _, url in led + options))):
        return None
    anchors = [*((page.anchors[index], url) for index, url in led), *options]
    for place in _places(own, declared):
        ways = _with_lists(list(_ways(anchors, place)))
        head = [url for url in beside if url]
        if place.number > 1 and not _is_further(page, place, declared, ways, head):
            continue
        ways = _with_lists(ways, least=1)
        others = {way.number: way.url for way in reversed(ways) if way.says and way.number != place.number}
        others |= {
            number: url for url in head if abs((number := _number(url, place.first)) - place.number) == 1
        }
        if place.number == 1 and 2 not in others:
            continue
        first = others.setdefault(1, place.first) if place.number > 1 else place.first
        whole = next(((a, url) for a, url in anchors if _shows_all(a, url, place.first)), None)
        page.take_out(_lines([*(way.element for way in ways if way.says), *(whole[:1] if whole else ())]))
        return Paging(place.number, first, tuple(sorted(others.items())), whole[1] if whole else None)
    return None


def _stem(url: str) -> str:
    """Return the last word of an address's path, which those of its other pages have as well; "" for none."""
    words = [word for word in urlsplit(url).path.split("/") if word and not word.isdecimal()]
    return words[-1] if words else ""


def _options(page: Page, stems: list[str]) -> Iterator[tuple[Element, str]]:
    """Yield the options of menus to jump by."""
    for option in page.by_tag["option"]:
        value = option.get("value") or ""
        address = page.absolute(value) if "/" in value or "=" in value else None
        if address and (not stems or any(stem in address for stem in stems)):
            yield option, address


def _places(own: str | None, declared: str | None) -> Iterator[_Place]:
    """Yield what the page may be by its addresses: a further page, if its number can be one, then a first one."""
    addresses = list(dict.fromkeys(url for url in (own, declared) if url))
    for url in addresses:
        part = part_of(url)
        if part is not None and 1 < part[1] <= MAX_PARTS:
            yield _Place(*part)
    for url in addresses:
        part = part_of(url)
        yield _Place(part[0] if part and part[1] == 1 else url, 1)


def _number(url: str, first: str) -> int:
    """Return which page of the story an address is by its form; 0 for none."""
    if is_same_address(url, first):
        return 1
    part = part_of(url)
    return part[1] if part and is_same_address(part[0], first) else 0


def _ways(anchors: Iterable[tuple[Element, str]], place: _Place) -> Iterator[_Way]:
    for anchor, url in anchors:
        number = _number(url, place.first)
        # every page of a site in parts has many links to the first one: its headline, its comments, its shares
        if number > 1 or (number == 1 and place.number > 1):
            yield _Way(anchor, url, number, _says(anchor, number))


def _with_lists(ways: list[_Way], *, least: int = 2) -> list[_Way]:
    """Return the ways, those that fill a list by themselves among those that say so: a table of contents.

    A list that leads to no page from `least` on proves nothing: it may be a trail of breadcrumbs.
    """
    elements = [way.element for way in ways]
    lists = {found for way in ways if way.number >= least and (found := _list_of(way.element)) is not None}
    inside = {link for found in lists if _fills(found, elements) for link in found.iter("a")}
    return [way._replace(says=True) if way.element in inside else way for way in ways]


def _list_of(way: Element) -> Element | None:
    return next(way.iterancestors("ul", "ol", "nav", "dl"), None)


def _fills(found: Element, ways: list[Element]) -> bool:
    """Tell whether a list leads through a story's pages: every entry but the page's own is a way to one."""
    entries = list(found.iter("li", "dd"))
    plain = [entry for entry in entries if entry.find(".//a") is None]
    return len(entries) > 1 and len(plain) <= 1 and all(link in ways for link in found.iter("a"))


def _says(anchor: Element, number: int) -> bool:
    if anchor.tag == "option" or "post-page-numbers" in classes(anchor):
        return True
    label = text_of(anchor) or anchor.get("aria-label") or anchor.get("title") or ""
    if (titled := _TITLED.match(label)) and number == int(titled[1] or titled[2]):
        return True
    words = [word.lower() for word in _WORD.findall(label)]
    numbers = [int(found) for found in re.findall(r"\d{1,4}", label)]
    if number == 1 and not numbers and not set(words) & {"previous", "prev", "back", "first"}:
        return False  # "Read more" under its own headline
    return (
        len(words) <= _MOST_WORDS
        and set(words) <= _TELLING
        and (not numbers or number in numbers[:1])
        and ("#" not in (anchor.get("href") or ""))
    )


def _is_further(page: Page, place: _Place, declared: str | None, ways: list[_Way], head: list[str]) -> bool:
    """Tell whether a page whose address has the form of a further page says itself that it is one."""
    tokens = page.body_classes
    if f"single-paged-{place.number}" in tokens:
        return True
    if f"postid-{place.number}" in tokens or post_number(page.url) == place.number:
        return False  # permalinks that are the post's number: the one before is another story
    if declared is not None and is_same_address(declared, place.first):
        return True
    if any(abs(_number(url, place.first) - place.number) == 1 for url in head if _number(url, place.first)):
        return True
    return any(way.says and way.number != place.number for way in ways)


def _shows_all(anchor: Element, url: str, first: str) -> bool:
    """Tell whether a link leads to the whole story in one page, by its label and its address."""
    label = text_of(anchor) or anchor.get("aria-label") or anchor.get("title") or ""
    if not _WHOLE.fullmatch(label.strip(" .…»›>|[]()")):
        return False
    path, _, query = url.partition("?")
    stem = first.partition("?")[0].rstrip("/")
    below = path.rstrip("/").removeprefix(stem)
    return path.startswith(stem) and ((bool(query) and not below) or bool(_WHOLE_PATH.fullmatch(below)))


# The line that leads through the pages


def _lines(ways: list[Element]) -> list[Element]:
    """Return the elements that hold nothing but ways to a story's pages and the words that go with them."""
    found: dict[Element, None] = {}
    for way in ways:
        listed = _list_of(way)
        if listed is not None and _fills(listed, ways):
            found[listed] = None
            continue
        top = next((above for above in _above(way) if _is_line(above, ways)), None)
        if top is not None:
            while (parent := top.getparent()) is not None and _is_line(parent, ways):
                top = parent
            found[top] = None
        elif _stands_bare(way, ways) or _ends_paragraph(way):
            found[way] = None
    return list(found)


def _stands_bare(way: Element, ways: list[Element]) -> bool:
    """Tell whether a link stands in a line of its own between blocks, without an element around the line; blank its words."""
    run = [way, *_inline(way, back=True), *_inline(way, back=False)]
    first = min(run, key=lambda one: one.getparent().index(one))  # type: ignore[union-attr]
    before, parent = first.getprevious(), first.getparent()
    texts = [one.tail or "" for one in run] + [(parent.text if before is None else before.tail) or ""]  # type: ignore[union-attr]
    texts += ["".join(map(str, one.itertext())) for one in run if one not in ways]
    if not {word.lower() for text in texts for word in _WORD.findall(text)} <= _TELLING:
        return False
    for one in run:
        one.tail = None
        one.text = one.text if one in ways else None
    if before is not None:
        before.tail = None
    elif parent is not None:
        parent.text = None
    return True


def _inline(way: Element, *, back: bool) -> Iterator[Element]:
    """Yield what stands beside a link in its line, up to the next block."""
    for beside in way.itersiblings(preceding=back):
        if beside.tag not in ("a", "span", "b", "strong", "em", "i", "small"):
            return
        yield beside


def _above(way: Element) -> Iterator[Element]:
    """Yield a link and what holds it, up to the block it stands in."""
    parent = way.getparent()
    if parent is not None:
        yield parent
        if parent.tag in ("span", "strong", "em", "b", "i", "small", "li", "option", "select"):
            yield from _above(parent)


def _is_line(element: Element, ways: list[Element]) -> bool:
    if element.tag in _KEPT_WHOLE:
        return False
    words: list[str] = []
    for text, inside in _texts(element, ways):
        if inside is None:
            return False
        words += [word.lower() for word in _WORD.findall(text)]
    return set(words) <= _TELLING


def _texts(element: Element, ways: list[Element]) -> Iterator[tuple[str, Element | None]]:
    """Yield the texts of an element outside its ways; with None for what never stands in such a line."""
    yield element.text or "", element
    for child in element:
        if child not in ways:
            if child.tag in _NO_LINE or (child.tag == "a" and child.get("href")):
                yield "", None
                return
            yield from _texts(child, ways)
        yield child.tail or "", element


def _ends_paragraph(way: Element) -> bool:
    """Tell whether a link stands alone behind a sentence: `… to the yard. Next page »`."""
    parent = way.getparent()
    if parent is None or parent.tag not in ("p", "div") or (way.tail or "").strip(" \n\t\xa0»›>→."):
        return False
    if way.getnext() is not None:
        return False
    before = way.getprevious()
    said = (parent.text if before is None else before.tail) or ""
    return is_sentence(said) or (before is not None and before.tag == "br" and not said.strip())
