"""Times that cannot be right: in the future of the capture, out of order, or from before the web."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from uknip_crawler.models import Article, Moment

LONDON = ZoneInfo("Europe/London")
EARLIEST = date(1990, 1, 1)
CLOCKS_DIFFER = timedelta(minutes=5)


def impossible_times(article: Article, captured_at: datetime) -> tuple[str, ...]:
    """Return what is wrong with a story's times, as names in a fixed order.

    `published_in_future` and `modified_in_future` are later than the capture (aware UTC), `published_too_early` is
    before 1990, `modified_before_published` speaks for itself. A time that was not believed is told by its text,
    where that is ISO 8601.
    """
    published = article.published_at or _iso(article.published_raw)
    modified = article.modified_at or _iso(article.modified_raw)
    flags = {
        "published_in_future": published is not None and _is_after(published, captured_at + CLOCKS_DIFFER),
        "modified_in_future": modified is not None and _is_after(modified, captured_at + CLOCKS_DIFFER),
        "modified_before_published": published is not None
        and modified is not None
        and _is_after(published, modified),
        "published_too_early": published is not None and london_day(published) < EARLIEST,
    }
    return tuple(name for name, is_wrong in flags.items() if is_wrong)


def _is_after(one: Moment, other: Moment) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one > other
    return london_day(one) > london_day(other)  # of a bare day nothing finer is known


def london_day(moment: Moment) -> date:
    """Return the day in London on which a moment falls."""
    return moment.astimezone(LONDON).date() if isinstance(moment, datetime) else moment


def utc_text(instant: datetime, precision: str = "seconds") -> str:
    """Write an aware instant as `2024-06-19T09:32:00Z`, also of years before 1000, whose digits strftime leaves out.

    `precision` is what `datetime.isoformat` calls it. Raises OverflowError where UTC has no such year.
    """
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _iso(text: str | None) -> Moment | None:
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(LONDON) if found.tzinfo else found.replace(tzinfo=LONDON)
    except (ValueError, OverflowError):
        return None
