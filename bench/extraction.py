"""How right and how fast pages are read, beside trafilatura, on the same pages in one run.

    uv run python bench/extraction.py [--stories N] [--seeds N ...] [--rounds N]
    uv run python bench/extraction.py --pages FOLDER

**The sample site**, easy and hard, against its newsroom's truth: *exact* bodies, bodies in which a line *leaks* that is
no part of the story, and paragraphs *lost*, all by words. Every page is read with what was learned from all of them,
then each page but the first n of its layout with what was learned from those; the archive holds the older stories in
either case, as one that has grown with its site does. trafilatura reads the same pages
(`extract(include_comments=False)`).

**Speed**: one core, pinned; the median over pages of each page's best round, in CPU time. The peer is what a careful
user of trafilatura does: `bare_extraction(with_metadata=True)` and dateparser on the printed date.

**Pages from elsewhere**, in the form that `elsewhere.py` describes, are measured instead when they are given.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import dateparser
import elsewhere
import trafilatura
from examination import Question, questions
from reading import BASE, Learned, Tally, learned_from, reading, show

from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.extraction import read
from uknip_crawler.models import Capture
from uknip_crawler.sites import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TESTED = Path(__file__).parents[1] / "tests" / "pages"


def served(newsroom: Newsroom) -> list[Question]:
    site = SampleSite(newsroom)
    site.base_url = BASE
    return questions(site, fetched_at=newsroom.now)


def tallied(asked: Iterable[Question], learned: Learned) -> Tally:
    tally = Tally()
    for question in asked:
        article = reading(question.capture, learned).article
        tally.add(article.body if article else "", question.post.body.split("\n\n"))
    return tally


def peer_tallied(asked: Iterable[Question]) -> Tally:
    tally = Tally()
    for question in asked:
        text = trafilatura.extract(question.capture.body, include_comments=False) or ""
        tally.add(text, question.post.body.split("\n\n"), by="\n")
    return tally


def sample_site(stories: int, seed: int, *, hard: bool) -> None:
    newsroom = Newsroom(stories, seed=seed, now=NOW, hard=hard)
    asked = served(newsroom)
    by_layout = defaultdict(list)
    for question in asked:
        by_layout[question.post.layout].append(question)
    print(
        f"\n{'hard' if hard else 'easy'} sample site, seed {seed}: {len(asked)} pages in {len(by_layout)} layouts"
    )
    show("trafilatura", peer_tallied(asked))
    show("nothing learned", tallied(asked, Learned()))
    captures = [q.capture for q in asked]
    learned = learned_from(captures)
    show("learned from all", tallied(asked, learned))
    for first in (20, 10, 5):
        taught = [q.capture for group in by_layout.values() for q in group[:first]]
        others = [q for group in by_layout.values() for q in group[first:]]
        show(f"first {first} of each, the others read", tallied(others, learned_from(taught, captures)))
    if not hard:
        newsroom.redesign(NOW + timedelta(days=1))
        again = served(newsroom)
        both = learned_from([*captures, *(q.capture for q in again)])
        show("redesigned, learned anew", tallied(again, both))


# Fast


def peer(capture: Capture) -> None:
    found = trafilatura.bare_extraction(capture.body, url=capture.url, with_metadata=True)
    if found is not None and found.date:
        dateparser.parse(found.date)


def milliseconds(
    jobs: dict[str, Callable[[Capture], object]], captures: list[Capture], rounds: int
) -> dict[str, float]:
    """Return the median over pages of each job's best CPU time, the jobs interleaved page by page."""
    best: dict[str, list[float]] = {name: [float("inf")] * len(captures) for name in jobs}
    for _ in range(rounds):
        for index, capture in enumerate(captures):
            for name, job in jobs.items():
                began = time.process_time()
                job(capture)
                best[name][index] = min(best[name][index], time.process_time() - began)
    return {name: median(times) * 1000 for name, times in best.items()}


def speed(stories: int, rounds: int) -> None:
    asked = [q.capture for q in served(Newsroom(stories, now=NOW))]
    learned, site = learned_from(asked), load_site(BASE)
    captures = [one for one in asked if len(one.body) >= 100_000][:: max(1, len(asked) // 100)]
    times = milliseconds(
        {
            "trafilatura and dateparser": peer,
            "without learning": lambda capture: reading(capture, Learned()),
            "trusted layout": lambda capture: reading(capture, learned),
            "trusted layout, links kept": lambda capture: read(capture, site, learned=learned),
        },
        captures,
        rounds,
    )
    print(
        f"\n{len(captures)} pages of 100 kB and more, one core, CPU time, median of pages, best of {rounds} rounds"
    )
    base = times["trafilatura and dateparser"]
    for name, spent in times.items():
        print(f"{name:34}{spent:8.2f} ms  {base / spent:6.2f} ×")


def f1(read_text: str, truth: str) -> float:
    ours, theirs = Counter(read_text.split()), Counter(truth.split())
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if ours or theirs else 1.0


def hand_made() -> None:
    """Print the mean F1 over the pages of the tests, of one site each and so read without learning."""
    ours, theirs = [], []
    for folder in sorted(path.parent for path in TESTED.glob("*/article.json")):
        truth = json.loads((folder / "article.json").read_text("utf-8"))["body"]
        facts = json.loads((folder / "capture.json").read_text("utf-8"))
        body = (folder / "page.html").read_bytes()
        headers = tuple((name, value) for name, value in facts["headers"])
        capture = Capture(facts["url"], 200, headers, body, datetime.fromisoformat(facts["fetched_at"]))
        article = read(capture, load_site(), expected_article=True).article
        ours.append(f1(article.body if article else "", truth))
        theirs.append(f1(trafilatura.extract(body, include_comments=False) or "", truth))
    print(
        f"\n{len(ours)} hand-made pages, nothing learned: mean F1 {mean(ours):.3f}, trafilatura {mean(theirs):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How right and how fast pages are read, beside trafilatura.")
    parser.add_argument("--stories", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--pages", type=Path, metavar="FOLDER", help="pages and truth from elsewhere, and nothing else"
    )
    options = parser.parse_args()
    if options.pages:
        elsewhere.measure(options.pages)
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for hard in (False, True):
        for seed in options.seeds:
            sample_site(options.stories, seed, hard=hard)
    speed(options.stories, options.rounds)
    hand_made()


if __name__ == "__main__":
    main()
