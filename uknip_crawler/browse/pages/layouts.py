"""The layouts the site has had, what was learned of each, and the lines left out as furniture."""

from __future__ import annotations

import json
from typing import Any

from uknip_crawler.browse.pages.asking import Ask, NotHere, Page
from uknip_crawler.browse.pages.cards import cards

_SAMPLES = 6
_LINES = 100

_LINE = """SELECT f.id, f.text, f.rule, f.place, f.verdict, f.pages, f.layouts, n.stories, n.sample, a.headline, a.url AS sample_url
    FROM (SELECT furniture_id, count(*) AS stories, max(article_id) AS sample FROM {which}
        GROUP BY furniture_id ORDER BY stories DESC, furniture_id LIMIT :size OFFSET :skip) AS n
    JOIN furniture AS f ON f.id = n.furniture_id LEFT JOIN articles AS a ON a.id = n.sample AND a.status <> 'redacted'
    ORDER BY n.stories DESC, f.id"""


def show(ask: Ask) -> Page:
    """Show every layout with its state and its newest story."""
    layouts = ask.rows("SELECT * FROM layouts ORDER BY last_seen_at DESC, pages DESC")
    samples = {
        row["layout_id"]: row["id"]
        for row in ask.rows(
            "SELECT id AS layout_id, (SELECT max(id) FROM articles WHERE layout_id = layouts.id) AS id FROM layouts"
        )
    }
    stories = {
        card.story["id"]: card.story for card in cards(ask, [number for number in samples.values() if number])
    }
    return Page(
        "layouts",
        {
            "layouts": [(row, stories.get(samples.get(row["id"]))) for row in layouts],
            "lines": ask.value("SELECT count(*) FROM furniture"),
        },
    )


def show_one(ask: Ask) -> Page:
    """Show one layout: its skeleton, the places learned, samples of its stories and of what is left out of them."""
    layout = ask.row("SELECT * FROM layouts WHERE name = :name", name=ask.path["name"])
    if layout is None:
        raise NotHere("There is no layout of this name.")
    number = layout["id"]
    newest = ask.rows(
        "SELECT id FROM articles WHERE layout_id = :id ORDER BY id DESC LIMIT :size", id=number, size=_SAMPLES
    )
    of_newest = """(SELECT furniture_id, article_id FROM article_furniture WHERE article_id IN
        (SELECT id FROM articles WHERE layout_id = :id ORDER BY id DESC LIMIT 200))"""
    return Page(
        "layout",
        {
            "layout": layout,
            "rules": _pretty(layout["rules"]),
            **_places(layout["rules"]),
            "samples": cards(ask, [row["id"] for row in newest]),
            "lines": ask.rows(_LINE.format(which=of_newest), id=number, size=50, skip=0),
        },
    )


def show_furniture(ask: Ask) -> Page:
    """Show the lines left out, those of most stories first, each with a story it was taken out of."""
    page = ask.number("page", 1, most=1000)
    lines = ask.rows(_LINE.format(which="article_furniture"), size=_LINES + 1, skip=(page - 1) * _LINES)
    return Page(
        "furniture",
        {
            "lines": lines[:_LINES],
            "page": page,
            "is_more": len(lines) > _LINES,
            "verdicts": ask.rows(
                "SELECT text, verdict FROM furniture WHERE verdict IS NOT NULL ORDER BY text LIMIT 100"
            ),
        },
        keeps=("page",),
    )


def _places(rules: str | None) -> dict[str, Any]:
    """Return the places of a layout's story, and those of its furniture with the pages that have them."""
    try:
        learned = json.loads(rules or "{}")
        boxes = sorted(learned.get("furniture", {}).items(), key=lambda box: (-box[1], box[0]))
        return {"containers": learned.get("containers", []), "boxes": boxes}
    except (ValueError, AttributeError, TypeError):
        return {"containers": [], "boxes": []}


def _pretty(rules: str | None) -> str:
    try:
        return json.dumps(json.loads(rules), indent=1, ensure_ascii=False) if rules else ""
    except ValueError:
        return rules or ""
