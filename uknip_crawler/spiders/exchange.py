"""What a request is for and what came of it: the one thing of ours that travels with Scrapy's requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scrapy import Request
from scrapy.http import Response as ScrapyResponse

from uknip_crawler.archive.ledger import Response
from uknip_crawler.ingest.visit import Visit

_KEY = "exchange"


@dataclass(slots=True)
class Exchange:
    """`visit` is the one a page is asked for, None for documents and images.

    The middlewares count how often it was `sent`, also where no answer came, and leave the last `response` in it;
    one of an image has no record.
    """

    visit: Visit | None = None
    is_image: bool = False
    sent: int = 0
    response: Response | None = None

    @classmethod
    def of(cls, request: Request) -> Exchange:
        """Return what travels with a request; a fresh one for a request that is none of ours."""
        found: Exchange = request.meta.setdefault(_KEY, cls())
        return found

    def meta(self, **more: Any) -> dict[str, Any]:
        """Return the `meta` of a request: whatever the site answers is an answer."""
        return {_KEY: self, "handle_httpstatus_all": True, **more}


def answered(response: ScrapyResponse) -> Response:
    """Return what a response was kept as."""
    assert response.request is not None
    kept = Exchange.of(response.request).response
    assert kept is not None  # CaptureMiddleware is nearest to the network
    return kept
