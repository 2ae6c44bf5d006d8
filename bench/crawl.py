"""Pages a second of `uknip crawl` beside a bare Scrapy spider that only downloads the same pages, in one run.

    uv run python bench/crawl.py [STORIES] [ROUNDS]

Both are timed as whole processes, in turn, on the sample site served by a third one. The bare spider
parses nothing, keeps nothing and knows the addresses beforehand: it is the floor, not a rival.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

from processes import of_all

CONCURRENCY = "8"


def addresses(base_url: str) -> list[str]:
    """Return every story's address, as REST lists them."""
    urls, page = [], 1
    while True:
        query = f"{base_url}wp-json/wp/v2/posts?per_page=100&page={page}&_fields=link"
        with urllib.request.urlopen(query) as answer:
            urls += [post["link"] for post in json.load(answer)]
            if page >= int(answer.headers["X-WP-TotalPages"]):
                return urls
        page += 1


def bare(path: str) -> None:
    """Download the addresses in a file with Scrapy, and nothing else."""
    import scrapy
    from scrapy.crawler import AsyncCrawlerProcess

    class Bare(scrapy.Spider):
        name = "bare"
        start_urls = Path(path).read_text("utf-8").split()

        async def parse(self, response, **kwargs):  # type: ignore[no-untyped-def]
            return

    process = AsyncCrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "CONCURRENT_REQUESTS": int(CONCURRENCY),
            "CONCURRENT_REQUESTS_PER_DOMAIN": int(CONCURRENCY),
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
        }
    )
    process.crawl(Bare)
    process.start()


def timed(command: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command and of all it began: see `processes.of_all`."""
    began = time.perf_counter()
    _, cpu = of_all(command)
    return time.perf_counter() - began, cpu


def main(stories: str = "600", rounds: str = "3") -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "uknip_crawler.demo", "--stories", stories], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        base_url = server.stdout.readline().split()[3]
        with tempfile.TemporaryDirectory() as folder:
            compare(base_url, Path(folder), int(rounds))
    finally:
        server.terminate()
        server.wait()


def compare(base_url: str, folder: Path, rounds: int) -> None:
    listed = folder / "urls.txt"
    listed.write_text("\n".join(addresses(base_url)), "utf-8")
    pages = len(listed.read_text("utf-8").split())
    plain = [sys.executable, __file__, "--bare", str(listed)]
    timed(plain)  # renders every page of the sample site once
    figures: dict[str, list[tuple[float, float]]] = {"bare Scrapy": [], "uknip crawl": []}
    for number in range(rounds):
        figures["bare Scrapy"].append(timed(plain))
        archive = str(folder / f"archive-{number}")
        options = ["--archive", archive, "--delay", "0", "--concurrency", CONCURRENCY]
        figures["uknip crawl"].append(
            timed([sys.executable, "-m", "uknip_crawler", "crawl", base_url, *options])
        )
    print(
        f"{pages} pages, {CONCURRENCY} requests at a time, median of {rounds} rounds, {os.cpu_count()} processors"
    )
    rates, costs = {}, {}
    for name, times in figures.items():
        wall, cpu = median(wall for wall, _ in times), median(cpu for _, cpu in times)
        rates[name] = pages / wall
        costs[name] = cpu
        print(
            f"{name:12} {wall:6.1f} s  {pages / wall:6.1f} pages/s  {cpu / pages * 1000:6.1f} ms CPU a page"
        )
    print(
        f"ratio        {rates['uknip crawl'] / rates['bare Scrapy']:.2f} of bare Scrapy by the clock",
        end=", ",
    )
    print(f"{costs['bare Scrapy'] / costs['uknip crawl']:.2f} by CPU")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare(sys.argv[2])
    else:
        main(*sys.argv[1:])
