"""The catalogue of faults and the promises: `faults.toml`, beside the tests that are marked with a fault's id."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]


@cache
def catalogue() -> dict[str, Any]:
    """Return `faults` (id → fault, promise), `untested` (id → reason) and `promises`."""
    return tomllib.loads((_ROOT / "docs" / "faults.toml").read_text("utf-8"))


@cache
def tests() -> dict[str, list[str]]:
    """Return by id of a fault the tests marked with it, as `file.py: what it says`, in the order of the files."""
    found: dict[str, list[str]] = {}
    for path in sorted((_ROOT / "tests").glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for row in dict.fromkeys(_marks(node, path)):
                    said = node.name.removeprefix("test_").replace("_", " ")
                    found.setdefault(row, []).append(f"[{path.stem}](../tests/{path.name}): {said}")
    return found


def _marks(test: ast.FunctionDef, path: Path) -> Iterator[str]:
    for decorator in test.decorator_list:
        for call in ast.walk(decorator):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "fault"
            ):
                for argument in call.args:
                    yield from _ids(argument, decorator)


def _ids(argument: ast.expr, decorator: ast.expr) -> Iterator[str]:
    """Yield a literal id, or all literal ids of the decorator where the mark takes them from a loop."""
    within = [argument] if isinstance(argument, ast.Constant) else ast.walk(decorator)
    for node in within:
        if isinstance(node, ast.Constant) and node.value in catalogue()["faults"]:
            yield str(node.value)


def faults() -> str:
    """Return a row for every fault: what it is, what happens, the tests that try it, and what they cannot."""
    lines = ["| | Fault | What happens | Tried by |\n|---|---|---|---|\n"]
    for row, (fault, promise) in catalogue()["faults"].items():
        tried = "; ".join(tests().get(row, []))
        why = catalogue()["untested"].get(row)
        tried = "<br>".join(filter(None, [tried, why and f"*Not tried:* {why}"]))
        lines.append(f"| {row} | {_cell(fault)} | {_cell(promise)} | {tried} |\n")
    return "".join(lines)


def promises() -> str:
    """Return a section for every promise: what it means, what holds it up, and what tries it."""
    sections = []
    for promise in catalogue()["promises"]:
        tried = ", ".join(f"{row} ({len(tests().get(row, []))})" for row in promise["faults"])
        sections.append(
            f"## {promise['name']}\n\n{promise['means']}\n\n**Held by.** {promise['held_by']}\n\n"
            f"**Tried by** (tests of each): {tried}.\n"
        )
    return "\n".join(sections)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
