"""When to look at an address again: often while a story is young, rarely when it is old, sooner if it was edited."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from uknip_crawler.archive.articles import Known
from uknip_crawler.archive.database import as_moment
from uknip_crawler.archive.frontier import AT_NEXT_RUN, WHEN_GONE
from uknip_crawler.models import FAILURES, Outcome

_SOONEST = timedelta(hours=1)
_LATEST = timedelta(days=90)
_LATEST_VOUCHED = timedelta(days=180)
_KEPT = frozenset({Outcome.STORED, Outcome.UNCHANGED, Outcome.REVISED, Outcome.ALIAS, Outcome.DUPLICATE})
_LATER = {
    Outcome.PROTECTED: timedelta(days=7),
    Outcome.ROBOTS_DENIED: timedelta(days=7),
    Outcome.SOFT_404: timedelta(days=1),
}


def next_visit(
    outcome: Outcome, *, quiet: timedelta | None, vouched: bool, known: str | None, edits: int = 0
) -> timedelta | None:
    """Return how long to wait before the next visit, AT_NEXT_RUN, or None for never.

    `quiet` is how long the story has stood as it is, `edits` how often it was edited: both tell how likely another
    edit is (Cho and Garcia-Molina 2003, doi:10.1145/958942.958945). `vouched` says that a source reports its changes, so that visits are only a safety
    net; `known` is the status of the archived story that lives at the address, None when there is none.
    """
    if outcome in _KEPT:
        wait = (quiet or timedelta()) / 4 / (1 + edits)
        return min(max(wait, _SOONEST), _LATEST_VOUCHED if vouched else _LATEST)
    if outcome in FAILURES or outcome is Outcome.DEFERRED:
        return AT_NEXT_RUN
    if vouched and known is None and outcome not in _LATER:
        return timedelta(
            days=1
        )  # a source says that there is a story: one bad answer must not lose it for ever
    if outcome is Outcome.GONE:
        return {"live": AT_NEXT_RUN, "gone": WHEN_GONE}.get(known or "")
    if outcome in _LATER:
        return _LATER[outcome]
    return timedelta(days=1) if known else None


def _quiet(known: Known | None, now: datetime) -> timedelta | None:
    """Return how long a story has stood as it is: since its last edit, its publication, or our first sight of it."""
    if known is None:
        return None
    edited = known.last_changed_at if _edits(known) else None
    moment = as_moment(edited or known.published_at or known.first_seen_at)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return max(now - moment, timedelta())


def _edits(known: Known | None) -> int:
    return known.revision_count - 1 if known else 0


def wait_of(
    known: Known | None, outcome: Outcome, now: datetime, *, vouched: bool = False
) -> timedelta | None:
    """Return how long to wait before the next visit of a story (None: an address without one), or None for never."""
    standing = known.status if known else None
    return next_visit(outcome, quiet=_quiet(known, now), edits=_edits(known), vouched=vouched, known=standing)
