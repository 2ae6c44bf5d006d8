"""What must hold for any address, date, block, text and order, looked for among the odd ones."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
from hypothesis import example, given, settings
from hypothesis import strategies as st
from newspaper import Post, p, sentence, stories_of, studies_of
from sample_archive import add_article, new_archive

from uknip_crawler.archive.database import as_moment, as_precise_text, as_text
from uknip_crawler.browse.blocks import grouped_blocks
from uknip_crawler.discovery.dates import iso_instant, mail_instant
from uknip_crawler.errors import AddressRefused
from uknip_crawler.export.formats import write_csv
from uknip_crawler.export.recipe import Recipe
from uknip_crawler.export.tables import Field
from uknip_crawler.export.writing import write_export
from uknip_crawler.extraction.learning.learn import learn
from uknip_crawler.extraction.metadata import dates
from uknip_crawler.models import Article, Block, BlockKind, Image
from uknip_crawler.sites import Site, load_site
from uknip_crawler.times import LONDON, london_day
from uknip_crawler.urls import canonicalise, classify, is_same_address, part_of, space_of

SITES = [load_site("https://uknip.co.uk/"), load_site("https://wexcombe.example/news/"), load_site("http://127.0.0.1:8080/")]  # fmt: skip
FETCHED_AT = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)

# Addresses

PIECES = st.sampled_from(
    ["/", "//", "?", "#", "&", "=", ".", "..", "%2e%2E", "%", "%zz", "%41", ":", "@", ";sid=a1b2c3d4e5", "amp/", "?utm_source=x", "p=7", "é", "\u202e", "news/", "http:", "https://", "\\", " ", "[", "www.", "\t", "page/2/"]
)  # fmt: skip


@st.composite
def addresses(draw: st.DrawFn) -> tuple[Site, str]:
    """Draw a site, and an address that is likely to be its own."""
    site = draw(st.sampled_from(SITES))
    begin = draw(st.sampled_from([site.base_url, site.base_url.rstrip("/"), f"http://www.{site.host}/", "//", "", "http://", "\n"]))  # fmt: skip
    return site, begin + "".join(draw(st.lists(PIECES | st.text(max_size=4), max_size=8)))


@settings(max_examples=400)
@given(addresses())
@example((SITES[0], "https://uknip.co.uk/a%2e%2e/..%2f"))
@example((SITES[0], "https://uknip.co.uk/amp/amp/"))
@example((SITES[0], "https://uknip.co.uk/x;sid=1;sid=2/amp"))
def test_a_canonical_address_is_final_and_never_leaves_the_site(drawn: tuple[Site, str]) -> None:
    """Or it is refused."""
    site, address = drawn
    try:
        canonical = canonicalise(address, site)
    except AddressRefused:
        return
    assert canonical.isascii()
    assert canonicalise(canonical, site) == canonical
    parts, own = urlsplit(canonical), urlsplit(site.base_url)
    assert canonical.startswith(site.base_url)
    assert (parts.scheme, parts.netloc, parts.fragment) == (own.scheme, own.netloc, "")
    assert not {".", ".."} & set(re.sub("(?i)%2e", ".", parts.path).split("/"))
    assert is_same_address(canonical, canonical + ("" if parts.query else "/"))
    classify(canonical, site)
    space_of(canonical)
    if (part := part_of(canonical)) is not None:
        assert canonicalise(part[0], site).startswith(site.base_url)


# Dates

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1990, 1, 2), datetime(2026, 3, 13), timezones=ZONES).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


@given(INSTANTS)
def test_an_instant_is_the_same_in_every_form(instant: datetime) -> None:
    """As sources write it, as pages print it, as the archive keeps it; in any zone."""
    assert iso_instant(instant.isoformat()) == instant
    assert mail_instant(format_datetime(instant)) == instant
    assert dates.parse(instant.isoformat(), FETCHED_AT) == instant
    kept = as_text(instant)
    assert kept is not None
    assert as_moment(kept) == instant
    assert dates.iso_text(instant) == kept
    local = instant.astimezone(LONDON)
    printed = f"{local:%d %B %Y, %H:%M:%S}"
    read = dates.parse(printed, FETCHED_AT)
    if (
        local.replace(tzinfo=None) == instant.astimezone(LONDON).replace(fold=0, tzinfo=None)
        and not local.fold
    ):
        assert read == instant  # the second 01:30 of a night in October cannot be told from the first
    assert london_day(instant) == local.date()


@given(st.datetimes(timezones=ZONES) | st.dates(), st.datetimes(timezones=ZONES))
def test_what_the_archive_keeps_of_any_year_comes_back(moment: datetime | date, other: datetime) -> None:
    """And its order as text is its order in time."""
    whole = moment.replace(microsecond=0) if isinstance(moment, datetime) else moment
    try:
        texts = [as_precise_text(other), as_text(whole)]
    except OverflowError:
        return  # UTC has no such year
    assert texts[1] is not None
    assert as_moment(texts[1]) == whole
    if isinstance(moment, datetime):
        assert (as_precise_text(moment) < texts[0]) == (moment < other)


@settings(max_examples=200)
@given(st.text(max_size=110) | st.from_regex(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}([T ]\d\d:\d\d( ?[A-Z]{1,4}|[+-]\d\d:?\d\d)?)?", fullmatch=True))  # fmt: skip
def test_junk_is_no_date_or_one_that_can_be(raw: str) -> None:
    """Never an exception, never a time without a zone, never one from the future."""
    for moment in (iso_instant(raw), mail_instant(raw), dates.parse(raw, FETCHED_AT), dates.parse(raw, FETCHED_AT, american=True)):  # fmt: skip
        assert moment is None or not isinstance(moment, datetime) or moment.utcoffset() == timedelta()
    read = dates.parse(raw, FETCHED_AT)
    assert read is None or date(1990, 1, 1) <= london_day(read) <= date(2026, 3, 15)


# Blocks

OPTIONAL = st.none() | TEXT
BLOCKS = st.builds(
    Block,
    st.sampled_from(list(BlockKind)),
    TEXT,
    st.none() | st.integers(1, 6),
    st.none() | st.booleans(),
    st.none() | TEXT.filter(bool),
    st.none() | st.builds(Image, TEXT, OPTIONAL, OPTIONAL, OPTIONAL),
)


def of_json(record: dict[str, Any]) -> Block:
    """Read a block as a program in any language would."""
    image = record.get("image")
    return Block(
        BlockKind(record["kind"]),
        record.get("text", ""),
        record.get("level"),
        record.get("ordered"),
        record.get("url"),
        Image(**image) if image else None,
    )


@given(st.lists(BLOCKS, max_size=6))
def test_blocks_come_back_from_the_archive_as_they_went(blocks: list[Block]) -> None:
    """And the text that is made of them holds theirs, in their order, and nothing else."""
    kept = json.dumps([block.as_json() for block in blocks], ensure_ascii=False)
    back = [of_json(record) for record in json.loads(kept)]
    assert back == blocks
    article = Article("https://uknip.co.uk/a/", "A", tuple(blocks))
    assert Article("https://uknip.co.uk/a/", "A", tuple(back)).body_sha256 == article.body_sha256
    body, at = article.body, 0
    for block in blocks:
        if block.kind not in (BlockKind.IMAGE, BlockKind.EMBED) and block.text:
            said = ("- " if block.kind is BlockKind.LIST_ITEM else "") + block.text
            assert body.startswith(said, at)
            at += len(said) + 2
    assert at == (len(body) + 2 if body else 0)
    shown = [item for _, run in grouped_blocks(kept, body) for item in run]
    if blocks:
        assert shown == json.loads(kept)


# Learning


@cache
def pages() -> tuple[Post, ...]:
    promo = p("Send your pictures of the harbour to our desk.")
    return tuple(Post(n, (promo if n % 3 else "") + p(f"Words: Zoe Marsden {n}")) for n in range(7)) + tuple(
        Post(n, p(sentence(n, 8))) for n in range(7, 10)
    )


@settings(max_examples=6)
@given(st.randoms(use_true_random=False))
def test_what_is_learned_does_not_know_the_order_of_pages(dice: Random) -> None:
    """Layouts and wordings, to the letter."""
    shuffled = list(pages())
    dice.shuffle(shuffled)
    layouts, lore = learn(studies_of(shuffled), stories_of(shuffled))
    expected_layouts, expected = learn(studies_of(pages()), stories_of(pages()))
    assert layouts == expected_layouts
    assert lore == expected


# Exports

WILD = st.text(st.sampled_from("=+-@\t\r\n \v\f\u00a0\ufeff\u3000\"',;|a\0\x85\u2028😀") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)  # fmt: skip
RUNS = re.compile(r"\s*[=+\-@]|[\t\r]")


@given(st.lists(WILD, min_size=1, max_size=4))
def test_a_cell_comes_back_and_never_begins_as_a_formula(texts: list[str]) -> None:
    """Whatever blanks are before it; raw, it is what the archive has."""
    for raw in (False, True):
        output = io.BytesIO()
        field = Field("headline", "string", "", "")
        write_csv([tuple(text.encode() for text in texts)], [field] * len(texts), output, raw)
        [_, row] = csv.reader(io.StringIO(output.getvalue().decode(), newline=""))
        for cell, text in zip(row, texts, strict=True):
            assert cell in ((text,) if raw else (text, f"'{text}"))
            assert raw or not RUNS.match(cell)


@settings(max_examples=8)
@given(st.lists(WILD, min_size=1, max_size=6))
def test_every_format_holds_what_the_archive_has(texts: list[str]) -> None:
    """JSON Lines, JSON and Parquet, to the character."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        archive = Path(folder) / "archive"
        archive.mkdir()
        db = new_archive(archive)
        for number, text in enumerate(texts):
            add_article(db, f"/{number}/", text, text, published_at=f"2024-01-{number + 1:02d}")
        db.close()
        kept = [(text, text) for text in texts]
        for kind in ("jsonl", "json", "parquet"):
            path = Path(folder) / kind
            write_export(archive, Recipe(kind), path)
            if kind == "parquet":
                records = pq.read_table(path).to_pylist()
            elif kind == "json":
                records = json.loads(path.read_text("utf-8"))
            else:
                records = [json.loads(line) for line in path.read_bytes().splitlines()]
            assert [(record["headline"], record["body"]) for record in records] == kept


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
