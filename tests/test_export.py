"""Exports hold the right articles, whole, in order, the same every time, and safe to open."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sample_archive import (
    CAPTURED,
    SITE,
    add_alias,
    add_article,
    add_authors,
    add_image,
    add_revision,
    add_tags,
    new_archive,
)
from sqlite_utils import Database

from uknip_crawler.cli.export import command
from uknip_crawler.errors import StorageError, UknipError, UsageError
from uknip_crawler.export import Recipe, Selection, check_export, parse_day, write_export
from uknip_crawler.export.writing import sidecar

COLUMNS = [
    "url",
    "aliases",
    "headline",
    "kicker",
    "standfirst",
    "authors",
    "section",
    "tags",
    "published_at",
    "modified_at",
    "body",
    "images",
    "language",
    "word_count",
    "status",
    "revisions",
    "duplicate_of",
    "first_seen_at",
    "last_seen_at",
    "captured_at",
    "layout",
    "extractor_version",
    "body_sha256",
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Five stories: a full one, its sister copy (gone), a day-dated one, an undated one, a redacted one."""
    directory = tmp_path / "archive"
    db = new_archive(directory)
    full = add_article(
        db,
        "/news/uk/breaking/ferry-late/",
        "Ferry “late” again, say islanders",
        'The 7,40 ferry was "late".\n\n- Bring a coat\n\n- And Ciarán',
        kicker="TRAVEL NEWS",
        standfirst="No sailings before noon.",
        section="breaking",
        published_at="2024-07-01T22:59:59Z",
        modified_at="2024-07-02T06:00:00Z",
        revision_count=2,
        word_count=10,
    )
    add_alias(db, full, "/News/breaking/ferry-late/")
    add_alias(db, full, "/2024/07/01/ferry-late/")
    add_authors(db, full, "Zoe Quay", "Al Pier")
    add_tags(db, full, "Ferries", "Cowes")
    add_image(db, full, 0, f"{SITE}/a.jpg", alt="a ferry", caption="The quay", credit="Al Pier")
    add_image(db, full, 1, f"{SITE}/b.jpg")
    add_article(
        db,
        "/news/uk/breaking/ferry-late-2/",
        "Ferry late",
        section="travel",
        published_at="2024-07-01T23:00:00Z",
        status="gone",
        gone_at=CAPTURED,
        duplicate_of=full,
    )
    add_article(db, "/2020/09/16/swan/", "Swan stops traffic", section="Breaking", published_at="2020-09-16")
    add_article(db, "/news/uk/crime/undated/", "Undated cut-off story")
    redacted = add_article(db, "/news/uk/crime/secret/", "Nobody", status="redacted")
    add_article(db, "/news/uk/crime/twin/", "Twin", published_at="2025-01-01", duplicate_of=redacted)
    db.close()
    return directory


def exported(archive: Path, *options: str, kind: str = "jsonl") -> str:
    """Return what `uknip export` writes to standard output."""
    arguments = [kind, "-o", "-", "--archive", str(archive), *options]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout_bytes.decode("utf-8-sig")


def headlines(archive: Path, *options: str) -> list[str]:
    return [json.loads(line)["headline"] for line in exported(archive, *options).splitlines()]


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# The record


def test_a_json_line_is_the_whole_record(archive: Path) -> None:
    """Every field of the record, with lists in order and unknown as null."""
    record = next(json.loads(line) for line in exported(archive).splitlines() if "Zoe" in line)
    digest = record.pop("body_sha256")
    assert len(digest) == 64
    assert record == {
        "url": f"{SITE}/news/uk/breaking/ferry-late/",
        "aliases": [f"{SITE}/2024/07/01/ferry-late/", f"{SITE}/News/breaking/ferry-late/"],
        "headline": "Ferry “late” again, say islanders",
        "kicker": "TRAVEL NEWS",
        "standfirst": "No sailings before noon.",
        "authors": ["Zoe Quay", "Al Pier"],
        "section": "breaking",
        "tags": ["Ferries", "Cowes"],
        "published_at": "2024-07-01T22:59:59Z",
        "modified_at": "2024-07-02T06:00:00Z",
        "body": 'The 7,40 ferry was "late".\n\n- Bring a coat\n\n- And Ciarán',
        "images": [
            {"url": f"{SITE}/a.jpg", "alt": "a ferry", "caption": "The quay", "credit": "Al Pier"},
            {"url": f"{SITE}/b.jpg", "alt": None, "caption": None, "credit": None},
        ],
        "language": "en-GB",
        "word_count": 10,
        "status": "live",
        "revisions": 2,
        "duplicate_of": None,
        "first_seen_at": CAPTURED,
        "last_seen_at": CAPTURED,
        "captured_at": CAPTURED,
        "layout": "Labc123",
        "extractor_version": "1",
    }


