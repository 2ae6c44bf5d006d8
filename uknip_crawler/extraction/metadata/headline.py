"""The headline: which of its printings to trust, without site suffix and glued kicker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from uknip_crawler.extraction.metadata.surroundings import path_of
from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.structured import Structured, text, types_of
from uknip_crawler.extraction.page.text import is_cut, is_same, key, unescaped
from uknip_crawler.models import Finding
from uknip_crawler.sites import Site, fold
from uknip_crawler.urls import slug

MAX_KICKER_WORDS = 4
MAX_HEADLINE = 300
MAX_ELEMENTS = 5_000
"""Where a headline outside of any heading is looked for."""
_SEPARATORS = ":|–—-"
_CLEAR = 2.0
"""Support that needs no better: the same words as something else says, or all of them before its cut."""
_HOME = frozenset({"home", "homepage", "home page", "front page", "skip to content", "back to home"})
_PARTED = re.compile(r"\s+[-–—|•·»:]+\s+|\s*\|\s*")
_HEADINGS = ("h2", "h3", "h4")
_PLAIN = frozenset({"div", "p", "span", "strong", "b", "font", "td", "a"})
_TITLE = re.compile(r"(?:(?:entry|post|article|story|single)-)?(?:title|headline)")


@dataclass(frozen=True, slots=True)
class Headline:
    """`element` is where the page prints it, `echoes` the keys of all its printings, `evidence` all that name it."""

    text: str
    source: str
    kicker: str | None
    element: Element | None
    echoes: frozenset[str]
    evidence: tuple[Finding, ...] = ()


class _Printing(NamedTuple):
    element: Element
    text: str
    kicker: str | None


def find_headline(page: Page, data: Structured, site: Site) -> Headline | None:
    """Return the page's headline, or None where nothing names the story.

    A printed heading is believed where something else says the same: the head, the title or the address. Without
    that, the head outranks it, and so does the title.
    """
    names = names_of(page, data, site)
    stated = [
        (source, value)
        for source, value in (
            ("json-ld", text(data.article.get("headline")) or text(data.article.get("name"))),
            ("meta", data.first("og:title", "twitter:title")),
        )
        if value
    ]
    said = [(source, without_suffix(value, names)) for source, value in stated]
    page_title = unescaped(page.title)
    title = without_suffix(page_title, names)
    title = "" if key(title) in map(key, names) else title
    shown = [_Printing(h1, *_shown(h1)) for h1 in page.by_tag["h1"]]
    shown = [_bare(row, said, site) for row in shown if row.text and key(row.text) not in map(key, names)]
    own = {path_of(url) for url in (page.url, data.rel.get("canonical"), data.first("og:url")) if url}
    told = [(source, *split_kicker(value, [row.text for row in shown], site)) for source, value in said]
    words = slug(page.url).replace("-", " ")
    support = _Support([row[1] for row in told], title, words)
    shown = [
        row for row in shown if support.of(row.text) >= _CLEAR or not _leads_elsewhere(page, row.element, own)
    ]
    printed = support.best([row.text for row in shown])
    if support.of(printed) < _CLEAR:
        others = [_Printing(e, text_of(e), None) for e in _other_headings(page, own)]
        better = support.best([row.text for row in others])
        if support.of(better) > support.of(printed):
            printed = better
            shown += [row for row in others if row.text == better][:1]
    if support.of(printed) < _CLEAR:
        plain = (
            (e, unescaped(e.text or "")) for e in page.elements if e.tag in _PLAIN and len(e) == 0 and e.text
        )
        row = next((_Printing(e, words, None) for e, words in plain if support.of(words) > _CLEAR), None)
        printed, shown = (row.text, [*shown, row]) if row else (printed, shown)
    chosen, source = _choose(printed if support.of(printed) else "", [row[:2] for row in told], title, shown)
    chosen, glued = split_kicker(chosen, [], site)
    if not chosen:
        chosen, source = _first_heading(page), "markup"
    if not chosen:
        return None
    element = _element(page, chosen, [(row.element, row.text) for row in shown])
    kickers = [row.kicker for row in shown if row.element is element]
    kickers += [_label_above(element), glued, *(row[2] for row in told)]
    kicker = next(filter(None, kickers), None)
    printings = [chosen, page_title, title, *(value for _, value in said), *(row[1] for row in told)]
    printings += [words for row in shown for words in (row.text, f"{row.kicker or ''} {row.text}")]
    printings += [f"{kicker} {chosen}"] if kicker else []
    raws = [*stated, *(("markup", text_of(row.element)) for row in shown), ("meta", page_title)]
    values = [row[1] for row in told] + [row.text for row in shown] + [title]
    evidence = _evidence(raws, values, (source, chosen), site)
    echoes = frozenset(key(words) for words in printings if key(words))
    return Headline(chosen, source, kicker, element, echoes, evidence)


def _evidence(
    raws: list[tuple[str, str]], values: list[str], chosen: tuple[str, str], site: Site
) -> tuple[Finding, ...]:
    """Return what each place says, the one that was believed first."""
    found = {
        Finding("headline", source, raw, split_kicker(value, [], site)[0] or None): None
        for (source, raw), value in zip(raws, values, strict=True)
        if raw
    }
    if all((finding.source, finding.value) != chosen for finding in found):
        found[Finding("headline", chosen[0], chosen[1], chosen[1])] = None
    return tuple(sorted(found, key=lambda finding: (finding.source, finding.value) != chosen))


def _bare(row: _Printing, said: list[tuple[str, str]], site: Site) -> _Printing:
    if row.kicker:
        return row
    return _Printing(row.element, *split_kicker(row.text, [value for _, value in said], site))


def names_of(page: Page, data: Structured, site: Site) -> list[str]:
    """Return what the site is called: as we know it, as the page's head says, as the link to its home page reads."""
    nodes = [
        data.resolve(data.article.get("publisher")),
        *(n for n in data.nodes if "WebSite" in types_of(n)),
    ]
    names = [*site.names, *data.meta.get("og:site_name", ()), *data.meta.get("application-name", ())]
    names += [name for node in nodes if isinstance(node, dict) and (name := text(node.get("name")))]
    names += [name for a in page.home_links if 1 < len(name := text_of(a)) <= 60 and fold(name) not in _HOME]
    return list(dict.fromkeys(names))


