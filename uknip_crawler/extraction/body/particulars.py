"""Lines that only say when, by whom and under what a story is filed: its particulars, which its fields hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from uknip_crawler.extraction.metadata.dates import printed_days
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.models import BlockKind, Moment
from uknip_crawler.sites import fold
from uknip_crawler.sites.language import load_language

MAX_WORDS = 30
_ENGLISH = load_language()
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is known of a story besides its text: `labels` are folded names of its section and tags, `filed` the
    addresses that the page's own links to sections, tags and authors lead to."""

    authors: Sequence[str] = ()
    moments: Sequence[Moment] = ()
    labels: frozenset[str] = frozenset()
    filed: frozenset[str] = frozenset()

    def lines_of(self, blocks: Sequence[RawBlock]) -> set[int]:
        """Return the indexes of lines that say nothing else: links to where the story is filed wherever they stand,
        its author and its days only above its first long sentence and below its last."""
        told = [index for index, block in enumerate(blocks) if block.is_told]
        inner = range(told[0], told[-1]) if told else range(0)
        return {
            index
            for index, block in enumerate(blocks)
            if self._is_all_of(block, with_names=index not in inner)
        }

    def _is_all_of(self, block: RawBlock, *, with_names: bool) -> bool:
        if block.kind is not BlockKind.PARAGRAPH or block.is_spared or len(block.text.split()) > MAX_WORDS:
            return False
        said = [link.text for link in block.links if link.url in self.filed or fold(link.text) in self.labels]
        if with_names:
            said += [author for author in self.authors if author in block.text]
            said += [
                raw for raw, day in printed_days(block.text) if any(_is_near(day, m) for m in self.moments)
            ]
        rest = block.text
        for name in said:
            rest = rest.replace(name, " ", 1)
        return bool(said) and all(_ENGLISH.particulars.fullmatch(word) for word in _WORD.findall(fold(rest)))


def _is_near(day: date, moment: Moment) -> bool:
    """Tell whether a printed day is a moment's, in whatever zone it was printed."""
    own = moment.date() if isinstance(moment, datetime) else moment
    return abs((day - own).days) <= 1
