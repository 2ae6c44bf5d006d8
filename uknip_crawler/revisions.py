"""What a publisher changed between two readings of one story."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from uknip_crawler.models import Article


class Kind(StrEnum):
    """What an edit was, by what it did to the words; `first` is the text as first captured."""

    FIRST = "first"
    TYPO = "typo"
    CORRECTION = "correction"
    HEADLINE = "headline"
    UPDATE = "update"
    SUBSTANTIVE = "substantive"
    METADATA = "metadata"


_ALIKE = 0.5
"""Share of common words from which two paragraphs are one, rewritten."""

_MAX_WORDS = 2_000
_MAX_PAIRS = 400
"""Beyond these, paragraphs are shown whole as removed and added: the comparison's time grows with their product."""

_SPELT_ALIKE = 0.7
"""Likeness of two words from which one is the other, spelt anew."""

_FEW_WORDS = 10
_SMALL_SHARE = 0.1
"""A correction touches at most ten words, or a tenth of the text; a typo at most half as many."""

_GAP = "  …"


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two texts.

    `diff` has one paragraph a line, prefixed `- ` (removed), `+ ` (added), `~ ` (rewritten, with words marked
    `[-old-]` and `{+new+}`) or two blanks (unchanged, next to a change; `…` stands for the others). It opens
    with the headline, prefixed `# `, when that changed, and is empty when nothing did. `added_words` and
    `removed_words` count the body's words.
    """

    headline_changed: bool
    diff: str
    added_words: int
    removed_words: int


@dataclass(frozen=True, slots=True)
class _Line:
    mark: str
    text: str
    added: int = 0
    removed: int = 0

    def __str__(self) -> str:
        return f"{self.mark} {self.text}"


def compare(old_headline: str, old_body: str, new_headline: str, new_body: str) -> Change:
    """Compare two readings; white space does not count.

    Bodies are plain text with paragraphs separated by one blank line.
    """
    lines = list(_compared(_paragraphs(old_body), _paragraphs(new_body)))
    shown = _with_context(lines)
    headline_changed = old_headline != new_headline
    if headline_changed:
        shown.insert(0, f"# {_rewritten(old_headline.split(), new_headline.split()).text}")
    return Change(
        headline_changed,
        "\n".join(shown),
        sum(line.added for line in lines),
        sum(line.removed for line in lines),
    )


def only_adds(old_body: str, new_body: str) -> bool:
    """Tell whether the new text holds every paragraph of the old one, in order, and more besides."""
    new = iter(_paragraphs(new_body))
    return all(paragraph in new for paragraph in _paragraphs(old_body))


def classify(old_headline: str, old_body: str, new_headline: str, new_body: str) -> Kind:
    """Tell what kind of edit lies between two readings.

    `update`: every old paragraph stands and new ones came; `typo`: a few words spelt anew or punctuation, no figure
    changed; `correction`: a few other words; `headline`: the headline, and no more of the text than a correction;
    `metadata`: neither headline nor text; `substantive`: anything larger.
    """
    body = _classify_body(old_body, new_body)
    if old_headline == new_headline or body in (Kind.UPDATE, Kind.SUBSTANTIVE):
        return body
    is_spelling = _are_spelt_alike(old_headline.split(), new_headline.split())
    return Kind.TYPO if is_spelling and body in (Kind.METADATA, Kind.TYPO) else Kind.HEADLINE


_LABELS = ("kicker", "standfirst", "section", "authors", "tags", "published_at")


def other_changes(old: Article, new: Article) -> str | None:
    """Return what changed of a story besides its headline and text, `section: Breaking → Crime; …`, or None.

    Nothing where headline or text changed too: that is a revision, and tells itself.
    """
    if (old.headline, old.body) != (new.headline, new.body):
        return None
    values = [(name, getattr(old, name), getattr(new, name)) for name in _LABELS]
    return (
        "; ".join(f"{name}: {_told(was)} → {_told(now)}" for name, was, now in values if was != now) or None
    )


def _told(value: object) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value or "")) or "nothing"


def _classify_body(old: str, new: str) -> Kind:
    olds, news = old.split(), new.split()
    if olds == news:
        return Kind.METADATA
    if only_adds(old, new):
        return Kind.UPDATE
    before, after = _without_common_ends(olds, news)
    if max(len(before), len(after)) > _MAX_WORDS:
        return Kind.SUBSTANTIVE
    spans = [
        (before[i:i_end], after[j:j_end])
        for tag, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
    touched = sum(max(len(gone), len(come)) for gone, come in spans)
    few = max(_FEW_WORDS, int(_SMALL_SHARE * len(old.split())))
    if touched <= few // 2 and all(_are_spelt_alike(gone, come) for gone, come in spans):
        return Kind.TYPO
    return Kind.CORRECTION if touched <= few else Kind.SUBSTANTIVE


def _without_common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    start = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    old, new = old[start:], new[start:]
    same = zip(reversed(old), reversed(new), strict=False)
    end = next((i for i, (a, b) in enumerate(same) if a != b), min(len(old), len(new)))
    return old[: len(old) - end], new[: len(new) - end]


def _are_spelt_alike(old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether words differ in spelling, spacing or punctuation alone; another figure is another fact."""
    was, now = (re.sub(r"[^\w]", "", "".join(words)) for words in (old, new))
    if re.findall(r"\d+", was) != re.findall(r"\d+", now):
        return False
    if was.casefold() == now.casefold():
        return True
    matcher = SequenceMatcher(None, was.casefold(), now.casefold(), autojunk=False)
    return len(old) == len(new) and matcher.ratio() >= _SPELT_ALIKE


