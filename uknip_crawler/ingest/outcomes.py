"""What an answer decides by itself, before anybody reads the page."""

from __future__ import annotations

from uknip_crawler.models import Capture, Outcome


def of_capture(capture: Capture, *, is_stopping: bool = False) -> tuple[Outcome | None, str | None]:
    """Return (outcome, detail); (None, None) when the page must be read.

    A 429 or 5xx that ends the run defers the visit: the site asked to be asked later.
    """
    status = capture.status
    if 200 <= status < 300:
        return None, None
    if status == 304:
        return Outcome.UNCHANGED, None
    if status in (404, 410):
        return Outcome.GONE, f"HTTP {status}"
    if capture.header("cf-mitigated") == "challenge":
        return Outcome.CHALLENGE, f"HTTP {status}"
    deferred = is_stopping and (status == 429 or status >= 500)
    return (Outcome.DEFERRED if deferred else Outcome.HTTP_ERROR), f"HTTP {status}"


def one_line(error: BaseException | None) -> str:
    """Return an error as `Type: message`, at most 300 characters."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
