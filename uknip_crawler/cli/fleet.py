"""`uknip fleet`: many sites crawled by Scrapyd on many machines."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uknip_crawler.cli import json_option
from uknip_crawler.cli.output import conclude, echo
from uknip_crawler.fleet.crawling import Fleet, crawl, exit_status_of
from uknip_crawler.fleet.plan import FILE, read


@click.command()
@click.argument("action", type=click.Choice(["crawl", "status"]))
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=FILE,
    show_default=True,
    help="The file that names servers and sites.",
)
@click.option(
    "--wait", is_flag=True, help="Stay until every site's crawl has ended, and see to it that it does."
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    help="Seconds between two looks at the servers, with --wait.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0),
    default=600.0,
    show_default=True,
    help="Seconds to wait for a server that is down, with --wait.",
)
@json_option
def command(action: str, path: Path, wait: bool, interval: float, patience: float, as_json: bool) -> None:
    """Have Scrapyd servers crawl many sites, one job a site, each into its own archive. `crawl` gives every site that has
    no crawl under way to the server with least to do, `status` tells how servers and sites are. A site whose server
    went down is given to another one, at the next `crawl` or while --wait lasts. docs/scale.md shows the file.

    \b
    uknip fleet crawl            begin; a timer's line for many sites
    uknip fleet crawl --wait     begin, and stay until all have ended
    uknip fleet status           servers, sites, how each archive's last crawl ended

    Exit status: 0 well, 2 usage, 3 a server is down, a site has no server, or a crawl was not complete.
    """
    with Fleet(read(path)) as fleet:
        if action == "crawl":
            say = (lambda line: None) if as_json or not wait else functools.partial(echo, err=True)
            crawl(
                fleet,
                clock=lambda: datetime.now(UTC),
                wait=wait,
                interval=interval,
                patience=patience,
                say=say,
            )
        else:
            fleet.look(fleet.sites)
        is_troubled = action == "status" and any(server.trouble for server in fleet.servers)
        conclude(
            "\n".join(_told(fleet)),
            _record(fleet),
            3 if is_troubled else exit_status_of(fleet.sites),
            as_json=as_json,
        )


def _told(fleet: Fleet) -> list[str]:
    width = max(
        len(name) for name in [*(one.name for one in fleet.servers), *(one.site.name for one in fleet.sites)]
    )
    lines = []
    for server in fleet.servers:
        load = f"{server.count('running')} running, {server.count('pending')} waiting"
        lines.append(server.trouble or f"{server.name:{width}}  {server.url}  {load}")
    for one in fleet.sites:
        lines.append(f"{one.site.name:{width}}  {one.trouble or one.told()}")
    return lines


def _record(fleet: Fleet) -> dict[str, Any]:
    return {
        "servers": [
            {
                "name": server.name,
                "url": server.url,
                "is_up": server.is_up,
                "running": server.count("running"),
                "pending": server.count("pending"),
                "trouble": server.trouble,
            }
            for server in fleet.servers
        ],
        "sites": [
            {
                "name": one.site.name,
                "url": one.site.url,
                "archive": str(one.site.archive),
                "state": one.state,
                "server": one.server,
                "job": one.job,
                "run": one.run,
                "exit_status": one.exit_status,
                "trouble": one.trouble,
                "log": one.log,
            }
            for one in fleet.sites
        ],
    }
