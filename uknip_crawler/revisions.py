"""What a publisher changed between two readings of one story."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

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


class Run(NamedTuple):
    """Words in a row that stand in both texts (`same`), or words `gone` and those that came in their place."""

    same: str = ""
    gone: str = ""
    come: str = ""


class Line(NamedTuple):
    """One paragraph of two texts: `mark` is ` ` (in both), `-` (removed), `+` (added) or `~` (rewritten)."""

    mark: str
    runs: tuple[Run, ...]

    @property
    def added(self) -> int:
        return sum(_words(run.come) for run in self.runs)

    @property
    def removed(self) -> int:
        return sum(_words(run.gone) for run in self.runs)

    @property
    def text(self) -> str:
        """The words of both, those gone and come marked `[-old-]` and `{+new+}` where the line is rewritten."""
        if self.mark != "~":
            return self.runs[0].same or self.runs[0].gone or self.runs[0].come
        return " ".join(
            run.same or (f"[-{run.gone}-]" if run.gone else "") + (f"{{+{run.come}+}}" if run.come else "")
            for run in self.runs
        )

    def __str__(self) -> str:
        return f"{self.mark} {self.text}"


def compare(old_headline: str, old_body: str, new_headline: str, new_body: str) -> Change:
    """Compare two readings; white space does not count.

    Bodies are plain text with paragraphs separated by one blank line.
    """
    lines = side_by_side(old_body, new_body)
    shown = _with_context(lines)
    headline_changed = old_headline != new_headline
    if headline_changed:
        shown.insert(0, f"# {rewritten(old_headline, new_headline).text}")
    return Change(
        headline_changed,
        "\n".join(shown),
        sum(line.added for line in lines),
        sum(line.removed for line in lines),
    )


def side_by_side(old_body: str, new_body: str) -> list[Line]:
    """Return every paragraph of two texts in reading order, each pair of alike ones on one line."""
    return list(_compared(_paragraphs(old_body), _paragraphs(new_body)))


def rewritten(old: str, new: str) -> Line:
    """Return one line that tells, word by word, how the new text differs from the old."""
    olds, news = old.split(), new.split()
    if max(len(olds), len(news)) > _MAX_WORDS:
        return Line("~", (Run(gone=" ".join(olds), come=" ".join(news)),))
    return _rewritten(olds, news)


def only_adds(old_body: str, new_body: str) -> bool:
    """Tell whether the new text holds every paragraph of the old one, in order, and more besides."""
    new = iter(_paragraphs(new_body))
    return all(paragraph in new for paragraph in _paragraphs(old_body))


def kind_of_edit(old_headline: str, old_body: str, new_headline: str, new_body: str) -> Kind:
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


def _words(run: str) -> int:
    return run.count(" ") + 1 if run else 0


def _paragraphs(body: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in body.split("\n\n") if paragraph.strip()]


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield from (Line(" ", (Run(paragraph),)) for paragraph in old[i:i_end])
        else:
            yield from _replaced(old[i:i_end], new[j:j_end])


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Pair each removed paragraph with the next added one that is alike; the rest is removed or added whole."""
    olds, news = [text.split() for text in old], [text.split() for text in new]
    end = len(news) if len(olds) * len(news) <= _MAX_PAIRS else 0
    at = 0
    for gone, words in zip(old, olds, strict=True):
        match = next((place for place in range(at, end) if _alike(words, news[place])), None)
        if match is None:
            yield Line("-", (Run("", gone),))
            continue
        yield from (Line("+", (Run("", "", come),)) for come in new[at:match])
        yield _rewritten(words, news[match])
        at = match + 1
    yield from (Line("+", (Run("", "", come),)) for come in new[at:])


def _alike(old: Sequence[str], new: Sequence[str]) -> bool:
    if max(len(old), len(new)) > _MAX_WORDS:
        return False
    matcher = SequenceMatcher(None, old, new)
    return (
        matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE
    )


def _rewritten(old: Sequence[str], new: Sequence[str]) -> Line:
    runs = (
        Run(same=" ".join(old[i:i_end]))
        if tag == "equal"
        else Run(gone=" ".join(old[i:i_end]), come=" ".join(new[j:j_end]))
        for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new).get_opcodes()
    )
    return Line("~", tuple(runs))


def _with_context(lines: Sequence[Line]) -> list[str]:
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
