"""What changed lately, over all stories: edited, another headline, gone, restored, moved; a page and a feed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from uknip_crawler.browse.pages.addresses import permalink
from uknip_crawler.browse.pages.asking import Ask, Page, query
from uknip_crawler.browse.pages.feeds import Entry, feed
from uknip_crawler.browse.times import london_day

_PAGE_SIZE = 50
_HIDDEN = ("unpublished", "missing", "redirected", "protected")
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "edited": ("edited", ()),
    "headline": ("headline changed", ()),
    "gone": ("gone", ("gone",)),
    "restored": ("restored", ("restored",)),
    "moved": ("moved", ("moved",)),
    "hidden": ("not to be had", _HIDDEN),
    "labels": ("section, tags or people", ("metadata",)),
}
"""What a reader may ask for: its name, and the events that it is; the first two are revisions."""
_EVENTS = tuple(kind for _, kinds in KINDS.values() for kind in kinds)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a story. `row` has its `url`, `headline` and `section`; an edit also the revision's
    `number`, `edit` (its kind), `before` and `after` (headlines), `added_words`, `removed_words`."""

    at: str
    kind: str
    row: Any

    @property
    def is_edit(self) -> bool:
        return self.row["number"] is not None

    @property
    def is_new_headline(self) -> bool:
        return self.is_edit and self.row["before"] is not None and self.row["before"] != self.row["after"]

    @property
    def label(self) -> str:
        if self.is_edit:
            return "headline changed" if self.is_new_headline else "edited"
        return {"metadata": "relabelled", "unpublished": "off the site’s lists"}.get(self.kind, self.kind)

    @property
    def link(self) -> str:
        """Where it is shown: the comparison of an edit, else the story."""
        story = permalink(self.row["url"])
        if not self.is_edit:
            return story
        return f"{story}/compare{query(old=self.row['number'] - 1, new=self.row['number'])}"


def show(ask: Ask) -> Page:
    """Show a page of changes by the day they were seen, newest first."""
    kind, section = _asked(ask)
    page = ask.number("page", 1, most=2000)
    changes = _changes(ask, kind, section, size=_PAGE_SIZE + 1, skip=(page - 1) * _PAGE_SIZE)
    return Page(
        "changes",
        {
            "days": [
                (day, list(those))
                for day, those in groupby(changes[:_PAGE_SIZE], lambda one: london_day(one.at))
            ],
            "kinds": {name: label for name, (label, _) in KINDS.items()},
            "kind": kind,
            "section": section,
            "sections": [
                row[0]
                for row in ask.rows(
                    "SELECT section FROM articles WHERE section IS NOT NULL GROUP BY section ORDER BY section"
                )
            ],
            "page": page,
            "is_more": len(changes) > _PAGE_SIZE,
        },
        keeps=("kind", "section", "page"),
    )


def follow(ask: Ask) -> Page:
    """Give the latest changes as an Atom feed."""
    kind, section = _asked(ask)
    asked = query(kind=kind, section=section)
    entries = [
        Entry(
            id=uuid5(NAMESPACE_URL, f"{change.row['url']}#{change.kind}-{change.at}").urn,
            title=f"{change.label}: {change.row['headline'] or '(no headline)'}",
            link=change.link,
            updated=change.at,
            summary=f"{change.row['before']} → {change.row['after']}"
            if change.is_new_headline
            else change.row["detail"] or "",
        )
        for change in _changes(ask, kind, section, size=_PAGE_SIZE, skip=0)
    ]
    title = f"What changed: {KINDS[kind][0]}" if kind else "What changed"
    return feed(ask, title, f"/read/changes.atom{asked}", f"/read/changes{asked}", entries)


def _asked(ask: Ask) -> tuple[str, str]:
    kind = ask.text("kind")
    return kind if kind in KINDS else "", ask.text("section")


def _changes(ask: Ask, kind: str, section: str, *, size: int, skip: int) -> list[Change]:
    """Return changes, the latest first. Both halves come in the order of their indexes and are only merged."""
    of = "article_id NOT IN (SELECT id FROM articles WHERE status = 'redacted')"
    of += " AND article_id IN (SELECT id FROM articles WHERE section = :section)" if section else ""
    previous = (
        "(SELECT headline FROM revisions AS p WHERE p.article_id = r.article_id AND p.number = r.number - 1)"
    )
    is_other = f" AND r.headline <> {previous}" if kind == "headline" else ""
    events = KINDS[kind][1] if kind else _EVENTS
    halves = []
    if not kind or not events:
        halves.append(
            f"""SELECT captured_at AS at, r.id AS id, 'edited' AS kind, article_id, number, NULL AS detail
            FROM revisions AS r WHERE number > 1 AND {of}{is_other}"""
        )
    if events:
        marks = ", ".join(f"'{event}'" for event in events)
        halves.append(
            f"SELECT at, id, kind, article_id, NULL AS number, detail FROM events WHERE kind IN ({marks}) AND {of}"
        )
    found = ask.rows(
        f"""{" UNION ALL ".join(halves)} ORDER BY at DESC, id DESC LIMIT :size OFFSET :skip""",
        size=size,
        skip=skip,
        **({"section": section} if section else {}),
    )
    rows = (
        ask.row(
            """SELECT url, a.headline, section, :number AS number, :detail AS detail, r.kind AS edit,
            p.headline AS before, r.headline AS after, r.added_words, r.removed_words
            FROM articles AS a LEFT JOIN revisions AS r ON r.article_id = a.id AND r.number = :number
            LEFT JOIN revisions AS p ON p.article_id = a.id AND p.number = :number - 1 WHERE a.id = :id""",
            id=one["article_id"],
            number=one["number"],
            detail=one["detail"],
        )
        for one in found
    )
    return [Change(one["at"], one["kind"], row) for one, row in zip(found, rows, strict=True)]
