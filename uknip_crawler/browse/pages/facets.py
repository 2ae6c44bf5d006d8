"""What a search found, counted: by section, tag, author, month, state of the story; and over time as a chart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from uknip_crawler.browse.charts import Chart, by_month, is_month
from uknip_crawler.browse.pages.asking import Ask
from uknip_crawler.browse.pages.question import Found, Question

_SHOWN = 8
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """One value with the stories found that have it; `address` is the search with it, or without where it is chosen."""

    label: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow a search. `more` is the page that lists every value, where there is one."""

    title: str
    choices: list[Choice]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """The facets of a search, its stories a month, and how many of them name no month."""

    facets: list[Facet]
    chart: Chart | None
    undated: int


def counted(ask: Ask, question: Question, found: Found) -> Counted:
    """Count what was found. Each figure comes out of an index; no story's long row is read."""
    rows = ask.rows(
        f"""SELECT month, section, count(*) AS stories FROM articles INDEXED BY articles_month
        WHERE {found.within("id")} GROUP BY month, section"""
    )
    sections, months = Counter[str](), Counter[str]()
    for row in rows:
        sections[row["section"] or ""] += row["stories"]
        months[row["month"] or ""] += row["stories"]
    del sections[""]
    dated = {month: count for month, count in months.items() if is_month(month)}
    facets = [
        _facet(question, "Section", "section", sections.most_common(_SHOWN), "/read/sections"),
        _facet(question, "Tag", "tag", _named(ask, found, "tag"), "/read/tags"),
        _facet(question, "Author", "author", _named(ask, found, "author"), "/read/authors"),
        _facet(question, "Month", "month", sorted(dated.items(), reverse=True)[:_MONTHS]),
        Facet("State", _states(ask, question, found)),
    ]
    chart = by_month((row["month"], row["section"], row["stories"]) for row in rows if is_month(row["month"]))
    return Counted(
        [facet for facet in facets if facet.choices], chart, sum(months.values()) - sum(dated.values())
    )


def _facet(question: Question, title: str, name: str, counts: list[tuple[str, int]], more: str = "") -> Facet:
    chosen = getattr(question, name)
    if chosen and chosen not in dict(counts):
        counts = [(chosen, 0), *counts]
    choices = []
    for value, count in counts:
        changes = {name: "" if value == chosen else value}
        if name == "month":  # a month is kept as its days
            changes |= {"since": "", "until": ""}
        choices.append(Choice(value, count, question.address(**changes), value == chosen))
    return Facet(title, choices, more)


def _named(ask: Ask, found: Found, kind: str) -> list[tuple[str, int]]:
    """Return the tags or authors of most stories found."""
    rows = ask.rows(
        f"""SELECT name, stories FROM (SELECT {kind}_id, count(*) AS stories
            FROM article_{kind}s INDEXED BY article_{kind}s_{kind} WHERE {found.within("article_id")}
            GROUP BY {kind}_id ORDER BY stories DESC, {kind}_id LIMIT {_SHOWN})
        JOIN {kind}s ON {kind}s.id = {kind}_id ORDER BY stories DESC, name"""
    )
    return [(row["name"], row["stories"]) for row in rows]


def _states(ask: Ask, question: Question, found: Found) -> list[Choice]:
    gone, edited, pictures = (
        int(ask.value(f"{sql} {found.within(column)}"))
        for column, sql in (
            ("id", "SELECT count(*) FROM articles WHERE status = 'gone' AND"),
            ("article_id", "SELECT count(*) FROM revisions WHERE number = 2 AND"),
            (
                "article_id",
                "SELECT count(DISTINCT article_id) FROM article_images INDEXED BY article_images_image WHERE",
            ),
        )
    )
    choices = (
        ("status", "live", "still on the site", found.count - gone, question.status == "live"),
        ("status", "gone", "gone from the site", gone, question.status == "gone"),
        ("edited", "1", "edited after publication", edited, question.edited),
        ("with_images", "1", "with pictures", pictures, question.with_images),
    )
    return [
        Choice(label, count, question.address(**{name: "" if is_chosen else value}), is_chosen)
        for name, value, label, count, is_chosen in choices
        if count or is_chosen
    ]
