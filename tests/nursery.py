"""One process that has imported everything, and forks for each command: `python nursery.py SOCKET`.

Starting Python and importing Scrapy, trafilatura and the rest costs a crawl more than the crawl does. A command
forked from here differs from one that was started anew in that alone: it has its own folder, environment, streams,
memory and signals, and can be killed. Tests of start-up and of limits need one that is started anew.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import resource
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from datetime import datetime
from multiprocessing import util
from pathlib import Path

import time_machine

SCRAPYS = ("scrapy.downloadermiddlewares", "scrapy.extensions", "scrapy.spidermiddlewares")
LIBRARIES = (
    *("dateparser", "encodings.charmap", "encodings.utf_8_sig", "json_repair"),
    *("multiprocessing.forkserver", "multiprocessing.popen_forkserver"),
    *("scrapy.core.downloader.contextfactory", "scrapy.core.downloader.handlers.http11"),
    *("scrapy.core.scheduler", "scrapy.crawler", "scrapy.logformatter", "scrapy.pqueues", "scrapy.squeues"),
    *("scrapy.dupefilters", "scrapy.statscollectors", "scrapy.utils.engine", "tomlkit", "twisted.web.client"),
)
"""What is imported only when a command needs it; of the packages all modules."""
REQUEST_BYTES = 2**17
BEYOND = 200
"""No command has that many files open when it begins to read pages."""


def import_everything() -> None:
    import_all_of("uknip_crawler")
    with warnings.catch_warnings(action="ignore"):  # also what Scrapy would rather have nobody use
        for name in SCRAPYS:
            import_all_of(name)
    for name in LIBRARIES:
        importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules, "each crawl makes its own"
    assert threading.active_count() == 1, "a fork copies one thread"
    gc.collect()
    gc.freeze()  # else the first collection of every command would copy the memory it shares


def import_all_of(package: str) -> None:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def serve(control: socket.socket) -> list[str] | None:
    """Fork for each request until the tests end; in the process of a command, return its arguments.

    A request's last file is told the number of the command's process and, when it has ended, its exit status.
    """
    with selectors.DefaultSelector() as waiting:
        waiting.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not control:
                    waiting.unregister(key.fileobj)
                    tell_end(key)
                    continue
                request, files, *_ = socket.recv_fds(control, REQUEST_BYTES, 4)
                if not request:
                    return None
                *streams, told = files
                if (command := os.fork()) == 0:
                    for other in list(waiting.get_map().values()):
                        os.close(other.fd)
                        if other.data is not None:
                            os.close(other.data[1])
                    os.close(told)
                    control.detach()
                    return become(json.loads(request), streams)
                for stream in streams:
                    os.close(stream)
                os.write(told, b"%d\n" % command)
                waiting.register(os.pidfd_open(command), selectors.EVENT_READ, (command, told))


def tell_end(key: selectors.SelectorKey) -> None:
    command, told = key.data
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(BrokenPipeError):  # a test that does not wait for the end has closed its side
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os.close(told)
    os.close(key.fd)


def become(request: dict[str, object], streams: Sequence[int]) -> list[str]:
    """Take on a command's folder, environment and streams, in a session of its own; return its arguments."""
    os.setsid()
    os.chdir(str(request["folder"]))
    sys.path[0] = str(Path.cwd())
    environment = request["environment"]
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if now := request.get("now"):
        time_machine.travel(datetime.fromisoformat(str(now)), tick=True).start()
    if limit := request.get("limit_bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(str(limit)), int(str(limit))))
    prepare_forkserver()
    arguments = request["arguments"]
    assert isinstance(arguments, list)
    return arguments


def prepare_forkserver() -> None:
    """Let this process's forkserver, from which its worker processes come, be a fork as well.

    It is made before the command has opened anything, and waits for the files that it would have been started with.
    """
    ours, theirs = socket.socketpair()
    if (server := os.fork()) == 0:
        signal.pthread_sigmask(
            signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM)
        )  # as `Workers` has its own begin
        ours.close()
        wait_for_start(theirs)
    theirs.close()
    start_process = util.spawnv_passfds

    def hand_over(path: bytes, arguments: Sequence[str], files: Sequence[int]) -> int:
        if ours.fileno() < 0 or "multiprocessing.forkserver" not in arguments[-1]:
            return start_process(path, arguments, files)
        with ours:
            message = json.dumps({"code": arguments[-1], "files": list(files)})
            socket.send_fds(ours, [message.encode()], list(files))
        return server

    util.spawnv_passfds = hand_over


def wait_for_start(control: socket.socket) -> None:
    """Run what a command tells, with the files it sends under the numbers they have there."""
    try:
        request, files, *_ = socket.recv_fds(control, REQUEST_BYTES, 4)
        if request:
            start = json.loads(request)
            copies = [fcntl.fcntl(file, fcntl.F_DUPFD, BEYOND) for file in files]
            os.closerange(3, BEYOND)
            for copy, number in zip(copies, start["files"], strict=True):
                os.dup2(copy, number)
                os.close(copy)
            exec(start["code"], {"__name__": "__main__"})  # noqa: S102  # what Python would run as `-c`
    finally:
        os._exit(0)


def leave(status: object) -> None:
    """End as Python does, but for taking apart what was imported: that would copy all the memory that is shared."""
    if isinstance(status, str):
        print(status, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, after which come atexit's functions
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    import_everything()
    if (arguments := serve(socket.socket(fileno=int(sys.argv[1])))) is not None:
        sys.argv = ["uknip", *arguments]
        sys.modules["uknip_crawler.cli.program"].__dict__["invocation"] = lambda *_: (
            "uknip"
        )  # what a user types
        try:
            runpy.run_module("uknip_crawler", run_name="__main__", alter_sys=True)
        except SystemExit as ending:
            leave(ending.code)
        leave(None)
