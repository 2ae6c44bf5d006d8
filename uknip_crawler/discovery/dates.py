"""The two ways sources print instants: ISO 8601 and the dates of e-mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST = 64  # characters; no instant is longer, and what is longer was written to cost us time


def iso_instant(text: str | None) -> datetime | None:
    """Return an ISO 8601 / W3C date as aware UTC, or None for junk.

    Without a zone it is UTC: WordPress's `_gmt` fields are, and sitemaps should say otherwise. A bare day is its
    first instant.
    """
    stripped = (text or "").strip()
    if len(stripped) > _LONGEST:
        return None
    try:
        instant = datetime.fromisoformat(stripped)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def mail_instant(text: str | None) -> datetime | None:
    """Return an RFC 5322 date as aware UTC, or None for junk or a zone that e-mail does not define.

    `BST` is British Summer Time: some feeds on London time print it, though RFC 5322 has no such name.
    """
    stripped = (text or "").strip()
    if len(stripped) > _LONGEST:
        return None
    london = re.sub(r"\bBST$", "+0100", stripped)
    try:
        instant = parsedate_to_datetime(re.sub(r"-0000$", "+0000", london))
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
