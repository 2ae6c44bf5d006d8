"""Is it the page or the site? A run that meets a page unlike this site's looks at a few known stories in the same run.

A small crawl sees one or two pages, of which nothing can be told: measured at eight stories a day and half-hourly crawls,
a redesign and an emptied template were found in the third crawl, stories that answer 404 in the fourth.
"""

from __future__ import annotations

from uknip_crawler.archive import Archive
from uknip_crawler.ingest.visit import CrawlRun, Visit
from uknip_crawler.models import Outcome

STORIES = 5
"""With the page itself enough to tell a habit of one page in ten from a site that has changed, at odds of one in 100,000."""
REASON = "second look"
_BEFORE_ALL_OTHERS = 25
_NOT_THE_STORY = frozenset({Outcome.INTERRUPTED, Outcome.CHALLENGE})
_NO_STORY = frozenset(
    {Outcome.NOT_ARTICLE, Outcome.SOFT_404, Outcome.EXTRACT_ERROR, Outcome.EXTRACT_TIMEOUT, Outcome.GONE}
)


class SecondLook:
    """The second look of one run; it has at most one, so that it asks for five pages more and no sixth."""

    def __init__(self, archive: Archive, run: CrawlRun) -> None:
        self._archive = archive
        self._run = run
        self._is_taken = False

    def after(self, visit: Visit, outcome: Outcome, article_id: int | None) -> None:
        """Make known stories due in this run if a visit gave reason to."""
        if self._is_taken or not self._run.is_live or not self._gives_reason(visit, outcome, article_id):
            return
        self._is_taken = True
        frontier = self._archive.frontier
        since = self._run.started_at
        for url in frontier.newest_stories(STORIES, not_visited_since=since):
            frontier.revisit(url, reason=REASON, due_at=since, priority=_BEFORE_ALL_OTHERS)

    def _gives_reason(self, visit: Visit, outcome: Outcome, article_id: int | None) -> bool:
        if outcome in _NOT_THE_STORY:
            return True
        if outcome is Outcome.GONE and visit.due.listed_on is None and visit.due.reason != "revisit":
            return False  # the site's own list has given the story up, or it was missed before
        if outcome in _NO_STORY:
            return article_id is not None
        skeleton = visit.reading.skeleton if visit.reading else None
        # while the first crawl goes on, killed and given again or not, most layouts are met for the first time
        if skeleton is None or not self._archive.ledger.has_finished_crawl():
            return False
        return self._archive.layouts.is_new(skeleton, run_id=self._run.id)
