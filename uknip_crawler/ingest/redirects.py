"""Where a redirect leads."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from uknip_crawler.errors import UrlRefused

STATUSES = frozenset({301, 302, 303, 307, 308})


def resolve(url: str, location: str) -> str:
    """Resolve a Location header as browsers do (https://url.spec.whatwg.org/#url-parsing): `///host` is `//host`.

    Raises UrlRefused when it is malformed.
    """
    try:
        return urljoin(url, re.sub(r"^[/\\]{2,}", "//", location))
    except ValueError:
        raise UrlRefused(f"malformed address refused: {location[:80]!r}") from None
