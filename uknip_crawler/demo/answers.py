"""What the sample site answers to one request, before any fault is put into it."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

HTML = "text/html; charset=UTF-8"
XML = "text/xml; charset=UTF-8"
JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Answer:
    """One response. `validated` ones carry an ETag (and `modified_at` as Last-Modified) and can answer 304.

    The last three fields belong to faults: `encoding` says that `body` is already encoded so, whatever it
    holds; `delay_seconds` passes before the first byte; only `sent_bytes` of the announced body are sent.
    """

    status: int
    body: bytes
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()
    validated: bool = False
    modified_at: datetime | None = None
    encoding: str | None = None
    delay_seconds: float = 0.0
    sent_bytes: int | None = None

    @cached_property
    def etag(self) -> str:
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:20]}"'

    @cached_property
    def gzipped(self) -> bytes:
        return gzip.compress(self.body, compresslevel=3, mtime=0)


def redirect(location: str, status: int = 301) -> Answer:
    """Return an answer that sends the client on to `location`, as WordPress does: without a body."""
    return Answer(status, b"", headers=(("Location", location), ("X-Redirect-By", "WordPress")))
