"""How well a run went, told from its exit status and its part of the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from uknip_crawler.archive.ledger import IMAGE
from uknip_crawler.browse.pages.asking import Ask
from uknip_crawler.health.checks import CHECKS
from uknip_crawler.models import FAILURES, Outcome

_MEANING = {
    0: "complete",
    3: "finished with failures",
    4: "the site asked to wait or was down",
    5: "storage failed",
}


@dataclass(frozen=True, slots=True)
class Health:
    """A run with its outcomes, `pictures` of them stored pictures. `level` is good, poor, bad or running."""

    run: Any
    outcomes: dict[str, int]
    pictures: int

    @property
    def level(self) -> str:
        status = self.run["exit_status"]
        if status is None:
            return "running"
        return {0: "good", 3: "poor"}.get(status, "bad")

    @property
    def meaning(self) -> str:
        status = self.run["exit_status"]
        if status is None:
            return "running, or killed"
        return _MEANING.get(status) or f"stopped by signal {status - 128}"

    @property
    def new(self) -> int:
        return self._count(Outcome.STORED, Outcome.DUPLICATE) - self.pictures

    @property
    def revised(self) -> int:
        return self._count(Outcome.REVISED)

    @property
    def failures(self) -> int:
        return self._count(*FAILURES)

    @property
    def unfinished(self) -> int:
        return self.outcomes.get("open", 0)

    def _count(self, *outcomes: Outcome) -> int:
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)


def last_run(ask: Ask) -> Health | None:
    """Return the latest crawl, else the latest run of any kind; None while there is none."""
    found = healths(ask, "ORDER BY kind = 'crawl' DESC, id DESC LIMIT 1")
    return found[0] if found else None


def findings(ask: Ask) -> list[Any]:
    """Return what is amiss as of the newest crawl, in the order of the checks."""
    order = list(CHECKS)
    rows = ask.rows("SELECT name, what, since, run_id FROM findings WHERE ended_at IS NULL ORDER BY id")
    return sorted(rows, key=lambda row: order.index(row["name"]) if row["name"] in CHECKS else len(order))


def healths(ask: Ask, which: str, **parameters: Any) -> list[Health]:
    """Return runs with their outcomes; `which` is the end of a SELECT from runs."""
    runs = ask.rows(f"SELECT * FROM runs {which}", **parameters)
    outcomes: dict[int, Counter[str]] = {run["id"]: Counter() for run in runs}
    pictures: Counter[int] = Counter()
    if runs:
        marks = ", ".join(str(number) for number in outcomes)
        names = ", ".join(f"('{outcome}')" for outcome in Outcome)
        # one look into the index for each run and outcome, instead of a walk through all of both
        for run_id, outcome, is_picture, count in ask.rows(
            f"""WITH outcomes (name) AS (VALUES {names})
            SELECT run_id, outcome, kind = '{IMAGE}', count(*) FROM outcomes CROSS JOIN fetches
            WHERE outcome = name AND run_id IN ({marks}) GROUP BY 1, 2, 3
            UNION ALL SELECT run_id, 'open', 0, count(*) FROM fetches
            WHERE outcome IS NULL AND run_id IN ({marks}) GROUP BY run_id"""
        ):
            outcomes[run_id][outcome] += count
            if is_picture and outcome == Outcome.STORED:
                pictures[run_id] += count
    return [Health(run, dict(outcomes[run["id"]]), pictures[run["id"]]) for run in runs]
