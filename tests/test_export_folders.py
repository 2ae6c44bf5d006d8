"""Parquet in folders by month as DuckDB reads them, and several archives exported as one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.dataset as ds
import pytest
from click.testing import CliRunner, Result
from sample_archive import add_article, add_image, add_revision, new_archive
from sqlite_utils import Database

from uknip_crawler.cli.export import command
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.export import Recipe, Selection, check_export, diff_export, parquet, write_export
from uknip_crawler.export.partitioned import groups
from uknip_crawler.export.snapshot import snapshots

UNDATED = "__HIVE_DEFAULT_PARTITION__"
BY_MONTH = Recipe("parquet", partition_by="month")
STORIES = {
    "Undated": None,
    "June, a bare day": "2024-06-30",
    "June, in London": "2024-06-30T22:59:59Z",
    "July already, in London": "2024-06-30T23:00:00Z",
    "July, a bare day": "2024-07-01",
    "New year": "2025-01-01T00:00:00Z",
}
"""Headlines and when each story was published: the ends of months, in London's summer and winter."""


def make(
    directory: Path, base_url: str = "https://uknip.co.uk/", stories: dict[str, str | None] = STORIES
) -> Path:
    db = new_archive(directory)
    db.execute("UPDATE runs SET base_url = ?, finished_at = started_at", (base_url,))
    db.conn.commit()
    for number, (headline, published) in enumerate(stories.items()):
        url = f"{base_url}{number}/"
        story = add_article(db, "", headline, url=url, published_at=published, section="travel")
        add_image(db, story, 0, f"{base_url}{number}.jpg")
    db.close()
    return directory


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make(tmp_path / "archive")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with archives of two sites, and what is none."""
    make(tmp_path / "archives" / "one")
    make(
        tmp_path / "archives" / "two",
        "https://www.kent.example/",
        {"Oast house opens": "2024-07-09T09:00:00Z", "Hop garden": None},
    )
    (tmp_path / "archives" / "notes").mkdir()
    return tmp_path / "archives"


def export(*options: object) -> Result:
    return CliRunner().invoke(command, [str(option) for option in options])


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def duck(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(
        sql.format(f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true)")
    ).fetchall()


# Partitions


def test_duckdb_reads_site_year_and_month_from_the_folders(archive: Path, tmp_path: Path) -> None:
    """Numbers as numbers, times as times, the undated as NULL; months are London's."""
    out = tmp_path / "out"
    summary = write_export(archive, BY_MONTH, out)
    assert summary.rows == {"articles": 6}
    assert summary.size_bytes == sum(map(len, files(out).values()))
    found = duck(
        out, "SELECT year, month, list(headline ORDER BY headline) FROM {} GROUP BY ALL ORDER BY 1, 2"
    )
    assert found == [
        (2024, 6, ["June, a bare day", "June, in London"]),
        (2024, 7, ["July already, in London", "July, a bare day"]),
        (2025, 1, ["New year"]),
        (None, None, ["Undated"]),
    ]
    assert duck(out, "SELECT DISTINCT site FROM {}") == [("uknip.co.uk",)]
    assert duck(out, "SELECT published_at AT TIME ZONE 'UTC' FROM {} WHERE year = 2025") == [
        (datetime(2025, 1, 1),)  # noqa: DTZ001  what DuckDB gives
    ]
    assert sorted(path for path in files(out) if path.endswith(".parquet")) == [
        f"site=uknip.co.uk/year={place}/part-0000.parquet"
        for place in ("2024/month=6", "2024/month=7", "2025/month=1", f"{UNDATED}/month={UNDATED}")
    ]


def test_arrow_reads_the_folder_too_and_takes_its_notes_for_none_of_the_data(
    archive: Path, tmp_path: Path
) -> None:
    """As Spark does, which leaves out names that begin with a line as well."""
    write_export(archive, BY_MONTH, tmp_path / "out")
    table = ds.dataset(tmp_path / "out", partitioning="hive").to_table()
    assert sorted(zip(table["headline"].to_pylist(), table["month"].to_pylist(), strict=True)) == sorted(
        zip(STORIES, [None, 6, 6, 7, 7, 1], strict=True)
    )
    card = (tmp_path / "out" / "_README.md").read_text("utf-8")
    assert "6 rows in 4 months, 1 of them undated" in card
    assert "| `headline` | Headline, without the site's name and without kicker. |" in card


