"""Sites that fall silent, lose their lists or turn to rubbish: the crawl says so, once, to everybody who is to know."""

from __future__ import annotations

import http.server
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import rows
from processes import uknip
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from small_site import HTML, Answer, Post, SmallSite, posts, run

from uknip_crawler.archive import DATABASE
from uknip_crawler.archive.reports.status import KEYS
from uknip_crawler.cli.status import sparkline
from uknip_crawler.errors import UknipError
from uknip_crawler.watching.metrics import METRICS
from uknip_crawler.watching.notices import send

REST = "/wp-json/wp/v2/posts"


@contextmanager
def switch() -> Iterator[tuple[str, list[str]]]:
    """A dead man's switch on loopback: its address, and what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/ping/7", asked
    server.shutdown()
    server.server_close()


def change(archive: Path, *statements: str) -> None:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def age(archive: Path, days: int) -> None:
    """Have everything in an archive happened so many days earlier."""
    for table, names in {
        "runs": ("started_at", "finished_at"),
        "layouts": ("first_seen_at", "last_seen_at"),
        "articles": ("first_seen_at",),
        "findings": ("alarmed_at", "ended_at"),
    }.items():
        changes = ", ".join(
            f"{name} = strftime('%Y-%m-%dT%H:%M:%SZ', {name}, '-{days} days')" for name in names
        )
        change(archive, f"UPDATE {table} SET {changes}")


def verdict(archive: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads(uknip("status", "--archive", str(archive), "--json").stdout)
    return told


def test_lists_that_stop_answering_are_told_once_to_everybody(tmp_path: Path) -> None:
    """By exit status, notice, metrics, status and a switch that is not asked any more; and so is their return."""
    archive, told, metrics = tmp_path / "archive", tmp_path / "told", tmp_path / "uknip.prom"
    script = "import os, sys; open(sys.argv[1], 'a').write(os.environ['UKNIP_SUBJECT'] + '\\n' + sys.stdin.read() + '=====')"
    (tmp_path / "notice.py").write_text(script)
    with SmallSite(posts(3)) as site, switch() as (address, asked):
        site.offer_rest()
        uknip("init", site.base_url, "--archive", str(archive))
        with (archive / "uknip.toml").open("a") as file:
            file.write(
                f"notice_command = '{sys.executable} {tmp_path}/notice.py {told}'\nmetrics = '{metrics}'\nping = '{address}'\n"
            )
        assert run(site.base_url, archive).status == 0
        assert asked == ["/ping/7"]
        answers = site.app
        site.app = lambda path, headers: (404, HTML, "gone") if path.startswith(REST) else None
        assert run(site.base_url, archive).status == 3
        assert verdict(archive)["findings"] == []  # one failure is an outage
        assert not told.exists()
        second = run(site.base_url, archive)
        assert second.status == 3
        (finding,) = second.report["findings"]
        assert finding["name"] == "lists"
        assert finding["since"] == rows(archive, "SELECT started_at FROM runs WHERE id = 2")[0][0]
        assert any(REST in url for url in finding["examples"])
        assert told.read_text().count("=====") == 1
        assert all(word in told.read_text() for word in ("uknip:", REST, "uknip coverage"))
        run(site.base_url, archive)
        assert told.read_text().count("=====") == 1
        assert asked == ["/ping/7"]
        assert _gauge(metrics, "uknip_finding", check="lists") == 1
        assert _gauge(metrics, "uknip_healthy") == 0
        screen = uknip("status", "--archive", str(archive)).stdout.splitlines()
        assert "look at this" in screen[0]
        assert len(screen) <= 40
        site.app = answers
        run(site.base_url, archive)
        assert told.read_text().count("=====") == 2
        assert "well again" in told.read_text().rpartition("uknip:")[2]
        assert len(asked) == 2
        assert _gauge(metrics, "uknip_healthy") == 1
    status = verdict(archive)
    assert list(status) == list(KEYS)
    assert status["verdict"] == "healthy"
    assert rows(archive, "SELECT name, run_id, noticed, ended_at IS NOT NULL FROM findings") == [
        ("lists", 3, "ended", 1)
    ]


def _gauge(path: Path, name: str, **labels: str) -> float:
    """Return a figure, from a file that both of Prometheus's own parsers read alike."""
    text = path.read_text()
    one, other = (
        {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in parse(text)
            for sample in family.samples
        }
        for parse in (openmetrics, prometheus)
    )
    assert one == other
    assert {sample for sample, _ in one} <= set(METRICS)
    (value,) = (
        value
        for (sample, found), value in one.items()
        if sample == name and labels.items() <= dict(found).items()
    )
    return value


