"""A real WordPress on loopback, filled with invented news, whose own database says what a crawl must find."""

from wordpress.archivist import Archivist, Crawl, Row
from wordpress.download import Unavailable, missing_requirements, unpacked_wordpress
from wordpress.site import Story, WordPress

__all__ = [
    "Archivist",
    "Crawl",
    "Row",
    "Story",
    "Unavailable",
    "WordPress",
    "missing_requirements",
    "unpacked_wordpress",
]
