"""A story that a site splits over several pages is one article: whole, edited as one, and honest about what is missing."""

from __future__ import annotations

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


def story(pages: int = 3, slug: str = SLUG, number: int = 7, **options: Any) -> Story:
    scenes = [[SCENES[n], f"This is what page {n + 1} has to say of that long night."] for n in range(pages)]
    return Story(slug, "The night the mill burned", scenes, number, **options)


def stories(**more: dict[str, Any]) -> list[Story]:
    """Return a story for each way that leads from page to page, with words of its own."""
    found = []
    for n, (way, options) in enumerate((WAYS | more).items()):
        name = f"{way.replace(' ', '-').replace(chr(39), '').replace(',', '')}-mill-fire"
        one = story(slug=f"2024/05/01/{name}/", number=100 + n, **options)
        one.headline = f"How the mill of {name} burned"
        one.pages = [[f"{paragraph[:-1]} at {name}." for paragraph in page] for page in one.pages]
        found.append(one)
    return found


def text(told: Story) -> str:
    return "\n\n".join(paragraph for page in told.pages for paragraph in page)


def crawl(site: PagedSite, directory: Path, *options: str, expect: int = 0) -> dict[str, Any]:
    return crawl_site(site, directory, *options, expect=expect)  # type: ignore[arg-type]


def bodies(directory: Path) -> list[str]:
    return [body for (body,) in rows(directory, "SELECT body FROM articles ORDER BY url")]


def revisions(directory: Path, url: str = "%") -> list[str]:
    sql = "SELECT revisions.body FROM revisions JOIN articles ON articles.id = article_id WHERE url LIKE ? ORDER BY number"
    return [body for (body,) in rows(directory, sql, url)]


def missing(directory: Path) -> list[str | None]:
    return [parts for (parts,) in rows(directory, "SELECT missing_parts FROM articles ORDER BY url")]


def all_due(directory: Path) -> None:
    """Let time pass until every address is due that will ever be."""
    with Archive(directory) as archive, archive.transaction():
        archive.db.conn.execute(
            "UPDATE frontier SET due_at = '2020-01-01T00:00:00Z' WHERE due_at IS NOT NULL"
        )


# One article, whole


TITLES = ("Smoke over the weir", "The crews lay hose", "The swans come back")
WAYS: dict[str, dict[str, Any]] = {
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
    "a table of contents": {
        "line": lambda n, of, at: "<ol>" + "".join(
            f"<li>{TITLES[k - 1]}</li>" if k == n else f'<li><a href="{at(k)}">{TITLES[k - 1]}</a></li>'
            for k in range(1, of + 1)
        ) + "</ol>"
    },
    "loose links": {
        "line": lambda n, of, at: f'<p>Then came <a href="{at(2)}">the hose</a>, <a href="{at(3)}">the swans</a> too</p>'
    },
}  # fmt: skip


def test_a_story_in_pages_is_one_article_whole(tmp_path: Path) -> None:
    """Whatever leads from page to page; each page is asked for once, and its address is an alias."""
    with PagedSite(stories()) as site:
        crawl(site, tmp_path)
        assert sorted(site.asked()) == sorted(one.address("/", n) for one in site.stories for n in (1, 2, 3))
        check_whole(tmp_path, site.base_url, site.stories)
        crawl(site, tmp_path)
        assert site.asked() == []
        gone = site.stories[0]
        done = uknip(
            "redact", site.url(gone.slug), "--archive", str(tmp_path), "--reason", "asked to", "--yes"
        )
        assert done.returncode == 0, done.stderr
        for table in ("articles", "aliases", "frontier", "fetches", "links"):
            assert rows(tmp_path, f"SELECT url FROM {table} WHERE url LIKE ?", f"%{gone.slug}%") == [], table


