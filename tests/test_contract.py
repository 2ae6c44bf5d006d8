"""What `--json` prints is a contract: every command that takes it has one, and `tests/processes.py` holds all to theirs."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from crawling import Archived, rows
from processes import uknip

from uknip_crawler.archive import DATABASE
from uknip_crawler.cli import cli
from uknip_crawler.cli.contract import SHAPES, breach


def test_every_command_that_prints_json_says_what() -> None:
    """And no other does; of options there is none that the command does not have."""
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    options = {
        name: {option for one in command.params for option in one.opts}
        for name, command in commands.items()
        if command is not None
    }
    assert {name.split()[0] for name in SHAPES} == {name for name, has in options.items() if "--json" in has}
    for name in SHAPES:
        command, *special = name.split()
        assert all(one in options[command] for one in special if one.startswith("-")), name
    assert all(meaning for shape in SHAPES.values() for meaning in shape.keys.values())


def test_a_key_that_is_renamed_dropped_or_added_breaks_the_contract() -> None:
    """In a record, in each of a list, and where an option prints something else."""
    assert breach(("verify", "--json"), {"articles": 1, "problems": []}) is None
    for broken in ({"articles": 1}, {"articles": 1, "trouble": []}, {"problems": [], "articles": 1}):
        assert breach(("verify",), broken)
    assert breach(("redact", "--list"), [{"redaction": 1}])
    assert breach(("export", "csv"), {"articles": 1, "path": None, "size_bytes": None}) is None
    assert breach(("layouts", "L1"), {"name": "L1"})


@pytest.mark.parametrize(
    "arguments",
    [("verify",), ("history", "URL"), ("why", "URL"), ("duplicates",), ("coverage",), ("layouts",), ("schedule",)],
    ids=lambda given: given[0],
)  # fmt: skip
def test_commands_keep_it(arguments: tuple[str, ...], archived: Archived, tmp_path: Path) -> None:
    """Those of which no other test asks for JSON with something in each list."""
    archived(tmp_path / "archive", 30)
    url = rows(tmp_path / "archive", "SELECT max(url) FROM articles")[0][0]
    given = [url if one == "URL" else one for one in arguments]
    done = uknip(*given, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout[:1] in ("{", "[")
    assert done.stdout.strip() not in ("{}", "[]")


def test_rebuild_keeps_it(archived: Archived, tmp_path: Path) -> None:
    """From captures alone."""
    archived(tmp_path / "archive", 30)
    shutil.move(tmp_path / "archive" / DATABASE, tmp_path / "lost.db")
    done = uknip("rebuild", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{")
