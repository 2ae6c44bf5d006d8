"""Where a redirect leads."""

from __future__ import annotations

import re
import zlib
from http import HTTPStatus
from urllib.parse import urljoin

from w3lib.html import get_meta_refresh

from uknip_crawler.errors import UrlRefused
from uknip_crawler.models import Capture

STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 5
_SOON_SECONDS = 5.0
"""A refresh after a longer time is no redirect: readers see the page first."""
_HEAD = 4096  # characters in which a refresh is looked for


def location_of(capture: Capture) -> str | None:
    """Return where an answer leads, as printed and not yet judged; None where it leads nowhere.

    A redirect by status, by a `Refresh` header or by `<meta http-equiv=refresh>` outside scripts' stand-ins, at once or
    nearly so; refreshes as https://html.spec.whatwg.org/#shared-declarative-refresh-steps.
    """
    if capture.status in STATUSES:
        return (capture.header("location") or "").strip()
    if capture.status != HTTPStatus.OK:
        return None
    delay, location = _refresh(capture.header("refresh")) or _meta_refresh(capture)
    return location if location and delay is not None and delay <= _SOON_SECONDS else None


def _refresh(header: str | None) -> tuple[float, str] | None:
    found = re.match(
        r"""\s*(\d{1,6})(?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?["']?([^"']{1,2083})""",
        header or "",
        re.IGNORECASE,
    )
    return (float(found[1]), found[2].strip()) if found else None


def _meta_refresh(capture: Capture) -> tuple[float | None, str | None]:
    kind = (capture.header("content-type") or "html").lower()
    if "html" not in kind:
        return None, None
    head = capture.body[: 2 * _HEAD]
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _HEAD)
        except zlib.error:
            return None, None
    try:
        return get_meta_refresh(head[:_HEAD].decode("utf-8", "replace"))
    except ValueError:  # an address that cannot be resolved
        return None, None


def resolve(url: str, location: str) -> str:
    """Resolve a Location header as browsers do (https://url.spec.whatwg.org/#url-parsing): `///host` is `//host`.

    Raises UrlRefused when it is malformed.
    """
    try:
        return urljoin(url, re.sub(r"^[/\\]{2,}", "//", location))
    except ValueError:
        raise UrlRefused(f"malformed address refused: {location[:80]!r}") from None
