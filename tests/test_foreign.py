"""Files that other programs wrote, in every packing and with every byte a header may hold; and damage made to take for ever."""

from __future__ import annotations

import gzip
import json
import struct
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest
from backports import zstd
from crawling import rows
from processes import uknip

from uknip_crawler.archive import warc
from uknip_crawler.archive.warc import WarcFile
from uknip_crawler.archive.warc.lenient import ForeignWarc
from uknip_crawler.archive.warc.records import Damage, Loaded, Other, Record
from uknip_crawler.archive.warc.unpacking import inside
from uknip_crawler.errors import UsageError
from uknip_crawler.models import Capture

AT = datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
SITE = "https://uknip.co.uk"


def record(
    name: str, block: bytes = b"", *, kind: str = "response", date: str = "2023-01-02T03:04:05Z", **more: str
) -> bytes:
    """Return a record as the standard writes it; `more` are further fields, with _ for -."""
    block = (
        block
        or b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>The %s has reopened.</p>" % name.encode()
    )
    fields = {
        "WARC-Type": kind, "WARC-Target-URI": f"{SITE}/{name}/", "WARC-Date": date, "Content-Length": str(len(block)),
        **{field.replace("_", "-"): value for field, value in more.items()},
    }  # fmt: skip
    head = "".join(f"{field}: {value}\r\n" for field, value in fields.items())
    return b"WARC/1.1\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


RECORDS = [record(name) for name in ("pier", "mill", "lock")]


def read(path: Path) -> tuple[list[str], list[str], dict[str, int]]:
    """Return the last parts of the addresses that can be read, what is said of damage, and the other records."""
    names, damage, others = [], [], Counter[str]()
    for one in inside(path):
        file = ForeignWarc(one)
        for found in list(file.records()):
            if isinstance(found, Other):
                others[found.kind] += 1
            elif isinstance(found, Damage):
                damage.append(found.reason)
            elif isinstance(loaded := file.load(found.place), Damage):
                damage.append(loaded.reason)
            else:
                names.append(found.url.rstrip("/").rpartition("/")[2])
        file.close()
    return names, damage, dict(others)


def answer(path: Path) -> Capture:
    """Return the only page of a file."""
    file = ForeignWarc(path)
    [place] = [found.place for found in file.records() if isinstance(found, Record)]
    loaded = file.load(place)
    file.close()
    assert isinstance(loaded, Loaded)
    assert loaded.capture
    return loaded.capture


# Bytes as received

ODD = (
    ("Link", "<https://uknip.co.uk/caf\xc3\xa9/>; rel=\"shortlink\""),  # UTF-8, as servers send it
    ("Set-Cookie", "town=M\xe1laga; Path=/"),  # Latin-1
    ("X-\xc3\x9cber", "\xff\xfe"),  # neither
    ("X-Ends", "voil\xc3\xa0"),  # its last byte counts as a blank in Latin-1
    ("X-Percent", "100%; name=\"\xe9\""),
    ("X-Empty", ""),
    ("Content-Type", "text/html"),
)  # fmt: skip


def test_every_byte_of_a_header_is_kept_as_it_came(tmp_path: Path) -> None:
    """In the file and read back; warcio alone escapes some and fails on others."""
    file = WarcFile(tmp_path, "one.warc.gz", {})
    ref = file.write(Capture(f"{SITE}/pier/", 200, ODD, b"<p>Pier</p>", AT), (("X-\xfc", "\xdf"),))
    file.close()
    written = gzip.decompress((tmp_path / "one.warc.gz").read_bytes())
    for name, value in ODD:
        assert b"\r\n" + f"{name}: {value}".encode("latin-1") + b"\r\n" in written
    assert b"\r\nX-\xfc: \xdf\r\n" in written
    assert warc.read(tmp_path, ref).headers == ODD


def test_headers_of_other_programs_keep_their_bytes_on_the_way_through(tmp_path: Path) -> None:
    """From their file into one of ours, and out of it again."""
    head = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in ODD) + "no field\r\n\r\n"
    (tmp_path / "odd.warc").write_bytes(record("pier", head.encode("latin-1") + b"<p>Pier</p>"))
    capture = answer(tmp_path / "odd.warc")
    assert capture.headers == ODD
    file = WarcFile(tmp_path, "ours.warc.gz", {})
    ref = file.write(capture, None)
    file.close()
    assert warc.read(tmp_path, ref) == capture


def test_a_header_is_text_in_the_encoding_it_is_in() -> None:
    """A redirect to an address in UTF-8 leads there."""
    capture = Capture(SITE, 301, (("Location", "/caf\xc3\xa9/"), ("ETag", "\xe9")), b"", AT)
    assert (capture.header("location"), capture.header("etag")) == ("/café/", "é")


# Packings


