"""Copies of a story are found and linked, stories from one template are not, and no order of arrival matters."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from crawling import Archived, rows, truth
from processes import uknip
from sample_archive import SITE, add_article, new_archive

from uknip_crawler.archive import DATABASE, Archive
from uknip_crawler.archive.duplicates import CROWD
from uknip_crawler.archive.story_rows import Evidence
from uknip_crawler.demo.prose import Writer
from uknip_crawler.duplicates.fingerprints import Text, bands, content_sha256, estimate
from uknip_crawler.duplicates.linking import link_near_duplicates
from uknip_crawler.duplicates.matching import likeness, match
from uknip_crawler.models import Article, Block, BlockKind, Outcome

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)

HEADLINE = "Lido in Kiln Lane, Ryde, reopens after flood"
BODY = (
    "Swimmers returned to the lido in Kiln Lane, Ryde, at 9.15am on Monday for the first time since the flood of "
    "12 February, when the sluice gave way and 40,000 litres of sea water ran into the changing rooms.\n\n"
    "Morwenna Catchpole, 61, who has swum there every day since 1988, said she had been counting the weeks. "
    "“I went in before the paint was dry,” she told the crowd that had gathered by the turnstile.\n\n"
    "Engineers from Medina Sluice Works rebuilt the gate in oak, and volunteers carried 700 tiles by hand from a "
    "barge moored off Appley Sands. The bill of £86,000 was met by a raffle and by the sale of a bronze seal.\n\n"
    "A spokesperson for Isle of Wight Council said the water would be tested every Thursday until the end of May."
)
CRIMESTOPPERS = (
    "Anyone with information is asked to call Crimestoppers, which is independent, on 0800 555 111."
)


def alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Tell whether two texts are copies, and that it makes no difference which comes first."""
    left, right = Text.of(*one), Text.of(*other)
    assert match(left, right) == match(right, left)
    return match(left, right) is not None


def reworded(text: str, every: int) -> str:
    """Put another word in the place of every so many, names and figures left alone."""
    words = text.split(" ")
    for place in range(every // 2, len(words), every):
        words[place] = "latterly" if words[place].isalpha() and words[place].islower() else words[place]
    return " ".join(words)


@pytest.mark.parametrize(
    "copy",
    [
        (HEADLINE, BODY),
        ("Oak gate lets swimmers back into water", BODY),
        (HEADLINE, reworded(BODY, 5)),
        (HEADLINE, BODY.partition("\n\nEngineers")[0]),
        (HEADLINE, f"{BODY}\n\nUpdate: the lido closed again at 6.40pm because of a jellyfish."),
        (
            HEADLINE,
            f"{CRIMESTOPPERS} Traffic is being diverted via Beacon Hill until further notice.\n\n{BODY}",
        ),
        (HEADLINE, "\n\n".join(reversed(BODY.split("\n\n")))),
        (HEADLINE.upper(), BODY.replace("’", "'").replace(" ", "\u00a0")),
    ],
    ids=[
        "verbatim",
        "headline",
        "a fifth reworded",
        "cut",
        "updated",
        "prefixed",
        "paragraphs moved",
        "quotes",
    ],
)
def test_a_copy_is_known(copy: tuple[str, str]) -> None:
    """Whatever was done to it, as long as names and figures stand."""
    assert alike((HEADLINE, BODY), copy)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("Police appeal after theft in Ryde", "More to follow."),
            ("Road closed in Cowes", "More to follow."),
        ),
        (
            (
                "Girl missing",
                "Police are looking for Wilhelmina Trask, 15, who was last seen in Ryde on Monday.",
            ),
            (
                "Girl missing",
                "Police are looking for Philippa Vance, 14, who was last seen in Ryde on Monday.",
            ),
        ),
        (
            (
                "A3055 closed",
                "The A3055 is closed near Ventnor after a landslip at 7.10am on Monday 2 March.",
            ),
            (
                "A3055 closed",
                "The A3055 is closed near Ventnor after a landslip at 6.50pm on Friday 9 January.",
            ),
        ),
        (
            (
                "Shed fire in Cowes",
                f"A shed burned down in Mill Hill Road, Cowes, on Monday.\n\n{CRIMESTOPPERS}",
            ),
            ("Theft in Sandown", f"A bronze seal was taken from Sandown pier on Monday.\n\n{CRIMESTOPPERS}"),
        ),
        (
            ("Lifeboat out", "The lifeboat was launched."),
            ("Lifeboat out again", "The lifeboat was launched."),
        ),
        (("", ""), ("", "")),
    ],
    ids=["promise", "names", "times", "phrases", "nothing to tell", "empty"],
)
def test_short_stories_from_one_template_are_no_copies(one: tuple[str, str], other: tuple[str, str]) -> None:
    """A name, a figure or a time that differs makes another story; too few to tell makes none."""
    assert not alike(one, other)


