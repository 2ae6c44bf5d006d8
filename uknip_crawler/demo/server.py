"""The sample site on loopback: a small threaded HTTP/1.1 server that keeps count of what it served."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from uknip_crawler.demo import faults
from uknip_crawler.demo.answers import Answer
from uknip_crawler.demo.edition import Doors, Edition
from uknip_crawler.demo.faults import Fault
from uknip_crawler.demo.newsroom import Newsroom
from uknip_crawler.demo.posts import Post


class SampleSite:
    """Serves a newsroom while its `with` block runs.

    `base_url` ends in a slash. `requests` lists (method, target, status) in the order served; clear it at will.
    `fail` maps a path, a path with query, or `*` (everything) to a status or a fault of `demo.faults`; change it
    at any time. After `newsroom.work(now)` the next request sees the new state. Leaving the block closes open
    connections too, so that the site is really down.
    """

    def __init__(
        self,
        newsroom: Newsroom,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rest: bool = True,
        sitemap: bool = True,
        feed: bool = True,
        listings: bool = True,
        sitemap_urls: int = 25,
    ) -> None:
        self.newsroom = newsroom
        self.fail: dict[str, int | Fault] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.closing = threading.Event()
        self._doors = Doors(rest, sitemap, feed, listings, sitemap_urls)
        self._address = (host, port)
        self._edition: tuple[int, Edition] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = _Server(self._address, self)
        host, port = self._server.server_address[:2]
        self.base_url = f"http://{host if isinstance(host, str) else host.decode()}:{port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()

    def url(self, path: str) -> str:
        """Return the absolute form of a site-relative path."""
        return self.base_url.rstrip("/") + path

    def answer(self, target: str) -> Answer:
        """Return what a request target such as `/feed/?paged=2` is answered, faults included."""
        answer = self._current().answer(target)
        fault = self.fail.get(target) or self.fail.get(target.partition("?")[0]) or self.fail.get("*")
        if fault is None:
            return answer
        return faults.status(fault)(answer) if isinstance(fault, int) else fault(answer)

    def others(self, post: Post) -> list[Post]:
        """Return the stories that a story's page points to."""
        return self._current().others(post)

    def count(self, method: str, target: str, status: int) -> None:
        with self._lock:
            self.requests.append((method, target, status))

    def _current(self) -> Edition:
        with self._lock:
            generation = self.newsroom.generation
            if self._edition is None or self._edition[0] != generation:
                self._edition = generation, Edition(self.newsroom, self.url(""), self._doors)
            return self._edition[1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: SampleSite) -> None:
        self.site = site
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up as they please: only our own mistakes are worth a traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def drop_connections(self, patience_seconds: float = 2.0) -> None:
        """Hang up on everybody and wait until the handlers have noticed."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + patience_seconds
        while self._open and time.monotonic() < deadline:
            time.sleep(0.005)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    timeout = 60
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: `SampleSite.requests` is the log."""

    def _serve(self) -> None:
        site = self.server.site
        answer = site.answer(self.path)
        if answer.delay_seconds and site.closing.wait(answer.delay_seconds):
            self.close_connection = True
            return
        unchanged = answer.status == 200 and answer.validated and self._has(answer)
        site.count(self.command, self.path, 304 if unchanged else answer.status)
        self._send(answer, unchanged=unchanged)

    def _has(self, answer: Answer) -> bool:
        """Tell whether the client's copy is current; If-None-Match goes before the date (RFC 9110 §13.2.2)."""
        if tags := self.headers.get("If-None-Match"):
            return answer.etag in [tag.strip() for tag in tags.split(",")] or tags.strip() == "*"
        since = self.headers.get("If-Modified-Since")
        if not since or not answer.modified_at:
            return False
        try:
            return parsedate_to_datetime(since) >= answer.modified_at.replace(microsecond=0)
        except (ValueError, TypeError):
            return False

    def _send(self, answer: Answer, *, unchanged: bool) -> None:
        body, encoding = answer.body, answer.encoding
        if (
            encoding is None
            and body
            and _takes_gzip(self.headers.get("Accept-Encoding", ""))
            and _is_text(answer)
        ):
            body, encoding = answer.gzipped, "gzip"
        self.send_response(304 if unchanged else answer.status)
        for name, value in self._head(answer, encoding if not unchanged else None):
            self.send_header(name, value)
        if not unchanged:
            self.send_header("Content-Length", str(len(body)))
        if answer.sent_bytes is not None:
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD" and not unchanged:
            self.wfile.write(body[: answer.sent_bytes])
        self.wfile.flush()

    def _head(self, answer: Answer, encoding: str | None) -> list[tuple[str, str]]:
        head = [("Content-Type", answer.content_type), ("Vary", "Accept-Encoding"), *answer.headers]
        if encoding:
            head.append(("Content-Encoding", encoding))
        if answer.validated and answer.status == 200:
            head.append(("ETag", answer.etag))
            if answer.modified_at:
                head.append(("Last-Modified", format_datetime(answer.modified_at, usegmt=True)))
        return head


def _takes_gzip(accepted: str) -> bool:
    codings = [coding.replace(" ", "") for coding in accepted.lower().split(",")]
    return any(coding.partition(";")[0] == "gzip" and not coding.endswith(";q=0") for coding in codings)


def _is_text(answer: Answer) -> bool:
    return not answer.content_type.startswith("image/")
