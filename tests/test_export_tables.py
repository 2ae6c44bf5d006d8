"""Tables, fields and text: an export holds what was asked for, and what must not leave does not."""

from __future__ import annotations

import csv
import io
import json
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
    new_archive,
)
from sqlite_utils import Database

from uknip_crawler.cli import output
from uknip_crawler.cli.export import command
from uknip_crawler.errors import UsageError
from uknip_crawler.export import TABLES, Recipe

FERRY, SWAN, SECRET = f"{SITE}/ferry/", f"{SITE}/swan/", f"{SITE}/secret/"
WORDS = ("Larkspur", "Juniper", "Foxglove", "Bindweed", "Cowslip", "Teasel", "Yarrow")
"""One word for each place where a publisher's words can be; addresses and names have none of them."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A ferry story with everything, edited once; a swan story; a redacted one that visits and lists still name."""
    directory = tmp_path / "archive"
    db = new_archive(directory)
    blocks = json.dumps([{"kind": "paragraph", "text": "Juniper."}])
    flags = json.dumps(["modified_before_published"])
    ferry = add_article(
        db, "/ferry/", "Larkspur", "Juniper.", standfirst="Foxglove", kicker="Bindweed", blocks=blocks, time_flags=flags,
        section="travel", published_at="2024-07-01T22:30:00Z", revision_count=2, post_id=77, sources='{"url": "address"}',
    )  # fmt: skip
    add_revision(db, ferry, 2, "Yarrow", "Juniper.")
    add_authors(db, ferry, "Zoe Quay")
    add_image(db, ferry, 0, f"{SITE}/a.jpg", alt="Cowslip", caption="Teasel", credit="Al Pier")
    add_image(db, ferry, 1, f"{SITE}/b.jpg")
    add_article(db, "/swan/", "Swan", published_at="2020-09-16")
    secret = add_article(db, "/secret/", "Nobody", status="redacted")
    add_alias(db, secret, "/secret-alias/")
    add_image(db, secret, 0, f"{SITE}/nobody.jpg")
    for url, fields in (
        (FERRY, {"article_id": ferry, "outcome": "revised"}),
        (SECRET, {"article_id": secret, "outcome": "stored"}),
        (f"{SITE}/secret-alias/", {"outcome": "alias", "article_id": secret}),
        (f"{SITE}/linked/", {"outcome": "not_article", "found_on": SECRET}),
        (f"{SITE}/moved/", {"outcome": "alias", "redirected_to": SECRET, "detail": f"the story at {SECRET}"}),
        (f"{SITE}/lost/", {"outcome": "http_error", "status": 500, "detail": "HTTP 500"}),
        (f"{SITE}/bad/", {"outcome": "extract_error", "detail": "ValueError: 'Juniper'"}),
    ):
        row = {"run_id": 1, "url": url, "kind": "article", "found_by": "rest", "opened_at": CAPTURED}
        db.table("fetches").insert(row | {"closed_at": CAPTURED} | fields)
    db.close()
    return directory


def exported(archive: Path, *options: str, kind: str = "jsonl") -> str:
    arguments = [kind, "-o", "-", "--archive", str(archive), *options]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout_bytes.decode("utf-8-sig")


def records(archive: Path, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(archive, *options).splitlines()]


# Tables


def test_revisions_are_a_table_of_their_own(archive: Path) -> None:
    """Oldest story first, each with its states in order."""
    rows = records(archive, "--table", "revisions")
    assert [(row["article_url"], row["number"], row["headline"]) for row in rows] == [
        (SWAN, 1, "Swan"),
        (FERRY, 1, "Larkspur"),
        (FERRY, 2, "Yarrow"),
    ]


def test_images_are_a_table_of_their_own(archive: Path) -> None:
    """One record for each time a story shows one."""
    rows = records(archive, "--table", "images")
    assert [(row["article_url"], row["position"], row["url"], row["is_lead"]) for row in rows] == [
        (FERRY, 0, f"{SITE}/a.jpg", 1),
        (FERRY, 1, f"{SITE}/b.jpg", 0),
    ]
    assert (rows[0]["alt"], rows[0]["caption"], rows[0]["credit"], rows[1]["alt"]) == (
        "Cowslip",
        "Teasel",
        "Al Pier",
        None,
    )


def test_the_ledger_has_the_visits_that_led_nowhere_too(archive: Path) -> None:
    """In the order of the visits; the article is named where there is one."""
    rows = records(archive, "--table", "ledger")
    assert [row["url"] for row in rows] == [
        f"{SITE}/",
        FERRY,
        f"{SITE}/linked/",
        f"{SITE}/moved/",
        f"{SITE}/lost/",
        f"{SITE}/bad/",
    ]
    assert [row["article_url"] for row in rows] == [None, FERRY, None, None, None, None]
    assert (rows[4]["outcome"], rows[4]["status"], rows[4]["detail"]) == ("http_error", 500, "HTTP 500")


def test_filters_choose_articles_and_tables_follow(archive: Path) -> None:
    """The ledger then has the visits to those articles only; a limit counts articles, oldest first."""
    for table, count in (("articles", 1), ("revisions", 2), ("images", 2), ("ledger", 1)):
        rows = records(archive, "--table", table, "--section", "travel")
        assert {row.get("article_url") or row["url"] for row in rows} == {FERRY}
        assert len(rows) == count
    for table, count in (("articles", 1), ("revisions", 1), ("images", 0), ("ledger", 0)):
        assert len(records(archive, "--table", table, "--limit", "1")) == count
    assert len(records(archive, "--limit", "1", "--section", "travel")) == 1