def test_long_stories_from_one_template_are_no_copies() -> None:
    """The same sentences about another lido."""
    other = BODY
    for name, another in {
        "Kiln Lane": "Mill Street", "Ryde": "Newport", "9.15am": "8.40am", "Monday": "Sunday", "12 February": "3 April",
        "Morwenna Catchpole": "Idris Pettifer", "61": "48", "1988": "2003", "40,000": "9,500", "700": "320",
        "Medina Sluice Works": "Quarr Ironworks", "Appley Sands": "Quay House", "£86,000": "£31,500",
    }.items():  # fmt: skip
        other = other.replace(name, another)
    found = likeness(Text.of(HEADLINE, BODY), Text.of("Lido in Newport reopens", other))
    assert found.similarity > 0.3
    assert not found.is_copy


def test_shared_passages_are_the_longest_of_both() -> None:
    """In the words printed, the longest first, whichever text comes first."""
    copy = BODY.replace("“I went in before the paint was dry,” she told", "She then told")
    found = match(Text.of(HEADLINE, BODY), Text.of("Other words", copy))
    assert found is not None
    assert 0.7 < found.similarity < 1
    assert found.shared[0].startswith(
        "told the crowd that had gathered by the turnstile. Engineers from Medina"
    )
    assert found.shared[1].startswith("Swimmers returned to the lido in Kiln Lane, Ryde, at 9.15am")


def test_signatures_are_the_same_on_every_machine() -> None:
    """These are written into archives: another value would find no copies of what is there."""
    text = Text.of(HEADLINE, BODY)
    assert bands(text.signature())[:2] == BANDS
    code = f"from uknip_crawler.duplicates.fingerprints import Text; print(Text.of({HEADLINE!r}, {BODY!r}).signature().hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == text.signature().hex()
    assert estimate(text.signature(), Text.of(HEADLINE, reworded(BODY, 10)).signature()) > 0.4


BANDS = [146766545379024, 130846185775782]


# In the archive

Story = tuple[str, str, str, str | None]
"""Path, headline, body, day of publication."""


def held(directory: Path, stories: Iterable[Story]) -> None:
    db = new_archive(directory)
    for path, headline, body, day in stories:
        add_article(db, path, headline, body, published_at=day, content_sha256=content_sha256(headline, body))
    db.close()


def found(directory: Path) -> tuple[dict[str, str], list[Any]]:
    """Return each copy's first story, and the pairs, by address: what must not depend on numbers or order."""
    groups = rows(
        directory,
        "SELECT a.url, f.url FROM articles AS a JOIN articles AS f ON f.id = a.duplicate_of ORDER BY 1",
    )
    pairs = rows(
        directory,
        "SELECT min(a.url, b.url), max(a.url, b.url), similarity, shared FROM near_duplicates "
        "JOIN articles AS a ON a.id = article_id JOIN articles AS b ON b.id = other_id ORDER BY 1, 2",
    )
    return {str(copy).removeprefix(SITE): str(first).removeprefix(SITE) for copy, first in groups}, pairs


def link(directory: Path) -> int:
    with Archive(directory) as archive:
        return link_near_duplicates(archive)


def test_a_group_has_its_earliest_story_first(tmp_path: Path) -> None:
    """Undated ones come last; a chain of likenesses is one group; the stranger stays alone."""
    held(
        tmp_path,
        [
            ("/undated/", HEADLINE, reworded(BODY, 9), None),
            ("/late/", HEADLINE, BODY, "2025-03-02"),
            ("/late-2/", HEADLINE, BODY, "2025-03-03"),
            ("/early/", HEADLINE, f"{BODY}\n\nMore to follow.", "2025-03-01"),
            (
                "/stranger/",
                "Cat rescued",
                "A cat came down from the spire of St Olave’s at 5.15pm.",
                "2025-01-01",
            ),
        ],
    )
    assert link(tmp_path) == 5
    groups, pairs = found(tmp_path)
    assert groups == {"/undated/": "/early/", "/late/": "/early/", "/late-2/": "/early/"}
    assert (f"{SITE}/late-2/", f"{SITE}/late/", 1.0) in [pair[:3] for pair in pairs]
    assert link(tmp_path) == 0
    assert found(tmp_path) == (groups, pairs)


