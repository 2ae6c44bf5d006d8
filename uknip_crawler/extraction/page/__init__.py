"""A page parsed once: bytes to text, hostile shapes bounded, elements gathered by tag, links and addresses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, islice
from typing import cast
from urllib.parse import urljoin, urlsplit

import lxml.html
from lxml import etree

from uknip_crawler.extraction.page.bounds import bounded, without_controls
from uknip_crawler.extraction.page.charset import as_utf8
from uknip_crawler.extraction.page.text import one_line
from uknip_crawler.sites import Site
from uknip_crawler.urls import canonical_or_none

Element = etree._Element

_NEXT = frozenset({"next", "nextpostslink", "wp-block-query-pagination-next"})
MAX_DEPTH = 250
MAX_LINKS = 5_000
TRUNCATED = "truncated_parse"

_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
# asked for all at once: an attribute asked of an element costs as much as twenty found by libxml2
_LINKS, _ADDRESSES = etree.XPath("//a[@href]"), etree.XPath("//a/@href", smart_strings=False)
_RELATED = etree.XPath("//a[@rel]")
_TAG_NAME = re.compile(rb"<([a-zA-Z][\w-]*)")
# addresses that need no closer look, as nearly all are
_WHOLE = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(?:/[\w/.~%+:;,=&?#!$'()*@-]*)?", re.ASCII)
_WHOLE_STARTS = ("http://", "https://")
_ONE_CLASS = etree.ElementDefaultClassLookup(element=lxml.html.HtmlElement)
"""What trafilatura takes, without lxml.html's own choice of a class in Python for each element touched."""


# inline elements join the words beside them; of these, labels often stand apart by their style alone
_LABELS = frozenset({"a", "span", "small", "time", "label"})
_INLINE = _LABELS | {
    "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "mark", "q", "s", "samp", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr", "ruby", "rb", "rt",
}  # fmt: skip
_ASKED_FOR = ("base", "meta", "link", "script", "title", "body", "h1", "p", "article", "form", "input", "option")  # fmt: skip
_UNSEEN_TAGS = frozenset({"script", "style", "template", "svg"})


class Tags(dict[str, list[Element]]):
    """The elements of each tag in document order: the few that every page is asked for in one walk, others when asked."""

    def __init__(self, root: Element) -> None:
        super().__init__()
        self._root = root

    def __missing__(self, tag: str) -> list[Element]:
        if tag not in _ASKED_FOR:
            self[tag] = list(self._root.iter(tag))
            return self[tag]
        self.update((asked, []) for asked in _ASKED_FOR)
        for element in self._root.iter(*_ASKED_FOR):
            self[element.tag].append(element)
        return self[tag]


@dataclass(frozen=True)
class Page:
    """One parsed page. `elements` are in document order; `base` resolves its relative addresses; `markup` is what was
    parsed, in UTF-8."""

    url: str
    base: str
    root: Element
    by_tag: Tags
    flags: tuple[str, ...]
    markup: bytes = b""
    resolved: dict[str | None, str | None] = field(default_factory=dict)
    canonicals: dict[str | None, str | None] = field(default_factory=dict)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        return tuple(self.root.iter(etree.Element))

    @cached_property
    def filing_links(self) -> list[Element]:
        """The links that say what they are to the page: `rel=category`, `tag`, `author` and the like."""
        return cast(list[Element], _RELATED(self.root))

    @cached_property
    def hrefs(self) -> list[str]:
        """Where the page's links lead, as it stands there."""
        return cast(list[str], _ADDRESSES(self.root))

    @cached_property
    def anchors(self) -> list[Element]:
        """The links themselves, in the order of `hrefs`."""
        return cast(list[Element], _LINKS(self.root))

    @cached_property
    def _together(self) -> tuple[str, list[int], list[int]]:
        """The links' addresses in one string, so that a word is sought in all of them at once; where each ends; which
        are no whole addresses and may say more than they show."""
        hrefs = [*self.hrefs]
        unclear = [i for i, href in enumerate(hrefs) if not href.startswith(_WHOLE_STARTS) or "\n" in href]
        for index in unclear:
            hrefs[index] = ""
        return "\n".join(hrefs), list(accumulate(len(href) + 1 for href in hrefs)), unclear

    def leading(self, *words: str) -> Iterator[tuple[int, str]]:
        """Yield the links (their place among `anchors`) with one of some words in their address, which is made absolute."""
        together, ends, unclear = self._together
        found = set(unclear)
        for word in words if ends else ():
            at = together.find(word)
            while at >= 0:
                index = bisect_right(ends, at)
                found.add(index)
                at = together.find(word, ends[index])
        for index in sorted(found):
            address = self.absolute(self.hrefs[index])
            if address and any(word in address for word in words):
                yield index, address

    @cached_property
    def home_links(self) -> list[Element]:
        """The links to the site's home page."""
        home = self.absolute("/") or ""
        own = ("/", home, home[:-1]) if home else ("/",)
        called = [a for a in self.filing_links if a.get("rel") == "home"]
        return [*(self.anchors[index] for index, href in enumerate(self.hrefs) if href in own), *called]

    @cached_property
    def position(self) -> dict[Element, int]:
        """Each element's place in the document."""
        return {element: index for index, element in enumerate(self.elements)}

    @cached_property
    def body_classes(self) -> frozenset[str]:
        return frozenset(token for body in self.by_tag["body"] for token in classes(body))

    @cached_property
    def title(self) -> str:
        return next((text_of(title) for title in self.by_tag["title"] if text_of(title)), "")

    def tags_that_say(self, word: str) -> set[str]:
        """Return the tags of the elements that may have a word in an attribute, as the markup stands: it is searched in
        no time, and what it does not hold needs no look at a thousand elements."""
        wanted, tags = word.encode(), set[str]()
        last, at = 0, self.markup.find(wanted)
        while at >= 0:
            if (start := self.markup.rfind(b"<", last, at)) >= 0 and (
                name := _TAG_NAME.match(self.markup, start)
            ):
                tags.add(name[1].decode().lower())
            last, at = at, self.markup.find(wanted, at + 1)
        return tags

    def take_out(self, elements: Iterable[Element]) -> None:
        """Take elements out of the page; the text behind them stays."""
        for element in elements:
            if element.getparent() is not None:
                cast(lxml.html.HtmlElement, element).drop_tree()
        self.by_tag.clear()
        for gathered in (
            "elements",
            "hrefs",
            "anchors",
            "_together",
            "filing_links",
            "home_links",
            "position",
        ):
            self.__dict__.pop(gathered, None)

    @property
    def is_bounded(self) -> bool:
        """Whether the page was too big or too deep to be read in full by everything downstream."""
        return TRUNCATED in self.flags

    def absolute(self, address: str | None) -> str | None:
        """Return an http(s) address made absolute, or None."""
        if address not in self.resolved:
            self.resolved[address] = _absolute(self.base, address)
        return self.resolved[address]

    def canonical(self, address: str | None, site: Site) -> str | None:
        """Return the canonical form of an address of the site, or None; of a page's addresses most come several times."""
        if address not in self.canonicals:
            self.canonicals[address] = canonical_or_none(address, site)
        return self.canonicals[address]


