"""Text as a page prints it: free of controls and noise; and the key by which two printings are the same words."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from uknip_crawler.sites import fold

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_NOT_WORDS = re.compile(r"[\W_]+")
_CLOSERS = "\"'’”»)]"


def one_line(text: str) -> str:
    """Return text without controls and invisible marks, each run of white space and nbsp one space."""
    if not text.isascii():
        text = _SURROGATES.sub("\ufffd", text)
    return " ".join(_UNSEEN.sub("", text).split())


def unescaped(text: str) -> str:
    """Return one line whose HTML entities, also twice escaped ones, are decoded."""
    for _ in range(2):
        if "&" not in text:
            break
        text = html.unescape(text)
    return one_line(text)


@lru_cache(4096)
def key(text: str) -> str:
    """Return the words alone, folded: what two printings of the same words have in common."""
    return _NOT_WORDS.sub(" ", fold(text)).strip()


def is_cut(text: str) -> bool:
    """Tell whether a line ends in an ellipsis, as teasers and automatic excerpts do."""
    return text.rstrip().removesuffix("]").endswith(("...", "…"))


def is_sentence(text: str) -> bool:
    """Tell whether a line ends like a sentence."""
    return text.rstrip().rstrip(_CLOSERS).endswith((".", "!", "?"))


def is_same(one: str, other: str) -> bool:
    """Tell whether two printings are of one headline: the same words, one cut short, or most words shared."""
    a, b = key(one), key(other)
    if not a or not b:
        return False
    cut = key(other.rstrip(".…")) if is_cut(other) else b
    if a == b or (len(cut.split()) > 3 and a.startswith(cut)):
        return True
    ours, theirs = set(a.split()), set(b.split())
    return 2 * len(ours & theirs) >= len(ours | theirs)
