"""Images: their real address behind lazy loading, their caption and credit, and which are no images of a story."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.structured import Structured, text
from uknip_crawler.extraction.page.text import unescaped
from uknip_crawler.models import Image

_LAZY = (
    "data-src", "data-lazy-src", "data-original", "data-orig-file", "data-large-file", "data-full-url", "data-lazy",
    "data-hi-res-src", "data-cfsrc", "data-ezsrc", "data-litespeed-src", "nitro-lazy-src", "data-lazyload",
)  # fmt: skip
_BACKGROUNDS = (
    "data-bg",
    "data-background",
    "data-background-image",
    "data-bg-src",
    "data-lazy-bg",
    "data-bgset",
)
_BACKGROUND_NAMES = frozenset({*_BACKGROUNDS, "style"})
_PICTURE_FILE = re.compile(r"(?i)\.(?:jpe?g|png|gif|webp|avif)(?:$|[?#.])")
_STYLE_URL = re.compile(r"background(?:-image)?\s*:[^;]*?url\(\s*['\"]?([^'\")]+)")
_JUNK = re.compile(
    r"(?i)(?:^|[/_-])logo[-_\dx]*\.\w+$|/(?:avatar|placeholder|spacer|blank|pixel|1x1|favicon|spinner|lazy-?load(?:er)?)"
    r"[-_\dx]*\.\w+$|/cropped-|gravatar\.com/|\.svg$|/plugins/|/themes/|/smilies/|/emoji/"
)
_SIZE = re.compile(r"-(?:(\d{2,4})x\d{2,4}|scaled|rotated)(?=\.\w{3,4}$)")
_FORMAT = re.compile(r"(?i)(?:\.(?:jpe?g|png|gif|webp|avif))+$")
_SERVED_WIDTH = re.compile(r"(?:^|[?&,;/])(?:w|width|resize|fit)[=_](\d{2,4})")
_SERVING = re.compile(
    r"^(?:w|h|width|height|q|quality|resize|fit|crop|ssl|strip|auto|format|fm|dpr|v|ver|zoom|s|sharp|rect|ixlib)$"
)
_CANDIDATE = re.compile(r"\s*,*\s*(\S*[^\s,])(?:\s+([^,]*))?(?:,|$)")
_DESCRIPTOR = re.compile(r"\d{1,6}(?:\.\d+)?[wx]")
_WORD = r"(?:photo(?:graph)?|pic(?:ture)?|image|video|credit)s?"
_LABELLED = re.compile(
    rf"(?i)(?:^|(?<=[\s(.\[|])){_WORD}(?:\s+(?:credit|by|courtesy(?: of)?))?\s*:\s*(?P<credit>.+)$"
)
_MARKED = re.compile(r"(?i)(?:©|\(c\)|\bcopyright\b:?)\s*(?P<credit>.+)$")
_SPOKEN = re.compile(rf"(?i)^(?P<caption>(?:{_WORD}\b)?.{{0,80}}?)\s*\bcredit\b:?\s+(?P<credit>.+)$")
_SPOKEN_START = re.compile(rf"(?i)^{_WORD}\b")
MAX_CREDIT_WORDS = 10
MAX_SOURCES = 8
SHARP = 1_000
"""A candidate for screens of double density is taken for so many pixels: more than what it stands beside."""
MAX_CAPTION_WORDS = 80


def image_of(element: Element, page: Page) -> Image | None:
    """Return the image an `img` stands for, or None for a decoration."""
    url = page.absolute(_address(element))
    if url is None or is_junk(url) or _is_tiny(element):
        return None
    caption, credit = split_credit(_caption(element))
    return Image(url, unescaped(element.get("alt") or "") or None, caption, credit)


def background_of(element: Element, page: Page) -> Image | None:
    """Return the image that an empty element shows as its background, or None."""
    lazy = next((value for name in _BACKGROUNDS if (value := element.get(name))), None)
    style = element.get("style") or ""
    if lazy is None and ("url(" not in style or not _is_figure_part(element)):
        return None
    if any(True for _ in element.iter("img", "iframe", "video")) or text_of(element):
        return None
    address = re.sub(r"^url\(['\"]?|['\"]?\)$", "", lazy.strip()) if lazy else ""
    shown = _STYLE_URL.search(style)
    address = (_largest(address) or "") if lazy else (shown[1] if shown else "")
    url = page.absolute(address)
    if url is None or is_junk(url) or not _PICTURE_FILE.search(url):
        return None
    caption, credit = split_credit(_caption(element))
    alt = element.get("aria-label") or element.get("title") or element.get("data-alt") or ""
    return Image(url, unescaped(alt) or None, caption, credit)


def names_background(attributes: Collection[str]) -> bool:
    """Tell whether attributes are such as name a background."""
    return not _BACKGROUND_NAMES.isdisjoint(attributes)


def _is_figure_part(element: Element) -> bool:
    return element.get("role") == "img" or any(e.tag == "figure" for e in element.iterancestors())


def is_junk(url: str) -> bool:
    """Tell whether an address is that of a logo, an avatar, a counting pixel or a lazy-loading placeholder."""
    return url.startswith("data:") or bool(_JUNK.search(url.partition("?")[0]))


@lru_cache(4096)
def stem(url: str) -> str:
    """Return what all sizes and servings of one image share: image networks, `www.`, `-300x200`, `?w=640`, `.webp`."""
    bare, _, query = unquote(_source_behind(url)).partition("://")[2].partition("?")
    host, _, path = bare.partition("/")
    if "wp-content/uploads/" in path:  # WordPress's own path, whatever host serves it
        host, path = "", path[path.index("wp-content/uploads/") :]
    path = _FORMAT.sub("", _SIZE.sub("", _FORMAT.sub(_own_format, path)))
    told = [part for part in query.split("&") if not _SERVING.match(part.partition("=")[0].lower())]
    number = f"?{'&'.join(told)}" if told and not _PICTURE_FILE.search(f"/{bare}") else ""
    return f"{host.casefold().removeprefix('www.')}/{path}{number}".casefold()


def _own_format(match: re.Match[str]) -> str:
    """Return the first of stacked formats: `.jpg` of `.jpg.webp`."""
    return "." + match[0].split(".")[1]


def _source_behind(url: str) -> str:
    """Return the address that an image network's address holds: in its path, or as `url=` in its query."""
    parts = urlsplit(url)
    for name, value in parse_qsl(parts.query):
        if name in ("url", "src", "image") and _PICTURE_FILE.search(value):
            return urljoin(url, value)
    host, path = parts.hostname or "", parts.path
    if re.fullmatch(r"i\d\.wp\.com", host):
        return f"https:/{path}"
    nested = re.search(r"https?:/{1,2}(.+)$", path)
    return f"https://{nested[1]}" if nested else url


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
    """Return (caption, credit) when a whole line is an image's credit, else None."""
    if len(text.split()) > 14:
        return None
    opening = (
        _LABELLED.match(text) or _MARKED.match(text) or (_SPOKEN_START.match(text) and _SPOKEN.match(text))
    )
    caption, credit = split_credit(text) if opening else (None, None)
    return (caption, credit) if credit else None


