"""Lines that only lead elsewhere: a reader follows them, a story does without them."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import urlsplit

from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.text import is_sentence
from uknip_crawler.models import BlockKind
from uknip_crawler.sites import Site

_MORE = re.compile(
    r"(?i)(?:read more|read also|also read|see also|related|more|must read|don't miss)\s*[:–—-]"
)
_CALL = re.compile(
    r"(?i)[\W_]*(?:click|tap|download|follow|join|sign up|subscribe|get (?:the|our)|watch|listen|read more|see more)\b"
)
_SPELT_OUT = re.compile(
    r"(?i)\b(?:https?://|www\.)|\b[\w-]+\.(?:com|org|net|co\.uk|org\.uk|gov\.uk|uk|eu)\b|@"
)


MAX_LABEL_WORDS = 8


def lines_that_lead(blocks: list[RawBlock], site: Site, url: str) -> set[int]:
    """Return the indexes of lines that are nothing but links, of `Read more: …` lines, and of labels above them.

    Entries of lists stay, unless they lead to this site and several stand together. `url` is the page's own address.
    """
    linked = [block.is_text and block.linked > 0.9 and _leads_home(block, site) for block in blocks]
    is_roundup = _is_roundup(blocks)
    found = set()
    for index, block in enumerate(blocks):
        if not block.is_text or (is_roundup and block.kind is BlockKind.HEADING):
            continue
        beside = any(0 <= near < len(blocks) and linked[near] for near in (index - 1, index + 1))
        called = block.linked > 0.5 and _MORE.match(block.text) and _leads_home(block, site)
        if called or (linked[index] and beside) or _is_lone_link(block, site, url):
            found.add(index)
    return found | {index - 1 for index in found if index and _introduces(blocks[index - 1])}


def _introduces(block: RawBlock) -> bool:
    """Tell whether a line is a label that ends in a colon: it goes with the links below it."""
    is_label = block.is_text and not block.linked and not block.is_spared
    return is_label and block.text.rstrip().endswith(":") and len(block.text.split()) <= MAX_LABEL_WORDS


def _is_lone_link(block: RawBlock, site: Site, url: str) -> bool:
    """Tell whether a line outside a list only leads elsewhere: on real pages hardly one in twenty is story.

    An address spelt out is told to the reader, and so is what leads to another site, if it does not call him there.
    """
    if block.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING) or block.linked <= 0.9 or block.is_spared:
        return False
    leading = [link for link in block.links if not _is_anchor(link.url, url)]
    if not leading or _SPELT_OUT.search(block.text):
        return False
    is_call = block.text.isupper() or _CALL.match(block.text) is not None
    return _leads_home(block, site) or (is_call and not is_sentence(block.text))


def _is_anchor(address: str, url: str) -> bool:
    return urlsplit(address).path.rstrip("/") == urlsplit(url).path.rstrip("/") and "#" in address


def _is_roundup(blocks: list[RawBlock]) -> bool:
    """Tell whether the story itself goes from link to link: each heading leads to what the text below it is about."""
    headed = [
        below for block, below in pairwise(blocks) if block.kind is BlockKind.HEADING and block.linked > 0.9
    ]
    return len(headed) > 2 and all(below.is_told for below in headed)


def _leads_home(block: RawBlock, site: Site) -> bool:
    hosts = [(urlsplit(link.url).hostname or "").removeprefix("www.") for link in block.links]
    return bool(hosts) and all(host == site.host for host in hosts)
