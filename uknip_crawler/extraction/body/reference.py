"""A story's own content as the site hands it out, read like a page's body; and how a reading compares with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lxml import etree

from uknip_crawler.extraction.body.blocks import read_blocks
from uknip_crawler.extraction.body.cleaning import is_player_line, without_token
from uknip_crawler.extraction.page import parse
from uknip_crawler.models import BlockKind
from uknip_crawler.sites import Site

MAX_CHARACTERS = 1_000_000
EXCERPT_ENDS = ("[…]", "[...]", "[&hellip;]", "…]")


@dataclass(frozen=True, slots=True)
class Score:
    """How a reading compares with the site's own text: shares of words, 0 to 1, order aside."""

    precision: float
    recall: float
    is_exact: bool


def reference_body(html: str, url: str, site: Site) -> str | None:
    """Return the plain text of WordPress's `content.rendered` or a feed's `content:encoded`, as `Article.body` has it.

    Captions, embeds and shortcodes are left out, as they are from a page; a promotion that the site puts into its
    own content is not. None for nothing, and for a mere excerpt.
    """
    if not html.strip() or len(html) > MAX_CHARACTERS:
        return None
    try:
        # without the wrapping a lone outer element would pass for the page itself
        page = parse(f"<html><body><div>{html}</div></body></html>".encode(), url, "text/html; charset=utf-8")
    except etree.ParserError:
        return None
    lines = []
    for block in read_blocks(page):
        text = block.text
        for token in site.furniture.tokens:
            text = without_token(text, token)
        if block.is_text and text and not is_player_line(text):
            lines.append(f"- {text}" if block.kind is BlockKind.LIST_ITEM else text)
    if not lines or lines[-1].rstrip().endswith(EXCERPT_ENDS):
        return None
    return "\n\n".join(lines)


def compare(body: str, reference: str) -> Score:
    """Compare a reading with the reference, both plain text."""
    ours, theirs = Counter(_words(body)), Counter(_words(reference))
    common = (ours & theirs).total()
    return Score(
        common / ours.total() if ours else 1.0,
        common / theirs.total() if theirs else 1.0,
        _words(body) == _words(reference),
    )


def _words(text: str) -> list[str]:
    return [word for line in text.split("\n") for word in line.removeprefix("- ").split()]
