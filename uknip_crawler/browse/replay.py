"""A captured page as it looked: a document without scripts that asks for nothing, its kept pictures inside it.

Captured HTML is hostile. nh3 (https://nh3.readthedocs.io, the Ammonia sanitiser) keeps the elements and attributes that are
named here; what it might let through still stands in a frame of its own that may run nothing and load nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

import nh3
from lxml import etree
from markupsafe import Markup

from uknip_crawler.extraction.body.images import image_of
from uknip_crawler.extraction.page import Element, Page

REPLAY_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
MOST_PICTURE_BYTES = 24 * 2**20
"""Of all kept pictures of one page together; those beyond are boxes."""

_LONGEST_SIDE = 4000
_UNTOLD = (160, 90)
# fmt: off
_TAGS = frozenset({
    "a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "button", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "fieldset", "figcaption",
    "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "input",
    "ins", "kbd", "label", "legend", "li", "main", "mark", "nav", "ol", "option", "p", "picture", "pre", "q", "s", "samp",
    "section", "select", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "textarea",
    "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
})
_LOOKS = frozenset({
    "align", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "colspan", "dir", "face", "height", "hidden",
    "id", "lang", "open", "rowspan", "size", "start", "style", "title", "type", "valign", "value", "width", "placeholder",
    "checked", "disabled", "selected", "reversed", "role",
})
# fmt: on
_FRAMES = ("iframe", "video", "audio", "embed", "object", "amp-iframe", "amp-video", "amp-youtube")
_NEVER_SEEN = ("noscript", "template", "svg", "math", "canvas", "map", "dialog", "frameset")
_WITH_CONTENT = frozenset({"script", "style", "title", "template", "noscript", "svg", "math"})
_AWAY = re.compile(r"(?i)@import[^;]*;?|\burl\(\s*(?!['\"]?data:)[^)]*\)?")
_NAMED_SIZE = re.compile(r"-(\d{2,4})x(\d{2,4})\.\w{3,4}(?:$|\?)")
_OWN_STYLE = (
    "html{background:#fff;color:#111;font-family:sans-serif;overflow-wrap:anywhere}"
    "img{max-width:100%}a{text-decoration:underline;color:#00e}"
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the page shows: its file where it is kept, and its size in pixels, 0 where that is unknown."""

    content: bytes | None = None
    media_type: str = ""
    width: int = 0
    height: int = 0


def replayed(page: Page, picture_at: Callable[[str], Picture]) -> bytes:
    """Return the page as a document for a frame under REPLAY_POLICY. `page` is used up."""
    etree.strip_elements(page.root, "script", *_NEVER_SEEN, with_tail=False)
    styles = [(style.get("media") or "", style.text or "") for style in page.root.iter("style")]
    for link in page.root.iter("a"):
        if led := page.absolute(link.get("href")):
            link.set("title", led)
    left = MOST_PICTURE_BYTES
    for element in list(page.root.iter("img", "amp-img", *_FRAMES)):
        if element.tag in _FRAMES:
            _box(element, f"{element.tag}, not kept", (0, 0))
            continue
        shown = image_of(element, page)
        picture = picture_at(shown.url) if shown else Picture()
        if picture.content is None or len(picture.content) > left:
            named = _NAMED_SIZE.search(shown.url) if shown else None
            known = (int(named[1]), int(named[2])) if named else (picture.width, picture.height)
            _box(element, element.get("alt") or "", known)
            continue
        left -= len(picture.content)
        element.tag = "img"
        element.set("src", _data(picture.media_type, picture.content))
    bodies = list(page.root.iter("body"))
    body = bodies[0] if bodies else page.root
    clean = nh3.clean(
        etree.tostring(body, encoding="unicode", method="html"),
        tags=set(_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes={"*": set(_LOOKS), "a": {"href"}, "img": {"src", "alt"}},
        attribute_filter=_kept,
        link_rel=None,
        url_schemes={"data", "http", "https"},
    )
    sheets = Markup("").join(
        Markup('<style media="{}">{}</style>').format(
            media, Markup(_without_addresses(text).replace("</", r"<\/"))
        )
        for media, text in styles
    )
    document = Markup(
        '<!DOCTYPE html><html{}><head><meta charset="utf-8"><title>A captured page</title>'
        '<meta name="viewport" content="width=device-width"><style>{}</style>{}</head><body{}>{}</body></html>'
    ).format(_attributes(page.root), Markup(_OWN_STYLE), sheets, _attributes(body), Markup(clean))
    return document.encode("utf-8", "replace")


def style_sheets(page: Page) -> int:
    """Return how many style sheets a page fetches: they are not in its capture."""
    return sum("stylesheet" in (link.get("rel") or "").lower().split() for link in page.by_tag["link"])


def _kept(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href":
        return "#"
    if attribute == "src":
        return value if value.startswith("data:image/") else None
    return _without_addresses(value) if attribute == "style" else value


def _without_addresses(style: str) -> str:
    return _AWAY.sub("", style)


def _attributes(element: Element) -> Markup:
    named = ((name, element.get(name)) for name in ("class", "id", "lang", "dir", "style"))
    return Markup("").join(
        Markup(' {}="{}"').format(name, _kept(str(element.tag), name, value))
        for name, value in named
        if value
    )


def _box(element: Element, told: str, known: tuple[int, int]) -> None:
    """Turn an element into a grey box as large as what is missing: as its attributes say, else as is known of it."""
    width, height = _pixels(element.get("width")), _pixels(element.get("height"))
    if not (width and height):
        shape = known if all(known) else _UNTOLD
        width, height = (width, width * shape[1] // shape[0] or 1) if width else shape
    looks = {name: value for name in ("class", "style", "id") if (value := element.get(name))}
    if element.tag == "embed":  # libxml2 knows no empty one: what follows it stands in it
        for inner in reversed(element):
            element.addnext(inner)
    tail = element.tail
    element.clear()
    element.tag, element.tail = "img", tail
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        '<rect width="100%" height="100%" fill="#c9c9c9"/></svg>'
    )
    for name, value in {
        **looks,
        "src": _data("image/svg+xml", drawing.encode()),
        "alt": told,
        "title": told,
        "width": str(width),
        "height": str(height),
    }.items():
        element.set(name, value)


def _pixels(text: str | None) -> int:
    """Return a length in pixels of an attribute, 0 where it is none or beyond belief."""
    digits = (text or "").strip().removesuffix("px")
    return min(int(digits), _LONGEST_SIDE) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0


def _data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
