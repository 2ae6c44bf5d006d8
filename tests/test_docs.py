"""What is documented is what there is: tables, columns, outcomes, the export record, commands and options."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import catalogue
import click
import pytest
import yaml
from crawling import Archived, rows
from sqlite_utils import Database

from uknip_crawler.archive.migrations import migrations
from uknip_crawler.browse.descriptions import TABLES
from uknip_crawler.browse.metadata import metadata
from uknip_crawler.browse.outcomes import MEANINGS
from uknip_crawler.cli import cli
from uknip_crawler.configuration import Configuration, write
from uknip_crawler.models import Outcome

ROOT = Path(__file__).parent.parent
TESTS = [path for path in (ROOT / "tests").glob("test_*.py") if path != Path(__file__)]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = [page for page in PAGES if "[[[cog" in page.read_text("utf-8")]
PROSE = {"crawls"}
"""What may follow the program's name besides a command."""


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
    described = metadata("news.example")["databases"]["uknip"]["tables"]
    assert all(described[name]["columns"] == table.columns for name, table in TABLES.items())


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_a_page_says_what_the_code_says(page: Path) -> None:
    """Tables, columns, outcomes, export fields, commands and options: written by the code, none too many."""
    command = [sys.executable, "-m", "cogapp", "-I", "docs", "--check", "--diff", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_outcome_has_its_meaning() -> None:
    """In the order in which a reader meets them."""
    assert list(MEANINGS) == list(Outcome)


def test_every_fault_is_tried_or_says_why_not() -> None:
    """And stands under a promise; a mark names a fault that is in the catalogue, once for each test."""
    told, tried = catalogue.catalogue(), catalogue.tests()
    faults = set(told["faults"])
    assert faults <= set(tried) | set(told["untested"])
    assert set(tried) | set(told["untested"]) <= faults
    assert {row for promise in told["promises"] for row in promise["faults"]} == faults
    marked = [re.findall(r"mark\.fault\(([^)]*)\)", path.read_text("utf-8")) for path in TESTS]
    named = {row for marks in marked for mark in marks for row in re.findall(r'"(\w+)"', mark)}
    assert named <= faults


def test_the_glossary_is_in_alphabetical_order() -> None:
    """So that a word is found."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    words = [word.lower() for word in re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)]
    assert len(words) > 20
    assert words == sorted(words)


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_every_command_is_in_the_readme_and_every_option_explains_itself(name: str) -> None:
    """A newcomer finds the command; its help, which docs/commands.md repeats, tells the rest."""
    command = cli.get_command(click.Context(cli), name)
    assert command
    assert f"uknip {name}" in (ROOT / "README.md").read_text("utf-8")
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name}: {option.name} has no help"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that is in it."""
    for target, _, heading in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]*))?\)", page.read_text("utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert heading in slugs, f"{target}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Path) -> None:
    """Every `uknip COMMAND --option` that a page shows is one that the program takes."""
    group = click.Context(cli)
    for name, rest in re.findall(r"\buknip ([a-z][a-z-]+)\b([^`\n]*)", page.read_text("utf-8")):
        command = cli.get_command(group, name)
        if command is None:
            assert name in PROSE, name
            continue
        known = {text for param in command.params for text in (*param.opts, *param.secondary_opts)} | {
            "--help"
        }
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest.partition("  ")[0]):
            assert option in known, f"uknip {name} {option}"


def test_the_workflow_is_one_that_github_can_read() -> None:
    """YAML with the steps a workflow has; its commands are looked at above, with those of all pages."""
    page = (ROOT / "docs" / "scheduling.md").read_text("utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    workflow = yaml.load(text, yaml.BaseLoader)  # 1.1 reads the key `on` as true, GitHub does not
    assert {"on", "jobs"} <= set(workflow)
    fields = workflow["on"]["schedule"][0]["cron"].split()
    assert len(fields) == 5
    steps = workflow["jobs"]["crawl"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    saved, restored = (
        next(step["with"] for step in steps if step.get("uses", "").startswith(f"actions/cache/{what}@"))
        for what in ("save", "restore")
    )
    assert saved["path"] == restored["path"] == "archive"
    assert saved["key"].startswith(restored["restore-keys"])
    assert len([step for step in steps if "run" in step]) == 2


def test_the_steps_of_the_workflow_crawl_and_check(archived: Archived, tmp_path: Path) -> None:
    """As a shell runs them, with their environment, on an archive that knows its site."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" -m uknip_crawler "$@"\n')  # uv run uknip
    program.chmod(0o755)
    (text,) = re.findall(
        r"^```yaml\n(.*?)^```$",
        (ROOT / "docs" / "scheduling.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    with archived(tmp_path / "archive", 30) as site:
        write(tmp_path / "archive", Configuration(site.base_url, delay=0.0))
        for step in yaml.load(text, yaml.BaseLoader)["jobs"]["crawl"]["steps"]:
            if "run" in step:
                told = dict.fromkeys(step.get("env", {}), "ada@uni.example")
                around = os.environ | told | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
                around["PYTHONPATH"] = str(ROOT)
                subprocess.run(["sh", "-ec", step["run"]], cwd=tmp_path, env=around, check=True, timeout=120)
    settings = rows(tmp_path / "archive", "SELECT settings FROM runs ORDER BY id DESC LIMIT 1")[0][0]
    assert "ada@uni.example" in settings
