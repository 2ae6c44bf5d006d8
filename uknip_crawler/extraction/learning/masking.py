"""Lines without what differs from story to story, so that one wording is one line on every page.

A mask depends on the line alone: one page's section, tags or author must not change what another page's line says.
"""

from __future__ import annotations

import re
from functools import lru_cache

from uknip_crawler.sites import fold

NAME = "§"
NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
TRIM = "\"'‘’“”()[].,:;!?"


@lru_cache(8192)
def mask(text: str) -> str:
    """Return a line folded, numbers as 0 with what they count in the singular, names as `§`.

    A word that begins with a capital inside the line counts as a name; a run of names is one. A line that would
    lose more than half of its words to mere capitals keeps them.
    """
    words = [word for word in NUMBER.sub("0", text).split() if any(map(str.isalnum, word))]
    bare = [word.strip(TRIM) for word in words]
    capital = [index > 0 and word[:1].isupper() for index, word in enumerate(bare)]
    if 2 * sum(capital) >= len(words):
        return fold(" ".join(words))
    masked: list[str] = []
    for word, is_capital in zip(words, capital, strict=True):
        if not is_capital:
            masked.append(singular(fold(word)) if masked[-1:] == ["0"] else fold(word))
        elif not masked or masked[-1] != NAME:
            masked.append(NAME)
    return " ".join(masked)


def singular(counted: str) -> str:
    """Return a word that follows a number without its plural's s: `1 minute` and `2 minutes` are one wording."""
    bare = counted.rstrip(TRIM)
    return bare[:-1] + counted[len(bare) :] if len(bare) > 3 and bare.endswith("s") else counted