@pytest.mark.parametrize("table", ["articles", "revisions", "images", "ledger"])
def test_every_table_is_whole_in_its_partitions(archive: Path, table: str, tmp_path: Path) -> None:
    """The same rows as in one file; of revisions and images in their story's month."""
    write_export(archive, Recipe("parquet", (table,)), tmp_path / "one.parquet")
    write_export(archive, Recipe("parquet", (table,), partition_by="month"), tmp_path / "out")
    columns = ", ".join(f'"{column}"' for column in duckdb.sql(f"FROM '{tmp_path}/one.parquet'").columns)
    one = duckdb.sql(f"SELECT {columns} FROM '{tmp_path}/one.parquet' ORDER BY ALL").fetchall()
    assert duck(tmp_path / "out", f"SELECT {columns} FROM {{}} ORDER BY ALL") == one
    if table == "images":
        assert duck(tmp_path / "out", "SELECT count(*) FROM {} WHERE month = 7") == [(2,)]


def test_a_month_that_comes_again_is_another_file(archive: Path, tmp_path: Path) -> None:
    """Visits are in the order in which they were made, whatever a clock said."""
    db = Database(archive / "uknip.db")
    for number, at in enumerate(("2026-04-01T00:00:00Z", "2026-03-20T00:00:00Z"), start=2):
        visit = {"id": number, "run_id": 1, "url": f"https://uknip.co.uk/{number}", "kind": "article"}
        db.table("fetches").insert(visit | {"found_by": "seed", "opened_at": at})
    db.close()
    write_export(archive, Recipe("parquet", ("ledger",), partition_by="month"), tmp_path / "out")
    assert duck(tmp_path / "out", "SELECT month, count(*) FROM {} GROUP BY 1 ORDER BY 1") == [(3, 2), (4, 1)]
    assert (tmp_path / "out/site=uknip.co.uk/year=2026/month=3/part-0001.parquet").is_file()


def test_a_selection_without_a_story_is_a_folder_with_columns(archive: Path, tmp_path: Path) -> None:
    write_export(
        archive, Recipe("parquet", selection=Selection(status="gone"), partition_by="month"), tmp_path / "out"
    )
    assert duck(tmp_path / "out", "SELECT headline FROM {}") == []


def test_partitions_are_the_same_each_time_and_checked(archive: Path, tmp_path: Path) -> None:
    """A byte, a missing file, a story that came since: each is told; and what changed is, record by record."""
    out = tmp_path / "out"
    result = export("parquet", "--partition-by", "month", "-o", out, "--archive", archive)
    assert result.exit_code == 0, result.output
    before = files(out)
    write_export(archive, BY_MONTH, out)
    assert files(out) == before
    assert check_export(archive, out).text() == f"{out} matches the archive: 6 articles"
    june = "site=uknip.co.uk/year=2024/month=6/part-0000.parquet"
    (out / june).write_bytes(before[june][:-1] + b"x")
    (out / "site=uknip.co.uk/year=2025/month=1/part-0000.parquet").unlink()
    assert check_export(archive, out).altered == [
        june, "site=uknip.co.uk/year=2025/month=1/part-0000.parquet",
    ]  # fmt: skip
    write_export(archive, BY_MONTH, out)
    db = Database(archive / "uknip.db")
    add_article(db, "/new/", "New", published_at="2024-08-01")
    db.close()
    checked = check_export(archive, out)
    assert (checked.altered, checked.outdated, checked.then, checked.now) == (
        [], ["articles"], {"articles": 6}, {"articles": 7},
    )  # fmt: skip
    assert diff_export(archive, out)["articles"].added == [("https://uknip.co.uk/new/",)]


