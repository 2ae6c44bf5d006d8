"""A newspaper on loopback in a few lines: stories under a sitemap, and whatever a test puts in their place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEEDS = [
    "mended",
    "painted",
    "counted",
    "sold",
    "buried",
    "borrowed",
    "weighed",
    "polished",
    "lost",
    "found",
    "rang",
    "hid",
]
THINGS = [
    "bell",
    "ladder",
    "kettle",
    "saddle",
    "anvil",
    "lantern",
    "barrel",
    "plough",
    "mirror",
    "violin",
    "anchor",
    "loom",
]


def name(number: int) -> str:
    return f"{THINGS[number % 12]}-{DEEDS[number % 12]}-by-the-verger"


def text(number: int) -> list[str]:
    thing, deed = THINGS[number % 12], DEEDS[number % 12]
    return [
        f"The verger of Nether Wallop {deed} a {thing} on Tuesday while {number + 3} choristers looked on.",
        f"Nobody had {deed} that {thing} since the flood, said the sexton, who keeps its {DEEDS[(number + 5) % 12]} twin.",
        f"A {THINGS[(number + 4) % 12]} stood beside it, {number + 40} years old and never {DEEDS[(number + 7) % 12]}.",
    ]


def story(number: int, *, body: list[str] | None = None, redesigned: bool = False) -> str:
    """Return a story's page in the site's own markup."""
    title = name(number).replace("-", " ").capitalize()
    told = "".join(f"<p>{line}</p>" for line in (text(number) if body is None else body))
    head = f'<title>{title} - Wallop Post</title><meta property="article:published_time" content="2026-03-0{number % 9 + 1}T10:00:00+00:00">'
    if redesigned:
        page = f'<main class="grid"><section><div class="top"><h1>{title}</h1></div><div class="words">{told}</div></section></main>'
    else:
        page = f'<article id="post-{number + 10}"><h1>{title}</h1><div class="entry-content">{told}</div></article>'
    classes = "single single-post" + ("" if redesigned else f" postid-{number + 10}")
    return f'<html lang="en-GB"><head>{head}</head><body class="{classes}"><nav><a href="/">Home</a></nav>{page}</body></html>'


class SmallSite:
    """`answer(path)` may give another page than the story's; `listed` are the numbers that the sitemap names."""

    def __init__(self, base_url: str, stories: int) -> None:
        self.base_url = base_url
        self.listed = list(range(stories))
        self.pages = {f"/news/uk/breaking/{name(n)}/": n for n in range(stories)}
        self.answer: Callable[[str, int], str] = lambda path, number: story(number)
        self.edition = 1
        self._shown: dict[str, str] = {}
        self._changed: dict[str, int] = {}

    def get(self, path: str) -> tuple[int, str, str]:
        if path == "/robots.txt":
            return 200, "text/plain", f"User-agent: *\nAllow: /\nSitemap: {self.base_url}post-sitemap.xml\n"
        if path == "/post-sitemap.xml":
            urls = [path for path, number in self.pages.items() if number in self.listed]
            rows = "".join(
                f"<url><loc>{self.base_url}{u[1:]}</loc><lastmod>2027-01-01T00:00:{self._changed.get(u, 1):02}+00:00"
                "</lastmod></url>"
                for u in urls
            )
            return (
                200,
                "text/xml",
                f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>',
            )
        if path in self.pages:
            return 200, "text/html; charset=utf-8", self.answer(path, self.pages[path])
        return 404, "text/html", "<title>404</title>"

    def touch(self) -> None:
        """Have the sitemap say which stories' pages are others than they were."""
        self.edition += 1
        for path, number in self.pages.items():
            if self._shown.get(path) != (page := self.answer(path, number)):
                self._shown[path], self._changed[path] = page, self.edition


@contextmanager
def small_site(stories: int) -> Iterator[SmallSite]:
    site: SmallSite

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, page = site.get(self.path)
            body = page.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = SmallSite(f"http://127.0.0.1:{server.server_port}/", stories)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
