"""`uknip why`: everything that ever happened to one address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from uknip_crawler import settings
from uknip_crawler.archive import open_readonly, warc
from uknip_crawler.archive.reports.addresses import known_of, last_robots
from uknip_crawler.cli import archive_option, in_parts, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.cli.story import site_of
from uknip_crawler.discovery.robots import Robots
from uknip_crawler.errors import ContentError, StorageError
from uknip_crawler.extraction.page.content import decode
from uknip_crawler.urls import classify


@click.command()
@click.argument("url")
@archive_option
@json_option
def command(url: str, directory: Path, as_json: bool) -> None:
    """Tell everything that ever happened to one address: where it was found and when, what robots.txt says of it,
    each visit and how it ended, which capture made which revision, which story it is and how that is known.

    URL is an address in any form at hand: without its scheme, with tracking parameters, the path alone, the end of one.

    \b
    uknip why https://uknip.co.uk/news/uk/breaking/some-story/
    uknip why https://uknip.co.uk/?p=218140 --json
    """
    db = open_readonly(directory)
    site = site_of(db, directory)
    known = known_of(db, site, url)
    address = known["url"]
    known |= {"form": classify(address, site).value, "robots": _robots(last_robots(db), directory, address)}
    db.close()
    if as_json:
        echo(json_text(known))
    else:
        echo("\n".join(_lines(known)))


def _robots(last: tuple[str, warc.RecordRef] | None, directory: Path, url: str) -> dict[str, Any] | None:
    """Return what the robots.txt last read says of an address: `allowed`, and the `rule` that decides."""
    if last is None:
        return None
    read_at, record = last
    try:
        body = decode(warc.read(directory / "warc", record))
    except (StorageError, ContentError) as error:
        return {"read_at": read_at, "allowed": None, "rule": str(error)}
    robots = Robots.parse(body)
    rule = robots.rule_for(url, settings.USER_AGENT)
    return {"read_at": read_at, "allowed": robots.allowed(url, settings.USER_AGENT), "rule": rule}


def _lines(known: dict[str, Any]) -> list[str]:
    lines = [known["url"], f"  by its form: {known['form']}"]
    if robots := known["robots"]:
        decision = {True: "allowed", False: "forbidden", None: "not to be told"}[robots["allowed"]]
        rule = f" by `{robots['rule']}`" if robots["rule"] else ""
        lines.append(f"  robots.txt of {robots['read_at']}: {decision}{rule}")
    if redacted := known["redacted"]:
        lines.append(f"  redacted {redacted['at']}: {redacted['reason']}")
        return lines + [_visit(visit) for visit in known["visits"]]
    lines += _found(known["frontier"])
    for visit in known["visits"]:
        lines.append(_visit(visit))
    lines += [f"  {other['url']} redirects here" for other in known["redirects_here"]]
    lines += [f"  the story {other['url']} links to it" for other in known["linked_from"]]
    return lines + _story(known["story"])


def _found(frontier: dict[str, Any] | None) -> list[str]:
    if frontier is None:
        return ["  never named by the site, and never asked for"]
    where = f" on {frontier['found_on']}" if frontier["found_on"] else ""
    lines = [f"  found {_second(frontier['first_seen_at'])} by {frontier['found_by']}{where}"]
    if frontier["listed_on"]:
        lines.append(f"  listed by {frontier['listed_on']}, last {_second(frontier['listed_at'])}")
    if frontier["post_id"]:
        lines.append(f"  WordPress post {frontier['post_id']}")
    due = (
        f"due {_second(frontier['due_at'])} ({frontier['reason']})" if frontier["due_at"] else "not due again"
    )
    return [*lines, f"  {due}"]


def _second(time: str) -> str:
    """Return a stored time without its fraction of a second."""
    return f"{time[:19]}Z"


def _visit(visit: dict[str, Any]) -> str:
    end = visit["outcome"] or "under way"
    status = f", HTTP {visit['status']}" if visit["status"] else ""
    why = f", {visit['reason']}" if visit["reason"] else f", by {visit['found_by']}"
    parts = [f"  {visit['opened_at']}  run {visit['run']}{why}: {end}{status}"]
    if visit["detail"]:
        parts.append(f"({visit['detail']})")
    if visit["redirected_to"] and visit["redirected_to"] not in (visit["detail"] or ""):
        parts.append(f"→ {visit['redirected_to']}")
    if visit["revision"]:
        parts.append(f"made revision {visit['revision']}")
    if visit["warc_name"]:
        parts.append(f"[{visit['warc_name']} at {visit['warc_offset']:,}]")
    return " ".join(parts)


def _story(story: dict[str, Any] | None) -> list[str]:
    if story is None:
        return ["  no story is known by this address"]
    lines = [
        f"  story: {story['headline']} ({story['status']}), {story['url']}, known by {story['known_by']}"
    ]
    if story["parts"] > 1:
        lines.append(f"  {in_parts(story['parts'], story['missing_parts'])}")
    if story["duplicate_of"]:
        lines.append(f"  duplicate of {story['duplicate_of']}")
    lines += [f"  {event['at']}  {event['kind']}: {event['detail']}" for event in story["events"]]
    return lines + [
        f"  {one['captured_at']}  revision {one['number']} ({one['kind']}), run {one['run']}, from {one['captured_from']}"
        for one in story["revisions"]
    ]
