"""A checksum of every row, so that a byte the disk lost is named: SQLite itself notices one flipped bit in a hundred.

Triggers note which rows were written, by whatever program; each transaction of ours ends with their new checksums.
Rows of one story in a table (its links, its tags) share one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

TABLES = """
CREATE TABLE _seals (
    part TEXT NOT NULL,
    key INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (part, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE _unsealed (part TEXT NOT NULL, key ANY NOT NULL, PRIMARY KEY (part, key)) STRICT, WITHOUT ROWID;
CREATE TABLE _sealed_parts (part TEXT PRIMARY KEY, key TEXT NOT NULL, columns TEXT NOT NULL) STRICT, WITHOUT ROWID
"""
_DERIVED = ("articles_fts", "sqlite_", "_", "fingerprint_bands")
"""Beginnings of the names of tables without seals: made from others, or none of the archive's own."""
_DIGEST_BYTES = 8


def install(connection: Any) -> None:
    """Have every table's rows noted from now on; those of a table that is new or has new columns, all of them now."""
    for table, key, columns in unnoted(connection):
        for name, statement in _triggers(table, key).items():
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
            connection.execute(statement)
        connection.execute("DELETE FROM _seals WHERE part = ?", (table,))
        connection.execute(f"INSERT OR IGNORE INTO _unsealed SELECT DISTINCT ?, {key} FROM {table}", (table,))
        connection.execute("INSERT OR REPLACE INTO _sealed_parts VALUES (?, ?, ?)", (table, key, columns))


def unnoted(connection: Any) -> list[tuple[str, str, str]]:
    """Return (table, first column of its primary key, its columns) of the tables whose rows are not noted yet."""
    known = dict(connection.execute("SELECT part, columns FROM _sealed_parts"))
    triggers = set(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    return [
        part
        for part in _parts(connection)
        if known.get(part[0]) != part[2] or not triggers.issuperset(_triggers(*part[:2]).items())
    ]


def seal(connection: Any) -> None:
    """Renew the checksums of all rows written since the last time. Runs inside the caller's transaction."""
    written = connection.execute("SELECT part, key FROM _unsealed ORDER BY part").fetchall()
    if not written:
        return
    parts = {part: rest for part, *rest in connection.execute("SELECT part, key, columns FROM _sealed_parts")}
    for table, rows in groupby(written, key=lambda row: row[0]):
        column, columns = parts[table]
        select = f"SELECT {columns} FROM {table} WHERE {column} = ?"
        gone, sealed = [], []
        for _, key in rows:
            found = connection.execute(select, (key,)).fetchall()
            if found:
                sealed.append((table, _number(key), _digest(found)))
            else:
                gone.append((table, _number(key)))
        connection.executemany("INSERT OR REPLACE INTO _seals VALUES (?, ?, ?)", sealed)
        connection.executemany("DELETE FROM _seals WHERE part = ? AND key = ?", gone)
    connection.execute("DELETE FROM _unsealed")


def broken(connection: Any) -> Iterator[str]:
    """Yield one line for each row that is not as it was written, or is missing. Rows that another program has written
    are as they are: nothing is known of them."""
    before = connection.text_factory
    # what is no UTF-8 any more is to be named, not to stop the check
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        for table, key, columns in _parts(connection):
            known = connection.execute(
                "SELECT columns FROM _sealed_parts WHERE part = ?", (table,)
            ).fetchone()
            if known is None or known[0] != columns:
                yield f"{table}: its columns are not as they were written"
                continue
            try:
                yield from _broken_rows(connection, table, key, columns.split(", "))
            except sqlite3.DatabaseError as error:
                yield f"{table}: cannot be read: {error}"
    finally:
        connection.text_factory = before


def _broken_rows(connection: Any, table: str, key: str, columns: Sequence[str]) -> Iterator[str]:
    place = columns.index(key)
    unsealed = {key for (key,) in connection.execute("SELECT key FROM _unsealed WHERE part = ?", (table,))}
    seen = 0
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")
    for value, group in groupby(rows, key=lambda row: row[place]):
        found = list(group)
        if value in unsealed:
            continue
        seal = connection.execute(
            "SELECT digest FROM _seals WHERE part = ? AND key = ?", (table, _number(value))
        ).fetchone()
        seen += seal is not None
        if seal is None or seal[0] != _digest(found):
            yield f"{table}: {_named(found[0], key, columns)} is not as it was written"
    sealed = connection.execute("SELECT count(*) FROM _seals WHERE part = ?", (table,)).fetchone()[0]
    if sealed > seen + len(unsealed):
        yield f"{table}: {sealed - seen - len(unsealed)} rows are missing, or their checksums are damaged"


def _named(row: Sequence[Any], key: str, columns: Sequence[str]) -> str:
    url = f" ({row[columns.index('url')]})" if "url" in columns and key != "url" else ""
    text = f"the row with {key} {row[columns.index(key)]}{url}"
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _parts(connection: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (table, first column of its primary key, its columns) of every table with seals."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    for (table,) in names:
        if table.startswith(_DERIVED):
            continue
        described = connection.execute(f"PRAGMA table_info({table})").fetchall()
        keys = [column[1] for column in described if column[5] == 1]
        if keys:
            yield table, keys[0], ", ".join(column[1] for column in described)


def _triggers(table: str, key: str) -> dict[str, str]:
    def note(row: str) -> str:
        # not OR IGNORE: in a trigger the outer statement's own policy holds. `+` takes the column's affinity away, with
        # which its value would be compared with every key instead of sought (https://sqlite.org/datatype3.html#affinity)
        known = f"SELECT 1 FROM _unsealed WHERE part = '{table}' AND key = +{row}.{key}"
        return f"INSERT INTO _unsealed SELECT '{table}', {row}.{key} WHERE NOT EXISTS ({known});"

    return {
        f"_sealing_{table}_{event.lower()}": f"CREATE TRIGGER _sealing_{table}_{event.lower()} AFTER {event} ON {table} "
        f"BEGIN {' '.join(map(note, rows))} END"
        for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",)))
    }


def _digest(rows: Sequence[Sequence[Any]]) -> bytes:
    written = json.dumps([list(row) for row in rows], default=bytes.hex)
    return hashlib.blake2b(written.encode(), digest_size=_DIGEST_BYTES).digest()


def _number(key: int | str) -> int:
    """Return a row's number, or one made of its text: a checksum keeps no address."""
    if isinstance(key, int):
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(digest, signed=True)