@pytest.mark.fault("E02")
def test_the_folder_appears_whole_or_not_at_all(archive: Path, tmp_path: Path) -> None:
    """A reading that fails half-way and a kill leave the old one; what is no such folder is not replaced."""
    out = tmp_path / "out"
    write_export(archive, BY_MONTH, out)
    before = files(out)

    def fail(rows: Any, total: int) -> Any:
        yield next(iter(rows))
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device"):
        write_export(archive, BY_MONTH, out, watch=fail)
    code = f"""
import time
from pathlib import Path
from uknip_crawler.export import Recipe, write_export
def slow(rows, total):
    for number, row in enumerate(rows):
        yield row
        if number == 2:
            print("row", flush=True)
            time.sleep(60)
write_export(Path({str(archive)!r}), Recipe("parquet", partition_by="month"), Path({str(out)!r}), watch=slow)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"row\n"
        process.send_signal(signal.SIGKILL)
    assert files(out) == before
    write_export(archive, BY_MONTH, out)
    assert files(out) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (out / "letter.txt").write_text("Mine.")
    with pytest.raises(UsageError, match="holds other files"):
        write_export(archive, BY_MONTH, out)


def test_one_file_is_open_at_a_time_and_a_batch_in_memory(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows go by as they are read: none is asked for before the last file's rows are used up."""
    monkeypatch.setattr(parquet, "BATCH", 1)
    asked: list[int] = []

    def watch(rows: Any, total: int) -> Any:
        for number, row in enumerate(rows):
            asked.append(number)
            yield row

    with snapshots([archive]) as moments:
        for number, (_, rows) in enumerate(groups(moments, BY_MONTH, watch)):
            assert len(asked) == (1, 2, 4, 6)[number]
            assert len(list(rows)) == (1, 2, 2, 1)[number]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("csv", "--partition-by", "month"), "--partition-by is for parquet"),
        (("parquet", "--partition-by", "month", "-o", "-"), "cannot go to standard output"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(archive: Path, options: tuple[str, ...], told: str) -> None:
    result = export(*options, "--archive", archive)
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)


# Several archives


def test_a_folder_of_archives_is_exported_as_one_with_a_column_for_the_site(two: Path) -> None:
    """The first column of every record, archive by archive, in JSON as in CSV; filters and counts are of all."""
    result = export("jsonl", two, "-o", "-", "--fields", "headline")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(record) for record in records] == [["site", "headline"]] * 8
    assert [(record["site"], record["headline"]) for record in records] == [
        *(("uknip.co.uk", headline) for headline in STORIES),
        ("kent.example", "Hop garden"),
        ("kent.example", "Oast house opens"),
    ]
    assert result.stderr == "8 articles → standard output\n"
    text = export(
        "csv", two / "two", two / "one", "-o", "-", "--fields", "headline", "--since", "2024-07-09", "--raw"
    )
    assert (
        text.stdout_bytes.decode()
        == '"site","headline"\r\n"kent.example","Oast house opens"\r\n"uknip.co.uk","New year"\r\n'
    )


def test_the_partitions_of_several_sites_lie_side_by_side(two: Path, tmp_path: Path) -> None:
    """The site is told by the folders, and by no column besides."""
    out = tmp_path / "out"
    assert export("parquet", two, "--partition-by", "month", "-o", out).exit_code == 0
    found = duck(out, "SELECT site, count(*) FROM {} WHERE year = 2024 AND month = 7 GROUP BY 1 ORDER BY 1")
    assert found == [("kent.example", 1), ("uknip.co.uk", 2)]
    assert export("--check", out, two).stdout == f"{out} matches the archive: 8 articles\n"


def test_an_export_of_several_is_checked_against_several(two: Path, tmp_path: Path) -> None:
    """They are named again; without them the way is said. What changed in one of them is told."""
    out = tmp_path / "out.csv"
    assert export("csv", two, "-o", out).exit_code == 0
    assert export("--check", out, two).exit_code == 0
    assert "is of several archives: name them" in str(export("--check", out).exception)
    db = Database(two / "two" / "uknip.db")
    db.execute("UPDATE articles SET headline = 'Hop garden sold' WHERE headline = 'Hop garden'")
    db.conn.commit()
    add_revision(db, 2, 2, "Hop garden sold")
    db.close()
    assert export("--check", out, two).exit_code == 3
    assert export("--diff", out, two).stdout.splitlines() == [
        "~ kent.example https://www.kent.example/1/  headline", f"articles since {out}: 1 changed",
    ]  # fmt: skip


def test_what_is_of_one_archive_or_of_none_is_said(two: Path, tmp_path: Path) -> None:
    """A data package and a WACZ file tell of one; a section that is in none of them is unknown."""
    for kind in ("datapackage", "wacz"):
        assert f"{kind} is of one archive" in str(export(kind, two).exception)
    for folders in ([two / "notes"], [two, two / "notes"]):
        assert "no archive" in str(export("csv", *folders, "-o", tmp_path / "x").exception)
    assert "name a format" in str(export(two).exception)
    refused = export("csv", two, "-o", tmp_path / "x", "--section", "sport")
    assert "'sport': there are 'travel' (8)" in str(refused.exception)
    assert not (tmp_path / "x").exists()