def test_copies_among_archives_are_found_and_those_within_one_are_not_told(tmp_path: Path) -> None:
    """A sister site repeats a story in other words; an archive of the same site adds nothing; nobody is written to."""
    early, late = (
        ("/early/", HEADLINE, BODY, "2025-03-01"),
        ("/late/", HEADLINE, f"{BODY} End.", "2025-03-02"),
    )
    cats = [
        (
            f"/cat-{n}/",
            "Cat rescued from a spire",
            "A cat came down from the spire of St Olave’s at 5.15pm.",
            None,
        )
        for n in (1, 2)
    ]
    archives = {name: tmp_path / name for name in ("ours", "ours-too", "sister")}
    for archive in archives.values():
        archive.mkdir()
    held(archives["ours"], [early, *cats])
    held(archives["ours-too"], [early])
    held(archives["sister"], [late])
    for name, archive in archives.items():
        site = "https://sister.example/" if name == "sister" else f"{SITE}/"
        with Archive(archive) as opened, opened.transaction():
            opened.db.execute("UPDATE runs SET base_url = ?", [site])
            opened.db.execute("UPDATE articles SET url = replace(url, ?, ?)", [f"{SITE}/", site])
        link(archive)
    before = [(archive / DATABASE).read_bytes() for archive in archives.values()]
    told = json.loads(uknip("duplicates", "--across", str(tmp_path), "--json").stdout)
    (group,) = told
    assert group["first"]["url"] == f"{SITE}/early/"
    assert [(copy["url"], copy["site"]) for copy in group["copies"]] == [
        ("https://sister.example/late/", "sister.example")
    ]
    assert group["copies"][0]["similarity"] > 0.9
    assert [(archive / DATABASE).read_bytes() for archive in archives.values()] == before
    assert "1 copies of 1 stories" in uknip("duplicates", "--across", str(tmp_path)).stdout
    assert uknip("duplicates", "early", "--across", str(tmp_path)).returncode == 2


def test_a_story_that_changed_is_compared_by_its_current_text(tmp_path: Path) -> None:
    """A copy that is rewritten into another story leaves its group, and one that becomes a copy joins."""
    held(tmp_path, [("/a/", HEADLINE, BODY, "2025-01-01"), ("/b/", HEADLINE, f"{BODY} End.", "2025-01-02")])
    link(tmp_path)
    assert found(tmp_path)[0] == {"/b/": "/a/"}
    with Archive(tmp_path) as archive:
        rewrite(archive, "/b/", "Cat rescued", "A cat came down.")
        assert link_near_duplicates(archive) == 1
        assert found(tmp_path) == ({}, [])
        rewrite(archive, "/b/", HEADLINE, BODY)
        link_near_duplicates(archive)
    assert found(tmp_path)[0] == {"/b/": "/a/"}


def rewrite(archive: Archive, path: str, headline: str, body: str) -> None:
    row = (headline, body, content_sha256(headline, body), SITE + path)
    with archive.transaction():
        archive.db.conn.execute(
            "UPDATE articles SET headline = ?, body = ?, content_sha256 = ? WHERE url = ?", row
        )


def test_an_earlier_date_makes_another_story_the_first(tmp_path: Path) -> None:
    """Although no text has changed."""
    held(tmp_path, [(f"/{day}/", HEADLINE, BODY, f"2025-01-0{day}") for day in (1, 2, 3)])
    link(tmp_path)
    with Archive(tmp_path) as archive:
        with archive.transaction():
            archive.db.conn.execute("UPDATE articles SET published_at = '2024' WHERE url LIKE '%/3/'")
        assert link_near_duplicates(archive) == 0
    groups, pairs = found(tmp_path)
    assert groups == {"/1/": "/3/", "/2/": "/3/"}
    assert [pair[:2] for pair in pairs] == [(f"{SITE}/1/", f"{SITE}/3/"), (f"{SITE}/2/", f"{SITE}/3/")]


