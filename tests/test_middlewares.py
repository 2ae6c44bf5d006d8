"""Waiting as long as the site asks, and asking public addresses only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from scrapy.exceptions import DownloadTimeoutError
from twisted.internet.error import DNSLookupError
from twisted.internet.testing import StringTransport
from twisted.web import _newclient as twisted_client
from twisted.web.http_headers import Headers

from uknip_crawler.ingest import outcomes
from uknip_crawler.middlewares import keep_odd_header_names, refuse_private, retry_after_seconds
from uknip_crawler.models import Capture, Outcome
from uknip_crawler.sites import load_site
from uknip_crawler.spiders import failures
from uknip_crawler.spiders.origin import Origin

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.fault("F18")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"Wed, 21 Oct 2026 07:30:00 GMT", 120.0),
        (b"Wed, 21 Oct 2026 07:20:00 GMT", 0.0),
        (b"soon", None),
        (b"-5", None),
        (b"\xff\xfe", None),
        (b"Wed, 99 Oct 2026 07:30:00 GMT", None),
        (b"Mon, 01 Jan 99999999999999 00:00:00 GMT", None),
        (b"", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: bytes | None, seconds: float | None) -> None:
    """RFC 9110 §10.2.3: seconds or an HTTP date; anything else says nothing."""
    assert retry_after_seconds(header, NOW) == seconds


@pytest.mark.fault("F16", "F17")
@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.9", "0.0.0.0", "100.64.0.1", "::1", "fe80::1"]
)  # fmt: skip
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """Private, loopback, link-local, shared and unspecified addresses."""
    with pytest.raises(DNSLookupError, match="not a public address"):
        refuse_private(address, "uknip.co.uk")


def test_a_public_address_passes() -> None:
    """As it came."""
    assert refuse_private("93.184.215.14", "uknip.co.uk") == "93.184.215.14"


@pytest.mark.fault("F19")
@pytest.mark.parametrize(
    ("status", "stopping", "outcome"),
    [
        (200, False, None),
        (304, False, Outcome.UNCHANGED),
        (404, False, Outcome.GONE),
        (410, False, Outcome.GONE),
        (403, False, Outcome.HTTP_ERROR),
        (503, False, Outcome.HTTP_ERROR),
        (503, True, Outcome.DEFERRED),
        (429, True, Outcome.DEFERRED),
        (500, True, Outcome.DEFERRED),
    ],
)
def test_a_status_alone_decides(status: int, stopping: bool, outcome: Outcome | None) -> None:
    """Only a page of 200 must be read; a refusal that ends the run defers the visit."""
    capture = Capture("https://uknip.co.uk/", status, (), b"", NOW)
    assert outcomes.of_capture(capture, is_stopping=stopping)[0] is outcome


def test_a_challenge_is_no_refusal_and_no_page() -> None:
    """Cloudflare says so in a header of its own."""
    capture = Capture("https://uknip.co.uk/", 403, (("Cf-Mitigated", "challenge"),), b"", NOW)
    assert outcomes.of_capture(capture) == (Outcome.CHALLENGE, "HTTP 403")


def test_an_error_keeps_its_message_on_one_line() -> None:
    """And a time-out is told from other faults of the network."""
    assert failures.of_error(DownloadTimeoutError("45\n seconds")) == (
        Outcome.TIMEOUT,
        "DownloadTimeoutError: 45 seconds",
    )
    assert failures.of_error(ConnectionResetError("by peer"))[0] is Outcome.NETWORK_ERROR


def test_the_origin_follows_the_site() -> None:
    """Canonical addresses are asked at the scheme and host that the site redirects to."""
    origin = Origin(load_site("https://uknip.co.uk/"))
    assert origin.learn("https://uknip.co.uk/a/?b=1", "https://www.uknip.co.uk/a/?b=1")
    assert origin.wire_url("https://uknip.co.uk/a/?b=1") == "https://www.uknip.co.uk/a/?b=1"
    assert not origin.learn("https://www.uknip.co.uk/a/", "https://www.uknip.co.uk/c/")


def test_a_header_whose_name_is_no_token_costs_nothing() -> None:
    """Neither the page nor the header: Twisted alone drops the whole answer."""
    keep_odd_header_names()
    keep_odd_header_names()  # a second crawler in the process changes nothing
    request = twisted_client.Request(b"GET", b"/", Headers({b"host": [b"uknip.co.uk"]}), None)
    parser = twisted_client.HTTPClientParser(request, lambda rest: None)
    parser.makeConnection(StringTransport())
    parser.dataReceived(b"HTTP/1.1 200 OK\r\nX-\xfcber: \xff\r\nServer: a\r\nContent-Length: 0\r\n\r\n")
    assert dict(parser.response.headers.getAllRawHeaders()) == {b"X-\xfcber": [b"\xff"], b"Server": [b"a"]}
