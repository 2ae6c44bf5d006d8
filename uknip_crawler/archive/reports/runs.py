"""What to tell about a run and about the archive as a whole."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.findings import kept
from uknip_crawler.archive.ledger import IMAGE
from uknip_crawler.models import DOUBTFUL_BODY, FAILURES, Outcome

IN_DOUBT = f"', ' || {{}} || ', ' LIKE '%, {DOUBTFUL_BODY}, %'"
_MEANING = {
    0: "complete",
    3: "finished with failures",
    4: "the site asked to wait or was down",
    5: "storage failed",
}


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run: how it ended, what it cost, what it brought. `failures` lists (url, outcome, detail), at most ten.

    `revisits` tells what looking again at stories of which nothing was said has cost and caught: `requests`,
    `not_modified` (answered 304), `received_bytes`, `edits`, `moves`, `missing`. `outcomes` are those of pages and
    sources, `images` those of images. `doubtful` counts captures whose reading leaves out much of the page's text.
    `findings` are what was amiss as of this crawl (`archive.findings.Kept`).
    `interrupted` are up to three addresses that showed something in the place of a story or of a list of stories.
    """

    run: int
    base_url: str
    exit_status: int
    end_reason: str
    started_at: str
    finished_at: str | None
    requests: int
    received_bytes: int
    outcomes: dict[str, int]
    articles: int
    revisions: int
    moved: int
    gone: int
    restored: int
    revisits: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    replayed: int = 0
    failures: list[tuple[str, str, str | None]] = field(default_factory=list)
    images: dict[str, int] = field(default_factory=dict)
    kind: str = "crawl"
    doubtful: int = 0
    interrupted: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def text(self, *, with_findings: bool = True) -> str:
        """Return the closing summary a person reads."""
        got = Counter(self.outcomes)
        new = got[Outcome.STORED] + got[Outcome.DUPLICATE]
        lines = [
            f"Run {self.run}{'' if self.kind == 'crawl' else f' ({self.kind})'} of {self.base_url}: {_meaning(self.exit_status) if self.finished_at else 'not finished'}"
            + (f" ({self.end_reason})" if self.end_reason != "finished" else ""),
            f"  {new:,} new, {got[Outcome.REVISED]:,} revised, {self.moved:,} moved, {self.gone:,} gone, {self.restored:,} restored",
            f"  {self.requests:,} requests, {_size(self.received_bytes)} received",
            f"  the archive holds {self.articles:,} articles in {self.revisions:,} revisions",
        ]
        if self.revisits["requests"]:
            cost = self.revisits
            lines.append(
                f"  {cost['requests']:,} revisits ({cost['not_modified']:,} not modified, {_size(cost['received_bytes'])}) "
                f"caught {cost['edits']:,} edits, {cost['moves']:,} moves, {cost['missing']:,} missing"
            )
        for title, counts in (("outcomes", got), ("images", self.images)):
            if counts:
                said = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
                lines.append(f"  {title}: {said}")
        if self.doubtful:
            readings = "reading" if self.doubtful == 1 else "readings"
            lines.append(
                f"  {self.doubtful:,} {readings} in doubt: sentences of the page are missing from the body"
            )
        if self.interrupted:
            count = got[Outcome.INTERRUPTED] + got[Outcome.CHALLENGE]
            lines.append(
                f"  {count:,} {'address' if count == 1 else 'addresses'} showed something else than before, such as "
                f"{', '.join(self.interrupted)}: nothing was written into the stories' histories; run again later, and "
                "see `uknip why URL` if it stays"
            )
        if self.replayed:
            lines.append(f"  {self.replayed:,} pages of a killed run were recovered")
        for finding in self.findings if with_findings else ():
            lines.append(f"  look at this: {finding['what']}; since {finding['since']}")
            lines += [f"    {url}" for url in finding["examples"]]
            lines.append(f"    → {finding['remedy']}")
        lines += [f"  trouble: {trouble}" for trouble in self.troubles]
        lines += [
            f"  {outcome}: {url}" + (f" ({detail})" if detail else "")
            for url, outcome, detail in self.failures
        ]
        return "\n".join(lines)


def _meaning(exit_status: int) -> str:
    return _MEANING.get(exit_status) or f"stopped by signal {exit_status - 128}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.1f} kB"


