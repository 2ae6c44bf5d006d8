"""Who may ask the reading room: its reader, not another site that the reader's browser happens to show.

A page anywhere can have a browser send requests to this machine. What names another host (DNS rebinding), what comes from
another site and is no plain visit, and what no browser sends, is refused before anything is read.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from uknip_crawler.browse.security import Asgi

MAX_ADDRESS_BYTES = 8192
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::")
_SQL = frozenset({"sql", "_where", "_sql"})
_HTTP_PORT = 80


class Refused(Exception):
    """A request that is not answered: its status and one line that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def names_of(host: str) -> frozenset[str]:
    """Return the host names that a reading room on `host` answers to, besides IP addresses where it listens on all."""
    own = f"[{host}]" if ":" in host else host
    machine = (socket.gethostname(), socket.getfqdn()) if host in _EVERYWHERE else ()
    return frozenset(name.lower() for name in (*_LOOPBACK, own, *machine))


def door(app: Asgi, host: str, port: int) -> Asgi:
    """Return the application with a door that lets in only what its own reader asks; `host` and `port` as listened on."""
    names = names_of(host)

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            try:
                _check_address(scope)
                origin = _check_host(_headers(scope, "host"), names, port, any_address=host in _EVERYWHERE)
                _check_sender(scope, origin)
            except Refused as error:
                await _refuse(send, error)
                return
        elif scope["type"] != "lifespan":
            return  # there is no web socket here
        await app(scope, receive, send)

    return guard


def _check_address(scope: Any) -> None:
    raw = scope.get("raw_path") or b""
    if len(raw) + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
        raise Refused(414, "the address is too long")
    try:
        scope["path"].encode()
        scope["query_string"].decode("ascii")
    except UnicodeError:
        raise Refused(400, "the address is not in UTF-8") from None
    if not scope["path"].isprintable() or "\ufffd" in scope["path"] or b"%00" in scope["query_string"]:
        raise Refused(400, "the address holds what is no character")


def _check_host(hosts: list[str], names: Collection[str], port: int, *, any_address: bool) -> str:
    """Return the origin that the request asks (RFC 9110 §7.2)."""
    if len(hosts) != 1:
        raise Refused(400, "name one host")
    name, colon, given = hosts[0].lower().rpartition(":")
    if not colon or given.endswith("]"):
        name, given = hosts[0].lower(), str(_HTTP_PORT)
    if given != str(port) or not (name in names or (any_address and _is_address(name))):
        raise Refused(
            403, "this reading room does not go by that name: use the address that `uknip browse` printed"
        )
    return f"http://{hosts[0].lower()}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _check_sender(scope: Any, origin: str) -> None:
    """Refuse what another site sends: its `Origin`, or what the browser says of it (Fetch Metadata, W3C)."""
    origins = _headers(scope, "origin")
    if any(given.lower() != origin for given in origins):
        raise Refused(403, "another site may not ask this reading room")
    if not {*_headers(scope, "sec-fetch-site")} - {"same-origin", "none"}:
        return
    is_visit = (
        scope["method"] in ("GET", "HEAD")
        and _headers(scope, "sec-fetch-mode") == ["navigate"]
        and _headers(scope, "sec-fetch-dest") == ["document"]
    )
    keys = {key for key, _ in parse_qsl(scope["query_string"].decode(), keep_blank_values=True)}
    if not is_visit or keys & _SQL:
        raise Refused(403, "another site may link to pages of this reading room, and ask nothing else of it")


def _headers(scope: Any, wanted: str) -> list[str]:
    return [
        value.decode("latin-1").strip()
        for name, value in scope["headers"]
        if name.decode("latin-1").lower() == wanted
    ]


async def _refuse(send: Any, error: Refused) -> None:
    body = f"{error}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
