"""Endless spaces: addresses that a site makes without end are visited a few times, unless they bring stories."""

from __future__ import annotations

from collections import Counter

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Due
from uknip_crawler.models import Outcome
from uknip_crawler.urls import AddressKind, space_of

_PAGES = 20
_LISTING_PAGES = 10_000
_LISTS = frozenset({"rest", "sitemap", "feed", "list", "import"})
_STORIES = frozenset({Outcome.STORED, Outcome.REVISED, Outcome.UNCHANGED})


class Spaces:
    """Counts, over all runs, what the addresses of one form brought.

    A page of a form is visited while fewer than 20 others (archive pages: 10,000) brought nothing new, and as many more
    as brought a story. The first page at a path is never taken for a copy of others because of its parameters.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._in_vain: Counter[str] | None = None
        self._stories: Counter[str] = Counter()
        self._paths: set[str] = set()
        self._begun: dict[int, str] = {}

    def closed(self, due: Due) -> str | None:
        """Return why a visit is not made, or None and count it as begun."""
        if due.reason != "new" or (space := self._space(due)) is None:
            return None
        cap = _LISTING_PAGES if due.kind == AddressKind.LISTING else _PAGES
        begun = sum(other == space for other in self._begun.values())
        if self._counted()[space] + begun >= cap + self._stories[space]:
            return (
                f"more than {cap} addresses of the form {space[:200]} brought no story; the others are left"
            )
        self._begun[due.fetch_id] = space
        return None

    def ended(self, due: Due, outcome: Outcome) -> None:
        """Hear how a visit ended."""
        if (space := self._begun.pop(due.fetch_id, None)) is not None:
            (self._stories if outcome is Outcome.STORED else self._counted())[space] += 1

    def _space(self, due: Due) -> str | None:
        """Return the form of an address that nobody vouches for; a story's own form counts only where it is odd."""
        if due.listed_on is not None or due.found_by in _LISTS or due.kind == "part":
            return None
        path, _, query = due.url.partition("?")
        space = space_of(due.url)
        if query and space is not None and space.startswith("?"):
            self._counted()
            if path in self._paths or self._archive.frontier.standing(path) is not None:
                return space
            self._paths.add(path)
            space = space_of(path)
        is_odd = space is not None and space.endswith("/+")
        return space if is_odd or due.kind != AddressKind.ARTICLE else None

    def _counted(self) -> Counter[str]:
        if self._in_vain is None:
            self._in_vain = Counter()
            for url, outcome in self._archive.listings.unlisted():
                if outcome == Outcome.TRAP:
                    continue
                self._paths |= {url.partition("?")[0]} if "?" in url else set()
                if (space := space_of(url)) is not None:
                    (self._stories if outcome in _STORIES else self._in_vain)[space] += 1
        return self._in_vain
