"""Pages and what each must become: every folder of tests/pages is a test, its expectation written by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from uknip_crawler.extraction import read
from uknip_crawler.models import Article, BlockKind, Capture, Reading
from uknip_crawler.sites import load_site

PAGES = Path(__file__).parent / "pages"
CASES = sorted(folder.name for folder in PAGES.iterdir() if (folder / "page.html").exists())


def reading_of(case: str) -> Reading:
    folder = PAGES / case
    facts = json.loads((folder / "capture.json").read_text("utf-8"))
    capture = Capture(
        url=facts["url"],
        status=facts["status"],
        headers=tuple((name, value) for name, value in facts["headers"]),
        body=(folder / "page.html").read_bytes(),
        fetched_at=datetime.fromisoformat(facts["fetched_at"]),
    )
    return read(capture, load_site(), expected_article=facts.get("expected_article", False))


def article_record(article: Article) -> dict[str, Any]:
    return {
        "url": article.url,
        "headline": article.headline,
        "kicker": article.kicker,
        "standfirst": article.standfirst,
        "authors": list(article.authors),
        "section": article.section,
        "tags": list(article.tags),
        "published_at": article.published_at and article.published_at.isoformat(),
        "modified_at": article.modified_at and article.modified_at.isoformat(),
        "body": article.body,
        "images": [asdict(image) for image in article.images],
        "embeds": [block.url for block in article.blocks if block.kind is BlockKind.EMBED],
        "language": article.language,
        "post_id": article.post_id,
    }


def reading_record(reading: Reading) -> dict[str, Any]:
    return {
        "outcome": reading.outcome,
        "reason": reading.reason,
        "is_listing": reading.is_listing,
        "next_page": reading.next_page,
    }


@pytest.mark.parametrize("case", CASES)
def test_a_page_becomes_what_was_written_down_for_it(case: str) -> None:
    """Every field of an article is right; every other page is refused under the right name."""
    reading = reading_of(case)
    for name in ("article.json", "reading.json"):
        if (path := PAGES / case / name).exists():
            expected = json.loads(path.read_text("utf-8"))
            break
    else:
        pytest.fail(f"{case} has no expectation: write article.json or reading.json by hand from the page")
    if name == "article.json":
        assert reading.article is not None, f"no article: {reading.outcome} {reading.reason}"
        assert article_record(reading.article) == expected
    else:
        links = set(expected.pop("links", []))
        assert reading.article is None
        assert reading_record(reading) == {"next_page": None, **expected}
        assert links <= {*reading.links}


def test_the_cases_cover_every_address_scheme() -> None:
    """A page of each of the site's seven address schemes is among the cases."""
    assert {case[:2] for case in CASES} >= {"a_", "b_", "c_", "d_", "e_", "f_", "g_"}


def test_furniture_is_reported_with_the_rule_that_took_it() -> None:
    """The sample page's promotion is cut from its marker on, and every line of it is named."""
    furniture = {line.text: line.rule for line in reading_of("g_2024_sample_flat").furniture}
    assert furniture["social media2"] == "tail"
    assert furniture["Leave whenever you like, no questions asked."] == "tail"
    assert furniture["UK News in Pictures"] == "line"
    assert furniture["Quayside Lido To Reopen After Three-Year Repair In Port Ellery"] == "headline_echo"