FAIR_WIDTH = 600
"""Pixels from which an image in the text is no thumbnail: it stays as the page names it."""


def _address(element: Element) -> str | None:
    """Return the address an `img` shows where that tells a fair size, else that of the largest image it offers, in its
    own attributes or its `picture`'s."""
    source = element.get("src")
    shown = None if not source or source.startswith(("data:", "about:")) or is_junk(source) else source
    lazy = next((value for name in _LAZY if (value := element.get(name))), None) or _any_lazy(element, shown)
    own = lazy or shown
    sets = [value for e in (element, *_sources(element)) for name, value in _told(e) if "srcset" in name]
    best, width = max((_widest(srcset) for srcset in sets), key=lambda found: found[1], default=(None, 0.0))
    if own is None or best is None:
        return best or own or source
    told = _width(own, best)
    return best if width > told and told < FAIR_WIDTH else own


def _any_lazy(element: Element, shown: str | None) -> str | None:
    """Return what an unknown lazy loader keeps, where the page shows nothing or a placeholder yet."""
    if shown:
        return None
    named = (value for name, value in _told(element) if name.startswith("data-") and "srcset" not in name)
    return next((v for v in named if _PICTURE_FILE.search(v) and " " not in v.strip()), None)


def _told(element: Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.items()]


def _sources(element: Element) -> list[Element]:
    # libxml2 knows no empty `source`: what follows one stands in it
    around = islice(element.iterancestors(), MAX_SOURCES)
    image = next((e for e in around if e.tag == "picture"), None)
    return list(image.iter("source")) if image is not None else []


