"""Debian's WordPress and the SQLite driver from npm: downloaded once, unpacked, never installed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

THEMES = ("twentytwentyone", "twentytwentytwo", "twentytwentythree")
PACKAGES = ("wordpress", *(f"wordpress-theme-{theme}" for theme in THEMES))
SQLITE_DRIVER = "@wp-playground/cli@3.1.56"  # carries sqlite-database-integration.zip, in 0.4 MB

_DOWNLOADERS = ("apt-get", "dpkg-deb", "npm")
_EXTENSIONS = {"pdo_sqlite": "php-sqlite3", "dom": "php-xml", "mbstring": "php-mbstring", "gd": "php-gd"}
_ASK_FOR_CONFIGURATION = "<?php require getenv('NEWSROOM_CONFIG');\n"


class Unavailable(Exception):
    """Something that WordPress is made of cannot be had on this machine."""


def missing_requirements(cache: Path) -> list[str]:
    """Name what is not installed: PHP and its extensions, and what downloads WordPress unless `cache` has it."""
    programs = ("php",) if (cache / "wordpress").exists() else ("php", *_DOWNLOADERS)
    missing = [program for program in programs if shutil.which(program) is None]
    if "php" not in missing:
        loaded = _run("php", "-m").lower().split()
        missing += [package for extension, package in _EXTENSIONS.items() if extension not in loaded]
    return missing


def unpacked_wordpress(cache: Path) -> Path:
    """Return the folder of an unpacked WordPress in `cache`, made there if need be.

    It is shared by all sites and never written to. Raises Unavailable when a download fails.
    """
    cache.mkdir(parents=True, exist_ok=True)
    wordpress = cache / "wordpress"
    with _lock(cache):
        if not wordpress.exists():
            partial = cache / "wordpress.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _unpack(_download(cache / "downloads"), partial)
            partial.rename(wordpress)
    return wordpress


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    if not all(any(folder.glob(f"{package}_*.deb")) for package in PACKAGES):
        # root without the sandbox user: that one may not write to a folder of ours
        sandbox = ("-o", "APT::Sandbox::User=root") if os.geteuid() == 0 else ()
        _run("apt-get", *sandbox, "download", "-q", *PACKAGES, cwd=folder)
    if not any(folder.glob("*.tgz")):
        _run("npm", "pack", "--silent", SQLITE_DRIVER, cwd=folder)
    return folder


def _unpack(downloads: Path, target: Path) -> None:
    files = target / "files"
    for package in downloads.glob("*.deb"):
        _run("dpkg-deb", "--extract", str(package), str(files))
    shutil.unpack_archive(next(downloads.glob("*.tgz")), files, filter="data")
    for entry in (files / "usr/share/wordpress").iterdir():
        entry.rename(target / entry.name)
    _add_sqlite(files / "package/sqlite-database-integration.zip", target / "wp-content")
    (target / "wp-config.php").write_text(_ASK_FOR_CONFIGURATION)
    shutil.rmtree(files)


def _add_sqlite(archive: Path, content: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(content / "plugins")
    plugin = (content / "plugins/plugin-sqlite-database-integration").rename(
        content / "plugins/sqlite-database-integration"
    )
    shutil.copy(plugin / "db.copy", content / "db.php")
    # the driver is for WordPress 6.2 and later; 6.1 reads this property from outside
    driver = plugin / "wp-includes/sqlite/class-wp-sqlite-db.php"
    name = "$allow_unsafe_unquoted_parameters"
    driver.write_text(driver.read_text().replace(f"private {name}", f"public {name}"))


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=300)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command)}: {error.stderr.strip()[-400:]}") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{' '.join(command)}: no end after 300 s") from None
    return done.stdout