def without_suffix(headline: str, names: Iterable[str]) -> str:
    """Return a headline without ` – UKNIP` and the like at its end, or `UKNIP | ` before it."""
    choice = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True) if name)
    suffix = re.compile(rf"(?i)\s*[-–—|•·»]\s*(?:{choice})\s*$|^\s*(?:{choice})\s*[|•·»]\s*")
    for _ in range(3):
        shorter = suffix.sub("", headline)
        if shorter == headline or not shorter.strip():
            break
        headline = shorter
    return headline.strip()


def split_kicker(headline: str, others: Iterable[str], site: Site) -> tuple[str, str | None]:
    """Return (headline, kicker): leading capitals that are a known kicker, or that the other printings lack."""
    words = headline.split()
    keys = {key(other) for other in others}
    for count in range(min(MAX_KICKER_WORDS, len(words) - 2), 0, -1):
        first, rest = " ".join(words[:count]), " ".join(words[count:])
        label, rest = first.rstrip(_SEPARATORS + " "), rest.lstrip(_SEPARATORS + " ")
        if not label.isupper() or not rest:
            continue
        separated = label != first or rest != " ".join(words[count:])
        begins = rest.lstrip("'\"‘“")[:1]
        starts_anew = (begins.isupper() or begins.isdigit()) and not (rest.isupper() and not separated)
        if key(rest) in keys or (fold(label) in site.kickers and (starts_anew or separated)):
            return rest, label
    return headline, None


