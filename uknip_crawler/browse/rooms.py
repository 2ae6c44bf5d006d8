"""Several archives in one reading room: each under its own name, and a front page that lists them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.archive import open_readonly
from uknip_crawler.browse.metadata import PLUGIN_NAME
from uknip_crawler.browse.pages import front, looks
from uknip_crawler.browse.pages.addresses import permalink
from uknip_crawler.browse.pages.asking import Ask
from uknip_crawler.browse.security import POLICY, STRICT_POLICY, Asgi, guarded
from uknip_crawler.errors import UsageError

_NEWEST = 3


@dataclass(frozen=True, slots=True)
class Room:
    """An archive and Datasette on it; its pages lie under `base`, which begins and ends with a slash."""

    archive: Path
    base: str
    datasette: Datasette


def bases(archives: Sequence[Path], sites: Sequence[str]) -> list[str]:
    """Return where each archive's pages lie: under its site's name, or site and folder where several are of one site.

    Raises UsageError when two cannot be told apart by that.
    """
    many = Counter(sites)
    names = [
        site if many[site] == 1 else f"{site}-{archive.resolve().name}"
        for archive, site in zip(archives, sites, strict=True)
    ]
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise UsageError(f"two archives would both be {twice}: give one of their folders another name")
    return [f"/{name}/" for name in names]


def rooms_app(rooms: Sequence[Room]) -> Asgi:
    """Return the application: the list at `/`, each archive's own pages under its base."""
    apps = {room.base: room.datasette.app() for room in rooms}

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await apps[rooms[0].base](scope, receive, send)
            return
        path = scope["path"]
        base = f"/{path.split('/')[1]}/"
        if base in apps and path.startswith(base):
            await apps[base](scope, receive, send)
        elif path == "/favicon.ico":
            await apps[rooms[0].base](scope, receive, send)
        elif base in apps:
            await Response.redirect(base).asgi_send(send)
        else:
            await listing(scope, receive, send)

    async def show(scope: Any, receive: Any, send: Any) -> None:
        own = rooms[0].datasette
        await own.invoke_startup()
        is_found = scope["path"] == "/"
        request = Request({**scope, "csrftoken": str}, receive)  # there is no form that would want one
        context = {
            "rooms": [_at_a_glance(room) for room in rooms],
            "is_found": is_found,
            "looks": looks.looks(request.cookies),
            "choices": looks.CHOICES,
            "this_page": "/",
        }
        text = await own.render_template("uknip/rooms.html", context, request=request)
        headers = {POLICY: STRICT_POLICY, "cache-control": "no-cache"}
        answer = Response(text, 200 if is_found else 404, headers, "text/html; charset=utf-8")
        await answer.asgi_send(send)

    listing = guarded(show)
    return serve


def _at_a_glance(room: Room) -> dict[str, Any]:
    db = open_readonly(room.archive)
    try:
        db.conn.row_factory = sqlite3.Row
        told = front.show(Ask({}, {}, room.archive, connection=db.conn)).context
    finally:
        db.close()
    own = room.base.rstrip("/")
    return told | {
        "name": room.datasette.plugin_config(PLUGIN_NAME)["site"],
        "address": room.base,
        "folder": room.archive,
        "newest": [
            (card.story["headline"], own + permalink(card.story["url"]), card.story["published_at"])
            for card in told["newest"][:_NEWEST]
        ],
    }
