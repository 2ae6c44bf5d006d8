"""Exports open in the programs they are made for: LibreOffice, DuckDB, pandas, jq; and Parquet is optional."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from capabilities import need_programs
from sample_archive import SITE, add_alias, add_article, add_image, add_tags, new_archive

from uknip_crawler.export import TABLES, Recipe, Selection, parquet, write_export
from uknip_crawler.export.tables import Table
from uknip_crawler.times import LONDON

TEXTS = [
    'He said "no", twice, and left; "why?"',
    "First line\n\nSecond line\n\n- item",
    "=1+1",
    "+44 20 7946 0000",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    '=HYPERLINK("https://example.org";"x")',
    "Ciarán – “naïve” café 😀 中文 עברית",
    "007",
    "1/2",
    "2024-01-02",
    "1e5",
    "TRUE",
    "a;b,c\td",
    "'quoted'",
    "",
]
"""Headlines and bodies that spreadsheets are known to spoil."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """One story for each text, dated day by day, the first with lists and pictures, the last without a date."""
    directory = tmp_path / "archive"
    db = new_archive(directory)
    for number, text in enumerate(TEXTS):
        date = None if number == len(TEXTS) - 1 else f"2024-01-{number + 1:02d}T10:00:00Z"
        story = add_article(
            db, f"/{number}/", text, text, published_at=date, section="1/2", word_count=number
        )
        if number == 0:
            add_alias(db, story, "/old/")
            add_tags(db, story, "Ferries", "Cowes")
            add_image(db, story, 0, f"{SITE}/a.jpg", alt="a ferry", credit="Al Pier")
    db.close()
    return directory


IN_ORDER = [TEXTS[-1], *TEXTS[:-1]]
"""The undated story comes first."""


def calc(source: Path, kind: str, folder: Path, *, quoted_as_text: bool = False) -> Path:
    """Have LibreOffice open a CSV file and save it as another kind; return what it made.

    It is opened as its dialogue proposes: comma, quotes, UTF-8, from line 1, columns standard, no special numbers.
    https://help.libreoffice.org/latest/en-US/text/shared/guide/csv_params.html
    """
    need_programs("soffice")
    opened = f"--infilter=Text - txt - csv (StarCalc):44,34,76,1,,0,{str(quoted_as_text).lower()},false"
    saved = kind if kind == "xlsx" else "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,false"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [
        "soffice",
        profile,
        "--headless",
        opened,
        "--convert-to",
        saved,
        "--outdir",
        str(folder),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    made = folder / f"{source.stem}.{kind}"
    assert made.exists(), done.stderr
    return made


def cells(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.reader(lines))


def test_csv_opens_rightly_in_libreoffice(archive: Path, tmp_path: Path) -> None:
    """No cell is cut, split, shifted or run: quotes, line ends, scripts and would-be formulas come back as they are.

    As opened by default a text that is wholly a number becomes that number, and nothing else changes.
    """
    write_export(archive, Recipe("csv"), tmp_path / "out.csv")
    ours = cells(tmp_path / "out.csv")
    assert len(ours) == len(TEXTS) + 1
    assert cells(calc(tmp_path / "out.csv", "csv", tmp_path / "texts", quoted_as_text=True)) == ours
    numbers = {"007": "7", "1e5": "100000"}
    as_numbers = [[numbers.get(cell, cell) for cell in row] for row in ours]
    assert cells(calc(tmp_path / "out.csv", "csv", tmp_path / "default")) == as_numbers


@pytest.mark.fault("E01")
def test_no_cell_is_a_formula_in_libreoffice(archive: Path, tmp_path: Path) -> None:
    """In the workbook it makes of the file, where a formula would show; with --raw there is one, so the test can see."""
    for raw in (False, True):
        write_export(archive, Recipe("csv", raw=raw), tmp_path / "out.csv")
        with zipfile.ZipFile(calc(tmp_path / "out.csv", "xlsx", tmp_path / "calc")) as workbook:
            sheet = workbook.read("xl/worksheets/sheet1.xml")
        assert (b"<f" in sheet) is raw


def test_json_lines_pass_through_jq(archive: Path, tmp_path: Path) -> None:
    """Each line is a value; texts arrive as they are."""
    need_programs("jq")
    write_export(archive, Recipe("jsonl"), tmp_path / "out.jsonl")
    command = [
        "jq",
        "-c",
        "[.headline, .body, (.tags | length), .images[0].alt]",
        str(tmp_path / "out.jsonl"),
    ]
    done = subprocess.run(command, capture_output=True, check=True)
    expected = [
        [text, text, 2 if text == TEXTS[0] else 0, "a ferry" if text == TEXTS[0] else None]
        for text in IN_ORDER
    ]
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def test_duckdb_reads_parquet(archive: Path, tmp_path: Path) -> None:
    """Lists as lists, pictures as structs, times as times; null is null."""
    file = tmp_path / "out.parquet"
    write_export(archive, Recipe("parquet"), file)
    sql = f"""SELECT headline, body, tags, images, word_count, published_at AT TIME ZONE 'UTC', published_on
        FROM '{file}' ORDER BY published_at NULLS FIRST"""
    rows = duckdb.sql(sql).fetchall()
    assert [row[0] for row in rows] == [row[1] for row in rows] == IN_ORDER
    assert rows[0][5] is None
    assert rows[1][2:5] == (
        ["Ferries", "Cowes"],
        [{"url": f"{SITE}/a.jpg", "alt": "a ferry", "caption": None, "credit": "Al Pier"}],
        0,
    )
    assert str(rows[1][5]) == "2024-01-01 10:00:00"
    assert rows[1][6] == date(2024, 1, 1)


def test_duckdb_reads_csv_and_json_lines(archive: Path, tmp_path: Path) -> None:
    """Without being told how."""
    for kind, reader in (("csv", "read_csv('{}', all_varchar = true)"), ("jsonl", "read_json('{}')")):
        file = tmp_path / f"out.{kind}"
        write_export(archive, Recipe(kind, raw=True), file)
        rows = duckdb.sql(f"SELECT coalesce(headline, ''), url FROM {reader.format(file)}").fetchall()
        assert [row[0] for row in rows] == IN_ORDER


def test_pandas_reads_parquet_and_csv(archive: Path, tmp_path: Path, notebook: Path) -> None:
    """The same table of both; times are times."""
    write_export(archive, Recipe("parquet"), tmp_path / "out.parquet")
    write_export(archive, Recipe("csv", raw=True), tmp_path / "out.csv")
    code = """
