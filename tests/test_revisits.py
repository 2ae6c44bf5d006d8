"""Young stories often, old ones rarely, failures at the next run, what never was a story never again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from uknip_crawler.archive.frontier import AT_NEXT_RUN
from uknip_crawler.ingest.revisit_policy import next_visit
from uknip_crawler.models import FAILURES, Outcome

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("quiet", "vouched", "wait"),
    [
        (timedelta(0), False, HOUR),
        (8 * HOUR, False, 2 * HOUR),
        (40 * DAY, False, 10 * DAY),
        (4000 * DAY, False, 90 * DAY),
        (4000 * DAY, True, 180 * DAY),
    ],
)
def test_the_wait_grows_with_the_age(quiet: timedelta, vouched: bool, wait: timedelta) -> None:
    """A quarter of the age, between an hour and three months; six where a source reports changes."""
    for outcome in (Outcome.STORED, Outcome.UNCHANGED, Outcome.REVISED, Outcome.DUPLICATE):
        assert next_visit(outcome, quiet=quiet, vouched=vouched, known="live") == wait


@pytest.mark.parametrize("outcome", sorted(FAILURES))
def test_a_failure_is_tried_again_at_the_next_run(outcome: Outcome) -> None:
    """Known or not."""
    assert next_visit(outcome, quiet=None, vouched=False, known=None) == AT_NEXT_RUN


@pytest.mark.parametrize(("known", "wait"), [("live", AT_NEXT_RUN), ("gone", 90 * DAY), (None, None)])
def test_a_missing_story_is_confirmed_and_then_looked_for_now_and_then(
    known: str | None, wait: timedelta | None
) -> None:
    """A dead link that never was a story is left alone."""
    assert next_visit(Outcome.GONE, quiet=None, vouched=False, known=known) == wait


def test_a_page_that_is_no_story_is_left_alone() -> None:
    """Unless a story used to live there."""
    assert next_visit(Outcome.NOT_ARTICLE, quiet=None, vouched=False, known=None) is None
    assert next_visit(Outcome.NOT_ARTICLE, quiet=None, vouched=False, known="live") == DAY
