"""Two revisions of one story, side by side, word by word."""

from __future__ import annotations

from itertools import groupby

from uknip_crawler.browse.pages.asking import Ask, NotHere, Page
from uknip_crawler.browse.pages.story import found, tombstone
from uknip_crawler.revisions import Line, rewritten, side_by_side

_BESIDE = 1
_FOLDED = 3
"""From so many unchanged paragraphs on, besides one next to each change, a stretch is folded."""


def show(ask: Ask) -> Page:
    """Compare the revisions `old` and `new`; by default the last with the one before."""
    story = found(ask, "/compare")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    revisions = ask.rows(
        "SELECT number, kind, captured_at FROM revisions WHERE article_id = :id ORDER BY number",
        id=story["id"],
    )
    numbers = [row["number"] for row in revisions]
    if not numbers:
        raise NotHere("No revision of this story is recorded.")
    new = ask.number("new", numbers[-1])
    new = new if new in numbers else numbers[-1]
    old = ask.number("old", max(new - 1, numbers[0]))
    old = old if old in numbers else numbers[0]
    one = "SELECT * FROM revisions WHERE article_id = :id AND number = :number"
    before, after = (ask.row(one, id=story["id"], number=number) for number in (old, new))
    return Page(
        "comparison",
        {
            "story": story,
            "revisions": revisions,
            "old": before,
            "new": after,
            "headline": rewritten(before["headline"], after["headline"]),
            "standfirst": rewritten(before["standfirst"] or "", after["standfirst"] or ""),
            "stretches": _stretches(list(side_by_side(before["body"], after["body"]))),
        },
        keeps=("old", "new"),
    )


def _stretches(lines: list[Line]) -> list[tuple[bool, list[Line]]]:
    """Return the lines in stretches, each with whether it is long and unchanged."""
    near = {
        place + step
        for place, line in enumerate(lines)
        if line.mark != " "
        for step in range(-_BESIDE, _BESIDE + 1)
    }
    runs = [
        (not is_near, [line for _, line in run])
        for is_near, run in groupby(enumerate(lines), lambda one: one[0] in near)
    ]
    return [(is_far and len(run) >= _FOLDED, run) for is_far, run in runs]
