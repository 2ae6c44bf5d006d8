"""A look over machine and archive finds each thing that is wrong, alone, and says what to do."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest
from crawling import crawl, newsroom
from processes import uknip
from sqlite_utils import Database

from uknip_crawler import doctor
from uknip_crawler.archive import DATABASE, Archive
from uknip_crawler.demo import SampleSite
from uknip_crawler.demo.faults import cut
from uknip_crawler.doctor import Finding, examine
from uknip_crawler.errors import StorageError

CHECKS = [
    "versions",
    "sqlite",
    "disk",
    "permissions",
    "clock",
    "settings",
    "site",
    "last run",
    "captures",
    "schedule",
]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def site() -> Iterator[SampleSite]:
    with SampleSite(newsroom(6)) as served:
        yield served


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, site: SampleSite) -> Path:
    """A small archive that knows a contact."""
    directory = tmp_path_factory.mktemp("crawled") / "archive"
    crawl(site, directory, "--limit", "3", "--contact", "ada@uni.example")
    return directory


@pytest.fixture
def archive(crawled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to spoil, on a machine where it is scheduled."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("UKNIP_CONTACT", raising=False)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in {
        "systemctl": "echo enabled",
        "crontab": "echo no crontab for me >&2; exit 1",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    directory = Path(shutil.copytree(crawled, tmp_path / "archive"))
    done = uknip("schedule", "--archive", str(directory), "--user", "--install")
    assert done.returncode == 0, done.stderr
    return directory


def look(directory: Path, now: datetime | None = None) -> dict[str, Finding]:
    return {one.check: one for one in examine(directory, now=now or datetime.now(UTC))}


def amiss(directory: Path, now: datetime | None = None) -> list[tuple[str, str]]:
    """Return what is not in order; each of it says what to do."""
    found = [one for one in look(directory, now).values() if one.state != "ok"]
    assert all(one.remedy for one in found)
    return [(one.check, one.state) for one in found]


def change(directory: Path, sql: str) -> None:
    db = Database(directory / DATABASE)
    db.execute(sql)
    db.close()


def test_where_all_is_well_nothing_is_found(archive: Path) -> None:
    """Every check is ok, and none has a remedy."""
    done = uknip("doctor", "--archive", str(archive), "--json")
    assert done.returncode == 0, done.stdout
    findings = json.loads(done.stdout)["findings"]
    assert [(one["check"], one["state"], one["remedy"]) for one in findings] == [
        (check, "ok", None) for check in CHECKS
    ]


def test_a_failure_is_status_3_with_its_remedy(archive: Path) -> None:
    """A database that is none: the rest is looked at nevertheless."""
    (archive / DATABASE).write_bytes(b"no database" * 1000)
    done = uknip("doctor", "--archive", str(archive))
    assert done.returncode == 3
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    (place,) = (n for n, line in enumerate(lines) if line.startswith("fail "))
    assert lines[place].split()[1] == "archive"
    assert "uknip verify" in lines[place + 1]


def test_without_an_archive_the_machine_is_looked_at(tmp_path: Path) -> None:
    """Nothing is made, and a newcomer is told how to begin."""
    found = look(tmp_path / "none")
    assert found["archive"].state == "warn"
    assert "uknip crawl" in str(found["archive"].remedy)
    assert found["sqlite"].state == found["versions"].state == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "state"), [(10**8, "fail"), (10**9, "warn"), (10**10, None)])
def test_little_room_is_told(
    free: int, state: str | None, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a crawl fills the disk."""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: Usage(10**11, 10**11 - free, free))
    assert amiss(archive) == ([("disk", state)] if state else [])


