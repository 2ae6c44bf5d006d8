"""`uknip browse`: the archive in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from uknip_crawler.cli import archive_option
from uknip_crawler.cli.output import echo


@click.command("browse")
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="Port; 0 takes any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any but the default lets others read.",
)
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@archive_option
def command(port: int, host: str, no_open: bool, directory: Path) -> None:
    """Read and search the archive in the browser, also while a crawl is writing to it."""
    from uknip_crawler.browse.server import (
        datasette_for,
        listen,
        page_address,
        serve,
    )  # half a second to import

    datasette = datasette_for(directory)
    listener = listen(host, port)
    address = page_address(listener)
    echo(f"{directory} is at {address} (Ctrl-C stops)")
    serve(datasette, listener, open_page=None if no_open else address)
