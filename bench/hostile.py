"""Weigh hostile pages: what the worst of them costs a worker, each page in a process of its own.

    uv run python bench/hostile.py

Prints seconds of processor time and peak memory of reading it as a crawl does (with what is learned from it) and again from
the archive, beside a plain story. A page may take 20 seconds and 1 GiB; then its worker is lost, and its row names it.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile_pages import COSTLY, PAGES, Hostile, page

from uknip_crawler.extraction import read
from uknip_crawler.models import Capture
from uknip_crawler.sites import load_site

SITE = load_site("https://uknip.co.uk/")
URL = "https://uknip.co.uk/news/uk/breaking/the-bell/"


def weigh(capture: Capture, *, for_now: bool) -> tuple[float, float, str]:
    """Return processor seconds, peak MiB beyond what an idle worker has, and what became of the page."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        reading = read(capture, SITE, expected_article=True, for_now=for_now)
        os.write(tell, str(reading.outcome or ", ".join(reading.flags) or "story").encode())
        os._exit(0)
    os.close(tell)
    _, status, usage = os.wait4(child, 0)
    with os.fdopen(told, "rb") as output:
        said = output.read().decode() or f"ended with {status}"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def main() -> None:
    plain = {"(a plain story)": Hostile("", page())}
    weights = []
    for name, hostile in {**plain, **PAGES, **COSTLY}.items():
        headers = (("Content-Type", hostile.media_type),)
        capture = Capture(URL, 200, headers, hostile.body(name), datetime(2026, 3, 14, tzinfo=UTC))
        seconds, peak, said = max(weigh(capture, for_now=for_now) for for_now in (True, False))
        weights.append((seconds, peak, name))
        print(f"{name:22} {len(capture.body) / 2**20:6.1f} MiB {seconds:6.2f} s {peak:6.0f} MiB  {said}")
    seconds, _, slowest = max(weights)
    _, peak, largest = max(weights, key=lambda weight: weight[1])
    print(f"worst: {seconds:.2f} s ({slowest}), {peak:.0f} MiB ({largest})")


if __name__ == "__main__":
    main()
