"""Archives of an invented site whose stories are edited, moved and deleted day by day, made in a moment: no server, no crawl."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from newspaper import headline, sentence

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.ledger import Response
from uknip_crawler.extraction import read
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.ingest import workers
from uknip_crawler.ingest.outcomes import of_capture
from uknip_crawler.ingest.settlement import Settlement
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site

SITE = load_site("https://courier.example/")
FIRST_DAY = datetime(2026, 2, 1, 6, tzinfo=UTC)
FOOTER = "Send your pictures of the valley to our newsdesk."


class Inline:
    """Reads in this process what workers read in theirs, with the same functions: pools take seconds to begin, and these
    tests begin hundreds. `tests/test_merge.py` and those of reading again have real ones."""

    def __init__(self, base_url: str, learned: Learned, *, count: int) -> None:
        workers._worker = workers._Worker(load_site(base_url), learned)

    def schedule(self, task: Callable[..., Any], *arguments: Any, seconds: float) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(task(*arguments))
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Story:
    """A story of the site: on which days it is edited, moved to another address, deleted; of which story it is a copy."""

    number: int
    edits: tuple[int, ...] = ()
    moved_on: int | None = None
    deleted_on: int | None = None
    copies: int | None = None

    def path(self, day: int) -> str:
        folder = "breaking" if self.moved_on is not None and day >= self.moved_on else "news"
        return f"/{folder}/story-of-note-{self.number}/"

    def is_deleted(self, day: int) -> bool:
        return self.deleted_on is not None and day >= self.deleted_on

    @property
    def headline(self) -> str:
        return headline(self._told)

    @property
    def _told(self) -> int:
        return 7 * (self.number if self.copies is None else self.copies)

    def paragraphs(self, day: int) -> list[str]:
        """What it says on a day, without the footer: an edit puts one more sentence to the end."""
        begun = sum(edit <= day for edit in self.edits)
        return [sentence(self._told, n) for n in range(6 + begun)]

    def page(self, day: int) -> bytes:
        text = "".join(f"<p>{line}</p>" for line in self.paragraphs(day))
        return (
            f'<html lang="en"><head><title>{self.headline}</title><meta property="og:type" content="article">'
            f'<meta property="article:published_time" content="2026-01-{10 + self.number}T09:00:00Z"></head>'
            f'<body class="post-template single postid-{100 + self.number}"><main><article id="post-{100 + self.number}">'
            f'<h1 class="entry-title">{self.headline}</h1><div class="entry-content">{text}<p>{FOOTER}</p></div></article>'
            "</main></body></html>"
        ).encode()


def keep(
    directory: Path, stories: Sequence[Story], days: Mapping[int, Iterable[int]], *, hour: int = 0
) -> None:
    """Visit some stories, by number, on some days, in one run a day."""
    with Archive(directory) as archive:
        for day, numbers in sorted(days.items()):
            _run(
                archive,
                [s for s in stories if s.number in set(numbers)],
                day,
                FIRST_DAY + timedelta(days=day, hours=hour),
            )


def _run(archive: Archive, stories: Sequence[Story], day: int, at: datetime) -> None:
    with archive.transaction():
        number = archive.ledger.start_run("crawl", SITE.base_url, {}, "test", at=at)
    urls = {SITE.base_url.rstrip("/") + story.path(day): story for story in stories}
    with archive.transaction():
        archive.frontier.add(
            [Candidate(url, "article", "rest", post_id=100 + story.number) for url, story in urls.items()],
            at=at,
            due_at=at,
        )
        for url in urls:
            archive.frontier.revisit(url, reason="revisit", due_at=at)
        dues = archive.frontier.claim(number, 100, due_by=at, at=at)
    settlement = Settlement(archive, SITE, CrawlRun(number, at, lambda: at))
    visits = []
    for due in dues:
        story = urls.get(due.url)
        is_there = story is not None and not story.is_deleted(day)
        body = story.page(day) if story and is_there else b"<h1>Not found</h1>"
        capture = Capture(
            due.url, 200 if is_there else 404, (("Content-Type", "text/html; charset=utf-8"),), body, at
        )
        visit = Visit(due, Response(capture, archive.capture(number, capture, (), at=at)))
        visit.outcome, visit.detail = of_capture(capture)
        if visit.outcome is None:
            visit.reading = read(capture, SITE, expected_article=True)
        visits.append(visit)
    settlement.settle(visits)
    archive.finish_captures(at=at)
    with archive.transaction():
        archive.articles.confirm_gone(number, at=at)
        archive.ledger.close_open(number, Outcome.LOST, "not asked", at=at)
        archive.ledger.finish_run(number, 0, "finished", requests=len(visits), received_bytes=0, at=at)
