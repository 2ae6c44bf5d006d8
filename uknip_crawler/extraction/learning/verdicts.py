"""The researcher's word on a line: what must go, and what must stay whatever the rules say."""

from __future__ import annotations

from uknip_crawler.extraction.body.cleaning import Cleaned
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.extraction.learning.masking import mask
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.models import Stripped


def apply_strip(blocks: list[RawBlock], learned: Learned) -> tuple[list[RawBlock], list[Stripped]]:
    """Return the blocks without those that a verdict strips, and what was taken out."""
    if not learned.strip:
        return blocks, []
    condemned = [b for b in blocks if b.is_text and mask(b.text) in learned.strip]
    kept = [block for block in blocks if block not in condemned]
    return kept, [Stripped(block.text, "verdict") for block in condemned]


def apply_keep(blocks: list[RawBlock], cleaned: Cleaned, learned: Learned) -> None:
    """Put back, where they stood among `blocks`, the lines that a verdict keeps and a rule took out."""
    if not learned.keep:
        return
    gone = {line.text for line in cleaned.furniture}
    for index, block in enumerate(blocks):
        if not block.is_text or block.text not in gone or mask(block.text) not in learned.keep:
            continue
        above = {id(before.element) for before in blocks[:index]}
        place = sum(id(kept.element) in above for kept in cleaned.blocks)
        cleaned.blocks.insert(place, block)
        cleaned.furniture = [line for line in cleaned.furniture if line.text != block.text]