def _shown(heading: Element) -> tuple[str, str | None]:
    """Return (headline, kicker) of an `h1`, its kicker set apart by an element of its own."""
    first = next(iter(heading), None)
    if (
        first is not None
        and not (heading.text or "").strip()
        and first.tag in ("span", "a", "strong", "small", "em")
    ):
        label, rest = text_of(first), text_of(heading)[len(text_of(first)) :]
        named = any("kicker" in token.lower() for token in classes(first))
        if label and rest.strip() and (named or (label.isupper() and len(label.split()) <= MAX_KICKER_WORDS)):
            return unescaped(rest.lstrip(_SEPARATORS + " ")), label.rstrip(_SEPARATORS + " ")
    return unescaped(text_of(heading)), None


def _label_above(element: Element | None) -> str | None:
    above = element.getprevious() if element is not None else None
    if above is not None and any("kicker" in token.lower() for token in classes(above)):
        return text_of(above) or None
    return None


class _Support:
    """What else on the page says the same as a printing: the head, the title, the words of the address."""

    def __init__(self, told: list[str], title: str, words: str) -> None:
        parts = _PARTED.split(title)
        leading = [" ".join(parts[:count]) for count in range(1, len(parts))]
        trailing = [" ".join(parts[count:]) for count in range(1, len(parts))]
        self._told = [value for value in (*told, title) if value]
        self._parts = {key(part) for part in (*leading, *trailing)}
        self._words = words

    def of(self, printing: str) -> float:
        """Return 0 for none, up to 3 for the same words."""
        own = key(printing)
        if not own:
            return 0
        if any(own == key(value) for value in self._told):
            return 3
        if own in self._parts:
            return 2.5 if len(own.split()) > 2 else 0.5
        if any(is_cut(value) and is_same(printing, value) for value in self._told):
            return _CLEAR
        near = max((_shared(own, key(value)) for value in (*self._told, *self._parts)), default=0)
        if near >= 0.5 or any(is_same(printing, value) for value in self._told):
            return 1 + near / 2
        in_address = _shared(own, key(self._words)) if len(own.split()) > 2 else 0
        return 0.9 if in_address >= 0.5 else 0

    def best(self, printings: list[str]) -> str:
        """Return the printing with most support, the first of several."""
        return max(printings, key=self.of, default="")


def _shared(one: str, other: str) -> float:
    ours, theirs = set(one.split()), set(other.split())
    return len(ours & theirs) / len(ours | theirs) if ours and theirs else 0


def _choose(printed: str, told: list[tuple[str, str]], title: str, shown: list[_Printing]) -> tuple[str, str]:
    """Return (headline, source): the printed one that has support, else what the head says, else the title."""
    if printed:
        return printed, "markup"
    if told:
        return told[0][1], told[0][0]
    return (title, "meta") if title or not shown else (shown[0].text, "markup")


def _leads_elsewhere(page: Page, heading: Element, own: set[str]) -> bool:
    """Tell whether a heading is a link to another page: another story's."""
    links = [*heading.iter("a"), *(e for e in ancestors(heading) if e.tag == "a")]
    led = [address for link in links if (address := page.absolute(link.get("href")))]
    return any(path_of(address) not in own for address in led)


def _other_headings(page: Page, own: set[str]) -> list[Element]:
    """Return what a page without its headline in `h1` may print it in, those that say so first."""
    marked = [
        e for e in page.elements if e.get("itemprop") == "headline" or any(map(_TITLE.fullmatch, classes(e)))
    ]
    rows = [e for e in marked if e.tag not in ("meta", "a", "h1")]
    rows += [e for name in _HEADINGS for e in page.by_tag[name]]
    return [e for e in rows if not _leads_elsewhere(page, e, own)]


def _first_heading(page: Page) -> str:
    """Return the first heading that leads nowhere: all that names a story on a page without `h1` and title."""
    headings = (e for e in page.elements if e.tag in ("h2", "h3") and e.find(".//a") is None)
    return next((found for heading in headings if (found := text_of(heading))), "")


def _element(page: Page, headline: str, shown: list[tuple[Element, str]]) -> Element | None:
    wanted = key(headline)
    for element, printing in shown:
        if key(printing) == wanted:
            return element
    for name in _HEADINGS:
        for element in page.by_tag[name]:
            if key(text_of(element)) == wanted and element.find(".//a") is None:
                return element
    return shown[0][0] if shown else None
