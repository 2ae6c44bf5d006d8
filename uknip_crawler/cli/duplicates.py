"""`uknip duplicates`: which stories are copies of one another."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.reports.duplicates import groups
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.cli.story import story_named


@click.command()
@click.argument("url", required=False)
@archive_option
@json_option
def command(url: str | None, directory: Path, as_json: bool) -> None:
    """List the stories that are copies of one another, or the copies of one: the first of each group, then the others
    with how much of their text they share (runs of three words that both have, of those that either has) and the
    longest passage.

    URL is any address a story has had, or the end of one.

    \b
    uknip duplicates
    uknip duplicates some-story-2 --json
    """
    db = open_readonly(directory)
    article_id = story_named(db, directory, url) if url else None
    found = list(groups(db, article_id))
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
