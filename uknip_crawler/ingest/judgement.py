"""The judgement on interruptions, put to what the archive holds: while a run visits, and when its end is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.archive.articles import Known
from uknip_crawler.archive.interruptions import Revised, StoryShown
from uknip_crawler.ingest.interruptions import (
    BELIEVED_AFTER,
    BELIEVED_RUNS,
    MASS_MINIMUM,
    Change,
    Shown,
    changed_at_once,
    is_dated_by,
    same_at_several,
    stands_in_place,
)
from uknip_crawler.ingest.visit import Visit
from uknip_crawler.models import Article

_RELEASED = 300
"""Stories enough to tell which lines a change of all of them that was released brought and took."""


def interrupts(
    archive: Archive, visit: Visit, article: Article, known: Known | None, run_id: int
) -> str | None:
    """Return why the page of a visit is not the story `known` at its address, or None where it may be.

    Where none is known, the stories count whose addresses redirect to it. What an address has shown for long enough is
    believed: then the story is read again with the captures of all that time. A page older than the one archived says
    nothing yet; the story is read again with it.
    """
    assert visit.reading is not None
    assert visit.response is not None
    seen_at = visit.response.capture.fetched_at
    page = Shown.of(article, visit.reading.skeleton)
    for story in [known] if known else [archive.articles.at(hop.url) for hop in visit.hops]:
        if story is None or seen_at < datetime.fromisoformat(story.captured_at):
            continue
        why = stands_in_place(page, _shown(archive.interruptions.story(story.id)))
        if why is None:
            continue
        if page.standing and _is_lasting(archive, visit.due.url, run_id, seen_at):
            archive.interruptions.release(visit.due.url, run_id)
            continue
        return why
    return None


def _is_lasting(archive: Archive, url: str, run_id: int, now: datetime) -> bool:
    runs, since = archive.interruptions.seen_before(url, run_id)
    return since is not None and runs + 1 >= BELIEVED_RUNS and is_long(since, now)


def is_long(since: str, now: datetime) -> bool:
    """Tell whether something was seen for long enough to be believed."""
    return now - datetime.fromisoformat(since) >= BELIEVED_AFTER


def set_aside_copies(archive: Archive, run_id: int) -> int:
    """Set aside captures of a run, and of those judged with it, that show the same at several addresses; return how many."""
    revised = _latest(archive, archive.interruptions.together(run_id, MASS_MINIMUM))
    return _set_aside(archive, revised, same_at_several(_changes(revised, None)))


def judge_mass_changes(archive: Archive, run_id: int, *, at: datetime) -> tuple[bool, list[str]]:
    """Set aside the captures of a run, and of those judged with it, if stories changed together as no newsroom changes them.

    What several runs have shown for long enough is believed. Returns whether stories have to be read again, and lines about
    those that are not believed.
    """
    is_import = archive.ledger.kind_of(run_id)[0] == "import"
    runs = archive.interruptions.together(run_id, MASS_MINIMUM)
    visited: Counter[Hashable] = Counter()
    for day, count in archive.interruptions.visited(runs):
        visited[day if is_import else None] += count
    revised = _latest(archive, runs)
    released = archive.interruptions.released(_RELEASED)
    changes = _changes(revised, is_import)
    before = archive.interruptions.held_in(runs[1:]) if runs[1:] else None
    found = changed_at_once(changes, visited, _changes(released, None), before)
    lasting = {
        one.article_id
        for one in revised
        if one.article_id in found and _is_lasting(archive, one.url, run_id, at)
    }
    with archive.transaction():
        for one in revised:
            if one.article_id in lasting:
                archive.interruptions.release(one.url, run_id)
    told = {story: why for story, why in found.items() if story not in lasting}
    _set_aside(archive, revised, told)
    urls = {one.article_id: one.url for one in revised}
    return bool(found), [
        f"{why}: no revision was made; {', '.join(sorted(urls[s] for s in told if told[s] == why)[:3])}"
        for why in dict.fromkeys(told.values())
    ]


def _latest(archive: Archive, runs: list[int]) -> list[Revised]:
    """Return each story's newest version that runs began, beside what was known of the story before them.

    So a story that shows again what it did has not changed.
    """
    found: dict[int, Revised] = {}
    for one in archive.interruptions.revised(runs):
        if first := found.get(one.article_id):
            before = first.before or (first.now.headline, first.now.body)
            one = one._replace(before=before)
        found[one.article_id] = one
    return [one for one in found.values() if one.before != (one.now.headline, one.now.body)]


def _set_aside(archive: Archive, revised: list[Revised], stories: dict[int, str]) -> int:
    rows = {one.fetch_id: stories[one.article_id] for one in revised if one.article_id in stories}
    if rows:
        with archive.transaction():
            archive.interruptions.set_aside(rows)
    return len(rows)


def _changes(revised: list[Revised], by_day: bool | None) -> list[Change]:
    return [
        Change(
            one.article_id,
            one.url,
            _shown(one.now),
            Shown(*one.before) if one.before is not None else None,
            one.day if by_day else None,
        )
        for one in revised
    ]


def _shown(story: StoryShown) -> Shown:
    return Shown(story.headline, story.body, story.post_id, is_dated_by(story.sources), story.skeleton)
