"""Digest of what makes a revision, how alike two texts are, and the fingerprints by which alike texts are found."""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import eq

from rensa import RMinHash

Shingle = tuple[str, ...]

SHINGLE_WORDS = 3
BANDS = 64
ROWS = 2
"""Bands of a signature, and values in each. Of two texts that share a share s of their shingles, 1 - (1 - s²)^64 share a
band: 99.8 % at s = 0.3, 98 % at 0.25 (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4)."""

_SEED = 1
_VALUES = BANDS * ROWS
_SIGNATURE = struct.Struct(f"<{_VALUES}I")
_BAND = struct.Struct(f"<B{ROWS}I")
_BAND_BYTES = 6
_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"')})
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_ITEM = re.compile(r"(?m)^-[^\S\n]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_TOKEN = re.compile(r"\d+(?: \d+)+|[^\W_]+(?:['.:/,-][^\W_]+)*")
_OPENERS = ".!?:\"'(-"


@dataclass(frozen=True, slots=True)
class Text:
    """A story's text, headline first; its words folded, with their places in it; and its facts: figures, and names as far
    as capitals tell.

    What stands in capitals only where a sentence opens is no name, nor what is also written small.
    """

    printed: str
    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    facts: frozenset[str]
    headline_words: int

    @classmethod
    def of(cls, headline: str, body: str) -> Text:
        lines = [_normal(line) for line in (headline, *body.split("\n"))]
        printed = " ".join(filter(None, lines))
        found = list(_WORD.finditer(printed))
        small = {word[0] for word in found if word[0].islower()}
        facts = {fact.casefold() for line in lines for fact in _facts(line)} - small
        words = tuple(word[0].casefold() for word in found)
        places = tuple(word.span() for word in found)
        return cls(printed, words, places, frozenset(facts), len(_WORD.findall(lines[0])))

    @property
    def body(self) -> tuple[str, ...]:
        return self.words[self.headline_words :]

    def passage(self, start: int, end: int) -> str:
        """Return the text from one word to before another, as printed."""
        return self.printed[self.places[start][0] : self.places[end - 1][1]] if start < end else ""

    def shingles(self) -> list[Shingle]:
        """Return every run of three words, in order; of a shorter text, the whole."""
        size = min(SHINGLE_WORDS, len(self.words))
        return list(_runs(self.words, size)) if size else []

    def signature(self) -> bytes:
        """Return the MinHash signature of the shingles that hold a fact, or of all when none does.

        Thousands of stories share whole sentences without a name or a figure in them: such sentences find nothing.
        The shingles are hashed here, so that a signature is the same on every machine.
        """
        shingles = set(self.shingles())
        telling = {word for fact in self.facts for word in _WORD.findall(fact)}
        chosen = {shingle for shingle in shingles if not telling.isdisjoint(shingle)} or shingles
        hashes = [
            int.from_bytes(_digest(" ".join(one).encode("utf-8", "replace"), 8), "little") for one in chosen
        ]
        rows = RMinHash.digest_matrix_from_token_hash_sets([hashes], _VALUES, _SEED).to_rows()
        return _SIGNATURE.pack(*rows[0])


def content_sha256(headline: str, body: str) -> str:
    """Return the digest of a story's words: white space, nbsp, quote style and list markers make no difference."""
    return hashlib.sha256(f"{_normal(headline)}\n{_normal(body)}".encode("utf-8", "replace")).hexdigest()


def similarity(a: str, b: str) -> float:
    """Return how alike two texts are, 0 to 1: Jaccard over shingles of three words (Broder 1997).

    Texts shorter than a shingle are compared by their words; two empty texts are not alike.
    """
    left, right = _words(a), _words(b)
    size = min(SHINGLE_WORDS, len(left), len(right))
    if not size:
        return 0.0
    ours, theirs = set(_runs(left, size)), set(_runs(right, size))
    return len(ours & theirs) / len(ours | theirs)


def bands(signature: bytes) -> list[int]:
    """Return the bands of a signature: texts that are alike very likely have one in common."""
    values = _SIGNATURE.unpack(signature)
    return [
        int.from_bytes(_digest(_BAND.pack(band, *values[band * ROWS : (band + 1) * ROWS]), _BAND_BYTES))
        for band in range(BANDS)
    ]


def estimate(one: bytes, other: bytes) -> float:
    """Return about which share of their shingles two texts have in common, by their signatures; off by 0.04."""
    same: int = sum(map(eq, _SIGNATURE.unpack(one), _SIGNATURE.unpack(other)))
    return same / _VALUES


def _normal(text: str) -> str:
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(_QUOTES)
    return " ".join(_ITEM.sub("", plain).split())


def _words(text: str) -> list[str]:
    return _WORD.findall(_normal(text).casefold())


def _runs(words: Sequence[str], size: int) -> Iterator[Shingle]:
    return (tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def _facts(line: str) -> Iterator[str]:
    for found in _TOKEN.finditer(line):
        token = found[0]
        if any(letter.isdigit() for letter in token):
            yield token
        elif token[0].isupper() and len(token) > 1:
            before = line[: found.start()].rstrip()
            if before and before[-1] not in _OPENERS:
                yield token


def _digest(data: bytes, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()
