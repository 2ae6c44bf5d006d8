"""Pages that other crawlers captured: wget's own files, warcio's, and every way such files are packed or damaged."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from capabilities import need_programs
from crawling import NOW, Archived, content, crawl, newsroom, rows
from processes import uknip
from sample_archive import SITE, add_article, new_archive
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from uknip_crawler.archive import Archive
from uknip_crawler.archive.warc.lenient import ForeignWarc
from uknip_crawler.archive.warc.records import Damage, Loaded, Record
from uknip_crawler.demo import SampleSite
from uknip_crawler.discovery.addresses import parse
from uknip_crawler.errors import UsageError
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.jobs.import_warc import _matches
from uknip_crawler.jobs.recover import recover
from uknip_crawler.sites import load_site

FIRST = datetime(2024, 3, 14, 9, 30, tzinfo=UTC)
SECOND = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
HTML = ("Content-Type", "text/html; charset=UTF-8")


class Writer:
    """A WARC file as warcio writes it, one record after the other."""

    def __init__(self, path: Path, *, gzipped: bool = True) -> None:
        self.path = path
        self._file = path.open("wb")
        self._writer = WARCWriter(self._file, gzip=gzipped)

    def add(
        self,
        url: str,
        body: bytes,
        at: datetime,
        *headers: tuple[str, str],
        status: str = "200 OK",
        kind: str = "response",
    ) -> None:
        http = StatusAndHeaders(status, [*(headers or (HTML,))], protocol="HTTP/1.1")
        date = {"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._writer.write_record(
            self._writer.create_warc_record(
                url, kind, payload=BytesIO(body), length=len(body), http_headers=http, warc_headers_dict=date
            )
        )

    def repeat(self, url: str, at: datetime, digest: str, first: datetime) -> None:
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        record = self._writer.create_revisit_record(
            url, digest=digest, refers_to_uri=url, refers_to_date=first.strftime(stamp),
            warc_headers_dict={"WARC-Date": at.strftime(stamp)},
        )  # fmt: skip
        self._writer.write_record(record)

    def close(self) -> Path:
        self._file.close()
        return self.path


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return bytes(answer.read())


def capture_all(site: SampleSite, path: Path, at: datetime) -> Path:
    """Write every story's page as it is now into a WARC file, each a second after the other."""
    writer = Writer(path)
    for place, post in enumerate(site.newsroom.truth()):
        writer.add(site.url(post.path), get(site.url(post.path)), at + timedelta(seconds=place))
    return writer.close()


@pytest.fixture(scope="module")
def two_states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SampleSite, Path, Path]]:
    """The sample site captured in 2024 and, after a day's work, in 2025."""
    folder = tmp_path_factory.mktemp("warcs")
    with SampleSite(newsroom(30)) as site:
        first = capture_all(site, folder / "first.warc.gz", FIRST)
        site.newsroom.work(NOW + timedelta(days=1))
        yield site, first, capture_all(site, folder / "second.warc.gz", SECOND)


def import_warc(directory: Path, site: SampleSite, *files: Path, expect: int = 0) -> dict[str, object]:
    done = uknip(
        "import-warc", *map(str, files), "--base-url", site.base_url, "--archive", str(directory), "--json"
    )
    assert done.returncode == expect, done.stderr + done.stdout
    report: dict[str, object] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="module")