import json, pandas
table = pandas.read_parquet("out.parquet")
same = pandas.read_csv("out.csv", dtype=str, keep_default_na=False)
years = table.published_at.dt.year
print(json.dumps([table.headline.tolist(), same.body.tolist(), table.tags.str.len().tolist(), years.tolist()[1:]]))
"""
    done = subprocess.run([notebook, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    headlines, bodies, tags, years = json.loads(done.stdout)
    assert headlines == bodies == IN_ORDER
    assert tags == [0, 2] + [0] * (len(TEXTS) - 2)
    assert years == [2024] * (len(TEXTS) - 1)


# Parquet


def test_parquet_holds_the_records_of_json_lines(archive: Path, tmp_path: Path) -> None:
    """Field for field, in every table, also the fields that want to be named."""
    for name, table in TABLES.items():
        fields = tuple(field.name for field in table.fields)
        for kind in ("parquet", "jsonl"):
            write_export(archive, Recipe(kind, (name,), fields), tmp_path / f"out.{kind}")
        lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
        rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
        nested = [field.name for field in table.fields if field.type == "json"]
        for row in rows:
            row.update({key: json.loads(row[key]) for key in nested})
        assert rows == [_with_times(json.loads(line), table) for line in lines]


def _with_times(record: dict[str, Any], table: Table) -> dict[str, Any]:
    """Return a record of JSON lines with times as Parquet has them."""
    expected: dict[str, Any] = {}
    for field in table.fields:
        text = record[field.name]
        if field.type not in ("instant", "moment") or text is None:
            expected[field.name] = text
        else:
            expected[field.name] = datetime.fromisoformat(text) if "T" in text else None
        if field.type == "moment":
            at = expected[field.name]
            day = at.astimezone(LONDON).date() if at else text and date.fromisoformat(text)
            expected[field.name.replace("_at", "_on")] = day
    return expected


def test_parquet_knows_a_bare_day_from_an_instant(tmp_path: Path) -> None:
    """No instant is invented: a day without a time has no timestamp; an evening's story in June is of the London day."""
    db = new_archive(tmp_path)
    add_article(db, "/day/", "Day", published_at="2020-09-16")
    add_article(db, "/evening/", "Evening", published_at="2024-06-14T23:30:00Z")
    db.close()
    write_export(tmp_path, Recipe("parquet"), tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").select(["published_at", "published_on"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (None, date(2020, 9, 16)),
        (datetime(2024, 6, 14, 23, 30, tzinfo=UTC), date(2024, 6, 15)),
    ]


