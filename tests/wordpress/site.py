"""One WordPress site: its server, its newsroom, and the truth about its stories."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PHP = Path(__file__).with_name("php")
SERVER_WORKERS = 4
START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Story:
    """A post or page as WordPress's database holds it: plain text, instants as `YYYY-MM-DDTHH:MM:SSZ`.

    `blocks` are (kind, text) in reading order; kinds are paragraph, heading, list_item, quote, cite, caption
    and embed. `pictures` are the addresses of those in the text.
    """

    id: int
    type: str
    status: str
    has_password: bool
    url: str
    title: str
    author: str
    published_at: str | None
    modified_at: str | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    featured_image: str | None
    pictures: tuple[str, ...]
    blocks: tuple[tuple[str, str], ...]

    @property
    def is_public(self) -> bool:
        """Is it an article that anybody may read?"""
        return self.type == "post" and self.status == "publish" and not self.has_password

    def texts(self, *kinds: str) -> list[str]:
        return [text for kind, text in self.blocks if kind in kinds]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server saw it."""

    status: int
    method: str
    target: str


class WordPress:
    """A seeded site, served on a free port of 127.0.0.1 while the context is open.

    `wordpress` is the unpacked WordPress, which is only read; everything of this site lives in `state`.
    `rest=False` closes the REST API to the public, as many sites do; `promo=True` puts promotions into every
    story's text.
    """

    def __init__(
        self,
        wordpress: Path,
        state: Path,
        *,
        theme: str,
        permalinks: str,
        rest: bool = True,
        promo: bool = False,
    ) -> None:
        self.state = state
        self.theme = theme
        self.permalinks = permalinks
        self._wordpress = wordpress
        self._rest = rest
        self._promo = promo
        self._port = 0
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.state.mkdir(parents=True, exist_ok=True)
        self._port = _free_port()
        try:
            self._newsroom("seed", self.permalinks, self.theme)
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    # The newsroom

    def truth(self) -> list[Story]:
        """Return everything in the database, whether anybody may read it or not."""
        return [_story(row) for row in self._newsroom("truth")]

    def published(self) -> list[Story]:
        """Return the articles that anybody may read."""
        return [story for story in self.truth() if story.is_public]

    def work(self) -> dict[str, Any]:
        """Do a day's work, once; return what was done.

        `new` is a list of {id, url}; `published_on_schedule, edited, unpublished, deleted` are {id, url};
        `renamed, moved` also have `new_url`. `trashed, replaced` also have `guess_url`, another story whose slug
        begins the same, where WordPress sends their readers: an old one, and one of today (only while addresses
        hold no date).
        """
        done: dict[str, Any] = self._newsroom("work")
        return done

    def set_permalinks(self, structure: str) -> None:
        """Move every article; WordPress redirects the old addresses."""
        self._newsroom("permalinks", structure)
        self.permalinks = structure

    def set_theme(self, name: str) -> None:
        """Redesign the site."""
        self._newsroom("theme", name)
        self.theme = name

    def _newsroom(self, *command: str) -> Any:
        php = (
            "php",
            "-d",
            "sendmail_path=/bin/true",
            "-d",
            "memory_limit=512M",
            "-d",
            "display_errors=stderr",
        )
        done = subprocess.run(
            [*php, str(PHP / "newsroom.php"), *command],
            check=False,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"newsroom.php {command[0]}: {done.stderr.strip() or done.stdout[-2000:]}")
        return json.loads(done.stdout)

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "NEWSROOM_BASE_URL": self.base_url.rstrip("/"),
            "NEWSROOM_CONFIG": str(PHP / "site.php"),
            "NEWSROOM_PROMO": "on" if self._promo else "off",
            "NEWSROOM_REST": "open" if self._rest else "closed",
            "NEWSROOM_STATE": str(self.state),
            "NEWSROOM_WORDPRESS": str(self._wordpress),
            "PHP_CLI_SERVER_WORKERS": str(SERVER_WORKERS),
        }

    # The server

    def requests(self) -> list[Request]:
        """Return every request so far but our own, in the order the answers ended."""
        log = self.state / "requests.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [Request(**json.loads(line)) for line in lines]

    def fetch(self, target: str) -> tuple[int, str | None, str]:
        """Return (status, Location, text) of one GET, following nothing. `target` is an address or a path."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", target.removeprefix(self.base_url.rstrip("/")))
            response = connection.getresponse()
            return response.status, response.getheader("Location"), response.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def _start(self) -> None:
        command = ["php", "-d", "opcache.enable_cli=1", "-d", "display_errors=0", "-d", "memory_limit=256M"]
        command += ["-S", f"127.0.0.1:{self._port}", "-t", str(self._wordpress), str(PHP / "router.php")]
        with (self.state / "server.log").open("wb") as log:
            self._server = subprocess.Popen(
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # its workers end with it, by their process group
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    (self.state / "server.log").read_text()[-2000:] or "the server did not start"
                )
            time.sleep(0.05)
        (self.state / "requests.jsonl").unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            return self.fetch("/robots.txt")[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        """End the server and its workers; twice does no harm."""
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):  # it may have died on its own
                os.killpg(self._server.pid, signal.SIGTERM)
            self._server.wait(timeout=10)
            self._server = None


def _story(row: dict[str, Any]) -> Story:
    lists = {name: tuple(row[name]) for name in ("categories", "tags", "pictures")}
    return Story(**row | lists | {"blocks": tuple((block["kind"], block["text"]) for block in row["blocks"])})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
