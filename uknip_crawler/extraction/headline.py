"""The headline: which of its printings to trust, without site suffix and glued kicker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from uknip_crawler.extraction.page import Element, Page, classes, text_of
from uknip_crawler.extraction.structured import Structured, text
from uknip_crawler.extraction.text import is_cut, key, one_line
from uknip_crawler.models import Finding
from uknip_crawler.sites import Site, fold

MAX_KICKER_WORDS = 4
_SEPARATORS = ":|–—-"


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
    """Return the page's headline, or None where nothing names the story."""
    names = [*site.names, *data.meta.get("og:site_name", ())]
    stated = [
        (source, value)
        for source, value in (
            ("json-ld", text(data.article.get("headline")) or text(data.article.get("name"))),
            ("meta", data.first("og:title", "twitter:title")),
        )
        if value
    ]
    said = [(source, without_suffix(value, names)) for source, value in stated]
    shown = [_Printing(h1, *_shown(h1)) for h1 in page.by_tag["h1"]]
    shown = [_bare(row, said, site) for row in shown if row.text and key(row.text) not in map(key, names)]
    told = [(source, *split_kicker(value, [row.text for row in shown], site)) for source, value in said]
    title = without_suffix(page.title, names)
    chosen, source = _choose([row.text for row in shown], [row[:2] for row in told], title)
    chosen, glued = split_kicker(chosen, [], site)
    if not chosen:
        chosen, source = _first_heading(page), "markup"
    if not chosen:
        return None
    element = _element(page, chosen, [(row.element, row.text) for row in shown])
    kickers = [row.kicker for row in shown if row.element is element]
    kickers += [_label_above(element), glued, *(row[2] for row in told)]
    kicker = next(filter(None, kickers), None)
    printings = [chosen, page.title, title, *(value for _, value in said), *(row[1] for row in told)]
    printings += [words for row in shown for words in (row.text, f"{row.kicker or ''} {row.text}")]
    printings += [f"{kicker} {chosen}"] if kicker else []
    raws = [*stated, *(("markup", text_of(row.element)) for row in shown), ("meta", page.title)]
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


def without_suffix(headline: str, names: Iterable[str]) -> str:
    """Return a headline without ` – UKNIP` and the like at its end."""
    choice = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True) if name)
    suffix = re.compile(rf"(?i)\s*[-–—|•·»]\s*(?:{choice})\s*$")
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
            return one_line(rest.lstrip(_SEPARATORS + " ")), label.rstrip(_SEPARATORS + " ")
    return text_of(heading), None


def _label_above(element: Element | None) -> str | None:
    above = element.getprevious() if element is not None else None
    if above is not None and any("kicker" in token.lower() for token in classes(above)):
        return text_of(above) or None
    return None


def _choose(shown: list[str], told: list[tuple[str, str]], title: str) -> tuple[str, str]:
    """Return (headline, source): the printed one where something else agrees with it, else what the head says."""
    for printing in shown:
        if any(_agree(printing, value) for _, value in told) or _agree(printing, title):
            return printing, "markup"
    if told:
        return told[0][1], told[0][0]
    return (shown[0], "markup") if shown else (title, "meta")


def _first_heading(page: Page) -> str:
    """Return the first heading that leads nowhere: all that names a story on a page without `h1` and title."""
    headings = (e for e in page.elements if e.tag in ("h2", "h3") and e.find(".//a") is None)
    return next((found for heading in headings if (found := text_of(heading))), "")


def _agree(one: str, other: str) -> bool:
    a, b = key(one), key(other)
    if not a or not b:
        return False
    cut = key(other.rstrip(".…")) if is_cut(other) else b
    if a == b or (len(cut.split()) > 3 and a.startswith(cut)):
        return True
    ours, theirs = set(a.split()), set(b.split())
    return 2 * len(ours & theirs) >= len(ours | theirs)


def _element(page: Page, headline: str, shown: list[tuple[Element, str]]) -> Element | None:
    wanted = key(headline)
    for element, printing in shown:
        if key(printing) == wanted:
            return element
    for name in ("h2", "h3"):
        for element in page.by_tag[name]:
            if key(text_of(element)) == wanted and element.find(".//a") is None:
                return element
    return shown[0][0] if shown else None