def test_a_switch_and_a_command_that_fail_are_no_fault_of_the_crawl(tmp_path: Path) -> None:
    """Nor is a metrics file in a folder that is not there; each is one line, and a notice is sent again the next time."""
    with SmallSite(posts(2)) as site:
        site.offer_rest()
        uknip("init", site.base_url, "--archive", str(tmp_path))
        with (tmp_path / "uknip.toml").open("a") as file:
            file.write("ping = 'http://127.0.0.1:9/secret'\nmetrics = '/nowhere/uknip.prom'\n")
            file.write("notice_command = 'false'\n")
        done = run(site.base_url, tmp_path)
        assert done.status == 0
        assert "127.0.0.1: the switch could not be asked" in done.said
        assert "secret" not in done.said
        assert "/nowhere" in done.said
        change(tmp_path, "UPDATE sources SET last_read_at = last_asked_at", "DELETE FROM findings")
        change(
            tmp_path,
            "INSERT INTO findings (name, since, run_id, last_run_id, what, value, bound, alarmed_at, ended_at) "
            "VALUES ('lists', '2026-01-01T00:00:00Z', 1, 1, 'so', 2, 2, '2026-01-01T00:00:00Z', NULL)",
        )
        change(tmp_path, "UPDATE findings SET name = 'disk', noticed = NULL")
        done = run(site.base_url, tmp_path)  # finds the disk well again, of which nobody had been told
        assert "notices:" not in done.said
        change(tmp_path, "UPDATE findings SET noticed = 'found'")
        assert "the command for notices ended with 1" in run(site.base_url, tmp_path).said
        assert rows(tmp_path, "SELECT noticed FROM findings") == [("found",)]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise looks for it
def test_notices_go_out_by_apprise() -> None:
    """To a service on loopback; an address that is none is told without its secrets."""
    with switch() as (address, asked):
        send([address.replace("http://", "json://")], "Look at this", "No story since Tuesday.")
    assert [json.loads(body)["message"] for body in asked] == ["No story since Tuesday."]
    with pytest.raises(UknipError, match=r"^nonsense: no address") as caught:
        send(["nonsense://user:secret@host"], "s", "b")
    assert "secret" not in str(caught.value)


def test_a_site_that_falls_silent_is_alarmed_within_a_day(tmp_path: Path) -> None:
    """Every crawl is complete, nothing fails, and no story comes: 3, the newest stories as examples; then 0 until a day later."""
    now = datetime.now(UTC).replace(microsecond=0)
    with SmallSite(posts(4)) as site:
        site.offer_rest()
        assert run(site.base_url, tmp_path).status == 0
        _publish_hourly(tmp_path, until=now - timedelta(hours=30))
        silent = run(site.base_url, tmp_path)
        assert silent.status == 3
        (finding,) = silent.report["findings"]
        assert finding["name"] == "silence"
        assert len(finding["examples"]) == 3
        assert "30 hours" in finding["what"]
        again = run(site.base_url, tmp_path)
        assert again.status == 0
        assert again.report["findings"][0]["name"] == "silence"
        assert verdict(tmp_path)["verdict"] == "look at this"
        change(
            tmp_path,
            "UPDATE findings SET alarmed_at = strftime('%Y-%m-%dT%H:%M:%SZ', alarmed_at, '-25 hours')",
        )
        assert run(site.base_url, tmp_path).status == 3


_WEEK = timedelta(weeks=1)
_REST = _WEEK - timedelta(hours=31)


