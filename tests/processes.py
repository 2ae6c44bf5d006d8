"""Commands as a user gives them, each in a process of its own that need not import all libraries anew.

The processes are forks of one that has imported what the commands need and has run nothing. Tests of how a process
begins or is ended (signals, pipes, `python -m`) start Python instead.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

_SECONDS = 400
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["uknip_crawler.cli.crawl", "uknip_crawler.spiders.uknip"])


def uknip(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `uknip ARGUMENTS` to its end and return its exit status and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _context.Process(
            target=_run, args=(arguments, cwd or Path.cwd(), dict(os.environ), out, err)
        )
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["uknip", *arguments], _SECONDS, err.read_bytes())
        printed = out.read_text("utf-8"), err.read_text("utf-8")
        return subprocess.CompletedProcess(["uknip", *arguments], process.exitcode, *printed)


def _run(arguments: tuple[str, ...], cwd: Path, environment: Mapping[str, str], out: Path, err: Path) -> None:
    from uknip_crawler.cli import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    warnings.filterwarnings("error", category=DeprecationWarning, module="uknip_crawler")
    sys.argv = ["uknip", *arguments]
    main()
