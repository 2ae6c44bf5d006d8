"""What kind of page is this? Told by address and markup, never by how much text there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.structured import (
    ARTICLE_TYPES,
    LISTING_TYPES,
    Node,
    Structured,
    text,
    types_of,
)
from uknip_crawler.extraction.page.text import key
from uknip_crawler.sites import Site
from uknip_crawler.urls import AddressKind
from uknip_crawler.urls import classify as classify_address


class PageKind(StrEnum):
    ARTICLE = "article"
    LISTING = "listing"
    PAGE = "page"
    SOFT_404 = "soft_404"
    PROTECTED = "protected"
    CHALLENGE = "challenge"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Classified:
    """`certain` says that markup, not only the address or the caller, makes it an article."""

    kind: PageKind
    certain: bool = False


# WordPress core's body_class() tokens, the same on every theme
_LISTING_CLASSES = frozenset({"archive", "home", "blog", "search", "category", "tag", "author", "date"})
_CHALLENGE_TITLE = re.compile(
    r"(?i)just a moment\.{3}|attention required! \| cloudflare|ddos-guard|verifying you are human.*"
)
_CHALLENGE_MARKS = ("_cf_chl_opt", "cf-chl-", "/cdn-cgi/challenge-platform/h/")
MAX_CHALLENGE_WORDS = 150
"""Cloudflare's scripts also stand on the pages they guard; a challenge says little besides."""
_UNSEEN = frozenset({"head", "title", "script", "style", "noscript", "template"})
_MISSING = re.compile(
    r"(?i)(?:error )?404(?: error)?(?:[ :–—-]+.{0,30})?|(?:page|post|article) not found|nothing (?:was )?found(?: here)?|not found"
    r"|(?:oops!? )?(?:that|this|the) page (?:can.?t|could not|cannot) be found\.?|(?:oops!? )?page not found[.!]?"
    r"|error 404|sorry, (?:but )?(?:the page|nothing).{0,60}"
)
_DOWN = re.compile(
    r"(?i)briefly unavailable for scheduled maintenance|error establishing a (?:database|redis) connection"
    r"|there has been a critical error on (?:this|your) website|(?:site|website|we are|down) (?:is )?(?:down )?"
    r"(?:under|for|undergoing) (?:scheduled )?maintenance"
)
_HEADINGS = ("h2", "h3", "h4")


def classify(page: Page, data: Structured, site: Site, *, expected_article: bool = False) -> Classified:
    """Return what kind of page this is; `expected_article` vouches for an address of no known scheme."""
    single = _is_single(page)
    own = _is_own_story(page, data)
    if not single and (special := _special(page, data, own)):
        return Classified(special)
    if single:
        return Classified(_open_or_protected(page), certain=True)
    address = _address_kind(page, site)
    markup = PageKind.ARTICLE if own else _markup_kind(page, data)
    if markup is None or (markup is PageKind.ARTICLE and address is AddressKind.LISTING and not own):
        certain, kind = False, _by_address(address, expected_article)
    else:
        certain, kind = True, markup
    return Classified(_open_or_protected(page) if kind is PageKind.ARTICLE else kind, certain)


def _is_single(page: Page) -> bool:
    tokens = page.body_classes
    if tokens & {"attachment", "error404"}:
        return False
    return "single-post" in tokens or (
        "single" in tokens and any(re.fullmatch(r"postid-\d+", t) for t in tokens)
    )


def _is_own_story(page: Page, data: Structured) -> bool:
    """Tell whether the page's JSON-LD is a story of this very address; whatever stands beside it, no listing is one.

    A WordPress page of its own number is a page also where a plugin calls everything an `Article`.
    """
    numbered = any(token.startswith("page-id-") for token in page.body_classes)
    own = {_place(address) for address in (page.url, data.rel.get("canonical")) if address} - {""}
    heads = {key(text_of(h1)) for h1 in page.by_tag["h1"] if h1.find(".//a") is None}
    for node in data.nodes:
        kinds = ARTICLE_TYPES.intersection(types_of(node)) - (
            {"Article", "BlogPosting"} if numbered else set()
        )
        if not kinds or len(node) < 3:
            continue
        places = {_place(address) for address in _addresses(node, page)}
        if own & places or (not places and key(text(node.get("headline")) or "") in heads):
            return True
    return False


def _addresses(node: Node, page: Page) -> Iterator[str]:
    for value in (node.get("mainEntityOfPage"), node.get("url"), node.get("@id")):
        for item in value if isinstance(value, list) else [value]:
            address = item.get("@id") or item.get("url") if isinstance(item, dict) else item
            if isinstance(address, str) and (absolute := page.absolute(address)):
                yield absolute


