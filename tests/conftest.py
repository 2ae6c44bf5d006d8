"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from capabilities import CACHE, unavailable, will_be_skipped
from crawling import Archived
from hypothesis import settings
from wordpress import Unavailable, missing_requirements, unpacked_wordpress

PROJECT = Path(__file__).parents[1]
MEMORY = Path("/dev/shm")  # pytest makes a folder of the user's in it
ROOM_BYTES = 2 * 2**30
LONGEST = (
    "test_wordpress",
    "test_wordpress_layouts",
    "test_accuracy",
    "test_redaction",
    "test_crawl",
    "test_interruption",
    "test_faults",
    "test_reextraction",
    "test_images",
    "test_parts",
    "test_import",
    "test_evidence",
    "test_rebuild",
    "test_fleet",
    "test_cluster",
    "test_lives",
    "test_coverage",
    "test_export_opens",
    "test_browser",
    "test_reading_room",
    "test_demo_site",
    "test_foreign",
    "test_containment",
    "test_runs_after",
    "test_commands",
    "test_schedule_commands",
    "test_started",
    "test_catalogue",
    "test_health_of_archives",
    "test_backup",
    "test_audit",
    "test_learning",
    "test_site",
)
"""Files that take longest begin first, so that no processor waits for another in the end."""

# the same examples every time, and no more than a suite of minutes can bear; HYPOTHESIS_PROFILE=search looks further
settings.register_profile("suite", max_examples=60, derandomize=True, deadline=None, database=None)
settings.register_profile("search", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    # archives are flushed to disk at every step, which memory does in no time
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# the hundreds of processes that tests start compile nothing twice, and a checkout stays as it was
sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(CACHE / "bytecode"))
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_report_header() -> list[str]:
    return will_be_skipped()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session")
def wordpress_files() -> Path:
    """The unpacked WordPress that all sites share, kept between sessions in UKNIP_TEST_CACHE."""
    if missing := missing_requirements(CACHE):
        unavailable(f"WordPress needs {', '.join(missing)}")
    try:
        return unpacked_wordpress(CACHE)
    except Unavailable as error:
        unavailable(f"WordPress cannot be had: {error}")


@pytest.fixture(scope="session")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """Archives of sample sites after a first crawl."""
    return Archived(tmp_path_factory.mktemp("archived"))


@pytest.fixture(scope="session")
def notebook() -> Iterator[Path]:
    """A Python with uknip as researchers install it, and pandas: on disk, where uv links to what it has there."""
    if (uv := shutil.which("uv")) is None:
        unavailable("an environment with pandas needs uv")
    command = [
        uv,
        "sync",
        "--quiet",
        "--no-dev",
        "--extra",
        "notebook",
        "--extra",
        "parquet",
        "--project",
        str(PROJECT),
    ]
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        variables = os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            unavailable(f"an environment with pandas cannot be had: {done.stderr.strip()[-300:]}")
        yield environment / "bin" / "python"
