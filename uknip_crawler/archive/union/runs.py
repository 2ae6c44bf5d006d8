"""The runs of several archives, each once, in the order of their time; their WARC files and their visits."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlite_utils import Database

from uknip_crawler.archive import warc
from uknip_crawler.archive.database import transaction
from uknip_crawler.archive.redactions import hidden
from uknip_crawler.archive.warc import rewriting
from uknip_crawler.errors import StorageError

COLUMNS = (
    "kind, base_url, started_at, finished_at, exit_status, end_reason, requests, received_bytes, settings, version, "
    "derived_at"
)
_MAPPED = ("id", "run_id", "article_id", "layout_id", "warc_name")
_VERDICTS = ("reject", "release")
"""What was said against a capture goes before what was said for it: nothing doubtful is shown as a story."""
_NAMED = re.compile(r"^(?P<stem>.*?)(?P<mark>-m[0-9a-f]{8})?(?P<rewritten>-r\d+)?\.warc\.gz$")


@dataclass(frozen=True, slots=True)
class Source:
    """An archive to be joined: the folder of its captures, and a database that may be read (a copy of its own)."""

    folder: Path
    database: Path


class File(NamedTuple):
    """A WARC file of a run. `identity` is the id of its first record, which it keeps whatever is taken out of it;
    `rewritten` counts how often something was."""

    name: str
    path: Path
    identity: str
    size: int
    rewritten: int
    opened_at: str
    closed_at: str | None

    @property
    def version(self) -> tuple[str, int, int]:
        """What two files have in common whose records lie at the same places."""
        return self.identity, self.size, self.rewritten


class Holding(NamedTuple):
    """A run as one source has it: the source's number, its own number of the run, its row, its files."""

    source: int
    number: int
    row: tuple[Any, ...]
    files: tuple[File, ...]


@dataclass(slots=True)
class Run:
    """A run, whoever has it: `best` is the source whose rows and files are taken, `others` may know further visits."""

    best: Holding
    others: list[Holding] = field(default_factory=list)

    @property
    def holdings(self) -> tuple[Holding, ...]:
        return self.best, *self.others

    @property
    def held_by(self) -> set[int]:
        return {one.source for one in self.holdings}


@contextmanager
def attached(db: Database, source: Source) -> Iterator[Callable[..., Any]]:
    """Have a source's tables as those of schema `src`, in one transaction; yields what runs a statement."""
    db.conn.execute("ATTACH ? AS src", (str(source.database),))
    try:
        with transaction(db):
            yield db.conn.execute
    finally:
        db.conn.execute("DETACH src")


def plan_runs(sources: Sequence[Source]) -> list[Run]:
    """Return every run once, in the order of their time. Raises StorageError for a file that is missing."""
    holdings: dict[tuple[str, ...], list[Holding]] = defaultdict(list)
    for number, source in enumerate(sources):
        with closing(Database(source.database)) as db:
            for run_id, *row in db.conn.execute(f"SELECT id, {COLUMNS} FROM runs ORDER BY id").fetchall():
                files = tuple(_files(db, source.folder, run_id))
                told = (row[2], row[3] or "~", row[0], row[1], files[0].identity if files else row[8])
                holdings[(told[0], told[2], told[3], told[4])].append(
                    Holding(number, run_id, tuple(row), files)
                )
    return [_chosen(sources, held) for _, held in sorted(holdings.items())]


def _files(db: Database, folder: Path, run_id: int) -> Iterator[File]:
    """Yield a run's files in the order in which they were begun; those of redactions are written anew."""
    rows = db.conn.execute(
        "SELECT name, opened_at, closed_at FROM warcs WHERE run_id = ? ORDER BY opened_at, name", (run_id,)
    ).fetchall()
    for name, opened_at, closed_at in rows:
        if rewriting.is_tombstone(name):
            continue
        path = warc.locate(folder, name)
        if path is None:
            if closed_at is None:  # its run was killed before the file came to be
                continue
            raise StorageError(
                f"{folder / name}: the file is missing; `uknip verify --archive {folder.parent}`"
            )
        if (identity := warc.identity(path)) is not None:
            rewritten = rewriting.times_rewritten(name)
            yield File(name, path, identity, path.stat().st_size, rewritten, opened_at, closed_at)


def _chosen(sources: Sequence[Source], held: list[Holding]) -> Run:
    """Return a run with the source whose version is taken: that out of which most was taken for good, then the longest."""
    if len(held) == 1:
        return Run(held[0])
    told = {one: _told(sources[one.source], one) for one in held}
    best, *others = sorted(held, key=lambda one: told[one], reverse=True)
    return Run(best, others)


