"""A dead man's switch: an address that is asked after each crawl that went well; who watches it hears when none comes."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from uknip_crawler.errors import UknipError

SECONDS = 10.0
TRIES = 2


def ask(address: str) -> None:
    """Ask for an http(s) address. Raises UknipError when nobody answers with a 2xx within ten seconds, twice."""
    host = urlsplit(address).hostname  # the path is a secret
    for attempt in range(1, TRIES + 1):
        try:
            request = urllib.request.Request(address, headers={"User-Agent": "uknip"})
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                answer.read(1024)
            return
        except (OSError, ValueError, urllib.error.URLError, http.client.HTTPException) as error:
            if attempt == TRIES:
                raise UknipError(f"{host}: the switch could not be asked: {error}") from None
