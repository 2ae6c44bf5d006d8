"""Lines with their names and numbers as slots: what a fill-in-the-blanks line has in common on all its pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from uknip_crawler.extraction.learning.lines import QUOTES
from uknip_crawler.extraction.learning.masking import NAME, NUMBER, TRIM, singular

SLOTS = (NAME, "0")
_CLOSERS = "”’\"'"


OPENS = 3
"""Lines that begin with a word from which it would stand inside some line as well, if it were a name."""


class Words:
    """Which words are names: those capitalised inside lines more often than not.

    Learned from all lines of an archive, so that a capital at the beginning of a line says nothing.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._opens: Counter[str] = Counter()

    def count(self, text: str, times: int) -> None:
        """Take a line into account that so many pages have."""
        begins = True
        for raw in text.split():
            word = raw.strip(TRIM)
            if not (word.isalnum() or any(map(str.isalnum, word))):
                continue  # a dash is no word: what follows it still begins the line
            was, begins = begins, raw.rstrip(_CLOSERS)[-1:] in (".", "!", "?", ":")
            if word[0].islower():
                self._counts[word.lower()] -= times
            elif was or raw[0] in QUOTES:
                self._opens[word.lower()] += times
            else:
                self._counts[word.lower()] += times

    def names(self) -> dict[str, bool]:
        """Return for each word seen whether it is a name."""
        common = {word: False for word, count in self._opens.items() if count >= OPENS}
        return common | {word: count > 0 for word, count in self._counts.items()}


class Templates:
    """Makes templates of lines; `names` says of each word of the archive whether it is a name."""

    def __init__(self, names: Mapping[str, bool]) -> None:
        self.names = names

    def of(self, text: str) -> tuple[str, ...]:
        """Return a line's words folded, names as `§` (a run of them as one), numbers as 0, colons apart."""
        out: list[str] = []
        words, ended = NUMBER.sub("0", text).split(), True
        for index, word in enumerate(words):
            bare = word.strip(TRIM)
            if not (bare.isalnum() or any(map(str.isalnum, bare))):
                continue
            begins, ended = ended, word.rstrip(_CLOSERS)[-1:] in (".", "!", "?")
            following = () if word.endswith(":") else words[index + 1 : index + 2]  # `Views: 12` is no name
            named = bare[0].isupper() and (not begins or self._is_name(bare, following))
            if not (named and out[-1:] == [NAME]):
                plain = singular(bare.lower()) if out[-1:] == ["0"] else bare.lower()
                out.append(NAME if named else plain)
            if word.endswith(":"):
                out.append(":")
        return tuple(out)

    def _is_name(self, word: str, following: Iterable[str]) -> bool:
        """Tell whether a word with a capital at a beginning is a name: where it is not known, a capital follows."""
        known = self.names.get(word.lower())
        return known if known is not None else any(after[:1].isupper() for after in following)
