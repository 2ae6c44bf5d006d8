"""From studied captures to layouts: same captures in, same layouts out, whatever their order. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from uknip_crawler.extraction.layouts import Layout, Stories, Study
from uknip_crawler.models import Capture
from uknip_crawler.sites import Site


def study(capture: Capture, site: Site) -> Study | None:
    """Return what a capture of a story shows of its layout, or None where it shows no story."""
    raise NotImplementedError


def learn(studies: Iterable[Study], stories: Stories) -> tuple[Layout, ...]:
    """Return the layouts that the studied captures show, in the order of their skeletons."""
    raise NotImplementedError
