"""Archives to be joined: whether they are any, of the same site, and sound; and a copy of each database to read."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from uknip_crawler.archive import DATABASE, archived_site
from uknip_crawler.archive.backup import copy_database
from uknip_crawler.archive.database import connect, open_readonly, sound
from uknip_crawler.archive.sealing import broken
from uknip_crawler.archive.union import Source
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.sites import DEFAULT_BASE_URL, load_site


def site_of(directory: Path, others: Sequence[Path], told: str | None) -> tuple[str, list[Path]]:
    """Return the address of the site that all archives are of, and the folders of the others, each once.

    `told` is what the archive itself is said to be of, where that was said.

    Raises UsageError for the archive itself among them, what is no archive, or one of another site; StorageError for one
    that cannot be read.
    """
    folders = list({folder.resolve(): folder for folder in others}.values())
    for folder in (directory, *folders):
        if not (folder / DATABASE).is_file() and (folder / "warc").is_dir():
            raise UsageError(f"{folder}: its database is lost: run `uknip rebuild --archive {folder}` first")
    for folder in folders:
        if folder.resolve() == directory.resolve():
            raise UsageError(f"{folder} is the archive itself: name others to be joined into it")
        if not (folder / DATABASE).is_file():
            raise UsageError(f"{folder}: no archive: there is no {DATABASE} in it")
    sites = {folder: site for folder in (directory, *folders) if (site := _site(folder)) is not None}
    base_url = load_site(told).base_url if told else next(iter(sites.values()), DEFAULT_BASE_URL)
    for folder, site in sites.items():
        if site != base_url:
            raise UsageError(
                f"{folder} archives {site}, not {base_url}: only archives of one site can be joined"
            )
    return base_url, folders


def _site(folder: Path) -> str | None:
    with sound(folder):
        return archived_site(folder)


def snapshot(folder: Path, stage: Path, number: int) -> Source:
    """Copy an archive's database as it is now, check the copy, and bring it up to today's tables.

    Raises StorageError naming the first thing that is damaged.
    """
    copy = stage / f"{number}-{DATABASE}"
    source = open_readonly(folder, as_it_is=True)
    with contextlib.closing(source), sound(folder):
        if "runs" not in source.table_names():
            raise UsageError(f"{folder}: no archive: {DATABASE} is something else")
        copy_database(source, copy, of=folder)
        lines = broken(source.conn) if "_sealed_parts" in source.table_names() else iter(())
        if (line := next(lines, None)) is not None:
            raise StorageError(f"{folder}: damaged: {line}; `uknip verify --archive {folder}` names all")
    connect(stage, copy.name).close()
    return Source(folder / "warc", copy)
