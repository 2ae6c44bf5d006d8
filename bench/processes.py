"""What a command costs with every process that it begins.

python bench/processes.py COMMAND…        the command's own output, then its CPU seconds on the error stream
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys

_PR_SET_CHILD_SUBREAPER = 36


def of_all(command: list[str]) -> tuple[str, float]:
    """Return what a command prints and its CPU seconds, those of all processes that it began included.

    The workers of a pool are a fork server's children, for which nobody waits; a process that Linux makes their
    subreaper does, and so they are counted. Modules stay compiled, as an installation's do. Raises CalledProcessError
    where the command fails.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    wrapped = [sys.executable, __file__, *command]
    done = subprocess.run(wrapped, check=True, capture_output=True, text=True, env=kept)
    return done.stdout, float(done.stderr.split()[-1])


def main(command: list[str]) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    status = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(used.ru_utime + used.ru_stime, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