def _told(source: Source, one: Holding) -> tuple[Any, ...]:
    """Return what a source's version of a run is ranked by: its contents alone."""
    digest = hashlib.sha256()
    closed = decided = 0
    with closing(Database(source.database)) as db:
        rows = db.conn.execute(
            "SELECT url, imported_from, outcome, verdict, detail, payload_sha256, closed_at FROM fetches WHERE run_id = ? "
            "ORDER BY 1, 2",
            (one.number,),
        )
        for row in rows:
            closed += row[6] is not None
            decided += row[2] in ("interrupted", "redacted") or row[3] is not None
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
    files = one.files
    taken_out, size = sum(f.rewritten for f in files), sum(f.size for f in files)
    return taken_out, size, one.row[3] is not None, closed, decided, digest.hexdigest()


def insert_runs(db: Database, runs: Sequence[Run]) -> dict[str, File]:
    """Write the runs with numbers in their order, and their files; return the files by their new names."""
    execute = db.conn.execute
    execute(
        "CREATE TEMP TABLE run_map (src INTEGER, old INTEGER, new INTEGER, rank INTEGER, PRIMARY KEY (src, old))"
    )
    execute("CREATE TEMP TABLE warc_map (src INTEGER, old TEXT, new TEXT, PRIMARY KEY (src, old))")
    named: dict[str, File] = {}
    first = [f for run in runs for one in run.holdings if one.source == 0 for f in one.files]
    stems, own = {f.identity: _stem(f.name) for f in first}, {f.name: f for f in first}
    with transaction(db):
        for new, run in enumerate(runs, start=1):
            marks = ", ".join("?" * (1 + len(run.best.row)))
            execute(f"INSERT INTO runs (id, {COLUMNS}) VALUES ({marks})", (new, *run.best.row))
            for rank, one in enumerate(run.holdings):
                execute("INSERT INTO run_map VALUES (?, ?, ?, ?)", (one.source, one.number, new, rank))
            for file in _files_of(run):
                name = _new_name(file, run, stems, own)
                named[name] = file
                size = file.size if file.closed_at else None
                row = (name, new, file.opened_at, file.closed_at, size)
                execute("INSERT INTO warcs VALUES (?, ?, ?, ?, ?)", row)
                for one in run.holdings:
                    if same := next((f for f in one.files if f.version == file.version), None):
                        execute("INSERT INTO warc_map VALUES (?, ?, ?)", (one.source, same.name, name))
    return named


def _files_of(run: Run) -> list[File]:
    """Return the files of a run; of two that are alike the first source's, which need no copying."""
    first = {f.version: f for one in run.holdings if one.source == 0 for f in one.files}
    taken = {f.identity: first.get(f.version, f) for one in reversed(run.holdings) for f in one.files}
    return list(taken.values())


def _stem(name: str) -> str:
    found = _NAMED.match(name)
    assert found is not None
    return found["stem"] + (found["mark"] or "")


def _new_name(file: File, run: Run, stems: Mapping[str, str], own: Mapping[str, File]) -> str:
    """Return the name that the first source has for a file, else one that no other has, with a mark of its run."""
    found = _NAMED.match(file.name)
    assert found is not None
    mark = f"-m{hashlib.sha256(run.best.files[0].identity.encode()).hexdigest()[:8]}"
    stem = stems.get(file.identity, found["stem"] + (found["mark"] or mark))
    times = file.rewritten
    while (held := own.get(name := _rewritten(stem, times))) is not None and held.version != file.version:
        times += 1  # another version of it: who reads the archive now reads that one
    return name


def _rewritten(stem: str, times: int) -> str:
    return f"{stem}-r{times}.warc.gz" if times else f"{stem}.warc.gz"