def box(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return path


def with_dictionary(*, is_packed: bool) -> bytes:
    """Return frames that only their dictionary opens, which stands before them, itself packed or not."""
    samples = [record(f"bridge-{number}") for number in range(400)]
    dictionary = zstd.train_dict(samples, 4096)
    content = zstd.compress(dictionary.dict_content) if is_packed else dictionary.dict_content
    frames = b"".join(zstd.compress(one, zstd_dict=dictionary) for one in RECORDS)
    return b"\x5d\x2a\x4d\x18" + struct.pack("<I", len(content)) + content + frames


@pytest.mark.fault("V05")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.warc", b"".join(RECORDS)),
        ("each.warc.gz", b"".join(map(gzip.compress, RECORDS))),
        ("whole.warc.gz", gzip.compress(b"".join(RECORDS))),
        ("each.warc.zst", b"".join(map(zstd.compress, RECORDS))),
        ("whole.warc.zst", zstd.compress(b"".join(RECORDS))),
        ("dictionary.warc.zst", with_dictionary(is_packed=False)),
        ("packed-dictionary.warc.zst", with_dictionary(is_packed=True)),
    ],
)
def test_every_packing_of_records_is_read(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name) == (["pier", "mill", "lock"], [], {})


def test_the_warc_files_of_a_wacz_are_read(tmp_path: Path) -> None:
    """Each of them, and what says where a record lies names both."""
    path = box(
        tmp_path / "crawl.wacz",
        {
            "archive/data.warc.gz": b"".join(map(gzip.compress, RECORDS[:2])),
            "archive/more.warc": RECORDS[2],
            "pages/pages.jsonl": b"{}",
        },
    )
    assert read(path) == (["pier", "mill", "lock"], [], {})
    file = ForeignWarc(inside(path)[1])
    [found] = file.records()
    file.close()
    assert isinstance(found, Record)
    assert str(found.place) == "crawl.wacz/archive/more.warc at byte 0"


def test_a_damaged_wacz_gives_what_is_whole(tmp_path: Path) -> None:
    """The damage in one of its files is said; a zip without captures is none."""
    path = box(
        tmp_path / "crawl.wacz",
        {"archive/a.warc.gz": b"".join(map(gzip.compress, RECORDS)), "archive/b.warc": RECORDS[0]},
    )
    data = bytearray(path.read_bytes())
    data[len("archive/a.warc.gz") + 30 + 150] ^= 0xFF
    path.write_bytes(data)
    names, damage, _ = read(path)
    assert "pier" in names
    assert damage
    with pytest.raises(UsageError, match=r"empty\.wacz: a zip file without a WARC file in it"):
        inside(box(tmp_path / "empty.wacz", {"index.html": b""}))
    (tmp_path / "torn.wacz").write_bytes(bytes(data)[:-30])
    with pytest.raises(UsageError, match=r"torn\.wacz: its table of contents cannot be read"):
        inside(tmp_path / "torn.wacz")


def arc(name: str, *, stamp: str = "20230102030405") -> bytes:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>The %s has reopened.</p>" % name.encode()
    return f"{SITE}/{name}/ 192.0.2.7 {stamp} text/html {len(page)}\n".encode() + page + b"\n"


