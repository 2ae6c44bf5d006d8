"""What a browser is told of every answer: which scripts may run, that types are not guessed, that nothing frames us.

Our own pages run one script, a file of ours for the keys, and need none. Datasette's own need theirs, some of them written into the page with values in
them: each script that stands in one of Datasette's templates gets the answer's nonce (CSP Level 3, §2.3.1), and
whatever comes out of the data never does.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, ClassVar

from jinja2.ext import Extension

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

NONCE: ContextVar[str] = ContextVar("nonce", default="")
"""The nonce of the answer at hand."""

POLICY = "content-security-policy"

STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FRAMING_POLICY = f"{STRICT_POLICY}; frame-src 'self'"
"""Of a page that shows another of ours in a frame."""
_DATASETTE_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'{handlers}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_SCRIPT = re.compile(r"<script(?=[\s>{])")
_HANDLER = re.compile(r' on\w+="([^"{}]+)"')
_BLANK_SEARCH = re.compile(rb"(?:^|(?<=&))_search=(?:\+|%20)*(?:&|$)")


class ScriptNonces(Extension):
    """Gives the scripts of templates, never those of values, the nonce of their answer.

    `handlers` are the digests of what templates write into attributes such as onclick, where no nonce can be.
    """

    handlers: ClassVar[set[str]] = set()

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        self.handlers.update(_digest(handler) for handler in _HANDLER.findall(source))
        return _SCRIPT.sub('<script nonce="{{ uknip_nonce() }}"', source)


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _datasette_policy(nonce: str) -> str:
    digests = " ".join(sorted(ScriptNonces.handlers))
    return _DATASETTE_POLICY.format(nonce=nonce, handlers=f" 'unsafe-hashes' {digests}" if digests else "")


def guarded(app: Asgi) -> Asgi:
    """Return the application with our headers on every answer, and a blank search taken for none."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        nonce = secrets.token_urlsafe(18)

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", []))
                told = {name.lower() for name, _ in own}
                headers = [*own, *(pair for pair in _HEADERS if pair[0] not in told)]
                if POLICY.encode() not in told:
                    headers.append((POLICY.encode(), _datasette_policy(nonce).encode()))
                message = message | {"headers": headers}
            await send(message)

        NONCE.set(nonce)
        if (
            "query_string" in scope
        ):  # the form of filters sends its empty search box, which would match nothing
            scope = scope | {"query_string": _BLANK_SEARCH.sub(b"", scope["query_string"])}
        await app(scope, receive, send_with_headers)

    return guard
