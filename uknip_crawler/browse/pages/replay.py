"""The page a story was read from, as it looked when it was captured; beside it every line of it, read or left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from uknip_crawler.archive.images import FOLDER as IMAGES
from uknip_crawler.browse.pages.asking import Ask, File, NotHere, Page
from uknip_crawler.browse.pages.capture import captured
from uknip_crawler.browse.pages.pictures import MEDIA_TYPES, kept_file
from uknip_crawler.browse.pages.story import found, tombstone
from uknip_crawler.browse.security import POLICY
from uknip_crawler.errors import UknipError

if TYPE_CHECKING:
    from uknip_crawler.browse.replay import Picture
    from uknip_crawler.extraction.page import Page as CapturedPage

LONGEST_BYTES = 4 * 2**20
_MOST = 0.6
"""Share of a line that must have been read, where not all of it was."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the page: `read` into the story, `out` of it by a `rule` (its row of furniture), or `beside` its place."""

    fate: str
    text: str
    rule: Any = None


def show(ask: Ask) -> Page:
    """Show the page in a frame, and its lines: read, taken out and by which rule, beside the story's place."""
    from uknip_crawler.browse.replay import style_sheets
    from uknip_crawler.extraction.body.blocks import read_blocks

    story = found(ask, "/page")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    context = {
        "story": story,
        "trouble": None,
        "stretches": [],
        "counts": {},
        "style_sheets": 0,
        "fetch": None,
    }
    try:
        fetch, page = _captured_page(ask, story)
        lines = list(_lines(ask, story, [block.text for block in read_blocks(page) if block.is_text]))
    except (UknipError, ValueError) as error:
        return Page("replay", context | {"trouble": str(error)})
    stretches = [(fate, list(run)) for fate, run in groupby(lines, key=lambda line: line.fate)]
    counts = {fate: sum(line.fate == fate for line in lines) for fate in ("read", "out", "beside")}
    told = {"fetch": fetch, "stretches": stretches, "counts": counts, "style_sheets": style_sheets(page)}
    return Page("replay", context | told, frames=True)


def frame(ask: Ask) -> Page | File:
    """Give the page itself, for a frame: nothing in it acts, and it asks for nothing."""
    from uknip_crawler.browse.replay import REPLAY_POLICY, replayed

    story = found(ask, "/page/frame")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    try:
        _, page = _captured_page(ask, story)
    except (UknipError, ValueError) as error:
        raise NotHere(str(error)) from error
    headers = {
        POLICY: REPLAY_POLICY,
        "x-frame-options": "SAMEORIGIN",
        "x-dns-prefetch-control": "off",
        "cache-control": "no-cache",
    }
    document = replayed(page, lambda url: _picture(ask, story["id"], url))
    return File(document, "text/html; charset=utf-8", headers)


def _captured_page(ask: Ask, story: Any) -> tuple[Any, CapturedPage]:
    from uknip_crawler.extraction.page import parse

    fetch, _, capture, body = captured(ask, story)
    if len(body) > LONGEST_BYTES:
        raise NotHere(f"The page is {len(body):,} bytes long: too long to show as it looked.")
    try:
        return fetch, parse(body, capture.url, capture.header("content-type"))
    except SyntaxError as error:  # lxml's ParserError
        raise NotHere("There is nothing in this page.") from error


def _lines(ask: Ask, story: Any, texts: list[str]) -> Iterator[Line]:
    """Yield the page's lines with their fate. Words that stand in a menu too were read where they are nearest the text."""
    from uknip_crawler.extraction.page.text import key

    said = [story["headline"], story["kicker"], story["standfirst"], *story["body"].split("\n\n")]
    said += [
        text
        for row in ask.rows(
            "SELECT caption, credit FROM article_images WHERE article_id = :id", id=story["id"]
        )
        for text in row
    ]
    rules = {
        key(row["text"]): row
        for row in ask.rows(
            """SELECT text, rule, verdict, place, pages FROM article_furniture
            JOIN furniture ON furniture.id = furniture_id WHERE article_id = :id""",
            id=story["id"],
        )
    }
    lines = [key(text) for text in texts]
    body = {key(text) for text in story["body"].split("\n\n")}
    start = next((place for place, words in enumerate(lines) if words in body), 0)
    read = set()
    for words in {key(text) for text in said if text} - {""}:
        places = [place for place, line in enumerate(lines) if _is_same(words, line)]
        if words in body:
            read.update(places)
        elif places:
            read.add(min(places, key=lambda place: (lines[place] != words, abs(place - start))))
    for place, (text, words) in enumerate(zip(texts, lines, strict=True)):
        if place in read:
            yield Line("read", text)
        elif words in rules:
            yield Line("out", text, rules[words])
        else:
            yield Line("beside", text)


def _is_same(read: str, line: str) -> bool:
    """Tell whether a line is what was read, but for a mark or a token at an end that was left off."""
    short, long = sorted((read, line), key=len)
    return read == line or (len(short) >= _MOST * len(long) and short in long)


def _picture(ask: Ask, number: int, url: str) -> Picture:
    """Return what is kept of a picture on the story's page: at its address, or of the story's own in another size."""
    from uknip_crawler.browse.replay import Picture
    from uknip_crawler.extraction.body.images import stem

    rows = ask.rows(
        """SELECT url, sha256, media_type, width, height FROM images WHERE url = :url AND EXISTS (SELECT 1
            FROM article_images JOIN articles ON articles.id = article_id
            WHERE image_id = images.id AND status <> 'redacted')
        UNION ALL SELECT url, sha256, media_type, width, height FROM article_images JOIN images ON images.id = image_id
        WHERE article_id = :id""",
        url=url,
        id=number,
    )
    row = next((row for row in rows if row["url"] == url or stem(row["url"]) == stem(url)), None)
    if row is None:
        return Picture()
    size = (row["width"] or 0, row["height"] or 0)
    path = kept_file(ask.archive / IMAGES, row["sha256"]) if row["sha256"] else None
    if path is None or row["media_type"] not in MEDIA_TYPES:
        return Picture(None, "", *size)
    return Picture(path.read_bytes(), row["media_type"], *size)
