"""What around a headline belongs to its story: without other stories, menus, sidebars, breadcrumbs and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import islice
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from lxml import etree

from uknip_crawler.extraction.page import MAX_LINKS, Element, Page, classes, text_of
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.text import key

MAX_LABELS, MAX_MARKED = 6, 14
"""Words beside its links that a line of labels may have, and one whose links say by `rel` what they are."""
MAX_CARD = 60
"""Words that a card of another story has at most."""
LONG_PARAGRAPH = 14
MAX_STEPS = 150
"""Elements looked at in a line: what holds more is none."""

_FOREIGN_TAGS = frozenset({"nav", "form", "dialog", "blockquote", "figure", "template", "noscript"})
_FOREIGN_ROLES = frozenset({"navigation", "complementary", "contentinfo", "search", "article", "menu"})
_FOREIGN_PROPS = frozenset(
    {"liveblogupdate", "comment", "haspart", "blogpost", "itemlistelement", "publisher"}
)
_FOREIGN_TYPE = re.compile(
    r"(?i)(?:article|posting|comment|breadcrumblist|wpsidebar|sitenavigationelement|wpfooter)$"
)
# parts of the names under which themes file what is not the story's; a hint beside tags, roles and types
_FOREIGN_PART = re.compile(
    r"(?:^|[-_])(?:sidebars?|widgets?|related(?:posts)?|crumbs?|menus?|nav(?:bar|igation)?|pagination|comments?"
    r"|commentlist|respond|disqus|tag-?cloud|trending|popular|recommend(?:ed|ations)?|recents?|latest|carousel|ticker"
    r"|newsletter|promo|teasers?|colophon|read-?next|up-?next|must-?read|live-?(?:update|entry|post)s?)(?:$|[-_])"
)
_PASSED = re.compile(r"^(?:elementor|has|no|with|is|tag(?!-?cloud)|category|post-\d|status|format)[-_]")
_OWN_FOOTER = re.compile(r"entry|post|article|single|story|content")
_OWN_TYPE = re.compile(r"(?i)(?:article|posting)$")
_LETTERS = re.compile(r"[^\W\d_]+")
_POST = re.compile(r"post-\d{1,18}")
_LINKED_HEADING = etree.XPath(
    ".//a[@href][ancestor::h1 or ancestor::h2 or ancestor::h3 or ancestor::h4 or ancestor::h5 or ancestor::h6"
    " or .//h1 or .//h2 or .//h3 or .//h4 or .//h5 or .//h6]"
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LARGE = etree.XPath(f"boolean(descendant::*[{MAX_STEPS - 1}])")
_FILING = re.compile(r"/(?:category|categories|tags?|topics?|sections?|authors?)/|[?&](?:cat|tag|author)=")
_CARDS = frozenset({"li", "div", "section", "article", "td", "dd", "p"})
_BLOCKS = _CARDS | {
    "header", "footer", "main", "body", "ul", "ol", "dl", "dt", "table", "tr", "th", "figure", "figcaption", "aside", "nav",
    "blockquote", "form", "h1", "h2", "h3", "h4", "h5", "h6", "hgroup", "pre", "address", "details", "summary", "br", "hr",
}  # fmt: skip


class _Names(NamedTuple):
    """What an element's classes and id say of it."""

    is_foreign: bool
    is_footer: bool
    is_own: bool


@lru_cache(4096)
def _names(attributes: str) -> _Names:
    names = attributes.lower().split()
    is_foreign = any(
        "crumb" in name or (_FOREIGN_PART.search(name) and not _PASSED.match(name)) for name in names
    )
    is_post = not {"hentry", "type-post"}.isdisjoint(attributes.split())
    is_footer = any("footer" in name for name in names)
    return _Names(is_foreign or is_post, is_footer, any(map(_OWN_FOOTER.search, names)))


