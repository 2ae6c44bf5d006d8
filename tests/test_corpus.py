"""Notebooks read the archive as plain typed objects, and nothing they do can harm it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sample_archive import (
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

from uknip_crawler import Corpus
from uknip_crawler.archive import Archive
from uknip_crawler.corpus import ArticleRecord, ImageRecord, RevisionRecord
from uknip_crawler.errors import UsageError
from uknip_crawler.export import TABLES

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.md"
README = Path(__file__).parent.parent / "README.md"
CAPTURE = datetime(2026, 3, 14, 8, tzinfo=UTC)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A ferry story with everything, edited once; a swan story with a day only; a redacted one."""
    db = new_archive(tmp_path / "archive")
    ferry = add_article(
        db,
        "/ferry/",
        "Ferry late",
        "No boats.",
        section="breaking",
        published_at="2024-07-01T22:30:00Z",
        revision_count=2,
    )
    add_revision(db, ferry, 2, "Ferry late again", "No boats, no buses.")
    add_alias(db, ferry, "/old-ferry/")
    add_authors(db, ferry, "Zoe Quay")
    add_tags(db, ferry, "Ferries", "Cowes")
    add_image(db, ferry, 0, f"{SITE}/a.jpg", alt="a ferry")
    add_article(db, "/swan/", "Swan stops traffic", section="travel", published_at="2020-09-16")
    add_article(db, "/secret/", "Nobody", status="redacted", section="breaking")
    db.close()
    return tmp_path / "archive"


def test_articles_come_typed_and_oldest_first(directory: Path) -> None:
    """Times are times, a day without a time is a date, lists are tuples."""
    swan, ferry = Corpus(directory)
    assert (swan.headline, swan.published_at, swan.authors, swan.images) == (
        "Swan stops traffic",
        date(2020, 9, 16),
        (),
        (),
    )
    assert ferry.published_at == datetime(2024, 7, 1, 22, 30, tzinfo=UTC)
    assert (ferry.first_seen_at, ferry.modified_at) == (CAPTURE, None)
    assert (ferry.url, ferry.aliases) == (f"{SITE}/ferry/", (f"{SITE}/old-ferry/",))
    assert (ferry.tags, ferry.authors, ferry.revisions) == (("Ferries", "Cowes"), ("Zoe Quay",), 2)
    assert ferry.images == (ImageRecord(f"{SITE}/a.jpg", "a ferry", None, None),)


def test_revisions_follow_their_article(directory: Path) -> None:
    """With the filters of articles."""
    states = list(Corpus(str(directory)).revisions(section="breaking"))
    assert [(state.number, state.headline) for state in states] == [
        (1, "Ferry late"),
        (2, "Ferry late again"),
    ]
    assert {state.article_url for state in states} == {f"{SITE}/ferry/"}
    assert states[0].captured_at == CAPTURE


def test_filters_are_those_of_the_export(directory: Path) -> None:
    """Days as text or as dates; a day that is none is told at once."""
    corpus = Corpus(directory)
    assert [a.headline for a in corpus.articles(since=date(2024, 7, 1))] == ["Ferry late"]
    assert [a.headline for a in corpus.articles(until="2020-09-16")] == ["Swan stops traffic"]
    assert [a.headline for a in corpus.articles(search="boats", status="live")] == ["Ferry late"]
    assert [a.headline for a in corpus.articles(limit=1)] == ["Swan stops traffic"]
    assert len(corpus) == 2
    with pytest.raises(UsageError, match="2026-03-31"):
        corpus.articles(since="yesterday")


def test_the_records_are_the_export_records() -> None:
    """Field by field, so that one document describes both."""
    for record, table in ((ArticleRecord, "articles"), (RevisionRecord, "revisions")):
        names = [field.name for field in fields(record)]
        assert names == [field.name for field in TABLES[table].fields if not field.is_extra]


def test_a_crawl_may_write_while_a_notebook_reads(directory: Path) -> None:
    """Neither waits for the other, and an iteration sees one moment."""
    with Archive(directory) as writing:
        reading = iter(Corpus(directory))
        next(reading)
        with writing.transaction():
            add_article(writing.db, "/late/", "Late", published_at="2030-01-01")
        assert [article.headline for article in reading] == ["Ferry late"]
        assert len(Corpus(directory)) == 3


def test_records_and_archive_cannot_be_changed(directory: Path) -> None:
    """The objects are frozen, and no iteration writes to the folder."""
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.suffix == ".db"}
    (swan, _) = Corpus(directory)
    with pytest.raises(FrozenInstanceError):
        swan.headline = "Other"  # type: ignore[misc]
    assert {path.name: path.read_bytes() for path in directory.iterdir() if path.suffix == ".db"} == before


def test_no_archive_is_one_line(tmp_path: Path) -> None:
    """At once, and no folder is made."""
    with pytest.raises(UsageError, match="no archive in"):
        Corpus(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def run(python: Path, code: str, folder: Path) -> str:
    """Return what a program prints; a warning ends it."""
    command = [python, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_pandas_takes_the_records(directory: Path, notebook: Path) -> None:
    """As a frame with one row a story, whose times can be reckoned with."""
    code = """
import pandas
from uknip_crawler import Corpus
frame = pandas.DataFrame(Corpus().articles())
print(*frame.columns)
print(pandas.to_datetime(frame.published_at, utc=True).dt.year.tolist())
"""
    columns, years = run(notebook, code, directory.parent).splitlines()
    assert columns.split() == [field.name for field in fields(ArticleRecord)]
    assert years == "[2020, 2024]"


def test_the_example_in_the_readme_runs(directory: Path, notebook: Path) -> None:
    """As printed there, beside an archive."""
    (example,) = re.findall(r"```python\n(.+?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(example.split("\n")) <= 12
    printed = run(notebook, example, directory.parent)
    assert "2 articles" in printed
    assert "2024-07-01 22:30:00+00:00 Ferry late 1 images" in printed


def test_the_worked_questions_have_the_archives_answers(directory: Path, notebook: Path) -> None:
    """Each block of the page as printed there, one after the other."""
    db = Database(directory / "uknip.db")
    first = db.execute("SELECT id FROM articles WHERE headline = 'Ferry late'").fetchone()[0]
    add_article(
        db,
        "/copy/",
        "Ferry later",
        section="travel",
        published_at="2024-07-02T08:00:00Z",
        duplicate_of=first,
        status="gone",
    )
    db.close()
    blocks = re.findall(r"```python\n(.+?)```", NOTEBOOK.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 6
    printed = run(
        notebook, "import matplotlib; matplotlib.use('agg')\n" + "\n".join(blocks), directory.parent
    )
    for answer in (
        "0 undated; 0.00 stories a day, 1 on the busiest",
        "14 March 2026: Ferry late → Ferry late again",
        "33.3% of stories had another headline",
        "33.3% of stories repeat another",
    ):
        assert answer in printed
    assert re.search(r"\n *Ferry later +travel +620 days\n", printed)
    for plot in ("stories-a-day", "edits", "deleted"):
        assert (directory.parent / f"{plot}.png").read_bytes().startswith(b"\x89PNG")
