"""Commands as a user gives them, each in a process of its own."""

from __future__ import annotations

import atexit
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from uknip_crawler.cli.contract import breach

# rensa's allocator would set a gigabyte of addresses apart, which is what a worker process may have in all
_FRUGAL = {"MIMALLOC_ARENA_RESERVE": "16MiB"}
_PROJECT = Path(__file__).parents[1]
_NURSERY = Path(__file__).with_name("nursery.py")
_SECONDS = 400
_ENVIRONMENT = {
    "LANG": "C",
    "PYTHONPATH": str(_PROJECT),
    "PYTHONWARNINGS": "error::DeprecationWarning:uknip_crawler",
}


def uknip(
    *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run `uknip ARGUMENTS` to its end and return its exit status and what it printed.

    On Linux the process is a fork of one that has imported everything; elsewhere forks do not mix with frameworks. Whatever
    JSON it prints must keep the contract.
    """
    if sys.platform == "linux":
        done = begin(*arguments, cwd=cwd, environment=environment).end()
    else:
        done = subprocess.run(
            [sys.executable, "-m", "uknip_crawler", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            cwd=cwd,
            env={**environment, **_ENVIRONMENT},
        )
    if "--json" in arguments and done.stdout[:1] in ("{", "["):
        assert (broken := breach(arguments, json.loads(done.stdout))) is None, broken
    return done


@cache
def _nursery() -> socket.socket:
    """The way to this process's nursery, which lives as long as this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, str(_NURSERY), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT | _FRUGAL,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


@dataclass(frozen=True, slots=True)
class Running:
    """A command under way: the number of its process, which leads a process group of its own."""

    pid: int
    arguments: tuple[str, ...]
    pipes: tuple[int, ...]

    def end(self, seconds: float = _SECONDS) -> subprocess.CompletedProcess[str]:
        """Wait for the end of the command, and of those that hold its streams; TimeoutExpired when it comes too late."""
        output, errors, status = _read_all(self.pipes, self.pid, self.arguments, seconds)
        return subprocess.CompletedProcess(["uknip", *self.arguments], int(status), output, errors)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        os.kill(self.pid, number)

    def has_ended(self, seconds: float) -> bool:
        """Wait for the end, but no longer than that; tell whether it has come."""
        return bool(select.select([self.pipes[-1]], [], [], seconds)[0])


def begin(
    *arguments: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    now: datetime | None = None,
    limit_bytes: int | None = None,
) -> Running:
    """Start `uknip ARGUMENTS` as a fork of the nursery; Linux only.

    `now` is what its clock shows at first, earlier than ours: worker processes keep ours. No file of it may grow beyond
    `limit_bytes`, which is how a process meets a full disk.
    """
    variables = {**environment, **_ENVIRONMENT}
    request = {
        "arguments": arguments,
        "folder": str(cwd or Path.cwd()),
        "environment": variables,
        "now": now.isoformat() if now else None,
        "limit_bytes": limit_bytes,
    }
    pipes = [os.pipe() for _ in range(3)]
    with open(os.devnull) as nothing:  # noqa: PTH123  # no path of a user's
        streams = [nothing.fileno(), *(write for _, write in pipes)]
        socket.send_fds(_nursery(), [json.dumps(request).encode()], streams)
    for _, write in pipes:
        os.close(write)
    reads = tuple(read for read, _ in pipes)
    number = b""
    while not number.endswith(b"\n"):
        number += os.read(reads[-1], 1)
    return Running(int(number), arguments, reads)


def _read_all(
    pipes: Sequence[int], pid: int, arguments: tuple[str, ...], seconds: float = _SECONDS
) -> list[str]:
    """Read each pipe to its end; raise TimeoutExpired, and end the command, when that takes too long."""
    deadline = time.monotonic() + seconds
    read: dict[int, bytes] = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready and time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(["uknip", *arguments], seconds)
            for key, _ in ready:
                if chunk := os.read(key.fd, 2**16):
                    read[key.fd] += chunk
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return [text.decode() for text in read.values()]
