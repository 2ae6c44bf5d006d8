"""Lists of addresses that others kept: CDX and CDXJ indexes, the Wayback Machine's JSON, or one address a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

_ADDRESS = re.compile(r"https?://\S+")
_CDX_LEGEND = re.compile(r"\s?CDX((?: [A-Za-z])+)$")


def parse(lines: Iterable[str]) -> Iterator[str]:
    """Yield the addresses that a list names, as written; a line without one is passed over.

    CDX: the column its legend calls `a` (https://iipc.github.io/warc-specifications/specifications/cdx-format/cdx-2015/);
    CDXJ: `url` of the JSON; Wayback JSON: `original`, or the first address of each row; else the line's first address.
    """
    column: int | None = None
    for line in lines:
        text = line.strip().strip(",")
        if legend := _CDX_LEGEND.match(line.rstrip("\r\n")):
            letters = legend[1].split()
            column = letters.index("a") if "a" in letters else None
            continue
        fields = text.split(" ")
        if column is not None and column < len(fields) and _ADDRESS.fullmatch(fields[column]):
            yield fields[column]
        elif (address := _in_json(text) or _first(text)) is not None:
            yield address


def _in_json(text: str) -> str | None:
    start = text.find("{")
    if start < 0:
        return None
    try:
        found = json.loads(text[start:])
    except (ValueError, RecursionError):
        return None
    url = found.get("url") or found.get("original") if isinstance(found, dict) else None
    return url if isinstance(url, str) and _ADDRESS.fullmatch(url) else None


def _first(text: str) -> str | None:
    found = re.search(r"https?://[^\s\"',<>]+", text)
    return found[0] if found and not text.startswith("#") else None
