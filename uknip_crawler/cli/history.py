"""`uknip history`: one story's life."""

from __future__ import annotations

import itertools
from pathlib import Path

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.archive.reports.duplicates import copies_of
from uknip_crawler.archive.reports.runs import story_history
from uknip_crawler.cli import archive_option, in_parts, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.cli.story import story_named
from uknip_crawler.revisions import compare


@click.command()
@click.argument("url")
@archive_option
@json_option
def command(url: str, directory: Path, as_json: bool) -> None:
    """Tell a story's life: when it was first seen, its addresses, its near-duplicates, and what each
    revision changed.

    URL is any address the story has had, or the end of one.

    \b
    uknip history https://uknip.co.uk/news/uk/breaking/some-story/
    uknip history some-story --json
    """
    db = open_readonly(directory)
    article_id = story_named(db, directory, url)
    story = story_history(db, article_id) | {"near_duplicates": copies_of(db, article_id)}
    revisions = story["revisions"]
    for older, newer in itertools.pairwise(revisions):
        newer["diff"] = compare(older["headline"], older["body"], newer["headline"], newer["body"]).diff
    if as_json:
        echo(json_text(story))
        return
    echo(f"{story['headline']}\n{story['url']}")
    echo(
        f"published {story['published_at'] or 'unknown'}, {story['status']}, last seen {story['last_seen_at']}"
    )
    if story["parts"] > 1:
        echo(in_parts(story["parts"], story["missing_parts"]))
    for copy in story["near_duplicates"]:
        echo(f"near-duplicate of {copy['url']} ({copy['similarity']:.0%} shared)")
    for line in _life(story):
        echo(line)


def _life(story: dict[str, object]) -> list[str]:
    """Return the story's events and revisions as lines, oldest first."""
    lines: list[tuple[str, str]] = [(str(story["first_seen_at"]), "first seen")]
    for alias in story["aliases"]:  # type: ignore[attr-defined]
        lines.append((alias["first_seen_at"], f"also at {alias['url']} ({alias['evidence']})"))
    for event in story["events"]:  # type: ignore[attr-defined]
        lines.append((event["at"], f"{event['kind']}: {event['detail']}"))
    for revision in story["revisions"]:  # type: ignore[attr-defined]
        text = f"revision {revision['number']}: {revision['word_count']:,} words"
        if revision["number"] > 1:
            text += f", {revision['kind'] or 'edit'} (+{revision['added_words'] or 0} −{revision['removed_words'] or 0})"
        if "diff" in revision:
            text += "\n" + "\n".join(f"    {line}" for line in revision["diff"].splitlines())
        lines.append((revision["captured_at"], text))
    return [
        f"\n{at}  {text}" if "\n" in text else f"{at}  {text}"
        for at, text in sorted(lines, key=lambda one: one[0])
    ]
