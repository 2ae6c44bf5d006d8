"""A newspaper that a test makes answer by answer, served on loopback: pages, lists and whatever else it is told to say."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from processes import uknip

Answer = tuple[int, Mapping[str, str | list[str]], str | bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}
XML = {"Content-Type": "application/xml"}
JSON = {"Content-Type": "application/json"}
ALLOW = "User-agent: *\nAllow: /\n"
QUICK = ("UKNIP_RETRY_BACKOFF_SECONDS=0.02", "DOWNLOAD_TIMEOUT=60", "RETRY_TIMES=1")


@dataclass
class Post:
    """A story at `path`; `title` and one paragraph are its own, nobody else tells it."""

    number: int
    path: str
    date: str = "2024-05-01T09:00:00"
    modified: str = ""

    @property
    def title(self) -> str:
        return f"Barn fire number {self.number} put out near Marlow"

    def html(self, head: str = "", after: str = "") -> str:
        own = f"Story {self.number} is told here in words that nobody else uses, and ends with sheep {self.number * 7}."
        return f"""<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{self.title} - Marlow Echo</title>
<meta property="article:published_time" content="{self.date}+00:00"><meta property="og:title" content="{self.title}">{head}</head>
<body class="single single-post postid-{self.number}"><header><a href="/">Home</a></header><main><article><h1>{self.title}</h1>
<div class="entry-content"><p>{own}</p><p>Crews from three stations of the valley worked for hours to save the barn.</p>
<p>Nobody was hurt, and the lane was opened again to traffic before noon.</p></div></article>{after}</main></body></html>"""

    def as_rest(self, base: str) -> dict[str, Any]:
        said = {"id": self.number, "link": base + self.path, "title": {"rendered": self.title}}
        return said | {"date_gmt": self.date, "modified_gmt": self.modified or self.date}


def posts(count: int, first: int = 1) -> list[Post]:
    numbers = range(first, first + count)
    return [
        Post(n, f"2024/05/{n % 28 + 1:02}/barn-fire-{n}/", f"2024-05-01T09:{n % 60:02}:00") for n in numbers
    ]


def listing(base: str, shown: Iterable[Post], *, head: str = "", after: str = "") -> Answer:
    """Return an archive page in WordPress's markup."""
    items = "".join(
        f'<article class="post type-post hentry"><h2><a href="{base}{post.path}">{post.title}</a></h2><p>In short.</p></article>'
        for post in shown
    )
    page = f"<!doctype html><html lang=en-GB><head><title>Marlow Echo</title>{head}</head><body class='home blog'><h1>Marlow Echo</h1><p>The newspaper of the valley since 1901, every day but Sunday.</p>{items}{after}</body></html>"
    return 200, HTML, page


def sitemap(addresses: Iterable[str], lastmod: str | None = None) -> Answer:
    dated = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    urls = "".join(f"<url><loc>{address}</loc>{dated}</url>" for address in addresses)
    return (
        200,
        XML,
        f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>',
    )


def rss(base: str, items: Iterable[Post]) -> Answer:
    entries = "".join(
        f"<item><title>{one.title}</title><link>{base}{one.path}</link></item>" for one in items
    )
    return (
        200,
        {"Content-Type": "application/rss+xml"},
        f"<rss version='2.0'><channel><title>Echo</title>{entries}</channel></rss>",
    )


def rest(base: str, held: Iterable[Post], path: str) -> Answer:
    """Answer as WordPress does: https://developer.wordpress.org/rest-api/reference/posts/#list-posts."""
    asked = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
    found = [post.as_rest(base) for post in held]
    if after := asked.get("modified_after"):
        found = [post for post in found if post["modified_gmt"] > after.rstrip("Z")]
    key = {"id": "id", "modified": "modified_gmt"}.get(asked.get("orderby", "date"), "date_gmt")
    found.sort(key=lambda post: post[key], reverse=asked.get("order", "desc") == "desc")
    size, page = int(asked.get("per_page", 10)), int(asked.get("page", 1))
    pages = -(-len(found) // size)
    if page > max(1, pages):
        return 400, JSON, json.dumps({"code": "rest_post_invalid_page_number"})
    head = JSON | {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    return 200, head, json.dumps(found[(page - 1) * size : page * size])


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A crawler that has seen enough hangs up."""


@dataclass
class SmallSite:
    """Serves `posts` at their paths; `app` and `answers` come first. Use as a context. `log` lists what was asked for.

    What stands in `wire` for a path gets the connection instead, and hangs up in the end.
    """

    posts: list[Post] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    app: Callable[[str, Mapping[str, str]], Answer | None] | None = None
    robots: str = ALLOW
    prefix: str = ""
    log: list[str] = field(default_factory=list)
    wire: dict[str, Callable[[socket.socket], None]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.log.append(self.path)
                if does := site.wire.get(self.path):
                    self.close_connection = True
                    with contextlib.suppress(OSError):  # the other side has hung up
                        does(self.connection)
                    return
                status, headers, body = site.answer(self.path, dict(self.headers.items()))
                data = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                for name, value in headers.items():
                    for one in [value] if isinstance(value, str) else value:
                        self.send_header(name, one)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}/"
        self.base_url = self.root + self.prefix
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        if self.app is not None and (made := self.app(path, headers)) is not None:
            return made
        if path in self.answers:
            return self.answers[path]
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, self.robots.replace("{base}", self.base_url)
        for post in self.posts:
            if path == f"/{self.prefix}{post.path}":
                return 200, HTML, post.html()
        return 404, HTML, "<title>Page not found</title>nothing here"

    def offer_rest(self, at: str = "/wp-json/wp/v2/posts") -> None:
        """Answer REST's list of posts, at an address that begins like this, from now on."""
        before = self.app

        def app(path: str, headers: Mapping[str, str]) -> Answer | None:
            if path.startswith(at):
                return rest(self.base_url, self.posts, path)
            return before(path, headers) if before else None

        self.app = app

    def asked(self, part: str = "") -> list[str]:
        return [path for path in self.log if part in path]


@dataclass
class Done:
    """How a run ended: exit status, report, and what it printed for people."""

    status: int
    report: dict[str, Any]
    said: str

    @property
    def troubles(self) -> str:
        return " | ".join(self.report["troubles"])


def run(base_url: str, directory: Any, *options: str) -> Done:
    """Crawl a site as a user does, quickly."""
    quick = [part for setting in QUICK for part in ("-s", setting)]
    done = uknip("crawl", base_url, "--archive", str(directory), "--delay", "0", "--json", *quick, *options)
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, json.loads(done.stdout), done.stderr)