def test_a_csv_row_says_the_same_with_lists_joined(archive: Path) -> None:
    """Lists are joined with `; `, pictures are their addresses, unknown is empty."""
    row = next(row for row in csv_rows(exported(archive, kind="csv")) if row["revisions"] == "2")
    assert row["aliases"] == f"{SITE}/2024/07/01/ferry-late/; {SITE}/News/breaking/ferry-late/"
    assert row["authors"] == "Zoe Quay; Al Pier"
    assert row["images"] == f"{SITE}/a.jpg; {SITE}/b.jpg"
    assert row["body"] == 'The 7,40 ferry was "late".\n\n- Bring a coat\n\n- And Ciarán'
    assert (row["duplicate_of"], row["word_count"], row["layout"]) == ("", "10", "Labc123")


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_the_columns_stand_in_the_documented_order(archive: Path, kind: str) -> None:
    """Whatever the format."""
    text = exported(archive, kind=kind)
    if kind == "csv":
        assert next(csv.reader(io.StringIO(text))) == COLUMNS
    else:
        record = json.loads(text)[0] if kind == "json" else json.loads(text.splitlines()[0])
        assert list(record) == COLUMNS


def test_a_near_duplicate_names_the_other_article(archive: Path) -> None:
    """By its address, not by a number nobody can look up in the export."""
    records = {r["headline"]: r for r in json.loads(exported(archive, kind="json"))}
    assert records["Ferry late"]["duplicate_of"] == f"{SITE}/news/uk/breaking/ferry-late/"
    assert records["Ferry late"]["status"] == "gone"


def test_redacted_articles_leave_no_trace(archive: Path) -> None:
    """Neither as a record nor as the original of a copy."""
    for kind in ("csv", "json", "jsonl"):
        text = exported(archive, kind=kind)
        assert "Nobody" not in text
        assert "secret" not in text
        assert "Twin" in text


def test_undated_articles_come_first_then_the_oldest(archive: Path) -> None:
    """A bare day sorts before the instants of that day."""
    assert headlines(archive) == [
        "Undated cut-off story",
        "Swan stops traffic",
        "Ferry “late” again, say islanders",
        "Ferry late",
        "Twin",
    ]


# Selecting


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--section", "breaking"], ["Swan stops traffic", "Ferry “late” again, say islanders"]),
        (["--tag", "cowes"], ["Ferry “late” again, say islanders"]),
        (["--status", "gone"], ["Ferry late"]),
        (["--search", "ferries", "--status", "live"], ["Ferry “late” again, say islanders"]),
        (["--author", "zoe quay"], ["Ferry “late” again, say islanders"]),
        (["--with-images"], ["Ferry “late” again, say islanders"]),
        (["--with-images", "--status", "gone"], []),
    ],
)
def test_options_narrow_the_export(archive: Path, options: list[str], expected: list[str]) -> None:
    """Together they all apply; no match is an empty export."""
    assert headlines(archive, *options) == expected


def test_only_what_was_edited_and_it_can_be_checked(archive: Path, tmp_path: Path) -> None:
    """The choice is kept beside the file, so that --check makes it again."""
    db = Database(archive / "uknip.db")
    add_revision(db, 3, 2, "Swan stops traffic again")
    db.close()
    assert headlines(archive, "--edited") == ["Swan stops traffic"]
    file = tmp_path / "edited.jsonl"
    write_export(archive, Recipe("jsonl", selection=Selection(edited=True)), file)
    assert check_export(archive, file).matches
    db = Database(archive / "uknip.db")
    add_revision(db, 4, 2, "Undated, edited")
    db.close()
    assert check_export(archive, file).outdated


def test_days_are_days_in_london(archive: Path) -> None:
    """22:59:59Z on 1 July is 23:59:59 in London; a second later it is the next day there."""
    assert headlines(archive, "--since", "2024-07-01", "--until", "2024-07-01") == [
        "Ferry “late” again, say islanders"
    ]
    assert headlines(archive, "--since", "2024-07-02", "--until", "2024-07-02") == ["Ferry late"]


