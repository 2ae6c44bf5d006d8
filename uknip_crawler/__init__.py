"""Archive the news site uknip.co.uk: crawl, keep, read, follow, export and browse."""

from importlib.metadata import version

__version__ = version("uknip")
