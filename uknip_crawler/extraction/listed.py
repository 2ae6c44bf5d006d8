"""A story's page together with what the site's own lists say of it: where the page is silent, they are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from uknip_crawler.extraction import dates
from uknip_crawler.models import Article, Finding


def with_listed(article: Article, said: Sequence[Finding], fetched_at: datetime) -> Article:
    """Return an article with the findings of REST and feed added to its evidence.

    The first publication instant among them is taken where the page gives no date, or only that same day in London.
    An instant that is later than the capture, or that no list can mean, is evidence and nothing more.
    """
    if not said:
        return article
    own = article.published_at
    for finding in said:
        instant = dates.parse(finding.value, fetched_at) if finding.field == "published_at" else None
        if not isinstance(instant, datetime) or isinstance(own, datetime):
            continue
        if own is None or dates.london_day(instant) == own:
            others = tuple(one for one in said if one is not finding)
            return replace(
                article,
                published_at=instant,
                published_raw=finding.raw,
                sources={**article.sources, "published_at": finding.source},
                evidence=(finding, *article.evidence, *others),
            )
    return replace(article, evidence=(*article.evidence, *said))