def _paragraphs(body: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in body.split("\n\n") if paragraph.strip()]


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[_Line]:
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield from (_Line(" ", paragraph) for paragraph in old[i:i_end])
        else:
            yield from _replaced(old[i:i_end], new[j:j_end])


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[_Line]:
    """Pair each removed paragraph with the next added one that is alike; the rest is removed or added whole."""
    olds, news = [text.split() for text in old], [text.split() for text in new]
    end = len(news) if len(olds) * len(news) <= _MAX_PAIRS else 0
    at = 0
    for words in olds:
        match = next((place for place in range(at, end) if _alike(words, news[place])), None)
        if match is None:
            yield _Line("-", " ".join(words), removed=len(words))
            continue
        yield from (_Line("+", " ".join(added), added=len(added)) for added in news[at:match])
        yield _rewritten(words, news[match])
        at = match + 1
    yield from (_Line("+", " ".join(added), added=len(added)) for added in news[at:])


def _alike(old: Sequence[str], new: Sequence[str]) -> bool:
    if max(len(old), len(new)) > _MAX_WORDS:
        return False
    matcher = SequenceMatcher(None, old, new)
    return (
        matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE
    )


def _rewritten(old: Sequence[str], new: Sequence[str]) -> _Line:
    pieces: list[str] = []
    added = removed = 0
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            pieces.append(" ".join(old[i:i_end]))
            continue
        gone = f"[-{' '.join(old[i:i_end])}-]" if i < i_end else ""
        come = f"{{+{' '.join(new[j:j_end])}+}}" if j < j_end else ""
        pieces.append(gone + come)
        removed, added = removed + i_end - i, added + j_end - j
    return _Line("~", " ".join(pieces), added, removed)


def _with_context(lines: Sequence[_Line]) -> list[str]:
    """Return the changed lines and the unchanged ones beside them."""
    near = [
        any(line.mark != " " for line in lines[max(0, place - 1) : place + 2]) for place in range(len(lines))
    ]
    shown: list[str] = []
    for line, is_near in zip(lines, near, strict=True):
        if is_near:
            shown.append(str(line))
        elif not shown or shown[-1] != _GAP:
            shown.append(_GAP)
    return shown if any(near) else []
