"""A story's blocks as stored, made ready to print."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from typing import Any

Group = tuple[str, list[dict[str, Any]]]


def grouped_blocks(blocks: str, body: str) -> list[Group]:
    """Return the blocks in runs of one kind: list items become one list, `ordered_list` when numbered.

    Falls back to the body's paragraphs when the JSON cannot be read.
    """
    try:
        items = [block for block in json.loads(blocks) if isinstance(block.get("kind"), str)]
    except (ValueError, AttributeError, TypeError):
        items = []
    items = items or [{"kind": "paragraph", "text": text} for text in body.split("\n\n")]
    return [(kind, list(run)) for kind, run in groupby(items, key=_group)]


def _group(block: dict[str, Any]) -> str:
    if block["kind"] == "list_item":
        return "ordered_list" if block.get("ordered") else "list"
    return str(block["kind"])


def block_summary(blocks: str) -> str | None:
    """Return `12 blocks: 9 paragraph, 2 image, 1 heading`, or None when the JSON is not a list of blocks."""
    try:
        kinds = Counter(str(block["kind"]) for block in json.loads(blocks))
    except (ValueError, KeyError, TypeError):
        return None
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{kinds.total()} blocks: {listed}"
