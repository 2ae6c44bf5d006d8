"""Archive the news site uknip.co.uk: crawl, keep, read, follow, export and browse.

`Corpus` is the archive as notebooks read it; what writes is `uknip_crawler.archive`.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uknip_crawler.corpus import Corpus

__all__ = ["Corpus", "__version__"]

__version__ = version("uknip")


def __getattr__(name: str) -> object:
    """Import `Corpus` when it is first asked for: every command imports this package, few need that."""
    if name == "Corpus":
        return importlib.import_module("uknip_crawler.corpus").Corpus
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
