"""Where a story is filed: its section and its tags, as its page, its breadcrumb or its address say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from uknip_crawler.extraction.metadata.surroundings import MAX_MARKED, Surroundings, is_prose, path_of
from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.structured import Structured, text, texts, types_of
from uknip_crawler.extraction.page.text import key, one_line
from uknip_crawler.models import Finding
from uknip_crawler.sites import fold

MAX_LABEL = 6
"""Words of a section or a tag at most: what is longer is a headline."""

_CATEGORY_PATH = re.compile(r"/(?:category|categories|cat|sections?|channels?)/")
_TAG_PATH = re.compile(r"/(?:tags?|topics?|keywords?)/")
_CATEGORY_MARK = re.compile(r"(?:.*[-_])?(?:cats?|categor(?:y|ies)|catlinks)(?:[-_].*)?")
_TAG_MARK = re.compile(r"(?:.*[-_])?(?:tags?|tagged|taglinks|topics|post_tag)(?:[-_].*)?")
_CATEGORY_LABEL = re.compile(r"(?i)(?:categor(?:y|ies)|sections?|filed (?:under|in)|posted in|in):?")
_TAG_LABEL = re.compile(r"(?i)(?:tags?|tagged(?: with| in| as)?|topics?|keywords?|filed under):?")
_OTHERS_LABEL = re.compile(
    r"(?i)\b(?:popular|trending|browse|explore|hot|all|more|top|follow|latest|discover)\b"
)
_POST_CLASS = re.compile(r"(?:post-in-)?(category|tag)-([\w%-]+)")
_NO_SECTION = re.compile(r"\d+|[a-z]+-\d+|blog|posts?|articles?|story|stories|archives?|index\.php")


class Filing(NamedTuple):
    """Section and tags with their sources, and all that is said of the section."""

    section: str | None
    section_source: str | None
    tags: tuple[str, ...]
    tags_source: str | None
    evidence: list[Finding]


def read_filing(page: Page, data: Structured, around: Surroundings, url: str) -> Filing:
    """Return where the story is filed; a breadcrumb names its section only where nothing else does."""
    labels = [a for a in around.own_links if _is_label(text_of(a)) and not _is_in_prose(a)]
    filed = [a for a in labels if is_category(a) or _is_category_link(a, around, url)]
    categories = _names(around, filed)
    sections = [
        ("json-ld", _sections(texts(data.article.get("articleSection")), categories)),
        ("meta", [data.first("article:section", "parsely-section", "section", "dc.subject.section") or ""]),
        ("markup", categories),
        ("json-ld", _crumb_names(data)),
        ("markup", _crumb_links(page, around)),
    ]
    said = [(source, [name for name in names if name]) for source, names in sections]
    evidence = [Finding("section", source, "; ".join(names), names[0]) for source, names in said if names]
    section, section_source = next(((f.value, f.source) for f in evidence), (None, None))
    keywords = [part.strip() for value in texts(data.article.get("keywords")) for part in value.split(",")]
    links = _names(around, [a for a in labels if not is_category(a) and _is_tag_link(a, around)])
    parsely = [part for value in data.meta.get("parsely-tags", ()) for part in value.split(",")]
    for source, tags in (
        ("meta", data.meta.get("article:tag", [])),
        ("json-ld", keywords),
        ("markup", [name for name in links if name not in categories]),
        ("meta", parsely),
    ):
        if kept := tuple(dict.fromkeys(one_line(tag).lstrip("# ") for tag in tags if one_line(tag))):
            return Filing(section, section_source, kept, source, evidence)
    return Filing(section, section_source, (), None, evidence)


def section_in_address(page: Page, url: str) -> Finding | None:
    """Return the section whose folder holds the story's address, called as the page's own link to that folder reads.

    A word in an address to which nothing leads may be anything: it names no section.
    """
    own = urlsplit(url).path
    folders = own.split("/")[1:-1] if own.endswith("/") else own.split("/")[1:]
    for depth in range(len(folders) - 1, 0, -1):
        path = "/" + "/".join(folders[:depth])
        if _NO_SECTION.fullmatch(folders[depth - 1]):
            continue
        for link, address in page.leading(path):
            is_led = urlsplit(address).path.rstrip("/") == path
            if is_led and _is_label(name := text_of(page.anchors[link])):
                return Finding("section", "address", folders[depth - 1], name)
    return None


def is_category(anchor: Element) -> bool:
    """Tell whether a link files a story under a category: WordPress's `rel`, or its block themes' wrapper."""
    rel = (anchor.get("rel") or "").split()
    if "category" in rel:
        return True
    parent = anchor.getparent()
    return "tag" in rel and (
        (parent is not None and "taxonomy-category" in classes(parent))
        or bool(_CATEGORY_PATH.search(urlsplit(anchor.get("href") or "").path))
    )


def _is_category_link(link: Element, around: Surroundings, url: str) -> bool:
    address = around.page.absolute(link.get("href"))
    if address is None or "tag" in (link.get("rel") or "").split():
        return False
    path = urlsplit(address).path
    if _CATEGORY_PATH.search(path) or re.search(r"[?&]cat=\d", address):
        return True
    if around.elsewhere(link) is None or path.strip("/") == "":
        return False
    is_above = urlsplit(url).path.startswith(path.rstrip("/") + "/") and not re.search(r"/\d{4}(?:/|$)", path)
    return is_above or _is_marked(link, around, _CATEGORY_MARK, _CATEGORY_LABEL, _TAG_MARK)


def _is_tag_link(link: Element, around: Surroundings) -> bool:
    if "tag" in (link.get("rel") or "").split():
        return True
    address = around.page.absolute(link.get("href"))
    if address is None or around.elsewhere(link) is None or "author" in (link.get("rel") or ""):
        return False
    path = urlsplit(address).path
    if _CATEGORY_PATH.search(path):
        return False
    if _TAG_PATH.search(path) or re.search(r"[?&]tag=", address):
        return True
    return _is_marked(link, around, _TAG_MARK, _TAG_LABEL, _CATEGORY_MARK)


def _is_marked(
    link: Element, around: Surroundings, mark: re.Pattern[str], label: re.Pattern[str], other: re.Pattern[str]
) -> bool:
    """Tell whether a link, or one of the three elements around it, is called or labelled so, and not otherwise."""
    for element in ancestors(link)[:4]:
        if around.is_around(element):
            return False
        names = [name.lower() for name in (*classes(element), *(element.get("id") or "").split())]
        if any(map(mark.fullmatch, names)):
            return True
        if any(map(other.fullmatch, names)):
            return False
        if element is not link and label.fullmatch(_label_of(element)):
            return True
    return False


def _label_of(element: Element) -> str:
    """Return the words before an element's first link, where they are few."""
    words: list[str] = [element.text or ""]
    for part in element.iterdescendants():
        if part.tag == "a":
            break
        words += [str(part.text or ""), str(part.tail or "")]
    return one_line(" ".join(words))[:40]


