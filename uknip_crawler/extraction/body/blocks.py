"""Blocks read from the page's own tree, in document order, each with the element it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from uknip_crawler.extraction.body import shapes
from uknip_crawler.extraction.body.copies import once
from uknip_crawler.extraction.body.embeds import (
    PLAYER_TAGS,
    facade_address,
    player_address,
    post_address,
)
from uknip_crawler.extraction.body.images import (
    background_of,
    image_of,
    is_caption,
    split_credit,
    stem,
)
from uknip_crawler.extraction.page import Element, Page, text_of
from uknip_crawler.extraction.page.marks import (
    is_dropcap,
    is_junk,
    is_pull_quote,
    is_unseen,
)
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.text import one_line
from uknip_crawler.models import BlockKind, Image, Link

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
_SPACE = re.compile(r"[ \t\r\n\f]+")


def read_blocks(page: Page) -> list[RawBlock]:
    """Return every block of the page's body, furniture included."""
    return once(_Reader(page).read(_body(page)))


def read_below(page: Page, headline: Element | None) -> list[RawBlock]:
    """Return the blocks from the printed headline on; all of them where it is not printed, or nothing is below it."""
    if headline is not None:
        found = once(_Reader(page).read(_body(page), after=headline))
        if any(block.is_text for block in found if block.element is not headline):
            return found
    return read_blocks(page)


def _body(page: Page) -> Element:
    return next(iter(page.by_tag["body"]), page.root)


def read_region(page: Page, headline: Element | None, container: Element) -> list[RawBlock]:
    """Return the blocks from the printed headline to the end of the container."""
    around = set(ancestors(container))
    root = container
    if headline is not None:
        root = next((element for element in ancestors(headline) if element in around), page.by_tag["body"][0])
    return once(_Reader(page).read(root, after=headline, until=container))


