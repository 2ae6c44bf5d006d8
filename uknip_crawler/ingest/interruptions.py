"""Is what an address shows its story, or something in its place? Judged against the address's history and against the run.

Pure: the same rules for live visits, imported captures, and captures read again. What only a page tells, extraction says.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from uknip_crawler.models import Article
from uknip_crawler.sites import fold
from uknip_crawler.sites.language import load_language
from uknip_crawler.urls import slug

SHARED = 0.1
"""Share of either text's phrases from which two texts are versions of one story."""
BELIEVED_RUNS = 3
BELIEVED_AFTER = timedelta(days=7)
"""Captures of so many runs, so far apart, that agree with one another are what the address shows now."""
MASS_MINIMUM = 10
MASS_SHARE = 1 / 3
LEFT = 1 / 3
"""A text of which less than this is left has lost most of itself."""
_PHRASE = 3
_SEVERAL = 3
_DATE_ON_PAGE = frozenset({"json-ld", "meta", "label", "markup", "alone"})


@dataclass(frozen=True)
class Shown:
    """What a capture of an address showed: `is_dated` where the page itself has a date, `skeleton` its layout."""

    headline: str
    body: str
    post_id: int | None = None
    is_dated: bool = False
    skeleton: str | None = None

    @classmethod
    def of(cls, article: Article, skeleton: str | None) -> Shown:
        return cls(article.headline, article.body, article.post_id, is_dated_by(article.sources), skeleton)

    @property
    def standing(self) -> int:
        """How much of what WordPress puts on a story's page it has."""
        return 2 * (self.post_id is not None) + self.is_dated

    @cached_property
    def phrases(self) -> frozenset[tuple[str, ...]]:
        words = re.findall(r"\w+", fold(self.body))
        return frozenset(tuple(words[at : at + _PHRASE]) for at in range(max(1, len(words) - _PHRASE + 1)))


def is_dated_by(sources: dict[str, str]) -> bool:
    """Tell whether the date of publication stands on the page, not only in its address or in a list."""
    return sources.get("published_at") in _DATE_ON_PAGE


def share_nothing(one: Shown, other: Shown) -> bool:
    """Tell whether two pages have neither a headline nor a part of their text in common."""
    if fold(one.headline) == fold(other.headline):
        return False
    return not _have_common_text(one, other)


def _have_common_text(one: Shown, other: Shown) -> bool:
    common = len(one.phrases & other.phrases)
    return common >= SHARED * min(len(one.phrases), len(other.phrases))


def stands_in_place(page: Shown, story: Shown) -> str | None:
    """Return what a page has lost of the story that its address showed, or None where it may be that story.

    A redesign keeps the text, a rewriting keeps the site's own markup; something in the story's place has neither.
    """
    is_weaker = page.standing < max(story.standing, 1)
    is_elsewhere = page.skeleton != story.skeleton or page.standing == 0 < story.standing
    if not (is_weaker and is_elsewhere and share_nothing(page, story)):
        return None
    lost = ["its text"]
    lost += ["the post's number"] if story.post_id is not None and page.post_id is None else []
    lost += ["its date"] if story.is_dated and not page.is_dated else []
    lost += ["the site's markup"] if page.skeleton != story.skeleton else []
    return f"in place of the story: {', '.join(lost)} gone"


def interruptions_among(
    shown: Sequence[tuple[datetime, Shown]], released: Collection[int] = ()
) -> dict[int, str]:
    """Return which of an address's captures, oldest first, show something in the story's place, and why.

    Those that are `released`, by their places, are the story whatever they show. Those that come to agree for `BELIEVED_RUNS` captures and `BELIEVED_AFTER` are the story from then on, unless they
    have nothing at all of a story's page.
    """
    aside: dict[int, str] = {}
    story: list[int] = []  # the captures of what the address shows, then those that may be in its place
    doubted: list[int] = []
    for place, (_, page) in enumerate(shown):
        if not story or place in released:
            story, doubted = [place], []
            continue
        if (why := stands_in_place(page, shown[story[-1]][1])) is not None:
            aside[place] = why
            if doubted and share_nothing(page, shown[doubted[-1]][1]):
                doubted = []
            doubted.append(place)
            if _is_believed([shown[one] for one in doubted]):
                for one in doubted:
                    del aside[one]
                story, doubted = doubted, []
        elif (why := stands_in_place(shown[story[-1]][1], page)) is not None:
            if not _is_believed([shown[one] for one in story]):
                aside |= {one: why for one in story if one not in released}
            story, doubted = [place], []
        else:
            story, doubted = [*story, place], []
    return aside


def _is_believed(seen: Sequence[tuple[datetime, Shown]]) -> bool:
    is_lasting = len(seen) >= BELIEVED_RUNS and seen[-1][0] - seen[0][0] >= BELIEVED_AFTER
    return is_lasting and seen[-1][1].standing > 0


