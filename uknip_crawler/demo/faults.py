"""Faults to put into the sample site's answers: refusals, hangs, cut bodies, broken compression."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from dataclasses import replace

from uknip_crawler.demo.answers import HTML, Answer
from uknip_crawler.demo.answers import redirect as _redirect

Fault = Callable[[Answer], Answer]


def status(code: int, *, retry_after: int | str | None = None) -> Fault:
    """Answer `code` with a short page; `retry_after` is seconds or an HTTP date (RFC 9110 §10.2.3)."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    page = f"<html><head><title>{code}</title></head><body><h1>Error {code}</h1></body></html>".encode()
    return lambda _: Answer(code, page, headers=headers)


def body(content: bytes, *, content_type: str = HTML, code: int = 200) -> Fault:
    """Answer with this body instead."""
    return lambda _: Answer(code, content, content_type)


def redirect(location: str, *, code: int = 302) -> Fault:
    """Answer with a redirect to any string whatever."""
    return lambda _: _redirect(location, code)


def hang(seconds: float = 3600.0) -> Fault:
    """Say nothing for so long (or until the site is closed), then answer as usual."""
    return lambda answer: replace(answer, delay_seconds=seconds)


def cut(keep_bytes: int = 500) -> Fault:
    """Announce the whole body, send its first bytes, close the connection."""
    return lambda answer: replace(answer, sent_bytes=keep_bytes)


def torn_gzip() -> Fault:
    """Send half of a gzip stream under an honest Content-Length."""
    return lambda answer: replace(answer, body=answer.gzipped[: len(answer.gzipped) // 2], encoding="gzip")


def bad_gzip() -> Fault:
    """Send a whole gzip stream whose checksum is wrong."""

    def spoil(answer: Answer) -> Answer:
        stream = bytearray(gzip.compress(answer.body))
        stream[-8] ^= 0xFF
        return replace(answer, body=bytes(stream), encoding="gzip")

    return spoil


def first(times: int, fault: Fault) -> Fault:
    """Put `fault` into the first `times` answers only."""
    left, lock = [times], threading.Lock()

    def sometimes(answer: Answer) -> Answer:
        with lock:
            left[0] -= 1
            due = left[0] >= 0
        return fault(answer) if due else answer

    return sometimes
