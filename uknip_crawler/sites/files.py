"""Which rules hold of a site: those of its own file, where there is one, before those of uknip.co.uk.

Files come with the program (`examples/`) and lie in the folder that UKNIP_SITES names, whose own go first. `site.hosts` says
whose a file is. What it does not speak of is as with uknip.co.uk: WordPress's addresses, and lines no other newsroom writes.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from uknip_crawler.errors import UsageError

FOLDER_VARIABLE = "UKNIP_SITES"
_PATTERNS = frozenset({"article", "listing", "trap", "patterns", "tail_patterns", "tokens"})
_KEYS: dict[str, frozenset[str]] = {
    "site": frozenset({"hosts", "names", "house_accounts", "kickers"}),
    "addresses": frozenset({"article", "listing", "trap"}),
    "images": frozenset({"hosts"}),
    "furniture": frozenset({"lines", "starts", "patterns", "tail", "tail_patterns", "tokens"}),
}


def rules_of(host: str) -> Mapping[str, Any]:
    """Return the rules for a host without `www.`, table by table. Raises UsageError for a file that cannot be meant."""
    return _rules(host, os.environ.get(FOLDER_VARIABLE, ""))


@cache
def _rules(host: str, folder: str) -> Mapping[str, Any]:
    general = _general()
    own = next((told for told in _told_in(folder) if host in told["site"]["hosts"]), None)
    if own is None:
        return general
    return {
        name: {key: [*own.get(name, {}).get(key, []), *values] for key, values in table.items()}
        for name, table in general.items()
    }


@cache
def _told_in(folder: str) -> tuple[Mapping[str, Any], ...]:
    """Return what the files of a folder say, and after them those that come with the program."""
    places = [Path(folder)] if folder else []
    return tuple(
        _read(path)
        for place in (*places, resources.files(__package__) / "examples")
        for path in _files(place)
    )


@cache
def _general() -> Mapping[str, Any]:
    return tomllib.loads((resources.files(__package__) / "uknip.toml").read_text("utf-8"))


def _files(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        raise UsageError(f"{FOLDER_VARIABLE}={folder}: there is no such folder")
    return sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)


def _read(path: Traversable) -> Mapping[str, Any]:
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # TOML or UTF-8
        raise UsageError(f"{path}: not TOML: {' '.join(str(error).split())}") from None
    if trouble := trouble_in(told):
        raise UsageError(f"{path}: {trouble}")
    return told


def trouble_in(told: Mapping[str, Any]) -> str | None:
    """Return in words what is wrong with a site's own rules, or None."""
    if not isinstance(told.get("site"), dict) or not told["site"].get("hosts"):
        return 'say whose it is: [site] hosts = ["news.example"]'
    for name, table in told.items():
        if name not in _KEYS or not isinstance(table, dict):
            return f"{name!r} is no table of a site's: there are {', '.join(_KEYS)}"
        for key, values in table.items():
            if key not in _KEYS[name]:
                return f"{name}.{key} is no rule: there are {', '.join(sorted(_KEYS[name]))}"
            if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
                return f"{name}.{key}: a list of texts"
            for value in values if key in _PATTERNS else ():
                try:
                    re.compile(value)
                except re.error as error:
                    return f"{name}.{key}: {value!r} is no regular expression: {error}"
    return None
