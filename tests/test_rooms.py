"""Several archives in one reading room."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import end, fill
from httpx import ASGITransport, AsyncClient, Response
from lxml.html import document_fromstring
from sample_archive import add_article, new_archive
from test_reading_room import ADDRESSES

from uknip_crawler.archive.folders import archives_in
from uknip_crawler.browse.rooms import Room, bases, rooms_app
from uknip_crawler.browse.security import Asgi
from uknip_crawler.browse.server import datasette_for
from uknip_crawler.errors import UsageError

OWN = "/uknip.co.uk"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive of uknip.co.uk, one of another site, and what is none."""
    folder = tmp_path_factory.mktemp("archives")
    fill(folder / "one")
    db = new_archive(folder / "two")
    db.execute("UPDATE runs SET base_url = 'https://www.kent.example/'")
    db.conn.commit()
    add_article(db, "/oast/", "Oast house opens", published_at="2026-02-01T09:00:00Z")
    db.close()
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[Asgi]:
    places = {"/uknip.co.uk/": folder / "one", "/kent.example/": folder / "two"}
    rooms = [Room(archive, base, datasette_for(archive, base=base)) for base, archive in places.items()]
    yield rooms_app(rooms)
    for room in rooms:
        end(room.datasette)


def get(app: Asgi, path: str) -> Response:
    async def ask() -> Response:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path, follow_redirects=True)

    return asyncio.run(ask())


def test_a_front_page_lists_the_archives(app: Asgi) -> None:
    """With site, stories, last run and newest stories, each leading into its archive; a wrong address leads here."""
    page = document_fromstring(get(app, "/").text)
    assert page.xpath("//h2/a/@href") == [f"{OWN}/", "/kent.example/"]
    assert "1 story since 1 February 2026" in " ".join(page.text_content().split())
    (oast,) = page.xpath("//a[.='Oast house opens']/@href")
    assert "Oast house opens" in get(app, oast).text
    assert page.xpath("//title/text()") == ["Archives"]
    assert get(app, "/kent.example").url.path == "/kent.example/"
    for wrong in ("/nothing", "/read/search"):
        answer = get(app, wrong)
        assert answer.status_code == 404
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert f'href="{OWN}/"' in answer.text


@pytest.mark.parametrize("path", ADDRESSES)
def test_pages_of_one_archive_stay_in_it(app: Asgi, path: str) -> None:
    """Every link and file but the one to all archives lies under the archive's name."""
    answer = get(app, OWN + path)
    assert answer.status_code == 200
    page = document_fromstring(answer.text)
    addresses = page.xpath("//@href | //@src | //form/@action")
    inside = (f"{OWN}/", "#", "?", "https://")
    assert {address for address in addresses if not address.startswith(inside)} == {"/"}
    for back in (part for address in addresses for part in re.findall(r"back=([^&]+)", address)):
        assert "uknip.co.uk" not in back.partition("read%2Fat")[0]
    for file in {*page.xpath("//link[@rel='stylesheet']/@href | //script/@src | //img/@src | //iframe/@src")}:
        assert get(app, file).status_code == 200, file


def test_what_is_taken_away_names_the_archive(app: Asgi) -> None:
    """Citations, feeds and what was chosen at the foot of a page."""
    story = get(app, f"{OWN}/read/story/1").url.path
    assert f"http://localhost{story}" in get(app, f"{story}/cite.json").text
    assert f"http://localhost{OWN}/read/story/" in get(app, f"{OWN}/read/search.atom").text
    assert get(app, f"{OWN}/read/looks?text=large&back=/read/runs").url.path == f"{OWN}/read/runs"


def test_folders_are_archives_or_hold_some(folder: Path) -> None:
    """Each once; what is none and holds none is refused."""
    assert archives_in([folder]) == [folder / "one", folder / "two"]
    assert archives_in([folder / "two", folder]) == [folder / "two", folder / "one"]
    with pytest.raises(UsageError, match="there is no archive"):
        archives_in([folder / "two", folder / "notes"])


def test_archives_of_one_site_are_told_apart_by_their_folders() -> None:
    """Where that is possible."""
    a, b = Path("/x/archive"), Path("/y/archive")
    assert bases([a, b], ["a.example", "b.example"]) == ["/a.example/", "/b.example/"]
    assert bases([a, Path("/y/old")], ["a.example", "a.example"]) == [
        "/a.example-archive/",
        "/a.example-old/",
    ]
    with pytest.raises(UsageError, match="would both be"):
        bases([a, b], ["a.example", "a.example"])
