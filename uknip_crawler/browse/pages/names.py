"""Ways in: every section, tag, author and place with its stories counted, their course over time, and the newest of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from uknip_crawler.browse.charts import Curve, curves, is_month
from uknip_crawler.browse.pages.asking import Ask, Page
from uknip_crawler.browse.pages.cards import Card, cards
from uknip_crawler.browse.places import is_place

_PAGE_SIZE = 50
_NEWEST = 2
_KINDS = {"sections": "section", "tags": "tag", "authors": "author", "places": "place"}
_ORDERS = ("stories", "name")
_SHOWN = "NOT IN (SELECT id FROM articles WHERE status = 'redacted')"


@dataclass(frozen=True, slots=True)
class Name:
    """A section, tag, author or place; `curve` is None where no story of it has a month."""

    name: str
    stories: int
    curve: Curve | None
    newest: list[Card]


def show(ask: Ask) -> Page:
    """Show a page of names, those of most stories first or in the order of the alphabet."""
    kind = _KINDS[ask.path["kind"]]
    order = ask.text("order")
    order = order if order in _ORDERS else _ORDERS[0]
    page, part = ask.number("page", 1, most=10_000), ask.text("part", 100)
    source = "tag" if kind == "place" else kind  # towns are tags
    names = _sections(ask) if kind == "section" else _counts(ask, source)
    if kind == "place":
        names = [one for one in names if is_place(one[1])]
    names = [one for one in names if part.casefold() in one[1].casefold()]
    names.sort(key=lambda one: (-one[2], one[1]) if order == "stories" else (one[1].casefold(), one[1]))
    shown = names[(page - 1) * _PAGE_SIZE :][:_PAGE_SIZE]
    months, newest = _of_sections(ask, shown) if kind == "section" else _of_names(ask, source, shown)
    drawn = curves(months)
    short = {
        card.story["id"]: card for card in cards(ask, [number for ids in newest.values() for number in ids])
    }
    return Page(
        "names",
        {
            "kind": kind,
            "filter": source,
            "plural": ask.path["kind"],
            "kinds": tuple(_KINDS),
            "names": [
                Name(name, count, drawn.get(key), [short[n] for n in newest.get(key, ()) if n in short])
                for key, name, count in shown
            ],
            "count": len(names),
            "order": order,
            "orders": _ORDERS,
            "part": part,
            "page": page,
            "is_more": len(names) > page * _PAGE_SIZE,
        },
        keeps=("order", "part", "page"),
    )


Names = list[tuple[object, str, int]]
"""Key, name and stories."""


def _counts(ask: Ask, kind: str) -> Names:
    rows = ask.rows(
        f"""SELECT id, name, stories FROM {kind}s JOIN (SELECT {kind}_id, count(*) AS stories
            FROM article_{kind}s WHERE article_id {_SHOWN} GROUP BY {kind}_id) ON {kind}_id = id"""
    )
    return [tuple(row) for row in rows]


def _sections(ask: Ask) -> Names:
    rows = ask.rows(
        f"SELECT section, count(*) AS stories FROM articles WHERE section IS NOT NULL AND id {_SHOWN} GROUP BY section"
    )
    return [(row["section"], row["section"], row["stories"]) for row in rows]


def _of_sections(ask: Ask, shown: Names) -> tuple[dict[object, Counter[str]], dict[object, list[int]]]:
    """Return stories a month and the newest stories of each section, from the index of months and sections."""
    months: dict[object, Counter[str]] = {key: Counter() for key, _, _ in shown}
    for row in ask.rows(
        f"""SELECT month, section, count(*) AS stories FROM articles INDEXED BY articles_month
        WHERE id {_SHOWN} GROUP BY month, section"""
    ):
        if row["section"] in months and is_month(row["month"]):
            months[row["section"]][row["month"]] += row["stories"]
    newest: dict[object, list[int]] = {}
    for section, counts in months.items():
        found: list[int] = []
        for month in sorted(counts, reverse=True):
            rows = ask.rows(
                f"""SELECT id FROM articles WHERE month = :month AND section = :section AND id {_SHOWN}
                ORDER BY published_at DESC, url DESC LIMIT :size""",
                month=month,
                section=section,
                size=_NEWEST - len(found),
            )
            found += [row["id"] for row in rows]
            if len(found) == _NEWEST:
                break
        newest[section] = found
    return months, newest


def _of_names(
    ask: Ask, kind: str, shown: Names
) -> tuple[dict[object, Counter[str]], dict[object, list[int]]]:
    """Return stories a month and the newest stories of each tag or author.

    A walk through the slim indexes is cheaper than a look at the long row of each story of the busiest author.
    """
    keys = ", ".join(str(key) for key, _, _ in shown)
    ask.gather(f"SELECT DISTINCT article_id FROM article_{kind}s WHERE {kind}_id IN ({keys})")

    def stories(index: str) -> str:
        return f"""FROM articles AS a INDEXED BY {index} CROSS JOIN article_{kind}s ON article_id = a.id
            WHERE a.id IN temp.found AND +{kind}_id IN ({keys}) AND a.id {_SHOWN}"""

    months: dict[object, Counter[str]] = defaultdict(Counter)
    for row in ask.rows(
        f"SELECT {kind}_id AS name, month, count(*) AS stories {stories('articles_month')} GROUP BY 1, 2"
    ):
        if is_month(row["month"]):
            months[row["name"]][row["month"]] = row["stories"]
    newest: dict[object, list[int]] = {key: [] for key, _, _ in shown}
    wanted = sum(min(count, _NEWEST) for _, _, count in shown)
    walk = ask.connection.execute(
        f"SELECT {kind}_id, a.id {stories('articles_published')} ORDER BY published_at DESC, url DESC"
    )
    while wanted and (row := walk.fetchone()):
        if len(newest[row[0]]) < _NEWEST:
            newest[row[0]].append(row[1])
            wanted -= 1
    return months, newest