def _width(url: str, other: str) -> float:
    """Return the width an address tells; an original beside its own sizes is wider than any."""
    path, _, query = url.partition("?")
    if sized := _SIZE.search(path):
        return float(sized[1] or 2560)  # WordPress scales what is larger
    if served := _SERVED_WIDTH.search(url):
        return float(served[1])
    is_original = not query and _SIZE.search(other.partition("?")[0]) and _name(url) == _name(other)
    return math.inf if is_original else 1.0


def _name(url: str) -> str:
    return _FORMAT.sub("", _SIZE.sub("", url.partition("?")[0].rpartition("/")[2]))


def _largest(srcset: str | None) -> str | None:
    return _widest(srcset)[0]


def _widest(srcset: str | None) -> tuple[str | None, float]:
    """Return the widest candidate of a srcset (HTML §4.8.4.2) and its width, 0 where none is told; or None."""
    best, width = None, -1.0
    for address, size in _CANDIDATE.findall(srcset or ""):
        if address.startswith("data:") or _DESCRIPTOR.fullmatch(address) or is_junk(address):
            continue
        told = _DESCRIPTOR.match(size.strip())
        wide = float(told[0][:-1]) * (SHARP if told[0].endswith("x") else 1) if told else 0.0
        if wide > width:
            best, width = address, wide
    return best, max(width, 0.0)


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
    """Tell whether an element holds an image's caption or credit and nothing else."""
    if element.tag == "figcaption":
        return True
    named = element.get("class")
    if not named or not names_caption(named):
        return False
    if element.find(".//img") is not None:
        return False
    return element.find(".//p") is None or len(text_of(element).split()) <= MAX_CAPTION_WORDS


@lru_cache(4096)
def names_caption(attribute: str) -> bool:
    return not {"caption", "credit", "credits"}.isdisjoint(re.split(r"[-_\s]+", attribute.lower()))


def lead_address(data: Structured, page: Page) -> tuple[str | None, str]:
    """Return (address, source) of the image the page's head names."""
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


def gather_images(named: str | None, above: Iterable[Image], told: Iterable[Image]) -> tuple[Image, ...]:
    """Return every image once, the one the head names first, with the texts the page prints for it.

    `above` are those printed above the story, `told` those in it: the story's own captions go before the others.
    """
    above = tuple(above)
    found: dict[str, Image] = {stem(named): Image(named)} if named else {}
    in_story: dict[str, Image] = {}
    for image in told:
        known = in_story.get(stem(image.url))
        in_story[stem(image.url)] = image if known is None else _joined(known, image)
    for image in (*above, *in_story.values()):
        found.setdefault(stem(image.url), image)
    for name, image in found.items():
        own = in_story.get(name, image)
        rest = [other for other in above if stem(other.url) == name]
        alt = next((shown.alt for shown in (own, image, *rest) if shown.alt), None)
        worded = next((shown for shown in (own, *rest) if shown.caption or shown.credit), image)
        found[name] = replace(image, alt=alt, caption=worded.caption, credit=worded.credit)
    return tuple(found.values())


def _joined(one: Image, other: Image) -> Image:
    """Return an image shown twice with the words of both showings."""
    captions = list(dict.fromkeys(filter(None, (one.caption, other.caption))))
    credits = list(dict.fromkeys(filter(None, (one.credit, other.credit))))
    return Image(one.url, one.alt or other.alt, " / ".join(captions) or None, " / ".join(credits) or None)