@dataclass
class _Reader:
    page: Page
    found: list[RawBlock] = field(default_factory=list)
    holders: list[Element] = field(default_factory=list)
    kinds: list[Element] = field(default_factory=list)
    verse: list[Element] = field(default_factory=list)
    junk: list[Element] = field(default_factory=list)
    anchors: int = 0
    unscripted: int = 0
    parts: list[str] = field(default_factory=list)
    linked_chars: int = 0
    links: list[Link] = field(default_factory=list)

    def read(
        self, root: Element, *, after: Element | None = None, until: Element | None = None
    ) -> list[RawBlock]:
        """Return the blocks in an element: from `after` on, with nothing that lies wholly before it, to the end of
        `until`."""
        ahead = set(ancestors(after)[1:]) if after is not None and after is not root else None
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if ahead is not None and element is not root and element not in ahead:
                if element is not after:
                    if event == "start":
                        walk.skip_subtree()
                    continue
                ahead = None
            if event == "end":
                self._end(element)
                if element is until:
                    break
                if element is not root and (tail := element.tail):
                    self._text(tail, element)
            elif self._start(element):
                if ahead is None:
                    self._text(element.text)
            else:
                walk.skip_subtree()
                ahead = None  # what holds `after` is read as a whole, or not at all
        self._flush()
        return self.found

    def _start(self, element: Element) -> bool:
        """Take an element in; False when its inside is not to be read."""
        tag = str(element.tag)
        is_special = shapes.may_be_special(tag, element.get("class") or "", *element.keys())
        if tag in _SKIPPED or (is_special and is_unseen(element)):
            return False
        if tag == "noscript":
            self.unscripted += 1
        if tag in ("img", "amp-img"):
            self._image(element)
            return False
        if self.unscripted:
            return True
        if (is_special or (tag == "a" and len(element))) and self._is_inset(element, tag):
            return False
        if tag in ("a", "sup") and self._is_note_mark(element):
            return False
        if is_special and (image := background_of(element, self.page)) is not None:
            self._add_image(element, image)
            return False
        if tag == "br":
            self.parts.append("\n")
        elif tag == "a":
            self.anchors += 1
            if address := self.page.absolute(element.get("href")):
                self.links.append(Link(address, text_of(element)))
        elif tag in _BLOCKS or (tag in ("span", "i", "ins") and is_junk(element, tag)):
            self._open(element, tag)
        elif tag == "span" and shapes.begins_paragraph(element):
            self._flush()
        return True

    def _is_inset(self, element: Element, tag: str) -> bool:
        """Take what is read as a whole: an address in disguise, a drop cap, an embed, a caption, a data table."""
        if element.get("data-cfemail"):
            self.parts.append(shapes.decoded_email(element.get("data-cfemail") or ""))
            return True
        if is_dropcap(element):
            self.parts.append(text_of(element))
            return True
        return self._is_embed(element, tag) or self._is_taken_caption(element) or self._is_table(element, tag)

    def _open(self, element: Element, tag: str) -> None:
        self._flush()
        self.holders.append(element)
        is_quote = tag == "blockquote" or is_pull_quote(element)
        if is_quote or tag in _HEADINGS or (tag == "li" and not shapes.is_layout_item(element)):
            self.kinds.append(element)
        if tag == "pre":
            self.verse.append(element)
        if is_junk(element, tag) and not is_quote:
            self.junk.append(element)

    def _end(self, element: Element) -> None:
        if self.holders and self.holders[-1] is element:
            self._flush()
            self.holders.pop()
            for stack in (self.kinds, self.junk, self.verse):
                if stack and stack[-1] is element:
                    stack.pop()
        elif element.tag == "a" and self.anchors:
            self.anchors -= 1
        elif element.tag == "noscript":
            self.unscripted -= 1

    def _text(self, text: str | None, behind: Element | None = None) -> None:
        """Take in text; `behind` is the element that ends before it."""
        if not text or self.unscripted:
            return
        if text.isspace() and not self.verse:  # what stands between most tags
            if self.parts:
                self.parts.append(" ")
            return
        if behind is not None and is_dropcap(behind) and text_of(behind) not in ("A", "I"):  # own words
            text = text.lstrip()
        if not self.verse:
            text = _SPACE.sub(" ", text)
        self.parts.append(text)
        if self.anchors:
            self.linked_chars += len(text.strip())

    def _flush(self) -> None:
        if not self.parts:
            if not self.anchors:
                self.links.clear()
            return
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
        kind = BlockKind.QUOTE if holder is not None else BlockKind.PARAGRAPH
        for paragraph in shapes.EMPTY_LINES.split(text):
            if self.verse:
                self._add(kind, shapes.verse_of(paragraph), share, links)
                continue
            for line, is_item in shapes.lines_of(paragraph):
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
        if text := shapes.emoji_of(element):
            self.parts.append(text)
        elif (image := image_of(element, self.page)) is not None:
            self._add_image(element, image)

    def _add_image(self, element: Element, image: Image) -> None:
        """Add an image, unless it is the one before in another size or without script."""
        last = self.found[-1] if self.found else None
        if last and last.image and stem(last.image.url) == stem(image.url):
            if image.caption in (None, last.image.caption):
                return
            if last.image.caption is None and not last.image.credit:
                last.image = Image(last.image.url, last.image.alt or image.alt, image.caption, image.credit)
                return
        share = 1.0 if self.anchors else 0.0
        self._add(BlockKind.IMAGE, image=image, linked=share, links=tuple(self.links), element=element)

    def _is_note_mark(self, element: Element) -> bool:
        """Tell whether an element is a footnote's mark, which would stick to the word before it."""
        found = shapes.note_mark(element, "".join(self.parts), in_verse=bool(self.verse))
        self.parts += found or ""
        return found == ""

    def _is_taken_caption(self, element: Element) -> bool:
        """Give a caption to the image, table, player or quotation it belongs to; False when it is text."""
        if not is_caption(element) or self.anchors:
            return False
        is_own = element.tag == "figcaption"
        holder = shapes.media_around(element)
        kinds = {str(e.tag) for e in holder.iter(*shapes.HOLDS_MEDIA)} if holder is not None else set()
        caption = text_of(element) or None
        if "blockquote" in kinds and is_own and "img" not in kinds:
            self._flush()
            if caption:
                self._add(BlockKind.QUOTE, caption, element=element)
            return True
        inside = self._found_in(holder)
        if "table" in kinds and "img" not in kinds and inside:
            is_data = inside[-1].kind is BlockKind.TABLE
            inside[-1].text += f"\n{caption}" if is_data and caption else ""
            return is_data
        images = [block for block in inside if block.image]
        if not images and inside and inside[-1].kind is BlockKind.EMBED and caption:
            inside[-1].text = inside[-1].text or caption
            return True
        if not images and not is_own:
            last = self.found[-1] if self.found and not "".join(self.parts).strip() else None
            images = [last] if last and last.image else []
            if images and element.find(".//p") is not None:
                return False
        if len(images) > 1 and element.getparent() is not holder:
            images = images[-1:]
        for block in images:
            if block.image and not block.image.caption and not block.image.credit:
                block.image = Image(block.image.url, block.image.alt, *split_credit(caption))
        return is_own or bool(images)

    def _found_in(self, holder: Element | None) -> list[RawBlock]:
        found: list[RawBlock] = []
        for block in reversed(self.found) if holder is not None else ():
            if holder is not block.element and all(e is not holder for e in block.element.iterancestors()):
                break
            found.append(block)
        return found[::-1]

    def _is_embed(self, element: Element, tag: str) -> bool:
        post = None
        if tag in PLAYER_TAGS:
            url = player_address(element, self.page)
        elif (url := facade_address(element, self.page)) is None:
            url = post = post_address(element, self.page)
        if url:
            self._flush()
            self._add(BlockKind.EMBED, text_of(element) if post else "", url=url, element=element)
        return url is not None or tag in PLAYER_TAGS

    def _is_table(self, element: Element, tag: str) -> bool:
        """Take a data table as one block; tables used for layout flow like any other element."""
        text = shapes.table_of(element) if tag == "table" else None
        if text is None:
            return False
        self._flush()
        self._add(BlockKind.TABLE, text, element=element)
        return True
