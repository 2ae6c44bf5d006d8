"""Machines of a fleet and of a cluster on loopback: real Scrapyd servers, a real Dask scheduler and its workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from uknip_crawler.errors import MachineDown
from uknip_crawler.fleet.scrapyd import Scrapyd

SECONDS = 120
# modules stay compiled, as an installation's do
_KEPT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_ENVIRONMENT = _KEPT | {"PYTHONPATH": str(Path(__file__).parents[1])}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {SECONDS} s"
        time.sleep(0.05)


@dataclass
class ScrapydMachine:
    """A machine with a Scrapyd of its own: a folder, a port, and a process group that falls as one."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "scrapyd.conf").write_text(
            f"[scrapyd]\nhttp_port = {self.port}\npoll_interval = 0.2\nmax_proc = 4\n"
        )
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scrapyd"],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_ENVIRONMENT,
            )
        wait_for(self.is_up, f"Scrapyd in {self.folder}")

    def is_up(self) -> bool:
        with Scrapyd("x", self.url) as server:
            try:
                server.jobs()
            except MachineDown:
                return False
        return True

    def fall(self) -> None:
        """All processes at once, as when the power goes: killed alone, Scrapyd would leave its crawls to their end."""
        if self.process is None:
            return
        scrapyd = psutil.Process(self.process.pid)
        for process in (scrapyd, *scrapyd.children(recursive=True)):
            process.kill()
        self.process.wait()
        self.process = None


@dataclass
class DaskMachines:
    """A Dask scheduler and two workers, each a process group that falls as one."""

    folder: Path
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self, workers: Iterable[str] = ("one", "two")) -> None:
        self.begin("scheduler", "scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        wait_for(self._listens, "the scheduler")
        for name in workers:
            self.begin(name, "worker", self.address, "--name", name, "--nthreads", "1")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def begin(self, name: str, *command: str) -> None:
        with (self.folder / name).open("wb") as output:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "dask", *command, "--no-dashboard"],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_ENVIRONMENT,
            )

    def fall(self, name: str) -> None:
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, *names: str) -> None:
        """Have some fall, all unless named, as far as they have not yet."""
        for name in list(self.running):
            if not names or name in names:
                self.fall(name)
