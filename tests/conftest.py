"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from capabilities import unavailable
from crawling import Archived
from wordpress import Unavailable, missing_requirements, unpacked_wordpress

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def wordpress_files() -> Path:
    """The unpacked WordPress that all sites share, kept between sessions in UKNIP_TEST_CACHE."""
    cache = Path(os.environ.get("UKNIP_TEST_CACHE") or PROJECT / ".wordpress-test").resolve()
    if missing := missing_requirements(cache):
        unavailable(f"WordPress needs {', '.join(missing)}")
    try:
        return unpacked_wordpress(cache)
    except Unavailable as error:
        unavailable(f"WordPress cannot be had: {error}")


@pytest.fixture(scope="session")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """Archives of sample sites after a first crawl."""
    return Archived(tmp_path_factory.mktemp("archived"))


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with uknip as researchers install it, and pandas."""
    environment = tmp_path_factory.mktemp("notebook") / "venv"
    if (uv := shutil.which("uv")) is None:
        unavailable("an environment with pandas needs uv")
    command = [
        uv,
        "sync",
        "--quiet",
        "--no-dev",
        "--group",
        "notebook",
        "--extra",
        "parquet",
        "--project",
        str(PROJECT),
    ]
    variables = os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        unavailable(f"an environment with pandas cannot be had: {done.stderr.strip()[-300:]}")
    return environment / "bin" / "python"
