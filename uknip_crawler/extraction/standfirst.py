"""The standfirst: a summary in words of its own, told apart from excerpts that plugins make."""

from __future__ import annotations

import re
from collections.abc import Iterable

from uknip_crawler.extraction.blocks import RawBlock
from uknip_crawler.extraction.headline import Headline
from uknip_crawler.extraction.page import classes
from uknip_crawler.extraction.structured import Structured, text
from uknip_crawler.extraction.text import is_cut, key

_STANDFIRST = re.compile(
    r"(?:.*[-_])?(?:standfirst|subtitle|sub-?title|subhead(?:line)?|dek|psub-title)(?:[-_].*)?|excerpt"
)


def standfirst_block(blocks: Iterable[RawBlock]) -> RawBlock | None:
    """Return the block that the page marks as the standfirst, if it does."""
    for block in blocks:
        marked = block.is_text and any(
            _STANDFIRST.fullmatch(token.lower()) for token in classes(block.element)
        )
        if marked and len(block.text.split()) > 3:
            return block
    return None


def own_standfirst(
    printed: str | None, data: Structured, body: str, headline: Headline
) -> tuple[str | None, str]:
    """Return (standfirst, source): a summary in its own words, not the story's opening or the headline again."""
    descriptions = (
        ("markup", printed),
        ("json-ld", text(data.article.get("description"))),
        ("meta", data.first("og:description", "description", "twitter:description")),
    )
    story = key(body)
    for source, words in descriptions:
        bare = key(re.sub(r"[\s.…\[\]]+$", "", words or ""))
        if not bare or len(bare.split()) < 4 or bare in story:
            continue
        if (
            any(bare == echo or bare.startswith(f"{echo} ") for echo in headline.echoes)
            or bare in headline.text
        ):
            continue
        if words and not (is_cut(words) and story.startswith(" ".join(bare.split()[:6]))):
            return words, source
    return None, ""