def test_a_redacted_story_is_never_compared_and_leaves_no_evidence(tmp_path: Path) -> None:
    """Its group closes ranks."""
    held(tmp_path, [(f"/{day}/", HEADLINE, f"{BODY} {day}.", f"2025-01-0{day}") for day in (1, 2, 3)])
    link(tmp_path)
    with Archive(tmp_path) as archive:
        with archive.transaction():
            archive.db.conn.execute("UPDATE articles SET status = 'redacted' WHERE url LIKE '%/1/'")
        link_near_duplicates(archive)
    assert found(tmp_path)[0] == {"/3/": "/2/"}
    assert rows(tmp_path, "SELECT count(*) FROM near_duplicates WHERE 1 IN (article_id, other_id)") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) FROM fingerprint_bands WHERE article_id = 1") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) FROM fingerprints WHERE article_id = 1") == [(0,)]


def test_the_twin_told_at_once_is_the_twin_found_later(tmp_path: Path) -> None:
    """The ledger says duplicate when the story is stored, and comparing all stories agrees."""
    with Archive(tmp_path) as archive:
        with archive.transaction():
            archive.ledger.start_run("crawl", f"{SITE}/", {}, "test", at=NOW)
        outcomes = [store(archive, number) for number in (7, 8, 9)]
        assert outcomes == [Outcome.STORED, Outcome.DUPLICATE, Outcome.DUPLICATE]
        before = found(tmp_path)[0]
        link_near_duplicates(archive)
    assert found(tmp_path)[0] == before == {"/lido-8/": "/lido-7/", "/lido-9/": "/lido-7/"}


def store(archive: Archive, number: int) -> Outcome:
    article = Article(
        f"{SITE}/lido-{number}/",
        HEADLINE,
        (Block(BlockKind.PARAGRAPH, "The lido is open."),),
        post_id=number,
        published_at=NOW + timedelta(hours=number),
    )
    with archive.transaction():
        row = archive.ledger.open(1, article.url, kind="article", found_by="seed", at=NOW)
        assert row is not None
        digest = content_sha256(article.headline, article.body)
        return archive.articles.store(article, digest, Evidence(1, row, NOW, "1"))[0]


def written(count: int, seed: int) -> list[Story]:
    """Return invented stories, a third of them copies: verbatim, reworded, cut, continued, under another headline."""
    random = Random(seed)
    stories: list[Story] = []
    for number in range(count):
        if stories and number % 3 == 0:
            path, headline, body, _ = random.choice(stories)
            body = random.choice(
                [body, reworded(body, 8), body.rpartition("\n\n")[0] or body, f"{body}\n\nMore to follow."]
            )
            stories.append((f"{path.rstrip('/')}-{number}/", headline, body, f"2025-01-{number % 28 + 1:02}"))
            continue
        draft = Writer(random, NOW + timedelta(hours=number)).draft()
        body = "\n\n".join(block.text for block in draft.blocks)
        stories.append((f"/{number}/", draft.headline, body, f"2025-01-{number % 28 + 1:02}"))
    return stories


def arrived(
    directory: Path, stories: Sequence[Story], sizes: Iterable[int]
) -> tuple[dict[str, str], list[Any]]:
    """Let stories arrive in this order, some at a time, and be compared each time."""
    db = new_archive(directory)
    rest = list(stories)
    for size in sizes:
        for path, headline, body, day in rest[:size]:
            add_article(
                db, path, headline, body, published_at=day, content_sha256=content_sha256(headline, body)
            )
        del rest[:size]
        link(directory)
    assert not rest
    db.close()
    return found(directory)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_makes_no_difference(tmp_path: Path, seed: int) -> None:
    """All at once, one by one backwards, or shuffled and in handfuls: same groups, same pairs."""
    stories = written(60, seed)
    once = arrived(tmp_path / "once", stories, [60])
    assert len(once[0]) >= 15
    assert arrived(tmp_path / "backwards", stories[::-1], [1] * 60) == once
    shuffled = Random(seed).sample(stories, 60)
    assert arrived(tmp_path / "shuffled", shuffled, [7] * 9) == once


@pytest.mark.parametrize("seed", range(3))
def test_edits_end_where_comparing_from_scratch_does(tmp_path: Path, seed: int) -> None:
    """Stories change their texts many times, some for those of others."""
    random = Random(seed)
    stories = {story[0]: story for story in written(40, seed)}
    arrived(tmp_path / "edited", list(stories.values()), [40])
    with Archive(tmp_path / "edited") as archive:
        for _ in range(60):
            path, other = random.choice(list(stories)), random.choice(list(stories.values()))
            body = random.choice([other[2], f"{other[2]}\n\nUpdate: more at 9.05pm.", reworded(other[2], 11)])
            stories[path] = (path, other[1], body, stories[path][3])
            rewrite(archive, path, other[1], body)
            if random.random() < 0.5:
                link_near_duplicates(archive)
        link_near_duplicates(archive)
    assert found(tmp_path / "edited") == arrived(tmp_path / "scratch", list(stories.values()), [40])


