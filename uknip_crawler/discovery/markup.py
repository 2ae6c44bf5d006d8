"""XML as sites really send it: read with its faults, and without the powers that make XML dangerous."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from xml.sax.saxutils import escape

from lxml import etree

from uknip_crawler.discovery import SourceUnusable

_MAX_MARKS = 2_000_000
"""Tags, references and attributes of one document: four times what 50,000 addresses need, about 300 MB as a tree."""

_BYTE_ENCODING = re.compile(
    rb"<\?xml[^>]{0,200}encoding=[\"'](iso-8859-1|iso-8859-15|windows-1252)[\"']", re.IGNORECASE
)
_OPAQUE = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<!\[CDATA\[(?P<literal>.*?)(?:\]\]>|\Z)"
    r"|&(?!(?:amp|lt|gt|quot|apos);)(?P<reference>\#\d{1,7};|\#x[0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)?",
    re.DOTALL,
)

_QUOTES = {'"': "&quot;", "'": "&apos;"}


@dataclass(frozen=True, slots=True)
class Document:
    """The tree of a document, and whether its root was closed: if not, it was cut short."""

    root: etree._Element
    closed: bool
    text: str

    def count(self, *names: str) -> int:
        """Return how many elements of these names the document opens, whether or not the tree holds them."""
        return len(re.findall(rf"<(?:[\w.-]+:)?(?:{'|'.join(names)})[\s/>]", self.text, re.IGNORECASE))


def read(body: bytes, *, roots: tuple[str, ...], url: str) -> Document:
    """Read a document whose root element is one of `roots`, whatever stands before it.

    Byte order marks, leading blanks, PHP notices, bare `&`, HTML's named characters and a missing end are
    tolerated. Nothing is expanded or fetched: a document that declares entities is refused, and the prologue
    never reaches the parser. Raises SourceUnusable for anything that is not such a document.
    """
    text = text_in(body)
    if not text.strip("\0 \t\r\n"):
        raise SourceUnusable(f"{url}: empty document")
    start = re.search(rf"<(?:[\w.-]+:)?(?:{'|'.join(roots)})(?=[\s/>])", text, re.IGNORECASE)
    prologue = text[: start.start()] if start else text[:100_000]
    if re.search(r"<(?:!doctype\s+html|html|head|body)\b", prologue, re.IGNORECASE):
        raise SourceUnusable(f"{url}: an HTML page, not XML with {' or '.join(roots)}")
    if "<!ENTITY" in prologue:
        raise SourceUnusable(f"{url}: declares entities, which no source needs; refused")
    if start is None:
        raise SourceUnusable(f"{url}: no {' or '.join(roots)} in it; starts {text.strip()[:40]!r}")
    return _parse(text[start.start() :], start[0][1:], url)


def text_in(body: bytes) -> str:
    """Return a document's text in the encoding it declares, UTF-8 unless it does; never raises."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    declared = _BYTE_ENCODING.search(body[:1000])
    # HTML's reading of Latin-1: the bytes between are Windows's quotes, not controls
    return body.decode("cp1252" if declared else "utf-8-sig", "replace")


def _parse(text: str, root_name: str, url: str) -> Document:
    marks = sum(map(text.count, "<&="))
    if marks > _MAX_MARKS:
        raise SourceUnusable(f"{url}: {marks} tags, references and attributes; no honest source has so many")
    text = _OPAQUE.sub(_plain, text)
    # what follows the last tag, and is not followed by one, is half an address or nothing
    text = text[: max(text.rfind(">") + 1, text.rfind("<"))]
    closed = bool(re.search(rf"</{re.escape(root_name)}\s*>|\A<[^<>]*/>\Z", text))
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise SourceUnusable(f"{url}: unreadable XML: {str(error.msg)[:100]}") from None
    if root is None:
        raise SourceUnusable(f"{url}: unreadable XML")
    return Document(root, closed, text)


def _plain(match: re.Match[str]) -> str:
    """Return the same text without comments, CDATA sections and references that XML does not know."""
    if match["literal"] is not None:
        return escape(match["literal"])
    if match[0].startswith("<"):
        return ""
    reference = match["reference"] or ""
    # numbers too: libxml2 lets references to surrogates through, and then chokes on them
    known = reference.startswith("#") or reference in html5
    return escape(unescape(match[0]), _QUOTES) if known else f"&amp;{reference}"


def local_name(element: etree._Element) -> str:
    """Return an element's name in small letters, without its namespace."""
    return _name(element)[1]


def _name(element: etree._Element) -> tuple[str, str]:
    """Return (namespace, name in small letters); a prefix that nobody declared counts as a namespace."""
    space, _, name = str(element.tag).rpartition("}")
    prefix, _, name = name.rpartition(":")
    return space or prefix, name.lower()


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the children of these names, in capitals or not, in the element's own namespace: `loc`, but never `image:loc`."""
    namespace, _ = _name(element)
    wanted = {name.lower() for name in names}
    for child in element:
        space, name = _name(child)
        if name in wanted and space == namespace:
            yield child


def text_of(element: etree._Element, *names: str) -> str | None:
    """Return the text of the first such child that has any, or None."""
    for child in children(element, *names):
        text = "".join(map(str, child.itertext())).strip()
        if text:
            return text
    return None
