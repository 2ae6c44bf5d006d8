"""What a test needs from its machine: without it the test is skipped, or fails where `CI=true` promises it."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """End the test for want of something its machine lacks: a skip, or a failure under `CI=true`."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI must be able to run this: {reason}", pytrace=False)
    pytest.skip(reason)


def need_programs(*names: str) -> None:
    """Go on only when every program is on the PATH."""
    if missing := [name for name in names if shutil.which(name) is None]:
        unavailable(f"not installed: {', '.join(missing)}")
