"""A story's page together with what the site's own lists say of it: where the page is silent, they are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from uknip_crawler.extraction.metadata import dates
from uknip_crawler.extraction.page.text import is_same
from uknip_crawler.models import Article, Finding
from uknip_crawler.times import london_day


def with_listed(article: Article, said: Sequence[Finding], fetched_at: datetime) -> Article:
    """Return an article with the findings of REST and feed added to its evidence.

    The first publication instant among them is taken where the page gives no date, or only that same day in London;
    the first headline where nothing else on the page supports the one that was read. An instant that is later than
    the capture, or that no list can mean, is evidence and nothing more.
    """
    believed = [found for found in (_headline(article, said), _published(article, said, fetched_at)) if found]
    if not said:
        return article
    others = [finding for finding in said if finding not in believed]
    evidence = (*reversed(believed), *article.evidence, *others)
    article = replace(article, evidence=evidence)
    for finding in believed:
        sources = {**article.sources, finding.field: finding.source}
        if finding.field == "headline" and finding.value:
            article = replace(article, headline=finding.value, sources=sources)
        else:
            instant = dates.parse(finding.value, fetched_at)
            article = replace(article, published_at=instant, published_raw=finding.raw, sources=sources)
    return article


def _headline(article: Article, said: Sequence[Finding]) -> Finding | None:
    """Return the listed headline where it is another than the page's and nothing but one printing holds that up."""
    listed = next((f for f in said if f.field == "headline" and f.value), None)
    if listed is None or listed.value is None or is_same(article.headline, listed.value):
        return None
    told = [f.value for f in article.evidence if f.field == "headline" and f.value]
    supporting = [
        value for value in told if is_same(value, article.headline) or is_same(article.headline, value)
    ]
    return listed if len(supporting) < 2 else None


def _published(article: Article, said: Sequence[Finding], fetched_at: datetime) -> Finding | None:
    own = article.published_at
    if isinstance(own, datetime):
        return None
    for finding in said:
        instant = dates.parse(finding.value, fetched_at) if finding.field == "published_at" else None
        if isinstance(instant, datetime) and (own is None or london_day(instant) == own):
            return finding
    return None
