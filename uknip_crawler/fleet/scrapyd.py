"""One Scrapyd server, by its own HTTP API (https://scrapyd.readthedocs.io/en/stable/api.html).

Whatever it answers is checked: its machine may be another's by now.
"""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import httpx

from uknip_crawler import __version__
from uknip_crawler.errors import MachineDown, MachineError
from uknip_crawler.extraction.page.text import one_line

PROJECT = SPIDER = "uknip"
VERSION = re.sub(r"[^A-Za-z0-9]", "_", __version__)
"""Ours as Scrapyd keeps it: what is not a letter or a digit becomes an underscore in its file names."""
STATES = ("pending", "running", "finished")
ANSWER_BYTES = 4 * 2**20
ANSWER_SECONDS = 60.0
"""Scrapyd answers nobody while it lists a project's spiders, which takes a process of its own."""
CONNECT_SECONDS = 5.0
SAID = 200


@dataclass(frozen=True, slots=True)
class Job:
    """A crawl that a server knows of: its id, and one of `STATES`."""

    id: str
    state: str


class Scrapyd:
    """A server; use as a context. Methods raise MachineDown when it does not answer, MachineError when it refuses, or
    answers what no Scrapyd does.
    """

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        user, password = (os.environ.get(f"SCRAPYD_{what}") for what in ("USERNAME", "PASSWORD"))
        self._client = httpx.Client(
            auth=(user, password) if user and password else None,
            headers={"Accept-Encoding": "identity", "User-Agent": f"uknip/{__version__}"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,  # no proxy stands between machines of one network
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def jobs(self) -> list[Job]:
        """Return the crawls that it knows of; none where nothing was ever deployed."""
        try:
            told = self._ask("GET", "listjobs", params={"project": PROJECT})
        except MachineError as error:
            if "not found" in str(error):
                return []
            raise
        return [Job(self._word(one, "id"), state) for state in STATES for one in self._list(told, state)]

    def deploy(self) -> None:
        """Make our spider known to it, unless it is: by an egg that names the settings of the installed package."""
        told = self._ask("GET", "listversions", params={"project": PROJECT})
        if VERSION in self._list(told, "versions"):
            return
        told = self._ask(
            "POST",
            "addversion",
            data={"project": PROJECT, "version": VERSION},
            files={"egg": ("uknip.egg", egg())},
        )
        if not told.get("spiders"):
            raise MachineError(f"{self._who()}: found no spider in what was deployed")

    def schedule(self, job: str, arguments: Mapping[str, str], settings: Mapping[str, str]) -> None:
        """Have it crawl, as soon as it may, as the job of that id."""
        given = {"project": PROJECT, "spider": SPIDER, "_version": VERSION, "jobid": job, **arguments}
        told = self._ask(
            "POST",
            "schedule",
            data={**given, "setting": [f"{name}={value}" for name, value in settings.items()]},
        )
        if told.get("jobid") != job:
            raise MachineError(f"{self._who()}: scheduled another job than {job}")

    def cancel(self, job: str) -> None:
        self._ask("POST", "cancel", data={"project": PROJECT, "job": job})

    def log_of(self, job: str) -> str:
        """Return the address of a job's log, which Scrapyd keeps for the last five (`jobs_to_keep`)."""
        return f"{self.url}logs/{PROJECT}/{SPIDER}/{job}.log"

    def _ask(self, method: str, action: str, **sent: Any) -> dict[str, Any]:
        try:
            with self._client.stream(method, f"{self.url}{action}.json", **sent) as response:
                body, status = self._body(response), response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = one_line(str(error))[:SAID] or type(error).__name__
            raise MachineDown(f"{self._who()}: does not answer: {why}") from error
        if status == httpx.codes.UNAUTHORIZED:
            raise MachineError(
                f"{self._who()}: wants a name and a password: set SCRAPYD_USERNAME and SCRAPYD_PASSWORD"
            )
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or told.get("status") not in ("ok", "error"):
            raise MachineError(f"{self._who()}: answers {action} as no Scrapyd does (HTTP {status})")
        if told["status"] == "error":
            raise MachineError(f"{self._who()}: {action}: {_last_line(told.get('message'))}")
        return told

    def _body(self, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + ANSWER_SECONDS
        body = b""
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > ANSWER_BYTES or time.monotonic() > deadline:
                raise MachineError(f"{self._who()}: answers too much or too slowly")
        return body

    def _list(self, told: Mapping[str, Any], name: str) -> list[Any]:
        found = told.get(name)
        if not isinstance(found, list):
            raise MachineError(f"{self._who()}: answers without a list of {name}")
        return found

    def _word(self, told: Any, name: str) -> str:
        found = told.get(name) if isinstance(told, dict) else None
        if not isinstance(found, str):
            raise MachineError(f"{self._who()}: answers a job without its {name}")
        return found

    def _who(self) -> str:
        return f"{self.name} ({self.url})"


def egg() -> bytes:
    """Return what makes Scrapyd take the installed package for a project: an egg without code.

    The code comes by pip, with the libraries it was tested with; an egg brings none
    (https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html).
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(
            "EGG-INFO/PKG-INFO", f"Metadata-Version: 2.1\nName: uknip-fleet\nVersion: {__version__}\n"
        )
        file.writestr("EGG-INFO/entry_points.txt", "[scrapy]\nsettings = uknip_crawler.settings\n")
    return buffer.getvalue()


def _last_line(message: Any) -> str:
    """Return the last line of a message: of a traceback, what was wrong."""
    lines = message.strip().splitlines() if isinstance(message, str) else []
    return one_line(lines[-1])[:SAID] if lines else "an error without a word"
