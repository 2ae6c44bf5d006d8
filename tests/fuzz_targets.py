"""What takes bytes from outside, each as a function that any bytes must pass: what it raises is a fault of ours.

`bench/fuzzing.py` looks for such bytes; `test_fuzzing.py` replays those in `tests/fuzzing/`.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from sqlite_utils import Database

from uknip_crawler.archive.migrations import migrations
from uknip_crawler.archive.warc.lenient import ForeignWarc
from uknip_crawler.archive.warc.records import Damage, Record
from uknip_crawler.archive.warc.unpacking import inside
from uknip_crawler.browse.pages.asking import Ask
from uknip_crawler.browse.wanted import understood
from uknip_crawler.discovery import Listed, SourceUnusable, feed, rest, robots, signposts, sitemap
from uknip_crawler.errors import AddressRefused, UsageError
from uknip_crawler.export.selection import match_expression
from uknip_crawler.extraction import read, study_capture
from uknip_crawler.ingest.redirects import location_of
from uknip_crawler.models import Article, Capture
from uknip_crawler.sites import load_site
from uknip_crawler.urls import canonicalise, classify, part_of, post_number, space_of

SITE = load_site("https://uknip.co.uk/")
URL = "https://uknip.co.uk/news/uk/breaking/a-ferry-runs-late/"
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


def extraction(data: bytes) -> None:
    """The first line is the page's media type, the rest its bytes."""
    media_type, _, body = data.partition(b"\n")
    headers = (("Content-Type", media_type.decode("latin-1")),) if media_type else ()
    capture = Capture(URL, 200, headers, body, NOW)
    reading = read(capture, SITE, expected_article=True, for_now=True)
    assert not (reading.reason or "").partition(":")[0].endswith(("Error", "Exception")), reading.reason
    if reading.article is not None:
        _is_storable(reading.article)
    for link in reading.links:
        _address(link)
    study_capture(capture, SITE)
    location_of(capture)
    signposts.Signposts.of(body, headers, url=URL)


def _is_storable(article: Article) -> None:
    blocks = json.dumps([block.as_json() for block in article.blocks], ensure_ascii=False)
    texts = [article.headline, article.body, blocks, *article.authors, *article.tags]
    texts += [said.raw + (said.value or "") for said in article.evidence]
    for text in texts:
        assert "\0" not in text
        text.encode()
    for moment in (article.published_at, article.modified_at):
        assert not isinstance(moment, datetime) or moment.utcoffset() is not None
    assert canonicalise(article.url, SITE) == article.url


def _address(url: str) -> None:
    try:
        canonical = canonicalise(url, SITE)
    except AddressRefused:
        return
    assert canonical.isascii()
    assert canonicalise(canonical, SITE) == canonical
    assert urlsplit(canonical).hostname == SITE.host
    classify(canonical, SITE)
    space_of(canonical)
    post_number(canonical)
    part_of(canonical)


def _listed(entries: Iterable[Listed]) -> None:
    for entry in entries:
        _address(entry.url)
        for moment in (entry.published_at, entry.modified_at):
            assert moment is None or moment.utcoffset() is not None
        for said in entry.said:
            (said.raw + (said.value or "")).encode()
        assert entry.post_id is None or 0 < entry.post_id < 2**63


def sitemaps(data: bytes) -> None:
    """A sitemap, and the same bytes as the site's robots.txt."""
    for line in robots.Robots.parse(data).sitemaps:
        _address(line)
    robots.Robots.parse(data).allowed(URL, "uknip")
    try:
        found = sitemap.parse(data, url="https://uknip.co.uk/sitemap.xml")
    except SourceUnusable:
        return
    _listed(found.entries)


def feeds(data: bytes) -> None:
    """A feed, read for addresses and for whole stories."""
    for parse in (feed.parse, feed.parse_contents):
        try:
            found = parse(data, url="https://uknip.co.uk/feed/")
        except SourceUnusable:
            continue
        if not isinstance(found, tuple):
            _listed(found.entries)


def rest_lists(data: bytes) -> None:
    """The first line is the header with the total, the rest REST's list of posts."""
    total, _, body = data.partition(b"\n")
    headers = {"X-WP-Total": total.decode("latin-1"), "X-WP-TotalPages": total.decode("latin-1")}
    rest.is_past_end(400, body)
    for parse in (rest.parse_posts, rest.parse_contents):
        try:
            found = parse(body, headers)
        except SourceUnusable:
            continue
        if not isinstance(found, tuple):
            _listed(found.entries)


def warcs(data: bytes) -> None:
    """A file to import, whatever packs it."""
    with tempfile.NamedTemporaryFile(suffix=".warc.gz", dir=_memory()) as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(UsageError):
            for path in inside(Path(file.name)):
                _records(path)


def _records(path: Path) -> None:
    file = ForeignWarc(path)
    try:
        for found in list(file.records()):
            if not isinstance(found, Record):
                continue
            assert found.fetched_at.utcoffset() is not None
            _address(found.url)
            loaded = file.load(found.place)
            if not isinstance(loaded, Damage) and loaded.capture is not None:
                location_of(loaded.capture)
    finally:
        file.close()


@cache
def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@cache
def _archive() -> Database:
    db = Database(memory=True)
    migrations.apply(db)
    return db


def searches(data: bytes) -> None:
    """A question in the search box and in the option of an export: an answer, whatever it is."""
    text = data.decode("utf-8", "surrogateescape")
    wanted = understood(Ask({"q": data.decode("utf-8", "replace")}, {}, Path()).text("q"))
    for match in (match_expression(_archive(), text), wanted.match):
        if match:
            sql = "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH ?"
            _archive().execute(sql, (match,)).fetchone()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "extraction": extraction,
    "sitemap": sitemaps,
    "feed": feeds,
    "rest": rest_lists,
    "warc": warcs,
    "search": searches,
}