def check_whole(directory: Path, base: str, told: list[Story]) -> None:
    """Assert that every story is one article and one revision with the text of all pages, and nothing is missing."""
    held = {
        url: rest
        for url, *rest in rows(directory, "SELECT url, body, missing_parts, revision_count FROM articles")
    }
    assert held.keys() == {one.address(base, 1) for one in told}
    for one in told:
        body, lacking, count = held[one.address(base, 1)]
        own = [
            paragraph for paragraph in body.split("\n\n") if paragraph.endswith(".")
        ]  # titles are none of ours
        assert (own, lacking, count) == ([paragraph for page in one.pages for paragraph in page], None, 1), (
            one.slug
        )
    aliases = {url for (url,) in rows(directory, "SELECT url FROM aliases")}
    assert aliases == {one.address(base, n) for one in told for n in (2, 3)}


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
    with Archive(tmp_path) as archive, archive.transaction():
        archive.db.conn.execute("UPDATE articles SET extractor_version = 'of yore'")
    assert uknip("reextract", "--archive", str(tmp_path)).returncode == 0
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


def test_an_edit_is_one_revision_of_the_story_and_so_are_pages_that_come_and_go(tmp_path: Path) -> None:
    """An edit of any page, or of two at once; what a story has no more is asked for no more, and is not missing."""
    edited, resized = story(), story(2, "2024/05/02/the-swans-of-carrow/", 8)
    resized.headline = "The swans of Carrow"
    with PagedSite([edited, resized]) as site:
        crawl(site, tmp_path)
        states = {told.slug: [text(told)] for told in site.stories}
        for day, (pages, size) in enumerate((([1], 4), ([2], 3), ([0, 2], 1)), start=1):
            for page in pages:
                edited.pages[page][0] += f" So it was said on day {day}."
            resized.pages[:] = story(size).pages
            edited.modified = resized.modified = f"2025-01-0{day}T00:00:00"
            site.asked()
            crawl(site, tmp_path)
            asked = [path for path in site.asked() if edited.slug in path]
            assert sorted(asked) == [edited.address("/", n) for n in (1, 2, 3)]
            for told in site.stories:
                states[told.slug].append(text(told))
                assert revisions(tmp_path, site.url(told.slug)) == states[told.slug]
            found = rows(tmp_path, "SELECT parts, missing_parts FROM articles ORDER BY url")
            assert found == [(3, None), (size, None)]
        all_due(tmp_path)
        crawl(site, tmp_path)
        assert [path for path in site.asked() if resized.slug in path] == [f"/{resized.slug}"]


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


# What cannot be had


FAULTS = {
    "gone": (404, {}, "<title>Page not found</title>"),
    "broken": (500, {}, "no"),
    "elsewhere": (302, {"Location": "http://elsewhere.invalid/"}, ""),
    "forbidden": (200, {}, "by robots.txt"),
}


def test_a_page_that_cannot_be_had_is_said_to_be_missing_and_comes_due_again(tmp_path: Path) -> None:
    """When it comes at last, no edit is told of."""
    told = [story(slug=f"2024/05/01/the-mill-{fault}/", number=n) for n, fault in enumerate(FAULTS, start=20)]
    for one, fault in zip(told, FAULTS, strict=True):
        one.headline = f"The mill {fault}"
        one.pages = [[f"{paragraph[:-1]} ({fault})." for paragraph in page] for page in one.pages]
    with PagedSite(told, robots=f"User-agent: *\nDisallow: /{told[3].slug}2/\n") as site:
        site.answers |= {
            one.address("/", 2): answer for one, answer in zip(told, FAULTS.values(), strict=True)
        }
        crawl(site, tmp_path, "-s", "UKNIP_RETRY_BACKOFF_SECONDS=0.05", "-s", "RETRY_TIMES=1", expect=3)
        assert missing(tmp_path) == ["[2]"] * 4
        assert sorted(bodies(tmp_path)) == sorted("\n\n".join([*one.pages[0], *one.pages[2]]) for one in told)
        first = site.url(told[0].slug)
        assert rows(tmp_path, "SELECT detail FROM fetches WHERE url = ?", first) == [("missing_parts: 2",)]
        for command in ("why", "history"):
            assert "in 3 pages, missing: 2" in uknip(command, first, "--archive", str(tmp_path)).stdout
        assert rows(tmp_path, "SELECT count(*) FROM frontier WHERE part = 2 AND due_at IS NOT NULL") == [(4,)]
        site.answers.clear()
        site.robots = ""
        all_due(tmp_path)
        crawl(site, tmp_path)
    assert (sorted(bodies(tmp_path)), missing(tmp_path)) == (sorted(map(text, told)), [None] * 4)
    assert rows(tmp_path, "SELECT DISTINCT revision_count FROM articles") == [(1,)]
    assert rows(tmp_path, "SELECT detail FROM fetches WHERE url = ?", first)[0] == (None,)


