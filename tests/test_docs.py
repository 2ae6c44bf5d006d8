"""What is documented is what there is: tables, columns, outcomes, the export record, commands and options."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from sqlite_utils import Database

from uknip_crawler.archive.migrations import migrations
from uknip_crawler.browse.descriptions import TABLES
from uknip_crawler.browse.metadata import metadata
from uknip_crawler.browse.outcomes import MEANINGS
from uknip_crawler.cli import cli
from uknip_crawler.export.tables import TABLES as EXPORTS
from uknip_crawler.models import FAILURES, Outcome

ROOT = Path(__file__).parent.parent
SCHEMA = (ROOT / "docs" / "schema.md").read_text("utf-8")


def schema_columns() -> dict[str, list[str]]:
    """Return the columns of every table of ours, in a database made by the migrations."""
    db = Database(memory=True)
    migrations.apply(db)
    names = [name for name in db.table_names() if not name.startswith(("articles_fts", "_", "sqlite_"))]
    # table_xinfo also tells computed columns: https://sqlite.org/pragma.html#pragma_table_xinfo
    columns = {name: [row[1] for row in db.conn.execute(f"PRAGMA table_xinfo({name})")] for name in names}
    db.close()
    return columns


def test_every_table_and_column_is_described_for_readers() -> None:
    """In the browser: all of them, none that is not there, in the order of the columns."""
    assert {name: list(table.columns) for name, table in TABLES.items()} == schema_columns()
    described = metadata()["databases"]["uknip"]["tables"]
    assert all(described[name]["columns"] == table.columns for name, table in TABLES.items())


@pytest.mark.parametrize("name", TABLES)
def test_the_schema_document_says_the_same(name: str) -> None:
    """Table by table, word for word."""
    section = SCHEMA.split(f"\n### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]
    lines = section.splitlines()
    assert TABLES[name].description in lines
    for column, meaning in TABLES[name].columns.items():
        assert f"| `{column}` | {meaning} |" in lines


def test_the_schema_document_has_no_table_too_many() -> None:
    """A dropped table leaves the document too."""
    assert re.findall(r"^### (\w+)$", SCHEMA, re.MULTILINE) == list(TABLES)


def test_every_outcome_is_explained() -> None:
    """And every failure is named where exit status 3 is."""
    table, failures = SCHEMA.split("| Outcome | Meaning |")[1].split("After a run with")
    assert re.findall(r"^\| `(\w+)` \| \S", table, re.MULTILINE) == [outcome.value for outcome in Outcome]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)) == MEANINGS
    assert set(re.findall(r"`(\w+)`", failures.split("exit status is 3")[0])) == {o.value for o in FAILURES}


@pytest.mark.parametrize("name", EXPORTS)
def test_the_export_records_are_documented_in_order(name: str) -> None:
    """Every field, word for word, as the columns of the CSV stand; those apart that want to be named."""
    section = SCHEMA.split(f"#### `--table {name}`\n")[1].split("\n#### ")[0].split("\n- ")[0]
    default, _, by_name = section.partition("By name only:")
    for text, is_extra in ((default, False), (by_name, True)):
        fields = [(f.name, f.meaning) for f in EXPORTS[name].fields if f.is_extra is is_extra]
        assert re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE) == fields


def test_the_glossary_is_in_alphabetical_order() -> None:
    """So that a word is found."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    words = [word.lower() for word in re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)]
    assert len(words) > 20
    assert words == sorted(words)


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_every_command_and_option_is_in_the_readme(name: str) -> None:
    """By its name; and each option has a help that says what it does."""
    readme = (ROOT / "README.md").read_text("utf-8")
    command = cli.get_command(click.Context(cli), name)
    assert command
    assert f"uknip {name}" in readme
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name}: {option.name} has no help"
            assert max(option.opts, key=len) in readme, f"{name}: {option.opts} is not in README.md"
