"""Commands as a user gives them, each in a process of its own."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

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

    On Linux the process is a fork of one that has imported everything; elsewhere forks do not mix with frameworks.
    """
    variables = {**environment, **_ENVIRONMENT}
    if sys.platform == "linux":
        return _forked(arguments, cwd or Path.cwd(), variables)
    return subprocess.run(
        [sys.executable, "-m", "uknip_crawler", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        cwd=cwd,
        env=variables,
    )


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


def _forked(
    arguments: tuple[str, ...], folder: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    request = {"arguments": arguments, "folder": str(folder), "environment": variables}
    pipes = [os.pipe() for _ in range(3)]
    with open(os.devnull) as nothing:  # noqa: PTH123  # no path of a user's
        streams = [nothing.fileno(), *(write for _, write in pipes)]
        socket.send_fds(_nursery(), [json.dumps(request).encode()], streams)
    for _, write in pipes:
        os.close(write)
    output, errors, told = _read_all([read for read, _ in pipes], arguments)
    status = int(told.split()[1])
    return subprocess.CompletedProcess(["uknip", *arguments], status, output, errors)


def _read_all(pipes: list[int], arguments: tuple[str, ...]) -> list[str]:
    """Read each pipe to its end; raise TimeoutExpired, and end the command, when that takes too long."""
    deadline = time.monotonic() + _SECONDS
    read: dict[int, bytes] = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready and time.monotonic() > deadline:
                os.kill(int(read[pipes[-1]].split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired(["uknip", *arguments], _SECONDS)
            for key, _ in ready:
                if chunk := os.read(key.fd, 2**16):
                    read[key.fd] += chunk
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return [text.decode() for text in read.values()]
