"""`uknip rebuild`: the database anew, from the captures alone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.logs import log_options
from uknip_crawler.cli.output import conclude, progress
from uknip_crawler.cli.reading import readers, readers_options
from uknip_crawler.jobs.rebuild import rebuild

SHOWN = 10


@click.command()
@readers_options
@archive_option
@json_option
@log_options
def command(workers: int, dask: str | None, directory: Path, as_json: bool) -> None:
    """Make a lost database again from the archive's WARC files: the same articles, revisions and aliases. Every run is
    lived again in its order and its captures are read by today's rules. What never reached a WARC file is not
    there afterwards: visits without an answer, audits, and your verdicts on furniture.

    \b
    mv archive/uknip.db archive/damaged.db
    uknip rebuild

    Exit status: 0 done, 2 there is a database or nothing to make one from, 3 some records could not be read
    (they are named), 75 another run holds the lock.
    """

    with readers(workers, dask) as where, progress("living runs again") as report:
        rebuilt = rebuild(directory, readers=where, at=datetime.now(UTC), progress=report)
    told = [
        (
            f"{rebuilt.runs:,} runs, {rebuilt.captures:,} captures: {rebuilt.articles:,} articles in "
            f"{rebuilt.revisions:,} revisions, {rebuilt.aliases:,} aliases"
        ),
        *(f"  not read: {line}" for line in rebuilt.damaged[:SHOWN]),
    ]
    conclude("\n".join(told), asdict(rebuilt), 3 if rebuilt.damaged else 0, as_json=as_json)
