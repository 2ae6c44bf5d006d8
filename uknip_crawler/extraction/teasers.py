"""Teasers of other stories, told by the stories that the archive holds."""

from __future__ import annotations

from collections.abc import Callable

from uknip_crawler.extraction.blocks import RawBlock
from uknip_crawler.extraction.headline import Headline
from uknip_crawler.extraction.layouts import Stories
from uknip_crawler.extraction.text import is_cut, is_sentence, key
from uknip_crawler.models import BlockKind, Stripped

MIN_WORDS = 5
MIN_OPENING_WORDS = 8


def drop_teasers(
    blocks: list[RawBlock], stories: Stories, headline: Headline, leads_to_story: Callable[[str], bool]
) -> tuple[list[RawBlock], list[Stripped]]:
    """Return the blocks without headlines and openings of other stories, and what was taken out.

    `leads_to_story` tells whether an address is another story's of this site: a line that is nothing but a link
    there, and no sentence, is its headline. A whole opening counts only beside another teaser, for a second copy of a story opens like the first; the
    story's own first block never counts.
    """
    begun, doubts, teasers = False, set[int](), set[int]()
    for index, block in enumerate(blocks):
        if not block.is_text:
            continue
        words = key(block.text)
        if words in headline.echoes:
            continue
        own = not begun and block.kind is not BlockKind.HEADING and block.linked < 0.6
        linked = block.linked > 0.9 and not is_sentence(block.text) and len(words.split()) >= MIN_WORDS
        leads = linked and begun and all(leads_to_story(link.url) for link in block.links)
        if not own and (leads or _is_teaser(block, words, stories)):
            teasers.add(index)
        elif not own and _may_be_teaser(block, words, stories):
            doubts.add(index)
        begun = begun or own
    for index in [*sorted(doubts), *sorted(doubts, reverse=True)]:
        if index - 1 in teasers or index + 1 in teasers:
            teasers.add(index)
    kept = [block for index, block in enumerate(blocks) if index not in teasers]
    return kept, [Stripped(blocks[index].text, "teaser_of_story") for index in sorted(teasers)]


def _is_teaser(block: RawBlock, words: str, stories: Stories) -> bool:
    if len(words.split()) < MIN_WORDS:
        return False
    if is_cut(block.text):
        return stories.has_opening(key(block.text.rstrip("….] [")))
    return (block.linked > 0.6 or not is_sentence(block.text)) and stories.has_headline(words)


def _may_be_teaser(block: RawBlock, words: str, stories: Stories) -> bool:
    if len(words.split()) < MIN_OPENING_WORDS or block.kind is BlockKind.QUOTE:
        return False
    return stories.has_first(words) or stories.has_headline(words)
