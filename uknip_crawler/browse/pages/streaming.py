"""Sending a file while it is being written: a thread writes, the reader's pace holds it back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

from datasette.utils.asgi import Response

from uknip_crawler.browse.pages.asking import Stream
from uknip_crawler.browse.security import POLICY, STRICT_POLICY

_PIECE_BYTES = 64 * 1024


class Streamed(Response):  # type: ignore[misc]  # Datasette has no types
    """An answer whose file is never whole in memory. One that fails on the way ends as a broken transfer, not as a file."""

    def __init__(self, stream: Stream) -> None:
        headers = {
            POLICY: STRICT_POLICY,
            "cache-control": "no-cache",
            "content-disposition": f'attachment; filename="{stream.name}"',
        }
        super().__init__(headers=headers, content_type=stream.media_type)
        self._stream = stream

    async def asgi_send(self, send: Any) -> None:
        headers = {**self.headers, "content-type": self.content_type}
        raw = [[name.encode(), value.encode()] for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        loop = asyncio.get_running_loop()

        def send_piece(piece: bytes) -> None:
            message = {"type": "http.response.body", "body": piece, "more_body": True}
            asyncio.run_coroutine_threadsafe(send(message), loop).result()

        def write() -> None:
            with io.BufferedWriter(_Wire(send_piece), _PIECE_BYTES) as output:
                self._stream.write(output)

        await asyncio.to_thread(write)
        await send({"type": "http.response.body", "body": b""})


class _Wire(io.RawIOBase):
    def __init__(self, send_piece: Callable[[bytes], None]) -> None:
        self._send_piece = send_piece

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._send_piece(bytes(data))
        return len(data)
