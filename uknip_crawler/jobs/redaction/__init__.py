"""Taking stories out of the whole archive: captures, images, tables; and going on where a redaction was killed.

The order: marks (the story is kept out from here on), tombstones, captures, images, rows, then the bytes that
deleting leaves in the file. The rows, from which the traces are told, go last of what can be killed half-way.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from uknip_crawler import __version__
from uknip_crawler.archive import Archive, erasure, warc
from uknip_crawler.archive.redactions import Redaction
from uknip_crawler.archive.warc import rewriting
from uknip_crawler.archive.warc.rewriting import Plan, Tombstone
from uknip_crawler.duplicates.fingerprints import content_sha256
from uknip_crawler.duplicates.linking import withdraw
from uknip_crawler.errors import AddressRefused, StorageError
from uknip_crawler.extraction.page.content import readable
from uknip_crawler.jobs.redaction.mentions import in_headers, mentions
from uknip_crawler.jobs.redaction.traces import RUN_WORDS, Traces
from uknip_crawler.models import Capture
from uknip_crawler.sites import Site, load_site
from uknip_crawler.urls import canonicalise

Step = Callable[[str], None]
_TEXTUAL = re.compile(r"text/|json|xml|javascript", re.IGNORECASE)
_EXTENSION = re.compile(r"\.\w{2,5}$")
SPARED_PAGES = 50
_FRAMING = frozenset({"content-encoding", "content-length"})


@dataclass(slots=True)
class Target:
    """Stories to take out, and all that tells of them; `copies` are the addresses of stories that repeat them and stay."""

    stories: list[int]
    addresses: set[str] = field(default_factory=set)
    images: list[tuple[int, str, str | None]] = field(default_factory=list)
    traces: Traces = field(default_factory=Traces)
    copies: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Extent:
    """How much goes: `captures` dropped, `altered` captures of other pages in which traces are blacked out, `damaged`
    records of which nobody can tell what they hold."""

    stories: int = 0
    addresses: int = 0
    revisions: int = 0
    images: int = 0
    captures: int = 0
    altered: int = 0
    damaged: int = 0
    files: int = 0


def aim(archive: Archive, stories: Sequence[int]) -> Target:
    """Return everything that tells of some stories and of no other."""
    redactions = archive.redactions
    target = Target(list(stories), redactions.addresses(stories), redactions.own_images(stories))
    images = [url for _, url, _ in target.images]
    for story in stories:
        headlines, texts = redactions.texts(story)
        target.traces.add(headlines=headlines, texts=texts)
    target.addresses.update(images, redactions.led_to(images))
    _narrow(archive, target)
    target.copies.update(redactions.copies(stories))
    return target


def _narrow(archive: Archive, target: Target) -> None:
    """Leave to the stories that stay what they say too."""
    redactions, traces = archive.redactions, target.traces
    for headline, text in redactions.others(target.stories):
        traces.spare(headline, text)
    others = list(redactions.other_addresses(target.stories))
    target.addresses.difference_update(url for url, stays in others if stays)
    traces.add(addresses=target.addresses)
    for url, stays in others:
        if traces.spare_address(url, stays=bool(stays)) and stays:
            target.copies.add(url)


def extent(archive: Archive, target: Target, step: Step = lambda what: None) -> Extent:
    """Return what would go; nothing is changed."""
    found = _counted(archive, target)
    found.images += len({number for story in target.stories for number in formerly_shown(archive, story)})
    for plan in _plans(archive, target, step):
        _note(found, plan)
    return found


def redact(
    archive: Archive, target: Target, reason: str, *, at: datetime, step: Step = lambda what: None
) -> Extent:
    """Take stories out for good. Killed at any point, `complete` goes on. Raises StorageError when the disk refuses."""
    redactions = archive.redactions
    marks = {story: redactions.story_marks(story, target.stories) for story in target.stories}
    begun = {redaction.story for redaction in redactions.all()}
    with archive.transaction():
        for story in target.stories:
            if story not in begun:
                redactions.begin(story, marks[story], reason, at=at)
                redactions.claim(story, formerly_shown(archive, story))
    step("announced")
    return complete(archive, at=at, step=step)


def formerly_shown(archive: Archive, story: int) -> list[int]:
    """Return the images that no story shows any more and that an earlier page of this one did."""
    unshown = archive.redactions.unshown_images()
    captures = archive.readings.captures([story]).get(story, []) if unshown else []
    pages: list[str] = []
    for one in captures:
        with contextlib.suppress(StorageError):  # a damaged capture shows nothing
            pages.append(readable(archive.read_capture(one.record))[0].decode("utf-8", "replace"))
    text = unquote(html.unescape("\n".join(pages).replace("\\/", "/")))
    # by its path without the ending: pages name other sizes and formats of an image too
    return [number for number, url in unshown if _EXTENSION.sub("", unquote(urlsplit(url).path)) in text]


def complete(archive: Archive, *, at: datetime, step: Step = lambda what: None) -> Extent:
    """Do what is left of redactions, and drop captures that turned out to show a redacted story.

    Doing it twice changes nothing more; without redactions it costs nothing.
    """
    if not archive.redactions.are_any:
        return Extent()
    rewriting.sweep(archive.db, archive.warc_folder)
    begun = [redaction for redaction in archive.redactions.all() if not redaction.is_finished]
    found = Extent()
    if begun:
        _bury_marks(archive, begun, at)
        step("tombstones written")
    stories = [redaction.story for redaction in begun if redaction.story and not redaction.is_erased]
    if stories:
        found = _take_out(archive, aim(archive, stories), at, step)
    found.captures += _drop_withheld(archive, step)
    if begun:
        erasure.scour(archive.db)
        step("scoured")
        with archive.transaction():
            archive.redactions.finish(at=at)
    return found


def after_run(archive: Archive, *run_ids: int, at: datetime) -> None:
    """Take out what runs brought of redacted stories: their own pages, and what lists and other pages say of them.

    These are known by the addresses they name. Call it when a run's WARC files are closed, before the run is finished:
    a run that was killed before is cleaned by recovery.
    """
    complete(archive, at=at)
    base_url = archive.base_url()
    if not archive.redactions.are_any or base_url is None:
        return
    site = load_site(base_url)
    of_runs = "SELECT name FROM warcs WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY name"
    files = [name for (name,) in archive.db.conn.execute(of_runs, (json.dumps(run_ids),)).fetchall()]
    target = _named_in(archive, files, site)
    if not target.addresses:
        return
    _narrow(archive, target)
    for plan in _plans(archive, target, lambda what: None, files):
        rewriting.carry_out(archive.db, archive.warc_folder, plan, lambda what: None)
    with archive.transaction():
        erasure.erase_traces(archive.db, _erasure(archive, target))


def _named_in(archive: Archive, files: Sequence[str], site: Site) -> Target:
    """Return what captures say of redacted stories, wherever they name one's address."""

    @functools.lru_cache(10_000)
    def canonical(url: str) -> str | None:
        try:
            found = canonicalise(url, site)
        except AddressRefused:
            return None
        return found if archive.redactions.keeps_out(found) else None

    target = Target([])
    others: list[str] = []
    for name in files:
        for capture in warc.captures(archive.warc_folder / name):
            target.addresses.update(filter(None, map(canonical, in_headers(capture))))
            if not _is_text(capture):
                continue
            text = readable(capture)[0].decode("utf-8", "replace")
            found = list(mentions(text, lambda url: canonical(url) is not None))
            if not found and len(others) < SPARED_PAGES:
                others.append(text)
            for mention in found:
                target.addresses.add(canonical(mention.address) or mention.address)
                if len(mention.headline.split()) >= RUN_WORDS:
                    target.traces.add(headlines=[mention.headline])
                target.traces.add(texts=[mention.headline, mention.text])
    for text in others if target.addresses else ():
        target.traces.spare("", text)  # what pages without the story say too is furniture
    return target


