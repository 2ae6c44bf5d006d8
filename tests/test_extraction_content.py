"""Bodies are decoded as their Content-Encoding says, in bounded memory, or refused under the right name."""

from __future__ import annotations

import gzip
import random
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import brotli
import pytest
from backports import zstd

from uknip_crawler.errors import ContentTooLarge, ContentTruncated, ContentUnreadable
from uknip_crawler.extraction import read
from uknip_crawler.extraction.page.content import decode, readable
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site

PAGE = b"<html><body><h1>Weir repaired</h1><p>The weir at Dunmere has been repaired.</p></body></html>" * 50
URL = "https://uknip.co.uk/news/uk/breaking/weir-repaired/"


def capture(body: bytes, *codings: str, truncated: str | None = None) -> Capture:
    headers = [("Content-Type", "text/html"), *(("Content-Encoding", coding) for coding in codings)]
    return Capture(URL, 200, tuple(headers), body, datetime(2026, 3, 1, tzinfo=UTC), truncated)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (PAGE, ()),
        (PAGE, ("identity",)),
        (gzip.compress(PAGE), ("gzip",)),
        (gzip.compress(PAGE), ("X-GZIP",)),
        (gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:]), ("gzip",)),
        (zlib.compress(PAGE), ("deflate",)),
        (raw_deflate(PAGE), ("deflate",)),
        (gzip.compress(zlib.compress(PAGE)), ("deflate, gzip",)),
        (gzip.compress(zlib.compress(PAGE)), ("deflate", "gzip")),
        (brotli.compress(PAGE), ("br",)),
        (zstd.compress(PAGE), ("zstd",)),
        (zstd.compress(PAGE[:100]) + zstd.compress(PAGE[100:]), ("ZSTD",)),
        (gzip.compress(brotli.compress(PAGE)), ("br, gzip",)),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "members", "deflate", "raw deflate", "stacked", "two headers",
         "brotli", "zstd", "frames", "brotli in gzip"],
)  # fmt: skip
def test_a_body_is_decoded_as_its_header_says(body: bytes, codings: tuple[str, ...]) -> None:
    """Every coding in use, alone and stacked, gives the page back."""
    assert decode(capture(body, *codings)) == PAGE


@pytest.mark.parametrize("coding", ["none", "UTF-8", "aws-chunked", "rot13", "gzip", "deflate", "br", "zstd"])
def test_a_page_sent_plain_is_read_whatever_coding_is_named(coding: str) -> None:
    """Servers name codings that they do not apply; what can be read as it is was meant so."""
    assert decode(capture(PAGE, coding)) == PAGE
    assert (
        decode(capture("<p>Café in Málaga</p>".encode("latin-1"), coding)) == b"<p>Caf\xe9 in M\xe1laga</p>"
    )


@pytest.mark.parametrize("codings", [(), ("none",), ("utf-8",), ("aws-chunked,gzip",), ("gzip",)])
def test_gzip_is_undone_whether_it_is_named_or_not(codings: tuple[str, ...]) -> None:
    """No page, list or picture begins with gzip's magic number."""
    assert decode(capture(gzip.compress(PAGE), *codings)) == PAGE


@pytest.mark.parametrize("pack", [brotli.compress, zstd.compress])
@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_what_is_left_of_a_body_cut_short_can_be_read(pack: Callable[[bytes], bytes], coding: str) -> None:
    """Such as by whoever looks in it for what must be taken out."""
    text = b"".join(b"<p>Ward %d of the hospital is open again.</p>" % number for number in range(9000))
    is_named = (coding == "br") == (pack is brotli.compress)
    cut = capture(pack(text)[:-200], coding)
    body, is_whole = readable(cut)
    assert not is_whole
    assert text.startswith(body) == (is_named and len(body) > 1000)


@pytest.mark.fault("F09")
@pytest.mark.parametrize("kept", [1, 9, 12, 40, -9, -4, -1])
def test_a_compressed_body_cut_short_is_truncated(kept: int) -> None:
    """Wherever the stream is cut, in its header, data or trailer, the loss is noticed."""
    for pack, coding in ((gzip.compress, "gzip"), (brotli.compress, "br"), (zstd.compress, "zstd")):
        with pytest.raises(ContentTruncated):
            decode(capture(pack(PAGE)[:kept], coding))


def test_a_capture_known_to_be_cut_is_truncated() -> None:
    """A body that ended before its announced length is never read as a whole page."""
    with pytest.raises(ContentTruncated, match="disconnect"):
        decode(capture(PAGE, truncated="disconnect"))


@pytest.mark.fault("F10")
def test_a_wrong_checksum_is_unreadable() -> None:
    """A gzip member whose CRC does not fit its content is refused."""
    body = bytearray(gzip.compress(PAGE))
    body[-6] ^= 0xFF
    with pytest.raises(ContentUnreadable):
        decode(capture(bytes(body), "gzip"))


@pytest.mark.fault("F10")
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "rot13"])
def test_what_is_neither_in_its_coding_nor_text_is_unreadable(coding: str) -> None:
    """Such as bytes encrypted on their way."""
    with pytest.raises(ContentUnreadable):
        decode(capture(random.Random(1).randbytes(3000), coding))


@pytest.mark.fault("F01", "F02")
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_refused_cheaply(layers: int) -> None:
    """A quarter of a gigabyte of zeros in one, two or three layers is refused within a second."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    for _ in range(layers - 1):
        body = gzip.compress(body)
    others = {"br": brotli.compress(bytes(2**26), quality=3), "zstd": zstd.compress(bytes(2**26))}
    started = time.process_time()
    with pytest.raises(ContentTooLarge):
        decode(capture(body, *["gzip"] * layers))
    for coding, bomb in others.items():
        with pytest.raises(ContentTooLarge):
            decode(capture(bomb, coding))
    assert time.process_time() - started < 1


def test_an_uncompressed_body_over_the_limit_is_too_large() -> None:
    """The limit holds without compression too."""
    with pytest.raises(ContentTooLarge):
        decode(capture(PAGE), limit_bytes=100)


@pytest.mark.parametrize(
    ("broken", "outcome"),
    [
        (capture(gzip.compress(PAGE)[:-20], "gzip"), Outcome.DATALOSS),
        (capture(PAGE, truncated="disconnect"), Outcome.DATALOSS),
        (capture(b"\x00\x9d" + PAGE, "gzip"), Outcome.BAD_ENCODING),
        (capture(b"\x00\x9d" + PAGE, "br"), Outcome.BAD_ENCODING),
        (capture(gzip.compress(PAGE), "gzip", "gzip", "gzip"), Outcome.TOO_LARGE),
    ],
    ids=["cut stream", "cut capture", "not gzip", "brotli", "three layers"],
)
def test_a_body_that_cannot_be_decoded_has_an_outcome(broken: Capture, outcome: Outcome) -> None:
    """What is wrong with the transfer becomes the page's outcome, and there is no article."""
    reading = read(broken, load_site())
    assert (reading.outcome, reading.article) == (outcome, None)
    assert reading.reason
