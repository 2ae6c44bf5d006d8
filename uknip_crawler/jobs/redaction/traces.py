"""What tells of a story in other texts: its addresses, its headlines, runs of its words. Found in any markup, blacked out."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

RUN_WORDS = 5
HEADLINE_WORDS = 3
NAME_PARTS = 3

Words = tuple[str, ...]
_Token = tuple[str, int, int]
"""A word in lower case, where it begins and where it ends. A page has ten thousands of them."""

# Letters beyond ASCII are written in many ways (raw, entity, escape, another charset): words end at them, in the
# story's texts as in all others, so that all spellings give the same words.
_TOKEN = re.compile(
    r"(?P<tag><[^<>]*>|\\u003[cC](?:(?!\\u003[cCeE]).)*\\u003[eE])"
    r"|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);|\\u[0-9a-fA-F]{4}|\\[nrtbf]|%[0-9a-fA-F]{2}|(?P<word>[A-Za-z0-9]+)"
)
_MARKED = re.compile(r"[<&\\\\%]")
_WORD = re.compile(r"[A-Za-z0-9]+")
_PLAIN = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*")
_PARTS = re.compile(r"[-_]+")
_EXTENSION = re.compile(r"\.[a-z]{3,5}$")
_LETTERS = re.compile(r"[A-Za-z0-9]")
_ENTRY = re.compile(r"<(item|entry|url)\b.*?</\1\s*>", re.DOTALL)
_ADDRESS = re.compile(r"<(?:loc|link)\b[^>]*>([^<]*)")


@dataclass(slots=True)
class Traces:
    """Collected from the stories to take out, then narrowed by `spare` to what no other story says.

    `names` are, in lower case, the last parts of addresses and of image files, or whole paths where a last part of
    fewer than three words could be anything's; `headlines` whole, of three words at least; `runs` of five words.
    """

    names: set[str] = field(default_factory=set)
    headlines: set[Words] = field(default_factory=set)
    runs: set[Words] = field(default_factory=set)
    _texts: list[str] = field(default_factory=list)
    _strict: set[str] = field(default_factory=set)
    _probes: frozenset[str] | None = None
    _patterns: tuple[re.Pattern[str], ...] = ()

    def add(
        self, *, headlines: Iterable[str] = (), texts: Iterable[str] = (), addresses: Iterable[str] = ()
    ) -> None:
        """Collect a story's headlines, its other texts, its addresses and those of its images."""
        for headline in headlines:
            if len(words := _words(headline)) >= HEADLINE_WORDS:
                self.headlines.add(words)
        for text in texts:
            self._texts.append(text)
            self.runs.update(_runs(_words(text)))
        self.names.update(filter(None, map(_name_of, addresses)))
        self._probes = None

    def spare(self, headline: str, text: str) -> None:
        """Leave to a story that stays what it says too: stock phrases, copied passages, its own headline."""
        said = _words(f"{headline}\n{text}")
        self.runs.difference_update(_runs(said))
        own = _words(headline)
        for words in list(self.headlines):
            # a short headline may be anybody's words; a long one in another's text speaks of this story
            if words == own or (len(words) < RUN_WORDS and _contains(said, words)):
                self.headlines.discard(words)
        self._probes = None

    def spare_address(self, address: str, *, stays: bool) -> bool:
        """Leave another address as it is, and return whether one of the names is in it.

        A name that is all of it is dropped if the story there stays.
        """
        lowered = address.lower()
        held = [name for name in self.names if name in lowered]
        for name in held:
            self._strict.add(name)
            if stays and _name_of(address) == name:
                self.names.discard(name)
        self._probes = None
        return bool(held)

    def touch(self, text: str) -> bool:
        """Tell, fast, whether a text may hold a trace; false positives are possible."""
        lowered = text.lower()
        return any(probe in lowered for probe in self._ready()) or any(
            all(word in lowered for word in words) for words in self.headlines
        )

    def blacken(self, text: str) -> str:
        """Return a text with every trace's letters and digits replaced by x; the same object when there is none."""
        if not self.touch(text):
            return text
        changed = text
        for pattern in self._patterns:
            changed = pattern.sub(lambda found: _LETTERS.sub("x", found[0]), changed)
        for through_tags in (False, True):
            changed = self._blacken_words(changed, through_tags=through_tags)
        return text if changed == text else changed

    def without_entries(self, text: str) -> str:
        """Return a REST answer, feed or sitemap without the entries at the stories' addresses; else the text itself."""
        if not self.touch(text):
            return text
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError):
            return _ENTRY.sub(lambda found: "" if self._is_at(_ADDRESS.search(found[0])) else found[0], text)
        if not isinstance(entries, list):
            return text
        kept = [
            entry
            for entry in entries
            if not (isinstance(entry, dict) and self.names_in(str(entry.get("link"))))
        ]
        return text if len(kept) == len(entries) else json.dumps(kept)

    def names_in(self, address: str) -> bool:
        """Tell whether an address is, or leads to, one of the stories'."""
        self._ready()
        return any(pattern.search(address) for pattern in self._patterns)

    def _is_at(self, address: re.Match[str] | None) -> bool:
        return address is not None and self.names_in(address[1])

    def _ready(self) -> frozenset[str]:
        if self._probes is None:
            self._probes = frozenset(filter(None, (*map(_last_part, self.names), *self._word_probes())))
            self._patterns = tuple(self._pattern(name) for name in sorted(self.names, key=len, reverse=True))
        return self._probes

    def _pattern(self, name: str) -> re.Pattern[str]:
        """Find a name; where another story's address holds it too, only as a whole part of an address."""
        exact = re.escape(name).replace("/", r"\\?/")  # JSON may write a slash as \/
        if "/" in name:
            exact = rf"{exact}(?![\w-])"
        elif name in self._strict:
            exact = rf"(?<![\w-]){exact}(?=-\d+x\d+|[^\w-]|$)"
        return re.compile(exact, re.IGNORECASE)

    def _word_probes(self) -> Iterator[str]:
        """Yield what stands in every copy of the texts as it is printed here: words with single blanks between."""
        for text in self._texts:
            for paragraph in text.lower().split("\n"):
                for plain in _PLAIN.finditer(paragraph):
                    yield from self._probes_of(tuple(plain[0].split(" ")))

    def _probes_of(self, words: Words) -> Iterator[str]:
        """Yield one run in every few, so that a part of a text is found as well."""
        last = -RUN_WORDS
        for place in range(len(words) - RUN_WORDS + 1):
            run = words[place : place + RUN_WORDS]
            if place - last >= RUN_WORDS and run in self.runs:
                last = place
                yield " ".join(run)

    def _blacken_words(self, text: str, *, through_tags: bool) -> str:
        tokens = _tokens(text, through_tags=through_tags)
        words = tuple(word for word, _, _ in tokens)
        by_first: dict[str, list[Words]] = {run[0]: [] for run in self.runs}
        for headline in self.headlines:
            by_first.setdefault(headline[0], []).append(headline)
        told: set[int] = set()
        for place, word in enumerate(words):
            if word not in by_first:
                continue
            found = [run for run in by_first[word] if words[place : place + len(run)] == run]
            if (run := words[place : place + RUN_WORDS]) in self.runs:
                found.append(run)
            for run in found:
                places = range(place, place + len(run))
                if not _is_name(text, tokens[place : place + len(run)]):
                    told.update(places)
        if not told:
            return text
        parts, end = [], 0
        for place in sorted(told):
            word, start, token_end = tokens[place]
            parts += [text[end:start], "x" * len(word)]
            end = token_end
        return "".join(parts) + text[end:]


