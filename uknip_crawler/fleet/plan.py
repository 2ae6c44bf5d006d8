"""What a fleet is: Scrapyd servers and the sites that they crawl, in a file that people write."""

from __future__ import annotations

import re
import reprlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from uknip_crawler.configuration import trouble
from uknip_crawler.errors import UsageError
from uknip_crawler.sites import load_site

FILE = "fleet.toml"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OF_ALL = ("archives", "servers", "sites")


@dataclass(frozen=True, slots=True)
class Asking:
    """How a site is asked; None is left to its archive's `uknip.toml`. `delay` in seconds, `budget` in requests a run."""

    contact: str | None = None
    delay: float | None = None
    images: bool | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedSite:
    """A site of the fleet, and the folder of its archive as servers see it. `server` is the only one that may crawl it."""

    name: str
    url: str
    archive: Path
    server: str | None
    asking: Asking


@dataclass(frozen=True, slots=True)
class Plan:
    """Addresses of the servers (each ends in a slash) and the sites, both in the file's order."""

    servers: Mapping[str, str]
    sites: tuple[PlannedSite, ...]


def read(path: Path) -> Plan:
    """Read a fleet's file. Raises UsageError, naming the line's key, for what it cannot mean."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}; docs/scale.md shows how to write it"
        ) from None
    except (ValueError, RecursionError) as error:  # TOML or UTF-8
        raise UsageError(f"{path}: not TOML: {' '.join(str(error).split())}") from None
    try:
        return _plan(told, path.resolve().parent)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _plan(told: dict[str, Any], folder: Path) -> Plan:
    usual = {name: value for name, value in told.items() if name not in _OF_ALL}
    archives = told.get("archives")
    if not isinstance(archives, str) or not archives or "\0" in archives:
        raise UsageError('say where the archives are, such as archives = "/srv/archives"')
    servers = {name: _server(name, url) for name, url in _table(told, "servers").items()}
    sites = tuple(
        _site(name, said, folder / archives, servers, usual) for name, said in _table(told, "sites").items()
    )
    if len({site.url for site in sites}) < len(sites):
        raise UsageError("a site stands in it twice: one fetcher a site is all that it is asked to bear")
    return Plan(servers, sites)


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = told.get(name)
    if not isinstance(table, dict) or not table:
        raise UsageError(f"there is no [{name}]")
    for key in table:
        if not _NAME.fullmatch(key):
            raise UsageError(f"[{name}] {reprlib.repr(key)}: a name is of small letters, digits and hyphens")
    return table


def _server(name: str, url: Any) -> str:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.username or parts.query or parts.fragment or not url.isprintable():
        raise UsageError(f"[servers] {name}: give Scrapyd's address, such as http://north.example:6800/")
    return f"{url.rstrip('/')}/"


def _site(
    name: str, said: Any, archives: Path, servers: Mapping[str, str], usual: Mapping[str, Any]
) -> PlannedSite:
    own = {"url": said} if isinstance(said, str) else said
    if not isinstance(own, dict) or not isinstance(own.get("url"), str):
        raise UsageError(f'[sites] {name}: give its address, such as "https://news.example/"')
    server = own.get("server")
    if server is not None and (not isinstance(server, str) or server not in servers):
        raise UsageError(f"[sites] {name}: no such server; there are {', '.join(servers)}")
    asking = {**usual, **{key: value for key, value in own.items() if key not in ("url", "server")}}
    for key, value in asking.items():
        if wrong := _wrong(key, value):
            raise UsageError(f"{name}: {reprlib.repr(key)} = {reprlib.repr(value)}: {wrong}")
    return PlannedSite(name, load_site(own["url"]).base_url, archives / name, server, Asking(**asking))


def _wrong(key: str, value: Any) -> str | None:
    known = [field.name for field in fields(Asking)]
    if key not in known:
        return f"no setting; there are {', '.join(known)}"
    if key == "budget":
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return None if is_number and value > 0 else "give requests a run, such as 500"
    return trouble(key, value)
