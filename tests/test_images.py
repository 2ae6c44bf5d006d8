"""Pictures kept with --images: each once, as served, within limits, politely; whatever happens on the way."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import struct
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from crawling import FAST, Archived, crawl, newsroom, rows, truth
from PIL import Image as PillowImage
from processes import begin, uknip

from uknip_crawler.archive import Archive
from uknip_crawler.archive.images import location
from uknip_crawler.demo import SampleSite, faults
from uknip_crawler.demo.faults import Fault
from uknip_crawler.demo.posts import Post
from uknip_crawler.errors import MediaRefused
from uknip_crawler.ingest.image_format import examine
from uknip_crawler.models import BlockKind

FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}


def drawn(kind: str, width: int = 64, height: int = 48) -> bytes:
    """Return a picture as another program writes it."""
    buffer = BytesIO()
    PillowImage.effect_noise((width, height), 80).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def bomb(side: int = 100_000) -> bytes:
    """Return a whole PNG whose header promises `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def shown_by(post: Post) -> list[str]:
    """Return the addresses of a story's pictures, the one at its head first."""
    within = [block.image.url for block in post.blocks if block.kind is BlockKind.IMAGE and block.image]
    return [*([post.lead_image.url] if post.lead_image else []), *within]


def pictures(site: SampleSite) -> set[str]:
    """Return the addresses of all pictures that the newsroom's stories show."""
    return {url for post in truth(site).values() for url in shown_by(post)}


def path_of(site: SampleSite, url: str) -> str:
    return url.removeprefix(site.base_url.rstrip("/"))


def asked(site: SampleSite) -> list[str]:
    """Return the addresses of pictures asked for, in order."""
    return [site.url(target) for _, target, _ in site.requests if target.startswith("/wp-content/")]


def files(directory: Path) -> dict[str, bytes]:
    """Return the kept files by their place in images/, without the index."""
    folder = directory / "images"
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    found.pop("index.jsonl", None)
    return found


def ended(directory: Path, url: str) -> tuple[str, str | None, str | None, int]:
    """Return (outcome, reason of the refusal, digest, failures) of a picture."""
    [row] = rows(
        directory,
        "SELECT outcome, refused, sha256, failures FROM fetches JOIN images USING (url) "
        "WHERE url = ? AND kind = 'image' ORDER BY fetches.id DESC LIMIT 1",
        url,
    )
    return row  # type: ignore[return-value]


# What a file is


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_is_known_by_its_bytes(kind: str) -> None:
    """Type and size as the program that wrote it knows them."""
    media = examine(drawn(kind, 321, 200), max_pixels=10**8)
    assert (media.media_type, media.width, media.height) == (FORMATS[kind], 321, 200)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_picture_that_was_cut_short_is_refused(kind: str, share: float) -> None:
    """Wherever the cut is; not one of them passes for whole."""
    body = drawn(kind)
    with pytest.raises(MediaRefused):
        examine(body[: int(len(body) * share)], max_pixels=10**8)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xd8\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"<!doctype html><title>Not found</title>",
        b"RIFF\x04\x00\x00\x00WAVEfmt ",
        b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1",
        b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00" + b"\x00\x00\x00\x08free" * 100_000,
        b"GIF89a\x00\x00\x00\x00;",
        b"\xff\xd8\xff" + b"\xff\xe0\x00\x02" * 100_000 + b"\xff\xda\xff\xd9",
        bomb(),
    ],
    ids=["empty", "stub", "svg", "html", "wav", "heic", "boxes", "no pixels", "segments", "bomb"],
)
def test_what_is_no_picture_of_ours_is_refused(body: bytes) -> None:
    """By name, in one line."""
    with pytest.raises(MediaRefused) as refused:
        examine(body, max_pixels=10**8)
    assert "\n" not in str(refused.value)


# The whole site


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SampleSite, Path, list[str]]]:
    """A site, its archive after a crawl with pictures, and the addresses that were asked for."""
    directory = tmp_path_factory.mktemp("kept")
    with SampleSite(newsroom(20)) as site:
        crawl(site, directory, "--images")
        first = asked(site)
        site.requests.clear()
        yield site, directory, first


def test_every_picture_of_the_truth_is_kept_as_served(kept: tuple[SampleSite, Path, list[str]]) -> None:
    """Each asked for once, byte for byte, under its digest."""
    site, directory, first = kept
    assert sorted(first) == sorted(pictures(site))
    found = rows(directory, "SELECT url, sha256, media_type, size_bytes, width, height FROM images")
    assert {row[0] for row in found} == pictures(site)
    stored = files(directory)
    for url, sha256, media_type, size_bytes, width, height in found:
        served = site.answer(path_of(site, url)).body
        assert stored[location(sha256, media_type)] == served
        assert (sha256, size_bytes) == (hashlib.sha256(served).hexdigest(), len(served))
        assert (media_type, width, height) == ("image/png", 320, 200)
    assert len(stored) == len({row[1] for row in found})


def test_lead_pictures_come_first_and_newest_stories_before_old_ones(tmp_path: Path) -> None:
    """After all pages; one request at a time shows the order. A story's first picture leads it."""
    with SampleSite(newsroom(20)) as site:
        crawl(site, tmp_path, "--images", "--concurrency", "1")
        order = asked(site)
        last = [site.url(target) for _, target, _ in site.requests[-len(order) :]]
        leads = {shown[0]: post.published_at for post in truth(site).values() if (shown := shown_by(post))}
    assert last == order
    assert set(order[: len(leads)]) == set(leads)
    days = [leads[url] for url in order[: len(leads)]]
    assert days == sorted(days, reverse=True)
    assert len(order) > len(leads)


def test_every_request_has_one_row_and_no_picture_counts_as_a_page(
    kept: tuple[SampleSite, Path, list[str]],
) -> None:
    """Neither in the run's outcomes nor among the captures."""
    _, directory, first = kept
    sql = "SELECT url, outcome, attempts, status, warc_name FROM fetches WHERE kind = 'image'"
    found = rows(directory, sql)
    assert sorted(row[0] for row in found) == sorted(first)
    assert {row[2:] for row in found} == {(1, 200, None)}
    report = json.loads(ask("status", directory, "--json"))["last_run"]
    assert report["outcomes"]["stored"] == 20
    assert sum(report["images"].values()) == len(first)


def test_a_second_run_asks_for_none(kept: tuple[SampleSite, Path, list[str]]) -> None:
    """What is kept is kept."""
    site, directory, _ = kept
    site.requests.clear()
    crawl(site, directory, "--images")
    assert asked(site) == []


def test_status_and_verify_know_the_pictures(
    kept: tuple[SampleSite, Path, list[str]], tmp_path: Path
) -> None:
    """A damaged, a missing and a foreign file are named; a missing one is fetched again."""
    site, directory, first = kept
    status = json.loads(ask("status", directory, "--json"))
    stored = files(directory)
    assert (status["images"], status["images_kept"], status["images_refused"]) == (len(first), len(first), 0)
    assert status["images_bytes"] == sum(map(len, stored.values()))
    damaged, missing, *_ = sorted(stored)
    folder = directory / "images"
    (folder / damaged).write_bytes(stored[damaged][:-1] + b"x")
    (folder / missing).unlink()
    (folder / "stray.jpg").write_bytes(b"x")
    lines = ask("verify", directory, expect=5).splitlines()
    assert sorted(line.split(";")[0] for line in lines[:-1]) == [
        f"images: {damaged} is damaged",
        f"images: {missing} is missing",
        "images: stray.jpg is not of this archive",
    ]
    (folder / "stray.jpg").unlink()
    (folder / damaged).unlink()
    crawl(site, directory, "--images")
    assert files(directory) == stored
    ask("verify", directory)


def ask(command: str, directory: Path, *options: str, expect: int = 0) -> str:
    done = uknip(command, "--archive", str(directory), *options)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


# Hostile and broken answers


def test_hostile_pictures_are_refused_with_a_reason(tmp_path: Path) -> None:
    """No file is left of any of them, the run is green, and no later run asks again."""
    truncated = drawn("JPEG", 400, 300)[:5000]
    hostile: dict[str, tuple[Fault, str]] = {
        "svg": (
            faults.body(b"<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/png"),
            "not an image",
        ),
        "html": (faults.body(b"<!doctype html><p>no</p>", content_type="image/jpeg"), "not an image"),
        "bomb": (faults.body(bomb(), content_type="image/png"), "100,000 x 100,000 pixels"),
        "large": (faults.body(bytes(50 * 10**6), content_type="image/png"), "more than 20,971,520 bytes"),
        "truncated": (faults.body(truncated, content_type="image/jpeg"), "ends before its end"),
        "elsewhere": (
            faults.redirect("http://elsewhere.example/x.png"),
            "no image host: elsewhere.example",
        ),
        "inside": (faults.redirect("http://127.0.0.2/x.png"), "no image host: 127.0.0.2"),
        "file": (faults.redirect("file:///etc/hostname"), "only http and https"),
    }
    with SampleSite(newsroom(20)) as site:
        victims = dict(zip(sorted(pictures(site)), hostile.values(), strict=False))
        for url, (fault, _) in victims.items():
            site.fail[path_of(site, url)] = fault
        report = crawl(site, tmp_path, "--images")
        assert report["images"]["refused"] == 5
        for url, (_, reason) in victims.items():
            outcome, refused, sha256, _ = ended(tmp_path, url)
            assert outcome in ("refused", "blocked_host", "blocked_url")
            assert reason in (refused or "")
            assert sha256 is None
        assert len(files(tmp_path)) == len(pictures(site)) - len(hostile)
        site.requests.clear()
        crawl(site, tmp_path, "--images")
        assert asked(site) == []
    ask("verify", tmp_path)


def test_a_picture_that_fails_in_three_runs_is_left_alone(tmp_path: Path) -> None:
    """A fault that passes in time is forgotten; a missing picture makes no run a failure."""
    broken: dict[str, int | Fault] = {
        "http_error": 500,
        "dataloss": faults.cut(50),
        "gone": 404,
        "alias": 302,
    }
    with SampleSite(newsroom(20)) as site:
        *victims, healed = sorted(pictures(site))[: len(broken) + 1]
        site.fail = {path_of(site, url): fault for url, fault in zip(victims, broken.values(), strict=True)}
        site.fail[path_of(site, victims[3])] = faults.redirect(victims[3])  # in a circle
        site.fail[path_of(site, healed)] = faults.first(1, faults.status(404))
        for run in range(4):
            site.requests.clear()
            crawl(site, tmp_path, "--images", "-s", "RETRY_TIMES=0", expect=3 if run < 3 else 0)
            assert set(victims) & set(asked(site)) == (set(victims) if run < 3 else set())
        for url, outcome in zip(victims, broken, strict=True):
            assert ended(tmp_path, url) == (outcome, None, None, 3)
        served = hashlib.sha256(site.answer(path_of(site, healed)).body).hexdigest()
        assert ended(tmp_path, healed) == ("stored", None, served, 0)


def test_robots_txt_is_obeyed_and_asked_anew(tmp_path: Path) -> None:
    """Forbidden pictures get a row and no request; once allowed, they are fetched."""
    with SampleSite(newsroom(20)) as site:
        site.fail["/robots.txt"] = faults.body(
            b"User-agent: *\nDisallow: /wp-content/uploads/\n", content_type="text/plain"
        )
        report = crawl(site, tmp_path, "--images")
        assert asked(site) == []
        assert report["images"] == {"robots_denied": len(pictures(site))}
        site.fail.clear()
        crawl(site, tmp_path, "--images")
        assert sorted(asked(site)) == sorted(pictures(site))


def test_the_same_picture_at_several_addresses_is_one_file(tmp_path: Path) -> None:
    """Every row names it; a redirect within the site has a row for each address it leads over."""
    body = drawn("WEBP")
    with SampleSite(newsroom(20)) as site:
        one, two, old = sorted(pictures(site))[:3]
        for url in (one, two):
            site.fail[path_of(site, url)] = faults.body(body, content_type="image/png")
        site.fail[path_of(site, old)] = faults.redirect(f"{path_of(site, one)}?moved=1")
        report = crawl(site, tmp_path, "--images")
    assert report["images"]["duplicate"] == 2
    digest = hashlib.sha256(body).hexdigest()
    kept = "SELECT sha256, media_type FROM images WHERE url IN (?, ?, ?)"
    assert rows(tmp_path, kept, one, two, old) == [(digest, "image/webp")] * 3
    assert files(tmp_path)[f"{digest[:2]}/{digest}.webp"] == body
    hops = "SELECT url, redirected_to, found_by FROM fetches WHERE url IN (?, ?) ORDER BY id"
    target = f"{one}?moved=1"
    assert rows(tmp_path, hops, old, target) == [(old, target, "article"), (target, None, "redirect")]


# Budget, interruption, recovery


def test_the_budget_is_kept_and_pictures_come_last(tmp_path: Path) -> None:
    """What is left waits; run after run, all is had in the end, and nothing twice."""
    with SampleSite(newsroom(20)) as site:
        for run in range(3):
            site.requests.clear()
            crawl(site, tmp_path, "--images", "--budget", "26")
            assert len(site.requests) <= 26
            assert run > 0 or asked(site) == [] or rows(tmp_path, "SELECT count(*) FROM articles") == [(20,)]
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(20,)]
    assert rows(tmp_path, "SELECT count(*) FROM images WHERE sha256 IS NULL") == [(0,)]
    twice = "SELECT url FROM fetches WHERE kind = 'image' GROUP BY url HAVING sum(status = 200) > 1"
    assert rows(tmp_path, twice) == []


@pytest.mark.parametrize("kills", [(1,), (9, 3)])
def test_kill_minus_nine_among_the_pictures_and_run_again(
    kills: tuple[int, ...], archived: Archived, tmp_path: Path
) -> None:
    """The rerun ends with every picture, and verify finds nothing wrong. A run without the option fetches none."""
    with archived(tmp_path, 30) as site:
        assert asked(site) == []
        assert not (tmp_path / "images").exists()
        for requests in kills:
            site.requests.clear()
            process = begin("crawl", site.base_url, "--archive", str(tmp_path), *FAST, "--images")
            while len(asked(site)) < requests and not process.has_ended(0):
                time.sleep(0.002)
            process.send(signal.SIGKILL)
            assert process.end().returncode == -signal.SIGKILL
        crawl(site, tmp_path, "--images")
        wanted = pictures(site)
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM images WHERE sha256 IS NOT NULL")} == wanted
    assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL") == [(0,)]
    assert list((tmp_path / "images").glob("*.part")) == []
    ask("verify", tmp_path)


def test_a_run_terminated_among_the_pictures_ends_in_order(tmp_path: Path) -> None:
    """SIGTERM: status 143, every row closed, nothing lost, no traceback."""
    with SampleSite(newsroom(20)) as site:
        site.fail = {path_of(site, url): faults.hang(0.3) for url in pictures(site)}
        process = begin("crawl", site.base_url, "--archive", str(tmp_path), *FAST, "--images")
        while len(asked(site)) < 5 and not process.has_ended(0):
            time.sleep(0.01)
        process.send(signal.SIGTERM)
        done = process.end(60)
    assert done.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in done.stderr
    assert rows(tmp_path, "SELECT count(*) FROM fetches WHERE outcome IS NULL OR outcome = 'lost'") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) > 0 FROM images WHERE sha256 IS NULL") == [(1,)]
    ask("verify", tmp_path)


FACTS = "sha256, media_type, size_bytes, width, height, fetched_at"


def test_what_a_killed_run_left_is_cleared_away_or_adopted(
    kept: tuple[SampleSite, Path, list[str]], tmp_path: Path
) -> None:
    """A temporary file and half a line go; a file whose row never came is not asked for again."""
    site, directory, _ = kept
    copy = Path(shutil.copytree(directory, tmp_path / "copy"))
    before = rows(copy, f"SELECT url, {FACTS} FROM images")
    forget_rows(copy)
    (copy / "images" / "abc.jpg.part").write_bytes(b"half")
    with (copy / "images" / "index.jsonl").open("ab") as index:
        index.write(b'{"url": "http://127.0.0.1/half')
    site.requests.clear()
    crawl(site, copy, "--images")
    assert asked(site) == []
    assert rows(copy, f"SELECT url, {FACTS} FROM images") == before
    assert not (copy / "images" / "abc.jpg.part").exists()


def test_a_file_that_is_not_what_its_name_says_is_not_adopted(
    kept: tuple[SampleSite, Path, list[str]], tmp_path: Path
) -> None:
    """The index alone proves nothing."""
    copy = Path(shutil.copytree(kept[1], tmp_path / "copy"))
    victim = next((copy / "images").glob("*/*"))
    victim.write_bytes(b"changed")
    [(sound,)] = rows(copy, "SELECT count(*) FROM images WHERE sha256 <> ?", victim.stem)
    forget_rows(copy)
    with Archive(copy) as archive, archive.transaction():
        assert archive.images.readopt() == sound


def forget_rows(directory: Path) -> None:
    with Archive(directory) as archive, archive.transaction():
        columns = ", ".join(f"{name} = NULL" for name in FACTS.split(", "))
        archive.db.conn.execute(f"UPDATE images SET {columns}")


# Other hosts


class _ImageNetwork(BaseHTTPRequestHandler):
    """Plays an image network behind a proxy: no public name leads to this machine otherwise."""

    robots = (200, b"User-agent: *\nDisallow: /private/\n")
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        is_robots = self.path.endswith("/robots.txt")
        status, body = self.robots if is_robots else (200, drawn("JPEG"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_ImageNetwork]]:
    handler = type("Network", (_ImageNetwork,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield handler
        server.shutdown()


def serve_elsewhere(site: SampleSite, host: str) -> tuple[str, str]:
    """Have the newest story's lead picture come from another host; return its address there and the story's."""
    post = next(post for post in site.newsroom.published() if post.lead_image and post.layout == "modern")
    assert post.lead_image
    page = site.answer(post.path).body.replace(
        site.url(post.lead_image.url).encode(), f"http://{host}/{post.post_id}.jpg".encode()
    )
    site.fail[post.path] = faults.body(page)
    return f"http://{host}/{post.post_id}.jpg", site.url(post.path)


def test_another_host_is_asked_only_when_it_is_named(network: type[_ImageNetwork], tmp_path: Path) -> None:
    """Refused at first; named, its own robots.txt is read and the picture kept."""
    with SampleSite(newsroom(20)) as site:
        url, _ = serve_elsewhere(site, "pictures.example")
        crawl(site, tmp_path, "--images")
        assert network.asked == []
        assert ended(tmp_path, url)[:2] == ("blocked_host", "no image host: pictures.example")
        crawl(site, tmp_path, "--images", "--image-host", "pictures.example")
        assert network.asked == ["http://pictures.example/robots.txt", url]
        assert ended(tmp_path, url)[0] == "stored"
        assert "robots" in ask("why", tmp_path, site.base_url)


def test_the_hosts_of_the_site_file_need_no_option(network: type[_ImageNetwork], tmp_path: Path) -> None:
    """WordPress's image network."""
    with SampleSite(newsroom(20)) as site:
        url, _ = serve_elsewhere(site, "i0.wp.com")
        crawl(site, tmp_path, "--images")
    assert network.asked == ["http://i0.wp.com/robots.txt", url]


def test_a_host_without_robots_txt_to_be_had_is_left_for_later(
    network: type[_ImageNetwork], tmp_path: Path
) -> None:
    """The rest is kept, and the run says what is wrong."""
    network.robots = (500, b"")
    with SampleSite(newsroom(20)) as site:
        url, _ = serve_elsewhere(site, "i0.wp.com")
        report = crawl(site, tmp_path, "--images", "-s", "RETRY_TIMES=0", expect=3)
    assert network.asked == ["http://i0.wp.com/robots.txt"]
    assert any("i0.wp.com" in trouble for trouble in report["troubles"])
    assert rows(tmp_path, "SELECT sha256, failures FROM images WHERE url = ?", url) == [(None, 0)]


@pytest.mark.parametrize(
    "host", ["localhost", "10.0.0.1", "127.0.0.1", "http://i0.wp.com/", "2130706433", "nas.local"]
)
def test_a_private_host_cannot_be_named(host: str, tmp_path: Path) -> None:
    """One line, status 2, nothing left behind."""
    directory = tmp_path / "archive"
    done = uknip(
        "crawl", "https://uknip.co.uk/", "--archive", str(directory), "--images", "--image-host", host
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"--image-host {host}" in done.stderr
    assert not directory.exists()
