"""Who wrote a story: the people its page names, told from roles, agencies, accounts and the paper itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from uknip_crawler.extraction.metadata.surroundings import MAX_MARKED, Surroundings, is_prose
from uknip_crawler.extraction.page import MAX_LINKS, Element, Page, classes, text_of
from uknip_crawler.extraction.page.structured import Structured, texts, types_of
from uknip_crawler.extraction.page.text import one_line
from uknip_crawler.models import Finding
from uknip_crawler.sites import fold

MAX_NAME = 80

_BYLINE = re.compile(
    r"(?i)^(?:(?:words|written|report(?:ed|ing)?|story|text|posted|published|author)\s*(?:by\b:?|:)|by\b:?)\s+(?P<names>.{2,120})$"
)
_LEAD = re.compile(
    r"(?i)^(?:(?:words |written |posted |published |story |report(?:ed|ing)? )?by\b:?|authors?:)\s*"
)
_PARTICLES = r"(?:van|von|der|den|de|du|da|di|del|della|dos|la|le|al|bin|ibn|ap|ten|ter|y|and)"
_WORD = r"(?:[^\W\d_a-zß-öø-ÿ][\w.'’-]*|[^\W\d_]['’][^\W\d_][\w'’-]*)"
_FULL_NAME = re.compile(
    rf"{_WORD}(?: (?:{_PARTICLES}|{_WORD}))* {_WORD}(?:,? (?:Jr|Sr|II|III|IV|PhD|MBE|OBE|CBE|MP)\.?)?"
)
_BETWEEN = re.compile(r"(?i)\s*[,;|]\s*(?:and\s+|&\s*)?|\s+and\s+|\s+&\s+|\s+/\s+|\s+with\s+")
_STOP = re.compile(r"(?<!\bJr)(?<!\bSr)(?<!\b[A-Z])\.$")
_ROLE_BEFORE = re.compile(
    r"(?i)^.*\b(?:reporter|editor|correspondent|journalist|writer|columnist):?\s+(?=[A-Z])"
)
_NO_PERSON = re.compile(r"(?i)(?:the|our|mon|tues|wednes|thurs|fri|satur|sun)(?:day)?\b.*")
_AND = re.compile(r"(?i)\s+and\s+|\s+&\s+")
_ROLE = re.compile(
    r"(?i)(?:.*\b)?(?:reporters?|editors?|correspondents?|writers?|journalists?|columnists?|critic|staff|trainee|contributors?"
    r"|photographers?|producers?|freelance|desk|team)\b.*"
)
_FIRM = re.compile(
    r"(?i)\b(?:co|ltd|limited|llp|llc|inc|plc|sons?|daughters|bros|brothers|partners|associates|solicitors|group|agency|media|news"
    r"|newsroom|press|times|post|echo|herald|gazette|courier|journal|mail|council|police|university|trust|society|foundation"
    r"|association|company|service|services|office|department|institute)\.?$"
)
_TAIL = re.compile(
    r"(?i)\s+(?:[|·•–—-]\s.*|(?:in|at|for)\s+[A-Z].*|(?:last )?(?:updated|published|posted|modified)\b.*)$"
    r"|[\s,]+(?:on\s+)?(?:(?:mon|tues?|wednes|wed|thurs?|fri|satur|sat|sun)(?:day)?,?\s+)?"
    r"(?:\d|(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d).*$"
)
_CONTACT = re.compile(r"\s*[(\[<]?\s*(?:\S+@\S+\.\w+|@\w+|https?://\S+|www\.\S+)\s*[)\]>]?")
_HANDLE = re.compile(r"@\S+|[a-z0-9]+(?:[._-][a-z0-9]+)*|\S*[\d_]\S*")
_AUTHOR_PATH = re.compile(
    r"/(?:authors?|profiles?|journalists?|contributors?|reporters?|writers?|staff|people|team)/[^/]+/?$"
)
_AUTHOR_CLASS = re.compile(r"(?:.*[-_])?(?:author|byline|fn)(?:[-_]?(?:name|link|url|s))?")
_BOX = re.compile(r"avatar|gravatar|bio|desc|social|image|photo|icon")


def read_authors(
    data: Structured, around: Surroundings, lines: list[str], house: Iterable[str]
) -> tuple[tuple[str, ...], str | None, list[Finding]]:
    """Return (people, source, all that is said of them); `lines` stand above the story, `house` is the paper's names.

    The head is believed before links and marks by the headline, those before a printed byline, and that before the
    box about the author below the story. What is no person's name gives way to whatever is one.
    """
    own = frozenset(fold(name) for name in house)
    bylines = [joined for line in lines if _BYLINE.match(joined := line.replace("\n", "; "))]
    node = data.article.get("author") or data.article.get("creator")
    candidates = [
        ("json-ld", list(_people(node, data))),
        ("meta", _said_by_meta(data)),
        ("markup", _marked(around.near, around)),
        ("label", [match["names"] for line in bylines if (match := _BYLINE.match(line))]),
        ("markup", _boxed(around)),
    ]
    found: tuple[str, ...] = ()
    believed: Finding | None = None
    fallback: tuple[tuple[str, ...], Finding] | None = None
    findings = []
    for source, names in candidates:
        printed = list(dict.fromkeys(one_line(name) for name in names if one_line(name)))
        if not printed:
            continue
        split = split_byline if source == "label" else split_names
        people = tuple(dict.fromkeys(p for name in printed for p in split(name) if _is_somebody(p, own)))
        if source == "label" and not people:
            continue
        finding = Finding("authors", source, "; ".join(printed), "; ".join(people) or None)
        findings.append(finding)
        if people and all(map(_HANDLE.fullmatch, people)):
            fallback = fallback or (people, finding)
        elif people and believed is None:
            found, believed = people, finding
    if believed is None and fallback is not None:
        found, believed = fallback
    findings.sort(key=lambda finding: finding is not believed)
    return found, believed.source if believed else None, findings


def _is_somebody(name: str, house: frozenset[str]) -> bool:
    return (
        fold(name) not in house
        and fold(name.lstrip("@")) not in house
        and "://" not in name
        and not name.lower().startswith("www.")
        and not re.search(r"\S@\S", name)
        and len(name) <= MAX_NAME
    )


def split_names(printed: str) -> list[str]:
    """Return the people in one string: `Ann Lee and Jo Field` are two, `Orla Finch & Co` and `Lee, Ann` one.

    A string is taken apart only where each part is a full name; roles behind a name, as `Ann Lee, Reporter`, go.
    """
    whole = _STOP.sub("", _LEAD.sub("", printed).strip(" ,;|"))
    parts = [_ROLE_BEFORE.sub("", _STOP.sub("", part.strip(" ,;"))) for part in _BETWEEN.split(whole)]
    people = [part for part in parts if part and not _ROLE.fullmatch(part)]
    is_list = bool(people) and all(_FULL_NAME.fullmatch(part) for part in people)
    if (len(parts) > 1 or parts != [whole]) and is_list and not any(_FIRM.search(part) for part in people):
        return people
    return [whole] if whole else []


def split_byline(printed: str) -> list[str]:
    """Return the people that a line such as `By Ann Lee, Reporter, 3 May` names; none where it names nobody in full."""
    bare = _TAIL.sub("", _CONTACT.sub("", printed)).strip(" ,;|")
    names = split_names(bare)
    return names if all(map(_is_person, names)) else []


def _is_person(name: str) -> bool:
    return bool(_FULL_NAME.fullmatch(name)) and not any(p.fullmatch(name) for p in (_ROLE, _NO_PERSON))


def _people(value: Any, data: Structured) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        node = data.resolve(item)
        if isinstance(node, dict):
            if not any(kind.endswith(("Organization", "Corporation")) for kind in types_of(node)):
                yield from texts(node.get("name"))
        elif isinstance(node, str):
            yield from texts(node)


def _said_by_meta(data: Structured) -> list[str]:
    names = ("author", "article:author", "article:author_name", "parsely-author", "sailthru.author", "dc.creator",
             "dcterms.creator", "citation_author", "byl", "cxenseparse:author")  # fmt: skip
    return next((list(data.meta[name]) for name in names if any(data.meta.get(name, ()))), [])


def _marked(elements: Iterable[Element], around: Surroundings) -> list[str]:
    """Return the names that links to authors' pages, microdata or classes mark, the surest of these kinds alone."""
    links, properties, named = [], [], []
    for element in islice(elements, MAX_LINKS):
        if element.tag == "a" and is_author_link(element, around.page) and not is_prose(element, MAX_MARKED):
            links.append(element)
        elif "author" in (element.get("itemprop") or "").lower().split():
            properties.append(element)
        elif element.tag not in ("img", "a", "article") and _names_author(element.get("class") or ""):
            named.append(element)
    marked = [name for e in links if (name := _name_in(e))]
    if not marked:
        inner = [
            e for p in properties for e in p.iter() if (e.get("itemprop") or "").lower() == "name"
        ] or properties
        marked = [e.get("content") or _name_in(e) for e in inner]
    if not any(marked):
        marked = [name for e in named for name in split_byline(_LEAD.sub("", _lines_in(e)))]
    return [name for name in dict.fromkeys(marked) if name]


