"""How much a run may do: pages to visit, requests to make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from uknip_crawler.errors import BudgetSpent

_ANY = 2**31


@dataclass(slots=True)
class Budget:
    """`pages` and `requests` a run may not exceed, None for any number; `spent` requests are made."""

    pages: int | None = None
    requests: int | None = None
    spent: int = 0

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """Read the spider's arguments `limit` and `budget`. Raises ValueError when they are no numbers."""
        pages, requests = (arguments.get(name) for name in ("limit", "budget"))
        return cls(int(pages) if pages else None, int(requests) if requests else None)

    def spend(self) -> None:
        """Count a request about to be made. Raises BudgetSpent when the run may make no more."""
        if self.is_spent:
            raise BudgetSpent(f"the run's {self.requests:,} requests are made")
        self.spent += 1

    def room(self, *, ended: int, in_flight: int) -> int:
        """Return how many more visits may begin; each costs a request at least."""
        pages = (self.pages or _ANY) - ended
        requests = (self.requests or _ANY) - self.spent
        return min(pages, requests) - in_flight

    @property
    def is_spent(self) -> bool:
        """Whether the run has made all the requests it may."""
        return self.requests is not None and self.spent >= self.requests

    def exhausted(self, *, ended: int) -> str | None:
        """Return what has run out when no more visits may begin, or None."""
        if self.is_spent:
            return "budget spent"
        return "limit reached" if self.pages is not None and ended >= self.pages else None
