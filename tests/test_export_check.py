"""A frozen dataset says what it is, how it came to be and how to cite it; and whether an export still matches is told."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from sample_archive import (
    CAPTURED,
    SITE,
    add_alias,
    add_article,
    add_image,
    add_revision,
    add_tags,
    new_archive,
)
from sqlite_utils import Database

from uknip_crawler.cli.export import command
from uknip_crawler.errors import StorageError, UknipError, UsageError
from uknip_crawler.export import TABLES, Recipe, check_export, parquet, write_export

FILES = [
    "CITATION.cff",
    "README.md",
    "articles.csv",
    "datapackage.json",
    "images.csv",
    "ledger.csv",
    "revisions.csv",
    "ro-crate-metadata.json",
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three stories, one edited, one undated, one gone; hostile text; a crawl and an audit."""
    directory = tmp_path / "archive"
    db = new_archive(directory)
    ferry = add_article(
        db, "/ferry/", '=2+5 "quoted", and\nmore', "- Bring a coat\n\nJuniper é", section="travel",
        published_at="2024-07-01T22:30:00Z", modified_at="2024-07-02", revision_count=2,
    )  # fmt: skip
    add_revision(db, ferry, 2, "Later", "Juniper.")
    add_alias(db, ferry, "/old/")
    add_tags(db, ferry, "Ferries", "Cowes")
    add_image(db, ferry, 0, f"{SITE}/a.jpg", caption="Teasel")
    add_article(db, "/swan/", "Swan", published_at="2020-09-16", status="gone", gone_at=CAPTURED)
    add_article(db, "/undated/", "Undated")
    visit = {
        "run_id": 1,
        "url": f"{SITE}/ferry/",
        "kind": "article",
        "found_by": "rest",
        "opened_at": CAPTURED,
    }
    db.table("fetches").insert(visit | {"closed_at": CAPTURED, "outcome": "stored", "article_id": ferry})
    settings = json.dumps({"DOWNLOAD_DELAY": 1.0, "CONCURRENT_REQUESTS": 1})
    db.table("runs").update(1, {"finished_at": "2026-03-14T09:00:00Z", "settings": settings})
    audit = {"run_id": 1, "at": CAPTURED, "source": "rest", "sampled": 3, "compared": 3, "edited_since": 0}
    db.table("audits").insert(
        audit | {"not_offered": 0, "precision": 0.9995, "recall": 1.0, "exact_share": 2 / 3}
    )
    db.close()
    return directory


def run(archive: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(
        command, [*map(str, arguments), "--archive", str(archive)], catch_exceptions=False
    )


def package(archive: Path, folder: Path, *options: str) -> dict[str, Any]:
    """Export a data package; return its descriptor."""
    assert run(archive, "datapackage", "-o", folder, *options).exit_code == 0
    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text("utf-8"))
    return descriptor


def edit(archive: Path, sql: str) -> None:
    db = Database(archive / "uknip.db")
    with db.atomic():
        db.execute(sql)
    db.close()


# The data package