class Surroundings:
    """The place of a page's story, found by its printed headline; without one, the whole page is its place."""

    def __init__(self, page: Page, headline: Element | None, addresses: Iterable[str | None] = ()) -> None:
        self.page = page
        self.headline = headline
        self._own = {path_of(address) for address in (page.url, *addresses) if address}
        self._chain = self._lineage(headline) if headline is not None else page.by_tag["body"][:1]
        self._on_chain = set(self._chain)
        self._posting = next((e for e in self._chain[1:] if self._says_posting(e)), None)
        if self._posting is None and (apart := self._posting_apart()) is not None:
            self._posting = apart
            self._on_chain.update(ancestors(apart))
        self._foreign = dict.fromkeys(self._on_chain, False)

    def _lineage(self, element: Element) -> list[Element]:
        return [*ancestors(element), *self.page.by_tag["body"][:1]]

    def _says_posting(self, element: Element) -> bool:
        named = _POST.fullmatch(element.get("id") or "") or {"hentry", "type-post"}.intersection(
            classes(element)
        )
        typed = _OWN_TYPE.search(element.get("itemtype") or "")
        return element.tag not in ("body", "html") and bool(element.tag == "article" or named or typed)

    def _posting_apart(self) -> Element | None:
        """Return the element of a story whose headline stands outside of it, as in a banner across the page."""
        number = next(
            (token.removeprefix("postid-") for token in self.page.body_classes if "postid-" in token), ""
        )
        others = [e for e in self.page.by_tag["article"] if e not in self._on_chain]
        by_number = [e for e in others if number and e.get("id") == f"post-{number}"]
        told = by_number or [e for e in others if sum(map(_is_long, e.iter("p"))) > 1]
        return told[0] if len(told) == 1 else None

    @cached_property
    def root(self) -> Element:
        """The story's own element: the nearest that says it is a posting, else the main part of the page."""
        if self._posting is not None:
            return self._posting
        main = next((e for e in self._chain[1:] if e.tag == "main" or e.get("role") == "main"), None)
        if main is not None:
            return main
        return self._chain[min(5, len(self._chain) - 1)] if self._chain else self.page.root

    @cached_property
    def own(self) -> list[Element]:
        """The elements that lie in nothing foreign, in document order: of a page's thousand mostly less than a hundred."""
        found: list[Element] = []
        foreign = self._foreign
        walk = etree.iterwalk((self.page.by_tag["body"] or [self.page.root])[0], events=("start",))
        for _, element in walk:
            if (known := foreign.get(element)) is None:
                known = foreign[element] = self._is_mark(element)
            if known:
                walk.skip_subtree()
            else:
                found.append(element)
        return found

    @cached_property
    def own_links(self) -> list[Element]:
        """The links that lie in nothing foreign."""
        return [element for element in self.own if element.tag == "a"][:MAX_LINKS]

    @cached_property
    def near(self) -> list[Element]:
        """The elements around the headline, up to the first paragraph after it."""
        around: list[Element] = []
        if self.headline is None:
            return around
        start = self._top(4)
        whole = next((e for e in self._chain[1:] if e.tag in ("article", "main")), self._chain[-1])
        begun = passed = False
        walk = etree.iterwalk(whole, events=("start",))
        for _, element in walk:
            begun = begun or element is start
            passed = passed or element is self.headline
            if passed and element.tag == "p" and _is_long(element):
                break
            if begun and not self.is_foreign(element):
                around.append(element)
            elif not self.is_around(element):
                if passed and any(map(_is_long, element.iter("p"))):
                    break
                walk.skip_subtree()
        return around

    def _top(self, levels: int) -> Element:
        top = self._chain[0]
        for element in self._chain[1 : levels + 1]:
            if element.tag in ("body", "main", "html"):
                break
            top = element
            if element.tag == "article":
                break
        return top

    def is_around(self, element: Element) -> bool:
        """Tell whether an element holds the headline, or the story below it."""
        return element in self._on_chain

    def holds(self, element: Element) -> bool:
        """Tell whether an element lies in the story's own element and is the story's."""
        return self._is_within_root(element) and not self.is_foreign(element)

    def borders(self, element: Element) -> bool:
        """Tell whether an element outside the story's own element lies in a short strip beside it."""
        lineage = self._lineage(element)
        meeting = next((index for index, e in enumerate(lineage) if e in self._on_chain), None)
        if not meeting or self.is_foreign(element):
            return False
        shared = lineage[meeting]
        above = self._above_root.index(shared) if shared in self._above_root else 0
        return above <= 2 and len(text_of(lineage[meeting - 1]).split()) <= MAX_CARD

    @cached_property
    def _above_root(self) -> list[Element]:
        return self._lineage(self.root)

    def is_foreign(self, element: Element) -> bool:
        """Tell whether an element lies in something that is no part of the story."""
        passed: list[Element] = []
        part: Element | None = element
        known = None
        while part is not None and (known := self._foreign.get(part)) is None:
            passed.append(part)
            part = part.getparent()
        result = bool(known)
        for one in reversed(passed):
            result = self._foreign[one] = result or self._is_mark(one)
        return result

    def _is_mark(self, part: Element) -> bool:
        said = cast(dict[str, str], dict(part.items()))  # asked for all at once, of a thousand elements
        if part.tag in _FOREIGN_TAGS or said.get("role") in _FOREIGN_ROLES:
            return True
        if part.tag == "article" or said.get("itemprop", "").lower() in _FOREIGN_PROPS:
            return True
        named = _names(f"{said.get('class', '')} {said.get('id', '')}")
        if named.is_foreign:
            return True
        itemtype = said.get("itemtype")
        if itemtype and _FOREIGN_TYPE.search(itemtype) and not self._speaks_of_story(part):
            return True
        if part.tag == "aside":
            return not (named.is_own and self._is_within_root(part))
        if part.tag == "footer" or named.is_footer:
            return not named.is_own and not self._is_within_root(part)
        return self._is_card(part)

    def _speaks_of_story(self, part: Element) -> bool:
        """Tell whether an item holds no words at all, as a box for machines does, or the story's headline."""
        words = "" if _is_large(part) else key(text_of(part))
        return (not words and not _is_large(part)) or (
            self.headline is not None and key(text_of(self.headline)) in words
        )

    def _is_within_root(self, part: Element) -> bool:
        return self.root.tag in ("body", "html") or self.root in ancestors(part)

    def _is_card(self, part: Element) -> bool:
        """Tell whether an element is about one other story: few words and a headline that leads there."""
        if part.tag not in _CARDS or not _may_be_card(part) or _is_large(part):
            return False
        links = [
            a for a in cast(list[Element], _LINKED_HEADING(part)) if not _FILING.search(a.get("href") or "")
        ]
        links = [
            a for a in links if not {"tag", "category", "author"}.intersection((a.get("rel") or "").split())
        ]
        led = {path for link in links if (path := self.elsewhere(link)) is not None}
        return len(led) == 1 and len(text_of(part).split()) <= MAX_CARD

    def elsewhere(self, link: Element) -> str | None:
        """Return the path that a link leads to, or None where it stays on the page or turns to a neighbour."""
        address = self.page.absolute(link.get("href"))
        path = path_of(address) if address else None
        tokens = {*(link.get("rel") or "").lower().split()}
        return None if path is None or path in self._own or tokens & {"prev", "next"} else path