def classes(element: Element) -> tuple[str, ...]:
    return _tokens(element.get("class") or "")


@lru_cache(4096)
def _tokens(attribute: str) -> tuple[str, ...]:
    return tuple(attribute.split())


def text_of(element: Element) -> str:
    """Return an element's text in one line; words that `<br>`, blocks or labels keep apart stay apart."""
    if len(element) == 0:
        return one_line(element.text or "")
    parts: list[str] = []
    seam = ""  # what stands between the last text and the next: ends and starts of labels
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, part in walk:
        if event == "start" and part.tag in _UNSEEN_TAGS and part is not element:
            walk.skip_subtree()
            continue
        if event == "end" and part is element:
            break
        if part is not element:
            if part.tag in _LABELS:
                seam += event
            elif part.tag not in _INLINE:
                parts.append(" ")
        text = part.text if event == "start" else part.tail
        if text:
            if seam and parts and _is_seam(parts[-1], seam, text):
                parts.append(" ")
            parts.append(text)
            seam = ""
    return one_line("".join(parts))


def _is_seam(before: str, seam: str, after: str) -> bool:
    """Tell whether two texts with the edge of a label between them are words apart, as in `<span>Live</span>Flood`."""
    one, other = before[-1], after[0]
    if not (one.isalnum() and other.isalnum()) or (one.isdigit() and other.isdigit()) or len(before) < 2:
        return False
    if "endstart" in seam:
        return len(after) > 1
    return (
        other.isupper()
        and after[1:2].islower()
        and before not in ("Mc", "Mac")
        and (one.islower() or seam == "end")
    )


def parse(data: bytes, url: str, content_type: str | None) -> Page:
    """Return the page parsed; a page too big, too deep or left open is cut and flagged `truncated_parse`.

    Raises lxml.etree.ParserError when there is nothing in it.
    """
    markup, flags = as_utf8(data, content_type)
    markup, cut = bounded(markup)
    markup = without_controls(markup)
    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, collect_ids=False
    )
    parser.set_element_class_lookup(_ONE_CLASS)
    root = lxml.html.document_fromstring(markup, parser=parser)
    by_tag = Tags(root)
    lost = any("depth" in entry.message.lower() for entry in parser.error_log)
    if cut or lost or _is_too_deep(root):
        flags = (*flags, TRUNCATED)
    return Page(url, _base(url, by_tag["base"]), root, by_tag, flags, markup)


def _is_too_deep(root: Element) -> bool:
    """Tell whether elements nest deeper than everything downstream can follow, one level of the tree at a time."""
    return bool(_TOO_DEEP(root))


def _base(url: str, bases: list[Element]) -> str:
    href = next((base.get("href") for base in bases if base.get("href")), None)
    return _absolute(url, href) or url


def _absolute(base: str, address: str | None) -> str | None:
    if not address:
        return None
    if _WHOLE.fullmatch(address):
        return address
    try:
        absolute = "".join(address.split("\n")).strip()
        if not absolute.startswith(("https://", "http://")):
            absolute = urljoin(base, absolute)
        parts = urlsplit(absolute)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        return absolute if whole else None
    except ValueError:
        return None


def links(page: Page) -> tuple[str, ...]:
    """Return the addresses that the page links to, at most 5,000, each once."""
    found = dict.fromkeys(address for href in page.hrefs if (address := page.absolute(href)))
    return tuple(islice(found, MAX_LINKS))


def next_page(page: Page) -> str | None:
    """Return the address of a listing's following page, by `rel=next` or WordPress's `a.next`."""
    for element in (*page.by_tag["link"], *page.by_tag["a"]):
        tokens = {*(element.get("rel") or "").lower().split()}
        names = set(classes(element))
        if "next" in tokens or (element.tag == "a" and names & _NEXT):
            return page.absolute(element.get("href"))
    return None
