"""How newsrooms of a language write, as data: what tells a story's own lines from a page's."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Language:
    """Patterns to search for in a folded line whose numbers are 0: `story` for what police and newsrooms write under
    stories, `reader` for what speaks to the reader, `telling` for what reports, `asks` for what a newsroom asks of its
    readers. `offers` are what shops say of prices, `events` what they share with a story's own event. `labels` match a
    whole line that a page says of itself, `payers` the beginning of one that says who pays, `particulars` a word beside
    dates, authors and tags."""

    story: re.Pattern[str]
    reader: re.Pattern[str]
    telling: re.Pattern[str]
    labels: re.Pattern[str]
    payers: re.Pattern[str]
    asks: re.Pattern[str]
    offers: re.Pattern[str]
    events: re.Pattern[str]
    particulars: re.Pattern[str]


@cache
def load_language(name: str = "english") -> Language:
    """Return a language by the name of its file. Raises FileNotFoundError for one that nobody has described."""
    data = tomllib.loads(resources.files("uknip_crawler.sites").joinpath(f"{name}.toml").read_text("utf-8"))
    network = f"(?:{'|'.join(data['networks'])})"
    parts = ("story", "reader", "telling", "labels", "payers", "asks", "offers", "events", "particulars")
    named = (
        "|".join(data[part]).replace("@networks", f"{network}(?:(?:,? (?:and|or|&) |, ?|/){network})*")
        for part in parts
    )
    return Language(*map(re.compile, named))
