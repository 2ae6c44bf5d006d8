"""`uknip doctor`: what is wrong with this machine or archive, and the remedy."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.doctor import examine

FAILED = 3


@click.command()
@archive_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Look over machine and archive: versions, SQLite, disk, permissions, clock, settings, whether the site answers (one
    request, for robots.txt), the last run, captures left open, the schedule. Each is ok, warn or fail, with a remedy. It takes a second and changes nothing; `uknip verify`
    reads everything.

    \b
    uknip doctor
    uknip doctor --json | jq '.findings[] | select(.state != "ok")'

    Exit status: 0 nothing failed, 3 something did.
    """
    findings = list(examine(directory, now=datetime.now(UTC)))
    failed = any(one.state == "fail" for one in findings)
    if as_json:
        echo(json_text({"archive": str(directory), "findings": [asdict(one) for one in findings]}))
    else:
        for one in findings:
            echo(f"{one.state:<5} {one.check:<12} {one.what}")
            if one.remedy:
                echo(f"{'':<18} → {one.remedy}")
    sys.exit(FAILED if failed else 0)