@pytest.mark.parametrize("day", ["2020-09-16", "2025-01-01"])
def test_a_bare_day_is_inside_its_day_in_summer_and_in_winter(archive: Path, day: str) -> None:
    """Both ends are inclusive, and the days around it do not have it."""
    assert len(headlines(archive, "--since", day, "--until", day)) == 1
    before = str(date.fromordinal(parse_day(day).toordinal() - 1))
    after = str(date.fromordinal(parse_day(day).toordinal() + 1))
    assert headlines(archive, "--since", before, "--until", before) == []
    assert headlines(archive, "--since", after, "--until", after) == []


@pytest.mark.parametrize("day", ["yesterday", "2024-02-30", "01/02/2024", "2024-7-1T00", "9999-12-31", ""])
def test_a_bad_day_is_a_usage_error_of_one_line(day: str) -> None:
    """With the form that would be right."""
    with pytest.raises(UsageError, match="2026-03-31") as caught:
        parse_day(day)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.fault("E04")
@pytest.mark.parametrize(
    ("search", "count"),
    [
        ("cut-off", 1),
        ("story cut-off", 1),
        ("ferry NOT islanders", 1),
        ("headline: swan", 1),
        ("AND", 1),
        ("NEAR(", 0),
        ('"', 0),
        ('""', 0),
        ('"cut off', 1),
        ("*", 0),
        ("swan\0dive", 0),
        ("\udcff", 0),
        ("x " * 3000, 0),
        ("", 5),
        ("   ", 5),
    ],
)
def test_whatever_is_searched_for_there_is_an_answer(archive: Path, search: str, count: int) -> None:
    """Full-text operators where they are valid, else plain words; blank filters nothing."""
    assert len(headlines(archive, "--search", search)) == count


# Files


def export_to(archive: Path, destination: Path, *options: str, kind: str = "csv") -> Any:
    arguments = [kind, "-o", str(destination), "--archive", str(archive), *options]
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet"])
def test_an_unchanged_archive_exports_the_same_bytes(archive: Path, tmp_path: Path, kind: str) -> None:
    """Twice in a row, into a folder that did not exist."""
    first, second = tmp_path / "new" / "first", tmp_path / "second"
    export_to(archive, first, kind=kind)
    export_to(archive, second, kind=kind)
    assert first.read_bytes() == second.read_bytes() != b""
    assert sorted(path.name for path in first.parent.iterdir()) == ["first", "first.export.json"]


def test_the_closing_line_says_how_many_and_where(archive: Path, tmp_path: Path) -> None:
    """One line, or the same as JSON."""
    file = tmp_path / "out.csv"
    size = len(exported(archive, kind="csv").encode("utf-8-sig"))
    assert export_to(archive, file).stdout == f"5 articles → {file} ({size / 1000:.1f} kB)\n"
    summary = json.loads(export_to(archive, file, "--json").stdout)
    assert summary == {"articles": 5, "path": str(file), "size_bytes": size}


