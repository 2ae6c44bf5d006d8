"""The capture a story rests on: the WARC record's own words, and the page's source as text."""

from __future__ import annotations

import re
from typing import Any

from uknip_crawler.archive.warc import RecordRef, described
from uknip_crawler.browse.pages.asking import Ask, NotHere, Page
from uknip_crawler.browse.pages.story import found, tombstone
from uknip_crawler.errors import UknipError
from uknip_crawler.models import Capture

SHOWN_CHARACTERS = 400_000
_LONGEST_RECORD_BYTES = 32 * 2**20
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def show(ask: Ask) -> Page:
    """Show where the record lies, its headers, and as much of the source as fits a page."""
    story = found(ask, "/capture")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    context = {"story": story, "headers": [], "answer": [], "source": "", "trouble": None}
    context["fetch"] = fetch_of(ask, story)
    try:
        _, headers, capture, body = captured(ask, story)
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


def fetch_of(ask: Ask, story: Any) -> Any:
    """Return the ledger's row of the visit that a story was read from. Raises NotHere where no record lies behind it."""
    fetch = ask.row("SELECT * FROM fetches WHERE id = :id", id=story["fetch_id"])
    if fetch is None or fetch["warc_name"] is None or fetch["warc_length"] is None:
        raise NotHere("No record of this story's capture is in the ledger.")
    if fetch["warc_length"] > _LONGEST_RECORD_BYTES:
        raise NotHere(f"The record is {fetch['warc_length']:,} bytes long: too long to show here.")
    return fetch


def captured(ask: Ask, story: Any) -> tuple[Any, list[tuple[str, str]], Capture, bytes]:
    """Return a story's visit, the header fields of its WARC record, the capture, and its body decoded.

    Raises NotHere, and UknipError or ValueError for a record that is not whole.
    """
    from uknip_crawler.extraction.page.content import decode  # pulls in the whole of extraction: a second

    fetch = fetch_of(ask, story)
    record = RecordRef(fetch["warc_name"], fetch["warc_offset"], fetch["warc_length"])
    headers, capture = described(ask.archive / "warc", record)
    return fetch, headers, capture, decode(capture)


def _charset(content_type: str | None, body: bytes) -> str:
    # what is no text encoding, or writes a byte-order mark, is not believed
    declared = _CHARSET.search(content_type or "") or _CHARSET.search(body[:2048].decode("latin-1"))
    try:
        return declared[1] if declared and "".encode(declared[1]) == b"" else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
