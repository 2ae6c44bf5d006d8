"""What follows a run: its stories are read again with all that it has taught."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from uknip_crawler.errors import StorageError
from uknip_crawler.jobs.derivation import bring_to_rest

if TYPE_CHECKING:
    from uknip_crawler.spiders.uknip import UknipSpider

logger = logging.getLogger(__name__)


def after_run(spider: UknipSpider) -> None:
    """Learn from a run's captures and bring readings up to date; the run's own end is on the disk by now.

    Raises StorageError; any other trouble is logged, for the run is complete without it.
    """
    workers = spider.crawler.settings.getint("UKNIP_EXTRACTION_WORKERS")
    try:
        report = bring_to_rest(spider.archive, spider.site.base_url, workers=workers, at=spider.clock())
    except StorageError:
        raise
    except Exception:
        logger.exception("stories were not read again; the next crawl does it")
        return
    if report.stories:
        logger.info("%d stories read again with what was learned", report.stories)
