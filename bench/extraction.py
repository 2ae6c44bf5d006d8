"""How right and how fast pages are read, beside trafilatura, on the same pages in one run.

    uv run python bench/extraction.py [STORIES] [ROUNDS]

One core, pinned; the median over pages of each page's best round, in CPU time. The peer is what a careful user of
trafilatura does: `bare_extraction(with_metadata=True)` and dateparser on the printed date. Accuracy on the sample site
is held against its newsroom's truth, on pages of other making against expectations written by hand.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median

import dateparser
import trafilatura

from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.examination import Question, mark, questions
from uknip_crawler.extraction import read
from uknip_crawler.extraction.layouts import Learned, Stories
from uknip_crawler.extraction.learning import learn
from uknip_crawler.extraction.studying import study
from uknip_crawler.models import Capture
from uknip_crawler.sites import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "http://127.0.0.1:8000/"
SITE = load_site(BASE)
PAGES = Path(__file__).parents[1] / "tests" / "pages"


def served(newsroom: Newsroom, at: datetime) -> list[Question]:
    site = SampleSite(newsroom)
    site.base_url = BASE
    return questions(site, fetched_at=at)


def learned_from(asked: Iterable[Question], stories: Stories) -> Learned:
    studies = [found for q in asked if (found := study(q.capture, SITE))]
    return Learned({layout.skeleton: layout for layout in learn(studies, stories)}, stories)


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


def f1(read_text: str, truth: str) -> float:
    ours, theirs = Counter(read_text.split()), Counter(truth.split())
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if ours or theirs else 1.0


def unseen() -> tuple[int, float, float]:
    """Return (pages, our mean F1, trafilatura's) over the hand-made pages of the tests, read without learning."""
    ours, theirs = [], []
    for folder in sorted(PAGES.iterdir()):
        if not (folder / "article.json").exists():
            continue
        truth = json.loads((folder / "article.json").read_text("utf-8"))["body"]
        facts = json.loads((folder / "capture.json").read_text("utf-8"))
        body = (folder / "page.html").read_bytes()
        headers = tuple((name, value) for name, value in facts["headers"])
        capture = Capture(facts["url"], 200, headers, body, datetime.fromisoformat(facts["fetched_at"]))
        article = read(capture, load_site(), expected_article=True).article
        ours.append(f1(article.body if article else "", truth))
        theirs.append(f1(trafilatura.extract(body, include_comments=False) or "", truth))
    return len(ours), mean(ours), mean(theirs)


def show(name: str, figures: dict[str, float]) -> None:
    print(f"{name:34}" + "  ".join(f"{key} {value:.2%}" for key, value in figures.items()))


def main(stories: str = "300", rounds: str = "5") -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    newsroom = Newsroom(int(stories), now=NOW)
    asked = served(newsroom, NOW)
    known = Stories((q.post.headline, q.post.body) for q in asked)
    layouts = Counter(q.post.layout for q in asked)
    kilobytes = median(len(q.capture.body) for q in asked) / 1000
    print(f"{len(asked)} pages, median {kilobytes:.0f} kB, {len(layouts)} layouts: {dict(layouts)}")
    cold, learned = Learned(), learned_from(asked, known)

    show("without learning", mark((q, read(q.capture, SITE)) for q in asked).figures)
    by_layout = defaultdict(list)
    for question in asked:
        by_layout[question.post.layout].append(question)
    first = [q for group in by_layout.values() for q in group[:10]]
    ten = learned_from(first, known)
    show(
        "first ten pages of each layout", mark((q, read(q.capture, SITE, learned=ten)) for q in first).figures
    )
    show("after learning", mark((q, read(q.capture, SITE, learned=learned)) for q in asked).figures)
    newsroom.redesign(NOW + timedelta(days=1))
    again = served(newsroom, NOW + timedelta(days=1))
    both = learned_from([*asked, *again], known)
    show("redesigned, learned anew", mark((q, read(q.capture, SITE, learned=both)) for q in again).figures)

    captures = [q.capture for q in asked if len(q.capture.body) >= 100_000][:: max(1, len(asked) // 100)]
    times = milliseconds(
        {
            "trafilatura and dateparser": peer,
            "without learning": lambda c: read(c, SITE, learned=cold, with_links=False),
            "trusted layout": lambda c: read(c, SITE, learned=learned, with_links=False),
            "trusted layout, links kept": lambda c: read(c, SITE, learned=learned),
        },
        captures,
        int(rounds),
    )
    print(
        f"\n{len(captures)} pages of 100 kB and more, one core, CPU time, median of pages, best of {rounds} rounds"
    )
    base = times["trafilatura and dateparser"]
    for name, spent in times.items():
        print(f"{name:34}{spent:8.2f} ms  {base / spent:6.2f} ×")

    pages, ours, theirs = unseen()
    print(f"\n{pages} hand-made pages, nothing learned: mean F1 {ours:.3f}, trafilatura {theirs:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
