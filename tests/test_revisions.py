"""What changed between two readings of one story, as a researcher reads it."""

from __future__ import annotations

import time

from uknip_crawler.revisions import compare

BODY = """\
A van left the road in Ryde on Monday.

Nobody was hurt.

The road was shut for an hour.

Police have been approached for comment."""


def test_the_same_text_has_no_difference() -> None:
    """Nothing to show, nothing to count."""
    change = compare("Van leaves road", BODY, "Van leaves road", BODY)
    assert (change.headline_changed, change.diff, change.added_words, change.removed_words) == (
        False,
        "",
        0,
        0,
    )


def test_white_space_is_no_change() -> None:
    """Hard wraps and doubled blanks come and go with templates."""
    assert compare("H", "One  two\nthree.", "H", "One two three.\n\n").diff == ""


def test_changed_words_are_marked_inside_their_paragraph() -> None:
    """With the unchanged neighbours for orientation, and the rest left out."""
    change = compare("H", BODY, "H", BODY.replace("Nobody was", "Two people were"))
    assert change.diff.splitlines() == [
        "  A van left the road in Ryde on Monday.",
        "- Nobody was hurt.",
        "+ Two people were hurt.",
        "  The road was shut for an hour.",
        "  …",
    ]
    change = compare("H", BODY, "H", BODY.replace("an hour", "two hours"))
    assert change.diff.splitlines() == [
        "  …",
        "  Nobody was hurt.",
        "~ The road was shut for [-an hour.-]{+two hours.+}",
        "  Police have been approached for comment.",
    ]
    assert (change.added_words, change.removed_words) == (2, 2)


def test_an_added_paragraph_is_shown_whole() -> None:
    """The usual update: something at the end."""
    change = compare("H", BODY, "H", f"{BODY}\n\nA man, 34, was held.")
    assert change.diff.splitlines() == [
        "  …",
        "  Police have been approached for comment.",
        "+ A man, 34, was held.",
    ]
    assert (change.added_words, change.removed_words) == (5, 0)


def test_a_removed_paragraph_is_shown_whole() -> None:
    """Nothing that was published is hidden."""
    change = compare("H", BODY, "H", BODY.replace("Nobody was hurt.\n\n", ""))
    assert "- Nobody was hurt." in change.diff.splitlines()
    assert (change.added_words, change.removed_words) == (0, 3)


def test_a_rewritten_and_an_added_paragraph_are_told_apart() -> None:
    """The new one comes first here, the rewritten one second."""
    change = compare(
        "H", "The road was shut for an hour.", "H", "Drivers waited.\n\nThe road was shut for three hours."
    )
    assert change.diff.splitlines() == [
        "+ Drivers waited.",
        "~ The road was shut for [-an hour.-]{+three hours.+}",
    ]
    assert (change.added_words, change.removed_words) == (4, 2)


def test_a_new_headline_opens_the_difference() -> None:
    """Its words are not the body's."""
    change = compare("Man held in Ryde", BODY, "Man charged in Ryde", BODY)
    assert change.headline_changed
    assert change.diff == "# Man [-held-]{+charged+} in Ryde"
    assert (change.added_words, change.removed_words) == (0, 0)


def test_an_emptied_body_loses_every_word() -> None:
    """And a filled one gains every word."""
    words = len(BODY.split())
    gone, came = compare("H", BODY, "H", ""), compare("H", "", "H", BODY)
    assert (gone.added_words, gone.removed_words) == (0, words)
    assert (came.added_words, came.removed_words) == (words, 0)


def test_bodies_made_to_cost_time_cost_no_more_than_their_length() -> None:
    """Many paragraphs, endless paragraphs, and nothing but repetition: four times the text, not sixteen times the time."""
    assert _seconds(4) < 8 * _seconds(1)


def _seconds(size: int) -> float:
    """Return the processor's time for texts of a size; 4 is 50,000 paragraphs."""
    pairs = [
        (
            "\n\n".join(f"{n % 50}" for n in range(12_500 * size)),
            "\n\n".join(f"{n * 7 % 50}" for n in range(12_500 * size)),
        ),
        ("x " * 75_000 * size, "y " * 75_000 * size + "x"),
        ("\n\n".join(["a b c"] * 5_000 * size), "\n\n".join(["a b c", "c b a"] * 2_500 * size)),
    ]
    began = time.process_time()
    for old, new in pairs:
        assert compare("H", old, "H", new).diff
    return time.process_time() - began
