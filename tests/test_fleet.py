"""Many sites on many machines: real Scrapyd servers on loopback, one of which falls; and servers that answer nonsense."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from capabilities import need_modules
from crawling import Archived, tables
from machines import SECONDS, ScrapydMachine, free_port, wait_for
from processes import begin, uknip

from uknip_crawler.demo import SampleSite
from uknip_crawler.errors import MachineError, UsageError
from uknip_crawler.fleet import scrapyd
from uknip_crawler.fleet.plan import read
from uknip_crawler.fleet.scrapyd import Scrapyd

STORIES = {"leeds": 12, "york": 13, "hull": 14, "bath": 15}


@pytest.mark.fault("M01")
def test_sites_of_a_server_that_falls_are_taken_up_by_another_or_at_its_return(
    archived: Archived, tmp_path: Path
) -> None:
    """Every archive ends as an undisturbed crawl would have left it: nothing lost, nothing twice."""
    need_modules("scrapyd")
    plan = tmp_path / "fleet.toml"
    with ExitStack() as stack:
        sites: dict[str, SampleSite] = {}
        for name, stories in STORIES.items():
            sites[name] = stack.enter_context(archived(tmp_path / "undisturbed" / name, stories))
            sites[name].requests.clear()
        north, south = (ScrapydMachine(tmp_path / name, free_port()) for name in ("north", "south"))
        for machine in (north, south):
            stack.callback(machine.fall)
            machine.start()
        plan.write_text(
            'archives = "archives"\ndelay = 0.15\n'
            f'[servers]\nnorth = "{north.url}"\nsouth = "{south.url}"\n[sites]\n'
            + "".join(f'{name} = "{site.base_url}"\n' for name, site in sites.items() if name != "bath")
            + f'bath = {{ url = "{sites["bath"].base_url}", server = "north" }}\n'
        )
        running = begin("fleet", "crawl", "--wait", "--interval", "0.3", "--json", "-f", str(plan))
        with Scrapyd("north", north.url) as server:
            wait_for(lambda: {"bath"} < crawled_by(server), "jobs on the first server")
            there = crawled_by(server)
        wait_for(lambda: all(len(sites[name].requests) > 4 for name in there), "their crawls")
        north.fall()
        others = there - {"bath"}
        before = {name: len(sites[name].requests) for name in sites}
        wait_for(lambda: all(len(sites[name].requests) > before[name] for name in others), "the takeover")
        status = json.loads(uknip("fleet", "status", "--json", "-f", str(plan)).stdout)
        assert [server["is_up"] for server in status["servers"]] == [False, True]
        assert len(sites["bath"].requests) == before["bath"], "its only server is down"
        north.start()
        done = running.end(SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        ended = {one["name"]: one for one in json.loads(done.stdout)["sites"]}
        assert {name: one["exit_status"] for name, one in ended.items()} == dict.fromkeys(sites, 0)
        assert {ended[name]["server"] for name in others} == {"south"}
        assert ended["bath"]["server"] == "north"
        for name in sites:
            found, expected = (tables(tmp_path / where / name) for where in ("archives", "undisturbed"))
            for table in expected:
                assert found[table] == expected[table], f"{name}: {table}"


def crawled_by(server: Scrapyd) -> set[str]:
    return {job.id.partition(".")[0] for job in server.jobs() if job.state == "running"}


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """A server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.fault("M02")
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"", {}),
        (500, b"<html>\x1b[31mwoe</html>", {}),
        (200, b"[" * 100_000, {}),
        (200, b"null", {}),
        (200, b'{"status": "fine"}', {}),
        (200, b'{"status": "ok", "pending": 3}', {}),
        (200, b'{"status": "ok", "pending": [{"id": 3}], "running": [], "finished": []}', {}),
        (200, b'{"status": "error", "message": "Traceback\\n  x\\n\\u001b[2JModuleNotFoundError: no uknip"}', {}),
        (200, b'{"status": "error", "message": ["x"]}', {}),
        (200, b"x" * (scrapyd.ANSWER_BYTES + 1), {}),
        (200, b"\x1f\x8b nonsense", {"Content-Encoding": "gzip"}),
        (302, b"", {"Location": "http://127.0.0.1:1/"}),
        (401, b"", {}),
        (200, b"x", {"Content-Length": "900"}),
    ],
)  # fmt: skip
def test_whatever_a_server_answers_costs_one_clear_line(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    """It names the server, and nothing in it moves a terminal's cursor."""
    with answering(status, body, headers) as url, Scrapyd("north", url) as server:
        for ask in (server.jobs, server.deploy, lambda: server.schedule("a.20260101000000", {}, {})):
            with pytest.raises(MachineError) as caught:
                ask()
            told = str(caught.value)
            assert told.startswith(f"north ({url}): ")
            assert told.isprintable()
            assert len(told) < 400


@pytest.mark.fault("M02")
def test_a_fleet_whose_servers_are_down_or_strange_says_so(tmp_path: Path) -> None:
    """Status 3, a line a server and a site, and no site is begun anywhere."""
    plan = tmp_path / "fleet.toml"
    with answering(
        200, b'{"status": "ok", "pending": [], "running": [], "finished": [{"id": "\\u001b[2J"}]}'
    ) as url:
        plan.write_text(
            f'archives = "a"\n[servers]\nnorth = "http://127.0.0.1:{free_port()}"\nsouth = "{url}"\n'
            '[sites]\nleeds = "https://leeds.example/"\n'
        )
        done = uknip("fleet", "crawl", "-f", str(plan))
    assert done.returncode == 3, done.stderr
    north, south, leeds = done.stdout.splitlines()
    assert "does not answer" in north
    assert "without a list of versions" in south
    assert leeds == "leeds  no server for it is up, or takes it"


GOOD = (
    'archives = "a"\n[servers]\nnorth = "http://n.example:6800"\n[sites]\nleeds = "https://leeds.example/"\n'
)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('archives = "a"', "", "where the archives are"),
        ('archives = "a"', "archives = 3", "where the archives are"),
        ("[sites]", "[site]", "no [sites]"),
        ("[servers]", "[servers", "not TOML"),
        ("http://n.example:6800", "n.example:6800", "[servers] north"),
        ("http://n.example:6800", "http://me:word@n.example:6800", "[servers] north"),
        ("north =", '"../north" =', "[servers]"),
        ("leeds =", '"le/eds" =', "[sites]"),
        ('"https://leeds.example/"', "3", "[sites] leeds"),
        ('"https://leeds.example/"', '{ url = "https://leeds.example/", server = "west" }', "there are north"),
        ('"https://leeds.example/"', '{ url = "https://leeds.example/", delay = -1 }', "seconds between requests"),
        ('"https://leeds.example/"', '{ url = "https://leeds.example/", budget = true }', "requests a run"),
        ('"https://leeds.example/"', '{ url = "https://leeds.example/", colour = "red" }', "no setting"),
        ('"https://leeds.example/"', '"ftp://leeds.example/"', "site's address"),
        ('"https://leeds.example/"', '"https://leeds.example/"\nyork = "https://leeds.example"', "twice"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_line(before: str, after: str, words: str, tmp_path: Path) -> None:
    """It names the file, and what to write."""
    plan = tmp_path / "fleet.toml"
    plan.write_text(GOOD)
    assert [site.url for site in read(plan).sites] == ["https://leeds.example/"]
    plan.write_text(GOOD.replace(before, after, 1))
    with pytest.raises(UsageError) as caught:
        read(plan)
    told = str(caught.value)
    assert told.startswith(f"{plan}: ")
    assert words in told
    assert told.isprintable()


def test_a_fleet_without_its_file_is_told_where_it_is_described(tmp_path: Path) -> None:
    """Status 2."""
    done = uknip("fleet", "status", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "fleet.toml: cannot be read" in done.stderr
