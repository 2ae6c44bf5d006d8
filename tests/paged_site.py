"""A small site whose stories stand in several pages, as WordPress and its themes split them, served on loopback."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], str]
Head = Callable[[int, int, Callable[[int], str]], str]


def core_line(number: int, of: int, address: Callable[[int], str]) -> str:
    """The line of `wp_link_pages()`, which says nothing of a story in one page."""
    if of == 1:
        return ""
    pages = " ".join(
        f'<span class="post-page-numbers current" aria-current="page">{n}</span>'
        if n == number
        else f'<a href="{address(n)}" class="post-page-numbers">{n}</a>'
        for n in range(1, of + 1)
    )
    return f'<div class="page-links">Pages: {pages}</div>'


def next_line(number: int, of: int, address: Callable[[int], str]) -> str:
    """A theme's own line, which leads to the next page only."""
    return (
        f'<p class="go-on"><a href="{address(number + 1)}">Continue reading »</a></p>' if number < of else ""
    )


def no_line(number: int, of: int, address: Callable[[int], str]) -> str:
    return ""


@dataclass
class Story:
    """One post: the paragraphs of each of its pages. `marked` pages carry WordPress's number and body classes."""

    slug: str
    headline: str
    pages: list[Sequence[str]]
    number: int = 7
    modified: str = "2024-05-01T09:00:00"
    line: Head = core_line
    form: str = "{slug}{n}/"
    marked: bool = True
    head: Head = no_line

    def address(self, base: str, n: int) -> str:
        return base + (self.slug if n == 1 else self.form.format(slug=self.slug, n=n))

    def html(self, base: str, n: int) -> str:
        of = len(self.pages)
        here = lambda page: self.address(base, page)
        text = "".join(f"<p>{paragraph}</p>" for paragraph in self.pages[n - 1])
        paged = f" paged-{n} single-paged-{n}" if n > 1 else ""
        tokens = f"single single-post postid-{self.number}{paged}" if self.marked else "theme"
        return f"""<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{self.headline} - The Marlow Echo</title>
<link rel="canonical" href="{here(n)}"><meta property="article:published_time" content="2024-05-01T10:00:00+01:00">
<meta property="og:title" content="{self.headline}">{self.head(n, of, here)}</head><body class="{tokens}">
<header><nav><a href="/">Home</a></nav></header><main><article><h1>{self.headline}</h1>
<div class="entry-content">{text}{self.line(n, of, here)}</div></article></main>
<footer><p>The Marlow Echo, all rights reserved</p></footer></body></html>"""


@dataclass
class PagedSite:
    """Serves stories and keeps a log of the paths asked for; `answers` stand in the place of pages. Use as a context."""

    stories: list[Story]
    answers: dict[str, Answer] = field(default_factory=dict)
    robots: str = "User-agent: *\nAllow: /\n"
    log: list[tuple[str, str | None]] = field(default_factory=list)

    def __enter__(self) -> Self:
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                tag = self.headers.get("If-None-Match")
                site.log.append((self.path, tag))
                status, headers, body = site.answer(self.path)
                data = body.encode()
                etag = f'"{hash(body):x}"'
                if status == 200 and tag == etag:
                    status, data = 304, b""
                self.send_response(status)
                for name, value in {
                    "Content-Type": "text/html; charset=utf-8",
                    "ETag": etag,
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return self.base_url + path.lstrip("/")

    def asked(self) -> list[str]:
        """Return the paths of pages asked for since last asked, without the site's lists."""
        paths = [
            path
            for path, _ in self.log
            if not path.startswith(("/robots", "/wp-json", "/sitemap", "/wp-site"))
        ]
        self.log.clear()
        return [path for path in paths if path not in ("/", "/feed/")]

    def answer(self, path: str) -> Answer:
        if path in self.answers:
            return self.answers[path]
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, self.robots
        if path.startswith("/wp-json/wp/v2/posts"):
            return self._rest(path)
        for story in self.stories:
            for n in range(1, len(story.pages) + 1):
                if self.url(path) == story.address(self.base_url, n):
                    return 200, {}, story.html(self.base_url, n)
        return 404, {}, "<title>Page not found</title>nothing here"

    def _rest(self, path: str) -> Answer:
        asked = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
        posts = [
            {
                "id": story.number,
                "link": self.url(story.slug),
                "date_gmt": "2024-05-01T09:00:00",
                "modified_gmt": story.modified,
                "title": {"rendered": story.headline},
            }
            for story in self.stories
            if story.modified > asked.get("modified_after", "").rstrip("Z")
        ]
        count = {"X-WP-Total": str(len(posts)), "X-WP-TotalPages": "1", "Content-Type": "application/json"}
        return 200, count, json.dumps(posts if asked.get("page", "1") == "1" else [])
