"""The capture a story rests on: the WARC record's own words, and the page's source as text."""

from __future__ import annotations

import re

from uknip_crawler.archive.warc import RecordRef, described
from uknip_crawler.browse.pages.asking import Ask, NotHere, Page
from uknip_crawler.browse.pages.story import found, tombstone
from uknip_crawler.errors import UknipError

SHOWN_CHARACTERS = 400_000
_LONGEST_RECORD_BYTES = 32 * 2**20
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def show(ask: Ask) -> Page:
    """Show where the record lies, its headers, and as much of the source as fits a page."""
    from uknip_crawler.extraction.page.content import decode  # pulls in the whole of extraction: a second

    story = found(ask, "/capture")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    fetch = ask.row("SELECT * FROM fetches WHERE id = :id", id=story["fetch_id"])
    if fetch is None or fetch["warc_name"] is None or fetch["warc_length"] is None:
        raise NotHere("No record of this story's capture is in the ledger.")
    if fetch["warc_length"] > _LONGEST_RECORD_BYTES:
        raise NotHere(f"The record is {fetch['warc_length']:,} bytes long: too long to show here.")
    record = RecordRef(fetch["warc_name"], fetch["warc_offset"], fetch["warc_length"])
    context = {"story": story, "fetch": fetch, "headers": [], "answer": [], "source": "", "trouble": None}
    try:
        headers, capture = described(ask.archive / "warc", record)
        body = decode(capture)
    except (UknipError, ValueError) as error:
        return Page("capture", context | {"trouble": str(error)})
    text = body[: 4 * SHOWN_CHARACTERS].decode(_charset(capture.header("content-type"), body), "replace")
    return Page(
        "capture",
        context
        | {
            "headers": headers,
            "answer": [("Status", str(capture.status)), *capture.headers],
            "source": text[:SHOWN_CHARACTERS].replace("\0", "\ufffd"),
            "is_cut": len(text) > SHOWN_CHARACTERS or len(body) > 4 * SHOWN_CHARACTERS,
            "body_bytes": len(body),
        },
    )


def _charset(content_type: str | None, body: bytes) -> str:
    # what is no text encoding, or writes a byte-order mark, is not believed
    declared = _CHARSET.search(content_type or "") or _CHARSET.search(body[:2048].decode("latin-1"))
    try:
        return declared[1] if declared and "".encode(declared[1]) == b"" else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
