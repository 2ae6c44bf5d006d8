"""Pictures: their real address behind lazy loading, their caption and credit, and which are no pictures of a story."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.structured import Structured, text
from uknip_crawler.extraction.text import unescaped
from uknip_crawler.models import Image

_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file", "data-large-file", "data-full-url")
_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_JUNK = re.compile(
    r"(?i)(?:^|[/_-])logo[-_\dx]*\.\w+$|/(?:avatar|placeholder|spacer|blank|pixel|1x1|favicon|spinner|lazy-?load(?:er)?)"
    r"[-_\dx]*\.\w+$|/cropped-|gravatar\.com/|\.svg$|/plugins/|/themes/|/smilies/|/emoji/"
)
_SIZE = re.compile(r"-(?:\d{2,4}x\d{2,4}|scaled)(?=\.\w{3,4}$)")
_WORD = r"(?:photo(?:graph)?|pic(?:ture)?|image|video|credit)s?"
_LABELLED = re.compile(
    rf"(?i)(?:^|(?<=[\s(.\[|])){_WORD}(?:\s+(?:credit|by|courtesy(?: of)?))?\s*:\s*(?P<credit>.+)$"
)
_MARKED = re.compile(r"(?i)(?:©|\(c\)|\bcopyright\b:?)\s*(?P<credit>.+)$")
_SPOKEN = re.compile(rf"(?i)^(?P<caption>(?:{_WORD}\b)?.{{0,80}}?)\s*\bcredit\b:?\s+(?P<credit>.+)$")
_SPOKEN_START = re.compile(rf"(?i)^{_WORD}\b")
MAX_CREDIT_WORDS = 10


def image_of(element: Element, page: Page) -> Image | None:
    """Return the picture an `img` stands for, or None for a decoration."""
    url = page.absolute(_address(element))
    if url is None or is_junk(url) or _is_tiny(element):
        return None
    caption, credit = split_credit(_caption(element))
    return Image(url, unescaped(element.get("alt") or "") or None, caption, credit)


def is_junk(url: str) -> bool:
    """Tell whether an address is that of a logo, an avatar, a counting pixel or a lazy-loading placeholder."""
    return url.startswith("data:") or bool(_JUNK.search(url.partition("?")[0]))


def stem(url: str) -> str:
    """Return what all sizes of one WordPress picture share."""
    return _SIZE.sub("", url.partition("?")[0].partition("://")[2]).casefold()


def split_credit(text: str | None) -> tuple[str | None, str | None]:
    """Return (caption, credit) of a caption as printed: `Two boats. Photo: Ann Lee` and the like."""
    if not text:
        return None, None
    for pattern in (_LABELLED, _MARKED):
        match = pattern.search(text)
        if match and len(match["credit"].split()) <= MAX_CREDIT_WORDS:
            return text[: match.start()].rstrip(" |-–—([,") or None, match["credit"].rstrip(")] ") or None
    match = _SPOKEN.match(text)
    if match and _SPOKEN_START.match(text) and len(match["credit"].split()) <= MAX_CREDIT_WORDS:
        return match["caption"].rstrip(" ,-–") or None, match["credit"].rstrip(".") or None
    return text, None


def credit_line(text: str) -> tuple[str | None, str] | None:
    """Return (caption, credit) when a whole line is a picture's credit, else None."""
    if len(text.split()) > 14:
        return None
    opening = (
        _LABELLED.match(text) or _MARKED.match(text) or (_SPOKEN_START.match(text) and _SPOKEN.match(text))
    )
    caption, credit = split_credit(text) if opening else (None, None)
    return (caption, credit) if credit else None


def _address(element: Element) -> str | None:
    for name in _LAZY:
        if value := element.get(name):
            return value
    source = element.get("src")
    if source and not source.startswith(("data:", "about:")) and not is_junk(source):
        return source
    return next((best for name in _SETS if (best := _largest(element.get(name)))), source)


def _largest(srcset: str | None) -> str | None:
    """Return the widest candidate of a srcset (HTML §4.8.4.2), or None."""
    best, width = None, -1.0
    for candidate in re.split(r",\s+", srcset or ""):
        address, _, size = candidate.strip().strip(",").partition(" ")
        number = re.match(r"\s*(\d{1,6}(?:\.\d+)?)[wx]", size)
        if address and not address.startswith("data:") and float(number[1] if number else 0) > width:
            best, width = address, float(number[1] if number else 0)
    return best


def _is_tiny(element: Element) -> bool:
    return any(
        (element.get(side) or "").removesuffix("px") in ("0", "1", "2") for side in ("width", "height")
    )


def _caption(element: Element) -> str | None:
    holder = element.getparent()
    for _ in range(5):
        if holder is None or holder.tag in ("body", "article", "main"):
            return None
        if holder.tag == "figure" or "wp-caption" in classes(holder):
            return next(
                (text for part in holder.iter() if is_caption(part) and (text := text_of(part))), None
            )
        holder = holder.getparent()
    return None


def is_caption(element: Element) -> bool:
    """Tell whether an element holds a picture's caption or credit and nothing else."""
    if element.tag == "figcaption":
        return True
    if not any(_names_caption(token) for token in classes(element)):
        return False
    return element.find(".//img") is None and element.find(".//p") is None


@lru_cache(4096)
def _names_caption(token: str) -> bool:
    return not {"caption", "credit", "credits"}.isdisjoint(re.split("[-_]+", token.lower()))


def lead_address(data: Structured, page: Page) -> tuple[str | None, str]:
    """Return (address, source) of the picture the page's head names."""
    images = data.article.get("image")
    for item in images if isinstance(images, list) else [images]:
        node = data.resolve(item)
        value = node.get("url") or node.get("contentUrl") if isinstance(node, dict) else node
        url = page.absolute(text(value))
        if url and not is_junk(url):
            return url, "json-ld"
    for value in (data.first("og:image:secure_url", "og:image", "og:image:url"), data.first("twitter:image")):
        url = page.absolute(value)
        if url and not is_junk(url):
            return url, "meta"
    return None, ""


def gather_images(named: str | None, shown: Iterable[Image]) -> tuple[Image, ...]:
    """Return every picture once, the one the head names first, with the texts the page prints for it."""
    found: dict[str, Image] = {stem(named): Image(named)} if named else {}
    for image in shown:
        known = found.setdefault(stem(image.url), image)
        found[stem(image.url)] = replace(
            known,
            alt=known.alt or image.alt,
            caption=known.caption or image.caption,
            credit=known.credit or image.credit,
        )
    return tuple(found.values())
