"""What is known of a site, as data: its address schemes, its furniture, its names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from ipaddress import ip_address
from itertools import pairwise
from posixpath import normpath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from uknip_crawler.errors import UsageError
from uknip_crawler.sites.files import rules_of

DEFAULT_BASE_URL = "https://uknip.co.uk/"


@dataclass(frozen=True, slots=True)
class Furniture:
    """Text that surrounds stories on this site. Everything is compared case-folded, quotes normalised.

    `lines` are whole lines, `starts` openings of lines, `patterns` regular expressions over whole lines;
    `tail` (whole lines) and `tail_patterns` also end the body when they stand alone on their line;
    `tokens` are regular expressions removed inside a line (shortcodes, `[block_2]`).
    """

    lines: frozenset[str]
    starts: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    tail: frozenset[str]
    tail_patterns: tuple[re.Pattern[str], ...]
    tokens: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One crawled site: a host, or the folder of one that WordPress stands in. `base_url` ends in a slash.

    Addresses are matched by their path below the folder.

    `news_ids` are numbers of posts (`news-<id>` in addresses) and the days they were given out, both rising.
    `image_hosts` may be asked for images besides the site's own host.
    """

    base_url: str
    names: tuple[str, ...]
    house_accounts: frozenset[str]
    kickers: frozenset[str]
    article_paths: tuple[re.Pattern[str], ...]
    listing_paths: tuple[re.Pattern[str], ...]
    trap_paths: tuple[re.Pattern[str], ...]
    furniture: Furniture
    news_ids: tuple[tuple[int, date], ...] = ()
    image_hosts: frozenset[str] = frozenset()

    def day_of_number(self, number: int) -> date | None:
        """Return about when a post got its number, or None outside the numbers whose days are known."""
        for (low, start), (high, end) in pairwise(self.news_ids):
            if low <= number <= high:
                return start + (end - start) * ((number - low) / (high - low))
        return None

    @property
    def host(self) -> str:
        """The host without `www.`: `www.` and bare host are one site."""
        return (urlsplit(self.base_url).hostname or "").removeprefix("www.")

    @property
    def folder(self) -> str:
        """The path that everything of the site stands below; `/` where the site is the whole host."""
        return urlsplit(self.base_url).path


@lru_cache(8192)
def fold(text: str) -> str:
    """Return text as furniture is compared: one-line, quotes and dashes straightened, case-folded."""
    straightened = text.translate(_STRAIGHT)
    return " ".join(straightened.split()).casefold()


_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


def load_site(base_url: str = DEFAULT_BASE_URL) -> Site:
    """Return what we know, applied to the site at `base_url`.

    The rules are the site's own, where it has a file, and uknip.co.uk's whatever the address: they are whole lines that no
    other newsroom writes, and the sample site and test sites live on loopback. Raises UsageError when `base_url` is not
    http(s) with a host, or the site's file cannot be meant.
    """
    try:
        parts = urlsplit(base_url if "://" in base_url else f"https://{base_url}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise UsageError(f"{base_url}: not a well-formed address, such as {DEFAULT_BASE_URL}") from None
    host = parts.hostname
    named = host and ("." in host or ":" in host or host == "localhost") and not set(host) & set(" <>\"'")
    if parts.scheme not in ("http", "https") or not host or not named or parts.username or parts.query:
        raise UsageError(f"{base_url}: give the site's address, such as {DEFAULT_BASE_URL}")
    rules = rules_of(host.removeprefix("www."))
    host = f"[{host}]" if ":" in host else host
    return _build(rules, f"{parts.scheme}://{host}{port}{_folder(parts.path)}")


def _folder(path: str) -> str:
    """Return the folder that a path names; a file in it (`/news/index.php`) is none, and neither are dots."""
    segments = [segment for segment in normpath(path or "/").split("/") if segment]
    if segments and not path.endswith("/") and "." in segments[-1]:
        segments.pop()
    return "".join(f"/{quote(unquote(segment), safe=_PLAIN)}" for segment in segments) + "/"


def with_image_hosts(site: Site, hosts: Iterable[str]) -> Site:
    """Return the site with more image hosts. Raises UsageError for what is no public host name."""
    named = frozenset(host.strip().lower() for host in hosts)
    for host in named:
        if not _HOST.fullmatch(host) or _is_inside(host):
            raise UsageError(f"--image-host {host}: give the name of a public host, such as i0.wp.com")
    return replace(site, image_hosts=site.image_hosts | named)


_PLAIN = "!$&'()*+,;=:@~"  # what a path's segment may hold unescaped (RFC 3986 §3.3)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z0-9-]{1,63}")


def _is_inside(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host.endswith((".localhost", ".local", ".internal")) or host.rpartition(".")[2].isdigit()


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def _build(data: Mapping[str, Any], base_url: str) -> Site:
    furniture, addresses, site = data["furniture"], data["addresses"], data["site"]
    return Site(
        base_url=base_url,
        names=tuple(site["names"]),
        house_accounts=frozenset(fold(name) for name in site["house_accounts"]),
        kickers=frozenset(fold(kicker) for kicker in site["kickers"]),
        article_paths=_compiled(tuple(addresses["article"])),
        listing_paths=_compiled(tuple(addresses["listing"])),
        trap_paths=_compiled(tuple(addresses["trap"])),
        furniture=Furniture(
            lines=frozenset(fold(line) for line in furniture["lines"]),
            starts=tuple(fold(start) for start in furniture["starts"]),
            patterns=_compiled(tuple(furniture["patterns"])),
            tail=frozenset(fold(line) for line in furniture["tail"]),
            tail_patterns=_compiled(tuple(furniture["tail_patterns"])),
            tokens=_compiled(tuple(furniture["tokens"])),
        ),
        news_ids=tuple((number, day) for number, day in data["news_ids"]["known"]),
        image_hosts=frozenset(data["images"]["hosts"]),
    )
