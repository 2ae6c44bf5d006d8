"""`uknip layouts`: what was learned of the site's pages and wordings, what is stripped, and your word on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.errors import UsageError

LISTED = 60
Row = dict[str, Any]


@click.command()
@click.argument("name", required=False)
@click.option("--furniture", "lines", is_flag=True, help="List the lines taken out of stories.")
@click.option("--wordings", is_flag=True, help="List the wordings that are furniture wherever they stand.")
@click.option(
    "--keep", metavar="LINE", multiple=True, help="Never strip this line (its text, or its number)."
)
@click.option("--strip", metavar="LINE", multiple=True, help="Always strip this line.")
@click.option("--forget", metavar="LINE", multiple=True, help="Leave this line to the rules again.")
@archive_option
@json_option
def command(
    name: str | None,
    lines: bool,
    wordings: bool,
    keep: tuple[str, ...],
    strip: tuple[str, ...],
    forget: tuple[str, ...],
    directory: Path,
    as_json: bool,
) -> None:
    """Show the layouts of the site's pages, what was learned of one of them, every line that is stripped, or the rules
    of wording; or overrule: a verdict on a line survives all later learning.

    \b
    uknip layouts                                     all layouts and their states
    uknip layouts L3f2a91                             what was learned of one
    uknip layouts --furniture                         stripped lines, the commonest first
    uknip layouts --wordings                          rules of wording, why, and on how many stories
    uknip layouts --keep 17 --strip "Join our poll"   then: uknip reextract
    """
    open_readonly(directory).close()
    if keep or strip or forget:
        _rule(directory, {"keep": keep, "strip": strip, None: forget})
        return
    db = open_readonly(directory)
    try:
        query = db.query
        if lines:
            rows = list(query(_FURNITURE))
        elif wordings:
            rows = list(query("SELECT * FROM wordings ORDER BY stories DESC, kind, text"))
        elif name:
            rows = list(query("SELECT * FROM layouts WHERE name = ?", [name]))
            if not rows:
                raise UsageError(f"no layout {name}; `uknip layouts` lists them")
        else:
            rows = list(query(_LAYOUTS))
    finally:
        db.close()
    for row in rows:
        row |= {"rules": json.loads(row["rules"]) if row["rules"] else None} if "rules" in row else {}
    if as_json:
        echo(json_text(rows[0] if name and not (lines or wordings) else rows))
    elif lines:
        _tell_lines(rows)
    elif wordings:
        _tell_wordings(rows)
    elif name:
        _tell_layout(rows[0])
    else:
        _tell_layouts(rows)


_LAYOUTS = """
SELECT name, state, pages, studied, agreement, first_seen_at, last_seen_at, skeleton FROM layouts
ORDER BY pages DESC, name
"""
_FURNITURE = """
SELECT id, text, rule, place, verdict, pages, layouts, first_seen_at, last_seen_at,
    (SELECT count(*) FROM article_furniture WHERE furniture_id = furniture.id) AS stories
FROM furniture ORDER BY stories DESC, text, rule
"""


def _rule(directory: Path, verdicts: dict[str | None, tuple[str, ...]]) -> None:
    with Archive(directory) as archive, archive.transaction():
        for verdict, lines in verdicts.items():
            for line in lines:
                text = line.strip()
                if not text:
                    raise UsageError("an empty line cannot be ruled on: give its text, or its number")
                if line.isdecimal():
                    found = archive.db.conn.execute(
                        "SELECT text FROM furniture WHERE id = ?", (line,)
                    ).fetchone()
                    if found is None:
                        raise UsageError(f"no line {line}; `uknip layouts --furniture` lists them")
                    text = found[0]
                touched = archive.layouts.rule([text], verdict, at=datetime.now(UTC))
                if not touched:
                    raise UsageError(f"there is no verdict on “{text}”")
                echo(f"{verdict or 'left to the rules'}: {text}")
    echo("`uknip reextract` applies it to what is archived.")


_FIGURES = ("pages", "stories", "layouts", "agreement", "number")


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in _FIGURES else "left")
    return table


def _tell_layouts(rows: list[Row]) -> None:
    if not rows:
        echo("no layouts yet: they are learned at the end of a crawl, or by `uknip reextract`")
        return
    table = _table("name", "state", "pages", "agreement", "first seen", "last seen")
    for row in rows:
        agreement = "" if row["agreement"] is None else f"{row['agreement']:.0%}"
        seen = (row["first_seen_at"][:10], row["last_seen_at"][:10])
        table.add_row(row["name"], row["state"], f"{row['pages']:,}", agreement, *seen)
    Console().print(table)
    echo("uknip layouts NAME shows what was learned of one; --furniture what is stripped, --wordings why")


def _tell_layout(row: Row) -> None:
    echo(f"{row['name']}  {row['state']}, {row['pages']:,} pages, {row['studied']} studied")
    echo(f"headline at  {row['skeleton']}")
    rules = row["rules"] or {}
    told = {
        "the story stands in": rules.get("containers", ()),
        "numbered parts are one place": [f"{stem.lstrip('.#')}1, 2, …" for stem in rules.get("counters", ())],
        "story below it": rules.get("story", ()),
        "furniture below it": [f"{place}  ({n:,} pages)" for place, n in rules.get("furniture", {}).items()],
    }
    for title, values in told.items():
        for number, value in enumerate(values):
            echo(f"{title if not number else '':31} {value}")
    if not rules:
        echo("nothing learned yet: too few pages")


def _tell_lines(rows: list[Row]) -> None:
    table = _table("number", "stories", "rule", "pages", "layouts", "verdict", "line")
    for row in rows[:LISTED]:
        seen = (f"{row[what]:,}" if row[what] else "" for what in ("pages", "layouts"))
        told = (row["verdict"] or "", _short(row["text"]))
        table.add_row(str(row["id"]), f"{row['stories']:,}", row["rule"], *seen, *told)
    _print(table, rows)


def _tell_wordings(rows: list[Row]) -> None:
    if not rows:
        echo("no wordings yet: they are learned at the end of a crawl, or by `uknip reextract`")
        return
    table = _table("kind", "stories", "layouts", "why", "wording")
    for row in rows[:LISTED]:
        seen = (f"{row[what]:,}" if row[what] else "" for what in ("stories", "layouts"))
        table.add_row(row["kind"], *seen, row["why"], _short(row["text"]))
    _print(table, rows)


def _short(text: str) -> str:
    return escape(text if len(text) <= 90 else text[:89] + "…")


def _print(table: Table, rows: list[Row]) -> None:
    Console().print(table)
    if len(rows) > LISTED:
        echo(f"… {len(rows) - LISTED:,} more: --json has them all")