# Against the run


@dataclass(frozen=True)
class Change:
    """What a run's capture of a story brought: `before` is what was known of it, None for a new story.

    `moment` tells apart visits that were not made together: those of an import are of many times.
    """

    article_id: int
    url: str
    page: Shown
    before: Shown | None = None
    moment: Hashable = None


def same_at_several(changes: Iterable[Change]) -> dict[int, str]:
    """Return the stories whose page shows what stands at other addresses too, and what is to be said of them.

    One text under different headlines counts where each story had a text of its own before. A new story counts where
    the text says nothing of its address: a second copy of a story lies at a similar one.
    """
    groups: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in changes:
        groups[(fold(change.page.headline), change.page.body)].append(change)
        if change.before is not None:
            groups[(change.page.body,)].append(change)
    aside: dict[int, str] = {}
    for key, group in groups.items():
        if len(group) == 1:
            continue
        is_headed = len(key) == 2
        strange = [one for one in group if not (is_headed and _is_named(one))]
        known = [one for one in strange if one.before and not _have_common_text(one.page, one.before)]
        new = [one for one in strange if one.before is None and is_headed]
        needed = 2 if is_headed and all(one.page.standing == 0 for one in new) else _SEVERAL
        found = [*known, *new]
        texts = {one.before.body for one in known if one.before}  # copies of a story are edited alike
        if len(texts) + len({_stem(one.url) for one in new}) >= needed:
            why = f"in place of the story: the same text at {len(found)} addresses"
            aside |= {one.article_id: why for one in found}
    return aside


def _is_named(change: Change) -> bool:
    """Tell whether a page says what its address says."""
    words = {word for word in re.split(r"[\W_]+", slug(change.url).lower()) if len(word) > 3}
    said = fold(f"{change.page.headline} {change.page.body}")
    return bool(words) and 3 * sum(word in said for word in words) >= len(words)


def _stem(url: str) -> str:
    """Return what a story's copies have in common of their addresses, `-2` taken off."""
    return re.sub(r"-\d{1,2}$", "", slug(url)) or url


def changed_at_once(
    changes: Iterable[Change],
    visited: Counter[Hashable],
    released: Iterable[Change] = (),
    held_before: int | None = None,
) -> dict[int, str]:
    """Return the stories that changed in a way that more than a third of all changed that were visited then.

    At least three are another text than before, or have lost most of theirs; or, of ten visited and more, the same lines
    came or went. `visited` counts stories by moment. Lines that came or went with changes that were held back and `released`
    are believed of other stories too. Where earlier runs are judged along, `held_before` says of how many stories they held
    something back; lines say nothing there, being of stories that were not visited together.
    """
    believed = {line for change in released if change.before is not None for line in _lines_changed(change)}
    by_moment: dict[Hashable, list[Change]] = defaultdict(list)
    for change in changes:
        if change.before is not None and visited[change.moment] >= _SEVERAL:
            by_moment[change.moment].append(change)
    aside: dict[int, str] = {}
    for moment, together in by_moment.items():
        is_mass = held_before is None and visited[moment] >= MASS_MINIMUM
        enough = max(visited[moment] * MASS_SHARE, 0 if is_mass else _SEVERAL - 1)
        lines: dict[tuple[str, str], set[int]] = defaultdict(set)
        for change in together:
            for changed in _lines_changed(change) - believed if is_mass else ():
                lines[changed].add(change.article_id)
            if change.before is not None and not _have_common_text(change.page, change.before):
                lines[("is another text than before", "")].add(change.article_id)
            elif change.before and len(change.page.body) < LEFT * len(change.before.body):
                lines[("has lost most of its text", "")].add(change.article_id)
        for (what, line), stories in sorted(lines.items(), key=lambda item: -len(item[1])):
            if len(stories) + (held_before or 0) > enough:
                told = f"{what} {line[:80]!r}" if line else what
                why = f"{len(stories)} of {visited[moment]} stories changed at once: {told}"
                aside = dict.fromkeys(stories, why) | aside
    return aside


def _lines_changed(change: Change) -> set[tuple[str, str]]:
    """Return the lines that came and went, but for those that police and newsrooms write under many stories."""
    assert change.before is not None
    old, new = (set(map(fold, shown.body.split("\n\n"))) - {""} for shown in (change.before, change.page))
    story = load_language().story
    told = [("gained", line) for line in new - old] + [("lost", line) for line in old - new]
    return {(what, line) for what, line in told if not story.search(re.sub(r"\d+", "0", line))}


def is_mass_loss(lost: int, of: int) -> bool:
    """Tell whether a list that names so many fewer of its stories is ill rather than shorter."""
    return lost > 0 and (
        lost >= of or (lost >= MASS_MINIMUM and lost > of * MASS_SHARE) or (lost >= 3 and 2 * lost > of)
    )
