"""One crawl of every site, wherever a server is up: a site whose server fell goes to another one.

Nothing is remembered here. Servers tell which jobs they have, an archive tells whether its crawl came to its end; the
archive's lock keeps two crawls apart where a server seemed to have fallen and had not.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from uknip_crawler.archive import DATABASE, lock
from uknip_crawler.archive.reports.condition import Condition, condition
from uknip_crawler.errors import MachineDown, MachineError, StorageError
from uknip_crawler.fleet.plan import Plan, PlannedSite
from uknip_crawler.fleet.scrapyd import Job, Scrapyd

TRIES = 3
"""Jobs without a whole crawl, after which a site is given up until the next call."""
AT_A_TIME = 16
"""Servers that are asked at a time."""
_JOB = re.compile(r"([a-z0-9-]+)\.\d{14}")


@dataclass(slots=True)
class Server:
    """How a server is: what it has of ours, or what is wrong with it. It `is_up` where it answers."""

    name: str
    url: str
    jobs: list[Job] = field(default_factory=list)
    trouble: str | None = None
    is_up: bool = True

    def count(self, state: str) -> int:
        return sum(job.state == state for job in self.jobs)

    @property
    def load(self) -> int:
        return self.count("running") + self.count("pending")

    def fail(self, error: MachineError) -> None:
        self.trouble = str(error)
        self.is_up = not isinstance(error, MachineDown)


@dataclass(slots=True)
class Standing:
    """How a site is: `state` is `running`, `pending`, `ended`, or `idle` where no server has anything of it.

    `run` and `exit_status` are those of its archive's newest crawl, None where they cannot be seen from here or while it
    is under way.
    """

    site: PlannedSite
    state: str = "idle"
    server: str | None = None
    job: str | None = None
    run: int | None = None
    exit_status: int | None = None
    trouble: str | None = None
    log: str | None = None
    tries: int = 0
    is_whole: bool = False

    @property
    def is_under_way(self) -> bool:
        return self.state in ("running", "pending")

    def told(self) -> str:
        """Return in words how it is."""
        where = f" on {self.server}" if self.server else ""
        if self.is_under_way:
            return f"{self.state}{where}"
        if self.run is None:
            return f"{self.state}{where}" + (f": see {self.log}" if self.log else "")
        if self.exit_status is None:
            return f"run {self.run} was cut short{where}"
        return f"run {self.run} ended with status {self.exit_status}{where}"


class Fleet:
    """The servers and sites of a plan; use as a context."""

    def __init__(self, plan: Plan) -> None:
        self._stack = ExitStack()
        self._scrapyds = {
            name: self._stack.enter_context(Scrapyd(name, url)) for name, url in plan.servers.items()
        }
        self.servers = [Server(name, url) for name, url in plan.servers.items()]
        self.sites = [Standing(site) for site in plan.sites]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look(self, sites: Iterable[Standing]) -> None:
        """Ask every server, and look at the archives of some sites, where they can be seen from here."""
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            list(threads.map(self._ask, self.servers))
        for standing in sites:
            self._stand(standing)

    def _ask(self, server: Server) -> None:
        server.trouble, server.is_up = None, True
        try:
            server.jobs = self._scrapyds[server.name].jobs()
        except MachineError as error:
            server.jobs = []
            server.fail(error)

    def deploy(self) -> None:
        """Make our spider known to every server that answers."""
        ready = [server for server in self.servers if not server.trouble]
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            list(threads.map(self._deploy, ready))

    def _deploy(self, server: Server) -> None:
        try:
            self._scrapyds[server.name].deploy()
        except MachineError as error:
            server.fail(error)

    def _stand(self, standing: Standing) -> None:
        site = standing.site
        found = [
            (server, job) for server in self.servers for job in server.jobs if _site_of(job) == site.name
        ]
        under_way = [(server, job) for server, job in found if job.state != "finished"]
        under_way.sort(key=lambda one: one[1].state == "pending")
        for server, job in under_way[1:]:
            if job.state == "pending":  # left by a server that was away meanwhile
                self._cancel(server, job)
        standing.run = standing.exit_status = standing.trouble = None
        standing.is_whole = False
        if under_way:
            server, job = under_way[0]
            standing.state = job.state
        elif lock.holder(site.archive) is not None:  # another crawl, or one whose server has fallen around it
            standing.state, standing.server, standing.job = "running", None, None
            return
        else:
            ended = [(server, job) for server, job in found if job.id == standing.job]
            ended = ended or ([] if standing.tries else found[-1:])
            standing.state = "ended" if ended else "idle"
            self._read(standing)
            if not ended:
                return
            server, job = ended[0]
        standing.server, standing.job = server.name, job.id
        standing.log = self._scrapyds[server.name].log_of(job.id)

    def _cancel(self, server: Server, job: Job) -> None:
        try:
            self._scrapyds[server.name].cancel(job.id)
        except MachineError as error:
            server.trouble = str(error)

    @staticmethod
    def _read(standing: Standing) -> None:
        """Take over how the newest crawl of an archive at rest has ended."""
        try:
            seen = _seen(standing.site.archive)
        except StorageError as error:
            standing.trouble = str(error)
            return
        if seen is not None and seen.run is not None:
            standing.run, standing.exit_status = seen.run, seen.exit_status
            standing.is_whole = seen.is_whole
            standing.state = "ended"

    def place(self, standing: Standing, *, at: datetime) -> bool:
        """Schedule a site's crawl on the server that has least to do, or on its own one; tell whether that was done."""
        site = standing.site
        candidates = [
            server for server in self.servers if not server.trouble and site.server in (None, server.name)
        ]
        standing.trouble = "no server for it is up, or takes it"
        for server in sorted(candidates, key=lambda one: one.load):
            scrapyd, job = self._scrapyds[server.name], f"{site.name}.{at:%Y%m%d%H%M%S}"
            try:
                scrapyd.deploy()
                scrapyd.schedule(job, _arguments(site), _settings(site))
            except MachineError as error:
                server.fail(error)
                standing.trouble = server.trouble
                continue
            server.jobs.append(Job(job, "pending"))
            standing.state, standing.server, standing.job = "pending", server.name, job
            standing.log, standing.trouble = scrapyd.log_of(job), None
            standing.tries += 1
            return True
        return False


