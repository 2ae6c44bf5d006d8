"""What a test needs from its machine: without it the test is skipped, or fails where `CI=true` promises it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from wordpress import Unavailable, missing_requirements

CACHE = Path(os.environ.get("UKNIP_TEST_CACHE") or Path(__file__).parents[1] / ".wordpress-test").resolve()
"""Where WordPress and the accessibility checker are kept between sessions."""
AXE = "axe-core@4.11.0"
AXE_FILE = CACHE / f"{AXE.replace('@', '-')}.js"
BROWSER = ("chromium", "chromedriver")
PROGRAMS = {
    "in a real browser": BROWSER,
    "of accessibility": () if AXE_FILE.exists() else ("npm",),
    "of spreadsheets that open": ("soffice",),
    "of JSON that jq reads": ("jq",),
    "of what wget captures": ("wget",),
    "in notebooks": ("uv",),
}
"""Kinds of tests, and the programs that each needs."""


def unavailable(reason: str) -> NoReturn:
    """End the test for want of something its machine lacks: a skip, or a failure under `CI=true`."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI must be able to run this: {reason}", pytrace=False)
    pytest.skip(reason)


def need_programs(*names: str) -> None:
    """Go on only when every program is on the PATH."""
    if missing := not_installed(*names):
        unavailable(f"not installed: {', '.join(missing)}")


def need_modules(*names: str) -> None:
    """Go on only when every module can be imported: what extras bring."""
    if missing := [name for name in names if importlib.util.find_spec(name) is None]:
        unavailable(f"not installed: {', '.join(missing)}")


def not_installed(*names: str) -> list[str]:
    return [name for name in names if shutil.which(name) is None]


def will_be_skipped() -> list[str]:
    """Return a line for each kind of tests that this machine cannot run, with what it lacks."""
    lacking = {kind: not_installed(*programs) for kind, programs in PROGRAMS.items()}
    try:
        lacking["on a real WordPress"] = missing_requirements(CACHE)
    except Unavailable as error:
        lacking["on a real WordPress"] = [str(error)]
    return [
        f"skipped: tests {kind}; not installed: {', '.join(names)}"
        for kind, names in lacking.items()
        if names
    ]
