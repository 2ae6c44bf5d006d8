"""What a page says of itself in its head: JSON-LD (also broken), OpenGraph, meta and link elements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from uknip_crawler.extraction.page import Element, Page, text_of
from uknip_crawler.extraction.page.broken_json import Budget, parse
from uknip_crawler.extraction.page.text import is_same, key, unescaped

Node = dict[str, Any]

ARTICLE_TYPES = frozenset(
    {
        "Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle", "AnalysisNewsArticle",
        "BackgroundNewsArticle", "OpinionNewsArticle", "ReviewNewsArticle", "LiveBlogPosting",
    }
)  # fmt: skip
LISTING_TYPES = frozenset({"CollectionPage", "SearchResultsPage"})
MAX_NODES = 5_000
_PARTS = frozenset(
    {"liveBlogUpdate", "hasPart", "itemListElement", "blogPost", "comment", "citation", "mentions"}
)
"""Where a posting names others that are not the page's story: its updates, those of a list, its comments."""
_NAMES = frozenset({"@context", "@type", "@id"})
_DEBRIS = re.compile(r"""["']\s*[:,]\s*["'\[{]|[{}\[\]]""")


@dataclass(frozen=True)
class Structured:
    """`article` is the JSON-LD node of this page's story, `page` that of the page itself, `types` every type on it."""

    article: Node
    nodes: tuple[Node, ...]
    types: frozenset[str]
    meta: dict[str, list[str]]
    rel: dict[str, str]
    page: Node = field(default_factory=dict)

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
        name = (
            element.get("property") or element.get("name") or (_in_head(element) and element.get("itemprop"))
        )
        content = element.get("content")
        if name and content:
            meta.setdefault(name.strip().lower(), []).append(unescaped(content))
    rel: dict[str, str] = {}
    for element in page.by_tag["link"]:
        href = page.absolute(element.get("href"))
        for token in (element.get("rel") or "").lower().split():
            if href:
                rel.setdefault(token, href)
    found = list(_nodes(page))
    nodes = tuple(node for node, _, _ in found)
    types = frozenset(kind for node in nodes for kind in types_of(node))
    candidates = [(node, repaired) for node, is_part, repaired in found if not is_part]
    article, repaired = _own_article(candidates, page.url, rel.get("canonical"))
    article = _believable(article, page, meta) if repaired else article
    own = {_path(address) for address in (page.url, rel.get("canonical")) if address}
    pages = (n for n in nodes if "WebPage" in types_of(n) and own.intersection(map(_path, _addresses(n))))
    return Structured(article, nodes, types, meta, rel, next(pages, {}))


def _in_head(meta: Element) -> bool:
    """Tell whether a `meta` speaks of the whole page: those in its body speak of what holds them."""
    return not any(holder.tag == "body" for holder in meta.iterancestors())


def _nodes(page: Page) -> Iterator[tuple[Node, bool, bool]]:
    """Yield each node, whether it is only a part of another posting, and whether it was repaired."""
    pending: list[tuple[Any, bool, bool]] = []
    budget = Budget()
    for script in page.by_tag["script"]:
        if "ld+json" in (script.get("type") or "").lower():
            parsed = parse("".join(map(str, script.itertext())), budget)
            pending.extend((value, False, parsed.is_repaired) for value in parsed.values)
    pending.reverse()
    seen = 0
    while pending and seen < MAX_NODES:
        value, is_part, repaired = pending.pop()
        seen += 1
        if isinstance(value, list):
            pending.extend((item, is_part, repaired) for item in reversed(value))
        elif isinstance(value, dict):
            yield value, is_part, repaired
            pending.extend(
                (item, is_part or name in _PARTS, repaired)
                for name, item in value.items()
                if isinstance(item, dict | list)
            )


def _believable(node: Node, page: Page, meta: dict[str, list[str]]) -> Node:
    """Return what of a repaired node can be believed: words only where the page has them too, and no debris."""
    said = [
        page.title,
        *meta.get("og:title", ()),
        *(text_of(h) for h in (*page.by_tag["h1"], *page.by_tag["h2"])),
    ]
    summaries = {key(value) for name in ("description", "og:description") for value in meta.get(name, ())}
    kept: Node = {}
    for name, value in node.items():
        words = text(value)
        if name in ("headline", "name"):
            if words and any(is_same(other, words) for other in said):
                kept[name] = value
        elif name == "description":
            if words and key(words) in summaries:
                kept[name] = value
        elif not any(_DEBRIS.search(found) for found in texts(value)):
            kept[name] = value
    return kept


def types_of(node: Node) -> list[str]:
    """Return a node's types without the schema.org prefix."""
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [name.rpartition("/")[2] for name in kinds if isinstance(name, str)]


def _own_article(found: list[tuple[Node, bool]], *addresses: str | None) -> tuple[Node, bool]:
    """Return the one article node that speaks of this page, by address or because it is the only story.

    A live blog's posting comes before its updates, which may stand beside it under the same address.
    """
    candidates = [
        row for row in found if ARTICLE_TYPES.intersection(types_of(row[0])) and set(row[0]) - _NAMES
    ]
    candidates.sort(key=lambda row: "LiveBlogPosting" not in types_of(row[0]))
    own = {_path(address) for address in addresses if address}
    for node, repaired in candidates:
        named = {_path(address) for address in _addresses(node)}
        if own & named or (not named and "LiveBlogPosting" in types_of(node)):
            return node, repaired
    headlines = {text(node.get("headline")) or text(node.get("name")) for node, _ in candidates}
    return candidates[0] if len(headlines) == 1 else ({}, False)


def _addresses(node: Node) -> Iterator[str]:
    for value in (node.get("mainEntityOfPage"), node.get("url"), node.get("@id")):
        for item in value if isinstance(value, list) else [value]:
            address = item.get("@id") or item.get("url") if isinstance(item, dict) else item
            if isinstance(address, str) and address.startswith("http"):
                yield address


def _path(address: str) -> str:
    """Return path and query of an address: its fragment, as in `#article`, is not looked at."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


def text(value: Any) -> str | None:
    """Return a JSON-LD string in one line, or None for any other type and for emptiness."""
    return unescaped(value) or None if isinstance(value, str) else None


def scalar(value: Any) -> str | None:
    """Return a JSON-LD string or number as text, also the first of a list or the `@value` of an object."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("@value")
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else text(value)


def texts(value: Any) -> list[str]:
    """Return the strings of a JSON-LD value: one string, a list of them, or nothing."""
    return [found for item in (value if isinstance(value, list) else [value]) if (found := text(item))]
