"""What must hold however archives of one site are joined: looked for among small ones that went their own ways.

They come from one archive, or began by themselves; they visit stories that are edited, moved, deleted and copied, on days of
their own; in each of them a story may be redacted and a line ruled on. Expected texts are the invented site's.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import rows, tables
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_archives import FOOTER, Inline, Story, keep

from uknip_crawler.archive import DATABASE, Archive, warc
from uknip_crawler.archive.verify import verify
from uknip_crawler.ingest.workers import Processes
from uknip_crawler.jobs import redaction
from uknip_crawler.jobs.merge import Merged, merge

LATER = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 7
EXAMPLES = settings().max_examples // 30
"""An example is nine archives: two in the suite, 166 where HYPOTHESIS_PROFILE=search looks further. None is made simpler."""


@pytest.fixture(scope="module", autouse=True)
def inline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uknip_crawler.ingest.workers.Workers", Inline)
        yield


@dataclass(frozen=True)
class Life:
    """How one archive lived: which stories it visited on which day, what was redacted, what was said of the footer."""

    visits: dict[int, list[int]]
    hour: int
    redacted: int | None
    verdict: str | None


@dataclass(frozen=True)
class World:
    stories: list[Story]
    common: dict[int, list[int]]
    lives: list[Life]

    @property
    def redacted(self) -> set[int]:
        return {life.redacted for life in self.lives if life.redacted is not None}


NUMBERS = [1, 2, 3, 4]
SOME = st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=4, unique=True).map(sorted)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    days = st.integers(2, DAYS)
    stories = [
        Story(
            number,
            tuple(sorted(draw(st.sets(days, max_size=2)))),
            draw(st.none() | days),
            draw(st.none() | st.integers(3, DAYS)),
        )
        for number in NUMBERS[:3]
    ]
    stories.append(Story(4, copies=draw(st.sampled_from([None, 1]))))
    common = {1: draw(SOME)} if draw(st.booleans()) else {}
    lives = [
        Life(
            draw(st.dictionaries(days, SOME, min_size=1, max_size=3)),
            draw(st.integers(0, 1)),
            draw(st.none() | st.none() | st.sampled_from(NUMBERS[:3])),
            draw(st.sampled_from([None, None, "keep", "strip"])),
        )
        for _ in range(3)
    ]
    return World(stories, common, lives)


def settle(folder: Path, world: World) -> list[Path]:
    """Make the archives."""
    if world.common:
        keep(folder / "common", world.stories, world.common)
    made = []
    for number, life in enumerate(world.lives):
        directory = folder / f"{number}"
        if world.common and number < 2:  # the third one began by itself
            shutil.copytree(folder / "common", directory)
        keep(directory, world.stories, life.visits, hour=life.hour)
        decide(directory, life)
        made.append(directory)
    return made


def decide(directory: Path, life: Life) -> None:
    with Archive(directory) as archive:
        if life.verdict:
            with archive.transaction():
                archive.layouts.rule([FOOTER], life.verdict, at=LATER)
        if life.redacted is not None:
            found = archive.db.conn.execute(
                "SELECT id FROM articles WHERE post_id = ?", (100 + life.redacted,)
            ).fetchall()
            stories = [story for (story,) in found]
            redaction.redact(archive, redaction.aim(archive, stories), "asked", at=LATER - timedelta(days=1))


def join(folder: Path, name: str, first: Path | None, *others: Path) -> Path:
    to = folder / name
    if first is not None:
        shutil.copytree(first, to)
    join_into(to, *others)
    return to


def join_into(to: Path, *others: Path) -> Merged:
    return merge(to, list(others), readers=Processes(1), clock=lambda: LATER)


MORE = {
    "runs": "SELECT kind, started_at, finished_at, exit_status FROM runs",
    # of a redacted story nobody can tell any more which visit found an edit
    "visits": "SELECT started_at, url, imported_from, iif(url LIKE 'redacted:%' AND status = 200, 'seen', outcome), verdict, status, fetched_at, payload_sha256, warc_name IS NULL "
    "FROM fetches JOIN runs ON runs.id = run_id",
    "lives": "SELECT url, first_seen_at, last_seen_at, last_changed_at, captured_at, gone_at, missed_runs FROM articles",
    "states": "SELECT url, number, r.captured_at, kind FROM revisions AS r JOIN articles AS a ON a.id = article_id",
    "happened": "SELECT url, kind, at, detail FROM events JOIN articles ON articles.id = article_id",
    "copies": "SELECT a.url, b.url, similarity FROM near_duplicates AS n JOIN articles AS a ON a.id = n.article_id "
    "JOIN articles AS b ON b.id = n.other_id",
    "also at": "SELECT url, first_seen_at, last_seen_at FROM aliases",
    "redacted": "SELECT at, reason FROM redactions",  # marks of texts are those of whatever readings there were
    "verdicts": "SELECT DISTINCT text, verdict FROM furniture WHERE verdict IS NOT NULL",
    "due": "SELECT url, due_at, reason, first_seen_at, listed_at, last_fetched_at FROM frontier",
}


def facts(directory: Path) -> dict[str, list[str]]:
    """Return everything an archive says, without ids and the names of its files."""
    told = tables(directory) | {name: rows(directory, sql) for name, sql in MORE.items()}
    return {name: sorted(map(str, found)) for name, found in told.items()}


def same(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    for name, found in one.items():
        assert found == other[name], name


@settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate])
@given(worlds())
def test_order_and_steps_make_no_difference_and_every_state_is_told(world: World) -> None:
    """Commutative, associative, idempotent; nothing redacted comes back; what is told is what the site said."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        a, b, c = settle(folder, world)
        before = [content_of(one) for one in (a, b, c)]
        ab = join(folder, "ab", a, b)
        told = facts(ab)
        same(told, facts(join(folder, "ba", b, a)))
        same(told, facts(join(folder, "new", None, a, b)))
        join_into(ab, b, a)
        same(told, facts(ab))
        abc = join(folder, "abc", ab, c)
        whole = facts(abc)
        same(whole, facts(join(folder, "bca", join(folder, "bc", b, c), a)))
        assert [content_of(one) for one in (a, b, c)] == before
        nothing_is_wrong(abc)
        every_state_is_told(abc, world)
        nothing_redacted_is_left(abc, world)


