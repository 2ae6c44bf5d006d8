"""`uknip quarantine`: what runs held back because it may be an interruption, and the researcher's word on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import Archive, open_readonly
from uknip_crawler.archive.interruptions import Held, Interruptions, Verdict
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.errors import UsageError
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs.derivation import derive

EXAMPLES = 3
ALL = "all"


@click.command()
@click.option("--release", metavar="NUMBER", multiple=True, help="This is real: take it (`all`: everything).")
@click.option(
    "--reject",
    metavar="NUMBER",
    multiple=True,
    help="This was an interruption: leave it out (`all`: everything).",
)
@archive_option
@json_option
def command(release: tuple[str, ...], reject: tuple[str, ...], directory: Path, as_json: bool) -> None:
    """Show what runs held back, since when and where: pages that may stand in their story's place, changes of too many
    stories at once, lists that suddenly name far fewer; or decide. Nothing that is held back is in any story's history,
    every capture is kept, and the next run asks again: what a site shows for a week and in three runs is taken without
    your word, what has passed is no longer shown here.

    \b
    uknip quarantine                        what is held back, by number
    uknip quarantine --release 17           take it: the stories are read again with it, from its first capture on
    uknip quarantine --reject 23            leave it out; it is not asked about again, and never taken by itself

    A release of a line that came or went with many stories holds for the other stories too. A list that is released is
    taken at its word by the next crawl; a new story, when the next crawl finds it as it was.

    Exit status: 0 done, 2 no such number, 75 another run holds the lock.
    """
    open_readonly(directory).close()  # says so when there is no archive, before one is created
    if not (release or reject):
        _list(directory, as_json=as_json)
        return
    wanted: dict[Verdict, tuple[str, ...]] = {"release": release, "reject": reject}
    with Archive(directory) as archive:
        held = archive.interruptions.held()
        decided = [(verdict, _chosen(held, numbers)) for verdict, numbers in wanted.items()]
        with archive.transaction():
            for verdict, groups in decided:
                for group in groups:
                    archive.interruptions.decide(group.fetch_ids, verdict)
        if release and (base_url := archive.base_url()):
            derive(archive, base_url, readers=Processes(os.cpu_count() or 1), at=datetime.now(UTC))
        told = [
            _Decided(verdict, group, archive.interruptions.taken(group.fetch_ids))
            for verdict, groups in decided
            for group in groups
        ]
    if as_json:
        echo(json_text([one.record() for one in told]))
    else:
        echo("\n".join(one.text() for one in told))


@dataclass(frozen=True, slots=True)
class _Decided:
    verdict: Verdict
    group: Held
    taken: int

    def record(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "taken": self.taken, **_record(self.group)}

    def text(self) -> str:
        """Say what became of a group: of one that is released, also what did not."""
        head = f"{'released' if self.verdict == 'release' else 'rejected'}: {self.group.number}  {self.group.why}"
        if self.verdict == "reject":
            return head
        if self.group.is_list:
            return f"{head}\n  the next crawl takes the list at its word"
        waiting = len(self.group.fetch_ids) - self.taken
        rest = f"; {waiting:,} show no story we hold: the next crawl looks" if waiting else ""
        return f"{head}\n  {self.taken:,} captures are in their stories' histories now{rest}"


def _chosen(held: list[Held], numbers: tuple[str, ...]) -> list[Held]:
    if ALL in numbers:
        return held
    known = {str(group.number): group for group in held}
    for number in numbers:
        if number not in known:
            raise UsageError(f"nothing is held back under {number}; `uknip quarantine` lists what is")
    return [known[number] for number in dict.fromkeys(numbers)]


def _list(directory: Path, *, as_json: bool) -> None:
    db = open_readonly(directory)
    try:
        held = Interruptions(db).held()
    finally:
        db.close()
    if as_json:
        echo(json_text([_record(group) for group in held]))
        return
    for group in held:
        what = "list" if group.is_list else f"addresses, {len(group.fetch_ids):,} captures"
        echo(f"{group.number:>6}  {group.why}")
        echo(f"        since {group.since}, {len(group.urls):,} {what}")
        for url in group.urls[:EXAMPLES]:
            echo(f"        {url}")
    if held:
        echo("\n`uknip quarantine --release NUMBER` takes it, `--reject NUMBER` leaves it out")
    else:
        echo("nothing is held back")


def _record(group: Held) -> dict[str, Any]:
    return {
        "number": group.number,
        "why": group.why,
        "since": group.since,
        "addresses": len(group.urls),
        "captures": len(group.fetch_ids),
        "is_list": group.is_list,
        "examples": list(group.urls[:EXAMPLES]),
    }
