"""Archive the news site uknip.co.uk: crawl, keep, read, follow, export and browse.

`Archive` here is the read-only view for notebooks, `uknip_crawler.library`; what writes is `uknip_crawler.archive`.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uknip_crawler.library import Archive

__all__ = ["Archive", "__version__"]

__version__ = version("uknip")


def __getattr__(name: str) -> object:
    """Import `Archive` when it is first asked for: every command imports this package, few need that."""
    if name == "Archive":
        return importlib.import_module("uknip_crawler.library").Archive
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
