"""A command forked from the nursery is the command that a shell starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nursery import REQUEST_BYTES
from processes import uknip


@pytest.mark.parametrize(
    "arguments", [("--version",), ("status", "--archive", "nowhere"), ("crawl", "--dealy", "3"), ("--help",)]
)
def test_a_fork_says_and_returns_what_a_new_process_does(arguments: tuple[str, ...], tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    environment.pop("UV_RUN_RECURSION_DEPTH", None)  # whoever types `uknip` has not typed `uv run`
    command = [str(programs / "uknip"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    forked = uknip(*arguments, cwd=tmp_path)
    assert (forked.returncode, forked.stdout, forked.stderr) == (done.returncode, done.stdout, done.stderr)


def test_a_fork_has_the_folder_and_the_variables_it_is_given(tmp_path: Path) -> None:
    """And the limit of what one request may carry is far away."""
    chosen = {**os.environ, "UKNIP_ARCHIVE": "chosen"}
    assert "no archive in chosen" in uknip("status", cwd=tmp_path, environment=chosen).stderr
    assert "no archive in archive" in uknip("status", cwd=tmp_path).stderr
    large = {**chosen, "LARGE": "x" * (REQUEST_BYTES // 2)}
    assert "no archive in chosen" in uknip("status", cwd=tmp_path, environment=large).stderr
