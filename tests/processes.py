"""Commands as a user gives them, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
_SECONDS = 400
_ENVIRONMENT = {
    "LANG": "C",
    "PYTHONPATH": str(_PROJECT),
    "PYTHONWARNINGS": "error::DeprecationWarning:uknip_crawler",
}


def uknip(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `uknip ARGUMENTS` to its end and return its exit status and what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "uknip_crawler", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        cwd=cwd,
        env=os.environ | _ENVIRONMENT,
    )
