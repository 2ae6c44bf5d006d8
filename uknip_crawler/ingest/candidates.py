"""From what a list names, the site's own or somebody else's, to an address that may be visited."""

from __future__ import annotations

import gzip
import zlib
from datetime import datetime
from itertools import islice
from pathlib import Path

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.discovery import Listed
from uknip_crawler.discovery.addresses import parse
from uknip_crawler.errors import AddressRefused, UsageError
from uknip_crawler.sites import Site
from uknip_crawler.urls import AddressKind, canonicalise, classify, is_numbered

_POST_PRIORITY = 20
_PART = 1_000


def candidate_of(
    entry: Listed, site: Site, found_by: str, listed_on: str | None, *, is_post: bool
) -> Candidate | None:
    """Return the visit that an entry of a list proposes, or None for what is no page of a story.

    `is_post` says that the list holds nothing but stories. Raises AddressRefused for addresses never asked for.
    """
    url = canonicalise(entry.url, site)
    kind = classify(url, site)
    if kind is AddressKind.TRAP and is_post and is_numbered(url):
        kind = AddressKind.UNKNOWN  # a list of stories names it: no archive of a year
    if kind is AddressKind.TRAP or (kind is AddressKind.LISTING and not is_post):
        return None
    return Candidate(
        url,
        "article" if is_post else kind.value,
        found_by,
        found_on=listed_on,
        post_id=entry.post_id,
        listed_on=listed_on if is_post or kind is AddressKind.ARTICLE else None,
        modified_at=entry.modified_at,
        priority=_POST_PRIORITY if is_post else 0,
        said=entry.said,
    )


def schedule(archive: Archive, site: Site, path: Path, *, at: datetime) -> tuple[int, int]:
    """Have the next crawl visit the pages that a list of addresses names; return (how many are new, how many are none).

    The file may be gzipped. Raises UsageError when it cannot be read.
    """
    new = refused = 0
    try:
        with (
            gzip.open(path, "rt", errors="replace") if _is_gzip(path) else path.open(errors="replace") as file
        ):
            addresses = parse(file)
            while part := list(islice(addresses, _PART)):
                found = [_listed_page(address, site) for address in part]
                refused += found.count(None)
                candidates = [candidate for candidate in found if candidate is not None]
                with archive.transaction():
                    new += archive.frontier.add(candidates, at=at, due_at=at)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return new, refused


def _listed_page(address: str, site: Site) -> Candidate | None:
    try:
        return candidate_of(Listed(address), site, "list", None, is_post=False)
    except AddressRefused:
        return None


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
