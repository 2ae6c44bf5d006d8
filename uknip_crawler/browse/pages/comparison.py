"""Two revisions of one story, side by side, word by word."""

from __future__ import annotations

from uknip_crawler.browse.pages.asking import Ask, NotHere, Page
from uknip_crawler.browse.pages.story import found, tombstone
from uknip_crawler.revisions import rewritten, side_by_side


def show(ask: Ask) -> Page:
    """Compare the revisions `old` and `new`; by default the last with the one before."""
    story = found(ask, "/compare")
    if story["status"] == "redacted":
        return tombstone(ask, story["id"])
    revisions = ask.rows(
        "SELECT number, kind FROM revisions WHERE article_id = :id ORDER BY number", id=story["id"]
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
            "lines": side_by_side(before["body"], after["body"]),
        },
        keeps=("old", "new"),
    )
