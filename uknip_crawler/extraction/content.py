"""The body of a response as it was before its Content-Encoding: decoded in bounded steps, or refused by name; or what is left of it."""

from __future__ import annotations

import zlib
from dataclasses import replace

from uknip_crawler.errors import ContentError, ContentTooLarge, ContentTruncated, ContentUnreadable
from uknip_crawler.models import Capture

MAX_CODINGS = 2
_STEP_BYTES = 1 << 20


def decode(capture: Capture, *, limit_bytes: int = 32 * 2**20) -> bytes:
    """Return the capture's body with its Content-Encoding (RFC 9110 §8.4) undone.

    Raises ContentTooLarge past `limit_bytes` or two stacked codings, ContentTruncated when the body or a stream
    in it stops before its end, ContentUnreadable when it is not what its header says.
    """
    if capture.truncated:
        raise ContentTruncated(f"the capture of {capture.url} was cut short: {capture.truncated}")
    codings = _codings(capture)
    if len(codings) > MAX_CODINGS:
        raise ContentTooLarge(f"{len(codings)} stacked content codings refused: {capture.url}")
    body = capture.body
    for coding in reversed(codings):
        body = _undo(coding, body, limit_bytes) if body else body
    if len(body) > limit_bytes:
        raise ContentTooLarge(f"a body of more than {limit_bytes} bytes refused: {capture.url}")
    return body


def _codings(capture: Capture) -> list[str]:
    values = [value for name, value in capture.headers if name.lower() == "content-encoding"]
    names = [name.strip().lower() for value in values for name in value.split(",")]
    return [name for name in names if name not in ("", "identity")]


def _undo(coding: str, body: bytes, limit_bytes: int) -> bytes:
    try:
        if coding in ("gzip", "x-gzip"):
            return _gunzip(body, limit_bytes)
        if coding == "deflate":
            # RFC 9110 §8.4.1.2: meant zlib-wrapped, sent raw by some servers
            wrapped = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
            return _inflate(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, limit_bytes)[0]
    except zlib.error as error:
        raise ContentUnreadable(f"the body is not the {coding} it is said to be: {error}") from None
    raise ContentUnreadable(f"content coding {coding[:20]!r} is not one we asked for")


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    decoded, rest = _inflate(body, 16 + zlib.MAX_WBITS, limit_bytes)
    parts, size = [decoded], len(decoded)
    while rest.startswith(b"\x1f\x8b"):  # RFC 1952 §2.2: members follow one another
        decoded, rest = _inflate(rest, 16 + zlib.MAX_WBITS, limit_bytes - size)
        parts.append(decoded)
        size += len(decoded)
    return b"".join(parts)


def _inflate(body: bytes, wbits: int, limit_bytes: int) -> tuple[bytes, bytes]:
    """Return one stream's content and the bytes after it."""
    stream = zlib.decompressobj(wbits)
    parts: list[bytes] = []
    size, pending = 0, body
    while not stream.eof:
        part = stream.decompress(pending, _STEP_BYTES)
        pending = stream.unconsumed_tail
        size += len(part)
        if size > limit_bytes:
            raise ContentTooLarge(f"the decoded body would exceed {limit_bytes} bytes")
        if not part and not pending and not stream.eof:
            raise ContentTruncated("the compressed body ends before its end")
        parts.append(part)
    return b"".join(parts), stream.unused_data


def readable(capture: Capture) -> tuple[bytes, bool]:
    """Return what can be read of a capture's body, and whether that is all of it."""
    try:
        return decode(replace(capture, truncated=None)), True
    except ContentError:
        pass
    try:
        # zlib or gzip, told by its header: https://docs.python.org/3/library/zlib.html#zlib.decompressobj
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(capture.body, 2**25), False
    except zlib.error:
        return capture.body, False
