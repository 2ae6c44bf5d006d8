"""What one query may take, so that no question stops the others: no long values, no large answers, no endless single step.

Datasette stops a query after a second, but between steps only: a single call of a function is not stopped, so none may be
given enough to work on for long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

MAX_VALUE_BYTES = 4 * 2**20
MAX_ANSWER_BYTES = 32 * 2**20
MAX_HEAP_BYTES = 2**29
CACHE_BYTES = 2**24
"""The indexes that facets are counted from, at a hundred thousand stories: each is read several times for a page."""
MAX_SOUGHT_CHARACTERS = 1000

_TOO_LARGE = "x" * (MAX_VALUE_BYTES + 1)
"""What a function returns to be refused: an exception in it would be printed."""
_WIDE = re.compile(r"\*|\d{5}")
"""A width that is an argument, or large: a billion blanks are put together one by one, even when they are refused."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: MAX_SOUGHT_CHARACTERS,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}


def bound(connection: sqlite3.Connection) -> None:
    """Set the bounds on a connection that readers' queries go through. See https://sqlite.org/limits.html"""
    connection.execute(f"PRAGMA hard_heap_limit = {MAX_HEAP_BYTES}").fetchone()
    connection.execute(f"PRAGMA cache_size = -{CACHE_BYTES // 1024}")
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.row_factory = _Counting()
    plain = sqlite3.connect(":memory:", check_same_thread=False)
    plain.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    # SQLite's own compare every place of the one text with all of the other
    for name, count, function in (
        ("instr", 2, _on_texts(lambda text, sought: text.find(sought) + 1)),
        ("replace", 3, _on_texts(_replaced)),
        ("trim", 2, _on_texts(str.strip)),
        ("ltrim", 2, _on_texts(str.lstrip)),
        ("rtrim", 2, _on_texts(str.rstrip)),
        ("json_patch", 2, lambda *_: _TOO_LARGE),
        ("printf", -1, _printing(plain)),
        ("format", -1, _printing(plain)),
    ):
        connection.create_function(name, count, function, deterministic=True)


class _Counting:
    """Makes rows, and refuses to go on with an answer that has grown too large."""

    def __init__(self) -> None:
        self._bytes: WeakKeyDictionary[sqlite3.Cursor, int] = WeakKeyDictionary()

    def __call__(self, cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> sqlite3.Row:
        size = self._bytes.get(cursor, 0) + sum(len(value) for value in row if isinstance(value, str | bytes))
        self._bytes[cursor] = size
        if size > MAX_ANSWER_BYTES:
            raise sqlite3.OperationalError(f"the answer is larger than {MAX_ANSWER_BYTES // 2**20} MiB")
        return sqlite3.Row(cursor, row)


def _on_texts(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        if None in values:
            return None
        texts = [
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values
        ]
        return function(*texts) if len(texts[1]) <= MAX_SOUGHT_CHARACTERS else _TOO_LARGE

    return call


def _replaced(text: str, sought: str, new: str) -> str:
    if text.count(sought) * len(new) > MAX_VALUE_BYTES:
        return _TOO_LARGE
    return text.replace(sought, new) if sought else text


def _printing(plain: sqlite3.Connection) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        if not values or _WIDE.search(str(values[0])):
            return _TOO_LARGE
        return plain.execute(f"SELECT printf({', '.join('?' * len(values))})", values).fetchone()[0]

    return call
