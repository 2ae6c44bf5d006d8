"""One moment of the archive, also while a crawl is writing: every row of an export is read from it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.folders import site_in
from uknip_crawler.errors import StorageError
from uknip_crawler.export.formats import FORMATS, Row
from uknip_crawler.export.recipe import Recipe
from uknip_crawler.export.tables import TABLES, Field

Watch = Callable[[Iterable[Row], int], Iterable[Row]]
"""Given the rows and how many there will be, passes them on; a place for a progress bar."""


class Snapshot:
    """The database of the archive in a folder, in a read transaction."""

    def __init__(self, db: Database, archive: Path) -> None:
        self.db = db
        self.archive = archive
        self.site = site_in(db)

    def rows(
        self, recipe: Recipe, table: str, format_name: str, *, before: Sequence[Field] = ()
    ) -> tuple[int, Generator[Row, None, None]]:
        """Return how many rows a table gives, and the rows as the format wants them, some fields before the chosen ones."""
        where, parameters = recipe.selection.where(self.db, table)
        count = f"SELECT count(*) FROM {TABLES[table].source} WHERE {where}"
        total = self.db.conn.execute(count, parameters).fetchone()[0]
        query = FORMATS[format_name].query(TABLES[table], (*before, *recipe.chosen(table)), where)
        return total, self._bytes(query, {**parameters, "site": self.site})

    def _bytes(self, query: str, parameters: dict[str, str | int]) -> Generator[Row, None, None]:
        # UTF-8 in, UTF-8 out: decoding and encoding would be half the time
        self.db.conn.text_factory = bytes
        try:
            yield from self.db.conn.execute(query, parameters)
        finally:
            self.db.conn.text_factory = str


@contextlib.contextmanager
def snapshot(archive: Path) -> Iterator[Snapshot]:
    """Open an archive for reading. Raises UsageError when there is none, StorageError when it cannot be read."""
    db = open_readonly(archive)
    try:
        with contextlib.closing(db):
            db.conn.execute("BEGIN")
            yield Snapshot(db, archive)
    except sqlite3.Error as error:
        raise StorageError(f"{archive}: cannot read the archive: {error}") from error


@contextlib.contextmanager
def snapshots(archives: Sequence[Path]) -> Iterator[list[Snapshot]]:
    """Open several archives, each as it is at that moment. Raises as `snapshot` does."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(snapshot(archive)) for archive in archives]


def joined(
    moments: Sequence[Snapshot], recipe: Recipe, table: str, format_name: str, *, before: Sequence[Field] = ()
) -> tuple[int, Generator[Row, None, None]]:
    """Return what `Snapshot.rows` does, of several archives one after the other."""
    parts = [moment.rows(recipe, table, format_name, before=before) for moment in moments]

    def rows() -> Generator[Row, None, None]:
        for _, part in parts:
            with contextlib.closing(part):
                yield from part

    return sum(total for total, _ in parts), rows()
