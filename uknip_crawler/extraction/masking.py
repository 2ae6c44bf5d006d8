"""Lines without what differs from story to story, so that one wording is one line on every page.

A mask depends on the line alone: one page's section, tags or author must not change what another page's line says.
"""

from __future__ import annotations

import re
from functools import lru_cache

from uknip_crawler.sites import fold

NAME = "§"
NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_TRIM = "\"'‘’“”()[].,:;!?"


@lru_cache(8192)
def mask(text: str) -> str:
    """Return a line folded, numbers as 0, names as `§`.

    A word that begins with a capital inside the line counts as a name; a run of names is one. A line that would
    lose more than half of its words to mere capitals keeps them.
    """
    words = NUMBER.sub("0", " ".join(text.split())).split(" ")
    bare = [word.strip(_TRIM) for word in words]
    capital = [index > 0 and word[:1].isupper() for index, word in enumerate(bare)]
    if 2 * sum(capital) >= len(words):
        return fold(" ".join(words))
    masked: list[str] = []
    for word, is_capital in zip(words, capital, strict=True):
        if not is_capital:
            masked.append(fold(word))
        elif not masked or masked[-1] != NAME:
            masked.append(NAME)
    return " ".join(masked)
