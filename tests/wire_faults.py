"""What a server may do to a connection, byte by byte: each a function that gets the socket after the request was read."""

from __future__ import annotations

import contextlib
import gzip
import random
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from functools import cache

import brotli
from backports import zstd

Wire = Callable[[socket.socket], None]
GIB = 2**30
MIB = 2**20
PATIENCE_SECONDS = 20.0
NOISE = random.Random(7).randbytes(3000)


def head(*lines: str, status: str = "200 OK", content_type: str = "text/html; charset=utf-8") -> bytes:
    """Return the head of an answer after which the server hangs up, and says so: nobody asks on that connection again."""
    given = (f"HTTP/1.1 {status}", f"Content-Type: {content_type}", "Connection: close", *lines, "", "")
    return "\r\n".join(given).encode()


def says(*pieces: bytes) -> Wire:
    """Send these bytes, then hang up."""
    return lambda connection: connection.sendall(b"".join(pieces))


def body(content: bytes, *lines: str, content_type: str = "text/html; charset=utf-8") -> Wire:
    """Send a page under an honest length."""
    return says(head(f"Content-Length: {len(content)}", *lines, content_type=content_type), content)


def redirect(location: str) -> Wire:
    return says(head(f"Location: {location}", "Content-Length: 0", status="302 Found"))


def drips(first: bytes, drop: bytes, seconds: float = 0.1) -> Wire:
    """Send a little, again and again, for as long as anybody listens."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(first)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            connection.sendall(drop)
            time.sleep(seconds)

    return drip


def mute(connection: socket.socket) -> None:
    """Say nothing until the other side hangs up."""
    with contextlib.suppress(TimeoutError):
        connection.settimeout(PATIENCE_SECONDS)
        connection.recv(1)


def reset(connection: socket.socket) -> None:
    """Break the connection instead of closing it: SO_LINGER of no time sends RST (socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def endless(connection: socket.socket) -> None:
    """Send chunks without end."""
    connection.sendall(head("Transfer-Encoding: chunked"))
    chunk = b"10000\r\n" + b"<p>more " * 8192 + b"\r\n"
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        connection.sendall(chunk)


class Announced:
    """Announce 200 MB and send none of them; `refused` tells whether the other side hung up upon that."""

    def __init__(self) -> None:
        self.refused = False

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(head("Content-Length: 200000000"))
        connection.settimeout(PATIENCE_SECONDS)
        try:
            self.refused = connection.recv(1) == b""
        except ConnectionResetError:
            self.refused = True


# Bombs: a few kilobytes that unpack to 2 GiB, made of one piece many times


@cache
def deflated(size: int, wrapping: int) -> bytes:
    """Return `size` zeros deflated; after a full flush (zlib's manual) the same input gives the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wrapping)
    begin = packer.compress(b"<p>") + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + piece * (size // (16 * MIB))


@cache
def brotlied(size: int) -> bytes:
    packer = brotli.Compressor(quality=4)
    pieces = [packer.process(bytes(16 * MIB)) + packer.flush() for _ in range(3)]
    assert pieces[1] == pieces[2]
    return pieces[0] + pieces[1] * (size // (16 * MIB) - 1) + packer.finish()


@cache
def zstandard(size: int) -> bytes:
    return zstd.compress(bytes(64 * MIB)) * (size // (64 * MIB))


def gzip_bomb() -> bytes:
    return deflated(2 * GIB, 31)


def thrice() -> bytes:
    """Return gzip in gzip in gzip, a few hundred bytes."""
    return gzip.compress(gzip.compress(gzip_bomb(), mtime=0), mtime=0)


def wrong_checksum(content: bytes) -> bytes:
    packed = bytearray(gzip.compress(content, mtime=0))
    packed[-8] ^= 0xFF
    return bytes(packed)


def chunked(pieces: Iterable[bytes], *, ends: bool) -> Wire:
    sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return says(head("Transfer-Encoding: chunked"), sent, b"0\r\n\r\n" if ends else b"")