def _place(address: str) -> str:
    """Return what tells addresses of one site apart, "" for its home page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.path.rstrip("/") or parts.query


def _special(page: Page, data: Structured, own: bool) -> PageKind | None:
    """Return challenge, maintenance or soft 404 where the page as a whole is one."""
    if not own and (_CHALLENGE_TITLE.fullmatch(page.title) or _runs_challenge(page, data)):
        return PageKind.CHALLENGE
    heads = [page.title, *(text_of(h1) for h1 in page.by_tag["h1"])]
    if not own and any(_DOWN.match(head) for head in [*heads, _opening(page)]):
        return PageKind.MAINTENANCE
    parts = [part for head in heads for part in (head, re.split(r"\s+[-–—|]\s+", head)[0])]
    missing = not own and any(_MISSING.fullmatch(part) for part in parts)
    return PageKind.SOFT_404 if missing or "error404" in page.body_classes else None


def _runs_challenge(page: Page, data: Structured) -> bool:
    scripts = (script.text or "" for script in page.by_tag["script"])
    if not any(mark in script for script in scripts for mark in _CHALLENGE_MARKS) or _is_dated_story(data):
        return False
    seen = (f"{'' if e.tag in _UNSEEN else e.text or ''} {e.tail or ''}" for e in page.elements)
    return sum(len(words.split()) for words in seen) < MAX_CHALLENGE_WORDS


def _is_dated_story(data: Structured) -> bool:
    """Tell whether the head calls the page an article and dates it, as it does on no listing."""
    return (data.first("og:type") or "").lower() == "article" and bool(data.first("article:published_time"))


def _opening(page: Page) -> str:
    """Return the page's first visible words, enough for one notice."""
    texts = (text_of(e) for name in ("p", "h2", "div", "body") for e in page.by_tag[name][:1])
    return next((text[:200] for text in texts if text), "")


def _open_or_protected(page: Page) -> PageKind:
    forms = any("post-password-form" in classes(form) for form in page.by_tag["form"])
    fields = any(field.get("name") == "post_password" for field in page.by_tag["input"])
    return PageKind.PROTECTED if forms or fields else PageKind.ARTICLE


def _markup_kind(page: Page, data: Structured) -> PageKind | None:
    tokens = page.body_classes
    dated = _is_dated_story(data) and not _is_run_of_posts(page)  # class names are also any theme's own
    if not dated and (tokens & _LISTING_CLASSES or _is_called_listing(page, data)):
        return PageKind.LISTING
    numbered = any(token.startswith(("page-id-", "single-")) for token in tokens)
    if numbered or "attachment" in tokens or ("page" in tokens and not dated):
        return PageKind.PAGE
    if _is_run_of_posts(page):
        return PageKind.LISTING
    if data.article or data.first("article:published_time"):
        return PageKind.ARTICLE
    return None


def _is_called_listing(page: Page, data: Structured) -> bool:
    """Tell whether the JSON-LD calls this page a listing, not only one that the page belongs to."""
    own = {_place(address) for address in (page.url, data.rel.get("canonical")) if address}
    named = [node for node in data.nodes if LISTING_TYPES.intersection(types_of(node))]
    places = [{_place(address) for address in _addresses(node, page)} for node in named]
    return any(not there or own & there for there in places)


def _is_run_of_posts(page: Page) -> bool:
    """Tell whether the page prints several posts, each under a headline that leads to its own address."""
    posts = [
        e
        for name in ("article", "div")
        for e in page.by_tag[name]
        if {"type-post", "hentry"} & set(classes(e))
    ]
    if len(posts) < 2 or any(_own_headline(post) for post in posts):
        return False
    targets = {target for post in posts if (target := _permalink(post, page))}
    return len(targets) >= 2


def _own_headline(post: Element) -> bool:
    """Tell whether a post carries the page's own headline: an `h1` that is no link."""
    return any(h1.find(".//a") is None for h1 in post.iter("h1"))


def _permalink(post: Element, page: Page) -> str | None:
    for heading in post.iter("h1", *_HEADINGS):
        anchor = heading.find(".//a")
        if anchor is not None:
            return page.absolute(anchor.get("href"))
    return None


def _address_kind(page: Page, site: Site) -> AddressKind:
    canonical = page.canonical(page.url, site)
    return classify_address(canonical, site) if canonical else AddressKind.UNKNOWN


def _by_address(address: AddressKind, expected_article: bool) -> PageKind:
    if address is AddressKind.LISTING:
        return PageKind.LISTING
    if address is AddressKind.ARTICLE or (expected_article and address is AddressKind.UNKNOWN):
        return PageKind.ARTICLE
    return PageKind.PAGE