def run_report(
    db: Database,
    run_id: int,
    exit_status: int | None = None,
    troubles: list[str] | None = None,
    replayed: int = 0,
) -> RunReport:
    """Return the report of one run, read from the archive."""
    kind, base_url, started, finished, status, reason, requests, received = db.execute(
        "SELECT kind, base_url, started_at, finished_at, exit_status, end_reason, requests, received_bytes "
        "FROM runs WHERE id = ?",
        (run_id,),
    ).fetchone()
    outcomes, images = (
        dict(
            db.execute(
                "SELECT coalesce(outcome, 'open'), count(*) FROM fetches WHERE run_id = ? AND (kind = ?) = ? GROUP BY 1",
                (run_id, IMAGE, of_images),
            ).fetchall()
        )
        for of_images in (False, True)
    )
    events = dict(
        db.execute("SELECT kind, count(*) FROM events WHERE run_id = ? GROUP BY kind", (run_id,)).fetchall()
    )
    marks = ", ".join("?" * len(FAILURES))
    failures = db.execute(
        f"SELECT url, outcome, detail FROM fetches WHERE run_id = ? AND outcome IN ({marks}) ORDER BY id LIMIT 10",
        (run_id, *FAILURES),
    ).fetchall()
    interrupted = db.execute(
        "SELECT url FROM fetches WHERE run_id = ? AND outcome IN (?, ?) ORDER BY id LIMIT 3",
        (run_id, Outcome.INTERRUPTED, Outcome.CHALLENGE),
    ).fetchall()
    final = status if exit_status is None else exit_status
    return RunReport(
        run=run_id,
        base_url=base_url,
        exit_status=137 if final is None else final,
        end_reason=reason or "running, or killed",
        started_at=started,
        finished_at=finished,
        requests=requests,
        received_bytes=received,
        outcomes=outcomes,
        articles=count_of(db, "SELECT count(*) FROM articles WHERE status <> 'redacted'"),
        revisions=count_of(db, "SELECT count(*) FROM revisions"),
        moved=events.get("moved", 0),
        gone=events.get("gone", 0),
        restored=events.get("restored", 0),
        revisits=_revisits(db, run_id),
        troubles=troubles or [],
        replayed=replayed,
        failures=[tuple(row) for row in failures],
        images=images,
        kind=kind,
        interrupted=[url for (url,) in interrupted],
        findings=[one.as_json() for one in kept(db, "last_run_id = :run", {"run": run_id})],
        doubtful=count_of(
            db, f"SELECT count(*) FROM fetches WHERE run_id = {int(run_id)} AND {IN_DOUBT.format('detail')}"
        ),
    )


def _revisits(db: Database, run_id: int) -> dict[str, int]:
    names = ("requests", "not_modified", "received_bytes", "edits", "moves", "missing")
    row = db.execute(
        "SELECT count(*), coalesce(sum(status = 304), 0), coalesce(sum(body_bytes), 0), "
        "coalesce(sum(outcome = 'revised'), 0), coalesce(sum(outcome = 'alias'), 0), coalesce(sum(outcome = 'gone'), 0) "
        "FROM fetches WHERE run_id = ? AND reason = 'revisit' AND attempts > 0",
        (run_id,),
    ).fetchone()
    return dict(zip(names, row, strict=True))


def base_url_of(db: Database) -> str | None:
    """Return the address of the site as of the newest run, or None before the first."""
    row = db.execute("SELECT base_url FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None


def count_of(db: Database, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])


def story_history(db: Database, article_id: int) -> dict[str, Any]:
    """Return one story with its aliases, events and revisions, each oldest first."""
    story = rows_of(
        db,
        "SELECT id, url, headline, status, published_at, modified_at, first_seen_at, last_seen_at, last_changed_at, "
        "gone_at, revision_count, parts, missing_parts FROM articles WHERE id = ?",
        article_id,
    )[0]
    return story | {
        "missing_parts": json.loads(story["missing_parts"] or "[]"),
        "aliases": rows_of(
            db,
            "SELECT url, evidence, first_seen_at, last_seen_at FROM aliases WHERE article_id = ? ORDER BY 3, 1",
            article_id,
        ),
        "events": rows_of(
            db, "SELECT at, kind, detail FROM events WHERE article_id = ? ORDER BY id", article_id
        ),
        "revisions": rows_of(
            db,
            "SELECT number, kind, captured_at, modified_at, headline, body, word_count, added_words, removed_words FROM revisions "
            "WHERE article_id = ? ORDER BY number",
            article_id,
        ),
    }


def rows_of(db: Database, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    """Return a query's rows as dictionaries by column."""
    cursor = db.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
