"""`uknip merge`: archives of one site, joined."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.logs import log_options
from uknip_crawler.cli.output import conclude, progress
from uknip_crawler.cli.reading import readers, readers_options
from uknip_crawler.configuration import read
from uknip_crawler.jobs.merge import Merged, merge

SHOWN = 10


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path))
@readers_options
@archive_option
@json_option
@log_options
def command(
    folders: tuple[Path, ...], workers: int, dask: str | None, directory: Path, as_json: bool
) -> None:
    """Join other archives of the same site into this one: a colleague's, an earlier machine's, one of imports. Captures,
    runs, verdicts, redactions and kept images of all of them, each once; the stories' lives are then told from all
    captures in the order of their time. In which order archives are joined makes no difference, nor whether twice. What
    was redacted in one is taken out of all. The other archives are only read.

    \b
    uknip merge /mnt/colleague/archive
    uknip merge laptop/archive 2019/archive --archive everything

    Exit status: 0 done, 2 a folder is no archive or one of another site, 3 some captures brought are damaged (they are
    named), 5 an archive is damaged or the disk is full: then this one is as it was, 75 a run writes to one of them.
    """
    with readers(workers, dask) as where, progress("bringing WARC files") as report:
        merged = merge(
            directory,
            folders,
            readers=where,
            clock=lambda: datetime.now(UTC),
            site=read(directory).site,
            progress=report,
        )
    conclude("\n".join(_told(merged)), merged.as_json(), merged.exit_status, as_json=as_json)


def _told(merged: Merged) -> list[str]:
    lines = [
        f"{merged.runs:,} runs, {merged.visits:,} visits and {merged.files:,} WARC files are new here"
        if merged.is_new
        else "Nothing new: all of it is here already",
        f"  the archive holds {merged.articles:,} articles in {merged.revisions:,} revisions, {merged.aliases:,} aliases",
    ]
    if merged.redacted:
        lines.append(f"  {merged.redacted:,} stories that were redacted in another archive are taken out")
    lines += [f"  verdicts differ: {line}" for line in merged.contradictions[:SHOWN]]
    lines += [f"  damaged: {line}" for line in merged.damaged[:SHOWN]]
    hidden = max(0, len(merged.contradictions) - SHOWN) + max(0, len(merged.damaged) - SHOWN)
    return [*lines, f"  and {hidden:,} more lines: `uknip merge --json` has them all"] if hidden else lines
