"""The archive reads well in Datasette: articles, search, queries; hostile text stays text; nothing leaks."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from browsing import end, fill, get, page_of
from click.testing import CliRunner
from datasette.app import Datasette
from sample_archive import add_article
from sqlite_utils import Database

from uknip_crawler.browse.blocks import grouped_blocks
from uknip_crawler.browse.links import is_web_address
from uknip_crawler.browse.metadata import QUERIES
from uknip_crawler.browse.server import datasette_for, listen, page_address
from uknip_crawler.browse.times import london_time
from uknip_crawler.cli.browse import command
from uknip_crawler.errors import StorageError, UsageError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return fill(tmp_path)


@pytest.fixture
def datasette(archive: Path) -> Iterator[Datasette]:
    """Datasette as `uknip browse` starts it; its connections and threads end with the test."""
    instance = datasette_for(archive)
    yield instance
    end(instance)


# Pages


def test_the_list_shows_what_a_reader_needs(datasette: Datasette) -> None:
    """Newest first: time in London, headline as a link, section; undated last; no wide raw table."""
    page = get(datasette, "/uknip/articles?status=live&section=breaking").text
    assert f'<a href="{page_of("/news/uk/breaking/road/")}">Road closed near harbour</a>' in page
    assert "14 June 2024, 16:21" in page
    assert "body_sha256</a>" not in page
    assert "body_sha256</a>" in get(datasette, "/uknip/articles?_col=body_sha256").text


def test_the_list_has_search_facets_and_column_texts(datasette: Datasette) -> None:
    """The metadata reaches the page."""
    page = get(datasette, "/uknip/articles").text
    assert 'name="_search"' in page
    for facet in ("section", "month", "status"):
        assert f'id="facet-{facet}"' in page
    assert "<dt>published_at</dt><dd>When first published" in page


def test_our_style_is_served(datasette: Datasette) -> None:
    """Under the name of the distribution; any other name is a silent 404."""
    address = "/-/static-plugins/uknip/datasette.css"
    assert address in get(datasette, "/uknip/articles").text
    assert get(datasette, address).status_code == 200


@pytest.mark.parametrize("name", QUERIES)
def test_every_ready_made_query_answers(datasette: Datasette, name: str) -> None:
    """Without an SQL error, and listed in the menu."""
    answer = get(datasette, f"/uknip/{name}.json?words=road").json()
    assert answer["ok"]
    assert f'href="/uknip/{name}"' in get(datasette, "/uknip").text


def test_queries_find_what_they_are_named_for(datasette: Datasette) -> None:
    """The rewritten headline, the gone story, the words in their sentence, the run."""

    def rows(path: str) -> Any:
        return get(datasette, f"/uknip/{path}_shape=array").json()

    changed = rows("headlines_changed.json?")
    assert [(row["before"], row["headline"]) for row in changed] == [
        ("Road closed near harbour", "Road open again near harbour")
    ]
    assert [row["headline"] for row in rows("gone.json?")] == ["Cut-off swan"]
    assert [row["article_id"] for row in rows("most_edited.json?")] == [1]
    assert rows("search_snippets.json?words=closed&")[0]["found"] == "Road ⟦closed⟧ near harbour"
    assert [(row["run"], row["open"], row["failures"]) for row in rows("run_health.json?")] == [(1, 1, 0)]
    assert {"section": None, "stories": 1, "gone": 1} in rows("stories_per_section.json?")
    assert {"month": "2024-06", "stories": 1, "gone": 0} in rows("stories_per_month.json?")
    page = get(datasette, "/uknip/gone").text
    assert '<a href="/read/story/2">Cut-off swan</a>' in page


def test_internal_tables_are_out_of_sight(datasette: Datasette) -> None:
    """The search index's tables and the migrations' own."""
    tables = get(datasette, "/uknip.json").json()["tables"]
    visible = {table["name"] for table in tables if not table["hidden"]}
    assert "articles" in visible
    assert not {name for name in visible if name.startswith(("articles_fts", "_"))}


# Search


@pytest.mark.fault("E04")
@pytest.mark.parametrize(
    ("search", "count"),
    [
        ("harbour", 1),
        ("cut-off", 1),
        ('"cut off"', 1),
        ('"', 0),
        ('""', 0),
        ('swan"', 1),
        ("AND", 0),
        ("NEAR(", 1),
        ("*", 0),
        ("headline:", 0),
        ("a\0b", 0),
        ('"swan\nharbour"', 0),
        ("zz " * 2000, 0),
        ("", 3),
        (" ", 3),
    ],
)
def test_the_search_box_answers_to_anything(datasette: Datasette, search: str, count: int) -> None:
    """No SQL error for any input; here and in the ready-made search."""
    answer = get(datasette, "/uknip/articles.json?" + urlencode({"_search": search})).json()
    assert answer["filtered_table_rows_count"] == count
    assert get(datasette, "/uknip/search_snippets.json?" + urlencode({"words": search})).json()["ok"]


# Safety


@pytest.mark.fault("E03")
@pytest.mark.parametrize(
    "path", ["articles", "articles/3", "articles?_nocol=url", "newest", "article_images", "aliases", "tags"]
)
def test_hostile_text_stays_text(datasette: Datasette, path: str) -> None:
    """No element, attribute or link comes out of an archived text."""
    answer = get(datasette, f"/uknip/{path}")
    assert answer.status_code == 200
    assert "&lt;script&gt;alert(2)" in answer.text or path == "newest"
    assert "<script>alert(2)" not in answer.text
    assert "<img src=x" not in answer.text
    assert not re.search(r'href="?\s*javascript:', answer.text)


def test_every_answer_carries_the_security_headers(datasette: Datasette) -> None:
    """Pages, JSON, errors, static files."""
    for path in (
        "/",
        "/read/search",
        "/uknip/articles",
        "/uknip/articles/1.json",
        "/nothing",
        "/-/static/app.css",
    ):
        headers = get(datasette, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert len(headers.get_list("content-security-policy")) == 1
        assert headers["content-security-policy"].startswith("default-src 'none'; ")


@pytest.mark.parametrize(
    "path", ["/uknip", "/uknip/articles", "/uknip/articles/3", "/uknip/newest", "/uknip/nothing"]
)
def test_only_datasettes_own_scripts_may_run(datasette: Datasette, path: str) -> None:
    """Each script of the page bears the nonce of this answer and no other; or it is the reading room's file."""
    nonces = set()
    for _ in range(2):
        answer = get(datasette, path)
        policy = answer.headers["content-security-policy"]
        scripts = re.findall(r"<script(?![^>]* src=\"/-/static-plugins/uknip/keys.js\")[^>]*>", answer.text)
        nonce = re.search(r"'nonce-([\w-]{20,})'", policy)
        assert all(nonce and f'nonce="{nonce[1]}"' in script for script in scripts)
        assert "unsafe" not in policy.split("style-src")[0]
        nonces.add(policy)
    assert len(nonces) == 2 or not scripts


