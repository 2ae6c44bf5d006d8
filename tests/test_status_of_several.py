"""A folder of archives told as one: what they hold together, what each wants, and one that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sample_archive import add_article, new_archive

from uknip_crawler.cli.contract import breach
from uknip_crawler.cli.status import command

SITES = {"one": ("https://www.uknip.co.uk/", 3, 0), "two": ("https://kent.example/", 2, 4)}
"""Address, number of stories, and how the last run ended."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two archives of two sites, one with a story gone and a run that found the site down."""
    for name, (base_url, stories, ended) in SITES.items():
        db = new_archive(tmp_path / name)
        db.execute(
            "UPDATE runs SET base_url = ?, finished_at = started_at, exit_status = ?", (base_url, ended)
        )
        db.conn.commit()
        for number in range(stories):
            status: dict[str, Any] = {"status": "gone"} if (name, number) == ("two", 0) else {}
            add_article(db, "", f"{name} {number}", url=f"{base_url}{number}/", **status)
        db.close()
    (tmp_path / "notes").mkdir()
    return tmp_path


def status(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_what_several_archives_hold_is_told_together_and_of_each(folder: Path) -> None:
    """In lines that begin with the sites; the verdict is that of the one that is to be looked at."""
    result = status(folder)
    assert result.exit_code == 0, result.output
    first, together, *each = result.stdout.splitlines()
    assert first == "look at this: kent.example: run 1 ended with status 4"
    assert together.startswith("  5 articles (4 live, 1 gone), 5 revisions, ")
    assert [line.split(":")[0] for line in each if not line.startswith(" ")] == [
        f"uknip.co.uk ({folder / 'one'})",
        f"kent.example ({folder / 'two'})",
    ]
    assert each[0].endswith(": healthy: nothing is amiss; run 1 began 2026-03-14T08:00:00Z")


def test_the_record_keeps_its_contract(folder: Path) -> None:
    """Sums, and of each archive the very record of `uknip status` on it alone."""
    told = json.loads(status(folder, "--json").stdout)
    assert breach(["status", str(folder), "--json"], told) is None
    assert (told["articles"], told["live"], told["gone"], told["revisions"]) == (5, 4, 1, 5)
    assert [(one["site"], one["error"]) for one in told["archives"]] == [
        ("uknip.co.uk", None), ("kent.example", None),
    ]  # fmt: skip
    alone = json.loads(status("--archive", folder / "two", "--json").stdout)
    assert breach(["status", "--json"], alone) is None
    assert told["archives"][1]["status"].keys() == alone.keys()
    assert {**told["archives"][1]["status"], "findings": None, "why": None} == {
        **alone, "findings": None, "why": None,
    }  # fmt: skip
    assert json.loads(status(folder / "two", "--json").stdout)["articles"] == 2


def test_one_that_cannot_be_read_keeps_no_other_back(folder: Path) -> None:
    """It is told with the reason, and its exit status is that of all."""
    (folder / "one" / "uknip.db").write_bytes(b"not a database" * 100)
    for suffix in ("-wal", "-shm"):
        (folder / "one" / f"uknip.db{suffix}").unlink(missing_ok=True)
    result = status(folder)
    assert result.exit_code == 5
    assert f"{folder / 'one'}: cannot be read: " in result.stdout
    assert "kent.example" in result.stdout
    told = json.loads(status(folder, "--json").stdout)
    assert (told["exit_status"], told["articles"]) == (5, 2)
    assert told["archives"][0]["status"] is None
    assert "no archive" in str(status(folder, folder / "notes").exception)