def insert_fetches(db: Database, sources: Sequence[Source], contradictions: list[str]) -> int:
    """Write every visit once, numbered in the order of runs; return how many the first source did not have."""
    execute = db.conn.execute
    db.conn.create_function("hidden", 1, _hidden, deterministic=True)
    execute("CREATE TEMP TABLE fetch_map (src INTEGER, old INTEGER, new INTEGER, PRIMARY KEY (src, old))")
    execute(
        "CREATE TEMP TABLE visits (run INTEGER, rank INTEGER, src INTEGER, old INTEGER, key TEXT, imported_from TEXT, "
        "new INTEGER)"
    )
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            run(
                "INSERT INTO visits SELECT m.new, m.rank, ?1, f.id, hidden(f.url), f.imported_from, NULL "
                "FROM src.fetches AS f JOIN run_map AS m ON m.src = ?1 AND m.old = f.run_id",
                (number,),
            )
    with transaction(db):
        execute("CREATE INDEX temp.visits_key ON visits (run, key, imported_from, rank)")
        execute(
            "UPDATE visits SET new = n.new FROM (SELECT rowid AS place, row_number() OVER (ORDER BY run, rank, old, key) AS new "
            "FROM visits AS v WHERE NOT EXISTS (SELECT 1 FROM visits AS o WHERE o.run = v.run AND o.key = v.key "
            "AND o.imported_from = v.imported_from AND o.rank < v.rank)) AS n WHERE visits.rowid = n.place"
        )
        execute(
            "INSERT OR IGNORE INTO fetch_map SELECT v.src, v.old, coalesce(v.new, o.new) FROM visits AS v LEFT JOIN visits AS o "
            "ON v.new IS NULL AND o.run = v.run AND o.key = v.key AND o.imported_from = v.imported_from AND o.new IS NOT NULL"
        )
    columns = [row[1] for row in execute("PRAGMA table_info(fetches)").fetchall() if row[1] not in _MAPPED]
    told = ", ".join(f"f.{name}" for name in columns)
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            run(
                f"INSERT INTO main.fetches (id, run_id, article_id, layout_id, warc_name, {', '.join(columns)}) "
                f"SELECT v.new, v.run, s.new, l.id, w.new, {told} FROM visits AS v "
                "JOIN src.fetches AS f ON f.id = v.old LEFT JOIN story_map AS s ON s.src = v.src AND s.old = f.article_id "
                "LEFT JOIN src.layouts AS had ON had.id = f.layout_id LEFT JOIN main.layouts AS l ON l.skeleton = had.skeleton "
                "LEFT JOIN warc_map AS w ON w.src = v.src AND w.old = f.warc_name WHERE v.src = ? AND v.new IS NOT NULL",
                (number,),
            )
    with transaction(db):
        # a file of which another version is taken: its record lies elsewhere, or is gone
        execute(
            "UPDATE fetches SET warc_offset = NULL, warc_length = NULL, payload_sha256 = NULL "
            "WHERE warc_name IS NULL AND warc_offset IS NOT NULL"
        )
        execute("DELETE FROM visits WHERE new IS NULL OR src <> 0")
    _rule(db, sources, contradictions)
    had = execute("SELECT count(DISTINCT new) FROM fetch_map WHERE src = 0").fetchone()[0]
    return int(execute("SELECT count(*) FROM fetches").fetchone()[0]) - int(had)


def _rule(db: Database, sources: Sequence[Source], contradictions: list[str]) -> None:
    """Take over what researchers said of captures that were held back."""
    said: dict[int, set[str]] = defaultdict(set)
    for number, source in enumerate(sources):
        with attached(db, source) as run:
            for fetch_id, verdict in run(
                "SELECT m.new, f.verdict FROM src.fetches AS f JOIN fetch_map AS m ON m.src = ? AND m.old = f.id "
                "WHERE f.verdict IS NOT NULL",
                (number,),
            ).fetchall():
                said[fetch_id].add(verdict)
    with transaction(db):
        for fetch_id, verdicts in sorted(said.items()):
            taken = next(verdict for verdict in _VERDICTS if verdict in verdicts)
            outcome = (
                "outcome"
                if taken == "reject"
                else "CASE outcome WHEN 'interrupted' THEN 'unchanged' ELSE outcome END"
            )
            url, before = db.conn.execute(
                "SELECT url, outcome FROM fetches WHERE id = ?", (fetch_id,)
            ).fetchone()
            if len(verdicts) > 1:
                contradictions.append(f"{url}: released in one archive, rejected in another: rejected")
                outcome = "'interrupted'" if before in ("unchanged", "revised") else "outcome"
            db.conn.execute(
                f"UPDATE fetches SET verdict = ?, outcome = {outcome} WHERE id = ?", (taken, fetch_id)
            )


def settle_outcomes(db: Database) -> None:
    """Leave each story one visit that found it, where several archives had each found it for themselves."""
    db.conn.execute(
        "UPDATE fetches SET outcome = 'unchanged' WHERE outcome IN ('stored', 'duplicate') AND kind <> 'image' "
        "AND article_id IN (SELECT new FROM story_map GROUP BY new HAVING count(*) > 1) AND id > (SELECT min(f.id) FROM fetches AS f "
        "WHERE f.article_id = fetches.article_id AND f.outcome IN ('stored', 'duplicate') AND f.kind <> 'image')"
    )


def _hidden(url: str) -> str:
    return url if url.startswith("redacted:") else hidden(url)