def _names(around: Surroundings, links: list[Element]) -> list[str]:
    """Return what the story's own filing links read: those in its own element, else in the strips beside it."""
    kept = [a for a in links if around.holds(a) and not _is_crumb(a, around)]
    if not kept:
        kept = [a for a in links if around.borders(a) and not _is_crumb(a, around) and not _is_of_others(a)]
        terms = set(_terms(around))
        filed = [a for a in kept if path_of(a.get("href") or "").rpartition("/")[2] in terms]
        kept = filed or kept
    return list(dict.fromkeys(_shown(a) for a in kept))


def _is_in_prose(link: Element) -> bool:
    marked = {"tag", "category"}.intersection((link.get("rel") or "").split())
    return is_prose(link, MAX_MARKED) if marked else is_prose(link)


def _is_label(name: str) -> bool:
    return 0 < len(name.split()) <= MAX_LABEL and key(name) not in ("", "home")


def _shown(link: Element) -> str:
    return text_of(link).strip(" ,;|/•·")


def _terms(around: Surroundings) -> Iterator[str]:
    """Yield the categories and tags that WordPress's post_class() names on the story's own element."""
    for element in (around.root, *around.page.by_tag["body"][:1]):
        for token in classes(element):
            if match := _POST_CLASS.fullmatch(token):
                yield match[2]


def _is_crumb(link: Element, around: Surroundings) -> bool:
    """Tell whether a link stands in a path that begins at the home page."""
    for element in ancestors(link)[1:4]:
        if around.is_around(element):
            return False
        first = next((a for a in element.iter("a") if a.get("href")), None)
        if first is not None and first is not link:
            address = around.page.absolute(first.get("href")) or ""
            if urlsplit(address).path in ("", "/") and not urlsplit(address).query:
                return True
    return False


def _is_of_others(link: Element) -> bool:
    """Tell whether a group of links says that it is about the site, as `Popular topics` does."""
    return any(_OTHERS_LABEL.search(_label_of(element)) for element in ancestors(link)[1:4])


def _sections(names: list[str], categories: list[str]) -> list[str]:
    """Return the sections of the head; of several in one string, the one that the page prints as a category."""
    if len(names) == 1 and "," in names[0]:
        parts = [part.strip() for part in names[0].split(",")]
        printed = [name for name in categories if fold(name) in map(fold, parts)]
        return printed[:1] or names
    return names


def _crumb_names(data: Structured) -> list[str]:
    """Return the section a BreadcrumbList names: the last step before the story, never the home page."""
    for node in data.nodes:
        steps = node.get("itemListElement")
        if "BreadcrumbList" in types_of(node) and isinstance(steps, list):
            names = [
                text(step.get("name"))
                or (text(step["item"].get("name")) if isinstance(step.get("item"), dict) else None)
                for step in steps
                if isinstance(step, dict)
            ]
            return [name for name in names[1:-1] if name][-1:]
    return []


def _crumb_links(page: Page, around: Surroundings) -> list[str]:
    tags = page.tags_that_say("readcrumb") - {"script"}
    story = key(text_of(around.headline)) if around.headline is not None else ""
    for element in page.root.iter(*tags) if tags else ():
        if not any("readcrumb" in value for value in element.values()):
            continue
        marks = f"{element.get('class')} {element.get('aria-label')} {element.get('itemtype')}"
        if "readcrumb" not in marks or "breadcrumb" not in marks.lower():
            continue
        names = [
            text_of(a)
            for a in element.iter("a")
            if urlsplit(page.absolute(a.get("href")) or "").path not in ("", "/")
        ]
        inner = [name for name in names if name and fold(name) != "home" and key(name) != story]
        if inner:
            return inner[-1:] if len(inner[-1].split()) <= 5 else inner[-2:-1]
    return []
