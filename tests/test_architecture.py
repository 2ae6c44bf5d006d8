"""The house keeps its shape: imports point downward, modules stay small, and each says what it is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "uknip_crawler"
PURE = {"discovery", "health", "extraction", "revisions", "models", "times", "urls", "sites", "errors"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def identity(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imported(tree: ast.AST) -> set[str]:
    """Return the dotted names that a module imports absolutely."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_imports_point_downward() -> None:
    """The contracts in pyproject.toml hold the picture: layers, and the few doors to each library."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_importing_the_package_is_cheap() -> None:
    """Every command does it: what notebooks need comes only when they ask for it."""
    code = "import sys, uknip_crawler; print(*sorted(m for m in sys.modules if m.startswith(('uknip_', 'sqlite'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["uknip_crawler"]


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_a_module_is_small_named_and_introduces_itself(path: Path) -> None:
    """At most 350 lines, a docstring, and no drawer for things without a noun."""
    source = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert source.count("\n") <= 350
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in PURE],
    ids=identity,
)
def test_pure_code_has_no_clock_network_or_database(path: Path) -> None:
    """Time enters as an argument; bytes come in and values go out."""
    tree = ast.parse(path.read_text("utf-8"))
    forbidden = {
        "time",
        "socket",
        "http.client",
        "urllib.request",
        "requests",
        "httpx",
        "asyncio",
        "subprocess",
    }
    assert not imported(tree) & forbidden
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert not methods & {"now", "utcnow", "today"}


@pytest.mark.fault("D08")
@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_a_process_has_one_sqlite_library(path: Path) -> None:
    """Two would undo each other's locks (https://sqlite.org/howtocorrupt.html §2.2.1): all take sqlite-utils' choice."""
    assert "sqlite3" not in imported(ast.parse(path.read_text("utf-8")))