@pytest.mark.fault("P01")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_redacted_stories_never_leave(archive: Path, table: str, kind: str) -> None:
    """Neither as a record nor by address, alias or mention."""
    text = exported(archive, "--table", table, kind=kind)
    assert not any(word in text for word in ("secret", "Nobody", "nobody"))


# Fields


def test_fields_come_in_the_order_named(archive: Path) -> None:
    """Also such as the default record does not have."""
    names = "time_flags,url,post_id,sources,blocks"
    swan, ferry = records(archive, "--fields", names)
    assert list(swan) == names.split(",")
    assert swan["time_flags"] == []
    assert ferry == {
        "time_flags": ["modified_before_published"],
        "url": FERRY,
        "post_id": 77,
        "sources": {"url": "address"},
        "blocks": [{"kind": "paragraph", "text": "Juniper."}],
    }
    rows = list(csv.reader(io.StringIO(exported(archive, "--fields", names, kind="csv"), newline="")))
    assert rows[0] == names.split(",")
    assert rows[2] == [
        "modified_before_published",
        FERRY,
        "77",
        '{"url": "address"}',
        json.dumps(ferry["blocks"]),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fields", "url,nothing"], r"no field 'nothing': choose from url, aliases, .*blocks"),
        (["--fields", ""], "no field ''"),
        (["--fields", "url,url"], "url is named twice"),
        (["--fields", "url, body", "--without-text"], "body is the publisher's text"),
        (["--table", "articles", "--table", "images"], "jsonl takes one table"),
    ],
)
def test_what_cannot_be_meant_is_one_line(archive: Path, options: list[str], message: str) -> None:
    """That says what there is, or what to do."""
    with pytest.raises(UsageError, match=message) as caught:
        exported(archive, *options)
    assert "\n" not in str(caught.value)


def test_fields_of_several_tables_are_ambiguous() -> None:
    """A package of one table can have chosen fields."""
    with pytest.raises(UsageError, match="--fields belong to one table"):
        Recipe("datapackage", ("articles", "images"), ("url",))
    assert Recipe("datapackage", ("images",), ("url",)).chosen("images")[0].name == "url"


def test_every_field_can_be_asked_for(archive: Path) -> None:
    """In every format there is a column for it."""
    for name, table in TABLES.items():
        fields = ",".join(field.name for field in table.fields)
        for kind in ("csv", "jsonl"):
            assert exported(archive, "--table", name, "--fields", fields, kind=kind)


# Text


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_without_text_no_word_of_the_publisher_leaves(archive: Path, table: str, kind: str) -> None:
    """Each place of text has a word of its own here; names, times, counts and digests stay."""
    whole = exported(archive, "--table", table, kind=kind)
    bare = exported(archive, "--table", table, "--without-text", kind=kind)
    assert any(word in whole for word in WORDS)
    assert not any(word in bare for word in WORDS)
    assert FERRY in bare


def test_without_text_says_what_is_left(archive: Path) -> None:
    """Pictures keep their address and credit."""
    ferry = records(archive, "--without-text")[1]
    assert {*records(archive)[1]} - {*ferry} == {"headline", "kicker", "standfirst", "body"}
    assert ferry["images"] == [
        {"url": f"{SITE}/a.jpg", "credit": "Al Pier"},
        {"url": f"{SITE}/b.jpg", "credit": None},
    ]
    assert (ferry["authors"], ferry["word_count"], len(ferry["body_sha256"])) == (["Zoe Quay"], 1, 64)


# Progress


def test_a_log_gets_a_line_a_minute(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a minute is nothing; standard error is no terminal."""
    arguments = ["jsonl", "-o", "-", "--archive", str(archive)]
    assert CliRunner().invoke(command, arguments).stderr == "2 articles → standard output\n"
    monkeypatch.setattr(output, "REPORT_SECONDS", 0.0)
    lines = CliRunner().invoke(command, arguments).stderr.splitlines()
    assert lines[:2] == ["Exporting: 1 of 2", "Exporting: 2 of 2"]


def test_the_default_place_tells_tables_apart(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revisions do not overwrite articles."""
    monkeypatch.chdir(tmp_path)
    for options in (["csv"], ["csv", "--table", "revisions"], ["datapackage"]):
        CliRunner().invoke(command, [*options, "--archive", str(archive)], catch_exceptions=False)
    names = sorted(path.name for path in Path("exports").iterdir() if not path.name.endswith(".json"))
    assert names == ["uknip-datapackage", "uknip-revisions.csv", "uknip.csv"]


def test_rows_are_sorted_by_an_index_not_in_memory(archive: Path) -> None:
    """Articles and their revisions stream out of the database in order."""
    db = Database(archive / "uknip.db")
    for name in ("articles", "revisions", "images", "ledger"):
        table = TABLES[name]
        sql = f"EXPLAIN QUERY PLAN SELECT 1 FROM {table.source} WHERE a.status <> 'redacted' ORDER BY {table.order}"
        plan = " ".join(str(row[3]) for row in db.conn.execute(sql))
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    db.close()
