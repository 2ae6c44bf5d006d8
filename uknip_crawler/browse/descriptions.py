"""What every table and column of the archive means, read from descriptions.toml."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import NamedTuple


class Table(NamedTuple):
    """A table's heading, what one row is, what each column holds, and units in Datasette's (pint's) spelling."""

    title: str
    description: str
    columns: dict[str, str]
    units: dict[str, str] = {}  # noqa: RUF012 - never changed


_TEXT = (files(__package__) / "descriptions.toml").read_text("utf-8")

TABLES: dict[str, Table] = {name: Table(**table) for name, table in tomllib.loads(_TEXT).items()}
"""Every table of the archive except SQLite's and sqlite-utils' own; the order is the reader's."""
