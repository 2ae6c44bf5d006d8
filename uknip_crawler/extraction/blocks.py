"""Blocks read from the page's own tree, in document order, each with the element it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree

from uknip_crawler.extraction.embeds import PLAYER_TAGS, player_address, post_address
from uknip_crawler.extraction.images import image_of, is_caption, split_credit
from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.places import ancestors
from uknip_crawler.extraction.text import one_line
from uknip_crawler.models import TEXT_KINDS, BlockKind, Image, Link

# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "li", "main",
    "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})
_SKIPPED = frozenset({
    "head", "script", "style", "template", "svg", "math", "select", "textarea", "button", "input", "canvas", "object",
    "applet", "map", "area",
})
# fmt: on
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_JUNK_TAGS = frozenset({"nav", "aside", "form", "footer", "header", "dialog"})
# parts of the class tokens and ids under which themes and plugins file their furniture; a hint, never needed
_JUNK_PART = re.compile(
    r"(?:^|[-_])(?:shar(?:e|es|ing)|sharedaddy|socials?|related(?:posts)?|rlt|ilrltpost|wprt|newsletter|subscribe|signup"
    r"|sidebar|comments?|respond|breadcrumbs?|advert(?:isement|ising)?|ads?|adsbygoogle|promo|popup|modal|cookie"
    r"|pagination|nav(?:igation)?|menu|countview|byline|(?:post)?meta|recommend(?:ed|ations)|trending|tags|tagcloud"
    r"|donat(?:e|ion)|outbrain|taboola|toc|authorbox|author|bio|about)(?:$|[-_])"
)
# post_class and body_class tokens carry the story's own words: `tag-newsletter`, `has-sidebar`
_NOT_JUNK = re.compile(
    r"^(?:category|tag|post-\d|has|no|is|with|single|status|format|type|elementor|wpb|vc|menu)[-_\d]"
)
_HIDDEN = frozenset({"screen-reader-text", "sr-only", "visually-hidden"})
_SPACE = re.compile(r"[ \t\r\n\f]+")
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_BULLET = re.compile(r"^\s*[-•*·▪●–]\s+")
MAX_ROWS = 2_000


@dataclass(slots=True, eq=False)
class RawBlock:
    """A block before cleaning. `element` holds it, `junk` is the nearest wrapper that looks like furniture.

    `linked` is the share of its characters inside anchors, 0 to 1.
    """

    kind: BlockKind
    element: Element
    text: str = ""
    level: int | None = None
    ordered: bool | None = None
    url: str | None = None
    image: Image | None = None
    junk: Element | None = None
    linked: float = 0.0
    links: tuple[Link, ...] = ()

    @property
    def is_text(self) -> bool:
        return self.kind in TEXT_KINDS


def read_blocks(page: Page) -> list[RawBlock]:
    """Return every block of the page's body, furniture included."""
    body = page.by_tag["body"]
    return _Reader(page).read(body[0] if body else page.root)


def read_region(page: Page, headline: Element | None, container: Element) -> list[RawBlock]:
    """Return the blocks from the printed headline to the end of the container."""
    around = set(ancestors(container))
    root = container
    if headline is not None:
        root = next((element for element in ancestors(headline) if element in around), page.by_tag["body"][0])
    raw = _Reader(page).read(root, until=container)
    printed = next((index for index, block in enumerate(raw) if block.element is headline), 0)
    return raw[printed:]


def after_headline(page: Page, raw: list[RawBlock], headline: Element | None) -> list[RawBlock]:
    """Return the blocks below the headline; all of them where no headline is printed, or nothing is below it."""
    if headline is None:
        return raw
    printed = next((index for index, block in enumerate(raw) if block.element is headline), None)
    if printed is not None:
        below = raw[printed + 1 :]
    else:
        start = page.position[headline]
        below = [block for block in raw if page.position[block.element] > start]
    return below if any(block.is_text for block in below) else raw