def test_parquet_comes_in_groups_and_an_empty_one_is_a_table(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compressed with zstd; every batch is on its way to the file before the next is read."""
    monkeypatch.setattr(parquet, "BATCH", 5)
    write_export(archive, Recipe("parquet"), tmp_path / "out.parquet")
    with pq.ParquetFile(tmp_path / "out.parquet") as file:
        assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [5, 5, 5, 2]
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    recipe = Recipe("parquet", selection=Selection(section="nowhere"))
    write_export(archive, recipe, tmp_path / "empty.parquet")
    assert pq.read_table(tmp_path / "empty.parquet").num_rows == 0


def test_without_pyarrow_parquet_is_one_line_and_the_rest_works(archive: Path, tmp_path: Path) -> None:
    """It names what to install."""
    code = """
import sys
sys.modules["pyarrow"] = None
from uknip_crawler.cli import main
main()
"""
    for kind, status, stderr in (
        ("parquet", 2, "uknip: Parquet needs pyarrow: uv sync --extra parquet\n"),
        ("csv", 0, ""),
    ):
        command = [
            sys.executable,
            "-c",
            code,
            "export",
            kind,
            "-o",
            str(tmp_path / kind),
            "--archive",
            str(archive),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (status, stderr)
    assert (tmp_path / "csv").exists()
    assert not (tmp_path / "parquet").exists()


# Interruption


@pytest.mark.fault("E02")
@pytest.mark.parametrize("kind", ["parquet", "datapackage"])
def test_a_killed_export_leaves_the_old(archive: Path, tmp_path: Path, kind: str) -> None:
    """SIGKILL while rows are being read; the next export is as if nothing had been."""
    out = tmp_path / "out"
    recipe = f'Recipe({kind!r}, ("articles",))'
    write_export(archive, Recipe(kind), out)
    before = {path.name: path.read_bytes() for path in ([out] if out.is_file() else out.iterdir())}
    code = f"""
import time
from pathlib import Path
from uknip_crawler.export import Recipe, write_export
def slow(rows, total):
    for row in rows:
        yield row
        print("row", flush=True)
        time.sleep(60)
write_export(Path({str(archive)!r}), {recipe}, Path({str(out)!r}), watch=slow)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"row\n"
        process.send_signal(signal.SIGKILL)
    assert {path.name: path.read_bytes() for path in ([out] if out.is_file() else out.iterdir())} == before
    write_export(archive, Recipe(kind), out)
    assert {path.name: path.read_bytes() for path in ([out] if out.is_file() else out.iterdir())} == before


@pytest.mark.fault("E06")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_stays_flat(tmp_path: Path, kind: str) -> None:
    """60 MB of text in batches of 100 pass through a process that may grow by 25 MB."""
    db = new_archive(tmp_path)
    with db.atomic():
        for number in range(2000):
            add_article(db, f"/{number}/", "Long", f"{number:05}" * 6000)
    db.close()
    code = f"""
import resource
from pathlib import Path
from uknip_crawler.export import Recipe, Selection, parquet, write_export
parquet.BATCH = 100
def export(**options):
    write_export(Path({str(tmp_path)!r}), Recipe({kind!r}, **options), Path({str(tmp_path / "out")!r}))
export(selection=Selection(limit=100))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
export()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    variables: dict[str, Any] = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 25_000
