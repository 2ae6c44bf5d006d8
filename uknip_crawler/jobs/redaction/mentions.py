"""Where lists, feeds and pages name a story by its address, and what they say of it there."""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree
from lxml import html as lxml_html

from uknip_crawler.models import Capture

_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_ENTRY = re.compile(r"<(item|entry|url)\b.*?</\1\s*>", re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</title>", re.DOTALL)
_TEXT = re.compile(r"<(title|description|summary|content|content:encoded)\b[^>]*>(.*?)</\1\s*>", re.DOTALL)
_MAX_TEASER = 600
_LEVELS = 2
_ADDRESSING = frozenset({"location", "content-location", "link"})
_OPENING_WORDS = 12


@dataclass(frozen=True, slots=True)
class Mention:
    """One naming of a story: its address, its headline where it is told as such, and the text around it."""

    address: str
    headline: str = ""
    text: str = ""


def mentions(text: str, concerns: Callable[[str], bool]) -> Iterator[Mention]:
    """Yield every mention of the stories whose addresses `concerns` knows: in JSON of the REST interface, feeds,
    sitemaps and pages. Addresses are as written, also relative ones."""
    plain = html.unescape(text.replace("\\/", "/"))
    named = sorted(url for url in set(_URL.findall(plain)) if concerns(url))
    yield from map(Mention, named)
    if text.lstrip("\ufeff \r\n").startswith(("[", "{")):
        yield from _in_json(text, concerns)
    elif _ENTRY.search(text) and "<html" not in text[:2000].lower():
        yield from _in_entries(text, concerns)
    else:
        yield from _in_page(text, concerns)


def in_headers(capture: Capture) -> Iterator[str]:
    """Yield the addresses that a capture's headers name, as `Location` and `Link` do."""
    for name, written in capture.headers:
        if name.lower() in _ADDRESSING:
            value = written.encode("latin-1").decode("utf-8", "replace")
            for address in re.findall(r"<([^<>]*)>", value) or [value]:
                with contextlib.suppress(ValueError):
                    yield urljoin(capture.url, address.strip())


def _in_json(text: str, concerns: Callable[[str], bool]) -> Iterator[Mention]:
    try:
        entries = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("link"), str) and concerns(entry["link"]):
            texts = [_rendered(entry.get(name)) for name in ("content", "excerpt")]
            yield Mention(entry["link"], _rendered(entry.get("title")), "\n".join(texts))


def _rendered(value: object) -> str:
    value = value.get("rendered") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""


def _in_entries(text: str, concerns: Callable[[str], bool]) -> Iterator[Mention]:
    for entry in _ENTRY.finditer(text):
        address = next(filter(concerns, _URL.findall(html.unescape(entry[0]))), None)
        if address is not None:
            title = _TITLE.search(entry[0])
            text = "\n".join(
                found[2] for found in _TEXT.finditer(entry[0])
            )  # not its date, which others share
            yield Mention(address, title[1] if title else "", text)


def _in_page(text: str, concerns: Callable[[str], bool]) -> Iterator[Mention]:
    try:
        page = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=_parser())
    except (etree.ParserError, ValueError):
        return
    for link in page.iter("a"):
        address = link.get("href") or ""
        if address and concerns(address):
            said = (
                _said(link),
                link.get("title"),
                link.get("aria-label"),
                *(i.get("alt") for i in link.iter("img")),
            )
            yield from (Mention(address, headline) for headline in said if headline)
            yield Mention(address, "", _teaser(link))


def _parser() -> lxml_html.HTMLParser:
    return lxml_html.HTMLParser(encoding="utf-8", no_network=True)


def _teaser(link: etree._Element) -> str:
    """Return the paragraphs in the box around a link that are long enough to be a story's: no dates, no bylines."""
    box = link
    for above in list(link.iterancestors())[:_LEVELS]:
        if len(_said(above)) > _MAX_TEASER:
            break
        box = above
    paragraphs = [_said(paragraph) for paragraph in box.iter("p")]
    return "\n".join(text for text in paragraphs if len(text.split()) >= _OPENING_WORDS)


def _said(element: etree._Element) -> str:
    return " ".join("".join(map(str, element.itertext(with_tail=False))).split())
