"""A site's own rules drafted from what it offers: names, hosts of its pictures, the forms of its stories' addresses.

What is drafted is for a person to look at: each form says how many addresses have it, and shows one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from uknip_crawler.sites import Site, load_site

_LEAST_SHARE = 0.05
_NO_LISTING = "(?!tag/|category/|author/|page/)"
_WORD = "[^/]+"
_DIGITS = (
    (re.compile(r"(?:19|20)\d\d"), r"\d{4}"),
    (re.compile(r"\d\d"), r"\d{2}"),
    (re.compile(r"\d+"), r"\d+"),
    (re.compile(r"news-\d+"), r"news-\d+"),
)
_LONGEST = 200


@dataclass(slots=True)
class Offer:
    """What a site offers: `told` says in lines what was found at each of its doors, `stories` are addresses its lists name.

    `time_zone` is its name as WordPress says it, such as Europe/London; nothing where it does not.
    """

    base_url: str
    names: list[str] = field(default_factory=list)
    time_zone: str = ""
    stories: list[str] = field(default_factory=list)
    image_hosts: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of addresses as a regular expression over the path, how many have it, one of them; whether it is known."""

    pattern: str
    count: int
    example: str
    is_known: bool


def draft(offer: Offer) -> str:
    """Return the rules as TOML, with what was found as comments."""
    import tomlkit  # only here: reading is for the standard library

    site = load_site(offer.base_url)
    document = tomlkit.document()
    for line in (f"{site.host}, drafted from what it offers: look it over.", *offer.told):
        document.add(tomlkit.comment(_one_line(line)))
    if offer.time_zone and offer.time_zone != "Europe/London":
        warning = (
            f"its time zone is {offer.time_zone}: dates that pages print without a zone are read as London's"
        )
        document.add(tomlkit.comment(_one_line(warning)))
    document.add(tomlkit.nl())
    own = tomlkit.table()
    own.add("hosts", [site.host])
    own.add("names", list(dict.fromkeys(_one_line(name) for name in offer.names if _one_line(name))))
    document.add("site", own)
    found = list(forms(offer.stories, site))
    addresses = tomlkit.table()
    for form in found:
        known = ", known to the general rules" if form.is_known else ""
        addresses.add(tomlkit.comment(_one_line(f"{form.count:,} like {form.example}{known}")))
    if flat := sum(1 for url in offer.stories if len(_segments(url)) == 1):
        words = "there the page tells whether it is a story"
        addresses.add(tomlkit.comment(f"{flat:,} of a single word below the site's address: {words}"))
    patterns = tomlkit.array()
    for form in found:
        if not form.is_known:
            patterns.append(tomlkit.string(form.pattern, literal="'" not in form.pattern))
    addresses.add("article", patterns.multiline(len(patterns) > 0))
    document.add("addresses", addresses)
    if hosts := [host for host in dict.fromkeys(offer.image_hosts) if host not in site.image_hosts]:
        images = tomlkit.table()
        images.add("hosts", hosts)
        document.add("images", images)
    return tomlkit.dumps(document)


def forms(urls: Iterable[str], site: Site) -> Iterator[Form]:
    """Yield the forms that a twentieth of the addresses and two at least have, the commonest first.

    Numbers stand for numbers, words that all of a form share for themselves. A single word tells nothing: no form.
    """
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for url in dict.fromkeys(urls):
        segments = _segments(url, site.folder)
        if len(segments) > 1 and all(map(str.isprintable, segments)):
            groups.setdefault(tuple(map(_kind, segments)), []).append(segments)
    total = sum(map(len, groups.values()))
    for kinds, members in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0])):
        if len(members) < max(2, _LEAST_SHARE * total):
            continue
        example = "/" + "/".join(members[0])
        paths = ["/" + "/".join(segments) for segments in members]
        is_known = all(any(pattern.search(path) for pattern in site.article_paths) for path in paths)
        yield Form(_pattern(kinds, members), len(members), example, is_known)


def _pattern(kinds: Sequence[str], members: Sequence[Sequence[str]]) -> str:
    parts: list[str] = []
    is_guarded = False
    for place, kind in enumerate(kinds):
        ((word, count),) = Counter(segments[place] for segments in members).most_common(1)
        is_last = place == len(kinds) - 1
        if kind != _WORD:
            parts.append(kind)
        elif count == len(members) and not is_last:
            parts.append(re.escape(word).replace("\\-", "-"))
        else:
            parts.append(kind if is_guarded else _NO_LISTING + kind)
            is_guarded = True
    return f"^/{'/'.join(parts)}/?$"


def _kind(segment: str) -> str:
    return next((pattern for form, pattern in _DIGITS if form.fullmatch(segment)), _WORD)


def _segments(url: str, folder: str = "/") -> list[str]:
    path = urlsplit(url).path
    return [segment for segment in path.removeprefix(folder).split("/") if segment]


def _one_line(text: str) -> str:
    line = " ".join(text.split())[:_LONGEST]
    return "".join(character for character in line if character.isprintable())
