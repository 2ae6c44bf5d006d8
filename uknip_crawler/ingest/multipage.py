"""Stories in pages while a run visits them: which story a further page belongs to, and when its parts are asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from uknip_crawler.archive import Archive
from uknip_crawler.archive.articles import Known
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.merging import merge
from uknip_crawler.archive.story_rows import body_of
from uknip_crawler.ingest.revisit_policy import wait_of
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Article, Outcome, Paging
from uknip_crawler.sites import Site
from uknip_crawler.urls import MAX_PARTS, AddressKind, classify, is_same_address, part_of

_SOONEST = timedelta(days=1)
"""How long to wait before asking again for a part that was not there."""


@dataclass(frozen=True, slots=True)
class Part:
    """Page `number` (2 or more) of a story that lives at `first`; `story` is None where the archive has none there."""

    number: int
    first: str
    story: Known | None


class Parts:
    """The parts of stories in one run. All methods run inside the caller's transaction."""

    def __init__(self, archive: Archive, site: Site, run: CrawlRun) -> None:
        self._archive = archive
        self._site = site
        self._run = run

    def of(self, visit: Visit, article: Article) -> Part | None:
        """Return which further page of which story a visit shows, or None for a story of its own.

        The address alone proves nothing. Proof is: the story's page names it, the page says so itself, or it bears
        the number or the headline of the story at the address without the last part.
        """
        url, paging = visit.due.url, visit.reading.paging if visit.reading else None
        named, formed = self._archive.pages.at(url), part_of(url)
        says = paging is not None and paging.number > 1
        if says and paging is not None:
            number, first = paging.number, paging.first
        elif named is not None:
            number, first = named.number, url
        elif formed is not None:
            number, first = formed[1], formed[0]
        else:
            return None
        story = self._archive.articles.of(named.article_id) if named else self._at(first)
        if not 1 < number <= MAX_PARTS or (story is not None and story.url == url):
            return None
        if story is None:
            return Part(number, first, None) if says else None
        numbers = (story.post_id, article.post_id)
        if None not in numbers and numbers[0] != numbers[1]:
            return None
        is_headed = article.headline.casefold().startswith(story.headline.casefold())
        proven = says or named is not None or None not in numbers or is_headed
        return Part(number, story.url, story) if proven else None

    def story_at(self, url: str) -> Known | None:
        """Return the story that names an address as one of its parts, or None."""
        named = self._archive.pages.at(url)
        return self._archive.articles.of(named.article_id) if named else None

    def _at(self, first: str) -> Known | None:
        toggled = first.rstrip("/") if first.endswith("/") else f"{first}/"
        return self._archive.articles.at(first) or self._archive.articles.at(toggled)

    # What a page tells of the others

    def as_told(self, article: Article, visit: Visit, part: Part | None) -> Article:
        """Return a page's article with the story's address and, as far as this page knows, what is missing."""
        paging = visit.reading.paging if visit.reading else None
        last = paging.last if paging else part.number if part else 1
        number = part.number if part else 1
        missing = tuple(n for n in range(1, last + 1) if n != number)
        url = part.first if part else article.url
        return replace(article, url=url, parts=last, missing_parts=missing)

    def take(self, visit: Visit, part: Part, article: Article, article_id: int, now: datetime) -> None:
        """Record a further page as an address of its story, and ask for the parts that it names."""
        url, captured_at = visit.due.url, self._captured_at(visit)
        self._archive.articles.add_alias(article_id, url, f"part {part.number}", at=captured_at)
        self._archive.pages.is_part(visit.due.fetch_id)
        self._name(article_id, {part.number: url}, part.first, now)
        if part.story is None:
            kind = classify(part.first, self._site)
            first = Candidate(part.first, self._kind(kind), "part", url, priority=10)
            self._archive.frontier.add([first], at=now, due_at=self._run.started_at)
        if visit.reading and visit.reading.paging and not self._repeats(article_id, article):
            self._ask_for(article_id, _further(visit.reading.paging), visit, now)

    def follow(
        self, visit: Visit, article: Article, article_id: int, outcome: Outcome, now: datetime
    ) -> None:
        """Ask for the parts that a story's first page names: new ones, and all of them when the story changed."""
        assert visit.reading is not None
        paging = visit.reading.paging
        parts = _further(paging) if paging else {}
        for number, url in self._archive.pages.strays(article_id, article.url, article.post_id):
            self._absorb(article_id, number, url, visit)
        self._ask_for(article_id, parts, visit, now)
        if outcome is Outcome.REVISED or visit.due.reason == "changed":
            once = self._archive.pages.named_on(article_id, visit.due.url)
            self.look_again(article_id, but_for=[url for url in once if url not in parts.values()])

    def look_again(self, article_id: int, *, but_for: Sequence[str] = ()) -> None:
        """Have a story's parts looked at in this run, except those it has no more: something of the story changed."""
        if self._run.is_live:
            due_at = self._run.started_at
            self._archive.pages.make_due(article_id, self._run.id, but_for=but_for, due_at=due_at)

    def _ask_for(self, article_id: int, parts: Mapping[int, str], visit: Visit, now: datetime) -> None:
        for number, url in parts.items():
            self._absorb(article_id, number, url, visit)
        self._name(article_id, parts, visit.due.url, now)

    def _absorb(self, article_id: int, number: int, url: str, visit: Visit) -> None:
        """Take in a further page that passed for a story of its own before its first page came."""
        other = self._archive.articles.at(url)
        if other is None or other.id == article_id or other.url != url:
            return
        story = self._archive.articles.of(article_id)
        if story is None or (None not in (story.post_id, other.post_id) and story.post_id != other.post_id):
            return
        self._archive.pages.are_part(other.id, url)
        merge(self._archive.db, article_id, other.id, why=f"part {number}")
        self._name(article_id, {number: url}, visit.due.url, self._captured_at(visit))

    def _name(self, article_id: int, parts: Mapping[int, str], found_on: str, now: datetime) -> None:
        self._archive.pages.name(article_id, parts, found_on=found_on, at=now, due_at=self._run.started_at)

    def _repeats(self, article_id: int, article: Article) -> bool:
        """Tell whether a page is the story's first one again: then there are no more."""
        story = self._archive.articles.of(article_id)
        if story is None or 1 in json.loads(story.missing_parts or "[]"):
            return False
        opening = body_of(self._archive.db, article_id)
        return opening == article.body or opening.startswith(f"{article.body}\n\n")

    def _captured_at(self, visit: Visit) -> datetime:
        assert visit.response is not None
        return visit.response.capture.fetched_at

    def _kind(self, kind: AddressKind) -> str:
        return kind.value if kind is not AddressKind.TRAP else AddressKind.UNKNOWN.value

    # When to ask again

    def wait_of(self, url: str, outcome: Outcome, now: datetime) -> timedelta | None:
        """Return how long to wait before the next visit of a part, None for never: as its story, or soon if it failed."""
        story = self.story_at(url)
        if story is None:
            return None
        vouched = self._archive.frontier.listed_on(story.url) is not None
        wait = wait_of(story, outcome, now, vouched=vouched)
        absent = outcome in (Outcome.GONE, Outcome.NOT_ARTICLE, Outcome.SOFT_404)
        return max(wait or _SOONEST, _SOONEST) if absent else wait


def _further(paging: Paging) -> dict[int, str]:
    return {
        number: url
        for number, url in paging.others
        if 1 < number <= MAX_PARTS and not is_same_address(url, paging.first)
    }
