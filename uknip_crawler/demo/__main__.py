"""Serve the sample site until Ctrl-C: `python -m uknip_crawler.demo [--port N] [--stories N] [--hard] [--seed N] [--truth FILE]`."""

from __future__ import annotations

import argparse
import threading
from datetime import UTC, datetime
from pathlib import Path

from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.truth import write


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m uknip_crawler.demo", description="Serve the sample site."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--stories", type=int, help="60 by default, 400 of a hard site")
    parser.add_argument(
        "--hard", action="store_true", help="furniture among the stories' own paragraphs, and more layouts"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, another newsroom")
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="write what the pages must be read as, one JSON object a story",
    )
    options = parser.parse_args()
    stories = options.stories or (400 if options.hard else 60)
    try:
        newsroom = Newsroom(stories, seed=options.seed, now=datetime.now(UTC), hard=options.hard)
    except ValueError as error:
        parser.error(str(error))
    with SampleSite(newsroom, port=options.port) as site:
        if options.truth:
            write(site, options.truth)
        print(f"Sample site on {site.base_url} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
