"""Copies of stories among several archives: sister sites repeat one another's.

Only stories that a band of their fingerprints brings together with another archive's are compared, in a database of the
moment, by the same rules as within one archive. The archives are only read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.folders import site_in
from uknip_crawler.archive.reports.duplicates import groups
from uknip_crawler.duplicates.linking import link_near_duplicates

_BANDS = "SELECT band, article_id FROM fingerprint_bands"
_STORY = "SELECT * FROM articles WHERE id = ? AND status <> 'redacted'"
_OF_ITS_ARCHIVE = ("id", "duplicate_of", "layout_id", "missed_run_id", "month")


def copies_across(
    folders: Sequence[Path], progress: Callable[[int, int], None] = lambda done, of: None
) -> list[dict[str, Any]]:
    """Return the groups of copies that stories of more than one archive are in, as `reports.duplicates.groups` gives them;
    each story has its `site` as well.

    Memory grows with the stories' fingerprints (64 numbers each), the disk's temporary folder with the stories compared.
    Raises StorageError for an archive that cannot be read.
    """
    with ExitStack() as opened:
        databases = [opened.enter_context(closing(open_readonly(folder))) for folder in folders]
        sites = [site_in(db) for db in databases]
        seen: dict[int, set[int]] = defaultdict(set)
        for number, db in enumerate(databases):
            for band, _ in db.conn.execute(_BANDS):
                seen[band].add(number)
        shared = {band for band, archives in seen.items() if len(archives) > 1}
        scratch_folder = opened.enter_context(TemporaryDirectory(prefix="uknip-copies-"))
        scratch = opened.enter_context(Archive(Path(scratch_folder)))
        scratch.db.conn.execute("PRAGMA foreign_keys = OFF")  # runs and visits stay where they are
        site_at: dict[str, str] = {}
        with scratch.transaction():
            for db, site in zip(databases, sites, strict=True):
                for article_id in sorted({one for band, one in db.conn.execute(_BANDS) if band in shared}):
                    for row in db.query(_STORY, [article_id]):
                        if row["url"] not in site_at:  # another archive of the same site
                            site_at[row["url"]] = site
                            story = {key: row[key] for key in row if key not in _OF_ITS_ARCHIVE}
                            scratch.db.table("articles").insert(story)
        link_near_duplicates(scratch, progress)
        found = [_with_sites(group, site_at) for group in groups(scratch.db)]
    return [group for group in found if len({story["site"] for story in _stories(group)}) > 1]


def _stories(group: dict[str, Any]) -> list[dict[str, Any]]:
    return [group["first"], *group["copies"]]


def _with_sites(group: dict[str, Any], site_at: dict[str, str]) -> dict[str, Any]:
    for story in _stories(group):
        story["site"] = site_at[story["url"]]
    return group
