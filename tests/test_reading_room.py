"""The reading room: every page answers, tells the archive's truth, and lets no archived text act. Both Datasettes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shlex
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode

import pytest
from browsing import HOSTILE, add_capture, end, fill, get, page_of
from click.testing import CliRunner
from datasette.app import Datasette
from defusedxml.ElementTree import fromstring
from lxml.html import document_fromstring
from sample_archive import (
    CAPTURED,
    SITE,
    add_alias,
    add_article,
    add_authors,
    add_image,
    add_revision,
    add_tags,
    new_archive,
)
from sqlite_utils import Database

from uknip_crawler.archive.redactions import address_mark
from uknip_crawler.archive.reports.runs import run_report
from uknip_crawler.archive.reports.status import archive_status
from uknip_crawler.browse import figures
from uknip_crawler.browse.charts import HEIGHT, OTHERS, by_month, curves
from uknip_crawler.browse.figures import COVERAGE
from uknip_crawler.browse.pages import PAGES
from uknip_crawler.browse.pages.asking import Stream
from uknip_crawler.browse.pages.streaming import Streamed
from uknip_crawler.browse.places import is_place
from uknip_crawler.browse.server import datasette_for
from uknip_crawler.browse.times import time_element
from uknip_crawler.browse.wanted import Wanted, understood
from uknip_crawler.cli.export import command as export_command
from uknip_crawler.demo.pictures import png

STORIES = ("/news/uk/breaking/road/", "/gone/", f"/{HOSTILE}")
ROAD = page_of(STORIES[0])

ADDRESSES = [
    "/",
    "/read/search",
    "/read/search?q=harbour",
    "/read/search?q=fire+OR&section=breaking&size=50",
    "/read/story/1",
    "/read/story/3",
    "/read/at/http://www.uknip.co.uk/2024/06/14/road?utm_source=feed",
    "/read/story/1/compare",
    "/read/story/1/page",
    "/read/sections",
    "/read/tags?order=name",
    "/read/authors",
    "/read/places",
    f"{page_of('/gone/')}/copy/{ROAD[-16:]}",
    "/read/changes",
    "/read/changes?kind=headline&section=breaking",
    "/read/calendar",
    "/read/pictures",
    "/read/layouts",
    "/read/layouts/Labc123",
    "/read/furniture",
    "/read/runs",
    "/read/runs/1",
    "/read/ledger",
    "/read/ledger?outcome=stored",
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return fill(tmp_path)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datasette]:
    """Datasette as `uknip browse` starts it, for those who only look."""
    instance = datasette_for(fill(tmp_path_factory.mktemp("room")))
    yield instance
    end(instance)


@pytest.fixture(scope="module")
def empty_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datasette]:
    """The same before the first story."""
    folder = tmp_path_factory.mktemp("empty")
    new_archive(folder).close()
    instance = datasette_for(folder)
    yield instance
    end(instance)


def text_of(room: Datasette, path: str) -> str:
    """Return a page's HTML with runs of white space made one blank."""
    answer = get(room, path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", answer.text)


# Every page


def test_every_page_is_looked_at() -> None:
    """The list above leaves none out but captures and what is no page, which have tests of their own."""
    looked_at = {
        pattern
        for pattern in PAGES
        if any(re.fullmatch(pattern, path.partition("?")[0]) for path in ADDRESSES)
    }
    assert {pattern.rpartition("/")[2] for pattern in PAGES if pattern not in looked_at} == {
        "capture",
        "frame",
        "looks",
        r"cite\.(?P<format>txt|bib|json)",
        r"search\.(?P<format>csv|jsonl|json)",
        r"search\.atom",
        r"changes\.atom",
        "(?P<sha256>[0-9a-f]{64})",
    }


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_runs_nothing_and_loads_nothing_from_elsewhere(room: Datasette, path: str) -> None:
    """No script but the room's own, no inline style, no foreign file; the policy forbids them; hostile text is text."""
    answer = get(room, path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action"
    )
    assert "unsafe" not in policy
    page = document_fromstring(answer.text)
    assert page.xpath("//script/@src") == ["/-/static-plugins/uknip/keys.js"]
    assert len(page.xpath("//script")) == 1
    assert not page.xpath("//iframe[not(@sandbox='')] | //object | //*[@style]")
    for element in page.iter():
        assert not [name for name in element.attrib if name.startswith("on")]
        assert element.get("href", "/").startswith(("/", "#", "?", "https://"))
        assert element.get("src", "/").startswith("/")
    assert len(page.xpath("//h1")) == 1
    assert page.get("lang") == "en-GB"


def test_a_reader_chooses_the_size_of_the_text_and_keys_or_none(room: Datasette) -> None:
    """The browser keeps it; one is led back to where one was, and to no other site."""
    answer = get(room, "/read/looks?text=large&keys=off&back=/read/search%3Fq%3Dfire", follow=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/read/search?q=fire")
    kept = dict(cookie.split("; ")[0].split("=") for cookie in answer.headers.get_list("set-cookie"))
    assert kept == {"text": "large", "keys": "off"}
    page = document_fromstring(asyncio.run(room.client.get("/read/search?q=fire", cookies=kept)).text)
    assert page.get("class") == "text-large"
    assert not page.xpath("//script | //dialog")
    assert page.xpath("//p[@class='looks']/a[@aria-current]/text()") == ["large", "off"]
    assert page.xpath("//p[@class='looks']/a[.='on']/@href") == [
        "/read/looks?keys=on&back=%2Fread%2Fsearch%3Fq%3Dfire"
    ]
    for away in ("//evil.example", "https://evil.example", "/\\evil.example", ""):
        assert get(room, f"/read/looks?text=x&back={away}", follow=False).headers["location"] == "/"


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_cell_names_its_column(room: Datasette, path: str) -> None:
    """On a phone a row folds into labels and values."""
    for table in document_fromstring(get(room, path).text).xpath("//table[contains(@class, 'plain')][thead]"):
        columns = [head.text_content() for head in table.xpath("thead/tr/th")]
        for row in table.xpath("tbody/tr[not(td/@colspan)]"):
            assert len(row) == len(columns)
            for column, cell in zip(columns, row, strict=True):
                assert cell.tag == "th" or cell.get("data-label") == column


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_empty_archive_has_the_same_pages(empty_room: Datasette, path: str) -> None:
    """Before the first story; only what names a story is not here."""
    assert get(empty_room, path).status_code == (404 if "story/" in path or "/at/" in path else 200)


@pytest.mark.parametrize(
    "path",
    [
        "/read/story/99",
        "/read/runs/99",
        "/read/layouts/none",
        "/read/nothing",
        "/read/story/x",
        "/read/picture/" + "0" * 64,
    ],
)
def test_what_is_not_here_is_a_page_that_says_so(
    room: Datasette, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a way back, and without a traceback."""
    answer = get(room, path)
    assert capsys.readouterr().out == ""
    assert answer.status_code == 404
    assert "<h1>Not here</h1>" in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing.json", 404),
        ("/uknip/nothing.json", 404),
        ("/uknip/articles.json?_where=x%3D", 400),
    ],
)
def test_what_a_script_asks_wrongly_is_its_own_affair(
    room: Datasette, path: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer that says what is wrong, and no traceback for whoever runs the reading room."""
    answer = get(room, path)
    assert (answer.status_code, answer.json()["ok"]) == (status, False)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def test_the_style_is_served(room: Datasette) -> None:
    """Under the name of the distribution; any other name is a silent 404."""
    address = "/-/static-plugins/uknip/reading.css"
    assert address in get(room, "/").text
    assert get(room, address).status_code == 200


# Front page


def test_the_front_page_tells_the_state_of_the_archive(room: Datasette) -> None:
    """How many, since when, edited, gone, the last run, the newest with a link."""
    page = text_of(room, "/")
    assert "uknip.co.uk archive</title>" in page
    assert "3 stories" in page
    assert "<b>1</b> edited after publication" in page
    assert "<b>1</b> gone from the site" in page
    assert "running, or killed" in page
    assert f'<a href="{ROAD}">Road closed near harbour</a>' in page
    assert (
        '<th scope="row"><a href="/read/search?month=2024-06">2024-06</a></th><td data-label="breaking">1</td><td data-label="All">1</td>'
        in page
    )


def test_what_is_amiss_is_said_in_front_and_on_the_page_of_runs(archive: Path) -> None:
    """The gravest first, escaped like all that comes from outside; not any more when it has ended."""
    db = Database(archive / "uknip.db")
    one = {"since": CAPTURED, "run_id": 1, "last_run_id": 1, "value": 1, "bound": 1, "alarmed_at": CAPTURED}
    db["findings"].insert_all(
        [
            {"name": "lists", "what": "lists cannot be read", **one},
            {"name": "silence", "what": f"no story {HOSTILE}", **one},
        ]
    )
    room = datasette_for(archive)
    front, runs = text_of(room, "/"), text_of(room, "/read/runs")
    assert "<b>Look at this</b> no story &#34;&gt;" in front
    assert "and 1 more" in front
    assert runs.index("no story") < runs.index("lists cannot be read")
    db.execute("UPDATE findings SET ended_at = :at", {"at": CAPTURED})
    db.conn.commit()
    assert "Look at this" not in text_of(room, "/") + text_of(room, "/read/runs")
    end(room)
    db.close()


def test_the_chart_shows_every_month_and_every_story() -> None:
    """Empty months too; the seventh section and later share a colour; columns stand on the line."""
    counts = [("2024-01", f"s{n}", 10 - n) for n in range(8)] + [("2024-03", None, 4)]
    chart = by_month(counts)
    assert chart
    assert [column.month for column in chart.columns] == ["2024-01", "2024-02", "2024-03"]
    assert [column.total for column in chart.columns] == [52, 0, 4]
    assert chart.names == ["s0", "s1", "s2", "s3", "s4", "s5", OTHERS]
    lowest = chart.columns[0].bars[0]
    assert lowest.y + lowest.height == pytest.approx(HEIGHT - 24)
    assert by_month([]) is None


def test_a_far_away_month_does_not_stretch_the_chart() -> None:
    """A page may claim any year; sixty are drawn."""
    chart = by_month([("0001-01", "a", 1), ("2024-01", "a", 1)])
    assert chart
    assert len(chart.columns) == 12 * 60 + 1


# Search


@pytest.mark.fault("E04")
@pytest.mark.parametrize(
    ("words", "found"),
    [("harbour", 1), ("cut-off", 1), ('"cut off"', 1), ("swan left", 1), ('"', 3), ("AND", 0), ("NEAR(", 1), ("*", 0), ("headline:", 0), ("a\0b", 0), ("zz " * 400, 0), ("", 3), (" ", 3)],
)  # fmt: skip
def test_search_answers_to_anything(room: Datasette, words: str, found: int) -> None:
    """Nothing is an error; no words find all."""
    for order in ("", "date", "oldest"):
        page = text_of(room, "/read/search?" + urlencode({"q": words, "sort": order}))
        assert f"<strong>{found} stor{'y' if found == 1 else 'ies'}</strong>" in page


@pytest.mark.fault("E03")
def test_found_words_are_marked_and_hostile_text_is_not_let_out(room: Datasette) -> None:
    """In headline and snippet."""
    page = text_of(room, "/read/search?q=closed")
    assert "Road <mark>closed</mark> near harbour" in page
    page = text_of(room, "/read/search?q=script")
    assert "&lt;<mark>script</mark>&gt;alert(2)" in page


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"section": "breaking"}, [1]),
        ({"tag": "Roads"}, [1]),
        ({"status": "gone"}, [2]),
        ({"status": "live"}, [1, 3]),
        ({"edited": "1"}, [1]),
        ({"since": "2024-06-14", "until": "2024-06-14"}, [1]),
        ({"since": "2024-06-15", "until": "2024-12-31"}, []),
        ({"month": "2024-06"}, [1]),
        ({"since": "nonsense", "status": "nonsense", "page": "-1"}, [1, 2, 3]),
        ({"q": "road", "tag": "Roads", "section": "breaking", "status": "live", "edited": "1"}, [1]),
        ({"q": "road", "since": "2024-06-14", "until": "2024-06-14"}, [1]),
        ({"q": "road", "since": "2024-06-14", "until": "2024-06-14", "sort": "date"}, [1]),
        ({"q": "swan", "tag": "Roads"}, []),
        ({"author": "Zoe Quay"}, [1]),
        ({"with_images": "1"}, [1, 3]),
        ({"with_images": "1", "author": "Zoe Quay", "q": "road"}, [1]),
        ({"q": '"closed near"'}, [1]),
        ({"q": '"near closed"'}, []),
        ({"q": "swan OR harbour"}, [1, 2]),
        ({"q": "swan OR harbour -road"}, [2]),
        ({"q": "headline:officers"}, []),
        ({"q": "officers OR headline:swan"}, [2]),
        ({"q": "swan harbour"}, []),
        ({"size": "7", "sort": "nonsense", "author": ""}, [1, 2, 3]),
    ],
)
def test_filters_narrow_what_is_found(room: Datasette, filters: dict[str, str], found: list[int]) -> None:
    """Alone, together, and with words; what makes no sense is left out."""
    page = text_of(room, "/read/search?" + urlencode(filters))
    stories = {page_of(path): number for number, path in enumerate(STORIES, start=1)}
    assert sorted(stories[page] for page in re.findall(r'<h2><a href="([^"]+)"', page)) == found


