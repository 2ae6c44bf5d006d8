"""Which of the dates in a list of the site are believed: those of a list that dates everything anew are tried first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate

_FEW = 3
_SAMPLE = 10
_EVIDENCE = 100
_EVIDENCE_FOR = timedelta(days=30)
_IN_VAIN = 0.9


def with_believed_dates(
    archive: Archive, candidates: Sequence[Candidate], *, now: datetime, samples: bool
) -> list[Candidate]:
    """Return what a list names without the dates that are not believed.

    Where half of a list's stories and more claim to have changed at once, a few are asked first, from all over the
    list, if it will show the others again (`samples`). What came of those decides in the next run: the others are
    asked as well, or, when nearly all were as before, not; while what they show is held back, no other is.
    """
    known, redated = archive.listings.redated(candidates)
    if len(redated) < _FEW or 2 * len(redated) < known:
        return list(candidates)
    asked = archive.ledger.asked_for_change(_to_look_at(candidates, redated), since=now - _EVIDENCE_FOR)
    if len(asked.held) >= _FEW and 2 * len(asked.held) > asked.changed + asked.in_vain:
        doubted = set(redated) - asked.held if samples else set()
    elif asked.changed + asked.in_vain < _FEW:
        doubted = set(redated) - set(_spread(redated)) if samples else set()
    else:
        is_in_vain = asked.in_vain >= _IN_VAIN * (asked.changed + asked.in_vain)
        doubted = set(redated) if is_in_vain else set()
    return [replace(one, modified_at=None) if one.url in doubted else one for one in candidates]


def _to_look_at(candidates: Sequence[Candidate], redated: Sequence[str]) -> list[str]:
    """Return addresses that can tell: dated anew now, and those that were dated anew with them and asked since."""
    dates = {one.url: one.modified_at for one in candidates if one.modified_at is not None}
    first = min(dates[url] for url in redated)
    others = set(dates) - set(redated)
    asked_since = sorted(url for url in others if dates[url] >= first)
    return [*redated[:_EVIDENCE], *asked_since[:_EVIDENCE]]


def _spread(urls: Sequence[str]) -> list[str]:
    return [urls[place * len(urls) // _SAMPLE] for place in range(_SAMPLE)]
