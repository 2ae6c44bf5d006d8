"""Lines without what differs from page to page, so that one wording is one line on every page."""

from __future__ import annotations

import re

from uknip_crawler.sites import fold

_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
NAME = "§"


def mask(text: str, labels: frozenset[str] = frozenset()) -> str:
    """Return a line folded, numbers as 0, names and the page's own `labels` (folded words) as `§`.

    A word that begins with a capital inside the line counts as a name; a run of names is one. A line that would
    lose more than half of its words to mere capitals keeps them.
    """
    words = _NUMBER.sub("0", " ".join(text.split())).split(" ")
    bare = [word.strip("\"'‘’“”()[].,:;!?") for word in words]
    own = [fold(word) in labels and (word[:1].isupper() or "0" in word) for word in bare]
    capital = [index > 0 and word[:1].isupper() and not own[index] for index, word in enumerate(bare)]
    if 2 * sum(capital) >= len(words) - sum(own):
        capital = [False] * len(words)
    masked: list[str] = []
    for word, is_own, is_capital in zip(words, own, capital, strict=True):
        if not (is_own or is_capital):
            masked.append(fold(word))
        elif not masked or masked[-1] != NAME:
            masked.append(NAME)
    return " ".join(masked) if masked != [NAME] else fold(" ".join(words))


def labels(*texts: str) -> frozenset[str]:
    """Return the folded words of section, tags, authors and headline that a page's furniture may repeat."""
    return frozenset(_NUMBER.sub("0", word) for text in texts for word in fold(text).split() if len(word) > 2)
