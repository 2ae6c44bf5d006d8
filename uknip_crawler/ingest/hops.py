"""What becomes of the addresses that redirected on the way to a page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from uknip_crawler.archive import Archive
from uknip_crawler.archive.articles import Known
from uknip_crawler.ingest.planning import ARTICLE_OUTCOMES, Planning
from uknip_crawler.ingest.revisit_policy import wait_of
from uknip_crawler.ingest.visit import Hop
from uknip_crawler.models import Outcome
from uknip_crawler.urls import post_number, slug


class Hops:
    """Ends the rows of redirects. All methods run inside the caller's transaction."""

    def __init__(self, archive: Archive, planning: Planning) -> None:
        self._archive = archive
        self._planning = planning

    def settle(self, hop: Hop, target: str, outcome: Outcome, article_id: int | None, now: datetime) -> None:
        known = self._archive.articles.at(hop.url)
        if outcome not in ARTICLE_OUTCOMES or article_id is None:
            ended, detail = self._hop_to_nothing(known, hop.url, outcome, target)
        elif known and known.id == article_id:
            ended, detail = Outcome.ALIAS, f"redirects to {target}"
        elif known:
            ended, detail = Outcome.GONE, f"redirects to another story: {target}"
            self._planning.missed(known, hop.url, "redirected", detail)
        elif why := self._alias_evidence(hop.url, article_id, target):
            seen_at = hop.response.capture.fetched_at if hop.response else now
            self._archive.articles.add_alias(article_id, hop.url, why, at=seen_at)
            ended, detail = Outcome.ALIAS, f"redirects to {target} ({why})"
        else:
            ended, detail = (
                Outcome.NOT_ARTICLE,
                f"redirects to {target}; nothing shows that both are one story",
            )
        owner = known.id if known else (article_id if ended is Outcome.ALIAS else None)
        self._archive.ledger.close(
            hop.fetch_id,
            ended,
            at=now,
            detail=detail,
            response=hop.response,
            redirected_to=target,
            article_id=owner,
        )
        here = known if known and known.url == hop.url else None
        vouched = self._archive.frontier.listed_on(hop.url) is not None
        is_alias = ended is Outcome.ALIAS or (known and not here)  # the story is followed at its own address
        wait = None if is_alias else wait_of(here, ended, now, vouched=vouched)
        self._planning.plan(hop.url, ended, wait, owner, now)

    def _hop_to_nothing(
        self, known: Known | None, hop_url: str, outcome: Outcome, target: str
    ) -> tuple[Outcome, str]:
        if known and outcome in (Outcome.GONE, Outcome.NOT_ARTICLE, Outcome.LISTED):
            detail = f"redirects to {target}, which is no story"
            self._planning.missed(known, hop_url, "redirected", detail)
            return Outcome.GONE, detail
        return outcome, f"redirects to {target}"

    def _alias_evidence(self, url: str, article_id: int, target: str) -> str | None:
        """Return why an address that redirects to a story is the story's own, or None."""
        row = self._archive.db.conn.execute(
            "SELECT articles.post_id, (SELECT post_id FROM frontier WHERE url = ?) FROM articles WHERE id = ?",
            (url, article_id),
        ).fetchone()
        post_id, listed_post_id = row
        if post_id is not None and post_number(url) == post_id:
            return "shortlink"
        if post_id is not None and listed_post_id == post_id:
            return "post number"
        named = self._archive.pages.at(url)
        if named is not None and named.article_id == article_id:
            return f"part {named.number}"
        if slug(url) == slug(target) != "":
            return "redirect with the same slug"
        return None

    def withhold(self, hops: Iterable[Hop], redaction: int | None, now: datetime) -> None:
        """Close the rows of addresses that led to a redacted story, and hide them; their records go with the run."""
        for hop in hops:
            known = self._archive.articles.at(hop.url)
            outcome, owner = (Outcome.GONE, known.id) if known else (Outcome.REDACTED, None)
            self._archive.ledger.close(hop.fetch_id, outcome, at=now, response=hop.response, article_id=owner)
            if known:
                self._planning.missed(known, hop.url, "redirected", "redirects to a redacted story")
                self._planning.plan(hop.url, outcome, wait_of(known, outcome, now), owner, now)
            else:
                self._archive.redactions.withhold(hop.fetch_id, hop.url, redaction)
