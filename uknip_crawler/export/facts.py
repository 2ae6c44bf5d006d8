"""What a dataset's README and citation say of the archive and of the stories chosen from it; all of it is counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from uknip_crawler.archive.reports.runs import rows_of
from uknip_crawler.export.selection import Selection
from uknip_crawler.export.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Facts:
    """`stories` counts the chosen articles, `runs` lists what was done by kind, `audit` is the last one or None.

    `as_of` is the day (UTC) on which the archive was last written to by a run; `manners` are the delay and
    concurrency of the last crawl, where they are known.
    """

    site: str
    base_url: str
    as_of: str
    stories: dict[str, Any]
    found_by: list[dict[str, Any]]
    extractor_versions: list[str]
    runs: list[dict[str, Any]]
    manners: dict[str, Any]
    audit: dict[str, Any] | None


def facts(moment: Snapshot, selection: Selection) -> Facts:
    """Count what the methods paragraph tells, within the snapshot."""
    db = moment.db
    where, parameters = selection.where(db)

    def counted(columns: str, rest: str = "") -> list[dict[str, Any]]:
        cursor = db.conn.execute(f"SELECT {columns} FROM articles AS a {rest}", parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    last = rows_of(
        db,
        "SELECT base_url, date(max(coalesce(finished_at, started_at))) AS as_of FROM runs "
        "GROUP BY base_url ORDER BY max(id) DESC LIMIT 1",
    )
    base_url, as_of = (last[0]["base_url"], last[0]["as_of"]) if last else ("", "")
    settings = rows_of(db, "SELECT settings FROM runs WHERE kind = 'crawl' ORDER BY id DESC LIMIT 1")
    audit = rows_of(db, "SELECT * FROM audits WHERE exact_share IS NOT NULL ORDER BY id DESC LIMIT 1")
    return Facts(
        site=urlsplit(base_url).hostname or "no site yet",
        base_url=base_url,
        as_of=as_of,
        stories=counted(_STORIES, f"WHERE {where}")[0],
        found_by=counted(
            "f.found_by AS name, count(*) AS stories",
            f"JOIN fetches AS f ON f.id = a.fetch_id WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1",
        ),
        extractor_versions=[
            row["v"] for row in counted("DISTINCT a.extractor_version AS v", f"WHERE {where} ORDER BY 1")
        ],
        runs=rows_of(
            db,
            "SELECT kind, count(*) AS runs, date(min(started_at)) AS first, date(max(started_at)) AS last, "
            "group_concat(DISTINCT version) AS versions FROM runs GROUP BY kind ORDER BY kind",
        ),
        manners=json.loads(settings[0]["settings"]) if settings else {},
        audit=audit[0] if audit else None,
    )


_STORIES = """count(*) AS articles, coalesce(sum(status = 'live'), 0) AS live, coalesce(sum(status = 'gone'), 0) AS gone,
    coalesce(sum(revision_count > 1), 0) AS edited, coalesce(sum(published_at IS NULL), 0) AS undated,
    coalesce(sum(duplicate_of IS NOT NULL), 0) AS copies,
    date(min(published_at)) AS first_published, date(max(published_at)) AS last_published,
    date(min(first_seen_at)) AS first_seen, date(max(last_seen_at)) AS last_seen"""
