"""Archive times as a reader in London knows them, with UTC at hand."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from uknip_crawler.times import LONDON, utc_text


def london_time(text: str | None) -> str:
    """Write an archive time for reading: `14 June 2024, 16:21` in London, `16 September 2020` for a bare day."""
    instant = _instant(text)
    if instant is None:
        return text or ""
    if "T" not in (text or ""):
        return f"{instant.day} {instant:%B %Y}"
    local = instant.astimezone(LONDON)
    return f"{local.day} {local:%B %Y, %H:%M}"


def london_day(text: str | None) -> str:
    """Write the day of an archive time: `14 June 2024`."""
    return london_time(text).partition(",")[0]


def london_date(text: str | None) -> str | None:
    """Return the London day of an archive time, `2024-06-14`, or None for what is no time."""
    instant = _instant(text)
    if instant is None:
        return None
    return (instant.astimezone(LONDON) if "T" in (text or "") else instant).date().isoformat()


def instant_text(text: str | None) -> str | None:
    """Return an archive time as an instant in UTC, a bare day as its midnight in London; None for what is no time."""
    instant = _instant(text)
    if instant is None:
        return None
    if "T" not in (text or ""):
        instant = instant.replace(tzinfo=LONDON)
    return utc_text(instant)


def time_element(text: str | None, *, day_only: bool = False) -> Markup:
    """Return a `<time>` that shows London and tells UTC to whoever hovers; nothing where there is no time."""
    if not text:
        return Markup("")
    shown = london_day(text) if day_only else london_time(text)
    instant = _instant(text)
    if instant is None:
        return Markup("<span>{}</span>").format(shown)
    if "T" not in text:
        return Markup('<time datetime="{}" title="The page prints no time of day">{}</time>').format(
            text, shown
        )
    title = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, title, shown)


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC)
