"""Lines without what differs from page to page, so that one wording is one line on every page."""

from __future__ import annotations

import re

from uknip_crawler.sites import fold

_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
NAME = "§"


def mask(text: str, labels: frozenset[str] = frozenset()) -> str:
    """Return a line folded, numbers as 0, names and the page's own `labels` (folded words) as `§`.

    A word that begins with a capital inside the line counts as a name, at its start only if it is a label; a run
    of names is one. A line that would lose more than half of its words stays as it is.
    """
    words = _NUMBER.sub("0", " ".join(text.split())).split(" ")
    masked: list[str] = []
    for index, word in enumerate(words):
        bare = word.strip("\"'‘’“”()[].,:;!?")
        is_name = bare[:1].isupper() and (index > 0 or fold(bare) in labels)
        if is_name and masked and masked[-1] == NAME:
            continue
        masked.append(NAME if is_name else fold(word))
    plain = sum(word != NAME for word in masked)
    return " ".join(masked) if 2 * plain > len(words) else fold(_NUMBER.sub("0", text))


def labels(*texts: str) -> frozenset[str]:
    """Return the folded words of section names, tags and headline that a page's furniture may repeat."""
    return frozenset(word for text in texts for word in fold(text).split() if len(word) > 2)