def arc_file(*names: str) -> list[bytes]:
    about = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://old.arc 0.0.0.0 20230102030405 text/plain %d\n" % len(about)
    return [head + about + b"\n", *map(arc, names)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_arc_files_are_read(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """The format before WARC, plain or a gzip member a record; a wrong length loses one record."""
    path = tmp_path / ("old.arc" if pack is bytes else "old.arc.gz")
    parts = arc_file("pier", "mill", "lock")
    path.write_bytes(b"".join(map(pack, parts)))
    assert read(path) == (["pier", "mill", "lock"], [], {"warcinfo": 1})
    path.write_bytes(b"".join(map(pack, [*parts[:2], parts[2].replace(b"html ", b"html 1"), parts[3]])))
    names, damage, _ = read(path)
    assert names == ["pier", "lock"]
    assert len(damage) == 1


def test_an_arc_record_is_its_page_at_its_time(tmp_path: Path) -> None:
    (tmp_path / "old.arc").write_bytes(b"".join(arc_file("pier")))
    capture = answer(tmp_path / "old.arc")
    assert (capture.url, capture.status, capture.fetched_at) == (f"{SITE}/pier/", 200, AT)
    assert capture.body == b"<p>The pier has reopened.</p>"


# Kinds and dates


def test_records_of_other_kinds_are_taken_or_counted(tmp_path: Path) -> None:
    """A resource is a page without the head it came with; a conversion is somebody's text of one; neither is lost unsaid."""
    page = b"<p>The pier has reopened.</p>"
    data = [
        record("pier", page, kind="resource", Content_Type="text/html; charset=utf-8"),
        record("mill", b"The mill", kind="conversion", Content_Type="text/plain"),
        record("lock", b"more", kind="continuation", WARC_Segment_Number="2"),
        record("weir", b"GET /weir/ HTTP/1.1\r\n\r\n", kind="request"),
        record("ford", WARC_Segment_Number="1"),
    ]
    path = tmp_path / "kinds.warc"
    path.write_bytes(b"".join(data))
    names, damage, others = read(path)
    assert names == ["pier"]
    assert damage == ["the page is cut into records that continue one another, which is not read"]
    assert others == {"conversion": 1, "continuation": 1, "request": 1}
    path.write_bytes(data[0])
    capture = answer(path)
    assert (capture.status, capture.body) == (200, page)
    assert capture.header("content-type") == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2023-01-02T03:04:05Z", AT),
        ("2023-01-02T03:04:05.123456789Z", AT.replace(microsecond=123456)),
        ("20230102030405", AT),
        ("2023-01-02T03:04:05", AT),
        ("2023-01-02T04:04:05+01:00", AT),
        ("2023-01-02T03:04Z", AT.replace(second=0)),
        ("2023-01-02", datetime(2023, 1, 2, tzinfo=UTC)),
        ("2023-01", datetime(2023, 1, 1, tzinfo=UTC)),
        ("2023", datetime(2023, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_in_every_form_that_tools_write(
    written: str, instant: datetime, tmp_path: Path
) -> None:
    (tmp_path / "one.warc").write_bytes(record("pier", date=written))
    assert answer(tmp_path / "one.warc").fetched_at == instant


@pytest.mark.parametrize("written", ["yesterday", "20231302030405", "2023-02-30T00:00:00Z", "", "20230"])
def test_what_is_no_date_is_damage(written: str, tmp_path: Path) -> None:
    (tmp_path / "one.warc").write_bytes(record("pier", date=written))
    names, [damage], _ = read(tmp_path / "one.warc")
    assert not names
    assert damage.startswith("no readable record")


# Time


def beginnings(size: int) -> bytes:
    """Stored blocks (RFC 1951 §3.2.4) whose bytes are beginnings of members again, each good for 64 KiB."""
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x00\xff\xff\x00\x00"
    return (head * (size // len(head) + 1))[:size]


@pytest.mark.parametrize(
    ("name", "stretch"),
    [
        ("magic.warc.gz", b"\x1f\x8b\x08" * (2**21 // 3)),
        ("stored.warc.gz", beginnings(2**21)),
        ("frames.warc.zst", b"\x28\xb5\x2f\xfd\x00\x58" * (2**21 // 6)),
        ("versions.warc", b"WARC/1.0\r\n" * (2**21 // 10)),
        ("headers.warc", b"\r\n\r\n" + b"WARC/1.0\r\nA: b\r\n" * (2**21 // 16)),
    ],
)
def test_damage_that_looks_like_beginnings_takes_no_longer_than_other_damage(
    name: str, stretch: bytes, tmp_path: Path
) -> None:
    """Two megabytes of them; the records before and after are read. It took minutes, and four times that for twice the size."""
    packings: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstd.compress}
    pack = packings.get(name.rpartition(".")[2], bytes)
    packed = [pack(one) for one in RECORDS]
    path = tmp_path / name
    path.write_bytes(packed[0] + packed[1] + stretch + packed[2])
    started = time.process_time()
    names, damage, _ = read(path)
    assert time.process_time() - started < 60
    assert names[:2] == ["pier", "mill"]
    assert names[-1] == "lock"
    assert damage


def test_an_import_keeps_odd_headers_and_says_what_could_not_be_read(tmp_path: Path) -> None:
    """A page in brotli with a header in Latin-1 is a story; bytes in no known coding are named, and the exit status is 3."""
    page = (
        "<html lang='en-GB'><head><title>Pier reopens – UKNIP</title></head><body class='single single-post'>"
        "<h1>Pier reopens</h1><div class='entry-content'><p>The pier at Ryde has reopened after nine months of "
        "repairs to its deck.</p><p>Ferries will call there again from Monday, the council said.</p></div></body></html>"
    )
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Town: M\xe1laga\r\nContent-Encoding: "
    data = [
        record("news/uk/breaking/pier-reopens", head + b"br\r\n\r\n" + brotli.compress(page.encode())),
        record("news/uk/breaking/mill-closes", head + b"br\r\n\r\n" + bytes(range(256)) * 9),
        record("news/uk/breaking/pier-reopens", b"The pier", kind="conversion"),
    ]
    (tmp_path / "odd.warc.gz").write_bytes(b"".join(map(gzip.compress, data)))
    done = uknip("import-warc", str(tmp_path / "odd.warc.gz"), "--archive", str(tmp_path / "a"), "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert (report["taken"], report["others"]) == (2, {"conversion": 1})
    assert report["outcomes"] == {"stored": 1, "bad_encoding": 1}
    assert rows(tmp_path / "a", "SELECT headline FROM articles") == [("Pier reopens",)]
    [ours] = (tmp_path / "a" / "warc").glob("*.warc.gz")
    assert [capture.headers[1] for capture in warc.captures(ours)] == [("X-Town", "M\xe1laga")] * 2