@pytest.mark.parametrize(
    ("words", "match", "told"),
    [
        ("coast road", '"coast" AND "road"', "coast and road"),
        ('"coast road" fire', '"coast road" AND "fire"', "“coast road” and fire"),
        ("a fire OR flood", '"a" AND ("fire" OR "flood")', "a and fire or flood"),
        ("fire -drill -test", '("fire") NOT ("drill" OR "test")', "fire, without drill or test"),
        ("fire NOT drill AND sea", '("fire" AND "sea") NOT "drill"', "fire and sea, without drill"),
        ('headline:fire standfirst:"by sea"', 'headline : "fire" AND standfirst : "by sea"', "fire in the headline and “by sea” in the standfirst"),
        ('-"a b" c', '("c") NOT "a b"', "c, without “a b”"),
        ("cut-off 21:30", '"cut-off" AND "21:30"', "cut-off and 21:30"),
        ('""', "", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_question_is_understood_and_told(words: str, match: str, told: str) -> None:
    """As researchers write one: phrases, without, one of several, in the headline."""
    assert understood(words) == Wanted(match, told)


@pytest.mark.parametrize("words", ["OR", "fire OR", "OR fire", "fire OR OR flood", "fire AND", "-fire", "NOT fire", 'a "b', "fire -", "headline: fire", "fire OR -flood"])  # fmt: skip
def test_what_is_not_understood_is_said_and_looked_for_word_by_word(room: Datasette, words: str) -> None:
    """Each piece between blanks is a word then."""
    wanted = understood(words)
    assert wanted.trouble
    assert wanted.match == " ".join(f'"{word}"' for word in words.replace('"', " ").split())
    page = text_of(room, "/read/search?" + urlencode({"q": words}))
    assert "<strong>Not understood:</strong>" in page
    assert "Looked for word by word" in page


def test_what_was_found_is_counted(tmp_path: Path) -> None:
    """By section, tag, author, month and state; a click narrows, another takes the filter away."""
    db = new_archive(tmp_path / "counted")
    for number in range(6):
        section = "crime" if number < 4 else "travel"
        story = add_article(
            db,
            f"/{number}/",
            f"Fire {number}",
            section=section,
            published_at=f"2024-0{1 + number % 2}-05",
            status="gone" if number == 5 else "live",
        )
        add_tags(db, story, "Kent", *(["Dover"] if number == 0 else []))
        add_authors(db, story, "Zoe Quay" if number % 2 else "Al Pier")
        if number == 1:
            add_revision(db, story, 2, "Fire out")
            add_image(db, story, 0, f"{SITE}/a.jpg")
    add_article(db, "/other/", "Flood", section="crime")
    add_article(db, "/out/", "Fire taken out", section="crime", status="redacted")
    db.close()
    instance = datasette_for(tmp_path / "counted")

    def told(path: str) -> dict[str, dict[str, str]]:
        page = document_fromstring(get(instance, path).text)
        return {
            section.findtext("h2"): {
                item.xpath("string(a/bdi)"): item.xpath("string(span[@class='n'])")
                for item in section.findall("ul/li")
            }
            for section in page.xpath("//aside/section")
        }

    counts = told("/read/search?q=fire")
    assert counts["Section"] == {"crime": "4", "travel": "2"}
    assert counts["Tag"] == {"Kent": "6", "Dover": "1"}
    assert counts["Author"] == {"Al Pier": "3", "Zoe Quay": "3"}
    assert counts["Month"] == {"2024-02": "3", "2024-01": "3"}
    assert counts["State"] == {
        "still on the site": "5",
        "gone from the site": "1",
        "edited after publication": "1",
        "with pictures": "1",
    }
    assert told("/read/search")["Section"] == {"crime": "5", "travel": "2"}
    narrowed = get(instance, "/read/search?q=fire&month=2024-01&author=Al+Pier").text
    assert "<strong>3 stories</strong>" in narrowed
    page = document_fromstring(narrowed)
    chosen = page.xpath("//aside//a[@aria-current]/@href")
    assert chosen == [
        "/read/search?q=fire&since=2024-01-01&until=2024-01-31",
        "/read/search?q=fire&author=Al+Pier",
    ]
    assert "<title>2024-01: 3</title>" in narrowed
    end(instance)


def test_what_was_found_can_be_taken_along(archive: Path, tmp_path: Path) -> None:
    """As CSV, JSON Lines and JSON, byte for byte what the command shown beside it writes."""
    instance = datasette_for(archive)
    asked = urlencode(
        {"q": '"closed near" OR swan -nothing', "author": "Zoe Quay", "edited": "1", "with_images": "1"}
    )
    page = document_fromstring(get(instance, f"/read/search?{asked}").text)
    command = shlex.split(page.xpath("string(//code[@class='command'])"))
    assert command[:3] == ["uknip", "export", "csv"]
    for name in ("csv", "jsonl", "json"):
        (link,) = page.xpath(f"//aside//a[starts-with(@href, '/read/search.{name}?')]/@href")
        answer = get(instance, link)
        written = tmp_path / f"out.{name}"
        arguments = [name, *command[3:], "--archive", str(archive), "-o", str(written)]
        done = CliRunner().invoke(export_command, arguments)
        assert done.exit_code == 0, done.output
        assert answer.content == written.read_bytes()
        assert answer.headers["content-disposition"] == f'attachment; filename="stories.{name}"'
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [record["headline"] for record in get(instance, f"/read/search.json?{asked}").json()] == [
        "Road closed near harbour"
    ]
    assert len(get(instance, "/read/search.jsonl").text.splitlines()) == 3
    end(instance)


def test_a_file_goes_out_while_it_is_written_and_never_ends_well_when_it_fails() -> None:
    """In pieces, none lost; an error on the way leaves the answer without its end."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    def write(output: BinaryIO) -> None:
        output.writelines(b"%020d" % number for number in range(20_000))

    def fail(output: BinaryIO) -> None:
        write(output)
        raise OSError("the disk is gone")

    asyncio.run(Streamed(Stream(write, "text/csv", "a.csv")).asgi_send(send))
    pieces = [message["body"] for message in sent[1:]]
    assert len(pieces) > 5
    assert b"".join(pieces) == b"".join(b"%020d" % number for number in range(20_000))
    assert not sent[-1].get("more_body")
    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(Streamed(Stream(fail, "text/csv", "a.csv")).asgi_send(send))
    assert sent[-1]["more_body"]


def test_a_hostile_question_stays_one_word_of_the_command(room: Datasette) -> None:
    """Whatever is searched for, a shell reads it as the value of --search and runs nothing."""
    words = "'; rm -rf ~; $(id) `id` \\"
    page = document_fromstring(get(room, "/read/search?" + urlencode({"q": words, "tag": "--limit=1"})).text)
    command = shlex.split(page.xpath("string(//code[@class='command'])"))
    assert command[:4] == ["uknip", "export", "csv", "--search"]
    assert command[5:] == ["--tag=--limit=1"]
    page = document_fromstring(get(room, "/read/search?q=coast+road&section=breaking").text)
    assert page.xpath("string(//code[@class='command'])") == (
        "uknip export csv --search 'coast road' --section breaking"
    )


def test_a_search_is_a_feed(archive: Path) -> None:
    """Atom, newest first, whatever a headline holds."""
    db = Database(archive / "uknip.db")
    add_article(db, "/odd/", "Harbour <b>\x00\x0b&", published_at="2025-01-01")
    db.close()
    instance = datasette_for(archive)
    answer = get(instance, "/read/search.atom?q=harbour")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = fromstring(answer.content)
    atom = "{http://www.w3.org/2005/Atom}"
    assert [entry.findtext(f"{atom}title") for entry in root.findall(f"{atom}entry")] == [
        "Harbour <b>\ufffd\ufffd&",
        "Road closed near harbour",
    ]
    (link,) = root.findall(f"{atom}entry")[1].findall(f"{atom}link")
    assert link.get("href", "").endswith(ROAD)
    assert root.findall(f"{atom}entry")[0].findtext(f"{atom}published") == "2025-01-01T00:00:00Z"
    for path in ("/read/search.atom", "/read/search.atom?" + urlencode({"q": HOSTILE})):
        fromstring(get(instance, path).content)
    end(instance)


def test_an_opening_is_cut_between_words(tmp_path: Path) -> None:
    """With an ellipsis, and only where there is more."""
    db = new_archive(tmp_path / "long")
    add_article(db, "/long/", "Long", "abcdefghi " * 40)
    add_article(db, "/short/", "Short", "Just this.")
    db.close()
    instance = datasette_for(tmp_path / "long")
    page = text_of(instance, "/read/search")
    assert f'<p class="opening">{" ".join(["abcdefghi"] * 24)} …</p>' in page
    assert '<p class="opening">Just this.</p>' in page
    end(instance)


def test_a_story_of_late_evening_belongs_to_its_london_day(tmp_path: Path) -> None:
    """Half past eleven at night UTC in June is the next day in London; a bare day is its own."""
    db = new_archive(tmp_path / "days")
    add_article(db, "/late/", "Late", published_at="2024-06-14T23:30:00Z")
    add_article(db, "/bare/", "Bare", published_at="2024-06-15")
    db.close()
    instance = datasette_for(tmp_path / "days")
    page = text_of(instance, "/read/search?since=2024-06-15&until=2024-06-15")
    assert "<strong>2 stories</strong>" in page
    calendar = text_of(instance, "/read/calendar?year=2024")
    assert 'title="2024-06-15: 2 held"' in calendar
    end(instance)


def test_pages_of_results_follow_one_another(tmp_path: Path) -> None:
    """Twenty a page, none twice, the question kept in the links."""
    db = new_archive(tmp_path / "many")
    for number in range(45):
        add_article(db, f"/{number}/", f"Fire {number}", published_at=f"2024-01-01T00:{number:02d}:00Z")
    db.close()
    instance = datasette_for(tmp_path / "many")
    seen: list[str] = []
    path = "/read/search?q=fire&sort=date"
    while path:
        page = text_of(instance, path)
        seen += re.findall(r'<h2><a href="[^"]+">(?:<mark>)?Fire(?:</mark>)? (\d+)</a>', page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        path = more[1].replace("&amp;", "&") if more else ""
        assert not path or "q=fire" in path
    assert [int(number) for number in seen] == list(range(44, -1, -1))
    end(instance)


def test_words_of_every_second_story_are_found_newest_first(
    room: Datasette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many to tell the best match, and the page says so."""
    monkeypatch.setattr("uknip_crawler.browse.pages.search.COMMON", 0)
    assert "the newest first: too many" in text_of(room, "/read/search?q=road")
    assert "the newest first: too many" not in text_of(room, "/read/search?q=nowhere")


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "https://uknip.co.uk/news/uk/breaking/road/",
        "http://www.uknip.co.uk/news/uk/breaking/road",
        "https:/uknip.co.uk/news/uk/breaking/road/?utm_source=feed&fbclid=1",
        "uknip.co.uk/2024/06/14/road/",
        "https://uknip.co.uk/2024/06/14/road/amp/",
        "https://uknip.co.uk/?p=218140",
    ],
)
def test_a_story_is_found_by_any_address_it_ever_had(archive: Path, address: str) -> None:
    """Behind /read/at/, and in the search box."""
    db = Database(archive / "uknip.db")
    db.execute("UPDATE articles SET post_id = 218140 WHERE id = 1")
    db.conn.commit()
    db.close()
    instance = datasette_for(archive)
    for path in (f"/read/at/{address}", "/read/search?" + urlencode({"q": address})):
        answer = get(instance, path, follow=False)
        assert (answer.status_code, answer.headers["location"]) == (302, ROAD), path
    end(instance)


def test_an_address_that_no_story_had_is_told_so(room: Datasette) -> None:
    """Another site's, and one of this site; neither becomes a way out of the archive."""
    for address in (
        "https://elsewhere.example/road/",
        "https://uknip.co.uk/nothing/",
        "x",
        "%00",
        "//evil.example/",
    ):
        answer = get(room, f"/read/at/{address}", follow=False)
        assert answer.status_code == 404, address
    assert "https://uknip.co.uk/nothing/" in get(room, "/read/at/uknip.co.uk/nothing/").text


def test_the_search_box_says_when_no_story_was_at_an_address(room: Datasette) -> None:
    """And only for addresses of this site; what merely has a slash in it is words."""
    note = "No story of this archive was ever at this address."
    assert note in get(room, "/read/search?q=https://uknip.co.uk/nothing/").text
    for words in ("https://elsewhere.example/x/", "and/or", "road", "uknip.co.uk"):
        assert note not in get(room, "/read/search?" + urlencode({"q": words})).text


def test_permalinks_outlast_the_row_and_the_address(archive: Path) -> None:
    """Old row numbers and keys of addresses left lead on, with what was asked of them; new ones work at once."""
    instance = datasette_for(archive)
    left = page_of("/2024/06/14/road/")
    for path, place in (
        ("/read/story/1", ROAD),
        (left, ROAD),
        (f"{left}/compare?old=1&new=2", f"{ROAD}/compare?old=1&new=2"),
        (f"{left}/capture", f"{ROAD}/capture"),
    ):
        answer = get(instance, path, follow=False)
        assert (answer.status_code, answer.headers["location"]) == (302, place), path
    db = Database(archive / "uknip.db")
    db.execute("UPDATE articles SET url = ? WHERE id = 1", [f"{SITE}/moved/road/"])
    add_alias(db, 1, "/news/uk/breaking/road/")
    add_article(db, "/new/", "New")
    db.close()
    assert get(instance, ROAD, follow=False).headers["location"] == page_of("/moved/road/")
    assert get(instance, page_of("/new/")).status_code == 200
    assert get(instance, page_of("/never/")).status_code == 404
    end(instance)


def test_every_page_says_where_it_is(room: Datasette) -> None:
    """A canonical link without what does not belong to the page, and a title of its own."""
    canonical = {
        "/read/at/https://uknip.co.uk/2024/06/14/road/": ROAD,
        "/read/calendar?year=2024&x=1": "/read/calendar?year=2024",
        "/read/runs?utm_source=x": "/read/runs",
        f"{ROAD}/compare?new=2&old=1": f"{ROAD}/compare?old=1&new=2",
    }
    for path, place in canonical.items():
        page = document_fromstring(get(room, path).text)
        assert page.xpath("string(//link[@rel='canonical']/@href)") == place
    titles = [document_fromstring(get(room, path).text).findtext("head/title") for path in ADDRESSES]
    assert all(title and not title.startswith(" ·") for title in titles)


def test_a_story_page_tells_a_reference_manager_what_it_is(room: Datasette) -> None:
    """Highwire and Dublin Core, of type newspaper article, as Zotero reads them; also of a hostile story."""
    page = document_fromstring(get(room, ROAD).text)
    told = {(meta.get("name"), meta.get("content")) for meta in page.xpath("//meta[@name]")}
    assert told >= {
        ("z.itemType", "newspaperArticle"),
        ("citation_title", "Road closed near harbour"),
        ("citation_author", "Zoe Quay"),
        ("citation_date", "2024/06/14"),
        ("citation_journal_title", "uknip.co.uk"),
        ("citation_public_url", f"{SITE}/news/uk/breaking/road/"),
        ("citation_language", "en-GB"),
        ("DC.title", "Road closed near harbour"),
    }
    hostile = document_fromstring(get(room, "/read/story/3").text)
    assert hostile.xpath("string(//meta[@name='citation_title']/@content)") == HOSTILE


def test_a_story_is_cited_with_its_capture(room: Datasette) -> None:
    """As text, BibTeX and CSL-JSON."""
    digest = hashlib.sha256(b"Text.").hexdigest()
    assert get(room, f"{ROAD}/cite.txt").text == (
        "Zoe Quay, “Road closed near harbour”, uknip.co.uk, 14 June 2024, https://uknip.co.uk/news/uk/breaking/road/. "
        f"Captured 14 March 2026, 08:00 (London); SHA-256 of the text {digest}.\n"
    )
    key = f"uknip2024-{ROAD[12:20]}"
    assert get(room, f"{ROAD}/cite.bib").text == (
        f"@online{{{key},\n  title = {{{{Road closed near harbour}}}},\n  author = {{{{Zoe Quay}}}},\n"
        "  organization = {uknip.co.uk},\n  date = {2024-06-14},\n  year = {2024},\n"
        "  url = {https://uknip.co.uk/news/uk/breaking/road/},\n  urldate = {2026-03-14},\n  language = {en-GB},\n"
        f"  note = {{Captured 2026-03-14T08:00:00Z; SHA-256 of the text {digest}}},\n}}\n"
    )
    answer = get(room, f"{ROAD}/cite.json")
    assert answer.headers["content-type"] == "application/vnd.citationstyles.csl+json"
    (item,) = answer.json()
    assert item["type"] == "article-newspaper"
    assert item["author"] == [{"literal": "Zoe Quay"}]
    assert item["issued"] == {"date-parts": [[2024, 6, 14]]}
    assert item["accessed"] == {"date-parts": [[2026, 3, 14]]}
    assert item["archive"].endswith(ROAD)


def test_a_citation_of_a_hostile_story_stays_a_citation(archive: Path) -> None:
    """No brace of a headline ends a field, no backslash starts a command, no address leaves its braces."""
    db = Database(archive / "uknip.db")
    story = add_article(
        db, "/a}b{c%25_d/", "100% {of} \\input{x} & $5 #1_2 ~^\u202e\x1b[31m", published_at="soon"
    )
    db.close()
    instance = datasette_for(archive)
    written = get(instance, f"/read/story/{story}/cite.bib").text
    assert (
        r"title = {{100\% \{of\} \textbackslash{}input\{x\} \& \$5 \#1\_2 \textasciitilde{}\textasciicircum{} [31m}}"
        in written
    )
    assert "url = {https://uknip.co.uk/a%7Db%7Bc%25_d/}" in written
    assert "date = {soon" not in written
    assert "undated" in get(instance, f"/read/story/{story}/cite.txt").text
    end(instance)


def test_stories_lead_to_those_published_before_and_after(tmp_path: Path) -> None:
    """In the order of their times; the first has none before, the undated neither."""
    db = new_archive(tmp_path / "row")
    for day in ("2024-01-02", "2024-01-01", "2024-01-03"):
        add_article(db, f"/{day}/", f"Of {day}", published_at=day)
    add_article(db, "/gone/", "Taken out", status="redacted", published_at="2024-01-01T12:00:00Z")
    undated = add_article(db, "/undated/", "Undated")
    db.close()
    instance = datasette_for(tmp_path / "row")

    def beside(path: str) -> list[str]:
        page = document_fromstring(get(instance, path).text)
        return [page.xpath(f"string(//a[@rel='{rel}']/@href)") for rel in ("prev", "next")]

    assert beside(page_of("/2024-01-02/")) == [page_of("/2024-01-01/"), page_of("/2024-01-03/")]
    assert beside(page_of("/2024-01-01/")) == ["", page_of("/2024-01-02/")]
    assert beside(f"/read/story/{undated}") == ["", ""]
    end(instance)


# Story


def test_a_story_page_reads_like_the_story(room: Datasette) -> None:
    """Each block in its own element and place; what the archive knows of it below."""
    page = text_of(room, "/read/story/1").partition("<body>")[2]
    parts = [
        "TRAVEL",
        "<h1>Road closed near harbour</h1>",
        "breaking",
        "Zoe Quay",
        '<time datetime="2024-06-14T15:21:00Z" title="2024-06-14 15:21:00 UTC">14 June 2024, 16:21</time>',
        f'<a href="{ROAD}/compare">',
        "<p>Officers closed the road.</p>",
        "<h2>What drivers should do</h2>",
        "<ul><li>Wait</li><li>Turn round</li></ul>",
        "<ol><li>First</li></ol>",
        "<blockquote>We came running.</blockquote>",
        "<tr><td>Route</td><td>Delay</td></tr><tr><td>Coast</td><td>60</td></tr>",
        '<a href="https://youtu.be/abc" rel="noreferrer noopener nofollow">youtu.be</a>',
        "Picture not kept",
        '<figcaption><bdi>The wall</bdi> <bdi class="credit">Al Pier</bdi></figcaption>',
        '<a href="/read/search?tag=Roads"><bdi>Roads</bdi></a>',
        f'<a href="{SITE}/2024/06/14/road/" rel="noreferrer noopener nofollow">',
        f'<a href="{page_of("/gone/")}">Cut-off swan</a>',
    ]
    places = [page.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_copies_stand_side_by_side_with_what_both_say_marked(tmp_path: Path) -> None:
    """Six words in a row or more, whatever their marks and capitals; each side with its share."""
    db = new_archive(tmp_path / "copies")
    one = "A boat sank off Dover - on Friday night, police said.\n\nNobody was <hurt>."
    two = "“A boat sank off Dover on Friday Night” was the headline.\n\nNobody was <hurt>."
    stories = [
        add_article(db, f"/{at}/", f"Boat {at}", body)
        for at, body in enumerate((one, two, "Other words here."))
    ]
    similar = {"article_id": stories[0], "other_id": stories[1], "similarity": 0.5, "shared": "[]"}
    db.table("near_duplicates").insert(similar)
    db.close()
    instance = datasette_for(tmp_path / "copies")
    keys = [page_of(f"/{at}/")[-16:] for at in range(3)]
    story = document_fromstring(get(instance, f"/read/story/{keys[0]}").text)
    assert story.xpath("//ul[@class='copies']//a[.='Side by side']/@href") == [
        f"/read/story/{keys[0]}/copy/{keys[1]}"
    ]
    page = document_fromstring(get(instance, f"/read/story/{keys[0]}/copy/{keys[1]}").text)
    assert page.xpath("//article//mark/text()") == [
        "A boat sank off Dover - on Friday night,",
        "“A boat sank off Dover on Friday Night”",
    ]
    assert page.xpath("//article//p[last()]/text()")[-1] == "Nobody was <hurt>."
    assert page.xpath("//article//span[contains(., 'shared')]/text()") == ["62 % shared", "57 % shared"]
    apart = document_fromstring(get(instance, f"/read/story/{keys[0]}/copy/{keys[2]}").text)
    assert not apart.xpath("//article//mark")
    for nobody in (keys[0], "0" * 16):
        assert get(instance, f"/read/story/{keys[0]}/copy/{nobody}").status_code == 404
    end(instance)


@pytest.mark.parametrize(
    ("name", "is_town"),
    [("Dover", True), ("southend", True), ("Bo'ness", True), ("Isle of Dogs Police", False), ("", False)],
)
def test_towns_are_told_from_other_tags(name: str, is_town: bool) -> None:
    """In any writing, without their river too."""
    assert is_place(name) is is_town


def test_a_gone_story_says_so(room: Datasette) -> None:
    """With the time it was found missing."""
    page = text_of(room, "/read/story/2")
    assert "<strong>Gone from the site.</strong> Found missing" in page
    assert "14 March 2026, 08:00" in page


def test_what_is_known_of_a_story_is_shown(archive: Path) -> None:
    """Events, evidence, doubtful times, near-duplicates with what they share, lines left out."""
    db = Database(archive / "uknip.db")
    db.table("events").insert(
        {"article_id": 1, "run_id": 1, "kind": "moved", "at": CAPTURED, "detail": "from /a/ to /b/"}
    )
    for position, (source, value) in enumerate([("rest", "2024-06-14T15:21:00Z"), ("address", "2024-06-13")]):
        row = {"article_id": 1, "position": position, "field": "published_at", "source": source}
        db.table("evidence").insert(row | {"raw": f"printed {value}", "value": value})
    db.table("near_duplicates").insert(
        {"article_id": 1, "other_id": 2, "similarity": 0.87, "shared": '["a long passage"]'}
    )
    furniture = {
        "id": 7,
        "text": "Join our channel",
        "rule": "to the reader",
        "pages": 1204,
        "layouts": 3,
        "first_seen_at": CAPTURED,
        "last_seen_at": CAPTURED,
    }
    db.table("furniture").insert(furniture)
    db.table("article_furniture").insert({"article_id": 1, "furniture_id": 7})
    rules = '{"containers": ["div .story"], "furniture": {"div .promo > p": 97}, "marks": [".promo"]}'
    db.execute("UPDATE layouts SET rules = ?", [rules])
    db.execute("UPDATE articles SET time_flags = '[\"published_in_future\"]' WHERE id = 1")
    db.conn.commit()
    db.close()
    instance = datasette_for(archive)
    page = text_of(instance, "/read/story/1")
    for part in (
        "<strong>moved</strong> <bdi>from /a/ to /b/</bdi>",
        "printed 2024-06-13",
        "87 % alike",
        "<blockquote>a long passage</blockquote>",
        "Join our channel",
        "published after we captured it",
    ):
        assert part in page
    assert page.count(f'href="{page_of("/gone/")}">Cut-off') == 1
    assert "Join our channel" in text_of(instance, "/read/furniture")
    layout = text_of(instance, "/read/layouts/Labc123")
    for part in (
        "Join our channel",
        "1,204 pages",
        "in 3 layouts",
        "div .story",
        "div .promo &gt; p",
        "97 pages",
    ):
        assert part in layout
    end(instance)


def test_a_reading_in_doubt_says_so_and_is_counted(archive: Path) -> None:
    """On the story's page, on its run's, in the run's report and in the archive's state."""
    db = Database(archive / "uknip.db")
    noted = {
        "outcome": "stored",
        "closed_at": CAPTURED,
        "detail": "truncated_parse, doubtful_body",
        "article_id": 1,
    }
    db.table("fetches").update(1, noted)
    db.execute("UPDATE articles SET fetch_id = 1 WHERE id = 1")
    others = db.execute(
        "SELECT count(*) FROM articles WHERE fetch_id = 1 AND status <> 'redacted'"
    ).fetchone()[0]
    db.conn.commit()
    report = run_report(db, 1)
    assert report.doubtful == 1
    assert "1 reading in doubt" in report.text()
    assert archive_status(db, datetime.now(UTC))["doubtful"] == others
    db.close()
    instance = datasette_for(archive)
    story = text_of(instance, "/read/story/1")
    assert "part of the story may be lost" in story
    assert "could not be read to its end" in story
    assert "Readings in doubt" in text_of(instance, "/read/runs/1")
    end(instance)


def test_a_redacted_story_is_a_bare_tombstone_everywhere(archive: Path) -> None:
    """Nothing of it on any page, even were its words still in the tables."""
    db = Database(archive / "uknip.db")
    secret = add_article(
        db, "/secret/", "Secret heading", "Secret words.", status="redacted", published_at="2026-01-01"
    )
    add_revision(db, secret, 2, "Secret heading again")
    digest = keep_picture(archive, db, secret)
    add_tags(db, secret, "Secret tag")
    add_authors(db, secret, "Secret author")
    db.table("redactions").insert({"id": 1, "article_id": secret, "at": CAPTURED, "reason": "asked for"})
    mark = address_mark(f"{SITE}/taken/out/")  # the address of a story that is not even a tombstone any more
    db.table("redaction_marks").insert({"mark": mark, "redaction_id": 1})
    db.close()
    instance = datasette_for(archive)
    for story in (f"/read/story/{secret}", page_of("/secret/")):
        for page in ("", "/compare", "/capture", "/cite.bib"):
            answer = get(instance, f"{story}{page}")
            assert answer.status_code == 410
            assert "asked for" in answer.text
    assert get(instance, f"/read/at/{SITE}/secret").status_code == 410
    assert get(instance, f"/read/at/{SITE}/taken/out/").status_code == 410
    assert get(instance, f"/read/picture/{digest}").status_code == 404
    for path in [
        *ADDRESSES,
        f"/read/story/{secret}",
        f"/read/story/{secret}/compare",
        "/read/search?q=secret",
        "/read/search.csv",
        "/read/search.json?q=secret",
        "/read/search.atom",
        "/read/changes.atom",
    ]:
        assert "Secret" not in get(instance, path).text
        assert digest not in get(instance, path).text
    end(instance)


# Comparing


def test_two_revisions_stand_side_by_side(archive: Path) -> None:
    """Words gone on the left, words come on the right, the rest on both; a whole paragraph on its own side."""
    db = Database(archive / "uknip.db")
    story = add_article(db, "/edited/", "Two held", "Two men were held.\n\nThe road is shut.")
    add_revision(db, story, 2, "Three held", "Three men were held.\n\nThe road is shut.\n\nPolice thank all.")
    db.close()
    instance = datasette_for(archive)
    page = text_of(instance, f"/read/story/{story}/compare?old=1&new=2")
    for part in (
        "<del>Two</del> held",
        "<ins>Three</ins> held",
        "<del>Two</del> men were held.",
        "<ins>Three</ins> men were held.",
        '<td data-label="Before"></td> <td data-label="After"><ins>Police thank all.</ins>',
    ):
        assert part in page
    assert page.count("The road is shut.") == 2
    assert text_of(instance, f"/read/story/{story}/compare?old=9&new=x").count("<del>Two</del>") == 2
    back = text_of(instance, f"/read/story/{story}/compare?old=2&new=1")
    assert "<del>Three</del> held" in back
    end(instance)


def test_long_unchanged_stretches_are_folded(tmp_path: Path) -> None:
    """But for the paragraph beside a change; the comparison says of when each side is."""
    db = new_archive(tmp_path / "long")
    body = [f"Paragraph {number} stays." for number in range(9)]
    story = add_article(db, "/long/", "Long", "\n\n".join(["It was here.", *body, "The end."]))
    add_revision(db, story, 2, "Long", "\n\n".join(["It was there.", *body, "The end."]))
    db.execute(
        "UPDATE revisions SET captured_at = '2026-06-01T11:00:00Z', kind = 'correction' WHERE number = 2"
    )
    db.conn.commit()
    db.close()
    instance = datasette_for(tmp_path / "long")
    page = document_fromstring(get(instance, f"/read/story/{story}/compare").text)
    assert page.xpath("string(//details/summary)") == "9 paragraphs are the same"
    assert page.xpath("//details/p/text()") == [*body[1:], "The end."]
    assert page.xpath("count(//td[contains(., 'Paragraph 0')])") == 2
    assert page.xpath("//select[@name='new']/option/text()") == [
        "1: 14 March 2026, 08:00",
        "2: 1 June 2026, 12:00, correction",
    ]
    assert (
        "captured 14 March 2026, 08:00, to revision 2, captured 1 June 2026, 12:00: correction"
        in page.xpath("string(//p[@class='lede'])")
    )
    end(instance)


# Captures and pictures


def test_the_capture_is_shown_as_text_with_its_record(tmp_path: Path) -> None:
    """The page's source, the answer's and the record's headers; damage is told, not hidden."""
    db = new_archive(tmp_path)
    story = add_article(db, "/a/", "A story")
    db.close()
    source = "<html><script>alert(9)</script>Caf\u00e9 " + HOSTILE
    damaged = add_capture(tmp_path, story, source.encode(), (("X-Odd", HOSTILE.replace("\u202e", "")),))
    instance = datasette_for(tmp_path)
    page = get(instance, "/read/story/1/capture")
    assert "&lt;script&gt;alert(9)&lt;/script&gt;Café" in page.text
    assert "<script>" not in page.text
    assert "WARC-Record-ID" in page.text
    assert "X-Odd" in page.text
    damaged.write_bytes(damaged.read_bytes()[:-20])
    for part in ("capture", "page"):
        assert "It cannot be shown." in get(instance, f"/read/story/1/{part}").text
    assert get(instance, "/read/story/1/page/frame").status_code == 404
    end(instance)


def test_a_story_without_a_record_has_no_capture(room: Datasette) -> None:
    """It says so."""
    for part in ("capture", "page", "page/frame"):
        assert get(room, f"/read/story/2/{part}").status_code == 404


def test_every_line_of_the_page_was_read_taken_out_or_stood_beside(archive: Path) -> None:
    """What was taken out is marked, with the rule; menus are folded away."""
    db = Database(archive / "uknip.db")
    body = "Officers closed the road.\n\nWhat drivers should do"
    db.table("articles").update(1, {"body": body})
    db.close()
    instance = datasette_for(archive)
    page = document_fromstring(get(instance, f"{ROAD}/page").text)
    end(instance)
    assert page.xpath("//p[@class='read']/text()") == [
        "TRAVEL",
        "Road closed near harbour",
        "Officers closed the road.",
        "What drivers should do",
    ]
    (out,) = page.xpath("//p[@class='out']")
    assert (out.xpath("string(del)"), out.get("title")) == (
        "Follow us",
        "Taken out by the rule “line”, seen on 7 pages",
    )
    assert page.xpath("//details/p//text()") == ["Travel"]
    assert "1 style sheet was in other files and is not kept" in page.text_content()


def test_a_replayed_page_is_let_do_nothing(archive: Path) -> None:
    """Kept pictures stand in their place, the others are boxes of their size; links lead nowhere and say where they led."""
    db = Database(archive / "uknip.db")
    digest = keep_picture(archive, db, 2)
    db.close()
    source = f"""<body onload=go() class="single" style="color:red;background:url(//x/y.png)"><style>p {{ background: url(/z.png); color: blue }}
    </style><script src=/a.js></script><img src="{SITE}/kept-2-300x200.png" srcset="{SITE}/kept-2-600x400.png 2x" onerror=go()><img data-src=/gone-640x480.jpg
    src="data:image/gif;base64,R0" alt="Boats"><iframe src=//x width=560 height=315></iframe><a href="/b/" ping=/p>More</a>
    <img src=/no.jpg width=100 height=50></body>"""
    add_capture(archive, 2, source.encode())
    instance = datasette_for(archive)
    answer = get(instance, "/read/story/2/page/frame")
    end(instance)
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none';")
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    page = document_fromstring(answer.text)
    kept, gone, player, sized = page.xpath("//img")
    content = (archive / "images" / digest[:2] / f"{digest}.png").read_bytes()
    assert kept.get("src") == f"data:image/png;base64,{base64.b64encode(content).decode()}"
    assert [(box.get("width"), box.get("height"), box.get("alt")) for box in (gone, player, sized)] == [
        ("640", "480", "Boats"),
        ("560", "315", "iframe, not kept"),
        ("100", "50", ""),
    ]
    assert (page.xpath("string(//a/@href)"), page.xpath("string(//a/@title)")) == ("#", f"{SITE}/b/")
    assert page.xpath("string(//body/@style)") == "color:red;background:"
    assert page.xpath("string(//body/@class)") == "single"
    assert "color: blue" in answer.text
    for forbidden in ("script", "onload", "onerror", "srcset", "ping", "z.png"):
        assert forbidden not in answer.text


def keep_picture(archive: Path, db: Database, article_id: int, media_type: str = "image/png") -> str:
    """Put a picture on an article and into the archive's folder; return its digest."""
    content = png(f"picture of {article_id}")
    digest = hashlib.sha256(content).hexdigest()
    path = archive / "images" / digest[:2] / f"{digest}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    add_image(db, article_id, 5, f"{SITE}/kept-{article_id}.png", caption="A kept picture")
    kept = {"sha256": digest, "media_type": media_type, "width": 320, "height": 200}
    db.table("images").update(db.execute("SELECT max(id) FROM images").fetchone()[0], kept)
    return digest


def test_kept_pictures_come_from_the_archive(archive: Path) -> None:
    """On the wall, on the front page and in their story, as what they are."""
    db = Database(archive / "uknip.db")
    digest = keep_picture(archive, db, 1)
    db.close()
    instance = datasette_for(archive)
    answer = get(instance, f"/read/picture/{digest}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == png("picture of 1")
    for path in ("/", "/read/pictures", "/read/story/1", "/read/search?q=road"):
        assert f'src="/read/picture/{digest}"' in get(instance, path).text
    assert "A kept picture" in get(instance, "/read/pictures").text
    end(instance)


def test_what_is_no_picture_is_never_sent_as_one(archive: Path) -> None:
    """Whatever the table says: HTML or SVG out of the archive would be a page of ours."""
    db = Database(archive / "uknip.db")
    digest = keep_picture(archive, db, 1, "image/svg+xml")
    db.close()
    instance = datasette_for(archive)
    assert get(instance, f"/read/picture/{digest}").status_code == 404
    end(instance)


# Sections, tags, authors; changes


def test_sections_tags_and_authors_are_ways_in(tmp_path: Path) -> None:
    """Towns among the tags too. Each with its stories counted, its months, its newest; most stories first or by name; no redacted story."""
    db = new_archive(tmp_path / "names")
    for number, (section, tag, author) in enumerate(
        [
            ("crime", "Kent", "Zoe Quay"),
            ("crime", "Kent", "Al Pier"),
            ("art", "Dover", "Zoe Quay"),
            ("crime", "Kent", "Zoe Quay"),
        ]
    ):
        story = add_article(
            db, f"/{number}/", f"Story {number}", section=section, published_at=f"2024-0{number + 1}-05",
            status="redacted" if number == 3 else "live",
        )  # fmt: skip
        add_tags(db, story, tag)
        add_authors(db, story, author)
    db.close()
    instance = datasette_for(tmp_path / "names")

    def rows(path: str) -> list[tuple[str, str, list[str]]]:
        page = document_fromstring(get(instance, path).text)
        return [
            (row.xpath("string(th)"), row.xpath("string(td[1])"), row.xpath(".//p/a/text()"))
            for row in page.xpath("//tbody/tr")
        ]

    assert rows("/read/sections") == [("crime", "2", ["Story 1", "Story 0"]), ("art", "1", ["Story 2"])]
    assert rows("/read/sections?order=name")[0][0] == "art"
    assert rows("/read/tags?part=OVER") == [("Dover", "1", ["Story 2"])]
    assert rows("/read/places") == [("Dover", "1", ["Story 2"])]
    assert '<a href="/read/search?tag=Dover">' in get(instance, "/read/places").text
    assert rows("/read/authors") == [("Zoe Quay", "2", ["Story 2", "Story 0"]), ("Al Pier", "1", ["Story 1"])]
    page = get(instance, "/read/authors").text
    assert '<a href="/read/search?author=Al+Pier">' in page
    assert "2024-01 to 2024-03, most in 2024-03: 1" in page
    end(instance)


def test_many_names_are_shown_page_by_page(tmp_path: Path) -> None:
    """Fifty on each, none twice."""
    db = new_archive(tmp_path / "tags")
    story = add_article(db, "/a/", "A")
    add_tags(db, story, *(f"Tag {number:02d}" for number in range(60)))
    db.close()
    instance = datasette_for(tmp_path / "tags")
    pages = [
        re.findall(r"<bdi>(Tag \d\d)</bdi>", get(instance, f"/read/tags?order=name&page={n}").text)
        for n in (1, 2, 3)
    ]
    assert [len(page) for page in pages] == [50, 10, 0]
    assert sorted(pages[0] + pages[1]) == [f"Tag {number:02d}" for number in range(60)]
    end(instance)


def test_a_curve_is_over_the_same_time_for_all() -> None:
    """A step a month, on a scale of its own."""
    drawn = curves({"a": Counter({"2024-01": 2, "2024-03": 4}), "b": Counter({"2024-02": 1}), "c": Counter()})
    assert drawn["a"].points == "0,24 0.0,12.0 40.0,12.0 40.0,24.0 80.0,24.0 80.0,0.0 120.0,0.0 120,24"
    assert drawn["b"].points == "0,24 0.0,24.0 40.0,24.0 40.0,0.0 80.0,0.0 80.0,24.0 120.0,24.0 120,24"
    assert "c" not in drawn
    assert curves({"c": Counter()}) == {}


def changed(tmp_path: Path) -> Path:
    """An archive in which five things happened to three stories; nothing of a redacted one is to be told."""
    db = new_archive(tmp_path / "changed")
    for name in ("edited", "lost", "secret"):
        add_article(db, f"/{name}/", f"About {name}", section="crime" if name == "lost" else None)
    db.execute("UPDATE articles SET status = 'redacted' WHERE id = 3")
    for story, number, headline, at in (
        (1, 2, "About edited", "2026-03-15T08:00:00Z"),
        (1, 3, "About something else", "2026-03-17T08:00:00Z"),
        (3, 2, "Secret", "2026-03-18T08:00:00Z"),
    ):
        add_revision(db, story, number, headline)
        db.execute(
            "UPDATE revisions SET captured_at = ? WHERE article_id = ? AND number = ?", [at, story, number]
        )
    for story, kind, at in ((2, "gone", "2026-03-16T08:00:00Z"), (2, "restored", "2026-03-18T08:00:00Z"), (2, "moved", "2026-07-19T23:30:00Z"), (3, "gone", "2026-03-20T08:00:00Z")):  # fmt: skip
        db.table("events").insert(
            {"article_id": story, "run_id": 1, "kind": kind, "at": at, "detail": f"{kind} it is"}
        )
    db.conn.commit()
    db.close()
    return tmp_path / "changed"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", ["moved", "restored", "headline changed", "gone", "edited"]),
        ("?kind=edited", ["headline changed", "edited"]),
        ("?kind=headline", ["headline changed"]),
        ("?kind=gone", ["gone"]),
        ("?kind=hidden", []),
        ("?section=crime", ["moved", "restored", "gone"]),
        ("?section=crime&kind=edited", []),
        ("?kind=nonsense&page=2", []),
    ],
)
def test_what_changed_lately_is_told_newest_first(tmp_path: Path, asked: str, told: list[str]) -> None:
    """Of all stories or one section, everything or one kind; on a page, and in a feed with the same filters."""
    instance = datasette_for(changed(tmp_path))
    page = document_fromstring(get(instance, f"/read/changes{asked}").text)
    assert page.xpath("//ul[@class='changed']//strong/text()") == told
    assert "Secret" not in get(instance, f"/read/changes{asked}").text
    if "page=" not in asked:
        entries = fromstring(get(instance, f"/read/changes.atom{asked}").content).findall("{*}entry")
        assert [entry.findtext("{*}title", "").partition(":")[0] for entry in entries] == told
        assert len({entry.findtext("{*}id") for entry in entries}) == len(told)
    end(instance)


def test_a_change_leads_to_what_changed(tmp_path: Path) -> None:
    """The two revisions of an edit; its day is London's."""
    instance = datasette_for(changed(tmp_path))
    page = text_of(instance, "/read/changes")
    assert f'href="{page_of("/edited/")}/compare?old=2&amp;new=3"' in page
    assert "<del>About edited</del> → <ins>About something else</ins>" in page
    assert re.findall(r'<h2 id="day\d">([^<]+)', page) == [
        "20 July 2026", "18 March 2026", "17 March 2026", "16 March 2026", "15 March 2026",
    ]  # fmt: skip
    end(instance)


def test_changes_are_read_in_the_order_of_an_index(tmp_path: Path) -> None:
    """However many there are: nothing is sorted."""
    db = new_archive(tmp_path / "plan")
    for table, time, which in (
        ("revisions", "captured_at", "number > 1"),
        ("events", "at", "kind IN ('gone')"),
    ):
        plan = db.execute(
            f"EXPLAIN QUERY PLAN SELECT id FROM {table} WHERE {which} ORDER BY {time} DESC, id DESC"
        ).fetchall()
        assert not [step for step in plan if "TEMP B-TREE" in step[3]], plan
    db.close()


# Calendar, runs, ledger


def test_the_calendar_tells_what_is_missing_and_why(archive: Path) -> None:
    """Two stories listed on a day, one held."""
    db = Database(archive / "uknip.db")
    frontier = {
        "kind": "article",
        "found_by": "sitemap",
        "listed_on": f"{SITE}/sitemap.xml",
        "first_seen_at": CAPTURED,
    }
    said = json.dumps({"rest": [["published_at", "2024-06-14", "2024-06-14"]]})
    db.table("frontier").insert(
        frontier | {"url": f"{SITE}/news/uk/breaking/road/", "last_outcome": "stored"}
    )
    db.table("frontier").insert(
        frontier | {"url": f"{SITE}/lost/", "last_outcome": "timeout", "listed_said": said}
    )
    db.close()
    instance = datasette_for(archive)
    page = text_of(instance, "/read/calendar?year=2024")
    assert 'title="2024-06-14: 1 held; 1 of 2 listed"' in page
    assert "<strong>1 is missing</strong>" in page
    assert f"{SITE}/lost/" in page
    assert "timeout" in page
    end(instance)


def test_a_calendar_that_takes_long_says_so_and_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks again by itself until it is there; what went wrong behind it is not kept back."""
    instance = datasette_for(fill(tmp_path))
    wait = threading.Event()
    reckon = COVERAGE._reckon
    monkeypatch.setattr(COVERAGE, "_reckon", lambda db: wait.wait() and reckon(db))
    monkeypatch.setattr(figures, "PATIENCE_SECONDS", 0)
    answer = get(instance, "/read/calendar")
    assert 'http-equiv="refresh"' in answer.text
    wait.set()
    monkeypatch.setattr(figures, "PATIENCE_SECONDS", 60)
    assert "<table" in get(instance, "/read/calendar").text
    end(instance)


def test_runs_and_ledger_count_outcomes(archive: Path) -> None:
    """Failures apart from the rest; one outcome's addresses by themselves."""
    db = Database(archive / "uknip.db")
    row = {
        "run_id": 1,
        "kind": "article",
        "found_by": "sitemap",
        "opened_at": CAPTURED,
        "closed_at": CAPTURED,
    }
    for outcome in ("stored", "stored", "timeout"):
        db.table("fetches").insert(
            row | {"url": f"{SITE}/{outcome}-{db['fetches'].count}/", "outcome": outcome}
        )
    db.table("fetches").insert(row | {"url": f"{SITE}/a.png", "outcome": "stored", "kind": "image"})
    db.execute("UPDATE runs SET exit_status = 3, finished_at = ?, requests = 4", [CAPTURED])
    db.conn.commit()
    db.close()
    instance = datasette_for(archive)
    assert "finished with failures" in text_of(instance, "/")
    run = text_of(instance, "/read/runs/1")
    row = document_fromstring(get(instance, "/read/runs").text).xpath("//tbody/tr[1]")[0]
    assert [row.xpath(f"string(td[@data-label='{name}'])") for name in ("New", "Revised", "Failures")] == [
        "2",
        "0",
        "1",
    ]
    assert (
        '<a href="/read/ledger?run=1&amp;outcome=timeout">timeout</a></th><td data-label="Addresses" class="num">1</td><td data-label="Meaning">no answer in time</td>'
        in run
    )
    ledger = text_of(instance, "/read/ledger?run=1&outcome=stored")
    assert ledger.count(f'href="{SITE}/stored-') == 2
    assert f"{SITE}/timeout-" not in ledger
    end(instance)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "2024-06-14T15:21:00Z",
            '<time datetime="2024-06-14T15:21:00Z" title="2024-06-14 15:21:00 UTC">14 June 2024, 16:21</time>',
        ),
        (
            "2020-09-16",
            '<time datetime="2020-09-16" title="The page prints no time of day">16 September 2020</time>',
        ),
        ("<b>", "<span>&lt;b&gt;</span>"),
        (None, ""),
    ],
)
def test_a_time_shows_london_and_tells_utc(text: str | None, shown: str) -> None:
    """A bare day says that it is one; what is no time stays text."""
    assert str(time_element(text)) == shown


def test_readers_do_not_wait_for_one_another(room: Datasette) -> None:
    """Pages asked for at once are all answered."""

    async def all_at_once() -> list[int]:
        answers = await asyncio.gather(*(room.client.get(path, follow_redirects=True) for path in ADDRESSES))
        return [answer.status_code for answer in answers]

    assert set(asyncio.run(all_at_once())) == {200}
