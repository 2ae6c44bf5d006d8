"""What a page is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO
from urllib.parse import urlencode

from uknip_crawler.browse.security import POLICY, STRICT_POLICY


class NotHere(Exception):
    """There is no such page; the message says so to the reader."""


class Elsewhere(Exception):
    """What is asked for has another address in the reading room; the message is its path and query string.

    `remember` has the browser keep values by name.
    """

    def __init__(self, address: str, remember: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(address)
        self.remember = remember


@dataclass(frozen=True, slots=True)
class Page:
    """A template of templates/uknip/ without its ending, and what it prints.

    `canonical` is the page's own address where that is another than it was asked for by; of its query string
    only the arguments in `keeps` belong to it. A `media_type` says that it is no HTML, `frames` that it shows another
    page of ours in a frame.
    """

    template: str
    context: dict[str, Any]
    status: int = 200
    canonical: str = ""
    keeps: tuple[str, ...] = ()
    media_type: str = ""
    frames: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """Bytes of the archive that never change under their address."""

    content: bytes
    media_type: str
    headers: dict[str, str] = field(
        default_factory=lambda: {
            POLICY: STRICT_POLICY,
            "cache-control": "private, max-age=31536000, immutable",
        }
    )


@dataclass(frozen=True, slots=True)
class Stream:
    """A file to take away, written piece by piece: `write` gets the output, in a thread of its own."""

    write: Callable[[BinaryIO], None]
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: `args` of the query string, `path` by the names in the address's pattern.

    `archive` is the archive's folder, `query` the query string as it was sent, `root` scheme and host that the
    reader knows us by.
    """

    args: Any
    path: dict[str, str]
    archive: Path
    query: str = ""
    root: str = ""
    connection: Any = None

    def on(self, connection: Any) -> Ask:
        return replace(self, connection=connection)

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        """Return a query's rows, each readable by column name."""
        return list(self.connection.execute(sql, parameters).fetchall())

    def row(self, sql: str, **parameters: Any) -> Any:
        """Return a query's first row, or None."""
        return self.connection.execute(sql, parameters).fetchone()

    def value(self, sql: str, **parameters: Any) -> Any:
        """Return a query's first value, or None where it has no row."""
        row = self.row(sql, **parameters)
        return row[0] if row else None

    def gather(self, sql: str, **parameters: Any) -> int:
        """Put the numbers that a query gives into the connection's own table `temp.found`, in the place of those that
        were there, for the queries that follow; return how many. No number may come twice."""
        self.connection.execute("CREATE TEMP TABLE IF NOT EXISTS found (id INTEGER PRIMARY KEY)")
        try:
            self.connection.execute("DELETE FROM temp.found")
            return int(self.connection.execute(f"INSERT INTO temp.found {sql}", parameters).rowcount)
        finally:
            self.connection.commit()  # or the next page would be shown the archive as it is now

    def text(self, name: str, limit: int = 500) -> str:
        """Return an argument on one line, without blanks at its ends and without NUL; empty when it is not given."""
        return " ".join(str(self.args.get(name) or "").replace("\0", " ").split())[:limit]

    def number(self, name: str, default: int, *, most: int = 10**9) -> int:
        """Return an argument as a positive number, else the default."""
        text = str(self.args.get(name) or "")
        return (
            min(int(text), most)
            if text.isascii() and text.isdigit() and len(text) < 12 and int(text)
            else default
        )


def archive_of(database: Any) -> Path:
    return Path(database.path).parent


def query(**arguments: object) -> str:
    """Return a query string with its question mark; what is empty is left out."""
    given = {name: value for name, value in arguments.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else ""