@dataclass
class _Reader:
    page: Page
    found: list[RawBlock] = field(default_factory=list)
    holders: list[Element] = field(default_factory=list)
    kinds: list[Element] = field(default_factory=list)
    junk: list[Element] = field(default_factory=list)
    anchors: int = 0
    unscripted: int = 0
    parts: list[str] = field(default_factory=list)
    linked_chars: int = 0
    links: list[Link] = field(default_factory=list)

    def read(self, root: Element, until: Element | None = None) -> list[RawBlock]:
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "end":
                self._end(element)
                if element is until:
                    break
                if element is not root:
                    self._text(element.tail, element if _is_dropcap(element) else None)
            elif self._start(element):
                self._text(element.text)
            else:
                walk.skip_subtree()
        self._flush()
        return self.found

    def _start(self, element: Element) -> bool:
        """Take an element in; False when its inside is not to be read."""
        tag = str(element.tag)
        if tag in _SKIPPED or _HIDDEN.intersection(classes(element)):
            return False
        if tag == "noscript":
            self.unscripted += 1
        if tag in ("img", "amp-img"):
            self._image(element)
            return False
        if self.unscripted:
            return True
        if element.get("data-cfemail"):
            self.parts.append(_decoded_email(element.get("data-cfemail") or ""))
            return False
        if self._is_embed(element, tag) or self._is_taken_caption(element) or self._is_table(element, tag):
            return False
        if tag == "br":
            self.parts.append("\n")
        elif tag == "a":
            self.anchors += 1
            if address := self.page.absolute(element.get("href")):
                self.links.append(Link(address, text_of(element)))
        elif (tag in _BLOCKS and not _is_dropcap(element)) or (
            tag in ("span", "i", "ins") and _is_junk(element, tag)
        ):
            self._open(element, tag)
        return True

    def _open(self, element: Element, tag: str) -> None:
        self._flush()
        self.holders.append(element)
        if tag in _HEADINGS or tag in ("li", "blockquote"):
            self.kinds.append(element)
        if _is_junk(element, tag):
            self.junk.append(element)

    def _end(self, element: Element) -> None:
        tag = str(element.tag)
        if tag == "noscript":
            self.unscripted -= 1
        elif tag == "a" and self.anchors:
            self.anchors -= 1
        elif self.holders and self.holders[-1] is element:
            self._flush()
            self.holders.pop()
            for stack in (self.kinds, self.junk):
                if stack and stack[-1] is element:
                    stack.pop()

    def _text(self, text: str | None, dropcap: Element | None = None) -> None:
        if not text or self.unscripted:
            return
        if dropcap is not None and text_of(dropcap) not in ("A", "I"):  # these are words of their own
            text = text.lstrip()
        if not (self.holders and self.holders[-1].tag == "pre"):
            text = _SPACE.sub(" ", text)
        self.parts.append(text)
        if self.anchors:
            self.linked_chars += len(text.strip())

    def _flush(self) -> None:
        text, links, linked = "".join(self.parts), tuple(self.links), self.linked_chars
        if not text.strip():
            self.parts.clear()
            if not self.anchors:  # an anchor opened just before its text's block stays with that block
                self.links.clear()
            return
        self.parts, self.links, self.linked_chars = [], [], 0
        share = min(1.0, linked / max(1, len("".join(text.split()))))
        holder = self.kinds[-1] if self.kinds else None
        tag = str(holder.tag) if holder is not None else ""
        if holder is not None and tag == "li":
            self._list_item(holder, one_line(text), share, links)
            return
        if tag in _HEADINGS:
            self._add(BlockKind.HEADING, one_line(text), share, links, level=int(tag[1]))
            return
        kind = BlockKind.QUOTE if tag == "blockquote" else BlockKind.PARAGRAPH
        for paragraph in _EMPTY_LINES.split(text):
            for line, is_item in _lines(paragraph):
                line_kind = BlockKind.LIST_ITEM if is_item else kind
                self._add(line_kind, line, share, links, ordered=False if is_item else None)

    def _list_item(self, holder: Element, text: str, share: float, links: tuple[Link, ...]) -> None:
        last = self.found[-1] if self.found else None
        if last and last.kind is BlockKind.LIST_ITEM and last.element is holder:
            last.text, last.links = f"{last.text} {text}", last.links + links
            return
        parent = holder.getparent()
        ordered = parent is not None and parent.tag == "ol"
        self._add(BlockKind.LIST_ITEM, text, share, links, ordered=ordered, element=holder)

    def _add(
        self,
        kind: BlockKind,
        text: str = "",
        linked: float = 0.0,
        links: tuple[Link, ...] = (),
        *,
        level: int | None = None,
        ordered: bool | None = None,
        url: str | None = None,
        image: Image | None = None,
        element: Element | None = None,
    ) -> None:
        if not text and url is None and image is None:
            return
        holder = element if element is not None else (self.holders[-1] if self.holders else self.page.root)
        junk = self.junk[-1] if self.junk else None
        self.found.append(RawBlock(kind, holder, text, level, ordered, url, image, junk, linked, links))

    def _image(self, element: Element) -> None:
        if "emoji" in classes(element) or "wp-smiley" in classes(element):
            self.parts.append(element.get("alt") or "")
        elif (image := image_of(element, self.page)) is not None:
            share = 1.0 if self.anchors else 0.0
            self._add(BlockKind.IMAGE, image=image, linked=share, links=tuple(self.links), element=element)

    def _is_taken_caption(self, element: Element) -> bool:
        if not is_caption(element) or self.anchors:
            return False
        last = self.found[-1] if self.found else None
        if last and last.image and not last.image.caption and not last.image.credit:
            caption, credit = split_credit(text_of(element) or None)
            last.image = Image(last.image.url, last.image.alt, caption, credit)
        return element.tag == "figcaption" or bool(last and last.image)

    def _is_embed(self, element: Element, tag: str) -> bool:
        if tag in PLAYER_TAGS:
            if url := player_address(element, self.page):
                self._flush()
                self._add(BlockKind.EMBED, url=url, element=element)
            return True
        url = post_address(element, self.page)
        if url is None:
            return False
        self._flush()
        self._add(BlockKind.EMBED, text_of(element), url=url, element=element)
        return True

    def _is_table(self, element: Element, tag: str) -> bool:
        """Take a data table as one block; tables used for layout flow like any other element."""
        if tag != "table" or element.find(".//table") is not None:
            return False
        rows = [
            [text_of(cell) for cell in row if cell.tag in ("td", "th")]
            for row in list(element.iter("tr"))[:MAX_ROWS]
        ]
        rows = [row for row in rows if any(row)]
        if max(map(len, rows), default=0) < 2 or max(len(cell.split()) for row in rows for cell in row) > 60:
            return False
        self._flush()
        self._add(BlockKind.TABLE, "\n".join(" | ".join(row) for row in rows), element=element)
        return True


