"""The front page: what is held, how it grew, whether the last run was well, and the newest stories."""

from __future__ import annotations

from uknip_crawler.browse.charts import by_month, is_month
from uknip_crawler.browse.pages.asking import Ask, Page
from uknip_crawler.browse.pages.cards import cards
from uknip_crawler.browse.pages.health import findings, last_run

_NEWEST = 9


def show(ask: Ask) -> Page:
    """Show the state of the archive at a glance."""
    statuses = {row[0]: row[1] for row in ask.rows("SELECT status, count(*) FROM articles GROUP BY status")}
    per_month = [
        (row["month"], row["section"], row["stories"])
        for row in ask.rows(
            "SELECT month, section, count(*) AS stories FROM articles WHERE month IS NOT NULL GROUP BY month, section"
        )
        if is_month(row["month"])
    ]
    newest = ask.rows(
        "SELECT id FROM articles WHERE status <> 'redacted' ORDER BY published_at DESC, url DESC LIMIT :n",
        n=_NEWEST,
    )
    return Page(
        "front",
        {
            "stories": sum(count for status, count in statuses.items() if status != "redacted"),
            "gone": statuses.get("gone", 0),
            "edited": ask.value("SELECT count(*) FROM revisions WHERE number = 2"),
            "pictures": ask.value("SELECT count(*) FROM images WHERE sha256 IS NOT NULL"),
            "first": ask.value("SELECT min(published_at) FROM articles"),
            "site": ask.value("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1"),
            "chart": by_month(per_month),
            "undated": ask.value("SELECT count(*) FROM articles WHERE published_at IS NULL"),
            "run": last_run(ask),
            "findings": findings(ask),
            "newest": cards(ask, [row["id"] for row in newest]),
        },
    )
