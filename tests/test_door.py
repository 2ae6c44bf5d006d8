"""The reading room cannot be turned against its reader: who may ask, what a query may take, what an odd address does. All
of it against a server that runs."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from browsing import fill

from uknip_crawler.browse.door import names_of


@dataclass(frozen=True)
class Server:
    port: int
    process: int
    log: Path

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def send(self, request: bytes) -> tuple[int, str]:
        """Send bytes as they are; return status and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode("utf-8", "replace")

    def ask(
        self, target: str, *headers: str, host: str | None = None, method: str = "GET"
    ) -> tuple[int, str]:
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {self.host if host is None else host}",
            "Connection: close",
            *headers,
        ]
        return self.send("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def query(self, sql: str) -> tuple[int, str]:
        return self.ask(f"/uknip.json?{urlencode({'sql': sql, '_shape': 'arrays'})}")

    def peak_megabytes(self) -> int:
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("door")
    archive = fill(folder / "archive")
    log = folder / "log"
    command = [
        sys.executable,
        "-m",
        "uknip_crawler",
        "browse",
        "--no-open",
        "--port",
        "0",
        "--archive",
        str(archive),
    ]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout
        port = int(process.stdout.readline().decode().partition("http://127.0.0.1:")[2].partition("/")[0])
        running = Server(port, process.pid, log)
        try:
            deadline = time.monotonic() + 60
            while running.ask("/")[0] != 200 and time.monotonic() < deadline:
                time.sleep(0.05)
            yield running
        finally:
            process.terminate()
            process.wait(30)


# Who may ask


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_it_answers_to_this_machines_names(name: str, server: Server) -> None:
    status, body = server.ask("/", host=f"{name}:{server.port}")
    assert status == 200
    assert "Road closed near harbour" in body


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.1", "localhost:1", "a:{port}@b", "", "10.0.0.1:{port}"]
)  # fmt: skip
def test_another_name_is_refused_in_one_line(host: str, server: Server) -> None:
    """Such as one that a site has led here (DNS rebinding); nothing of the archive is in the answer."""
    status, body = server.ask("/", host=host.format(port=server.port))
    assert (status, body.count("\n")) == (403, 1)
    assert "harbour" not in body


def test_a_request_names_one_host(server: Server) -> None:
    assert server.send(b"GET / HTTP/1.0\r\n\r\n")[0] == 400
    assert server.ask("/", f"Host: {server.host}")[0] == 400


def test_names_follow_what_was_asked_to_listen_on() -> None:
    """Besides loopback: the name given; and where it listens everywhere, the machine's own."""
    assert "archive.lan" in names_of("archive.lan")
    assert "[fe80::1]" in names_of("fe80::1")
    assert socket.gethostname().lower() in names_of("0.0.0.0")
    assert socket.gethostname().lower() not in names_of("127.0.0.1")


VISIT = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
SQL = "/uknip.json?sql=select+1"


@pytest.mark.parametrize(
    "headers",
    [
        ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
        ("Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"),
        ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"),
        ("Origin: https://evil.example",),
        ("Origin: null",),
    ],
)
@pytest.mark.parametrize("target", ["/", SQL, "/uknip/articles.json"])
def test_another_site_may_ask_nothing(headers: tuple[str, ...], target: str, server: Server) -> None:
    """By picture, script, frame or form; another port of this machine is another site too."""
    status, body = server.ask(target, *headers)
    assert (status, body.count("\n")) == (403, 1)


def test_another_site_may_link_to_a_page_but_not_to_a_query(server: Server) -> None:
    """A link in a mail opens a story; no page can open a window with a query in it, or send a form."""
    assert server.ask("/read/story/1", *VISIT)[0] == 302  # to the address that lasts
    permalink = re.search(r"/read/story/[0-9a-f]{16}", server.ask("/", *VISIT)[1])
    assert permalink
    assert server.ask(permalink[0], *VISIT)[0] == 200
    assert server.ask(SQL, *VISIT)[0] == 403
    assert server.ask("/uknip/articles?_where=1", *VISIT)[0] == 403
    assert server.ask("/", *VISIT, method="POST")[0] == 403


