"""A story that a site splits over several pages is one article: whole, edited as one, and honest about what is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import crawl as crawl_site
from crawling import rows, tables
from paged_site import PagedSite, Story, core_line, next_line, no_line
from processes import uknip
from test_import import Writer

from uknip_crawler.archive import DATABASE, Archive

SLUG = "2024/05/01/the-night-the-mill-burned/"
SCENES = (
    "Smoke stood over the old mill at Carrow before the first of the engines had left the yard in Hythe Street.",
    "The second crew laid hose from the weir to the sluice while the miller's family watched from the towpath.",
    "By breakfast the last pump was coiled away and the swans had come back to the pool below the wheel.",
    "Surveyors from the county will walk the walls on Thursday and say whether the great beam can be saved.",
)


def story(pages: int = 3, **options: Any) -> Story:
    scenes = [
        [SCENES[n], f"This is what page {n + 1} has to say of that long night in Carrow."]
        for n in range(pages)
    ]
    return Story(SLUG, "The night the mill burned", scenes, **options)


def text(told: Story) -> str:
    return "\n\n".join(paragraph for page in told.pages for paragraph in page)


def crawl(site: PagedSite, directory: Path, *options: str, expect: int = 0) -> dict[str, Any]:
    return crawl_site(site, directory, *options, expect=expect)  # type: ignore[arg-type]


def bodies(directory: Path) -> list[str]:
    return [body for (body,) in rows(directory, "SELECT body FROM articles ORDER BY url")]


def revisions(directory: Path) -> list[str]:
    return [body for (body,) in rows(directory, "SELECT body FROM revisions ORDER BY article_id, number")]


def missing(directory: Path) -> list[str | None]:
    return [parts for (parts,) in rows(directory, "SELECT missing_parts FROM articles ORDER BY url")]


def all_due(directory: Path) -> None:
    """Let time pass until every address is due that will ever be."""
    with Archive(directory) as archive, archive.transaction():
        archive.db.conn.execute(
            "UPDATE frontier SET due_at = '2020-01-01T00:00:00Z' WHERE due_at IS NOT NULL"
        )


# One article, whole


WAYS = {
    "core": {},
    "a theme's next link": {"line": next_line},
    "a link in the head": {
        "line": no_line,
        "head": lambda n, of, at: f'<link rel="next" href="{at(n + 1)}">' if n < of else "",
    },
    "plain permalinks": {"form": "{slug}?page={n}"},
    "a loop's parameter": {"form": "{slug}?paged={n}"},
    "a folder of pages": {"form": "{slug}page/{n}/"},
    "no WordPress": {"marked": False},
    "no WordPress, a theme's next link": {"marked": False, "line": next_line},
    "titles": {
        "line": lambda n, of, at: "<ol>" + "".join(
            f"<li>{('The smoke', 'The hose', 'The swans')[k - 1]}</li>" if k == n
            else f'<li><a href="{at(k)}">{("The smoke", "The hose", "The swans")[k - 1]}</a></li>'
            for k in range(1, of + 1)
        ) + "</ol>"
    },
}  # fmt: skip


@pytest.mark.parametrize("way", [way for way in WAYS if way != "titles"])
def test_a_story_in_pages_is_one_article_whole(way: str, tmp_path: Path) -> None:
    """Whatever leads from page to page; each page is asked for once, and its address is an alias."""
    told = story(**WAYS[way])
    with PagedSite([told]) as site:
        crawl(site, tmp_path)
        addresses = [told.address("/", n) for n in (1, 2, 3)]
        assert site.asked() == addresses
        assert bodies(tmp_path) == revisions(tmp_path) == [text(told)]
        assert missing(tmp_path) == [None]
        found = rows(tmp_path, "SELECT url, evidence FROM aliases ORDER BY evidence")
        assert found == [(site.url(addresses[1]), "part 2"), (site.url(addresses[2]), "part 3")]
        crawl(site, tmp_path)
        assert site.asked() == []


def test_pages_that_only_their_titles_lead_to_are_parts_by_their_number(tmp_path: Path) -> None:
    """They are links like others until they are read."""
    told = story(**WAYS["titles"])
    with PagedSite([told]) as site:
        crawl(site, tmp_path)
        assert site.asked() == [told.address("/", n) for n in (1, 2, 3)]
        (body,) = bodies(tmp_path)
        assert [scene in body for scene in SCENES] == [True, True, True, False]
        all_due(tmp_path)
        told.pages[0][0] = told.pages[0][0].replace("Smoke", "Black smoke")
        crawl(site, tmp_path)
        assert len(bodies(tmp_path)) == 1
        assert len(revisions(tmp_path)) == 2
        assert all(scene[10:] in bodies(tmp_path)[0] for scene in SCENES[:3])


def test_reading_again_and_rebuilding_tell_the_same(tmp_path: Path) -> None:
    """Also after edits, and when the database is made anew from the captures alone."""
    told = story()
    with PagedSite(
        [told, Story("2024/05/02/ferry-late/", "Ferry late again", [[SCENES[3]]], number=8)]
    ) as site:
        crawl(site, tmp_path)
        told.pages[1][0], told.modified = SCENES[3], "2025-01-01T00:00:00"
        crawl(site, tmp_path)
    before = tables(tmp_path)
    assert uknip("reextract", "--all", "--archive", str(tmp_path)).returncode in (0, 2)
    assert tables(tmp_path) == before
    (tmp_path / DATABASE).rename(tmp_path / "lost.db")
    for rest in tmp_path.glob(f"{DATABASE}-*"):
        rest.unlink()
    done = uknip("rebuild", "--archive", str(tmp_path))
    assert done.returncode == 0, done.stderr
    again = tables(tmp_path)
    for table in ("articles", "revisions", "aliases", "links", "images"):
        assert again[table] == before[table], table


# Edits


def test_an_edit_of_one_page_is_one_revision_of_the_story(tmp_path: Path) -> None:
    """Of any page, and of two at once."""
    told = story()
    with PagedSite([told]) as site:
        crawl(site, tmp_path)
        expected = [text(told)]
        for day, edited in enumerate(([1], [2], [0, 2])):
            for page in edited:
                told.pages[page][0] += f" So it was said on day {day}."
            told.modified = f"2025-01-0{day + 1}T00:00:00"
            site.asked()
            crawl(site, tmp_path)
            assert site.asked() == [told.address("/", n) for n in (1, 2, 3)]
            expected.append(text(told))
            assert revisions(tmp_path) == expected
        assert bodies(tmp_path) == expected[-1:]


def test_an_edit_that_no_list_tells_of_is_found_when_the_page_is_due(tmp_path: Path) -> None:
    """Pages are asked for on condition; only what changed is sent."""
    told = story()
    with PagedSite([told]) as site:
        crawl(site, tmp_path)
        told.pages[2][0] = SCENES[3]
        all_due(tmp_path)
        site.log.clear()
        crawl(site, tmp_path)
        assert all(tag for path, tag in site.log if path.startswith(f"/{SLUG}"))
        assert revisions(tmp_path)[1:] == [text(told)]
    ends = rows(
        tmp_path,
        "SELECT outcome, status FROM fetches WHERE run_id = 2 AND url LIKE ? ORDER BY url",
        f"%{SLUG}%",
    )
    assert ends == [("unchanged", 304), ("unchanged", 304), ("revised", 200)]


def test_a_story_that_gains_and_loses_pages_is_told_as_it_stands(tmp_path: Path) -> None:
    """What it has no more is asked for no more, and is not missing."""
    told = story(2)
    with PagedSite([told]) as site:
        crawl(site, tmp_path)
        states = [text(told)]
        for day, pages in enumerate((4, 3, 1), start=1):
            told.pages[:] = story(pages).pages
            told.modified = f"2025-01-0{day}T00:00:00"
            crawl(site, tmp_path)
            states.append(text(told))
            assert revisions(tmp_path) == states
            assert rows(tmp_path, "SELECT parts, missing_parts FROM articles") == [(pages, None)]
        site.asked()
        all_due(tmp_path)
        crawl(site, tmp_path)
        assert site.asked() == [f"/{SLUG}"]


# What cannot be had


FAULTS = {
    "gone": ((404, {}, "<title>Page not found</title>"), 0),
    "broken": ((500, {}, "no"), 3),
    "elsewhere": ((302, {"Location": "http://elsewhere.invalid/"}, ""), 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_that_cannot_be_had_is_said_to_be_missing_and_comes_due_again(
    fault: str, tmp_path: Path
) -> None:
    """When it comes at last, no edit is told of."""
    told = story()
    answer, status = FAULTS[fault]
    with PagedSite([told]) as site:
        site.answers[f"/{SLUG}2/"] = answer
        quick = ("-s", "UKNIP_RETRY_BACKOFF_SECONDS=0.05", "-s", "RETRY_TIMES=1")
        crawl(site, tmp_path, *quick, expect=status)
        assert missing(tmp_path) == ["[2]"]
        assert bodies(tmp_path) == ["\n\n".join([*told.pages[0], *told.pages[2]])]
        first = site.url(SLUG)
        assert rows(tmp_path, "SELECT detail FROM fetches WHERE url = ?", first) == [("missing_parts: 2",)]
        for command in ("why", "history"):
            assert "in 3 pages, missing: 2" in uknip(command, first, "--archive", str(tmp_path)).stdout
        record = json.loads(uknip("history", first, "--archive", str(tmp_path), "--json").stdout)
        assert (record["parts"], record["missing_parts"]) == (3, [2])
        assert rows(tmp_path, "SELECT count(*) FROM frontier WHERE part = 2 AND due_at IS NOT NULL") == [(1,)]
        site.answers.clear()
        all_due(tmp_path)
        crawl(site, tmp_path)
    assert (bodies(tmp_path), missing(tmp_path)) == ([text(told)], [None])
    assert revisions(tmp_path) == [text(told)]
    assert rows(tmp_path, "SELECT detail FROM fetches WHERE url = ?", first)[0] == (None,)


def test_a_page_that_robots_txt_forbids_is_missing(tmp_path: Path) -> None:
    told = story()
    with PagedSite([told], robots=f"User-agent: *\nDisallow: /{SLUG}3/\n") as site:
        crawl(site, tmp_path)
        assert site.asked() == [told.address("/", n) for n in (1, 2)]
    assert missing(tmp_path) == ["[3]"]
    assert rows(tmp_path, "SELECT last_outcome, due_at IS NULL FROM frontier WHERE part = 3") == [
        ("robots_denied", 0)
    ]


def test_a_run_that_ends_before_the_last_page_says_so_and_the_next_one_goes_on(tmp_path: Path) -> None:
    told = story()
    with PagedSite([told]) as site:
        crawl(site, tmp_path, "--limit", "2")
        assert missing(tmp_path) == ["[3]"]
        crawl(site, tmp_path)
    assert (missing(tmp_path), bodies(tmp_path), revisions(tmp_path)) == ([None], [text(told)], [text(told)])


# No end, and no beginning


@pytest.mark.parametrize("answer", ["the first page again", "a redirect to it"])
def test_a_next_page_that_is_the_first_one_again_ends_the_walk(answer: str, tmp_path: Path) -> None:
    """Every page of such a site has a next one."""
    told = story(1, line=lambda n, of, at: f'<p><a href="{at(n + 1)}">Next page</a></p>')
    with PagedSite([told]) as site:
        again = (200, {}, told.html(site.base_url, 1))
        back = (301, {"Location": f"/{SLUG}"}, "")
        for n in range(2, 60):
            site.answers[f"/{SLUG}{n}/"] = again if answer == "the first page again" else back
        crawl(site, tmp_path)
        assert site.asked() == [f"/{SLUG}", f"/{SLUG}2/"]
        crawl(site, tmp_path)
        assert site.asked() == []
    assert (bodies(tmp_path), missing(tmp_path)) == ([text(told)], [None])
    assert rows(tmp_path, "SELECT url FROM aliases") == [(site.url(f"{SLUG}2/"),)]


def test_a_story_without_end_is_cut_and_says_so(tmp_path: Path) -> None:
    """Fifty pages are asked for."""
    scenes = [
        [f"Page {n} of the endless chronicle of Carrow tells of another day on the river."]
        for n in range(1, 81)
    ]
    with PagedSite([Story(SLUG, "The endless chronicle", scenes, line=next_line)]) as site:
        crawl(site, tmp_path)
        assert len(site.asked()) == 50
    assert rows(tmp_path, "SELECT count(*), max(missing_parts) FROM articles") == [(1, "[51]")]


def test_numbers_below_a_story_are_stories_of_their_own(tmp_path: Path) -> None:
    """`/m-25/101/`, `/m-25/12/` and `/the-floods/2020/` are no pages of `/m-25/`, and those of no story are none."""
    slugs = (
        "news/uk/m-25/",
        "news/uk/m-25/101/",
        "news/uk/m-25/12/",
        "news/uk/the-floods/2020/",
        "news/uk/the-floods/2/",
    )
    told = [
        Story(
            slug,
            f"Report {n} from the road",
            [[scene, f"Report number {n} ends with this line."]],
            number=200 + n,
        )
        for n, (slug, scene) in enumerate(zip(slugs, (*SCENES, SCENES[0][::-1]), strict=True))
    ]
    links = "".join(
        f'<p><a href="/{slug}">{slug.split("/")[-2]} drivers were stuck</a></p>' for slug in slugs[1:]
    )
    told[0].pages[0] = [*told[0].pages[0], links]
    with PagedSite(told) as site:
        crawl(site, tmp_path)
        assert sorted(url for (url,) in rows(tmp_path, "SELECT url FROM articles")) == sorted(
            map(site.url, slugs)
        )
    assert rows(tmp_path, "SELECT DISTINCT parts FROM articles") == [(1,)]
    assert rows(tmp_path, "SELECT * FROM aliases") == []


def test_comment_pages_are_no_parts(tmp_path: Path) -> None:
    comments = "".join(f'<a href="/{SLUG}comment-page-{n}/#comments">{n}</a>' for n in (1, 2))
    told = story(1, line=lambda n, of, at: f'<nav class="comment-navigation">{comments}</nav>')
    with PagedSite([told]) as site:
        crawl(site, tmp_path)
        assert site.asked() == [f"/{SLUG}"]
    assert rows(tmp_path, "SELECT parts, body FROM articles") == [(1, text(told))]


# Imports


FIRST = datetime(2024, 5, 2, 9, 0, tzinfo=UTC)
BASE = "http://paper.invalid/"


def capture(path: Path, told: Story, *pages: int, at: datetime = FIRST) -> Path:
    writer = Writer(path)
    for place, n in enumerate(pages):
        writer.add(told.address(BASE, n), told.html(BASE, n).encode(), at + timedelta(minutes=place))
    return writer.close()


def import_files(directory: Path, *files: Path) -> None:
    done = uknip("import-warc", *map(str, files), "--base-url", BASE, "--archive", str(directory))
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture(params=["core", "a theme's next link", "no WordPress", "titles", "plain permalinks"])
def told(request: pytest.FixtureRequest) -> Story:
    return story(**WAYS[request.param])


ORDERS = {
    "one file": [[(1, 2, 3)]],
    "backwards": [[(3, 2, 1)]],
    "two files": [[(2,), (1, 3)]],
    "two imports": [[(1, 3)], [(2,)]],
    "last first": [[(3,)], [(2,)], [(1,)]],
}


@pytest.mark.parametrize("order", ORDERS)
def test_imported_pages_are_joined_whatever_their_order(order: str, told: Story, tmp_path: Path) -> None:
    for place, runs in enumerate(ORDERS[order]):
        files = [capture(tmp_path / f"{place}-{n}.warc.gz", told, *pages) for n, pages in enumerate(runs)]
        import_files(tmp_path / "a", *files)
    (body,) = bodies(tmp_path / "a")
    assert [body.count(paragraph) for page in told.pages for paragraph in page] == [1] * 6
    assert body.index(SCENES[0]) < body.index(SCENES[1]) < body.index(SCENES[2])
    assert len(revisions(tmp_path / "a")) == 1
    urls = rows(tmp_path / "a", "SELECT url, missing_parts FROM articles")
    assert urls == [(told.address(BASE, 1), None)]
    aliases = rows(tmp_path / "a", "SELECT url FROM aliases ORDER BY url")
    assert aliases == [(told.address(BASE, n),) for n in (2, 3)]


def test_a_page_that_no_file_holds_is_missing_and_the_next_crawl_asks_for_it(tmp_path: Path) -> None:
    told = story()
    with PagedSite([told]) as site:
        writer = Writer(tmp_path / "some.warc.gz")
        for n in (1, 3):
            writer.add(told.address(site.base_url, n), told.html(site.base_url, n).encode(), FIRST)
        done = uknip(
            "import-warc", str(writer.close()), "--base-url", site.base_url, "--archive", str(tmp_path / "a")
        )
        assert done.returncode == 0, done.stderr
        assert missing(tmp_path / "a") == ["[2]"]
        crawl(site, tmp_path / "a")
    assert (bodies(tmp_path / "a"), missing(tmp_path / "a")) == ([text(told)], [None])
    assert revisions(tmp_path / "a") == [text(told)]


def test_imported_edits_are_one_revision_each(tmp_path: Path) -> None:
    """Two days of captures; the pages stand in files of their own and come in two imports."""
    old, new = story(), story()
    new.pages[0][0], new.pages[2][1] = SCENES[3], "And so the swans have the pool to themselves again."
    later = FIRST + timedelta(days=3)
    firsts = [
        capture(tmp_path / f"first-{n}.warc.gz", one, 1, at=at)
        for n, (one, at) in enumerate([(old, FIRST), (new, later)])
    ]
    others = [
        capture(tmp_path / f"other-{n}.warc.gz", one, 2, 3, at=at + timedelta(minutes=5))
        for n, (one, at) in enumerate([(old, FIRST), (new, later)])
    ]
    import_files(tmp_path / "a", *others)
    import_files(tmp_path / "a", *firsts)
    assert revisions(tmp_path / "a") == [text(old), text(new)]
    assert bodies(tmp_path / "a") == [text(new)]


def test_a_page_that_shows_all_is_no_story_of_its_own_and_stands_in_for_what_is_missing(
    tmp_path: Path,
) -> None:
    everything = f'<p><a href="{BASE}{SLUG}?all=1">View all</a></p>'
    told = story(line=lambda n, of, at: core_line(n, of, at) + everything)
    whole = Story(SLUG, told.headline, [[p for page in told.pages for p in page]], line=no_line)
    writer = Writer(tmp_path / "some.warc.gz")
    writer.add(told.address(BASE, 1), told.html(BASE, 1).encode(), FIRST)
    writer.add(f"{BASE}{SLUG}?all=1", whole.html(BASE, 1).encode(), FIRST + timedelta(minutes=1))
    import_files(tmp_path / "a", writer.close())
    assert bodies(tmp_path / "a") == revisions(tmp_path / "a") == [text(told)]
    assert missing(tmp_path / "a") == [None]
