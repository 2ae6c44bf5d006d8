"""Where a story is found: by a permalink that no rebuild changes, and by any address it ever had on the site."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from uknip_crawler.archive.reports.addresses import redaction_at, story_at
from uknip_crawler.browse.pages.asking import Ask
from uknip_crawler.errors import AddressRefused
from uknip_crawler.sites import Site, load_site
from uknip_crawler.urls import given, names_host

_SCHEME = re.compile(r"(?i)(https?):/*")
_COLUMNS = "id, url, headline, status, published_at"


def permalink(url: str) -> str:
    """Return a story's page in the reading room, `/read/story/` and 64 bits of the SHA-256 of its address in hex.

    Row numbers change when the database is made anew; addresses do not, and one that a story has left stays its alias.
    """
    return f"/read/story/{_key(url)}"


def _key(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def by_key(ask: Ask, key: str) -> int | None:
    """Return the number of the story one of whose addresses has this key, or None."""
    for ids in _KEYS.tries(ask):
        number = ids.get(key)
        if number is not None and key in {_key(url) for url in addresses(ask, number)}:
            return number
    return None


def addresses(ask: Ask, number: int) -> list[str]:
    """Return every address of a story, its own first."""
    own = ask.rows("SELECT url FROM articles WHERE id = :id", id=number)
    others = ask.rows("SELECT url FROM aliases WHERE article_id = :id ORDER BY url", id=number)
    return [row["url"] for row in (*own, *others)]


def by_address(ask: Ask, text: str) -> Any:
    """Return the row of the story at an address as somebody has it at hand (`reports.addresses`), or None."""
    site = _site_of(ask)
    number = None if site is None else story_at(ask.connection, site, text)
    return number and ask.row(f"SELECT {_COLUMNS} FROM articles WHERE id = :id", id=number)


def redaction_of(ask: Ask, text: str) -> Any:
    """Return when and why the story at an address was taken out of the archive, or None where it was not."""
    site = _site_of(ask)
    found = None if site is None else redaction_at(ask.connection, site, text)
    return found and {"at": found[0], "reason": found[1]}


def canonical(ask: Ask, text: str) -> str | None:
    """Return an address in the form that the crawl gives it, or None for no address of this archive's site."""
    site = _site_of(ask)
    try:
        return given(text, site) if site and text else None
    except AddressRefused:
        return None


def looks_like_address(ask: Ask, text: str) -> bool:
    """Tell whether what stands in a search box is an address of this archive's site."""
    has_path = "/" in _SCHEME.sub("", text).rstrip("/") or "?" in text
    site = _site_of(ask)
    return site is not None and has_path and " " not in text and names_host(text, site)


def _site_of(ask: Ask) -> Site | None:
    return _site(ask.value("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1"))


@lru_cache(8)
def _site(base_url: str | None) -> Site | None:
    return load_site(base_url) if base_url else None


class _Keys:
    """The stories of archives by their keys, read anew when a key is missing and the files have changed since."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[object, dict[str, int]]] = {}
        self._lock = threading.Lock()

    def tries(self, ask: Ask) -> Iterator[dict[str, int]]:
        """Yield stories by key as last read, and again if there may be others by now."""
        state = _state(ask.archive)
        known = self._known.get(ask.archive)
        if known is not None:
            yield known[1]
            if known[0] == state:
                return
        with self._lock:
            known = self._known.get(ask.archive)
            if known is None or known[0] != state:
                rows = ask.rows("SELECT article_id, url FROM aliases UNION ALL SELECT id, url FROM articles")
                known = self._known[ask.archive] = (state, {_key(row[1]): row[0] for row in rows})
        yield known[1]


_KEYS = _Keys()


def _state(archive: Path) -> object:
    """Return what differs once the database has been written to; its log included."""
    found = [path.stat() for path in sorted(archive.glob("uknip.db*")) if not path.name.endswith("-shm")]
    return [(one.st_ino, one.st_mtime_ns, one.st_size) for one in found]
