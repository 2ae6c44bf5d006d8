"""Archive rows → CSV, JSON, JSON Lines: streamed, whole or absent, the same bytes every time."""

from uknip_crawler.export.selection import Selection, parse_day
from uknip_crawler.export.writing import FORMATS, Summary, export_articles

__all__ = ["FORMATS", "Selection", "Summary", "export_articles", "parse_day"]
