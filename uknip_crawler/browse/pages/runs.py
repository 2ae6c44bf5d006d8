"""Runs with their health over time, and the ledger by outcome."""

from __future__ import annotations

import json

from uknip_crawler.browse.outcomes import MEANINGS
from uknip_crawler.browse.pages.asking import Ask, NotHere, Page
from uknip_crawler.browse.pages.health import findings, healths
from uknip_crawler.models import DOUBTFUL_BODY, FAILURES, Outcome

_RUNS = 50
_ROWS = 100


def show(ask: Ask) -> Page:
    """Show what is amiss, the latest runs, newest first, and the audits made of them."""
    before = ask.number("before", 2**62, most=2**62)
    runs = healths(ask, "WHERE id < :before ORDER BY id DESC LIMIT :size", before=before, size=_RUNS)
    return Page(
        "runs",
        {
            "runs": runs,
            "most": max((health.run["requests"] for health in runs), default=0) or 1,
            "next": runs[-1].run["id"] if len(runs) == _RUNS else None,
            "findings": findings(ask),
            "audits": ask.rows("SELECT * FROM audits ORDER BY id DESC LIMIT 20"),
        },
        keeps=("before",),
    )


def show_one(ask: Ask) -> Page:
    """Show one run: how it ended, what it brought, what happened to stories in it."""
    number = int(ask.path["id"])
    found = healths(ask, "WHERE id = :id", id=number)
    if not found:
        raise NotHere(f"There is no run {number}.")
    return Page(
        "run",
        {
            "health": found[0],
            "outcomes": sorted(found[0].outcomes.items(), key=lambda one: (-one[1], one[0])),
            "meanings": MEANINGS,
            "failures": FAILURES,
            "doubtful": ask.rows(
                """SELECT articles.url, headline FROM fetches JOIN articles ON articles.id = article_id
                WHERE run_id = :id AND articles.status <> 'redacted' AND ', ' || detail || ', ' LIKE :flag
                GROUP BY articles.id ORDER BY min(fetches.id) LIMIT 200""",
                id=number,
                flag=f"%, {DOUBTFUL_BODY}, %",
            ),
            "settings": _settings(found[0].run["settings"]),
            "events": ask.rows(
                """SELECT events.at, kind, detail, url, headline FROM events
                JOIN articles ON articles.id = article_id WHERE events.run_id = :id AND articles.status <> 'redacted'
                ORDER BY events.id LIMIT 200""",
                id=number,
            ),
            "warcs": ask.rows(
                "SELECT name, size_bytes FROM warcs WHERE run_id = :id ORDER BY name", id=number
            ),
        },
    )


def show_ledger(ask: Ask) -> Page:
    """Show the ledger: how many addresses ended how, and the addresses of one outcome, newest first."""
    run = ask.number("run", 0)
    outcome = ask.text("outcome")
    outcome = outcome if outcome in set(Outcome) else ""
    before = ask.number("before", 2**62, most=2**62)
    if run:
        counts = {
            name: n
            for health in healths(ask, "WHERE id = :id", id=run)
            for name, n in health.outcomes.items()
        }
    else:
        counts = dict(ask.rows("SELECT coalesce(outcome, 'open'), count(*) FROM fetches GROUP BY outcome"))
    rows = []
    if outcome:
        in_run = "AND run_id = :run" if run else ""
        rows = ask.rows(
            f"""SELECT id, run_id, url, kind, reason, closed_at, detail, status, attempts, redirected_to,
            (SELECT a.url FROM articles AS a WHERE a.id = article_id) AS story_url FROM fetches INDEXED BY fetches_outcome WHERE outcome = :outcome {in_run} AND id < :before
            ORDER BY run_id DESC, id DESC LIMIT :size""",
            outcome=outcome,
            before=before,
            size=_ROWS + 1,
            **({"run": run} if run else {}),
        )
    return Page(
        "ledger",
        {
            "run": run,
            "outcome": outcome,
            "counts": [
                (name, counts[name]) for name in sorted(counts, key=lambda name: (-counts[name], name))
            ],
            "all": sum(counts.values()) or 1,
            "meanings": MEANINGS,
            "failures": FAILURES,
            "rows": rows[:_ROWS],
            "next": rows[_ROWS - 1]["id"] if len(rows) > _ROWS else None,
        },
        keeps=("run", "outcome", "before"),
    )


def _settings(text: str) -> dict[str, object]:
    try:
        settings = json.loads(text)
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}