def test_a_run_that_ends_before_the_last_page_says_so_and_the_next_one_goes_on(tmp_path: Path) -> None:
    told = story()
    with PagedSite([told]) as site:
        crawl(site, tmp_path, "--limit", "2")
        assert missing(tmp_path) == ["[3]"]
        crawl(site, tmp_path)
    assert (missing(tmp_path), bodies(tmp_path), revisions(tmp_path)) == ([None], [text(told)], [text(told)])


# No end, and no beginning


def test_walks_end(tmp_path: Path) -> None:
    """Every page of a site has a next one: it is the first one again, or leads back to it, or there is no end of them."""
    on = {"line": lambda n, of, at: f'<p><a href="{at(n + 1)}">Next page</a></p>'}
    same, back = (
        story(1, "2024/05/03/the-same-again/", 30, **on),
        story(1, "2024/05/03/and-back-again/", 31, **on),
    )
    days = [
        [f"Page {n} of the endless chronicle of Carrow tells of another day on the river."]
        for n in range(1, 81)
    ]
    endless = Story("2024/05/03/the-endless-chronicle/", "The endless chronicle", days, 32, line=next_line)
    comments = "".join(f'<a href="/{SLUG}comment-page-{n}/#comments">{n}</a>' for n in (1, 2))
    plain = story(1, line=lambda n, of, at: f'<nav class="comment-navigation">{comments}</nav>')
    back.headline, same.headline = "There and back again", "The same again"
    with PagedSite([same, back, endless, plain]) as site:
        for n in range(2, 60):
            site.answers[f"/{same.slug}{n}/"] = (200, {}, same.html(site.base_url, 1))
            site.answers[f"/{back.slug}{n}/"] = (301, {"Location": f"/{back.slug}"}, "")
        crawl(site, tmp_path)
        asked = site.asked()
        others = [path for path in asked if endless.slug not in path and path != f"/{back.slug}"]
        expected = [f"/{same.slug}", f"/{same.slug}2/", f"/{back.slug}2/", f"/{plain.slug}"]
        assert sorted(others) == sorted(expected)
        assert sum(endless.slug in path for path in asked) == 50
        crawl(site, tmp_path)
        assert site.asked() == []
        held = {url: rest for url, *rest in rows(tmp_path, "SELECT url, parts, missing_parts FROM articles")}
        assert held == {
            site.url(same.slug): [1, None],
            site.url(back.slug): [1, None],
            site.url(endless.slug): [51, "[51]"],
            site.url(plain.slug): [1, None],
        }
        assert {text(same), text(back), text(plain)} < set(bodies(tmp_path))


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


ORDERS = {
    "backwards": [[(3, 2, 1)]],
    "two files": [[(2,), (1, 3)]],
    "two imports": [[(1, 3)], [(2,)]],
    "last first": [[(3,)], [(2,)], [(1,)]],
}


@pytest.mark.parametrize("order", ORDERS)
def test_imported_pages_are_joined_whatever_their_order(order: str, tmp_path: Path) -> None:
    told = stories(silent={"line": no_line})  # only its further pages tell what they are
    for place, runs in enumerate(ORDERS[order]):
        files = []
        for n, pages in enumerate(runs):
            writer = Writer(tmp_path / f"{place}-{n}.warc.gz")
            for minute, (one, page) in enumerate((one, page) for one in told for page in pages):
                at = FIRST + timedelta(minutes=minute)
                writer.add(one.address(BASE, page), one.html(BASE, page).encode(), at)
            files.append(writer.close())
        import_files(tmp_path / "a", *files)
    check_whole(tmp_path / "a", BASE, told)


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