@pytest.mark.parametrize(
    "options", [(), ("--without-text",), ("--raw", "--section", "travel"), ("--limit", "1")]
)
def test_frictionless_finds_the_package_valid(
    archive: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Every cell by its type, keys and foreign keys, sizes, digests and numbers of rows."""
    package(archive, tmp_path / "dataset", *options)
    validate = [sys.executable, "-m", "frictionless", "validate", "datapackage.json", "--json"]
    done = subprocess.run(validate, cwd=tmp_path / "dataset", capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["valid"], report
    assert report["stats"] == report["stats"] | {"tasks": 4, "errors": 0, "warnings": 0}


def test_frictionless_sees_a_changed_cell(archive: Path, tmp_path: Path) -> None:
    """So the digests are where it looks for them."""
    package(archive, tmp_path / "dataset")
    articles = tmp_path / "dataset" / "articles.csv"
    articles.write_bytes(articles.read_bytes().replace(b"Swan", b"Swim"))
    validate = [sys.executable, "-m", "frictionless", "validate", "datapackage.json", "--json"]
    done = subprocess.run(validate, cwd=tmp_path / "dataset", capture_output=True, text=True, check=False)
    errors = [error["type"] for task in json.loads(done.stdout)["tasks"] for error in task["errors"]]
    assert errors == ["hash-count"]


def test_the_descriptor_says_what_the_files_are(archive: Path, tmp_path: Path) -> None:
    """Counts, sizes, digests, and every column with type, meaning and unit."""
    folder = tmp_path / "dataset"
    descriptor = package(archive, folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    counts = {resource["name"]: resource["rows"] for resource in descriptor["resources"]}
    assert counts == {"articles": 3, "revisions": 4, "images": 1, "ledger": 2}
    for resource in descriptor["resources"]:
        data = (folder / resource["path"]).read_bytes()
        assert (resource["bytes"], resource["hash"]) == (
            len(data),
            f"sha256:{hashlib.sha256(data).hexdigest()}",
        )
        header = next(csv.reader([data.decode().splitlines()[0]]))
        assert header == [field["name"] for field in resource["schema"]["fields"]]
        assert all(field["description"] for field in resource["schema"]["fields"])
    images = {field["name"]: field for field in descriptor["resources"][2]["schema"]["fields"]}
    assert (images["size_bytes"]["type"], images["size_bytes"]["unit"]) == ("integer", "byte")
    assert descriptor["resources"][1]["schema"]["primaryKey"] == ["article_url", "number"]
    assert "copyright" in descriptor["licenses"][0]["title"]


def test_the_id_is_what_sha256sum_says(archive: Path, tmp_path: Path) -> None:
    """Anybody can reckon it; the closing line tells it too."""
    folder = tmp_path / "dataset"
    descriptor = package(archive, folder)
    names = [resource["path"] for resource in descriptor["resources"]]
    listing = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True).stdout
    assert descriptor["id"] == hashlib.sha256(listing).hexdigest()
    closing = json.loads(run(archive, "datapackage", "-o", folder, "--json").stdout)
    assert closing["id"] == descriptor["id"]
    assert closing == closing | {"articles": 3, "revisions": 4, "images": 1, "ledger": 2, "path": str(folder)}
    assert closing["size_bytes"] == sum(path.stat().st_size for path in folder.iterdir())


def test_the_readme_tells_how_the_data_came_to_be(archive: Path, tmp_path: Path) -> None:
    """From the archive's own facts: site, span, counts, manners, versions, measured quality."""
    descriptor = package(archive, tmp_path / "dataset")
    readme = (tmp_path / "dataset" / "README.md").read_text("utf-8")
    for fact in (
        descriptor["id"],
        "The stories of https://uknip.co.uk/",
        "robots.txt obeyed, 1.0 seconds between requests, 1 at a time",
        "Crawls: 1, between 2026-03-14 and 2026-03-14 (uknip 0.1.0)",
        "3 articles, published between 2020-09-16 and 2024-07-01; 1 have no date",
        "2 were on the site when last visited, 1 had gone. 1 were seen to have been edited",
        "Extraction rules: 1 (",
        "precision 0.9995, recall 1.0000",
        "66.7 %",
        "all articles of the archive",
        "no licence to pass them on",
    ):
        assert fact in readme
    chosen = package(
        archive, tmp_path / "chosen", "--section", "travel", "--since", "2024-01-01", "--without-text"
    )
    readme = (tmp_path / "chosen" / "README.md").read_text("utf-8")
    assert "since = 2024-01-01, section = travel, without the publisher's text" in readme
    assert "1 articles, published between 2024-07-01 and 2024-07-01" in readme
    assert "can be passed on" in readme
    assert chosen["id"] != descriptor["id"]


def test_the_citation_is_a_citation_file(archive: Path, tmp_path: Path) -> None:
    """With what CFF 1.2.0 requires, and the id of the data."""
    descriptor = package(archive, tmp_path / "dataset")
    citation = yaml.safe_load((tmp_path / "dataset" / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= {*citation}
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "dataset")
    assert citation["date-released"] in ("2026-03-14", yaml.safe_load("2026-03-14"))
    assert citation["identifiers"][0]["value"] == f"sha256:{descriptor['id']}"


def test_what_its_keeper_said_once_is_in_every_part_of_a_package(archive: Path, tmp_path: Path) -> None:
    """Author, title, licence, DOI and contact from uknip.toml; the licence only of what the publisher did not write."""
    (archive / "uknip.toml").write_text(
        """[dataset]\nauthor = "Ann Lee"\ntitle = "Ferries"\nlicence = "CC-BY-4.0"\ndoi = "10.5281/zenodo.7"\ncontact = "ann@x.example"\n"""
    )
    folder = tmp_path / "dataset"
    run(archive, "datapackage", "-o", folder, "--without-text")
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    assert (descriptor["title"], descriptor["doi"], descriptor["licenses"][0]["name"]) == (
        "Ferries",
        "10.5281/zenodo.7",
        "CC-BY-4.0",
    )
    assert descriptor["contributors"] == [{"title": "Ann Lee", "role": "author", "email": "ann@x.example"}]
    citation = yaml.safe_load((folder / "CITATION.cff").read_text("utf-8"))
    assert (citation["authors"], citation["doi"], citation["license"]) == (
        [{"name": "Ann Lee"}],
        "10.5281/zenodo.7",
        "CC-BY-4.0",
    )
    readme = (folder / "README.md").read_text("utf-8")
    assert "Ann Lee: Ferries. Dataset, 2026-03-14, https://doi.org/10.5281/zenodo.7, sha256:" in readme
    crate = {one["@id"]: one for one in json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]}
    assert crate["./"]["identifier"] == "https://doi.org/10.5281/zenodo.7"
    assert crate[crate["./"]["author"]["@id"]]["name"] == "Ann Lee"
    assert f"sha256:{crate['articles.csv']['sha256']}" == descriptor["resources"][0]["hash"]
    assert {part["@id"] for part in crate["./"]["hasPart"]} == {*FILES} - {"ro-crate-metadata.json"}
    run(archive, "datapackage", "-o", folder)
    assert json.loads((folder / "datapackage.json").read_text())["licenses"][0]["name"] == "other-closed"
    (archive / "uknip.toml").write_text('[dataset]\ndoi = "zenodo"\n')
    with pytest.raises(UsageError, match="write it like"):
        run(archive, "datapackage", "-o", folder)


def test_the_same_archive_gives_the_same_package(archive: Path, tmp_path: Path) -> None:
    """Every file of it, to the byte; also over an older package."""
    package(archive, tmp_path / "one")
    package(archive, tmp_path / "two", "--table", "articles")
    package(archive, tmp_path / "two")
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "one", "two"]


