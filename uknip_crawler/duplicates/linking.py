"""Finding copies of stories over the whole archive: each new or changed text is compared with all others.

What is linked follows from the texts held and nothing else: neither from their order nor from how often it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations

from uknip_crawler.archive import Archive
from uknip_crawler.archive.duplicates import CROWD, Duplicates
from uknip_crawler.duplicates.fingerprints import Text, bands, estimate
from uknip_crawler.duplicates.matching import identical, match

CHUNK = 100
LIKELY = 0.15
"""Estimated share of common shingles from which two texts are compared: 3.5 deviations below 0.3."""


def link_near_duplicates(
    archive: Archive, progress: Callable[[int, int], None] = lambda done, of: None
) -> int:
    """Compare every new or changed story with all others, link copies in groups; return how many were compared.

    Done some at a time: what is done stays done, and `progress` hears how many of how many. Doing it again changes nothing.
    """
    store = archive.duplicates
    pending = store.pending()
    for start in range(0, len(pending), CHUNK):
        with archive.transaction():
            texts: set[str] = set()
            for article_id in pending[start : start + CHUNK]:
                texts |= _renew(store, article_id)
            for content_sha256 in sorted(texts):
                _link_twins(store, content_sha256)
            store.regroup()
        progress(min(start + CHUNK, len(pending)), len(pending))
    misplaced, shared_texts = store.out_of_order()
    with archive.transaction():
        for content_sha256 in shared_texts:
            _link_twins(store, content_sha256)
        store.regroup(misplaced)
    return len(pending)


def withdraw(archive: Archive, stories: Iterable[int]) -> None:
    """Take stories out of the comparison, and group anew what they held together. Runs inside the caller's transaction."""
    store = archive.duplicates
    texts: set[str] = set()
    freed: list[list[int]] = []
    for article_id in stories:
        if (held := store.fingerprint(article_id)) is not None:
            texts.add(held[0])
            freed += store.remove(article_id, bands(held[1]))
    _compare_all(store, {pair for members in freed for pair in combinations(sorted(members), 2)})
    for content_sha256 in sorted(texts):
        _link_twins(store, content_sha256)
    store.regroup()


def _renew(store: Duplicates, article_id: int) -> set[str]:
    """Compare a story by its current text; return the digests of its former and current text."""
    texts = set()
    old = store.fingerprint(article_id)
    if old is not None:
        texts.add(old[0])
        freed = store.remove(article_id, bands(old[1]))
        _compare_all(store, {pair for members in freed for pair in combinations(sorted(members), 2)})
    now = store.text(article_id)
    if now is None:
        return texts
    headline, body, content_sha256 = now
    text = Text.of(headline, body)
    signature = text.signature()
    candidates, crowds = store.place(article_id, content_sha256, signature, bands(signature))
    _withdraw(store, {pair for members in crowds for pair in store.pairs_among(members)})
    _compare_all(store, {(article_id, other) for other in candidates}, {article_id: text})
    return texts | {content_sha256}


def _compare_all(
    store: Duplicates, pairs: Iterable[tuple[int, int]], known: dict[int, Text] | None = None
) -> None:
    """Link the stories of these pairs that are copies; two of the same text are left to `_link_twins`."""
    texts = known or {}
    for one, other in sorted(pairs):
        ours, theirs = store.fingerprint(one), store.fingerprint(other)
        if not ours or not theirs or ours[0] == theirs[0] or estimate(ours[1], theirs[1]) < LIKELY:
            continue
        for article_id in (one, other):
            if article_id not in texts and (held := store.text(article_id)):
                texts[article_id] = Text.of(held[0], held[1])
        found = match(texts[one], texts[other]) if one in texts and other in texts else None
        if found:
            store.link(one, other, found.similarity, found.shared)


def _withdraw(store: Duplicates, pairs: Iterable[tuple[int, int]]) -> None:
    """Unlink the stories that a band now crowded had brought together, unless another one still does."""

    @cache
    def quiet_bands(article_id: int) -> frozenset[int]:
        found = store.fingerprint(article_id)
        return frozenset(band for band in bands(found[1]) if not is_crowded(band)) if found else frozenset()

    @cache
    def is_crowded(band: int) -> bool:
        return len(store.members(band)) > CROWD

    for one, other in pairs:
        if quiet_bands(one).isdisjoint(quiet_bands(other)):
            store.unlink(one, other)


def _link_twins(store: Duplicates, content_sha256: str) -> None:
    """Link the stories of one and the same text with the first of them alone: thousands make no millions of pairs."""
    ids, held = store.twins(content_sha256)
    wanted = {(min(ids[0], other), max(ids[0], other)) for other in ids[1:]}
    for one, other in held - wanted:
        store.unlink(one, other)
    text = store.text(ids[0]) if wanted - held else None
    if text:
        same = identical(Text.of(text[0], text[1]))
        for one, other in sorted(wanted - held):
            store.link(one, other, same.similarity, same.shared)
