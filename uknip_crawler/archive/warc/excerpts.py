"""Single members of our own files as other files take them over: what each tells of itself, and those that are made anew.

A member made anew is the same to the byte each time: it keeps its record's id, or has one that follows from its content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import IO
from uuid import NAMESPACE_URL, uuid5

from warcio.archiveiterator import ArchiveIterator

from uknip_crawler.archive import warc
from uknip_crawler.archive.warc.heads import HeadParser
from uknip_crawler.archive.warc.packing import Gzip, whole_members

_AFTER_TYPE = re.compile(r"[;\s]")


@dataclass(frozen=True, slots=True)
class Told:
    """What a record's own fields say: `kind` its WARC-Type, `at` its WARC-Date as written, `status` and `media_type` of
    the answer in it, `digest` of its payload; what it does not say is empty."""

    kind: str
    url: str
    at: str
    status: str
    media_type: str
    digest: str


def told(member: bytes) -> Told | None:
    """Return what a member tells of itself, None for what is no record."""
    try:
        records = ArchiveIterator(BytesIO(member))
        records.loader.http_parser = HeadParser()
        record = next(iter(records))
        fields, http = record.rec_headers, record.http_headers
        typed = http.get_header("content-type") if http else fields.get_header("Content-Type")
        return Told(
            record.rec_type,
            fields.get_header("WARC-Target-URI") or "",
            fields.get_header("WARC-Date") or "",
            http.get_statuscode() if http and record.rec_type != "request" else "",
            _AFTER_TYPE.split(typed or "", maxsplit=1)[0],
            fields.get_header("WARC-Payload-Digest") or "",
        )
    except warc.DAMAGED:
        return None


def first_member(file: IO[bytes], offset: int) -> bytes:
    """Return the whole member that begins at `offset`; nothing where none does."""
    one = next(whole_members(file, Gzip(), offset), None)
    if one is None or not one.is_whole:
        return b""
    file.seek(one.offset)
    return file.read(one.length)


def repeating(member: bytes, original: Told) -> bytes:
    """Return a member of the answer 304 as a revisit of the capture it repeats (WARC 1.1 §6.7.3).

    It is left without the answer's head: readers that find one show that, which is an empty page.
    """
    fields = next(iter(ArchiveIterator(BytesIO(member)))).rec_headers
    kept = {name: fields.get_header(name) for name in ("WARC-Record-ID", "WARC-Date", "WARC-Profile")}
    named = {
        "WARC-Refers-To-Target-URI": original.url,
        "WARC-Refers-To-Date": original.at,
        "WARC-Payload-Digest": original.digest,
    }
    return warc.serialised(
        lambda writer: writer.write_record(
            writer.create_warc_record(
                fields.get_header("WARC-Target-URI"), "revisit", warc_headers_dict=kept | named
            )
        )
    )


def resource(url: str, media_type: str, content: bytes, at: str) -> bytes:
    """Return a member of a file that was kept without the answer it came with (WARC 1.1 §6.4); `at` is UTC text."""
    fields = {"WARC-Date": at, "WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, f'{url} {at}')}>"}
    return warc.content_record(url, "resource", media_type, content, fields)