@pytest.mark.fault("E05")
def test_endless_sql_is_cut_off(datasette: Datasette) -> None:
    """After a second, with an error on the page."""
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    started = time.monotonic()
    answer = get(datasette, "/uknip.json?" + urlencode({"sql": endless}))
    assert answer.status_code == 400
    assert time.monotonic() - started < 10


def test_nothing_can_be_written(datasette: Datasette) -> None:
    """The connection is read-only."""
    answer = get(datasette, "/uknip.json?" + urlencode({"sql": "with x as (select 1) delete from articles"}))
    assert answer.status_code == 400
    assert get(datasette, "/uknip/articles.json").json()["filtered_table_rows_count"] == 3


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        ("https://uknip.co.uk/a", True),
        ("HTTP://x", True),
        ("javascript:alert(1)", False),
        ("https://x/ y", False),
        ('https://x"onclick=', False),
        ("https://x\n", False),
        ("//x", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(text: str | None, is_link: bool) -> None:
    """Http or https, whole, without blanks or quotes."""
    assert is_web_address(text) is is_link


@pytest.mark.parametrize("blocks", ["", "{", "null", "7", '["x"]', '[{"text": "no kind"}]', "[]"])
def test_unreadable_blocks_fall_back_to_the_body(blocks: str) -> None:
    """The text is shown all the same."""
    shown = [{"kind": "paragraph", "text": "One."}, {"kind": "paragraph", "text": "Two."}]
    assert grouped_blocks(blocks, "One.\n\nTwo.") == [("paragraph", shown)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-06-14T15:21:00Z", "14 June 2024, 16:21"),
        ("2024-12-31T23:30:00Z", "31 December 2024, 23:30"),
        ("2020-09-16", "16 September 2020"),
        ("nonsense", "nonsense"),
        (None, ""),
    ],
)
def test_times_are_shown_in_london(text: str | None, shown: str) -> None:
    """Days as days; what is no time as it is."""
    assert london_time(text) == shown