def _tokens(text: str, *, through_tags: bool) -> list[_Token]:
    """Return the words of a text in any markup; `through_tags` reads on over tags as if there were none."""
    tokens: list[_Token] = []
    _collect(tokens, _TOKEN.finditer(text), through_tags)
    return tokens


def _collect(tokens: list[_Token], all_found: Iterator[re.Match[str]], through_tags: bool) -> None:
    for found in all_found:
        if found.lastgroup == "word":
            tokens.append((found[0].lower(), *found.span()))
        elif found.lastgroup == "tag" and not through_tags:
            # without its bracket it is no tag, and its attributes are words
            _collect(tokens, _TOKEN.finditer(found.string, found.start() + 1, found.end()), through_tags)


def _name_of(address: str) -> str | None:
    """Return what of an address tells of its story wherever it stands; None when there is no such thing."""
    path = urlsplit(address).path.rstrip("/").lower()
    path = _EXTENSION.sub("", path)
    return (_last_part(path) if len(_PARTS.split(_last_part(path))) >= NAME_PARTS else path) or None


def _last_part(path: str) -> str:
    return path.rpartition("/")[2]


def _is_name(text: str, tokens: list[_Token]) -> bool:
    """Tell words of a text from the same words joined by hyphens in an address, which may be another story's."""
    gaps = {text[end:start] for (_, _, end), (_, start, _) in itertools.pairwise(tokens)}
    return gaps == {"-"}


def _words(text: str) -> Words:
    if not _MARKED.search(text):  # most texts are plain, and ten times faster to read
        return tuple(word.lower() for word in _WORD.findall(text))
    return tuple(word for word, _, _ in _tokens(text, through_tags=True))


def _runs(words: Words) -> set[Words]:
    return {words[place : place + RUN_WORDS] for place in range(len(words) - RUN_WORDS + 1)}


def _contains(words: Words, wanted: Words) -> bool:
    return any(words[place : place + len(wanted)] == wanted for place in range(len(words)))
