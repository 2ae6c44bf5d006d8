"""A digest changes with the words and nothing else; alike texts are told from others."""

from __future__ import annotations

import pytest

from uknip_crawler.duplicates.fingerprints import content_sha256, similarity

HEADLINE = "Lido’s sluice “rebuilt”"
BODY = "The lido’s sluice was rebuilt.\n\n- Swimmers return on Monday\n\n- Tickets cost two pounds"


@pytest.mark.parametrize(
    ("headline", "body"),
    [
        ('Lido\'s sluice "rebuilt"', BODY),
        (HEADLINE, BODY.replace(" ", "\u00a0")),
        (HEADLINE, BODY.replace("\n\n", "\n")),
        (HEADLINE, f"  {BODY}\n"),
        (HEADLINE, BODY.replace("- ", "")),
        (HEADLINE, BODY.replace("sluice", "slu\u00adice")),
    ],
    ids=["quotes", "nbsp", "lines", "margins", "list", "soft hyphen"],
)
def test_noise_makes_no_revision(headline: str, body: str) -> None:
    """White space, quote style, list markers and invisible marks do not change the digest."""
    assert content_sha256(headline, body) == content_sha256(HEADLINE, BODY)


@pytest.mark.parametrize(
    ("headline", "body"),
    [
        (HEADLINE, BODY.replace("two", "three")),
        (HEADLINE, BODY + " each"),
        (HEADLINE.replace("sluice", "gate"), BODY),
        (HEADLINE, BODY.replace("Swimmers return", "Return swimmers")),
        (f"{HEADLINE} The", BODY.removeprefix("The ")),
    ],
    ids=["changed", "added", "headline", "order", "moved"],
)
def test_every_word_makes_a_revision(headline: str, body: str) -> None:
    """A word changed, added, moved or passed from text to headline changes the digest."""
    assert content_sha256(headline, body) != content_sha256(HEADLINE, BODY)


def test_similarity_is_the_share_of_common_shingles() -> None:
    """Of the six three-word runs in two five-word texts that share their first four words, two are common."""
    assert similarity("one two three four five", "One two, three four six") == pytest.approx(2 / 4)


def test_similarity_of_equal_and_foreign_texts() -> None:
    """Equal texts give 1 whatever their quotes, foreign ones 0, also when shorter than a shingle."""
    assert similarity(BODY, BODY.replace("’", "'").upper()) == 1
    assert similarity(BODY, "Nothing of this was ever printed there before") == 0
    assert similarity("Police", "police") == 1
    assert similarity("Police", "Fire") == 0
    assert similarity("", "") == 0