def test_a_template_used_by_a_crowd_links_nobody_whatever_the_order(tmp_path: Path) -> None:
    """Versions of one text are copies until there are too many of them; when some go, the others are again."""
    versions = [
        (f"/{number}/", HEADLINE, f"{BODY}\n\nUpdate number {number}.", "2025-01-01")
        for number in range(CROWD + 1)
    ]
    few = arrived(tmp_path / "few", versions[:CROWD], [CROWD])
    assert len(few[0]) == CROWD - 1
    many = arrived(tmp_path / "many", versions, [1] * 5 + [CROWD - 4])
    assert many == arrived(tmp_path / "backwards", versions[::-1], [CROWD + 1])
    with Archive(tmp_path / "many") as archive:
        rewrite(archive, f"/{CROWD}/", "Cat rescued", "A cat came down.")
        link_near_duplicates(archive)
    assert found(tmp_path / "many") == few


def test_many_stories_of_one_text_make_no_more_pairs_than_stories(tmp_path: Path) -> None:
    """Each is linked with the first, and with no other."""
    held(tmp_path, [(f"/{n:04}/", HEADLINE, BODY, "2025-01-01") for n in range(300)])
    link(tmp_path)
    assert len(found(tmp_path)[1]) == 299
    assert set(found(tmp_path)[0].values()) == {"/0000/"}


# As a user meets them


@pytest.fixture(scope="module")
def crawled(archived: Archived, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """An archive of the sample site, and which of its stories copies which, by address."""
    directory = tmp_path_factory.mktemp("crawled")
    with archived(directory, 30) as site:
        posts = site.newsroom.posts
        copies = {
            url: site.url(posts[post.copy_of].path) for url, post in truth(site).items() if post.copy_of
        }
    assert copies
    return directory, copies


def test_a_crawl_finds_the_copies_of_the_sample_newsroom(crawled: tuple[Path, dict[str, str]]) -> None:
    """Each under its original, and no other story."""
    directory, copies = crawled
    sql = "SELECT a.url, f.url FROM articles AS a JOIN articles AS f ON f.id = a.duplicate_of"
    assert dict(rows(directory, sql)) == copies


def test_duplicates_are_listed(crawled: tuple[Path, dict[str, str]]) -> None:
    """In words and as JSON, all groups or the one of a story, by either address."""
    directory, copies = crawled
    listed = json.loads(uknip("duplicates", "--json", "--archive", str(directory)).stdout)
    assert {copy["url"]: group["first"]["url"] for group in listed for copy in group["copies"]} == copies
    copy, first = next(iter(copies.items()))
    for address in (copy, first):
        (group,) = json.loads(uknip("duplicates", address, "--json", "--archive", str(directory)).stdout)
        (found,) = (one for one in group["copies"] if one["url"] == copy)
        assert 0.8 < found["similarity"] < 1  # the copy has one paragraph more
        assert found["like"] == first
        assert len(found["shared"][0].split()) > 20
    shown = uknip("duplicates", "--archive", str(directory)).stdout
    assert shown.index(first) < shown.index(copy)
    assert f"{len(copies)} copies of" in shown


def test_a_story_without_copies_says_so(crawled: tuple[Path, dict[str, str]]) -> None:
    """And one that is not there is a mistake."""
    directory, copies = crawled
    others = rows(directory, "SELECT url FROM articles WHERE duplicate_of IS NULL")
    lonely = next(url for (url,) in others if url not in copies.values())
    assert uknip("duplicates", lonely, "--archive", str(directory)).stdout == "no copies\n"
    missing = uknip("duplicates", "https://uknip.co.uk/nothing/", "--archive", str(directory))
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


def test_history_names_near_duplicates(crawled: tuple[Path, dict[str, str]]) -> None:
    """Of the copy and of its original."""
    directory, copies = crawled
    for one, other in next(iter(copies.items())), next(iter(copies.items()))[::-1]:
        story = json.loads(uknip("history", one, "--json", "--archive", str(directory)).stdout)
        assert [found["url"] for found in story["near_duplicates"]] == [other]
        assert f"near-duplicate of {other}" in uknip("history", one, "--archive", str(directory)).stdout