def _bury_marks(archive: Archive, begun: Sequence[Redaction], at: datetime) -> None:
    """Put each redaction into a WARC file, so that a database made from the captures alone keeps the story out."""
    run_id = archive.db.conn.execute("SELECT max(id) FROM runs").fetchone()[0]
    for redaction in begun:
        tombstone = Tombstone(archive.redactions.marks(redaction.id), redaction.reason, redaction.at)
        rewriting.write_tombstone(
            archive.db, archive.warc_folder, redaction.id, run_id, f"uknip/{__version__}", tombstone, at=at
        )


def _take_out(archive: Archive, target: Target, at: datetime, step: Step) -> Extent:
    found = _counted(archive, target)
    for plan in _plans(archive, target, step):
        _note(found, plan)
        rewriting.carry_out(archive.db, archive.warc_folder, plan, lambda done: step(f"captures {done}"))
    digests = {digest for _, _, digest in target.images if digest}
    archive.images.forget({url for _, url, _ in target.images}, digests)
    step("images deleted")
    with archive.transaction():
        withdraw(archive, target.stories)
        erasure.erase(archive.db, _erasure(archive, target), at=at)
    step("rows erased")
    return found


def _erasure(archive: Archive, target: Target) -> erasure.Erasure:
    numbers = {r.story: r.id for r in archive.redactions.all() if r.story in target.stories}
    return erasure.Erasure(
        stories={story: numbers[story] for story in target.stories},
        addresses=target.addresses,
        images=[number for number, _, _ in target.images],
        blacken=target.traces.blacken,
        digest=content_sha256,
        body_digest=lambda body: hashlib.sha256(body.encode()).hexdigest(),
    )


