"""What an archive knows of its crawls: its site, and how to ask it, in a file that people read and edit."""

from __future__ import annotations

import os
import reprlib
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uknip_crawler.archive import archived_site
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.sites import DEFAULT_BASE_URL, load_site

FILE = "uknip.toml"
_HEAD = "What this archive is of and how its site is asked. Options and environment go first: `uknip config`"
_DEFAULTS: dict[str, Any] = {
    "site": DEFAULT_BASE_URL,
    "contact": None,
    "delay": 1.0,
    "images": False,
    "notices": None,
    "notice_command": None,
    "metrics": None,
    "ping": None,
    "dataset": None,
}
DATASET = ("author", "title", "licence", "doi", "contact")
"""What can be said of the datasets that are exported as packages."""


@dataclass(frozen=True, slots=True)
class Value:
    """A setting as it holds, and where it comes from: `option`, `environment`, `file`, `archive` or `default`."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is set, by the file or by options; None is not set. `delay` in seconds; `notices` are Apprise's addresses,
    `metrics` a file, `ping` the address of a dead man's switch, `dataset` what is said of exported packages."""

    site: str | None = None
    contact: str | None = None
    delay: float | None = None
    images: bool | None = None
    notices: list[str] | None = None
    notice_command: str | None = None
    metrics: str | None = None
    ping: str | None = None
    dataset: dict[str, str] | None = None

    def said(self) -> dict[str, Any]:
        """Return what is set, by name, in the file's order."""
        return {name: getattr(self, name) for name in _DEFAULTS if getattr(self, name) is not None}


@dataclass(frozen=True, slots=True)
class Settled:
    """What a crawl goes by."""

    site: Value
    contact: Value
    delay: Value
    images: Value
    notices: Value
    notice_command: Value
    metrics: Value
    ping: Value
    dataset: Value


def read(directory: Path) -> Configuration:
    """Read an archive's file; without one, nothing is set. Raises UsageError for what the file cannot mean."""
    path = directory / FILE
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Configuration()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # TOML or UTF-8
        raise UsageError(f"{path}: not TOML: {' '.join(str(error).split())}") from None
    for name, value in told.items():
        if name not in _DEFAULTS:
            raise UsageError(f"{path}: {name!r} is no setting: there are {', '.join(_DEFAULTS)}")
        if wrong := trouble(name, value):
            raise UsageError(f"{path}: {name} = {reprlib.repr(value)}: {wrong}")
    return Configuration(**told)


def settle(directory: Path, options: Configuration, environment: Mapping[str, str] = os.environ) -> Settled:
    """Return what holds for an archive: options first, then environment, file, and what is usual.

    Raises UsageError for a site that is not the archive's.
    """
    file = read(directory)
    for name, value in options.said().items():
        if name != "site" and (wrong := trouble(name, value)):
            raise UsageError(f"--{name} {value!r}: {wrong}")
    surrounding = Configuration(contact=environment.get("UKNIP_CONTACT") or None)
    said = (("option", options), ("environment", surrounding), ("file", file))
    found = {
        name: next(
            (
                Value(getattr(where, name), source)
                for source, where in said
                if getattr(where, name) is not None
            ),
            Value(_DEFAULTS[name], "default"),
        )
        for name in _DEFAULTS
        if name != "site"
    }
    return Settled(_site(directory, options.site, file.site), **found)


def write(directory: Path, changes: Configuration) -> None:
    """Set values in an archive's file, made if need be; what else stands in it stays, comments too.

    Raises UsageError when the file that is there is damaged, StorageError when it cannot be written.
    """
    import tomlkit  # only here: reading is for the standard library

    read(directory)
    path = directory / FILE
    partial = path.with_name(f"{FILE}.partial")
    try:
        if path.exists():
            document = tomlkit.parse(path.read_text("utf-8"))
        else:
            document = tomlkit.document()
            document.add(tomlkit.comment(_HEAD))
        document.update(changes.said())
        directory.mkdir(parents=True, exist_ok=True)
        partial.write_text(tomlkit.dumps(document), "utf-8")
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def _site(directory: Path, asked: str | None, filed: str | None) -> Value:
    archived = archived_site(directory)
    said = load_site(filed).base_url if filed else None
    if archived and said and archived != said:
        raise UsageError(
            f"{directory / FILE}: site is {said}, but the archive is of {archived}: correct the file"
        )
    own = said or archived
    if asked is None:
        return Value(own or DEFAULT_BASE_URL, "file" if said else "archive" if archived else "default")
    wanted = load_site(asked).base_url
    if own and own != wanted:
        raise UsageError(f"{directory} archives {own}, not {wanted}: name another with --archive DIR")
    return Value(wanted, "option")


def trouble(name: str, value: Any) -> str | None:
    """Return what is wrong with a value, or None."""
    if name == "images":
        return None if isinstance(value, bool) else "say true or false"
    if name == "delay":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number and 0 <= value <= 86_400 else "give seconds between requests, such as 1.5"
    if name == "notices":
        if not isinstance(value, list):
            return 'give addresses as Apprise knows them in a list, such as ["mailto://..."]'
        return next((wrong for one in value if (wrong := trouble("notice", one))), None)
    if name == "dataset":
        if not isinstance(value, dict) or not value.keys() <= {*DATASET}:
            return f"a table of {', '.join(DATASET)}"
        return next((wrong for one in value.values() if (wrong := trouble("text", one))), None)
    if not isinstance(value, str) or any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        return "give one line of text in quotes"
    if name == "site":
        try:
            load_site(value)
        except UsageError:
            return f"give the site's address, such as {DEFAULT_BASE_URL}"
    if name == "metrics" and not Path(value).is_absolute():
        return "give the whole path of a file, such as /var/lib/node_exporter/uknip.prom"
    if name == "ping" and not value.startswith(("http://", "https://")):
        return "give an address, such as https://hc-ping.example/UUID"
    return None
