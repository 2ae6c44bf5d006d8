"""Look for bytes that what reads them cannot take: coverage-guided fuzzing of everything that bytes from outside reach.

    uv run --with atheris python bench/fuzzing.py TARGET [--seconds 300] [--corpus FOLDER]

Targets: extraction, sitemap, feed, rest, warc, search (`tests/fuzz_targets.py` says what each must hold). Atheris
(https://github.com/google/atheris, wheels for Linux) sees which lines of ours and of Protego, defusedxml and warcio are reached, and
bends the seeds of `tests/fuzzing/TARGET/` until they reach more. It ends at the first bytes that raise, take 20 seconds or
1 GiB, and writes them into the corpus folder as `crash-…`; made small, they belong into `tests/fuzzing/TARGET/`, which
`tests/test_fuzzing.py` replays.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

TESTS = Path(__file__).parents[1] / "tests"
OURS = ["uknip_crawler", "protego", "defusedxml", "warcio", "fuzz_targets"]
LONGEST = {"search": 400, "warc": 6000}
"""Bytes of an input; of the others 4,096."""
WORDS = {
    "extraction": (
        *("<p>", "<h1>", "</", "<article>", "<script type=application/ld+json>", '{"@type":"NewsArticle","datePublished":"'),
        *("<!--", "-->", "<![CDATA[", "&#0;", "&#55296;", "&nbsp;", "<base href=", "http-equiv=refresh", "Published: "),
        *("<table>", "<td colspan=", "<img srcset=", "<template>", "<svg>", "<noscript>", "hidden", "<figure>"),
    ),
    "sitemap": ("<urlset>", "<url><loc>", "</loc>", "<lastmod>", "<sitemapindex>", "<!DOCTYPE", "<!ENTITY", "Sitemap:", "Disallow: /*"),
    "feed": ("<rss>", "<item>", "<link>", "<guid>", "<pubDate>", "<content:encoded>", "<![CDATA[", "]]>", "<feed>", "<entry>", " BST"),
    "rest": ('{"id":', '"link":"', '"date_gmt":"', '"title":{"rendered":"', '"status":"', "\\ud800", "1e400", "null", "[[", "NaN"),
    "warc": ("WARC/1.1\r\n", "WARC-Type: ", "response", "Content-Length: ", "HTTP/1.1 200 OK\r\n", "\r\n\r\n", "PK\x03\x04", "chunked"),
    "search": ('"', "AND ", "OR ", "NOT ", "NEAR(", "headline:", "-", "*", "^", "{headline}", "standfirst : ", "+"),
}  # fmt: skip


def dictionary(target: str, folder: Path) -> Path:
    """Write the target's words as libFuzzer reads them."""
    escaped = ["".join(f"\\x{byte:02x}" for byte in word.encode("latin-1")) for word in WORDS[target]]
    path = folder / "words"
    path.write_text("".join(f'"{word}"\n' for word in escaped), "ascii")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=WORDS)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--corpus", type=Path, help="where found inputs are kept (default: nowhere)")
    given = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    with atheris.instrument_imports(include=OURS):
        from fuzz_targets import TARGETS
    with tempfile.TemporaryDirectory() as folder:
        corpus = given.corpus or Path(folder) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        options = [
            f"-max_total_time={given.seconds}",
            f"-max_len={LONGEST.get(given.target, 4096)}",
            f"-dict={dictionary(given.target, Path(folder))}",
            f"-artifact_prefix={corpus}/",
            *("-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"),
        ]
        atheris.Setup(
            [sys.argv[0], *options, str(corpus), str(TESTS / "fuzzing" / given.target)], TARGETS[given.target]
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
