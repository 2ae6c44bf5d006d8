"""What each outcome of the ledger means, for readers."""

from __future__ import annotations

from uknip_crawler.models import Outcome

MEANINGS: dict[str, str] = {
    Outcome.STORED: "a new story",
    Outcome.UNCHANGED: "the story is as it was (also HTTP 304)",
    Outcome.REVISED: "the publisher changed headline or text",
    Outcome.ALIAS: "another address of a known story",
    Outcome.DUPLICATE: "a new article with the text of another; both are kept",
    Outcome.LISTED: "a source or listing whose addresses were taken",
    Outcome.GONE: "404 or 410",
    Outcome.NOT_ARTICLE: "a page that is no story",
    Outcome.SOFT_404: "a “not found” page sent as 200",
    Outcome.PROTECTED: "behind a password or login",
    Outcome.CHALLENGE: "a bot check instead of the page",
    Outcome.INTERRUPTED: "something else stood in the story's place: a wall, a notice, a site that was ill",
    Outcome.BLOCKED_HOST: "another host than the site's: not asked",
    Outcome.BLOCKED_URL: "an address of a form we never ask for",
    Outcome.ROBOTS_DENIED: "robots.txt says no",
    Outcome.TRAP: "an endless calendar, search or the like: not asked",
    Outcome.REDACTED: "a story that was taken out of the archive; in place of the address stands a digest",
    Outcome.TOO_LARGE: "over the size limit",
    Outcome.TIMEOUT: "no answer in time",
    Outcome.NETWORK_ERROR: "no connection, or it broke",
    Outcome.HTTP_ERROR: "another 4xx or 5xx",
    Outcome.PROTOCOL_ERROR: "an answer that is not HTTP",
    Outcome.SOURCE_FAILED: "a list of the site that could not be read; another took its place",
    Outcome.DATALOSS: "the body ended early",
    Outcome.BAD_ENCODING: "the body is not what its Content-Encoding says",
    Outcome.REDIRECT_LOOP: "redirects in a circle",
    Outcome.REDIRECT_LIMIT: "too many redirects",
    Outcome.REFUSED: "an image that is none, or is larger than is kept",
    Outcome.EXTRACT_ERROR: "extraction failed",
    Outcome.EXTRACT_TIMEOUT: "extraction took too long",
    Outcome.DEFERRED: "left for a later run",
    Outcome.LOST: "still open when the run ended",
}