def test_a_library_of_another_version_is_told(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with the version that is needed."""
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "1.0" if name == "trafilatura" else real(name))
    assert amiss(archive) == [("versions", "fail")]
    assert "trafilatura 1.0" in look(archive)["versions"].what


def test_a_sqlite_that_lacks_something_is_told(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As builds without full-text search are."""

    def lacks() -> str:
        raise StorageError("SQLite 3.30.0: no such module: fts5")

    monkeypatch.setattr(doctor, "sqlite_version", lacks)
    assert amiss(archive) == [("sqlite", "fail")]


@pytest.mark.fault("O06")
@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC), [("clock", "fail")]),
        (timedelta(days=-1), [("clock", "fail")]),
        (timedelta(minutes=-2), []),
        (timedelta(days=7), []),
        (timedelta(days=9), [("last run", "warn")]),
    ],
)
def test_a_clock_that_is_wrong_and_a_run_long_ago_are_told(
    later: timedelta, expected: list[tuple[str, str]], archive: Path
) -> None:
    """Earlier than what the archive has lived through, or than this program; later than any schedule's span."""
    assert amiss(archive, datetime.now(UTC) + later) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, []),
        (143, []),
        (3, [("last run", "warn")]),
        (4, [("last run", "warn")]),
        (5, [("last run", "fail")]),
    ],
)
def test_how_the_last_run_ended_is_told(status: int, expected: list[tuple[str, str]], archive: Path) -> None:
    """Storage that failed is worse than a site that was down."""
    change(archive, f"UPDATE runs SET exit_status = {status}")
    assert amiss(archive) == expected


def test_a_killed_run_is_told_from_one_under_way(archive: Path) -> None:
    """By who holds the lock, which is left as it was."""
    change(archive, "UPDATE runs SET exit_status = NULL, finished_at = NULL")
    change(archive, "UPDATE warcs SET closed_at = NULL")
    assert amiss(archive) == [("last run", "warn"), ("captures", "warn")]
    with Archive(archive):
        assert amiss(archive) == []
        assert str(os.getpid()) in look(archive)["last run"].what
    with Archive(archive):
        pass


def test_settings_that_are_damaged_or_missing_are_told(archive: Path) -> None:
    """A site should be told how to reach whoever asks it."""
    (archive / "uknip.toml").write_text("site = 1\n")
    assert amiss(archive) == [("settings", "fail")]
    (archive / "uknip.toml").unlink()
    assert amiss(archive) == [("settings", "warn")]


def test_a_site_that_does_not_answer_is_told(archive: Path, site: SampleSite) -> None:
    """Refusals apart from silence; without robots.txt all is well."""
    for status, expected in ((404, []), (403, [("site", "warn")]), (503, [("site", "warn")])):
        site.fail = {"/robots.txt": status}
        assert amiss(archive) == expected
    site.fail = {"/robots.txt": cut(0)}
    assert amiss(archive) == []  # its head came
    site.fail = {}
    (archive / "uknip.toml").write_text('site = "http://127.0.0.1:9/"\ncontact = "ada@uni.example"\n')
    change(archive, "UPDATE runs SET base_url = 'http://127.0.0.1:9/'")
    assert amiss(archive) == [("site", "fail")]


def test_a_newer_versions_archive_is_told(archive: Path) -> None:
    """The remedy is no rebuild."""
    change(
        archive,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('uknip', 'm999', '2030')",
    )
    assert amiss(archive) == [("archive", "fail")]
    assert "upgrade" in str(look(archive)["archive"].remedy)


@pytest.mark.fault("O06")
def test_a_file_that_cannot_be_written_is_told(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != DATABASE)
    assert amiss(archive) == [("permissions", "fail")]
    assert str(archive / DATABASE) in look(archive)["permissions"].what


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_owner_is_told(archive: Path) -> None:
    """As a crawl leaves it that was once started as root."""
    name = next((archive / "warc").iterdir())
    os.chown(name, 65534, 65534)
    assert amiss(archive) == [("permissions", "warn")]
    assert str(name) in look(archive)["permissions"].what


def test_an_archive_that_nobody_crawls_is_told(archive: Path) -> None:
    """With the command that has it crawled."""
    assert uknip("schedule", "--archive", str(archive), "--remove").returncode == 0
    assert amiss(archive) == [("schedule", "warn")]