def crawl(
    fleet: Fleet,
    *,
    clock: Callable[[], datetime],
    wait: bool = False,
    interval: float = 5.0,
    patience: float = 600.0,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Schedule a crawl of every site that has none under way; with `wait`, see to it until each has ended.

    Servers are asked every `interval` seconds; a site for which none is up is given up after `patience` seconds. `say`
    hears one line of whatever happens.
    """
    fleet.look(fleet.sites)
    fleet.deploy()
    waits = [_Wait(one, (one.run, one.is_whole)) for one in fleet.sites]
    told: dict[str, str | None] = {}
    while True:
        for one in waits:
            one.go_on(fleet, clock(), patience, say)
        for server in fleet.servers:
            if told.get(server.name) != server.trouble:
                say(server.trouble or f"{server.name}: answers again")
                told[server.name] = server.trouble
        waits = [one for one in waits if not one.is_over]
        if not wait or not waits:
            return
        time.sleep(interval)
        fleet.look([one.standing for one in waits])


@dataclass(slots=True)
class _Wait:
    """What is left to be done for a site: `before` is its newest crawl at first, and whether that had come to its end."""

    standing: Standing
    before: tuple[int | None, bool]
    has_begun: bool = False
    is_over: bool = False
    last_up: float = field(default_factory=time.monotonic)

    def go_on(self, fleet: Fleet, now: datetime, patience: float, say: Callable[[str], None]) -> None:
        """Note that it runs or has ended, or have it crawled."""
        standing, name = self.standing, self.standing.site.name
        if standing.is_under_way:
            self.has_begun, self.last_up = True, time.monotonic()
        elif self._has_ended():
            self.is_over = True
            say(f"{name}: {standing.told()}")
        elif standing.tries == TRIES:
            self.is_over = True
            standing.trouble = f"no whole crawl in {TRIES} jobs: see {standing.log}"
            say(f"{name}: {standing.trouble}")
        elif fleet.place(standing, at=now):
            self.has_begun, self.last_up = True, time.monotonic()
            say(f"{name}: {standing.told()}")
        elif time.monotonic() - self.last_up > patience:
            self.is_over = True
            say(f"{name}: {standing.trouble}")

    def _has_ended(self) -> bool:
        standing = self.standing
        if not self.has_begun or standing.trouble or standing.state != "ended":
            return False
        if standing.run is None:  # an archive not to be seen from here: its server's word has to do
            return standing.tries == 0 or not standing.site.archive.exists()
        return standing.is_whole and (standing.run, True) != self.before


def _seen(archive: Path) -> Condition | None:
    """Return an archive's condition, None where it cannot be seen from here.

    One that is being written is left alone: its writer may be on another machine, and SQLite's log is for processes of
    one (https://sqlite.org/wal.html).
    """
    if not (archive / DATABASE).is_file() or lock.holder(archive) is not None:
        return None
    return condition(archive)


def _site_of(job: Job) -> str | None:
    found = _JOB.fullmatch(job.id)
    return found[1] if found else None


def _arguments(site: PlannedSite) -> Mapping[str, str]:
    asking = site.asking
    said = {"images": None if asking.images is None else str(int(asking.images)), "budget": asking.budget}
    given = {name: str(value) for name, value in said.items() if value is not None}
    return {"base_url": site.url, "archive": str(site.archive), **given}


def _settings(site: PlannedSite) -> Mapping[str, str]:
    said = {"UKNIP_CONTACT": site.asking.contact, "DOWNLOAD_DELAY": site.asking.delay}
    return {name: str(value) for name, value in said.items() if value is not None}


def exit_status_of(sites: Iterable[Standing]) -> int:
    """Return 3 where a site has a trouble or a crawl that was not complete, else 0."""
    return 3 if any(one.trouble or one.exit_status for one in sites) else 0