def _is_junk(element: Element, tag: str) -> bool:
    if tag in _JUNK_TAGS or element.get("hidden") is not None:
        return True
    if "display:none" in (element.get("style") or "").replace(" ", ""):
        return True
    if tag in ("article", "body", "main"):
        return False
    return any(_names_junk(token) for token in (*classes(element), element.get("id") or ""))


@lru_cache(4096)
def _names_junk(token: str) -> bool:
    lowered = token.lower()
    return not _NOT_JUNK.match(lowered) and _JUNK_PART.search(lowered) is not None


def _is_dropcap(element: Element) -> bool:
    return any(_names_dropcap(token) for token in classes(element)) and len(text_of(element)) <= 2


@lru_cache(4096)
def _names_dropcap(token: str) -> bool:
    return "dropcap" in token.lower().replace("-", "").replace("_", "")


def _decoded_email(code: str) -> str:
    """Return the address behind Cloudflare's `data-cfemail`: hexadecimal, every byte xored with the first."""
    try:
        first, *rest = bytes.fromhex(code)
        return bytes(byte ^ first for byte in rest).decode("utf-8")
    except ValueError:
        return ""


def _lines(paragraph: str) -> list[tuple[str, bool]]:
    """Return the blocks of one paragraph, each with whether it is a list item.

    A lone line break inside a paragraph is a wrap, unless every line is an entry of its own.
    """
    lines = [line for raw in paragraph.split("\n") if (line := one_line(raw))]
    if len(lines) > 1 and sum(bool(_BULLET.match(line)) for line in lines) >= max(2, len(lines) - 1):
        return [(_BULLET.sub("", line), bool(_BULLET.match(line))) for line in lines]
    entries = all(line[0].isupper() or line[0].isdigit() for line in lines)
    if len(lines) > 2 and entries and sum(map(len, lines)) / len(lines) <= 60:
        return [(line, False) for line in lines]
    return [(" ".join(lines), False)] if lines else []