def test_the_reader_may_ask_everything(server: Server) -> None:
    """By address line or from a page of the reading room."""
    for headers in (
        ("Sec-Fetch-Site: none",),
        ("Sec-Fetch-Site: same-origin", f"Origin: http://{server.host}"),
        (),
    ):
        assert server.ask("/", *headers)[0] == 200
        assert server.ask(SQL, *headers)[0] == 200


# What a query may take

COUNT = "with recursive c(x) as (select 1 union all select x + 1 from c"


@pytest.mark.fault("E05")
@pytest.mark.parametrize(
    "sql",
    [
        "select zeroblob(1000000000)",
        "select randomblob(1000000000)",
        "select printf('%.*c', 1000000000, 'x')",
        "select printf('%1000000000d', 1)",
        "select hex(zeroblob(500000000))",
        f"{COUNT}) select group_concat(hex(randomblob(1000))) from c",
        f"{COUNT} limit 1000) select zeroblob(4000000) from c",
        f"{COUNT}) select x, hex(randomblob(100000)) from c order by 2",
        "with recursive c(x) as (select randomblob(1000000) union select randomblob(1000000) from c) select * from c",
        "select trim(hex(zeroblob(2000000)), hex(randomblob(2000000)))",
        "select instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1')",
        "select replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000000)))",
    ],
)
def test_a_query_that_would_take_everything_is_refused(sql: str, server: Server) -> None:
    """In seconds, in little memory, and pages are answered afterwards."""
    started = time.monotonic()
    assert server.query(sql)[0] == 400
    assert time.monotonic() - started < 45  # one second on a machine at rest
    assert server.peak_megabytes() < 300
    assert server.ask("/")[0] == 200


def test_the_functions_that_are_bounded_work_as_they_should(server: Server) -> None:
    """As SQLite's own do."""
    sql = (
        "select instr('harbour', 'bo'), instr('a', null), replace('a-b-c', '-', '+'), replace(12, 1, 3), trim('xax', 'x'), "
        "ltrim('xax', 'x'), rtrim('xax', 'x'), trim('  a '), printf('%05.1f|%s|%,d|%q', 2.25, 'é', 1234567, 'it''s'), replace('a', '', 'b')"
    )
    status, body = server.query(sql)
    assert status == 200
    text = body[body.index("{") : body.rindex("}") + 1]
    assert json.loads(text)["rows"] == [
        [4, None, "a+b+c", "32", "a", "ax", "xa", "a", "002.3|é|1,234,567|it''s", "a"]
    ]


# Odd addresses


@pytest.mark.parametrize(
    "target",
    [
        "/%", "/%zz", "/%00", "/read/story/%00", "/read/%ff%fe", "/uknip/articles/%ff", "/" + "a" * 20_000, "/?" + "a" * 20_000,
        "/uknip/articles?_search=%ff", "/uknip/articles?_facet_array=%00", "/uknip/articles?_next=%ff", "/uknip/~ff~fe",
        "/uknip/articles?_sort=%ff", "/uknip/articles?_facet_array=%ff", "/uknip/articles/99999999999999999999999",
        "/read/search?q=%ff&page=99999999999999", "/read/calendar?year=99999", "/read/layouts/~", "/-/static/..%2f..%2fetc/passwd",
        "/uknip?sql=select+char(0)", "/uknip/articles/1.blob?_blob_column=%ff", "*", "http://evil.example/", "//evil.example//x",
    ],
)  # fmt: skip
def test_an_odd_address_is_answered_without_a_traceback(target: str, server: Server) -> None:
    """With a page or one line; the log says at most a line."""
    before = server.log.stat().st_size
    status, _ = server.ask(target)
    assert 200 <= status < 500 or target.startswith(
        "/uknip/articles?_sort"
    )  # Datasette's own word for an unknown column
    time.sleep(0.05)
    said = server.log.read_bytes()[before:]
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    "line", [b"GET /\xff\xfe HTTP/1.1", b"GET /a\x00b HTTP/1.1", b"\x00\x01", b"GET /?q=\xff HTTP/1.1"]
)
def test_bytes_that_are_no_request_are_a_bad_one(line: bytes, server: Server) -> None:
    status, _ = server.send(line + b"\r\nHost: " + server.host.encode() + b"\r\nConnection: close\r\n\r\n")
    assert status == 400
    assert b"Traceback" not in server.log.read_bytes()
