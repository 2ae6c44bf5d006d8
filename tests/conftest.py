"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from capabilities import unavailable
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
