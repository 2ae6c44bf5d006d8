"""`uknip browse`: the archive in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from uknip_crawler.archive.folders import archives_in
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
@click.argument(
    "archives", nargs=-1, metavar="[ARCHIVE]...", type=click.Path(path_type=Path, file_okay=False)
)
@archive_option
def command(port: int, host: str, no_open: bool, archives: tuple[Path, ...], directory: Path) -> None:
    """Read and search the archive in the browser, also while a crawl is writing to it.

    Several ARCHIVEs, or a folder that holds some, are shown in one room, each under its own name.
    """
    from uknip_crawler.browse.server import (
        listen,
        page_address,
        room_for,
        serve,
    )  # half a second to import

    shown = archives_in(archives) if archives else [directory]
    app = room_for(shown)
    listener = listen(host, port)
    address = page_address(listener)
    named = f"{shown[0]} is" if len(shown) == 1 else f"{len(shown)} archives are"
    echo(f"{named} at {address} (Ctrl-C stops)")
    serve(app, listener, open_page=None if no_open else address)
