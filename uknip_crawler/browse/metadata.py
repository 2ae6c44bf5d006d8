"""What Datasette is told about the archive: texts, facets, sort orders, ready-made queries, settings."""

from __future__ import annotations

from typing import Any

from uknip_crawler.browse.descriptions import TABLES
from uknip_crawler.models import FAILURES

DATABASE_NAME = "uknip"
PLUGIN_NAME = "uknip"

SETTINGS: dict[str, int | bool] = {
    "default_page_size": 20,
    "truncate_cells_html": 300,
    "default_cache_ttl": 0,  # a crawl may be writing: every reload shows what is there now
    "facet_time_limit_ms": 1000,
    "suggest_facets": False,  # trying every column costs a second and suggests nothing worth having
    "allow_download": False,
}

_TABLE_OPTIONS: dict[str, dict[str, Any]] = {
    "articles": {
        "sort_desc": "published_at",
        "facets": ["section", "month", "status"],
        "facet_size": 8,
        "label_column": "headline",
        "fts_table": "articles_fts",
        "fts_pk": "id",
    },
    "revisions": {"sort_desc": "captured_at"},
    "events": {"sort_desc": "at", "facets": ["kind"]},
    "runs": {"sort_desc": "id", "label_column": "started_at"},
    "fetches": {"sort_desc": "id", "facets": ["outcome", "run_id"], "label_column": "url"},
    "frontier": {"sort": "due_at", "facets": ["kind", "last_outcome", "found_by"]},
    "furniture": {"sort_desc": "last_seen_at", "facets": ["rule"]},
    "layouts": {"sort_desc": "pages", "label_column": "name"},
    "images": {"label_column": "url"},
}

_FAILURES = ", ".join(f"'{outcome}'" for outcome in sorted(FAILURES))


def _stories_per(column: str, order: str) -> str:
    # counted in the column's index: reading every story takes more than the second a query may have
    return f"""select s.{column}, s.stories, coalesce(g.gone, 0) as gone
from (select {column}, count(*) as stories from articles group by {column}) as s
left join (select {column}, count(*) as gone from articles where status = 'gone' group by {column}) as g
  on g.{column} is s.{column} order by {order}"""


# A column `article_id` beside `headline` makes the headline a link to the article.
QUERIES: dict[str, dict[str, str]] = {
    "newest": {
        "title": "Newest stories",
        "sql": """select id as article_id, published_at, headline, section, word_count
from articles where status <> 'redacted' order by published_at desc, url desc limit 100""",
    },
    "search_snippets": {
        "title": "Search, with the words in their sentence",
        "description": "Best match first.",
        "sql": """select a.id as article_id, a.published_at, a.headline,
  snippet(articles_fts, -1, '⟦', '⟧', '…', 30) as found
from articles_fts join articles as a on a.id = articles_fts.rowid
where articles_fts match escape_fts(:words) and a.status <> 'redacted' order by rank limit 100""",
    },
    "most_edited": {
        "title": "Most edited stories",
        "sql": """select a.id as article_id, r.revisions, a.headline, a.published_at, a.last_changed_at
from (select article_id, count(*) as revisions from revisions group by article_id having count(*) > 1
  order by revisions desc limit 100) as r join articles as a on a.id = r.article_id
where a.status <> 'redacted' order by r.revisions desc, a.last_changed_at desc""",
    },
    "headlines_changed": {
        "title": "Headlines changed after publication",
        "description": "Each time a headline was rewritten, newest first.",
        "sql": """select r.article_id, r.captured_at, p.headline as before, r.headline
from revisions as r join revisions as p on p.article_id = r.article_id and p.number = r.number - 1
where r.headline <> p.headline order by r.captured_at desc, r.id desc limit 100""",
    },
    "gone": {
        "title": "Deleted stories",
        "description": "Found gone from the site in two runs; their text is kept.",
        "sql": """select id as article_id, gone_at, headline, section, published_at, url
from articles where status = 'gone' order by gone_at desc limit 100""",
    },
    "stories_per_month": {
        "title": "Stories per month",
        "description": "By date of first publication; the line without a month is the undated.",
        "sql": _stories_per("month", "s.month desc"),
    },
    "stories_per_section": {
        "title": "Stories per section",
        "description": "By the section the page names.",
        "sql": _stories_per("section", "s.stories desc"),
    },
    "stories_per_tag": {
        "title": "Stories per tag: towns, roads, police forces",
        "sql": """select t.name as tag, s.stories from (select tag_id, count(*) as stories from article_tags
  group by tag_id order by stories desc limit 500) as s join tags as t on t.id = s.tag_id
order by s.stories desc, t.name""",
    },
    "edits_by_kind": {
        "title": "Edits by kind",
        "description": "What each kind is, docs/schema.md says; `first` is no edit but the text as first captured.",
        "sql": "select kind, count(*) as revisions from revisions group by kind order by revisions desc",
    },
    "near_duplicates": {
        "title": "Stories told twice",
        "description": "Pairs of stories with almost the same text, the most alike first.",
        "sql": """select n.article_id, a.headline, n.similarity, n.other_id, b.headline as other, a.published_at,
  b.published_at as other_published_at
from near_duplicates as n join articles as a on a.id = n.article_id join articles as b on b.id = n.other_id
where a.status <> 'redacted' and b.status <> 'redacted' order by n.similarity desc, n.article_id limit 100""",
    },
    "came_back": {
        "title": "Stories that came back",
        "description": "Gone, hidden or missing for a while, and there again.",
        "sql": """select e.article_id, e.at, a.headline, e.detail from events as e join articles as a on a.id = e.article_id
where e.kind = 'restored' and a.status <> 'redacted' order by e.at desc limit 100""",
    },
    "run_health": {
        "title": "Health of the last 20 runs",
        "description": "exit_status 0 is complete; `lost` should be 0.",
        "sql": f"""select r.id as run, r.kind, r.started_at, r.finished_at, r.exit_status, r.end_reason, r.requests,
  sum(f.outcome in ('stored', 'duplicate') and f.kind <> 'image') as new, sum(f.outcome = 'revised') as revised,
  sum(f.outcome = 'unchanged') as unchanged, sum(f.outcome in ({_FAILURES})) as failures,
  sum(f.outcome = 'lost') as lost, sum(f.id is not null and f.outcome is null) as open
from (select * from runs order by id desc limit 20) as r left join fetches as f on f.run_id = r.id
group by r.id order by r.id desc""",
    },
}


def metadata() -> dict[str, Any]:
    """Return Datasette's metadata; its `plugins` entry is what switches our plugin on."""
    tables: dict[str, dict[str, Any]] = {
        name: {
            "title": table.title,
            "description": table.description,
            "columns": table.columns,
            "units": table.units,
        }
        | _TABLE_OPTIONS.get(name, {})
        for name, table in TABLES.items()
    }
    tables |= {
        name: {"hidden": True} for name in ("_sqlite_migrations", "_seals", "_unsealed", "_sealed_parts")
    }
    return {
        "title": "UKNIP archive",
        "description": "Stories of uknip.co.uk: searchable, with every edit. Times are UTC unless they say London.",
        "plugins": {PLUGIN_NAME: {"enabled": True}},
        "databases": {DATABASE_NAME: {"title": "UKNIP archive", "tables": tables, "queries": QUERIES}},
    }
