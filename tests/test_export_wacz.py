"""The captures as one WACZ file: what other people's tools say of it, and that nothing is lost on the way there and back."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from crawling import content, rows
from sample_archive import SITE
from small_site import posts
from sqlite_utils import Database
from test_images import drawn
from test_import import HTML, Writer
from warcio.archiveiterator import ArchiveIterator

from uknip_crawler.archive import Archive
from uknip_crawler.cli.export import command
from uknip_crawler.errors import UsageError
from uknip_crawler.export import Recipe, Selection, check_export, diff_export, write_export
from uknip_crawler.export.surt import surt
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs import redaction
from uknip_crawler.jobs.import_warc import import_warcs
from uknip_crawler.models import Capture, Media

FIRST = datetime(2024, 6, 1, 9, tzinfo=UTC)
LATER = datetime(2024, 6, 2, 9, tzinfo=UTC)
IMPORTED = datetime(2024, 7, 1, tzinfo=UTC)
STORIES = posts(4)
PICTURE = f"{SITE}/wp-content/uploads/2024/05/barn.jpg"
"""Of the first story."""


def url_of(number: int) -> str:
    return f"{SITE}/{STORIES[number].path}"


def take_in(directory: Path, *files: Path) -> None:
    with Archive(directory) as archive:
        report = import_warcs(archive, f"{SITE}/", files, readers=Processes(1), clock=lambda: IMPORTED)
        assert report.damaged == []


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four stories; the first with a kept picture, the second later found unchanged, the third edited; one taken out."""
    folder = tmp_path_factory.mktemp("wacz")
    picture = drawn("JPEG")
    written = Writer(folder / "crawl.warc.gz")
    for number, post in enumerate(STORIES):
        shown = f'<p><img src="{PICTURE}" alt="A barn"></p>' if number == 0 else ""
        page = post.html().replace("<p>Crews", f"{shown}<p>Crews")
        written.add(url_of(number), page.encode(), FIRST + timedelta(seconds=number))
    written.add(url_of(1), b"", LATER, HTML, status="304 Not Modified", kind="revisit")
    edited = STORIES[2].html().replace("Nobody was hurt", "One firefighter was hurt")
    written.add(url_of(2), edited.encode(), LATER)
    directory = folder / "archive"
    take_in(directory, written.close())
    with Archive(directory) as held:
        with held.transaction():
            kept = held.images.write(PICTURE, picture, Media("image/jpeg", 321, 200), at=LATER)
            (image,) = held.db.execute("SELECT id FROM images WHERE url = ?", (PICTURE,)).fetchone()
            held.images.keep(image, kept)
        (story,) = held.db.execute("SELECT id FROM articles WHERE url = ?", (url_of(3),)).fetchone()
        redaction.redact(held, redaction.aim(held, [story]), "asked for", at=IMPORTED)
    return directory


@pytest.fixture(scope="module")
def box(archive: Path) -> Path:
    path = archive.parent / "out.wacz"
    summary = write_export(archive, Recipe("wacz", ()), path)
    assert (summary.rows, summary.damaged) == ({"articles": 3, "captures": 5, "images": 1}, 0)
    return path


