"""`uknip config`: what crawls of an archive go by, and where that was said."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.configuration import FILE, Configuration, Settled, settle

_FROM = {
    "file": FILE,
    "environment": "UKNIP_CONTACT in the environment",
    "archive": "what the archive holds",
    "default": "nobody said otherwise",
}


@click.command()
@archive_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Show what crawls of this archive go by (site, contact, delay, images) and where each was said: in uknip.toml in
    the archive's folder, in the environment, or nowhere. Options of a crawl go before all. To change it, edit the file
    or use `uknip init`.

    \b
    uknip config
    uknip config --archive example --json | jq .contact.value
    """
    settled = settle(directory, Configuration())
    if as_json:
        echo(json_text({"file": str(directory / FILE), **asdict(settled)}))
    else:
        echo(text(directory, settled))


def text(directory: Path, settled: Settled) -> str:
    """Return what holds as a table for people."""
    values = {name: (_shown(one["value"]), one["source"]) for name, one in asdict(settled).items()}
    width = max(len(shown) for shown, _ in values.values())
    return "\n".join(
        [
            f"{directory}:",
            *(
                f"  {name:<14} {shown:<{width}}  ({_FROM[source]})"
                for name, (shown, source) in values.items()
            ),
        ]
    )


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, dict):
        return ", ".join(f"{name} {said}" for name, said in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
