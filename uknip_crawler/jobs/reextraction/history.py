"""A story read again from all its captures, each by the same rules: its publisher's versions, and what is shown of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from uknip_crawler.archive import Archive
from uknip_crawler.archive.database import as_text
from uknip_crawler.archive.readings import Captured, Version
from uknip_crawler.archive.story_rows import Evidence
from uknip_crawler.duplicates.fingerprints import content_sha256
from uknip_crawler.extraction import version_of
from uknip_crawler.extraction.learning.layouts import Learned
from uknip_crawler.extraction.metadata.listed import with_listed
from uknip_crawler.ingest.interruptions import Shown, interruptions_among
from uknip_crawler.jobs.reextraction.multipage import ReadCaptures, join
from uknip_crawler.models import Article, Outcome, Reading, Stripped
from uknip_crawler.revisions import compare, only_adds, other_changes

SAMPLES = 5
_INTERRUPTIONS = frozenset({Outcome.INTERRUPTED, Outcome.CHALLENGE})
FIELDS = (
    "headline", "kicker", "standfirst", "section", "published_at", "modified_at", "authors", "tags", "body", "images",
)  # fmt: skip


@dataclass(slots=True)
class Sample:
    """A story whose text changed: how many words it has more and less, and a short diff."""

    url: str
    added_words: int
    removed_words: int
    diff: str


@dataclass(slots=True)
class Report:
    """What a re-reading changed. `lost_text` are stories with fewer words than before, `unread` captures that gave
    no story now, as (address, reason): their old readings stay; `set_aside` counts those that show something in the
    story's place. `troubles` are lines about the runs whose captures were read."""

    stories: int = 0
    captures: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    lost_text: list[tuple[str, int]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    set_aside: int = 0
    troubles: list[str] = field(default_factory=list)

    def note(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        for name in FIELDS:
            self.changed[name] += before[name] != after[name]
        if before["body"] == after["body"]:
            return
        change = compare(before["headline"], before["body"], after["headline"], after["body"])
        self.samples.append(Sample(before["url"], change.added_words, change.removed_words, change.diff))
        self.samples.sort(key=lambda s: (-s.added_words - s.removed_words, s.url))
        del self.samples[SAMPLES:]
        if change.removed_words > change.added_words:
            self.lost_text.append((before["url"], change.removed_words - change.added_words))


@dataclass(slots=True)
class Reextraction:
    """Stores stories read again, some in one transaction."""

    archive: Archive
    learned: Learned
    report: Report
    dry_run: bool
    _layouts: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def store(self, read_captures: dict[int, ReadCaptures]) -> None:
        if self.dry_run:
            for article_id, captures in read_captures.items():
                self._one(article_id, captures)
            return
        with self.archive.transaction():
            for article_id, captures in read_captures.items():
                self._one(article_id, captures)

    def _one(self, article_id: int, captures: ReadCaptures) -> None:
        self.report.stories += 1
        self.report.captures += len(captures)
        before = self.archive.readings.now(article_id)
        captures = self._without_interruptions(captures)
        read = [(captured, reading) for captured, reading in captures if reading.article is not None]
        for captured, reading in captures:
            if reading.article is None:
                self.report.unread.append(
                    (before["url"], f"{captured.captured_at:%Y-%m-%d}: {reading.reason}")
                )
        newest_failed = not read or read[-1][0].fetch_id != captures[-1][0].fetch_id
        if newest_failed or any(r.article is None for _, r in captures):
            if not self.dry_run:  # half a life is no life: everything stays as it was read before
                self.archive.readings.mark_read(article_id, self._version(captures, before))
            return
        joined = join(read, not_there=self.archive.pages.not_there(article_id))
        joined = self._with_listed(joined, before["url"])
        versions, shown, stripped = self._versions(joined, before["url"])
        self.report.note(before, _fields(shown.article))
        if not self.dry_run:
            self.archive.readings.replace(
                article_id,
                versions,
                shown,
                stripped,
                layouts={c.fetch_id: self._layout(c, r) for c, r in read},
                flags={c.fetch_id: r.flags for c, r in read},
                others=list(_other_changes(joined)),
            )
            first = [c.fetch_id for c, _ in read if c.part == 1] or [read[-1][0].fetch_id]
            self.archive.pages.settle(article_id, shown.article, first[-1])

    def _without_interruptions(self, captures: ReadCaptures) -> ReadCaptures:
        """Return the captures without those that show something in the story's place; of a story nobody saw, all."""
        aside = {c.fetch_id: (r.outcome, r.reason or "") for c, r in captures if r.outcome in _INTERRUPTIONS}
        pages = [(c, r.article, r.skeleton) for c, r in captures if r.article is not None and c.part == 1]
        shown = [(c.captured_at, Shown.of(article, skeleton)) for c, article, skeleton in pages]
        released = {place for place, (captured, _, _) in enumerate(pages) if captured.released}
        for place, why in interruptions_among(shown, released).items():
            aside[pages[place][0].fetch_id] = (Outcome.INTERRUPTED, why)
        if not aside or len(aside) == len(captures):
            return captures
        self.report.set_aside += len(aside)
        for fetch_id, (outcome, why) in aside.items():
            if not self.dry_run and outcome is not None:
                self.archive.interruptions.set_aside({fetch_id: why}, outcome=outcome)
        return [(c, r) for c, r in captures if c.fetch_id not in aside]

    def _with_listed(self, read: ReadCaptures, url: str) -> ReadCaptures:
        """Return the readings with what the site's own lists say of the story."""
        newest = read[-1][1].article
        said = self.archive.frontier.said_of(url, newest.post_id if newest else None)
        return [
            (c, replace(r, article=with_listed(r.article, said, c.captured_at) if r.article else None))
            for c, r in read
        ]

    def _version(self, captures: ReadCaptures, before: dict[str, Any]) -> str:
        skeletons = dict(self.archive.readings.skeletons())
        return version_of(self.learned, skeletons.get(before["layout_id"]))

    def _layout(self, captured: Captured, reading: Reading) -> int | None:
        if reading.skeleton is None or self.dry_run:
            return None
        seen = reading.skeleton, captured.captured_at
        if seen not in self._layouts:
            self._layouts[seen] = self.archive.layouts.id_of(reading.skeleton, at=captured.captured_at)
        return self._layouts[seen]

    def _versions(self, read: ReadCaptures, url: str) -> tuple[list[Version], Version, tuple[Stripped, ...]]:
        """Return the publisher's versions, the one to show, and the furniture on its page.

        A page in another layout that is still young may hold furniture nobody knows yet: when its text only adds
        to the text known before, the older reading stands until the layout is trusted.
        """
        versions: list[Version] = []
        shown: Version | None = None
        skeleton: str | None = None
        stripped: tuple[Stripped, ...] = ()
        for captured, reading in read:
            version = self._version_at(captured, reading)
            young = not self._is_trusted(reading.skeleton)
            if shown is not None and shown.content_sha256 != version.content_sha256:
                doubtful = young and reading.skeleton != skeleton
                if doubtful and only_adds(shown.article.body, version.article.body):
                    continue
            if shown is None or shown.content_sha256 != version.content_sha256:
                versions.append(version)
            shown, skeleton, stripped = version, reading.skeleton, reading.furniture
        assert shown is not None
        evidence = replace(  # also what is held back is read again once its layout is trusted
            shown.evidence,
            extractor_version=version.evidence.extractor_version,
            layout_id=version.evidence.layout_id,
        )
        return versions, replace(shown, evidence=evidence), stripped

    def _version_at(self, captured: Captured, reading: Reading) -> Version:
        assert reading.article is not None
        article = reading.article
        digest = content_sha256(article.headline, article.body)
        evidence = Evidence(
            captured.run_id,
            captured.fetch_id,
            captured.captured_at,
            reading.version,
            self._layout(captured, reading),
        )
        return Version(article, digest, evidence)

    def _is_trusted(self, skeleton: str | None) -> bool:
        layout = self.learned.layouts.get(skeleton or "")
        return layout is not None and layout.is_trusted


def _other_changes(read: ReadCaptures) -> Iterator[tuple[Captured, str]]:
    """Yield the captures at which a story's labels changed and its text did not, and what changed.

    Only between pages of one layout: another may print other labels.
    """
    for (_, old), (captured, new) in pairwise(read):
        assert old.article is not None
        assert new.article is not None
        changed = other_changes(old.article, new.article) if old.skeleton == new.skeleton else None
        if changed:
            yield captured, changed


def _fields(article: Article) -> dict[str, Any]:
    return {
        "headline": article.headline,
        "kicker": article.kicker,
        "standfirst": article.standfirst,
        "section": article.section,
        "published_at": as_text(article.published_at),
        "modified_at": as_text(article.modified_at),
        "authors": article.authors,
        "tags": article.tags,
        "body": article.body,
        "images": tuple(image.url for image in article.images),
    }