# Other people's Datasette


def test_the_plugin_leaves_other_databases_alone(tmp_path: Path) -> None:
    """Even one called uknip with a table called articles: plain pages, no headers, no menu."""
    db = Database(tmp_path / "uknip.db")
    db.table("articles").insert({"id": 1, "headline": "Plain", "site": "https://example.org/"}, pk="id")
    db.close()
    instance = Datasette([str(tmp_path / "uknip.db")])
    for path in ("/uknip/articles", "/uknip/articles/1"):
        answer = get(instance, path)
        assert answer.status_code == 200
        assert "content-security-policy" not in answer.headers
        assert "uknip.css" not in answer.text
        assert "nav-menu" not in answer.text
        assert '<a href="https://example.org/">https://example.org/</a>' in answer.text
    end(instance)


# The command


@pytest.mark.fault("D12")
def test_a_crawl_in_progress_is_visible(archive: Path, datasette: Datasette) -> None:
    """A row committed while we serve, still in the write-ahead log, is there at the next look."""
    assert get(datasette, "/uknip/articles.json").json()["filtered_table_rows_count"] == 3
    writer = Database(archive / "uknip.db")
    add_article(writer, "/fresh/", "Fresh story")
    answer = get(datasette, "/uknip/articles.json?_search=fresh")
    writer.close()
    assert answer.json()["filtered_table_rows_count"] == 1
    assert answer.headers["cache-control"] == "no-cache"


def test_no_archive_or_a_damaged_one_is_one_line(tmp_path: Path) -> None:
    """Before any port is opened."""
    with pytest.raises(UsageError, match="no archive in"):
        datasette_for(tmp_path)
    (tmp_path / "uknip.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="cannot open the archive"):
        datasette_for(tmp_path)


def test_a_busy_port_is_one_line(archive: Path) -> None:
    """It says what to do."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UsageError, match=rf"port {port} on 127\.0\.0\.1 is in use: choose another with --port N"
        ):
            CliRunner().invoke(
                command, ["--archive", str(archive), "--port", str(port), "--no-open"], catch_exceptions=False
            )


def test_an_impossible_host_or_port_is_a_usage_error(archive: Path) -> None:
    """The host cannot be listened on; the port is no port."""
    with pytest.raises(UsageError, match="cannot be opened"):
        listen("no.such.host.invalid", 0)
    assert CliRunner().invoke(command, ["--archive", str(archive), "--port", "70000"]).exit_code == 2


def test_listening_everywhere_still_names_this_machine() -> None:
    """A browser cannot go to 0.0.0.0."""
    with listen("0.0.0.0", 0) as listener:
        assert page_address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_uknip_browse_serves_until_interrupted(archive: Path) -> None:
    """A real process: it says where it is, answers, and ends at once when told to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["browse", "--no-open", "--port", str(port), "--archive", str(archive)]
    with subprocess.Popen(
        [sys.executable, "-m", "uknip_crawler", *arguments], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout
            assert f"http://127.0.0.1:{port}/".encode() in process.stdout.readline()
            assert "Road closed near harbour" in fetch(f"http://127.0.0.1:{port}/")
        finally:
            process.terminate()
        assert process.wait(20) in (143, -15)


def fetch(address: str, deadline_seconds: float = 30) -> str:
    end_at = time.monotonic() + deadline_seconds
    while True:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                address, timeout=10
            ) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            if time.monotonic() > end_at:
                raise
            time.sleep(0.05)
