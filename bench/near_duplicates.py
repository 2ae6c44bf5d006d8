"""Copies found, false links, and what a new story costs: `link_near_duplicates` on invented stories.

    uv run python bench/near_duplicates.py [STORIES] [HELD]

STORIES (20,000) are written by the sample newsroom's writer: nine kinds of story from a hundred sentences, with names
and figures put in, so that strangers have up to half of their text in common. A twentieth of them is a copy of another:

- verbatim: the same headline and text;
- headline: the same text under another story's headline;
- reworded: each word of the text that is no name and no figure replaced at 10, 15 or 20 % chance;
- cut: the last third of the paragraphs, at least one, missing (of stories of two paragraphs or more);
- prefix, suffix: a paragraph of another story before or after.

A copy counts as found when it is in its original's group. Every other link is false. HELD (100,000) stories are then
held while 500 new ones come. The floor in the same run: storing those 500 stories with all their rows.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from uknip_crawler.archive import Archive
from uknip_crawler.archive.story_rows import Evidence
from uknip_crawler.demo.prose import Writer
from uknip_crawler.duplicates.fingerprints import Text, bands, content_sha256
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.models import Article, Block, BlockKind

NOW = datetime(2021, 3, 1, 12, tzinfo=UTC)
SITE = "https://uknip.co.uk"
NEW = 500
KINDS = ("verbatim", "headline", "reworded 10 %", "reworded 15 %", "reworded 20 %", "cut", "prefix", "suffix")
FILLERS = ("thing", "said", "later", "again", "moved", "some", "while", "often", "shown", "under")


@dataclass(frozen=True, slots=True)
class Planted:
    number: int
    kind: str
    headline: str
    paragraphs: tuple[str, ...]
    original: int


def address(number: int) -> str:
    return f"{SITE}/{number}/"


def written(number: int) -> tuple[str, tuple[str, ...]]:
    """Return headline and paragraphs of one story; the same number always gives the same."""
    writer = Writer(Random(f"near-duplicates {number}"), NOW + timedelta(minutes=number * 20))
    draft = writer.draft(plain=number % 3 == 0, subheadings=number % 4 == 1)
    return draft.headline, tuple(block.text for block in draft.blocks)


def reworded(paragraph: str, chance: float, random: Random) -> str:
    return " ".join(
        random.choice(FILLERS) if word.islower() and word.isalpha() and random.random() < chance else word
        for word in paragraph.split(" ")
    )


def planted(number: int, stories: int) -> Planted:
    random = Random(f"copy {number}")
    kind = KINDS[number % len(KINDS)]
    original = random.randrange(stories)
    headline, paragraphs = written(original)
    stranger_headline, stranger = written(random.randrange(stories))
    if kind == "headline":
        headline = stranger_headline
    elif kind.startswith("reworded"):
        chance = int(kind.split()[1]) / 100
        paragraphs = tuple(reworded(paragraph, chance, random) for paragraph in paragraphs)
    elif kind == "cut":
        while len(paragraphs) < 2:
            original = random.randrange(stories)
            headline, paragraphs = written(original)
        paragraphs = paragraphs[: -max(1, len(paragraphs) // 3)]
    elif kind == "prefix":
        paragraphs = (stranger[0], *paragraphs)
    elif kind == "suffix":
        paragraphs = (*paragraphs, stranger[-1])
    return Planted(number, kind, headline, paragraphs, original)


def article(number: int, headline: str, paragraphs: Iterable[str]) -> Article:
    blocks = tuple(Block(BlockKind.PARAGRAPH, text) for text in paragraphs)
    published = NOW + timedelta(minutes=number)
    return Article(address(number), headline, blocks, post_id=number, published_at=published)


def store(archive: Archive, articles: Iterable[Article], *, fingerprinted: bool = False) -> None:
    """Store articles; with their fingerprints, when these need not be compared."""
    waiting = iter(articles)
    while some := list(islice(waiting, 500)):  # itertools.batched wants Python 3.12
        with archive.transaction():
            for one in some:
                row = archive.ledger.open(1, one.url, kind="article", found_by="seed", at=NOW)
                assert row is not None
                digest = content_sha256(one.headline, one.body)
                _, article_id = archive.articles.store(one, digest, Evidence(1, row, NOW, "1"))
                if fingerprinted:
                    signature = Text.of(one.headline, one.body).signature()
                    archive.duplicates.place(article_id, digest, signature, bands(signature))


def articles(start: int, end: int) -> Iterator[Article]:
    return (article(number, *written(number)) for number in range(start, end))


def find(archive: Archive, stories: int) -> None:
    copies = [planted(number, stories) for number in range(stories, stories + stories // 20)]
    store(archive, articles(0, stories))
    store(archive, (article(copy.number, copy.headline, copy.paragraphs) for copy in copies))
    began = time.perf_counter()
    count = link_near_duplicates(archive)
    seconds = time.perf_counter() - began
    first = {url: url for (url,) in archive.db.execute("SELECT url FROM articles")}
    query = "SELECT a.url, f.url FROM articles AS a JOIN articles AS f ON f.id = a.duplicate_of"
    first |= dict(archive.db.execute(query).fetchall())
    origin = {address(copy.number): address(copy.original) for copy in copies}
    found = Counter(
        copy.kind for copy in copies if first[address(copy.number)] == first[address(copy.original)]
    )
    made = Counter(copy.kind for copy in copies)
    pairs = archive.db.execute(
        "SELECT a.url, b.url FROM near_duplicates JOIN articles AS a ON a.id = article_id "
        "JOIN articles AS b ON b.id = other_id"
    ).fetchall()
    false = [pair for pair in pairs if origin.get(pair[0], pair[0]) != origin.get(pair[1], pair[1])]
    for kind in KINDS:
        print(f"{kind:28} {found[kind]:6,} of {made[kind]:,} found  {found[kind] / made[kind]:8.2%}")
    print(
        f"{'all planted copies':28} {found.total():6,} of {len(copies):,} found  {found.total() / len(copies):8.2%}"
    )
    print(f"{'false links':28} {len(false):6,} among {count:,} stories")
    for pair in islice(false, 5):
        print(f"  {pair[0]}  {pair[1]}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{'compared all at once':28} {seconds:6.0f} s, {seconds / count * 1000:.1f} ms a story, peak memory {peak:,.0f} MB"
    )


def cost(archive: Archive, held: int) -> None:
    begin = 10_000_000  # numbers of stories that were not written yet
    count = archive.db.execute("SELECT count(*) FROM articles").fetchone()[0]
    store(archive, articles(begin, begin + max(0, held - count)), fingerprinted=True)
    link_near_duplicates(archive)
    began = time.perf_counter()
    link_near_duplicates(archive)
    idle = time.perf_counter() - began
    began = time.perf_counter()
    store(archive, articles(begin * 2, begin * 2 + NEW))
    floor = (time.perf_counter() - began) / NEW
    began = time.perf_counter()
    link_near_duplicates(archive)
    each = (time.perf_counter() - began - idle) / NEW
    pages = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'fingerprint%'"
    print(f"{'a new story, compared':28} {each * 1000:8.2f} ms with {max(held, count):,} held")
    print(
        f"{'a new story, stored (floor)':28} {floor * 1000:8.2f} ms, comparing takes {each / floor:.1f} times as long"
    )
    print(f"{'a run with nothing new':28} {idle * 1000:8.2f} ms")
    print(
        f"{'on disk':28} {archive.db.execute(pages).fetchone()[0] / (max(held, count) + NEW):8.0f} bytes a story"
    )


def main(stories: str = "20000", held: str = "100000") -> None:
    with tempfile.TemporaryDirectory() as folder, Archive(Path(folder) / "archive") as archive:
        with archive.transaction():
            archive.ledger.start_run("crawl", f"{SITE}/", {}, "bench", at=NOW)
        find(archive, int(stories))
        cost(archive, int(held))


if __name__ == "__main__":
    main(*sys.argv[1:])