def _may_be_card(element: Element) -> bool:
    """Tell whether an element holds a link, and a heading or is in one: hardly any does, so it need not be asked more."""
    if next(element.iter("a"), None) is None:
        return False
    headings = element.iter(*_HEADINGS), element.iterancestors(*_HEADINGS)
    return any(next(found, None) is not None for found in headings)


def _is_large(element: Element) -> bool:
    return bool(_LARGE(element))


def _is_long(paragraph: Element) -> bool:
    return len(text_of(paragraph).split()) > LONG_PARAGRAPH


@lru_cache(4096)
def path_of(address: str) -> str:
    """Return an address's path without its last slash, with its query: what tells pages of a site apart."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


def is_prose(element: Element, most: int = MAX_LABELS) -> bool:
    """Tell whether an inline element stands in a sentence, and not in a line of labels."""
    block = next((e for e in ancestors(element) if e.tag in _BLOCKS), element)
    own = element if element is not block and element.tag != "a" else None
    words = 0
    walk = etree.iterwalk(block, events=("start", "end"))
    for event, part in islice(walk, MAX_STEPS):
        if event == "start" and part is not block and (part.tag in _BLOCKS or part.tag == "a" or part is own):
            walk.skip_subtree()
        elif event == "start":
            words += len(_LETTERS.findall(part.text or ""))
        if event == "end" and part is not block:
            words += len(_LETTERS.findall(part.tail or ""))
    return words > most
