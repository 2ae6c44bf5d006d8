"""A page that runs away, crashes or eats memory costs its worker and one row; the next page is read as ever."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as WorkerTimeout
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hostile_pages import COSTLY, end
from pebble import ProcessExpired

from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.ingest.workers import PAGE_BYTES, Workers, read_page
from uknip_crawler.models import Capture, Outcome

URL = "https://uknip.co.uk/news/uk/breaking/a-ferry-runs-late/"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HTML = (("Content-Type", "text/html; charset=utf-8"),)
LAST = "The last ferry of the evening sailed without the mayor, who took the bus."
SECONDS = 20.0


def capture(middle: str) -> Capture:
    story = f"<h1>A ferry runs late</h1><article><p>The 7.40 ferry ran late again.</p>{middle}<p>{LAST}</p></article>"
    return Capture(URL, 200, HTML, f"<html><body>{story}</body></html>".encode(), NOW)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers("https://uknip.co.uk/", Learned(), count=1) as pool:
        yield pool


@pytest.mark.fault("X17")
@pytest.mark.parametrize(
    ("task", "arguments", "error"),
    [
        (time.sleep, (30,), WorkerTimeout),
        (os._exit, (11,), ProcessExpired),
        (bytearray, (2**32,), MemoryError),
    ],
    ids=["runs away", "crashes", "eats memory"],
)
def test_the_next_page_is_read_after_a_worker_was_lost(
    workers: Workers, task: type, arguments: tuple[int, ...], error: type[BaseException]
) -> None:
    """Whatever became of the page before."""
    with pytest.raises(error):
        workers.schedule(task, *arguments, seconds=1.0).result()
    reading = workers.schedule(read_page, capture(""), False, seconds=SECONDS).result()
    assert reading.article is not None
    assert reading.article.body.endswith(LAST)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process has reserved")
def test_what_a_worker_reserved_before_it_began_is_not_taken_from_its_pages(workers: Workers) -> None:
    """A user's own script is imported by it, and an allocator may reserve a GiB of addresses."""
    limit, _ = workers.schedule(resource.getrlimit, resource.RLIMIT_AS, seconds=SECONDS).result()
    assert limit > PAGE_BYTES


MIDDLES = {
    "nested": "<div>" * 3_000 + "deep" + "</div>" * 3_000,
    "unclosed": "<b>" * 100_000,
    "brackets": "<p>" + "[" * 100_000 + "</p>",
    "labels": "<p>" + "Published: " * 20_000 + "</p>",
    "tables": "<table>" * 5_000,
    "script": "<script>" + "var a = '<p>';" * 200_000 + "</script>",
}
HOSTILE = {name: one.body(name) for name, one in COSTLY.items()} | {
    name: capture(middle).body for name, middle in MIDDLES.items()
}


@pytest.mark.fault("X03", "X16")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_read_whole_or_said_not_to_be(workers: Workers, name: str) -> None:
    """Within its time and memory, and never a part passed off as the whole."""
    page = replace(capture(""), body=HOSTILE[name])
    reading = workers.schedule(read_page, page, False, seconds=SECONDS).result()
    told = reading.article is None and reading.outcome in (
        Outcome.EXTRACT_ERROR,
        Outcome.TOO_LARGE,
        Outcome.DATALOSS,
    )
    last = end(name) if name in COSTLY else LAST
    whole = reading.article is not None and last in reading.article.body
    assert whole or told or "truncated_parse" in reading.flags