def _publish_hourly(archive: Path, until: datetime) -> None:
    """Have an archive hold two stories an hour until then, and in the same hours as since then of the ten weeks before."""
    columns = [
        name for _, name, *_ in rows(archive, "PRAGMA table_info(articles)") if name not in ("id", "month")
    ]
    first, *_ = rows(archive, f"SELECT {', '.join(columns)} FROM articles LIMIT 1")
    place = {name: columns.index(name) for name in ("url", "published_at", "first_seen_at")}
    copies = []
    for number in [*range(3), *(n for n in range(2 * 24 * 70) if n * timedelta(minutes=30) % _WEEK >= _REST)]:
        at = (until - number * timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = list(first)
        row[place["url"]] = f"{first[place['url']]}{number}/"
        row[place["published_at"]] = row[place["first_seen_at"]] = at
        copies.append(row)
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        marks = ", ".join("?" * len(columns))
        db.executemany(f"INSERT INTO articles ({', '.join(columns)}) VALUES ({marks})", copies)
        db.commit()


@pytest.mark.parametrize("is_cut", [False, True], ids=["other text", "text cut short"])
def test_a_template_turned_to_rubbish_replaces_no_good_text(is_cut: bool, tmp_path: Path) -> None:
    """Five known stories are looked at again, fewer than a mass: what was archived stays, the run says where to look."""
    held = posts(40)
    with SmallSite(held) as site:
        site.offer_rest()
        assert run(site.base_url, tmp_path).status == 0
        good = rows(tmp_path, "SELECT url, body FROM articles ORDER BY url")
        age(tmp_path, 15)
        rest = site.app
        for post in held[:5]:
            post.modified = "2030-01-01T00:00:00"

        def rubbish(path: str, headers: object) -> Answer | None:
            post = next((one for one in held[:5] if path == f"/{one.path}"), None)
            if post is not None:
                return 200, HTML, _rubbish(post, is_cut=is_cut)
            return rest(path, {}) if rest else None

        site.app = rubbish
        done = run(site.base_url, tmp_path)
        assert done.status == 3
        assert rows(tmp_path, "SELECT url, body FROM articles ORDER BY url") == good
        assert rows(tmp_path, "SELECT count(*) FROM revisions") == [(40,)]
        findings = {one["name"]: one for one in done.report["findings"]}
        assert len(findings["walls"]["examples"]) == 3
        assert all(any(post.path in url for post in held[:5]) for url in findings["walls"]["examples"])


def _rubbish(post: Post, *, is_cut: bool) -> str:
    """Return a story's page as a broken template shows it: its own head, and no or hardly any text of its own."""
    html = post.html()
    start, end = html.index('<div class="entry-content">'), html.index("</div></article>")
    if is_cut:
        text = f"<p>Story {post.number} is told.</p>"
    else:
        text = f"<p>Widget {post.number} could not load because shortcode {post.number * 3} misses its template {post.number + 9}.</p>"
    return f'{html[:start]}<div class="entry-content">{text}{html[end:]}'


@pytest.mark.parametrize("is_wordpress", [False, True])
def test_a_first_crawl_without_a_story_says_what_it_tried(is_wordpress: bool, tmp_path: Path) -> None:
    """And what kind of site that seems to be; it is not complete."""
    with SmallSite(answers={"/": (200, HTML, "<title>Ada's bakery</title><p>Bread every day.</p>")}) as site:
        if is_wordpress:
            site.offer_rest()
        done = run(site.base_url, tmp_path)
    assert done.status == 3
    assert ("no WordPress news site" in done.troubles) is not is_wordpress
    assert "no story was found" in done.troubles
    if not is_wordpress:
        assert all(f"{name} (HTTP 404)" in done.troubles for name in ("rest", "sitemap", "feed"))
        assert "archive pages" in done.troubles


def test_sparklines_show_what_is_there() -> None:
    """The highest bar for the most, a dot for nothing."""
    assert sparkline([0, 1, 4, 8]) == "·▁▄█"
    assert sparkline([0, 0]) == "··"
    assert sparkline([]) == ""