@pytest.mark.parametrize(
    ("option", "wanted", "told"),
    [
        ("--section", "brekking", "'brekking': there are 'breaking' (1)"),
        ("--tag", "nowhere", "'nowhere': there are "),
        ("--author", "Nobody", "'Nobody': there are "),
    ],
)
def test_a_name_that_no_article_has_is_told_with_those_that_there_are(
    option: str, wanted: str, told: str, archive: Path, tmp_path: Path
) -> None:
    """The likeliest first; nothing is written."""
    with pytest.raises(UsageError) as caught:
        export_to(archive, tmp_path / "out.csv", option, wanted)
    assert told in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_the_default_file_is_in_exports(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the working folder, named after the format."""
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(command, ["jsonl", "--archive", str(archive)], catch_exceptions=False)
    assert len(Path("exports/uknip.jsonl").read_text("utf-8").splitlines()) == 5


@pytest.mark.fault("E02")
def test_a_failed_export_leaves_the_old_file(archive: Path, tmp_path: Path) -> None:
    """Here the reading fails half-way."""
    file = tmp_path / "out.jsonl"
    file.write_text("old")

    def fail(rows: Any, total: int) -> Any:
        yield next(iter(rows))
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"cannot write .*out\.jsonl: No space left on device"):
        write_export(archive, Recipe("jsonl"), file, watch=fail)
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out.jsonl"]


@pytest.mark.fault("E02")
def test_a_killed_export_leaves_the_old_file_and_the_next_nothing_of_it(
    archive: Path, tmp_path: Path
) -> None:
    """SIGKILL while rows are being written; an export under way to the same place is left alone."""
    file = tmp_path / "out.jsonl"
    file.write_text("old")
    code = f"""
import time
from pathlib import Path
from uknip_crawler.export import Recipe, Selection, write_export
def slow(rows, total):
    for row in rows:
        yield row
        print("row", flush=True)
        time.sleep(60)
write_export(Path({str(archive)!r}), Recipe("jsonl"), Path({str(file)!r}), watch=slow)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"row\n"
        process.send_signal(signal.SIGKILL)
    assert file.read_text() == "old"
    assert list(tmp_path.glob(".out.jsonl.*.part"))
    under_way = tmp_path / f".out.jsonl.{os.getppid()}.part"
    under_way.touch()
    write_export(archive, Recipe("jsonl"), file)
    assert sorted(path.name for path in tmp_path.glob(".*")) == [under_way.name]


@pytest.mark.fault("E02")
def test_a_file_and_what_tells_of_it_appear_together_or_not_at_all(archive: Path, tmp_path: Path) -> None:
    """Where the second cannot be written the first is as it was: absent, or the old one."""
    folder = tmp_path / "out"
    destination = folder / "out.csv"
    sidecar(destination).mkdir(parents=True)
    with pytest.raises(StorageError):
        export_to(archive, destination)
    assert [path.name for path in folder.iterdir() if path.is_file()] == []
    destination.write_text("the old one")
    with pytest.raises(StorageError):
        export_to(archive, destination)
    assert destination.read_text() == "the old one"
    sidecar(destination).rmdir()
    export_to(archive, destination)
    made = json.loads(sidecar(destination).read_text())
    assert made["sha256"] == hashlib.sha256(destination.read_bytes()).hexdigest()
    note = sidecar(destination).read_bytes()
    destination.unlink()
    destination.mkdir()
    with pytest.raises(UknipError):
        export_to(archive, destination)
    assert sidecar(destination).read_bytes() == note
    assert [path.name for path in folder.iterdir() if path.name.endswith((".part", ".old"))] == []


def test_a_link_to_a_file_stays_a_link(archive: Path, tmp_path: Path) -> None:
    """The file it names is replaced."""
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    export_to(archive, link)
    assert link.is_symlink()
    assert target.stat().st_size > 0


def test_a_device_is_written_to_not_replaced(archive: Path) -> None:
    """Else an export as root to /dev/null would remove it."""
    export_to(archive, Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(("output", "error"), [(".", UsageError), ("/dev/null/x.csv", StorageError)])
def test_an_impossible_destination_is_one_line(archive: Path, output: str, error: type[UknipError]) -> None:
    """A folder is a usage error, an unwritable place a storage error."""
    with pytest.raises(error) as caught:
        export_to(archive, Path(output))
    assert "\n" not in str(caught.value)


def test_no_archive_is_one_line(tmp_path: Path) -> None:
    """And no file appears."""
    with pytest.raises(UsageError, match="no archive in"):
        export_to(tmp_path / "none", tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_archive_is_a_storage_error(tmp_path: Path) -> None:
    """One line that names the archive."""
    (tmp_path / "uknip.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="cannot open the archive"):
        export_to(tmp_path, tmp_path / "out.csv")


@pytest.mark.fault("E06")
def test_head_may_stop_reading(archive: Path) -> None:
    """No traceback, exit status 0."""
    db = Database(archive / "uknip.db")
    for number in range(300):
        add_article(db, f"/long/{number}", "Long", "words " * 500)
    db.close()
    arguments = [sys.executable, "-m", "uknip_crawler", "export", "csv", "-o", "-", "--archive", str(archive)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_full_disk_behind_standard_output_is_one_line(archive: Path) -> None:
    """Exit status 5, no traceback, also not from what was still buffered."""
    arguments = [sys.executable, "-m", "uknip_crawler", "export", "csv", "-o", "-", "--archive", str(archive)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b"uknip: cannot write standard output: No space left on device\n"
    assert done.returncode == 5


def test_a_crawl_may_write_meanwhile(archive: Path, tmp_path: Path) -> None:
    """The export is of one moment: a story stored half-way is not in it."""
    writer = Database(archive / "uknip.db")

    def interrupt(rows: Any, total: int) -> Any:
        for row in rows:
            add_article(writer, f"/late/{time.monotonic_ns()}", "Late story", published_at="2030-01-01")
            yield row

    summary = write_export(archive, Recipe("jsonl"), tmp_path / "out", watch=interrupt)
    writer.close()
    assert summary.rows == {"articles": 5}
    assert len((tmp_path / "out").read_text("utf-8").splitlines()) == 5


# Hostile text


def hostile_archive(directory: Path, texts: list[str]) -> Path:
    db = new_archive(directory)
    for number, text in enumerate(texts):
        add_article(db, f"/{number}/", text, text, published_at=f"2024-01-{number + 1:02d}")
    db.close()
    return directory


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "- Bring a coat", '=HYPERLINK("x";"y")']
HARMLESS = ["1-0 win", "a=b", "'quoted'", "“=1”", "x\n=1+1"]


@pytest.mark.fault("E01")
def test_no_csv_cell_begins_like_a_formula(tmp_path: Path) -> None:
    """OWASP's list, also behind white space; list items that open a body too."""
    rows = csv_rows(exported(hostile_archive(tmp_path, FORMULAS + HARMLESS), kind="csv"))
    assert [row["headline"] for row in rows] == ["'" + text for text in FORMULAS] + HARMLESS
    assert [row["body"] for row in rows] == ["'" + text for text in FORMULAS] + HARMLESS


@pytest.mark.fault("E01")
def test_raw_csv_and_json_keep_the_text(tmp_path: Path) -> None:
    """Programs get what is in the archive."""
    archive = hostile_archive(tmp_path, FORMULAS)
    rows = csv_rows(exported(archive, "--raw", kind="csv"))
    assert [row["headline"] for row in rows] == FORMULAS
    assert headlines(archive) == FORMULAS


def test_csv_opens_as_utf8_in_excel(archive: Path, tmp_path: Path) -> None:
    """A byte-order mark first, lines end CRLF (RFC 4180); --raw has no mark."""
    export_to(archive, tmp_path / "out.csv")
    data = (tmp_path / "out.csv").read_bytes()
    assert data.startswith(b'\xef\xbb\xbf"url","aliases",')
    assert data.count(b"\r\n") == 6
    export_to(archive, tmp_path / "out.csv", "--raw")
    assert (tmp_path / "out.csv").read_bytes().startswith(b'"url",')


@pytest.mark.fault("E06")
def test_any_text_makes_valid_json(tmp_path: Path) -> None:
    """Controls, quotes, line separators, astral characters, a NUL."""
    texts = ['"\\', "\x00\x01\x1f", "a\u2028b\u2029", "😀\U0010ffff", "\x7f\u202e", "</script>"]
    archive = hostile_archive(tmp_path, texts)
    assert [record["body"] for record in json.loads(exported(archive, kind="json"))] == texts
    lines = exported(archive).rstrip("\n").split("\n")
    assert [json.loads(line)["body"] for line in lines] == texts


def test_an_empty_archive_exports_nothing_validly(tmp_path: Path) -> None:
    """An empty array, no lines, a header."""
    new_archive(tmp_path).close()
    assert json.loads(exported(tmp_path, kind="json")) == []
    assert exported(tmp_path) == ""
    assert csv_rows(exported(tmp_path, kind="csv")) == []
    assert exported(tmp_path, kind="csv").startswith('"url","aliases"')


@pytest.mark.fault("E06")
def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    """30 MB of text pass through a process that may grow by 15 MB."""
    db = new_archive(tmp_path)
    with db.atomic():
        for number in range(1000):
            add_article(db, f"/{number}/", "Long", "0123456789" * 3000)
    db.close()
    code = f"""
import resource
from pathlib import Path
from uknip_crawler.export import Recipe, Selection, write_export
write_export(Path({str(tmp_path)!r}), Recipe("json", selection=Selection(section="none")), Path({os.devnull!r}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_export(Path({str(tmp_path)!r}), Recipe("json"), Path({os.devnull!r}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    grown_kilobytes = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert int(grown_kilobytes) < 15_000
