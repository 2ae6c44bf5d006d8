"""Records as SQL: the fields of a table flat, as one JSON object a row, or with lists as JSON arrays."""

from __future__ import annotations

from collections.abc import Sequence

from uknip_crawler.export.tables import Field, Table


def flat_query(table: Table, fields: Sequence[Field], where: str) -> str:
    """Return a query with one column a field; lists are joined with `; `, images are their addresses."""
    return _query(table, [_flat(field) for field in fields], where)


def json_query(table: Table, fields: Sequence[Field], where: str) -> str:
    """Return a query with one column: the record as a JSON object in UTF-8, without blanks between tokens."""
    pairs = (
        f"'{field.name}', {f'json({field.sql})' if field.type == 'json' else _nested(field)}"
        for field in fields
    )
    return _query(table, [f"json_object({', '.join(pairs)})"], where)


def nested_query(table: Table, fields: Sequence[Field], where: str) -> str:
    """Return a query with one column a field; lists and images are JSON arrays."""
    return _query(table, [_nested(field) for field in fields], where)


def _query(table: Table, columns: list[str], where: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {table.source} WHERE {where} ORDER BY {table.order}"


def _flat(field: Field) -> str:
    if field.type not in ("list", "images"):
        return field.sql
    item = "url" if field.type == "images" else "item"
    return f"(SELECT group_concat({item}, '; ') FROM ({field.sql}))"


def _nested(field: Field) -> str:
    if field.type not in ("list", "images"):
        return field.sql
    item = "item"
    if field.type == "images":
        pairs = ", ".join(f"'{key}', {key}" for key in field.keys)
        item = f"json_object({pairs})"
    # json() again: a value's JSON subtype is not promised to survive a subquery (https://sqlite.org/subtype.html)
    return f"json((SELECT json_group_array({item}) FROM ({field.sql})))"