def once(two_states: tuple[SampleSite, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of both states, taken in at once, the later one first; only to be read, and copied."""
    site, first, second = two_states
    directory = tmp_path_factory.mktemp("imported") / "once"
    import_warc(directory, site, second, first)
    return directory


def lives(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is told of stories, with the captures' times."""
    times = "SELECT url, first_seen_at, last_seen_at, last_changed_at, captured_at FROM articles ORDER BY url"
    edits = "SELECT url, number, kind, r.captured_at FROM revisions r JOIN articles a ON a.id = article_id ORDER BY 1, 2"
    addresses = "SELECT url, first_seen_at, last_seen_at FROM aliases ORDER BY url"
    told = {name: rows(directory, query) for name, query in (("t", times), ("e", edits), ("a", addresses))}
    return {**content(directory), **told}


def test_the_order_of_import_makes_no_difference(
    two_states: tuple[SampleSite, Path, Path], once: Path, tmp_path: Path
) -> None:
    """Oldest first, newest first, both at once; and once more changes nothing."""
    site, first, second = two_states
    for name, files in {"on": (first, second), "back": (second, first)}.items():
        for file in files:
            import_warc(tmp_path / name, site, file)
    assert lives(tmp_path / "on") == lives(tmp_path / "back") == lives(once)
    again = import_warc(tmp_path / "on", site, first, second)
    assert again["taken"] == 0
    assert again["held"] == again["records"]
    assert lives(tmp_path / "on") == lives(once)
    assert uknip("verify", "--archive", str(tmp_path / "on")).returncode == 0


def test_an_imported_story_has_the_life_its_captures_show(
    two_states: tuple[SampleSite, Path, Path], once: Path
) -> None:
    """The newsroom's truth: texts as they are now, edits as they were made, each at its capture's time."""
    site, _, _ = two_states
    texts = dict(rows(once, "SELECT url, body FROM articles"))
    truth = {site.url(post.path): post.body for post in site.newsroom.truth()}
    assert {url for url in truth if texts.get(url) != truth[url]} == set()
    edits = rows(once, "SELECT kind, captured_at FROM revisions WHERE number > 1")
    assert sorted(kind for kind, _ in edits) == ["correction", "headline", "update"]
    assert {at[:10] for _, at in edits} == {"2025-01-02"}
    assert {
        at[:10] for (at,) in rows(once, "SELECT first_seen_at FROM articles WHERE revision_count > 1")
    } == {"2024-03-14"}
    due = rows(once, "SELECT count(*) FROM frontier WHERE due_at IS NOT NULL")
    assert due == rows(once, "SELECT count(*) FROM articles")


def test_a_past_is_added_to_a_crawled_archive(
    two_states: tuple[SampleSite, Path, Path], tmp_path: Path
) -> None:
    """What is live stays as it was crawled; the older captures come before it, and say nothing of today."""
    site, first, second = two_states
    crawl(site, tmp_path)
    now = rows(
        tmp_path, "SELECT url, body, headline, status, captured_at, last_seen_at FROM articles ORDER BY url"
    )
    import_warc(tmp_path, site, first, second)
    still = "SELECT url, body, headline, status, captured_at, last_seen_at FROM articles WHERE url IN (SELECT url FROM fetches WHERE run_id = 1) ORDER BY url"
    assert rows(tmp_path, still) == now
    assert rows(tmp_path, "SELECT DISTINCT substr(first_seen_at, 1, 4) FROM articles ORDER BY 1")[0] == (
        "2024",
    )
    assert rows(tmp_path, "SELECT count(*) FROM revisions WHERE number > 1") == [(3,)]
    assert crawl(site, tmp_path)["outcomes"].get("revised", 0) == 0


def test_a_killed_import_is_simply_run_again(
    two_states: tuple[SampleSite, Path, Path], once: Path, tmp_path: Path
) -> None:
    """Killed in the middle, the next import takes what is missing and ends the same."""
    site, first, second = two_states
    command = [
        sys.executable,
        "-m",
        "uknip_crawler",
        "import-warc",
        str(first),
        str(second),
        "--base-url",
        site.base_url,
        "--archive",
    ]
    killed = subprocess.Popen(
        [*command, str(tmp_path / "killed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not _stored(tmp_path / "killed"):
        time.sleep(0.01)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    import_warc(tmp_path / "killed", site, first, second)
    assert lives(tmp_path / "killed") == lives(once)
    assert rows(tmp_path / "killed", "SELECT count(*) FROM fetches WHERE outcome IS NULL") == [(0,)]


def test_what_a_killed_import_stored_is_looked_at_by_the_next_crawl(tmp_path: Path) -> None:
    """Also when nobody imports again: no list of the site may name those stories."""
    db = new_archive(tmp_path)
    db.execute("UPDATE runs SET kind = 'import'")
    story = add_article(db, "/news/kent/ferry-sinks-in-ramsgate/", "Ferry sinks in Ramsgate")
    db.execute("UPDATE fetches SET article_id = ?, outcome = 'stored', closed_at = opened_at", (story,))
    db.conn.commit()
    db.close()
    with Archive(tmp_path) as archive:
        recover(archive, load_site(f"{SITE}/"), clock=lambda: NOW)
    assert rows(tmp_path, "SELECT url, reason, article_id FROM frontier") == [
        (f"{SITE}/news/kent/ferry-sinks-in-ramsgate/", "new", story)
    ]


def test_a_capture_with_traces_blacked_out_is_not_taken_again(tmp_path: Path) -> None:
    """Its digest is another one since the redaction; it is the same capture all the same."""
    page = '<html><body><a href="{url}">Ferry sinks off Ramsgate pier tonight</a><p>{text}</p></body></html>'
    with SampleSite(newsroom(6)) as site:
        first, second = (site.url(post.path) for post in site.newsroom.published()[:2])
        writer = Writer(tmp_path / "two.warc.gz")
        writer.add(first, get(first), FIRST)
        writer.add(site.url("/about-us/"), page.format(url=first, text="About us.").encode(), FIRST)
        writer.add(second, get(second), FIRST)
        path = writer.close()
        assert import_warc(tmp_path / "a", site, path)["taken"] == 3
        done = uknip("redact", first, "--reason", "asked", "--yes", "--archive", str(tmp_path / "a"))
        assert done.returncode == 0, done.stderr
        altered = "SELECT count(*) FROM fetches WHERE url = ? AND warc_name IS NOT NULL"
        assert rows(tmp_path / "a", altered, site.url("/about-us/")) == [(1,)]
        report = import_warc(tmp_path / "a", site, path)
    assert (report["held"], report["outcomes"]) == (2, {"redacted": 1})


def _stored(directory: Path) -> bool:
    try:
        return rows(directory, "SELECT count(*) FROM articles")[0][0] > 0
    except Exception:  # noqa: BLE001  # no database yet, or no table in it
        return False


def test_an_import_is_rebuilt_from_the_archives_own_files(once: Path, tmp_path: Path) -> None:
    """The files that were imported are needed no longer, and the next crawl looks at the same stories."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    before = lives(tmp_path)
    due = "SELECT url, kind, reason FROM frontier WHERE due_at IS NOT NULL ORDER BY url"
    waiting = rows(tmp_path, due)
    for file in tmp_path.glob("uknip.db*"):
        file.unlink()
    assert uknip("rebuild", "--archive", str(tmp_path)).returncode == 0
    assert lives(tmp_path) == before
    assert rows(tmp_path, due) == waiting != []


def test_wget_writes_what_we_read(tmp_path: Path) -> None:
    """Its own WARC, and a second one whose unchanged pages are revisits of the first (--warc-dedup)."""
    need_programs("wget")
    with SampleSite(newsroom(20)) as site:
        listed = tmp_path / "addresses.txt"
        listed.write_text("\n".join(site.url(post.path) for post in site.newsroom.truth()))
        base = [
            "wget",
            "--quiet",
            "--execute",
            "robots=off",
            "--input-file",
            str(listed),
            "--output-document",
            "/dev/null",
        ]
        subprocess.run([*base, "--warc-file=one", "--warc-cdx"], cwd=tmp_path, check=True)
        time.sleep(1.1)  # a second is the least that a WARC-Date of wget's tells
        subprocess.run([*base, "--warc-file=two", "--warc-dedup=one.cdx"], cwd=tmp_path, check=True)
        alone = import_warc(tmp_path / "alone", site, tmp_path / "two.warc.gz", expect=3)
        assert "import the file that holds it" in str(alone["damaged"])
        import_warc(tmp_path / "archive", site, tmp_path / "two.warc.gz", tmp_path / "one.warc.gz")
        truth = {site.url(post.path): post.body for post in site.newsroom.truth()}
    assert dict(rows(tmp_path / "archive", "SELECT url, body FROM articles")) == truth
    seen = rows(tmp_path / "archive", "SELECT count(*) FROM articles WHERE last_seen_at > first_seen_at")
    assert seen == [(20,)]
    assert rows(tmp_path / "archive", "SELECT count(*) FROM revisions") == [(20,)]


# Files as they come


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    writer = Writer(tmp_path / "pages.warc.gz")
    for number in range(6):
        writer.add(
            f"https://uknip.co.uk/news/uk/breaking/story-{number}/", b"<p>%d</p>" % number * 500, FIRST
        )
    return writer.close()


def found(path: Path) -> tuple[list[str], list[str]]:
    """Return the last letters of the addresses found, and what is said of damage."""
    warc = ForeignWarc(path)
    records = list(warc.records())
    loaded = [warc.load(record.place) for record in records if isinstance(record, Record)]
    assert all(isinstance(one, Loaded) for one in loaded)
    warc.close()
    damage = [one.reason for one in records if isinstance(one, Damage)]
    return [one.url[-2] for one in records if isinstance(one, Record)], damage


@pytest.mark.fault("V05")
def test_a_file_is_read_however_it_is_packed(pages: Path, tmp_path: Path) -> None:
    """One gzip member a record, one for all, none."""
    plain = gzip.decompress(pages.read_bytes())
    (tmp_path / "whole.warc.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "plain.warc").write_bytes(plain)
    for path in (pages, tmp_path / "whole.warc.gz", tmp_path / "plain.warc"):
        assert found(path) == (list("012345"), [])


@pytest.mark.fault("V03", "V04")
def test_only_what_is_damaged_is_lost(pages: Path, tmp_path: Path) -> None:
    """A flipped byte, a torn tail, a wrong length: every other record is read, and the damage is said."""
    data = bytearray(pages.read_bytes())
    plain = bytearray(gzip.decompress(bytes(data)))
    third = plain.index(b"story-2")
    length = plain.index(b"Content-Length: ", third) + len(b"Content-Length: ")
    plain[length : length + 1] = b"9"
    (tmp_path / "length.warc").write_bytes(plain)
    (tmp_path / "torn.warc").write_bytes(gzip.decompress(pages.read_bytes())[:-500])
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "flipped.warc.gz").write_bytes(data)
    (tmp_path / "torn.warc.gz").write_bytes(pages.read_bytes()[:-20])
    (tmp_path / "torn-whole.warc.gz").write_bytes(
        gzip.compress(gzip.decompress(pages.read_bytes()), 0)[:-600]
    )
    assert found(tmp_path / "length.warc") == (list("01345"), ["its length is wrong"])
    assert found(tmp_path / "torn.warc") == (list("01234"), ["the file ends in the middle of the record"])
    urls, damage = found(tmp_path / "flipped.warc.gz")
    assert (len(urls), len(damage)) == (5, 1)
    assert found(tmp_path / "torn.warc.gz")[0] == list("01234")
    assert found(tmp_path / "torn-whole.warc.gz")[0] == list("01234")


def load(path: Path) -> Loaded:
    warc = ForeignWarc(path)
    [record] = [one for one in warc.records() if isinstance(one, Record)]
    answer = warc.load(record.place)
    warc.close()
    assert isinstance(answer, Loaded)
    return answer


def test_chunks_are_joined_and_stale_encodings_do_no_harm(tmp_path: Path) -> None:
    """wget keeps the chunks as sent; others keep a Content-Encoding that they have undone, and so do we."""
    chunked = Writer(tmp_path / "chunked.warc.gz")
    chunked.add(
        "https://uknip.co.uk/a/",
        b"5\r\nHello\r\n7\r\n, world\r\n0\r\n\r\n",
        FIRST,
        HTML,
        ("Transfer-Encoding", "chunked"),
    )
    capture = load(chunked.close()).capture
    assert capture
    assert capture.body == b"Hello, world"
    assert capture.header("transfer-encoding") is None
    decoded = Writer(tmp_path / "decoded.warc.gz")
    decoded.add("https://uknip.co.uk/a/", b"<p>Hello</p>", FIRST, HTML, ("Content-Encoding", "gzip"))
    capture = load(decoded.close()).capture
    assert capture
    assert capture.headers == (HTML, ("Content-Encoding", "gzip"))
    assert decode(capture) == b"<p>Hello</p>"
    old = Writer(tmp_path / "old.warc.gz")
    old.add("<https://uknip.co.uk/a/>", b"<p>Hello</p>", FIRST)
    assert load(old.close()).capture.url == "https://uknip.co.uk/a/"  # type: ignore[union-attr]


_PAGE = b"HTTP/1.1 200 OK\r\n\r\nHello"


def _raw(date: str = "2024-03-14T09:30:00Z", length: int = len(_PAGE), more: bytes = b"") -> bytes:
    """Return a record written by hand, as no honest program would."""
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://uknip.co.uk/news/uk/breaking/story-9/\r\n"
        f"WARC-Date: {date}\r\nContent-Type: application/http\r\nContent-Length: {length}\r\n"
    )
    return head.encode() + more + b"\r\n" + _PAGE + b"\r\n\r\n"


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"])
def test_a_time_beyond_the_calendar_is_damage(date: str, tmp_path: Path) -> None:
    """It exists in no other zone, and must not stop the import of all other records."""
    path = tmp_path / "odd.warc"
    path.write_bytes(_raw(date))
    assert found(path) == ([], [f"no readable record: no time in UTC: {date}"])


def test_a_negative_length_does_not_lead_back(pages: Path, tmp_path: Path) -> None:
    """A record that says to end before it begins was read again and again."""
    first = _raw()
    path = tmp_path / "loop.warc"
    back = -len(_raw(length=-100)) + len(_PAGE)  # to the end of the first record's page
    path.write_bytes(first + _raw(length=back))
    assert found(path) == (["9"], ["not a record"])


@pytest.mark.parametrize("more", [b"X-Long: " + b"a" * 2**21 + b"\r\n", b"X-Many: a\r\n" * 2**18])
def test_a_bomb_of_headers_is_damage(more: bytes, pages: Path, tmp_path: Path) -> None:
    """A few kilobytes unpack to gigabytes of headers; of those no more than a mebibyte is looked at."""
    path = tmp_path / "bomb.warc.gz"
    path.write_bytes(pages.read_bytes() + gzip.compress(_raw(more=more)))
    assert found(path) == (
        list("012345"),
        ["no readable record: headers of more than 1,048,576 bytes"],
    )


def test_all_of_a_file_of_large_members_is_read(pages: Path, tmp_path: Path) -> None:
    """Such as files packed whole and then joined, with zeros to fill a tape's block."""
    plain = gzip.decompress(pages.read_bytes())
    half = plain.index(b"WARC/1.", plain.index(b"story-3") - 400)
    joined = gzip.compress(plain[:half]) + gzip.compress(plain[half:]) + bytes(512)
    (tmp_path / "joined.warc.gz").write_bytes(joined)
    assert found(tmp_path / "joined.warc.gz")[0] == list("012345")


def test_a_file_that_unpacks_without_end_is_refused(pages: Path, tmp_path: Path) -> None:
    """Before it fills the disk."""
    plain = gzip.decompress(pages.read_bytes())
    (tmp_path / "bomb.warc.gz").write_bytes(gzip.compress(plain + bytes(2**27)))
    with pytest.raises(UsageError, match=r"bomb\.warc\.gz: unpacks to more than 100 times its size"):
        ForeignWarc(tmp_path / "bomb.warc.gz")


def test_a_digest_of_any_algorithm_may_be_named(tmp_path: Path) -> None:
    """Also of one whose digests have no length of their own."""
    assert not _matches("sha1:AAAA", b"page")
    assert _matches("shake_128:AAAA", b"page")
    assert _matches("unheard-of:AAAA", b"page")


def test_captures_from_before_the_web_are_refused(tmp_path: Path) -> None:
    """Their year cannot be written into a WARC file of ours and read back; the rest of the file is taken in."""
    with SampleSite(newsroom(3)) as site:
        url = site.url(site.newsroom.published()[0].path)
        writer = Writer(tmp_path / "old.warc.gz")
        writer.add(url, get(url), FIRST)
        path = writer.close()
        odd = _raw("0001-01-01T00:00:00Z").replace(
            b"https://uknip.co.uk/news/uk/breaking/story-9/", url.encode()
        )
        path.write_bytes(path.read_bytes() + gzip.compress(odd))
        report = import_warc(tmp_path / "archive", site, path, expect=3)
    assert report["taken"] == 1
    assert [line.partition(": ")[2] for line in report["damaged"]] == ["captured before there was a web"]  # type: ignore[attr-defined]


def test_what_is_no_warc_is_said_in_one_line(tmp_path: Path) -> None:
    """A missing file, an empty one, a text, a zip."""
    for name, data in {
        "empty": b"",
        "text.warc": b"Once upon a time",
        "zip.warc.gz": gzip.compress(b"a story"),
    }.items():
        (tmp_path / name).write_bytes(data)
    for name in ("missing", "empty", "text.warc", "zip.warc.gz"):
        done = uknip("import-warc", str(tmp_path / name), "--archive", str(tmp_path / "archive"))
        assert done.returncode == 2, name
        assert done.stderr.startswith("uknip: ")
        assert done.stderr.count("\n") == 1
        assert name in done.stderr


def test_other_sites_assets_and_errors_are_passed_over(
    two_states: tuple[SampleSite, Path, Path], tmp_path: Path
) -> None:
    """Counted, and no row of the ledger; the AMP form of a story gives way to its page; a page of the future is refused."""
    site, _, _ = two_states
    post = site.newsroom.truth()[10]
    url, page = site.url(post.path), get(site.url(post.path))
    writer = Writer(tmp_path / "mixed.warc.gz")
    writer.add("https://elsewhere.example/news/uk/breaking/a-story/", page, FIRST)
    writer.add(site.url("/wp-json/wp/v2/posts"), b"[]", FIRST)
    writer.add(url, b"busy", FIRST, status="503 Service Unavailable")
    writer.add(f"{url.rstrip('/')}/amp/", page.replace(b"<p>", b"<p>Accelerated. "), FIRST)
    writer.add(f"{url}?utm_source=a-newsletter", page, SECOND)
    writer.add(url, page, datetime.now(UTC) + timedelta(days=400))
    report = import_warc(tmp_path / "archive", site, writer.close(), expect=3)
    assert (report["elsewhere"], report["passed_over"], report["taken"]) == (2, 2, 1)
    assert "captured in the future" in str(report["damaged"])
    assert rows(tmp_path / "archive", "SELECT url, body, revision_count FROM articles") == [
        (url, post.body, 1)
    ]


def test_a_redirect_captured_makes_an_alias(
    two_states: tuple[SampleSite, Path, Path], tmp_path: Path
) -> None:
    """Before or after the page it leads to; one that leads to another story, or nowhere, makes none."""
    site, _, _ = two_states
    post, other = site.newsroom.truth()[10], site.newsroom.truth()[11]
    url = site.url(post.path)
    slug = post.path.rstrip("/").rpartition("/")[2]
    moved = site.url(f"/2021/02/03/{slug}/")
    writer = Writer(tmp_path / "moved.warc.gz")
    writer.add(moved, b"", FIRST, ("Location", url), status="301 Moved Permanently")
    writer.add(url, get(url), SECOND)
    writer.add(
        site.url(f"/blog/2021/02/03/{slug}/"), b"", SECOND, ("Location", url), status="301 Moved Permanently"
    )
    writer.add(
        site.url("/blog/2020/01/01/not-the-same/"),
        b"",
        FIRST,
        ("Location", site.url(other.path)),
        status="302 Found",
    )
    import_warc(tmp_path / "archive", site, writer.close())
    aliases = rows(
        tmp_path / "archive",
        "SELECT aliases.url, articles.url FROM aliases JOIN articles ON id = article_id ORDER BY 1",
    )
    assert aliases == [(moved, url), (site.url(f"/blog/2021/02/03/{slug}/"), url)]
    assert rows(tmp_path / "archive", "SELECT count(*) FROM articles") == [(1,)]


@pytest.mark.parametrize(
    ("lines", "addresses"),
    [
        ([" CDX N b a m s k r M S V g", "uk,co,uknip)/a 2021 https://uknip.co.uk/a/ text/html 200 X - - 9 9 f"], ["https://uknip.co.uk/a/"]),
        ([" CDX a b a m s c", "https://uknip.co.uk/a/ 2021 https://uknip.co.uk/a/ text/html 200 -"], ["https://uknip.co.uk/a/"]),
        (['uk,co,uknip)/b 20210101000000 {"url": "https://uknip.co.uk/b/", "status": "200"}'], ["https://uknip.co.uk/b/"]),
        (['[["original","timestamp"],', '["https://uknip.co.uk/c/","2021"],', '["https://uknip.co.uk/d/","2021"]]'], ["https://uknip.co.uk/c/", "https://uknip.co.uk/d/"]),
        (["# by hand", "", "https://uknip.co.uk/e/", "nothing here"], ["https://uknip.co.uk/e/"]),
    ],
)  # fmt: skip
def test_lists_of_addresses_come_in_many_forms(lines: list[str], addresses: list[str]) -> None:
    assert list(parse(lines)) == addresses


def test_listed_addresses_wait_for_the_next_crawl(archived: Archived, tmp_path: Path) -> None:
    """Those that no list of the site names are visited too; what is no page of the site is counted."""
    with archived(tmp_path / "archive", 20) as site:
        lonely = site.url("/news/uk/breaking/an-address-nobody-links/")
        (tmp_path / "list.txt.gz").write_bytes(
            gzip.compress(f"{lonely}\nhttps://elsewhere.example/\n".encode())
        )
        done = uknip(
            "import-warc", "--cdx", str(tmp_path / "list.txt.gz"), "--archive", str(tmp_path / "archive")
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("1 addresses wait for the next crawl, 1 are no pages of")
        crawl(site, tmp_path / "archive")
    assert rows(tmp_path / "archive", "SELECT found_by, outcome FROM fetches WHERE url = ?", lonely) == [
        ("list", "gone")
    ]


def test_a_file_of_another_site_is_said_to_be_one(
    two_states: tuple[SampleSite, Path, Path], tmp_path: Path
) -> None:
    """With the option that names the right one."""
    _, first, _ = two_states
    done = uknip("import-warc", str(first), "--archive", str(tmp_path))
    assert "none is a page of https://uknip.co.uk/: name another site with --base-url" in done.stdout
    assert (
        "Run 1 (import) of https://uknip.co.uk/: complete"
        in uknip("status", "--archive", str(tmp_path)).stdout
    )


def test_an_archive_takes_in_only_its_own_site(
    two_states: tuple[SampleSite, Path, Path], once: Path, tmp_path: Path
) -> None:
    _, first, _ = two_states
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    done = uknip("import-warc", str(first), "--base-url", "https://uknip.co.uk/", "--archive", str(tmp_path))
    assert done.returncode == 2
    assert "name another with --archive" in done.stderr
    assert shutil.rmtree(tmp_path) is None


def story_page(headline: str, text: str, path: str) -> bytes:
    """Return a page that prints its WordPress number, as themes do."""
    return f"""<!doctype html><html lang="en-GB"><head><title>{headline} – UKNIP</title>
<meta property="og:type" content="article"><meta property="article:published_time" content="2023-12-01T08:00:00Z">
<link rel="canonical" href="https://uknip.co.uk{path}"></head>
<body class="single single-post postid-7"><article id="post-7" class="post"><h1>{headline}</h1>
<div class="text"><p>{text}</p><p>The next sailing from Ryde was on time, the company said.</p></div></article></body></html>""".encode()


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0)])
def test_a_story_rewritten_and_then_moved_is_one_story_in_every_order(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    """Its first version and its last have nothing in common but the number; the one between them tells."""
    old, new = (
        "/news/uk/breaking/ferry-delayed-by-fog/",
        "/news/uk/travel/crossing-resumes-after-morning-of-fog/",
    )
    states = [
        (
            old,
            "Ferry delayed by fog",
            "The first ferry left ninety minutes late on Saturday because of thick fog.",
        ),
        (
            old,
            "Crossing resumes",
            "Passengers were given hot drinks while the crew waited for the weather to lift.",
        ),
        (
            new,
            "Crossing resumes",
            "Passengers were given hot drinks while the crew waited for the weather to lift.",
        ),
    ]
    for place in order:
        path, headline, text = states[place]
        writer = Writer(tmp_path / f"{place}.warc.gz")
        writer.add(
            f"https://uknip.co.uk{path}", story_page(headline, text, path), FIRST + timedelta(days=place)
        )
        done = uknip("import-warc", str(writer.close()), "--archive", str(tmp_path / "archive"))
        assert done.returncode == 0, done.stderr
    archive = tmp_path / "archive"
    assert rows(archive, "SELECT url, revision_count, first_seen_at FROM articles") == [
        (f"https://uknip.co.uk{new}", 2, "2024-03-14T09:30:00Z")
    ]
    assert rows(archive, "SELECT url, first_seen_at, last_seen_at FROM aliases") == [
        (f"https://uknip.co.uk{old}", "2024-03-14T09:30:00Z", "2024-03-15T09:30:00Z")
    ]
    assert [headline for (headline,) in rows(archive, "SELECT headline FROM revisions ORDER BY number")] == [
        "Ferry delayed by fog",
        "Crossing resumes",
    ]
    assert uknip("verify", "--archive", str(archive)).returncode == 0
