"""An export into any open output, as it goes over the wire to a reader: the same rows in the same bytes as a file's."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

from uknip_crawler.export.formats import FORMATS
from uknip_crawler.export.recipe import Recipe
from uknip_crawler.export.selection import Selection
from uknip_crawler.export.snapshot import snapshot


def take(archive: Path, format_name: str, selection: Selection, output: BinaryIO) -> None:
    """Write the selected articles to an output, from one snapshot. Raises UsageError, StorageError, and what it raises."""
    recipe = Recipe(format_name, selection=selection)
    with snapshot(archive) as moment:
        _, rows = moment.rows(recipe, "articles", format_name)
        with contextlib.closing(rows):
            FORMATS[format_name].write(rows, recipe.chosen("articles"), output, False)