def inside(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def index_of(path: Path) -> list[tuple[str, str, dict[str, str]]]:
    lines = gzip.decompress(inside(path)["indexes/index.cdx.gz"]).decode().splitlines()
    return [(key, at, json.loads(told)) for key, at, told in (line.split(" ", 2) for line in lines)]


def export(archive: Path, *options: str) -> Result:
    return CliRunner().invoke(command, ["wacz", "--archive", str(archive), *options])


# What others say of it


def test_the_validator_of_the_format_finds_it_valid(box: Path) -> None:
    """py-wacz checks the descriptor, its schema, that all files are named, and their digests."""
    done = subprocess.run(
        [sys.executable, "-m", "wacz", "validate", "-f", str(box)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Version detected as 1.1.1" in done.stdout
    assert "the passed WACZ is valid" in done.stdout


def test_the_index_is_what_another_indexer_makes_of_the_records(box: Path, tmp_path: Path) -> None:
    """Line for line, but for what a revisit repeats and the digests of records: cdxj-indexer, which py-wacz goes by."""
    with zipfile.ZipFile(box) as opened:
        files = [opened.extract(name, tmp_path) for name in opened.namelist() if name.startswith("archive/")]
    done = subprocess.run(
        [sys.executable, "-m", "cdxj_indexer.main", "--sort", *files],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
    theirs = [(key, at, json.loads(told)) for key, at, told in lines]
    ours = index_of(box)
    for _, _, told in ours:
        assert told.pop("recordDigest").startswith("sha256:")
    assert ours == theirs
    assert len(ours) == 6


def test_addresses_are_keyed_as_the_web_archives_key_them() -> None:
    """The oracle is the Internet Archive's own library; of two programs with other keys neither finds what is there."""
    addresses = [
        "https://www.UKNIP.co.uk/Breaking/News/breaking/A-Fire/",
        "https://uknip.co.uk",
        "http://www2.uknip.co.uk:80//news//uk/./crime/../x%2F%c3%a9?b=2&a=1&a=&C",
        "https://uknip.co.uk:8443/é?q=caf%C3%A9+au lait#there",
        "http://127.0.0.1:8080/100%25-sure%2525/",
        "https://uknip.co.uk/?",
        "https://uknip.co.uk/wp-json/wp/v2/posts?per_page=100&_fields=id,slug",
        "https://uknip.co.uk/..",
    ]
    code = "import json, sys, surt; print(json.dumps([surt.surt(url) for url in json.load(sys.stdin)]))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps(addresses), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [surt(url) for url in addresses] == json.loads(done.stdout)


def test_files_lie_where_a_reader_of_the_table_of_contents_alone_looks_for_them(box: Path) -> None:
    """ReplayWeb.page reckons a file's place from there: no room may stand at a file's begin that is not told of."""
    data = box.read_bytes()
    with zipfile.ZipFile(box) as opened:
        for info in opened.infolist():
            begin = info.header_offset
            names, extra = (int.from_bytes(data[begin + at : begin + at + 2], "little") for at in (26, 28))
            assert (names, extra, info.extra) == (len(info.filename), 0, b"")


# What is in it


def test_the_stories_are_its_pages(box: Path) -> None:
    """Headline, the moment of the capture that is read, words to search in; each is a line of the index."""
    header, *pages = map(json.loads, inside(box)["pages/pages.jsonl"].splitlines())
    assert header["format"] == "json-pages-1.0"
    assert [(page["title"], page["url"], page["ts"]) for page in pages] == [
        (STORIES[0].title, url_of(0), "2024-06-01T09:00:00Z"),
        (STORIES[1].title, url_of(1), "2024-06-01T09:00:01Z"),
        (STORIES[2].title, url_of(2), "2024-06-02T09:00:00Z"),
    ]
    assert "One firefighter was hurt" in pages[2]["text"]
    assert len({page["id"] for page in pages}) == 3
    known = {(told["url"], at) for _, at, told in index_of(box)}
    assert {(page["url"], page["ts"].translate({ord(c): None for c in "-T:Z"})) for page in pages} <= known


def test_every_line_of_the_index_leads_to_its_record_and_a_revisit_to_its_page(box: Path) -> None:
    """By file, offset and length; what was not modified names the capture with the page, and is under its digest."""
    files, index = inside(box), index_of(box)
    repeated = []
    for _, at, told in index:
        begin = int(told["offset"])
        member = files[f"archive/{told['filename']}"][begin : begin + int(told["length"])]
        (record,) = list(ArchiveIterator(BytesIO(member)))
        fields = record.rec_headers
        assert fields["WARC-Target-URI"] == told["url"]
        assert "".join(c for c in fields["WARC-Date"] if c.isdigit())[:14] == at
        if record.rec_type == "revisit":
            repeated.append(told["url"])
            assert (told["mime"], record.http_headers) == ("warc/revisit", None)
            assert fields["WARC-Refers-To-Target-URI"] == told["url"]
            assert fields["WARC-Refers-To-Date"].startswith("2024-06-01T09:00:01")
            assert [d["digest"] for _, a, d in index if (d["url"], a) == (told["url"], "20240601090001")] == [
                told["digest"]
            ]
    assert repeated == [url_of(1)]
    idx = files["indexes/index.idx"].decode().splitlines()
    assert idx[0] == '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'
    assert idx[1].startswith(f"{index[0][0]} {index[0][1]} {{")
    assert json.loads(idx[1].split(" ", 2)[2])["length"] == len(files["indexes/index.cdx.gz"])


def test_a_redacted_story_is_nowhere_in_it(archive: Path, box: Path) -> None:
    """Neither its page nor its address, nor the note that keeps it out, which tells the reason."""
    assert any("-redaction-" in path.name for path in (archive / "warc").iterdir())
    for name, data in inside(box).items():
        assert "-redaction-" not in name
        plain = gzip.decompress(data) if name.endswith(".gz") else data
        for secret in (STORIES[3].title, STORIES[3].path, "asked for", "sheep 28"):
            assert secret.encode() not in plain


def test_the_stories_come_back_from_it(archive: Path, box: Path, tmp_path: Path) -> None:
    """Our own import of it gives the same stories and revisions, and takes no picture for a page."""
    take_in(tmp_path / "back", box)
    before, after = content(archive), content(tmp_path / "back")
    before["articles"] = [row for row in before["articles"] if not row[0].startswith("redacted:")]
    assert len(before["revisions"]) == 4
    assert after == before
    assert rows(tmp_path / "back", "SELECT count(*) FROM fetches WHERE status = 304") == [(1,)]


# Whole, the same, and checked


def test_an_unchanged_archive_gives_the_same_bytes_and_is_found_to_match(
    archive: Path, box: Path, tmp_path: Path
) -> None:
    """Also through a pipe, and whatever is said of the dataset; a byte that differs is told, and so is another archive."""
    again = tmp_path / "again.wacz"
    result = export(archive, "-o", str(again))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"3 articles, 5 captures, 1 image → {again} (")
    assert again.read_bytes() == box.read_bytes()
    assert export(archive, "-o", "-").stdout_bytes.startswith(box.read_bytes())
    found = check_export(archive, again)
    assert found.matches, found.text()
    assert found.text() == f"{again} matches the archive: 3 articles, 5 captures, 1 images"
    data = bytearray(again.read_bytes())
    data[100] ^= 1
    again.write_bytes(data)
    assert check_export(archive, again).altered == ["again.wacz"]
    with pytest.raises(UsageError, match="holds captures, not records"):
        diff_export(archive, again)


def test_a_selection_has_the_captures_of_its_stories_alone(archive: Path, tmp_path: Path) -> None:
    """With their pictures; where none is chosen nothing is written, and it is said in one line."""
    path = tmp_path / "some.wacz"
    summary = write_export(archive, Recipe("wacz", (), selection=Selection(with_images=True)), path)
    assert summary.rows == {"articles": 1, "captures": 1, "images": 1}
    assert {told["url"] for _, _, told in index_of(path)} == {url_of(0), PICTURE}
    result = export(archive, "-o", str(tmp_path / "none.wacz"), "--status", "gone")
    assert "there is no capture of what was chosen" in str(result.exception)
    assert not (tmp_path / "none.wacz").exists()


@pytest.mark.parametrize(
    "options", [("--table", "images"), ("--fields", "url"), ("--without-text",), ("--raw",)], ids=str
)
def test_what_is_of_tables_is_refused(archive: Path, options: tuple[str, ...], tmp_path: Path) -> None:
    result = export(archive, "-o", str(tmp_path / "x.wacz"), *options)
    assert isinstance(result.exception, UsageError)
    assert "holds captures as received" in str(result.exception)


def test_what_is_damaged_is_left_out_and_told(archive: Path, tmp_path: Path) -> None:
    """The rest is whole; the exit status says that something failed. A file that is missing is another matter."""
    damaged = Path(shutil.copytree(archive, tmp_path / "archive"))
    [(name, offset)] = rows(
        damaged, "SELECT warc_name, warc_offset FROM fetches WHERE url = ? AND status = 200", url_of(1)
    )
    file = damaged / "warc" / name
    data = bytearray(file.read_bytes())
    data[offset + 300] ^= 0xFF
    file.write_bytes(data)
    result = export(damaged, "-o", str(tmp_path / "x.wacz"), "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert {key: told[key] for key in ("articles", "captures", "images", "damaged")} == {
        "articles": 2, "captures": 3, "images": 1, "damaged": 1,
    }  # fmt: skip
    assert "1 captures or images are damaged and left out" in result.stderr
    assert url_of(1) not in {told["url"] for _, _, told in index_of(tmp_path / "x.wacz")}
    file.unlink()
    assert "the file is missing" in str(export(damaged, "-o", str(tmp_path / "x.wacz")).exception)


def test_nothing_is_written_while_a_story_is_half_taken_out(archive: Path, tmp_path: Path) -> None:
    """What a run under way brought of redacted stories is not taken out yet either, so that its captures wait."""
    half = Path(shutil.copytree(archive, tmp_path / "archive"))
    db = Database(half / "uknip.db")
    db.execute("UPDATE runs SET finished_at = NULL")
    db.conn.commit()
    assert "there is no capture" in str(export(half, "-o", str(tmp_path / "x.wacz")).exception)
    db.execute("UPDATE redactions SET finished_at = NULL")
    db.conn.commit()
    db.close()
    assert "not taken out of all captures yet" in str(export(half, "-o", str(tmp_path / "x.wacz")).exception)


@pytest.mark.fault("E06")
def test_memory_stays_flat(tmp_path: Path) -> None:
    """20 MB of captures pass through a process that may grow by 8 MB."""
    noise = random.Random(7)
    with Archive(tmp_path) as held:
        with held.transaction():
            run = held.ledger.start_run("crawl", f"{SITE}/", {}, "1", at=FIRST)
        for number in range(40):
            url = f"{SITE}/{number}/"
            capture = Capture(url, 200, (HTML,), noise.randbytes(500_000), FIRST)
            record = held.capture(run, capture, None, at=FIRST)
            held.db.execute(
                "INSERT INTO fetches (run_id, url, kind, found_by, opened_at, closed_at, outcome, status, fetched_at, "
                "warc_name, warc_offset, warc_length) VALUES (?, ?, 'article', 'seed', ?, ?, 'stored', 200, ?, ?, ?, ?)",
                (run, url, *["2024-06-01T09:00:00Z"] * 3, record.name, record.offset, record.length),
            )
        held.db.conn.commit()
        held.finish_captures(at=FIRST)
    code = f"""
import resource
from pathlib import Path
from uknip_crawler.export import Recipe, Selection, write_export
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import uknip_crawler.export.wacz
before = used()
summary = write_export(Path({str(tmp_path)!r}), Recipe("wacz", ()), Path({str(tmp_path / "out.wacz")!r}))
assert summary.rows["captures"] == 40
print(used() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (tmp_path / "out.wacz").stat().st_size > 20_000_000
    assert int(done.stdout) < 8_000
