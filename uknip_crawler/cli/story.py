"""A story named on a command's line, by any address it has had or the end of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uknip_crawler.archive.reports.addresses import redaction_at, story_at
from uknip_crawler.archive.reports.runs import base_url_of
from uknip_crawler.errors import UsageError
from uknip_crawler.sites import Site, load_site

if TYPE_CHECKING:
    from sqlite_utils import Database


def site_of(db: Database, directory: Path) -> Site:
    """Return the site of an archive. Raises UsageError while nothing was crawled."""
    base_url = base_url_of(db)
    if base_url is None:
        raise UsageError(f"{directory}: nothing was crawled yet; run `uknip crawl` first")
    return load_site(base_url)


def story_named(db: Database, directory: Path, text: str) -> int:
    """Return the number of the story at an address. Raises UsageError when there is none, or it was redacted."""
    site = site_of(db, directory)
    number = story_at(db.conn, site, text)
    if number is not None:
        return number
    if redacted := redaction_at(db.conn, site, text):
        at, reason = redacted
        raise UsageError(f"the story at {text} was redacted {at}: {reason}")
    raise UsageError(f"no story at {text} in {directory}: look it up with `uknip browse`, or ask `uknip why`")
