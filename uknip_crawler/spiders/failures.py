"""What a download that brought no answer is recorded as."""

from __future__ import annotations

from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, ResponseDataLossError

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
    outcome = next(
        (outcome for kind, outcome in _BY_ERROR.items() if isinstance(error, kind)), Outcome.NETWORK_ERROR
    )
    return outcome, one_line(error)