def content_of(directory: Path) -> dict[str, bytes]:
    """Return all files of an archive, but for its lock and what SQLite needs beside one that is read."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal", "lock"))
    }


def nothing_is_wrong(directory: Path) -> None:
    with Archive(directory) as archive:
        assert list(verify(archive.db, directory)) == []


def every_state_is_told(directory: Path, world: World) -> None:
    """Each story's revisions are the texts that any archive saw, in the order of time."""
    for story in world.stories:
        if world.redacted & {story.number, story.copies}:
            continue
        seen = sorted(
            {(day, 0) for day, numbers in world.common.items() if story.number in numbers}
            | {
                (day, life.hour)
                for life in world.lives
                for day, numbers in life.visits.items()
                if story.number in numbers
            }
        )
        texts = ["\n\n".join(story.paragraphs(day)) for day, _ in seen if not story.is_deleted(day)]
        wanted = [text for text, before in zip(texts, [None, *texts], strict=False) if text != before]
        found = rows(
            directory,
            "SELECT r.body FROM revisions AS r JOIN articles AS a ON a.id = article_id WHERE post_id = ? ORDER BY number",
            100 + story.number,
        )
        assert [body.removesuffix(FOOTER).rstrip() for (body,) in found] == wanted


def nothing_redacted_is_left(directory: Path, world: World) -> None:
    copied = {story.copies for story in world.stories}
    for story in world.stories:
        if story.number not in world.redacted - copied:
            continue
        was_there = rows(directory, "SELECT count(*) FROM redactions")[0][0]
        words = [story.headline.encode(), *(line.encode() for line in story.paragraphs(DAYS))]
        assert (
            not was_there
            or rows(directory, "SELECT * FROM articles WHERE post_id = ?", 100 + story.number) == []
        )
        kept = b"".join(
            capture.body for path in (directory / "warc").glob("*.gz") for capture in warc.captures(path)
        )
        held = (directory / DATABASE).read_bytes()
        for word in words if was_there else ():
            assert word not in kept
            assert word not in held
