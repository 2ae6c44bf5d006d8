"""A wheel as its user has it: crawl a sample site by the installed program, look, take away. Run by an environment's own Python."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from uknip_crawler.demo import Newsroom, SampleSite

STORIES = 12


def uknip(folder: Path, *arguments: str) -> str:
    program = Path(sys.executable).with_name("uknip")
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        sys.exit(f"uknip {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        version = uknip(folder, "--version").strip()
        for command in ("--help", "crawl --help", "export --help"):
            assert uknip(folder, *command.split()).startswith("Usage: "), command
        with SampleSite(Newsroom(STORIES, now=datetime.now(UTC))) as site:
            uknip(folder, "crawl", site.base_url, "--delay", "0")
            expected = {site.url(post.path) for post in site.newsroom.truth()}
        uknip(folder, "export", "csv", "-o", "stories.csv")
        with (folder / "stories.csv").open(encoding="utf-8-sig", newline="") as file:
            exported = {row["url"] for row in csv.DictReader(file)}
        assert exported == expected, exported ^ expected
        status = json.loads(uknip(folder, "status", "--json"))
        assert (status["verdict"], status["articles"]) == ("healthy", STORIES), status["why"]
        uknip(folder, "verify")
        python = ".".join(map(str, sys.version_info[:3]))
        print(f"Python {python}: {version}, {len(exported)} stories crawled, exported, verified")


if __name__ == "__main__":
    main()
