"""What a page says of itself in its head: JSON-LD (also slightly broken), OpenGraph, meta and link elements."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from uknip_crawler.extraction.page import Page
from uknip_crawler.extraction.text import unescaped

Node = dict[str, Any]

ARTICLE_TYPES = frozenset(
    {
        "Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle", "AnalysisNewsArticle",
        "BackgroundNewsArticle", "OpinionNewsArticle", "ReviewNewsArticle", "LiveBlogPosting",
    }
)  # fmt: skip
LISTING_TYPES = frozenset({"CollectionPage", "SearchResultsPage"})
MAX_NODES = 5_000
MAX_SCRIPT = 1_000_000
_WRAPPER = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.{0,40}\*/)|(?:-->|//\s*\]\]>|\]\]>)\s*;?\s*$"
)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True)
class Structured:
    """`article` is the JSON-LD node of this page's story, `types` every type on the page."""

    article: Node
    nodes: tuple[Node, ...]
    types: frozenset[str]
    meta: dict[str, list[str]]
    rel: dict[str, str]

    def first(self, *names: str) -> str | None:
        """Return the first non-empty meta value under any of the names, in the order of the names."""
        return next((value for name in names for value in self.meta.get(name, ()) if value), None)

    def resolve(self, value: Any) -> Any:
        """Return the node that a lone `{"@id": …}` refers to, anything else as it is."""
        if isinstance(value, dict) and set(value) == {"@id"}:
            return next(
                (node for node in self.nodes if node.get("@id") == value["@id"] and len(node) > 1), value
            )
        return value


def read_structured(page: Page) -> Structured:
    """Return the page's structured data; what cannot be read counts as absent."""
    meta: dict[str, list[str]] = {}
    for element in page.by_tag["meta"]:
        name = element.get("property") or element.get("name") or element.get("itemprop")
        content = element.get("content")
        if name and content:
            meta.setdefault(name.strip().lower(), []).append(unescaped(content))
    rel: dict[str, str] = {}
    for element in page.by_tag["link"]:
        href = page.absolute(element.get("href"))
        for token in (element.get("rel") or "").lower().split():
            if href:
                rel.setdefault(token, href)
    nodes = tuple(_nodes(page))
    types = frozenset(kind for node in nodes for kind in types_of(node))
    return Structured(_own_article(nodes, page.url, rel.get("canonical")), nodes, types, meta, rel)


def _nodes(page: Page) -> Iterator[Node]:
    pending: list[Any] = []
    for script in page.by_tag["script"]:
        if (script.get("type") or "").lower().startswith("application/ld+json"):
            pending.append(loads("".join(map(str, script.itertext()))))
    pending.reverse()
    seen = 0
    while pending and seen < MAX_NODES:
        value = pending.pop()
        seen += 1
        if isinstance(value, list):
            pending.extend(reversed(value))
        elif isinstance(value, dict):
            yield value
            pending.extend(item for item in value.values() if isinstance(item, dict | list))


def loads(text: str) -> Any:
    """Return JSON-LD read as leniently as is safe, or None: comment wrappers, raw newlines, trailing commas."""
    if len(text) > MAX_SCRIPT:
        return None
    bare = _WRAPPER.sub("", _WRAPPER.sub("", text)).strip()
    decoder = json.JSONDecoder(strict=False)
    for attempt in (bare, _TRAILING_COMMA.sub(r"\1", bare), html.unescape(bare)):
        try:
            return decoder.raw_decode(attempt)[0]
        except (ValueError, RecursionError):
            continue
    return None


def types_of(node: Node) -> list[str]:
    """Return a node's types without the schema.org prefix."""
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [name.rpartition("/")[2] for name in kinds if isinstance(name, str)]


def _own_article(nodes: tuple[Node, ...], *addresses: str | None) -> Node:
    """Return the one article node that speaks of this page: by address, or because it is the only story."""
    candidates = [node for node in nodes if ARTICLE_TYPES.intersection(types_of(node)) and len(node) > 2]
    own = {_path(address) for address in addresses if address}
    for node in candidates:
        if own.intersection(_path(address) for address in _addresses(node)):
            return node
    headlines = {text(node.get("headline")) or text(node.get("name")) for node in candidates}
    return candidates[0] if len(headlines) == 1 else {}


def _addresses(node: Node) -> Iterator[str]:
    for value in (node.get("mainEntityOfPage"), node.get("url"), node.get("@id")):
        for item in value if isinstance(value, list) else [value]:
            address = item.get("@id") or item.get("url") if isinstance(item, dict) else item
            if isinstance(address, str) and address.startswith("http"):
                yield address


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


def text(value: Any) -> str | None:
    """Return a JSON-LD string in one line, or None for any other type and for emptiness."""
    return unescaped(value) or None if isinstance(value, str) else None


def texts(value: Any) -> list[str]:
    """Return the strings of a JSON-LD value: one string, a list of them, or nothing."""
    return [found for item in (value if isinstance(value, list) else [value]) if (found := text(item))]
