"""Digest of what makes a revision, and how alike two texts are."""

from __future__ import annotations

import hashlib
import re
import unicodedata

SHINGLE_WORDS = 3
_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"')})
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_ITEM = re.compile(r"(?m)^-[^\S\n]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


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
    ours, theirs = _shingles(left, size), _shingles(right, size)
    return len(ours & theirs) / len(ours | theirs)


def _normal(text: str) -> str:
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(_QUOTES)
    return " ".join(_ITEM.sub("", plain).split())


def _words(text: str) -> list[str]:
    return _WORD.findall(_normal(text).casefold())


def _shingles(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)}