def _counted(archive: Archive, target: Target) -> Extent:
    revisions = sum(
        archive.db.conn.execute("SELECT count(*) FROM revisions WHERE article_id = ?", (story,)).fetchone()[0]
        for story in target.stories
    )
    images = len(target.images)
    return Extent(len(target.stories), len(target.addresses) - images, revisions, images)


def _note(found: Extent, plan: Plan) -> None:
    found.captures += plan.responses
    found.altered += len(plan.changed)
    found.damaged += plan.damaged
    found.files += 1


def _plans(
    archive: Archive, target: Target, step: Step, files: Sequence[str] | None = None
) -> Iterator[Plan]:
    """Yield what becomes of the captures, file by file (None: of all); files without a trace are not among them."""
    base_url = archive.base_url()
    cleaner = _Cleaner(target, load_site(base_url) if base_url else None)
    doomed: dict[str, set[int]] = {}
    for story in target.stories:
        for name, offset in archive.db.conn.execute(
            "SELECT warc_name, warc_offset FROM fetches WHERE article_id = ? AND warc_name IS NOT NULL",
            (story,),
        ):
            doomed.setdefault(name, set()).add(offset)
    rows = archive.db.conn.execute("SELECT name FROM warcs ORDER BY name").fetchall()
    for name in [name for (name,) in rows] if files is None else files:
        step(f"reading {name}")
        plan = rewriting.plan(
            archive.warc_folder, name, cleaner.treat, is_gone=cleaner.is_own, doomed=doomed.get(name, set())
        )
        if plan:
            yield plan


def _drop_withheld(archive: Archive, step: Step) -> int:
    """Take out of WARC files what a run fetched before it could know that it was a redacted story."""
    dropped = 0
    for name, offsets in archive.redactions.withheld().items():
        plan = rewriting.plan(
            archive.warc_folder, name, lambda capture: capture, is_gone=lambda url: False, doomed=offsets
        )
        rewriting.carry_out(archive.db, archive.warc_folder, plan, lambda done: step(f"withheld {done}"))
        dropped += len(offsets)
    return dropped


@dataclass(frozen=True, slots=True)
class _Cleaner:
    """Decides about captures: the stories' own go; from other pages, lists and feeds their traces do."""

    target: Target
    site: Site | None

    def is_own(self, url: str) -> bool:
        """Tell whether an address is one of the stories', or is made of one."""
        if url in self.target.addresses or self.target.traces.blacken(url) is not url:
            return True
        with contextlib.suppress(AddressRefused):
            return self.site is not None and canonicalise(url, self.site) in self.target.addresses
        return False

    def treat(self, capture: Capture) -> Capture | None:
        if self.is_own(capture.url):
            return None
        traces = self.target.traces
        headers = tuple(
            (name, _bytes_as_such(traces.blacken(_as_text(value)))) for name, value in capture.headers
        )
        body, is_whole = readable(capture)
        text = body.decode("utf-8", "surrogateescape")
        cleaned = traces.blacken(traces.without_entries(text)) if _is_text(capture) else text
        if cleaned == text and headers == capture.headers:
            return capture
        if not is_whole:
            return None  # half a page under a coding cannot be written anew; no story rests on one
        kept = tuple((name, value) for name, value in headers if name.lower() not in _FRAMING)
        new = cleaned.encode("utf-8", "surrogateescape")
        return replace(capture, headers=(*kept, ("Content-Length", str(len(new)))), body=new)


def _as_text(value: str) -> str:
    """Read a header's bytes as text, to be found in it."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


def _bytes_as_such(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _is_text(capture: Capture) -> bool:
    kind = capture.header("content-type")
    return kind is None or _TEXTUAL.search(kind) is not None
