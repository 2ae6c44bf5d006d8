"""`uknip duplicates`: which stories are copies of one another."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.folders import archives_in
from uknip_crawler.archive.reports.duplicates import groups
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text, progress
from uknip_crawler.cli.story import story_named
from uknip_crawler.duplicates.across import copies_across
from uknip_crawler.errors import UsageError


@click.command()
@click.argument("url", required=False)
@click.option(
    "--across",
    "folders",
    metavar="ARCHIVE",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="List what several archives, or those in a folder, have in common instead; may be given again.",
)
@archive_option
@json_option
def command(url: str | None, folders: tuple[Path, ...], directory: Path, as_json: bool) -> None:
    """List the stories that are copies of one another, or the copies of one: the first of each group, then the others
    with how much of their text they share (runs of three words that both have, of those that either has) and the
    longest passage.

    URL is any address a story has had, or the end of one.

    \b
    uknip duplicates
    uknip duplicates some-story-2 --json
    uknip duplicates --across archives        what sister sites repeat
    """
    if folders and url:
        raise UsageError(
            "--across takes no address: it lists the groups that have stories of more than one archive"
        )
    if folders:
        with progress("comparing") as report:
            found = copies_across(archives_in(folders), report)
    else:
        db = open_readonly(directory)
        found = list(groups(db, story_named(db, directory, url) if url else None))
    if as_json:
        echo(json_text(found))
        return
    for group in found:
        echo("\n".join(_told(group)) + "\n")
    copies = sum(len(group["copies"]) for group in found)
    echo(f"{copies:,} copies of {len(found):,} stories" if found else "no copies")


def _told(group: dict[str, Any]) -> list[str]:
    first = group["first"]
    lines = [first["headline"], f"  {_line(first)}"]
    for copy in group["copies"]:
        if copy["similarity"] is None:
            lines.append(f"  {_line(copy)}  not compared yet")
            continue
        through = f" with {copy['like']}" if copy["like"] != first["url"] else ""
        lines.append(f"  {_line(copy)}  {copy['similarity']:.0%} shared{through}")
        lines += [f"      “{shorten(passage, 160, placeholder=' …')}”" for passage in copy["shared"][:1]]
    return lines


def _line(story: dict[str, Any]) -> str:
    gone = "  (gone)" if story["status"] == "gone" else ""
    return f"{(story['published_at'] or 'undated')[:10]:10}  {story['url']}{gone}"