@lru_cache(4096)
def _names_author(attribute: str) -> bool:
    return any(map(_AUTHOR_CLASS.fullmatch, attribute.split()))


def _boxed(around: Surroundings) -> list[str]:
    near = set(around.near)
    links = (a for a in around.own_links if is_author_link(a, around.page) and a not in near)
    named = (_name_in(a) for a in links if around.holds(a) and not is_prose(a, MAX_MARKED))
    return list(islice((name for name in named if _FULL_NAME.fullmatch(name)), 1))


def is_author_link(link: Element, page: Page) -> bool:
    """Tell whether a link leads to an author's page: by its `rel`, or by its address."""
    if "author" in link.get("rel", "").lower().split():
        return True
    address = page.absolute(link.get("href")) or ""
    return bool(_AUTHOR_PATH.search(urlsplit(address).path) or re.search(r"[?&]author=\d", address))


def _lines_in(element: Element) -> str:
    """Return the lines that an element shows, joined as names in one line are."""
    lines = [element.text or ""]
    for event, part in etree.iterwalk(element, events=("start", "end")):
        if event == "start" and part.tag == "br":
            lines.append("")
        if part is not element:
            lines[-1] += (part.text if event == "start" else part.tail) or ""
    return "; ".join(filter(None, map(one_line, lines))) if len(lines) > 1 else _name_in(element)


def _name_in(element: Element) -> str:
    """Return the name that an element shows, without what only screen readers read and what is no name."""
    hidden = [
        e
        for e in element.iter()
        if {"screen-reader-text", "sr-only", "visually-hidden"}.intersection(classes(e))
    ]
    shown = text_of(element)
    for part in hidden:
        shown = shown.replace(text_of(part), " ", 1)
    shown = one_line(_LEAD.sub("", one_line(shown)))
    return (
        ""
        if re.match(r"(?i)(?:view|see|all|more|follow|read|visit|about|contact|email|e-mail)\b", shown)
        else shown
    )
