"""What a download that brought no answer is recorded as."""

from __future__ import annotations

from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, ResponseDataLossError
from twisted.internet.error import ConnectionLost
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from uknip_crawler.errors import BudgetSpent, StorageError
from uknip_crawler.ingest.outcomes import one_line
from uknip_crawler.models import Outcome

_BY_ERROR: dict[type[Exception], Outcome] = {
    DownloadTimeoutError: Outcome.TIMEOUT,
    DownloadCancelledError: Outcome.TOO_LARGE,
    ResponseDataLossError: Outcome.DATALOSS,
    BudgetSpent: Outcome.DEFERRED,
    StorageError: Outcome.DEFERRED,  # the answer came, and could not be kept
}


def of_error(error: BaseException | None) -> tuple[Outcome, str]:
    """Return what a failed download is recorded as, with its message on one line."""
    if error is not None and isinstance(error.__cause__, ResponseFailed):
        return _of_response(error.__cause__)
    outcome = next(
        (outcome for kind, outcome in _BY_ERROR.items() if isinstance(error, kind)), Outcome.NETWORK_ERROR
    )
    if isinstance(error, DownloadCancelledError) and not str(
        error
    ):  # Scrapy tells the length only where it was announced
        return outcome, "the body goes on beyond the size limit"
    return outcome, one_line(error)


def _of_response(failed: ResponseFailed) -> tuple[Outcome, str]:
    """Return what an answer without an end of its head is recorded as: no HTTP, unless the connection broke."""
    reasons: list[BaseException] = [failure.value for failure in failed.reasons]
    broke = isinstance(failed, ResponseNeverReceived) or any(
        isinstance(one, ConnectionLost) for one in reasons
    )
    outcome = Outcome.NETWORK_ERROR if broke else Outcome.PROTOCOL_ERROR
    return outcome, one_line(reasons[0]) if reasons else one_line(failed)
