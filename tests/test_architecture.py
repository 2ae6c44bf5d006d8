"""The house keeps its shape: imports point downward, modules stay small, and each says what it is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "uknip_crawler"
NAME = PACKAGE.name

LAYERS = {
    "words": {"urls", "sites", "models", "errors", "times"},
    "pure": {"copies", "discovery", "extraction", "fingerprints", "media", "mentions", "revisions", "traces"},
    "store": {"archive"},
    "crawl": {
        "spiders", "reextraction", "retelling", "edits", "workers", "components", "middlewares", "pipelines", "extensions", "settings", "items", "recovery", "revisits", "settlement", "candidates", "replaying", "importing", "rebuilding", "aftermath", "near_duplicates", "redaction", "following", "joining", "parts",
    },
    "export": {"export"},
    "library": {"library"},
    "browse": {"browse"},
    "demo": {"demo"},
    "run": {"cli", "__main__"},
}  # fmt: skip
"""Top-level modules by layer; `__init__` belongs to none: everything may ask for the version."""

BELOW = {
    "words": set[str](),
    "pure": {"words"},
    "store": {"words"},
    "crawl": {"words", "pure", "store"},
    "export": {"words", "pure", "store"},
    "library": {"words", "pure", "store", "export"},
    "browse": {"words", "pure", "store"},
    "demo": {"words", "pure", "store"},
    "run": {"words", "pure", "store", "crawl", "export", "browse", "demo"},
}
"""What each layer may import besides itself."""

ONLY_IN = {
    "scrapy": {
        "spiders",
        "reextraction",
        "workers",
        "components",
        "middlewares",
        "pipelines",
        "extensions",
        "settings",
        "items",
        "cli",
    },
    "twisted": {"spiders", "middlewares", "pipelines", "extensions", "settings", "cli"},
    "datasette": {"browse"},
    "sqlite3": {"archive", "browse", "export"},
    "sqlite_utils": {"archive", "browse", "export"},
    "warcio": {"archive", "cli"},
    "trafilatura": {"extraction"},
    "protego": {"discovery"},
    "imagesize": {"media"},
    "pyarrow": {"export"},
}
"""Libraries that may be seen from a few places only."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def top_of(path: Path) -> str:
    """Return the top-level module or package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(top: str) -> str:
    return next(layer for layer, members in LAYERS.items() if top in members)


def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports, relative ones resolved."""
    package = [NAME, *path.relative_to(PACKAGE).parent.parts]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def own_tops(path: Path) -> set[str]:
    """Return the top-level modules of this package that a module imports."""
    tops = {name.split(".")[1] for name in imported(path) if name.startswith(f"{NAME}.")}
    return {top for top in tops if (PACKAGE / top).is_dir() or (PACKAGE / f"{top}.py").exists()}


def identity(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_module_has_its_layer() -> None:
    """A new module must say where it stands before anything can import it."""
    known = set().union(*LAYERS.values())
    assert {top_of(path) for path in MODULES} - {"__init__"} <= known
    assert sum(len(members) for members in LAYERS.values()) == len(known)


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_imports_point_downward(path: Path) -> None:
    """Pure and store never meet; export and browse never see the crawl."""
    top = top_of(path)
    if top == "__init__":
        assert own_tops(path) == {"library"}  # for type checkers; another test sees that it is not imported
        return
    layer = layer_of(top)
    allowed = BELOW[layer] | {layer}
    assert {other for other in own_tops(path) if layer_of(other) not in allowed} == set()


def test_importing_the_package_is_cheap() -> None:
    """Every command does it: what notebooks need comes only when they ask for it."""
    code = "import sys, uknip_crawler; print(*sorted(m for m in sys.modules if m.startswith(('uknip_', 'sqlite'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["uknip_crawler"]


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_libraries_stay_in_their_places(path: Path) -> None:
    """One library, one door."""
    seen = {name.partition(".")[0] for name in imported(path)}
    assert {library for library in seen & set(ONLY_IN) if top_of(path) not in ONLY_IN[library]} == set()


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_a_module_is_small_named_and_introduces_itself(path: Path) -> None:
    """At most 350 lines, a docstring, and no drawer for things without a noun."""
    source = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert source.count("\n") <= 350
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if top_of(path) in LAYERS["pure"] | LAYERS["words"]], ids=identity
)
def test_pure_code_has_no_clock_network_or_database(path: Path) -> None:
    """Time enters as an argument; bytes come in and values go out."""
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
    assert imported(path) & forbidden == set()
    assert not {name.partition(".")[0] for name in imported(path)} & forbidden
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert not methods & {"now", "utcnow", "today"}


def test_the_check_sees_an_import_that_points_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, relative and hidden in a function: all three are found."""
    monkeypatch.setattr("test_architecture.PACKAGE", tmp_path)
    for top in ("archive", "extraction", "export"):
        (tmp_path / top).mkdir()
    module = tmp_path / "extraction" / "page.py"
    module.write_text(
        "from uknip_crawler import archive\nfrom .. import export\ndef f():\n    import uknip_crawler.archive.warc\n"
    )
    assert own_tops(module) == {"archive", "export"}
