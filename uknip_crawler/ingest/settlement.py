"""How a visit ends: one transaction that stores the story, closes the ledger rows and feeds the frontier.

The crawl and the replay of orphaned captures end visits the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.archive.articles import Known
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.redactions import address_mark, marks_of
from uknip_crawler.archive.story_rows import Evidence, replace_furniture
from uknip_crawler.duplicates.fingerprints import content_sha256
from uknip_crawler.errors import StorageError
from uknip_crawler.extraction.learning.studying import STUDY_VERSION
from uknip_crawler.extraction.metadata.listed import with_listed
from uknip_crawler.ingest.hops import Hops
from uknip_crawler.ingest.judgement import interrupts
from uknip_crawler.ingest.multipage import Parts
from uknip_crawler.ingest.outcomes import one_line
from uknip_crawler.ingest.outlinks import Following
from uknip_crawler.ingest.planning import Planning, validators
from uknip_crawler.ingest.revisit_policy import wait_of
from uknip_crawler.ingest.second_look import SecondLook
from uknip_crawler.ingest.visit import CrawlRun, Hop, Visit
from uknip_crawler.models import Article, Outcome
from uknip_crawler.sites import Site
from uknip_crawler.urls import post_number, slug

logger = logging.getLogger(__name__)


class Settlement:
    """Ends visits of one run in one archive."""

    def __init__(self, archive: Archive, site: Site, run: CrawlRun) -> None:
        self._archive = archive
        self._run = run
        self._planning = Planning(archive, run)
        self._hops = Hops(archive, self._planning)
        self._following = Following(archive, site, run)
        self._parts = Parts(archive, site, run)
        self._second_look = SecondLook(archive, run)

    def settle(self, visits: Sequence[Visit]) -> list[Outcome]:
        """Store everything some visits brought, in one transaction; return their outcomes.

        Their captures are on the disk first: a row never points at bytes that may be lost. A visit that cannot
        be stored ends as extract_error and takes no other with it. Raises StorageError; then none is settled.
        """
        self._archive.sync_captures()
        now = self._run.clock()
        try:
            with self._archive.transaction():
                return [self._settle(visit, now) for visit in visits]
        except BaseException:
            self._following.forget()
            raise

    def _settle(self, visit: Visit, now: datetime) -> Outcome:
        try:
            with self._archive.savepoint():
                return self._settle_one(visit, now)
        except StorageError:
            raise
        except Exception as error:  # a page that breaks our own code must not stop the others
            logger.exception("%s could not be stored", visit.due.url)
            self._following.forget()
            visit.reading, visit.outcome = None, Outcome.EXTRACT_ERROR
            visit.detail = one_line(error)
            return self._settle_one(visit, now)

    def _settle_one(self, visit: Visit, now: datetime) -> Outcome:
        outcome, article_id = self._end(visit)
        if outcome is Outcome.REDACTED:
            self._hops.withhold([*visit.hops, _hop(visit)], article_id, now)
            return outcome
        self._close(visit, outcome, article_id, now)
        for hop in visit.hops:
            self._hops.settle(hop, visit.due.url, outcome, article_id, now)
        if visit.reading is not None and self._run.is_live:
            self._following.follow(visit, now)
        self._second_look.after(visit, outcome, article_id)
        return outcome

    def resolve_redirect(self, visit: Visit, target: str) -> None:
        """End a visit, and the hops before it, that redirect to an address this run has already visited."""
        self._archive.sync_captures()
        now = self._run.clock()
        with self._archive.transaction():
            outcome, article_id = self._archive.ledger.ended(self._run.id, target)
            hops = [*visit.hops, _hop(visit)]
            if outcome is Outcome.REDACTED:
                self._hops.withhold(hops, self._archive.redactions.matching({address_mark(target)}), now)
                return
            for hop in hops:
                self._hops.settle(hop, target, outcome, article_id, now)

    def settle_lone_redirects(self, hops: Sequence[Hop], target: str) -> None:
        """End redirects captured without the page they led to: aliases where another capture shows the story there."""
        self._archive.sync_captures()
        with self._archive.transaction():
            marks = {address_mark(target), *(address_mark(hop.url) for hop in hops)}
            if (redaction := self._archive.redactions.matching(marks)) is not None:
                self._hops.withhold(hops, redaction, self._run.clock())
                return
            known = self._archive.articles.at(target)
            outcome = Outcome.UNCHANGED if known else Outcome.LOST
            for hop in hops:
                self._hops.settle(hop, target, outcome, known.id if known else None, self._run.clock())

    # What the answer means for the story

    def _end(self, visit: Visit) -> tuple[Outcome, int | None]:
        """Return the outcome with the story's id, or, where it is REDACTED, the redaction's number."""
        led_to = visit.detail if visit.outcome is Outcome.REDACTED else None
        redaction = self._archive.redactions.matching({address_mark(led_to or visit.due.url)})
        if redaction is not None:
            return Outcome.REDACTED, redaction
        known = self._archive.articles.at(visit.due.url) or self._parts.story_at(visit.due.url)
        if visit.outcome is Outcome.GONE and known:
            self._planning.missed(known, visit.due.url, "missing", visit.detail or "not found")
        if visit.outcome is Outcome.UNCHANGED and known is None:
            visit.outcome, visit.detail = Outcome.HTTP_ERROR, "HTTP 304 for a page we never had"
        if visit.outcome is Outcome.UNCHANGED and known:
            if known.status != "gone" or self._archive.pages.at(visit.due.url) is None:
                self._archive.articles.seen_unchanged(known, self._evidence(visit))
            if visit.due.reason == "changed" and known.parts > 1:
                self._parts.look_again(known.id)
        if visit.outcome is not None:
            return visit.outcome, known.id if known else None
        assert visit.reading is not None
        if visit.reading.outcome is Outcome.PROTECTED and known:
            self._archive.articles.protected(known, visit.due.url, self._run.id, at=self._run.clock())
        article = visit.reading.article
        if article is None:
            return visit.reading.outcome or Outcome.NOT_ARTICLE, known.id if known else None
        if why := interrupts(self._archive, visit, article, known, self._run.id):
            visit.reading, visit.detail = None, why  # its links lead to nothing of the site
            return Outcome.INTERRUPTED, known.id if known else None
        return self._store(visit, article)

    def _store(self, visit: Visit, article: Article) -> tuple[Outcome, int | None]:
        assert visit.reading is not None
        assert visit.response is not None
        articles = self._archive.articles
        digest = content_sha256(article.headline, article.body)
        part = self._parts.of(visit, article)
        article = self._parts.as_told(article, visit, part)
        article = article if part else self._with_trusted_url(article, visit.due.url, digest)
        said = self._archive.frontier.said_of(article.url, article.post_id, visit.due.url)
        article = with_listed(article, said, visit.response.capture.fetched_at)
        digest = content_sha256(article.headline, article.body)
        came_from = [hop.url for hop in visit.hops]
        marks = marks_of(
            [article.url, visit.due.url, *came_from], article.post_id, article.published_at, [digest]
        )
        redaction = self._archive.redactions.matching(marks)
        if (
            redaction is not None and articles.at(article.url) is None
        ):  # a copy that stays is a story of its own
            return Outcome.REDACTED, redaction
        evidence = self._evidence(visit)
        in_parts = visit.reading.paging is not None
        visit.part = part.number if part else 1
        outcome, article_id = articles.store(
            article, digest, evidence, came_from, part=visit.part if part or in_parts else None
        )
        now = self._run.clock()
        if part is not None:
            is_new = articles.at(visit.due.url) is None
            self._parts.take(visit, part, article, article_id, now)
            outcome = Outcome.ALIAS if is_new and outcome is Outcome.UNCHANGED else outcome
            self._archive.ledger.note_layout(visit.due.fetch_id, evidence.layout_id)
            return outcome, article_id
        self._parts.follow(visit, article, article_id, outcome, now)
        if article.url != visit.due.url:
            articles.add_alias(article_id, visit.due.url, "canonical link", at=evidence.captured_at)
            self._frontier_knows(article.url, outcome, article_id)
            outcome = Outcome.ALIAS if outcome is Outcome.UNCHANGED else outcome
        replace_furniture(
            self._archive.db, article_id, visit.reading.furniture, at=visit.response.capture.fetched_at
        )
        self._archive.ledger.note_layout(visit.due.fetch_id, evidence.layout_id)
        if visit.reading.study is not None:
            self._archive.layouts.keep_study(visit.due.fetch_id, STUDY_VERSION, visit.reading.study)
        return outcome, article_id

    def _with_trusted_url(self, article: Article, visited: str, digest: str) -> Article:
        """Believe a canonical link only where it cannot hand one story's address to another."""
        there = self._archive.articles.at(article.url)
        believed = (
            article.url == visited
            or (slug(article.url) == slug(visited) != "")
            or (article.post_id is not None and post_number(visited) == article.post_id)
            or (there is not None and _is_same(there, article, digest))
        )
        return article if believed else replace(article, url=visited)

    def _frontier_knows(self, url: str, outcome: Outcome, article_id: int) -> None:
        """Spare a visit of the canonical address: its page has just been read."""
        now = self._run.clock()
        self._archive.frontier.add(
            [Candidate(url, "article", "canonical")], at=now, due_at=self._run.started_at
        )
        self._planning.plan(
            url, outcome, wait_of(self._archive.articles.at(url), outcome, now), article_id, now
        )

    def _evidence(self, visit: Visit) -> Evidence:
        assert visit.response is not None
        captured_at, reading = visit.response.capture.fetched_at, visit.reading
        skeleton = reading.skeleton if reading else None
        layout_id = self._archive.layouts.id_of(skeleton, at=captured_at) if skeleton else None
        version = reading.version if reading else ""
        return Evidence(self._run.id, visit.due.fetch_id, captured_at, version, layout_id)

    # Closing rows

    def _close(self, visit: Visit, outcome: Outcome, article_id: int | None, now: datetime) -> None:
        response, reading = visit.response, visit.reading
        detail = visit.detail
        if reading is not None and detail is None:
            detail = reading.reason or (", ".join(reading.flags) or None)
        self._archive.ledger.close(
            visit.due.fetch_id,
            outcome,
            at=now,
            detail=detail,
            response=response,
            article_id=article_id,
            attempts=visit.attempts,
        )
        here = self._archive.articles.at(visit.due.url)
        if self._archive.pages.at(visit.due.url) is not None:
            wait = self._parts.wait_of(visit.due.url, outcome, now)
        elif here is not None and here.url != visit.due.url:
            wait = None  # an alias: the story is followed at its own address
        else:
            wait = wait_of(here, outcome, now, vouched=visit.due.listed_on is not None)
        self._planning.plan(visit.due.url, outcome, wait, article_id, now, *validators(visit, outcome))


def _hop(visit: Visit) -> Hop:
    return Hop(visit.due.fetch_id, visit.due.url, visit.response)


def _is_same(known: Known, article: Article, digest: str) -> bool:
    if known.post_id is not None and article.post_id is not None:
        return known.post_id == article.post_id
    return known.content_sha256 == digest
