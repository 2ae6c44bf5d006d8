"""The body of a response as it was before its Content-Encoding: decoded in bounded steps, or refused by name; or what is left of it.

Servers say what they like: `none`, a charset, a storage service's own word, gzip over bytes that are none. Bytes that
can be read as they are count as what was meant.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress

import brotli

from uknip_crawler.errors import ContentError, ContentTooLarge, ContentTruncated, ContentUnreadable
from uknip_crawler.models import Capture

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_CODINGS = 2
_STEP_BYTES = 1 << 20
_NO_CODING = frozenset(
    {"", "identity", "none", "null", "binary", "7bit", "8bit", "utf-8", "utf8", "iso-8859-1", "aws-chunked"}
)
_GZIP = b"\x1f\x8b\x08"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*[<{\[]")
_LOOKED_AT_BYTES = 4096


def decode(capture: Capture, *, limit_bytes: int = 32 * 2**20) -> bytes:
    """Return the capture's body with its Content-Encoding (RFC 9110 §8.4) undone: gzip, deflate, br, zstd.

    Text that is not in the coding named, or in one unheard of, is returned as it is; gzip that is named nowhere is
    undone. Raises ContentTooLarge past `limit_bytes` or two stacked codings, ContentTruncated when the body or a
    stream in it stops before its end, ContentUnreadable when it is neither what its header says nor text.
    """
    if capture.truncated:
        raise ContentTruncated(f"the capture of {capture.url} was cut short: {capture.truncated}")
    codings = _codings(capture)
    if len(codings) > MAX_CODINGS:
        raise ContentTooLarge(f"{len(codings)} stacked content codings refused: {capture.url}")
    body = capture.body
    for coding in reversed(codings):
        body = _undone(coding, body, limit_bytes)
    if body.startswith(_GZIP) and len(codings) < MAX_CODINGS:
        with suppress(ContentUnreadable):
            body = _undone("gzip", body, limit_bytes)
    if len(body) > limit_bytes:
        raise ContentTooLarge(f"a body of more than {limit_bytes} bytes refused: {capture.url}")
    return body


def readable(capture: Capture) -> tuple[bytes, bool]:
    """Return what can be read of a capture's body, and whether that is all of it."""
    body, is_whole = capture.body, True
    for coding in reversed(_codings(capture)[:MAX_CODINGS]):
        parts: list[bytes] = []
        try:
            for part in _steps(coding, body):
                parts.append(part)
                if len(parts) * _STEP_BYTES > 2**25:
                    raise ContentTooLarge("more than 32 MiB")
        except ContentError:
            is_whole = _is_text(body)
            if is_whole:
                continue
        body = b"".join(parts) or body
    return body, is_whole


def _codings(capture: Capture) -> list[str]:
    values = [value for name, value in capture.headers if name.lower() == "content-encoding"]
    names = [name.strip().lower() for value in values for name in value.split(",")]
    return [name for name in names if name not in _NO_CODING]


def _undone(coding: str, body: bytes, limit_bytes: int) -> bytes:
    parts, size = [], 0
    try:
        for part in _steps(coding, body):
            parts.append(part)
            size += len(part)
            if size > limit_bytes:
                raise ContentTooLarge(f"the decoded body would exceed {limit_bytes} bytes")
    except (ContentUnreadable, ContentTruncated) as error:
        is_begun = size or (isinstance(error, ContentTruncated) and not _MARKUP.match(body))
        if is_begun or not _is_text(body):
            raise
        return body
    return b"".join(parts)


def _is_text(body: bytes) -> bool:
    head = body[:_LOOKED_AT_BYTES]
    if _CONTROL.search(head):
        return False
    with suppress(UnicodeDecodeError):
        return bool(head[:-4].decode() or head.decode())  # -4: the cut may go through a character
    return _MARKUP.match(head) is not None


def _steps(coding: str, body: bytes) -> Iterator[bytes]:
    """Yield the content of a coded body, some MiB at a time. Raises ContentTruncated and ContentUnreadable."""
    if not body:
        return
    try:
        if coding in ("gzip", "x-gzip"):
            yield from _gunzip(body)
        elif coding == "deflate":
            # RFC 9110 §8.4.1.2: meant zlib-wrapped, sent raw by some servers
            wrapped = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
            yield from _inflate(zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS), body)
        elif coding == "br":
            yield from _unbrotli(body)
        elif coding == "zstd":
            yield from _unzstd(body)
        else:
            raise ContentUnreadable(f"content coding {coding[:20]!r} is unknown")
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        raise ContentUnreadable(f"the body is not the {coding} it is said to be: {error}") from None


def _gunzip(body: bytes) -> Iterator[bytes]:
    rest = body
    while rest is body or rest.startswith(b"\x1f\x8b"):  # RFC 1952 §2.2: members follow one another
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        yield from _inflate(stream, rest)
        rest = stream.unused_data


def _inflate(stream: zlib._Decompress, body: bytes) -> Iterator[bytes]:
    pending = body
    while not stream.eof:
        part = stream.decompress(pending, _STEP_BYTES)
        pending = stream.unconsumed_tail
        _refuse_end(not part and not pending and not stream.eof)
        yield part


def _unbrotli(body: bytes) -> Iterator[bytes]:
    stream, pending = brotli.Decompressor(), body
    while not stream.is_finished():
        yield stream.process(pending, output_buffer_limit=_STEP_BYTES)
        pending = b""
        _refuse_end(stream.can_accept_more_data() and not stream.is_finished())


def _unzstd(body: bytes) -> Iterator[bytes]:
    rest = body
    while rest:  # RFC 8878 §3: frames follow one another
        stream, pending = zstd.ZstdDecompressor(), rest
        while not stream.eof:
            yield stream.decompress(pending, _STEP_BYTES)
            pending = b""
            _refuse_end(stream.needs_input and not stream.eof)
        rest = stream.unused_data


def _refuse_end(is_reached: bool) -> None:
    if is_reached:
        raise ContentTruncated("the compressed body ends before its end")