def test_an_empty_archive_makes_an_empty_package(tmp_path: Path) -> None:
    """Without a crawl, a story or a date."""
    db = new_archive(tmp_path / "archive")
    db.execute("DELETE FROM fetches")
    db.execute("DELETE FROM runs")
    db.close()
    descriptor = package(tmp_path / "archive", tmp_path / "dataset")
    assert {resource["rows"] for resource in descriptor["resources"]} == {0}
    assert run(tmp_path / "archive", "--check", tmp_path / "dataset").exit_code == 0


def test_a_folder_of_other_things_is_never_replaced(archive: Path, tmp_path: Path) -> None:
    """A package is, and an empty folder."""
    folder = tmp_path / "papers"
    folder.mkdir()
    package(archive, folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        package(archive, folder)
    only_readme = tmp_path / "project"
    only_readme.mkdir()
    (only_readme / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        package(archive, only_readme)
    assert (folder / "notes.txt").read_text() == (only_readme / "README.md").read_text() == "mine"


@pytest.mark.parametrize("fails_at", ["articles", "ledger"])
def test_a_full_disk_leaves_the_old_package(archive: Path, tmp_path: Path, fails_at: str) -> None:
    """Whole, and nothing beside it."""
    folder = tmp_path / "dataset"
    package(archive, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    totals = {"articles": 3, "ledger": 2}

    def fail(rows: Any, total: int) -> Any:
        if total == totals[fails_at]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rows

    edit(archive, "UPDATE articles SET headline = 'Other'")
    with pytest.raises(StorageError, match=r"cannot write .*dataset: No space left on device"):
        write_export(archive, Recipe("datapackage", tuple(TABLES)), folder, watch=fail)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "dataset"]


@pytest.mark.parametrize(
    ("kind", "output", "message"),
    [
        ("datapackage", "-", "datapackage cannot go to standard output"),
        ("parquet", "-", "parquet cannot go to standard output"),
        ("datapackage", "archive/uknip.db", "is a file"),
        ("csv", "archive", "is a folder"),
    ],
)
def test_a_place_that_cannot_take_the_format_is_one_line(
    archive: Path, kind: str, output: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to name instead."""
    monkeypatch.chdir(archive.parent)
    with pytest.raises(UsageError, match=message):
        run(archive, kind, "-o", output)


# Still matching?


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet", "datapackage"])
def test_an_export_matches_until_the_archive_changes(archive: Path, tmp_path: Path, kind: str) -> None:
    """Exit status 0, then 3 with how many records there were and are."""
    out = tmp_path / "out"
    run(archive, kind, "-o", out)
    checked = run(archive, "--check", out)
    assert (checked.exit_code, checked.stdout.split(":")[0]) == (0, f"{out} matches the archive")
    edit(archive, "UPDATE articles SET headline = 'Other' WHERE headline = 'Swan'")
    checked = run(archive, "--check", out)
    assert checked.exit_code == 3
    assert (
        checked.stdout
        == f"{out} is as it was exported, but the archive now gives other articles (3 then, 3 now)\n"
    )
    run(archive, kind, "-o", out)
    assert run(archive, "--check", out).exit_code == 0


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet", "datapackage"])
def test_an_altered_file_is_told_from_a_changed_archive(archive: Path, tmp_path: Path, kind: str) -> None:
    """One byte is enough."""
    out = tmp_path / "out"
    run(archive, kind, "-o", out)
    file = out / "articles.csv" if kind == "datapackage" else out
    file.write_bytes(file.read_bytes().replace(b"Swan", b"Swim", 1))
    checked = run(archive, "--check", out)
    assert checked.exit_code == 3
    assert checked.stdout == f"{out} is not as it was exported: {file.name} differs\n"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parquet_is_compared_row_by_row(
    archive: Path, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of pyarrow writes other bytes; more or fewer rows are seen wherever a batch ends."""
    monkeypatch.setattr(parquet, "BATCH", size)
    out = tmp_path / "out"
    run(archive, "parquet", "-o", out)
    assert run(archive, "--check", out).exit_code == 0
    edit(archive, "UPDATE articles SET status = 'redacted' WHERE headline = 'Undated'")
    assert check_export(archive, out).now == {"articles": 2}
    assert check_export(archive, out).outdated == ["articles"]
    run(archive, "parquet", "-o", out)
    edit(archive, "UPDATE articles SET status = 'live' WHERE headline = 'Undated'")
    assert check_export(archive, out).outdated == ["articles"]
    out.write_bytes(b"PAR1 no more")
    assert check_export(archive, out).altered == ["out"]


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet", "datapackage"])
def test_what_changed_since_a_dataset_was_frozen(archive: Path, tmp_path: Path, kind: str) -> None:
    """Added, changed with its fields, moved, gone; what was only visited again is counted and no change."""
    out = tmp_path / "out"
    run(archive, kind, "-o", out)
    assert "+ " not in run(archive, "--diff", out).stdout
    db = Database(archive / "uknip.db")
    add_article(db, "/new/", "=New")
    db.execute("UPDATE articles SET url = ? WHERE url = ?", [f"{SITE}/quay/", f"{SITE}/ferry/"])
    ferry = db.execute("SELECT id FROM articles WHERE url = ?", [f"{SITE}/quay/"]).fetchone()[0]
    add_alias(db, ferry, "/ferry/")
    db.execute("UPDATE articles SET last_seen_at = '2027-01-01T00:00:00Z'")
    db.execute("UPDATE articles SET headline = '-Swans' WHERE headline = 'Swan'")
    db.execute("UPDATE articles SET status = 'redacted' WHERE headline = 'Undated'")
    db.conn.commit()
    db.close()
    told = json.loads(run(archive, "--diff", out, "--json").stdout)["tables"]["articles"]
    assert told == {
        "added": [f"{SITE}/new/"],
        "changed": [{"key": f"{SITE}/swan/", "fields": ["headline", "last_seen_at"]}],
        "moved": [
            {"from": f"{SITE}/ferry/", "to": f"{SITE}/quay/", "fields": ["url", "aliases", "last_seen_at"]}
        ],
        "gone": [f"{SITE}/undated/"],
        "reread": 0,
    }
    lines = run(archive, "--diff", out).stdout.splitlines()
    assert [line for line in lines if line.startswith(("+", "~"))][:2] == [
        f"+ {SITE}/new/",
        f"~ {SITE}/swan/  headline, last_seen_at",
    ]
    assert f"articles since {out}: 1 added, 1 changed, 1 moved, 1 gone" in lines
    run(archive, kind, "-o", out)
    edit(archive, "UPDATE articles SET last_seen_at = '2028-01-01T00:00:00Z'")
    assert (
        f"articles since {out}: 3 only visited or read again"
        in run(archive, "--diff", out).stdout.splitlines()
    )


def test_an_export_remembers_its_options(archive: Path, tmp_path: Path) -> None:
    """What they leave out may change; what they chose may not."""
    out = tmp_path / "out.csv"
    options = [
        "--section",
        "travel",
        "--since",
        "2024-01-01",
        "--fields",
        "url,headline",
        "--raw",
        "--limit",
        "5",
    ]
    run(archive, "csv", "-o", out, *options)
    edit(archive, "UPDATE articles SET headline = 'Other' WHERE headline = 'Swan'")
    edit(archive, "UPDATE articles SET kicker = 'NEW'")
    assert run(archive, "--check", out).exit_code == 0
    edit(archive, "UPDATE articles SET headline = 'Other'")
    record = json.loads(run(archive, "--check", out, "--json").stdout)
    assert record == {
        "path": str(out),
        "matches": False,
        "altered": [],
        "outdated": ["articles"],
        "then": {"articles": 1},
        "now": {"articles": 1},
    }


def test_a_package_names_the_tables_that_changed(archive: Path, tmp_path: Path) -> None:
    """A redaction takes a story's rows from all of them."""
    package(archive, tmp_path / "dataset")
    edit(archive, "UPDATE articles SET status = 'redacted' WHERE section = 'travel'")
    checked = run(archive, "--check", tmp_path / "dataset")
    assert checked.exit_code == 3
    for change in (
        "articles (3 then, 2 now)",
        "revisions (4 then, 2 now)",
        "images (1 then, 0 now)",
        "ledger (2 then, 1 now)",
    ):
        assert change in checked.stdout


def test_a_descriptor_with_another_id_is_altered(archive: Path, tmp_path: Path) -> None:
    """Digests and id vouch for one another."""
    descriptor = package(archive, tmp_path / "dataset")
    text = json.dumps(descriptor | {"id": "0" * 64})
    (tmp_path / "dataset" / "datapackage.json").write_text(text)
    assert check_export(archive, tmp_path / "dataset").altered == ["datapackage.json"]


GARBLED: list[Any] = [
    None, [], "x", {}, {"format": "csv"}, {"uknip": {}, "resources": [], "id": ""}, {"uknip": 1, "resources": {"a": 1}, "id": 0},
]  # fmt: skip


@pytest.mark.parametrize("garbled", GARBLED)
@pytest.mark.parametrize("kind", ["csv", "datapackage"])
def test_a_garbled_note_is_one_line(archive: Path, tmp_path: Path, kind: str, garbled: Any) -> None:
    """Whoever wrote it; likewise no JSON at all, and none."""
    out = tmp_path / "out"
    run(archive, kind, "-o", out)
    note = out / "datapackage.json" if kind == "datapackage" else tmp_path / "out.export.json"
    for text in (json.dumps(garbled), "{", "\x00\xff", "[" * 100_000):
        note.write_text(text)
        with pytest.raises(UsageError, match="does not say how the export was made; export it again"):
            run(archive, "--check", out)
    note.unlink()
    with pytest.raises(UsageError, match="it is not known how the export was made"):
        run(archive, "--check", out)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "exe"},
        {"format": "datapackage"},
        {"format": "datapackage", "tables": ["articles", "images"]},
        {"tables": ["sqlite_master"]},
        {"tables": ["articles", "images"]},
        {"tables": []},
        {"fields": ["1; DROP TABLE articles"]},
        {"filters": {"since": "yesterday"}},
        {"filters": {"nonsense": "x"}},
        {"filters": {"limit": "1"}},
        {"rows": {"articles": "many"}},
        {"rows": {}},
    ],
)
def test_a_hostile_note_is_one_line(archive: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    """Nothing of it reaches the database unchecked."""
    out = tmp_path / "out.csv"
    run(archive, "csv", "-o", out)
    note = tmp_path / "out.csv.export.json"
    note.write_text(json.dumps(json.loads(note.read_text("utf-8")) | change))
    with pytest.raises(UsageError) as caught:
        run(archive, "--check", out)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "nowhere.csv"], "there is no such file or folder"),
        (["csv", "--check", "nowhere.csv"], "stand alone"),
        (["--diff", "nowhere.csv"], "there is no such file or folder"),
        (["--check", "a", "--diff", "b"], "stand alone"),
        ([], "name a format: csv, json, jsonl, parquet, datapackage"),
    ],
)
def test_a_command_that_says_too_little_or_too_much_is_one_line(
    archive: Path, arguments: list[str], message: str
) -> None:
    """Usage errors, status 2."""
    with pytest.raises(UknipError, match=message) as caught:
        run(archive, *arguments)
    assert caught.value.exit_status == 2
