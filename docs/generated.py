"""What the pages of this folder take from the code: run `uv run cog -r README.md docs/*.md` when it has changed."""

from __future__ import annotations

import click

from uknip_crawler.browse.descriptions import TABLES
from uknip_crawler.browse.outcomes import MEANINGS
from uknip_crawler.cli import cli
from uknip_crawler.cli.contract import SHAPES
from uknip_crawler.export.tables import TABLES as EXPORTS
from uknip_crawler.health.checks import CHECKS, QUIET_DAYS
from uknip_crawler.models import FAILURES, Outcome
from uknip_crawler.watching.metrics import METRICS


def tables() -> str:
    """Return a section for every table of the archive, in the reader's order."""
    return "\n".join(
        f"### {name}\n\n{table.description}\n\n{_rows('Column', table.columns)}"
        for name, table in TABLES.items()
    )


def outcomes() -> str:
    """Return what each outcome means, and which of them are failures."""
    *others, last = (f"`{outcome}`" for outcome in Outcome if outcome in FAILURES)
    return (
        _rows("Outcome", {outcome.value: MEANINGS[outcome] for outcome in Outcome})
        + f"\nAfter a run with {', '.join(others)} or {last} the exit status is 3.\n"
    )


def checks() -> str:
    """Return every check: what it says, its bounds and where they come from, what to do."""
    lines = [
        f"**{check.name}**: {check.what}. *Bounds:* {', '.join(f'{name} {value:g}' if isinstance(value, float) else f'{name} {value}' for name, value in check.bounds.items())}; {check.because}. *Remedy:* {check.remedy}.\n"
        for check in CHECKS.values()
    ]
    return "\n".join(
        [*lines, f"Days on which nobody owes a story: {', '.join(QUIET_DAYS)} (month-day, London).\n"]
    )


def json_keys() -> str:
    """Return a section for what each command prints with `--json`."""
    return "\n".join(
        f"## uknip {name}\n\n"
        + (f"{shape.about}\n\n" if shape.about else "")
        + _rows("Key", dict(shape.keys))
        for name, shape in SHAPES.items()
    )


def metrics() -> str:
    """Return each gauge of the metrics file."""
    return _rows("Gauge", METRICS)


def records() -> str:
    """Return a section for every table that can be exported; fields that want to be named stand apart."""
    sections = []
    for name, table in EXPORTS.items():
        default, extra = (
            {field.name: field.meaning for field in table.fields if field.is_extra is is_extra}
            for is_extra in (False, True)
        )
        by_name = f"\nBy name only:\n\n{_rows('Field', extra)}" if extra else ""
        sections.append(f"### `--table {name}`\n\n{table.meaning}\n\n{_rows('Field', default)}{by_name}")
    return "\n".join(sections)


def commands() -> str:
    """Return the help of every command, as a terminal of 100 columns shows it."""
    group = click.Context(cli, info_name="uknip")
    sections = []
    for name in cli.list_commands(group):
        command = cli.get_command(group, name)
        assert command is not None
        context = click.Context(command, group, info_name=name, terminal_width=100, max_content_width=100)
        lines = "\n".join(f"    {line}".rstrip() for line in command.get_help(context).splitlines())
        sections.append(f"## uknip {name}\n\n{lines}\n")
    return "\n".join(sections)


def _rows(what: str, meanings: dict[str, str]) -> str:
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in meanings.items())
    return f"| {what} | Meaning |\n|---|---|\n{rows}"
