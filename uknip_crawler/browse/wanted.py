"""What somebody types into the search box, as a question to the full-text index and in plain words.

Words all have to be there; `"exact phrase"`, `-without`, `fire OR flood`, `headline:word`, `standfirst:word`. OR binds
closer than what surrounds it. What cannot be understood is said, and looked for word by word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIECE = re.compile(
    r'(?P<minus>-?)(?:(?P<field>headline|standfirst):)?(?:"(?P<phrase>[^"]*)(?P<end>"?)|(?P<word>\S+))'
)
_FIELD_ALONE = re.compile(r"-?(?:headline|standfirst):")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`match` is a valid FTS5 query, empty for no words; `told` says it in words, `trouble` what is wrong, or nothing."""

    match: str
    told: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    field: str
    is_phrase: bool

    @property
    def match(self) -> str:
        # in quotes nothing is an operator; FTS5 takes `cut-off` for the phrase "cut off" by itself
        return f"{self.field} : {_quoted(self.text)}" if self.field else _quoted(self.text)

    @property
    def told(self) -> str:
        text = f"“{self.text}”" if self.is_phrase else self.text
        return f"{text} in the {self.field}" if self.field else text


class _Wrong(Exception):
    """What is wrong, for the reader."""


def understood(text: str) -> Wanted:
    """Return what a text asks for; any text is an answerable question. The text is one line, without NUL."""
    try:
        groups, without = _read(text)
    except _Wrong as wrong:
        words = [word for word in text.replace('"', " ").split() if word]
        return Wanted(" ".join(map(_quoted, words)), ", ".join(words), str(wrong))
    if not groups:
        return Wanted("", "")
    match = " AND ".join(_either(group) for group in groups)
    told = " and ".join(" or ".join(term.told for term in group) for group in groups)
    if without:
        match = f"({match}) NOT {_either(without)}"
        told += f", without {' or '.join(term.told for term in without)}"
    return Wanted(match, told)


def _read(text: str) -> tuple[list[list[_Term]], list[_Term]]:
    """Return groups, of each of which one term has to be there, and what must not be."""
    groups: list[list[_Term]] = []
    without: list[_Term] = []
    joining = ""
    for piece in _PIECE.finditer(text):
        word = piece["word"]
        if not piece["minus"] and not piece["field"] and word in ("AND", "OR", "NOT"):
            if joining or (word != "NOT" and not groups):
                raise _Wrong(f"{word} stands between two words")
            joining = word
            continue
        term = _term(piece)
        if term is None:
            continue
        if piece["minus"] or joining == "NOT":
            if joining == "OR":
                raise _Wrong("OR and a minus do not go together")
            without.append(term)
        elif joining == "OR":
            groups[-1].append(term)
        else:
            groups.append([term])
        joining = ""
    if joining:
        raise _Wrong(f"{joining} stands between two words")
    if without and not groups:
        raise _Wrong("a minus needs a word beside it that is to be there")
    return groups, without


def _term(piece: re.Match[str]) -> _Term | None:
    """Return what is to be looked for, or None for empty quotes. Raises _Wrong."""
    if piece["phrase"] is not None:
        if not piece["end"]:
            if piece["phrase"].strip():
                raise _Wrong("a quotation mark is missing its other half")
            return None
        text = piece["phrase"].strip()
        return _Term(text, piece["field"] or "", True) if _WORD.search(text) else None
    word = piece["word"].replace('"', " ")
    if word == "-" or _FIELD_ALONE.fullmatch(word) or (piece["minus"] and not _WORD.search(word)):
        raise _Wrong(f"“{piece[0]}” is followed by no word")
    return _Term(word, piece["field"] or "", False)


def _either(terms: list[_Term]) -> str:
    if len(terms) == 1:
        return terms[0].match
    return f"({' OR '.join(term.match for term in terms)})"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
