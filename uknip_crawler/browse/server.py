"""Serving the live archive with Datasette on this machine."""

from __future__ import annotations

import errno
import socket
import threading
import time
import webbrowser
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import rich
import uvicorn
from datasette.app import Datasette
from datasette.version import __version_info__

from uknip_crawler.archive import DATABASE
from uknip_crawler.archive.folders import site_of
from uknip_crawler.browse.door import door
from uknip_crawler.browse.figures import COVERAGE
from uknip_crawler.browse.metadata import DATABASE_NAME, QUERIES, SETTINGS, metadata
from uknip_crawler.browse.rooms import Room, bases, rooms_app
from uknip_crawler.browse.security import Asgi
from uknip_crawler.errors import UsageError

_POLL_SECONDS = 0.05


def datasette_for(archive: Path, *, base: str = "/") -> Datasette:
    """Return Datasette on the archive, opened read-only and mutable: a crawl in progress is visible.

    Never `immutable`: that ignores the write-ahead log. `base` is where its pages lie. Raises UsageError when there is
    no archive, StorageError when it cannot be read.
    """
    site = site_of(archive)
    # with rich at hand Datasette prints every refused query as pages of traceback; a real fault it prints plainly too
    rich.reconfigure(quiet=True)
    # from Datasette 1.0 on, ready-made queries are no metadata
    later = (
        {"config": {"databases": {DATABASE_NAME: {"queries": QUERIES}}}} if __version_info__ >= ("1",) else {}
    )
    settings = SETTINGS | {"base_url": base}
    return Datasette([str(archive / DATABASE)], metadata=metadata(site), settings=settings, **later)


def room_for(archives: Sequence[Path]) -> Asgi:
    """Return the application that shows one archive, or several under their names. Raises as `datasette_for` does."""
    if len(archives) == 1:
        app: Asgi = datasette_for(archives[0]).app()
    else:
        places = zip(archives, bases(archives, [site_of(archive) for archive in archives]), strict=True)
        app = rooms_app([Room(path, base, datasette_for(path, base=base)) for path, base in places])
    for archive in archives:
        COVERAGE.prepare(archive)
    return app


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one. Raises UsageError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        reason = "is in use: choose another with --port N" if busy else f"cannot be opened: {error}"
        raise UsageError(f"port {port} on {host} {reason}") from error


def serve(app: Asgi, listener: socket.socket, *, open_page: str | None) -> None:
    """Answer requests until interrupted; open `open_page` in the browser once the server answers."""
    threading.Thread(
        target=import_module, args=("uknip_crawler.extraction.page.content",), daemon=True
    ).start()
    guarded = door(app, *listener.getsockname()[:2])
    server = uvicorn.Server(uvicorn.Config(guarded, log_level="warning", lifespan="on", ws="none"))
    if open_page:
        threading.Thread(target=_open_when_started, args=(server, open_page), daemon=True).start()
    server.run(sockets=[listener])


def page_address(listener: socket.socket) -> str:
    """Return the address of the front page, as a browser on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/"


def _open_when_started(server: uvicorn.Server, address: str) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(_POLL_SECONDS)
    webbrowser.open(address)
