"""The archive → CSV, JSON, JSON Lines, Parquet, data package, WACZ: streamed, whole or absent, the same bytes every time."""

from uknip_crawler.export.checking import CheckResult, check_export
from uknip_crawler.export.differing import Difference, diff_export
from uknip_crawler.export.recipe import EVERY_FORMAT, PACKAGE, WACZ, Recipe
from uknip_crawler.export.selection import Selection, parse_day
from uknip_crawler.export.tables import TABLES
from uknip_crawler.export.writing import Summary, write_export

__all__ = [
    "EVERY_FORMAT",
    "PACKAGE",
    "TABLES",
    "WACZ",
    "CheckResult",
    "Difference",
    "Recipe",
    "Selection",
    "Summary",
    "check_export",
    "diff_export",
    "parse_day",
    "write_export",
]
