"""What every source says of a story is kept, also where they disagree; the most trusted is believed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from crawling import crawl, newsroom, rows, truth

from uknip_crawler.archive import Archive
from uknip_crawler.archive.frontier import Candidate
from uknip_crawler.archive.migration_dates import mark_migrations
from uknip_crawler.archive.story_rows import Evidence
from uknip_crawler.demo import SampleSite
from uknip_crawler.discovery import feed, rest
from uknip_crawler.duplicates.fingerprints import content_sha256
from uknip_crawler.extraction import read
from uknip_crawler.extraction.metadata.listed import with_listed
from uknip_crawler.models import Article, Block, BlockKind, Capture, Finding, Moment
from uknip_crawler.sites import load_site

FETCHED = datetime(2026, 3, 20, 9, tzinfo=UTC)
SITE = "https://uknip.co.uk"
STORY = f"{SITE}/news/uk/breaking/otter-seen-in-canal/"
BODY = (
    "<p>An otter has been seen in the canal basin for the first time since the locks were built.</p>"
    "<p>A council ranger filmed it from the footbridge shortly after the market had closed.</p>"
)


def article_of(by_headline: str = "", head: str = "", url: str = STORY) -> Article:
    """Return the article of a page with these lines under its headline and these elements in its head."""
    page = (
        f"<html lang='en-GB'><head><title>Otter seen in canal – UKNIP</title>{head}</head>"
        f"<body class='single single-post'><div class='head'><h1>Otter seen in canal</h1>{by_headline}</div>"
        f"<div class='entry-content'>{BODY}</div></body></html>"
    )
    capture = Capture(url, 200, (("Content-Type", "text/html; charset=UTF-8"),), page.encode(), FETCHED)
    article = read(capture, load_site()).article
    assert article is not None
    return article


def json_ld(**fields: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **fields})}</script>'


def told(article: Article, field: str) -> list[tuple[str, str, str | None]]:
    return [(f.source, f.raw, f.value) for f in article.evidence if f.field == field]


# What a page says


def test_every_date_of_a_page_is_evidence_and_the_believed_one_comes_first() -> None:
    """Structured data before the label, the label before the address, that before a date alone: nothing is lost."""
    article = article_of(
        "<div>June 3, 2020</div><div>Published: 9:15 am June 1, 2020</div>",
        json_ld(headline="Otter seen in canal", datePublished="2020-06-01T08:10:00+00:00"),
        f"{SITE}/2020/06/02/otter-seen-in-canal/",
    )
    assert article.published_at == datetime(2020, 6, 1, 8, 10, tzinfo=UTC)
    assert told(article, "published_at") == [
        ("json-ld", "2020-06-01T08:10:00+00:00", "2020-06-01T08:10:00Z"),
        ("label", "9:15 am June 1, 2020", "2020-06-01T08:15:00Z"),
        ("address", "2020-06-02", "2020-06-02"),
        ("alone", "June 3, 2020", "2020-06-03"),
    ]


def test_a_bare_day_gives_way_to_an_instant_of_that_day_which_then_comes_first() -> None:
    """The label knows the hour that the structured date leaves out."""
    article = article_of(
        "<div>Published: 9:15 am June 1, 2020</div>",
        json_ld(headline="Otter seen in canal", datePublished="2020-06-01"),
    )
    assert article.sources["published_at"] == "label"
    assert told(article, "published_at") == [
        ("label", "9:15 am June 1, 2020", "2020-06-01T08:15:00Z"),
        ("json-ld", "2020-06-01", "2020-06-01"),
    ]


def test_what_cannot_be_read_is_evidence_without_a_value() -> None:
    """The text stays, for a researcher may know better."""
    article = article_of("<div>Published: 31 Febtober 2024</div>")
    assert article.published_at is None
    assert told(article, "published_at") == [("label", "31 Febtober 2024", None)]


def test_headline_author_and_section_keep_what_was_not_believed() -> None:
    """The newsroom's own account is evidence without a value: it is no person."""
    article = article_of(
        "<div>by Ann Lee</div>",
        json_ld(
            headline="Otter filmed in basin",
            author={"@type": "Person", "name": "uknip247"},
            articleSection="Kent",
        )
        + '<meta property="article:section" content="Breaking">',
    )
    assert told(article, "headline") == [
        ("markup", "Otter seen in canal", "Otter seen in canal"),
        ("json-ld", "Otter filmed in basin", "Otter filmed in basin"),
        ("meta", "Otter seen in canal – UKNIP", "Otter seen in canal"),
    ]
    assert told(article, "authors") == [("label", "Ann Lee", "Ann Lee"), ("json-ld", "uknip247", None)]
    assert told(article, "section") == [("json-ld", "Kent", "Kent"), ("meta", "Breaking", "Breaking")]


@pytest.mark.parametrize(
    ("printed", "other", "published"),
    [
        ("06/01/2026", "", date(2026, 1, 6)),
        ("06/01/2025", "2025-06-01", date(2025, 6, 1)),
        ("06/01/2025", "2025-01-06", date(2025, 1, 6)),
        ("06/01/2025", "2025-03-09", date(2025, 1, 6)),
        ("06/01/2025", "12/31/2025", date(2025, 6, 1)),
        ("06/01/2025", "31/12/2025", date(2025, 1, 6)),
    ],
)
def test_slashes_are_british_unless_the_page_proves_otherwise(
    printed: str, other: str, published: Moment
) -> None:
    """By another date of the same page: one that agrees in one order only, or that has no thirteenth month."""
    head = json_ld(headline="Otter seen in canal", dateModified=other) if other else ""
    assert article_of(f"<div>Published: {printed}</div>", head).published_at == published


@pytest.mark.parametrize(
    ("number", "day", "published"),
    [
        (265313, "May 20, 2021", date(2021, 5, 20)),  # given out in June 2021
        (265313, "May 20, 2019", None),
        (259383, "March 15, 2021", date(2021, 3, 15)),  # half way between December 2020 and June 2021
        (259383, "October 1, 2020", None),
        (39004, "May 9, 2018", date(2018, 5, 9)),  # below all known numbers: nothing is known of it
        (300000, "May 9, 2018", date(2018, 5, 9)),
    ],
)
def test_a_number_in_the_address_refutes_a_printed_date(
    number: int, day: str, published: Moment | None
) -> None:
    """More than 120 days off it is not believed; it stays as evidence, and beside it what refutes it."""
    article = article_of(
        f"<div>Published: {day}</div>", url=f"{SITE}/breaking/news-{number}/otter-seen-in-canal/"
    )
    assert article.published_at == published
    sources = [source for source, _, _ in told(article, "published_at")]
    assert sources == (["label"] if published else ["label", "news-id"])


def test_a_number_in_the_address_never_refutes_structured_data_but_says_so() -> None:
    """A story carried over from an older site keeps its date; the doubt can be read."""
    article = article_of(
        "",
        json_ld(headline="Otter seen in canal", datePublished="2016-03-01T10:00:00+00:00"),
        f"{SITE}/breaking/news-265313/otter-seen-in-canal/",
    )
    assert article.published_at == datetime(2016, 3, 1, 10, tzinfo=UTC)
    assert told(article, "published_at")[1] == ("news-id", "news-265313", "2021-06-15")


# What the site's own lists say


def test_rest_and_feed_say_what_they_list() -> None:
    """REST's `_gmt` fields are UTC whatever the season; titles lose entities and markup."""
    post = {
        "id": 7, "link": STORY, "date_gmt": "2024-07-01T09:00:00", "modified_gmt": "2024-07-02T10:30:00",
        "title": {"rendered": "Otter&#8217;s <em>swim</em>"},
    }  # fmt: skip
    assert rest.parse_posts(json.dumps([post]).encode(), {}).entries[0].said == (
        Finding("published_at", "rest", "2024-07-01T09:00:00", "2024-07-01T09:00:00Z"),
        Finding("modified_at", "rest", "2024-07-02T10:30:00", "2024-07-02T10:30:00Z"),
        Finding("headline", "rest", "Otter&#8217;s <em>swim</em>", "Otter’s swim"),
    )
    items = (
        '<rss xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><item>'
        f"<title>Otter&amp;#8217;s swim</title><link>{STORY}</link><dc:creator><![CDATA[Ann Lee]]></dc:creator>"
        "<pubDate>Mon, 01 Jul 2024 10:00:00 +0100</pubDate></item></channel></rss>"
    )
    assert feed.parse(items.encode(), url=f"{SITE}/feed/").entries[0].said == (
        Finding("published_at", "feed", "Mon, 01 Jul 2024 10:00:00 +0100", "2024-07-01T09:00:00Z"),
        Finding("headline", "feed", "Otter&#8217;s swim", "Otter’s swim"),
        Finding("authors", "feed", "Ann Lee", "Ann Lee"),
    )


@pytest.mark.fault("X11")
def test_a_list_that_says_junk_says_nothing_harmful() -> None:
    """Halves of characters, control characters and objects where text should be never reach the database."""
    post = {
        "id": 7,
        "link": STORY,
        "date_gmt": "0000-00-00T00:00:00",
        "modified_gmt": 5,
        "title": {"rendered": "a\ud800\0b"},
    }
    (entry,) = rest.parse_posts(json.dumps([post]).encode(), {}).entries
    assert entry.said == (
        Finding("published_at", "rest", "0000-00-00T00:00:00", None),
        Finding("headline", "rest", "ab", "ab"),
    )


REST = Finding("published_at", "rest", "2024-06-30T23:30:00", "2024-06-30T23:30:00Z")
"""Half an hour into the first of July in London."""


@pytest.mark.parametrize(
    ("own", "published", "source"),
    [
        (None, datetime(2024, 6, 30, 23, 30, tzinfo=UTC), "rest"),
        (date(2024, 7, 1), datetime(2024, 6, 30, 23, 30, tzinfo=UTC), "rest"),
        (date(2024, 6, 30), date(2024, 6, 30), "label"),
        (datetime(2024, 7, 1, 9, tzinfo=UTC), datetime(2024, 7, 1, 9, tzinfo=UTC), "label"),
    ],
)
def test_a_list_fills_the_gap_a_page_leaves(own: Moment | None, published: Moment, source: str) -> None:
    """No date at all, or only the same London day; what the page says otherwise stands, beside the list's word."""
    page = Finding("published_at", "label", "as printed", own.isoformat()) if own else None
    article = Article(
        STORY,
        "Otter seen in canal",
        (),
        published_at=own,
        sources={"published_at": "label"} if own else {},
        evidence=(page,) if page else (),
    )
    result = with_listed(article, [REST], FETCHED)
    assert (result.published_at, result.sources["published_at"]) == (published, source)
    assert set(result.evidence) == {REST, *filter(None, [page])}
    assert result.evidence[0].source == source


@pytest.mark.parametrize("value", ["2026-03-22T09:00:00Z", "1970-01-01T00:00:00Z", "2024-07-01", None])
def test_a_listed_date_that_cannot_be_is_evidence_only(value: str | None) -> None:
    """The future, the beginning of time, a day without an hour."""
    finding = Finding("published_at", "feed", "as sent", value)
    result = with_listed(Article(STORY, "Otter seen in canal", ()), [finding], FETCHED)
    assert result.published_at is None
    assert result.evidence == (finding,)


# In the archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(tmp_path)
    with opened.transaction():
        opened.ledger.start_run("crawl", f"{SITE}/", {}, "test", at=FETCHED)
    yield opened
    opened.close()


def store(archive: Archive, article: Article) -> int:
    with archive.transaction():
        visits = archive.db.execute("SELECT count(*) FROM fetches").fetchone()[0]
        row = archive.ledger.open(1, f"{article.url}#{visits}", kind="article", found_by="seed", at=FETCHED)
        assert row is not None
        evidence = Evidence(1, row, FETCHED, "1")
        return archive.articles.store(article, content_sha256(article.headline, article.body), evidence)[1]


def test_a_disagreement_can_be_read_from_the_archive(archive: Archive) -> None:
    """And a later reading takes the place of the earlier one."""
    block = Block(BlockKind.PARAGRAPH, "An otter was seen.")
    said = (
        Finding("published_at", "label", "June 1, 2020", "2020-06-01"),
        dataclasses.replace(REST, value=None),
    )
    store(archive, Article(STORY, "Otter seen in canal", (block,), evidence=(*said, *said)))
    store(archive, Article(STORY, "Otter seen in canal", (block,), evidence=said))
    found = archive.db.execute(
        "SELECT position, field, source, raw, value FROM evidence JOIN articles ON articles.id = article_id "
        "WHERE url = ? ORDER BY position",
        (STORY,),
    ).fetchall()
    assert [tuple(row) for row in found] == [
        (0, "published_at", "label", "June 1, 2020", "2020-06-01"),
        (1, "published_at", "rest", "2024-06-30T23:30:00", None),
    ]


def test_the_frontier_keeps_the_last_word_of_each_source(archive: Archive) -> None:
    """The feed's stays when REST speaks again; another post's listing of the same address is not this story's."""
    one = Finding("headline", "rest", "Otter", "Otter")
    two = Finding("headline", "rest", "Otters", "Otters")
    fed = Finding("headline", "feed", "Otter!", "Otter!")
    for said in (one, fed, two):
        candidate = Candidate(STORY, "article", said.source, post_id=7, said=(said,))
        with archive.transaction():
            archive.frontier.add([candidate], at=FETCHED, due_at=FETCHED)
    assert archive.frontier.said_of(STORY, 7) == (two, fed)
    assert archive.frontier.said_of(STORY, None) == (two, fed)
    assert archive.frontier.said_of(STORY, 8) == ()
    assert archive.frontier.said_of(f"{SITE}/moved/", 7) == (two, fed)
    assert archive.frontier.said_of(f"{SITE}/other/", None) == ()
    assert archive.frontier.said_of(f"{SITE}/other/", None, STORY) == (two, fed)


Dates = Sequence[tuple[Moment | None, Moment | None]]


def mark(archive: Archive, dated: Dates) -> list[int]:
    """Store stories with these dates of publication and change; return which are marked, by their place."""
    for number, (published_at, modified_at) in enumerate(dated):
        blocks = (Block(BlockKind.PARAGRAPH, f"Otter number {number} was seen."),)
        url = f"{SITE}/news/uk/breaking/otter-{number}/"
        store(
            archive,
            Article(url, f"Otter {number}", blocks, published_at=published_at, modified_at=modified_at),
        )
    with archive.transaction():
        count = mark_migrations(archive.db)
    found = archive.db.execute(
        "SELECT id - 1 FROM articles WHERE modified_is_migration = 1 ORDER BY id"
    ).fetchall()
    assert count == len(found)
    return [row[0] for row in found]


OLD = date(2018, 5, 9)
MOVED = datetime(2025, 10, 8, 3, 54, tzinfo=UTC)


@pytest.mark.parametrize(("moved", "others", "marked"), [(20, 80, 20), (20, 81, 0), (19, 0, 0), (30, 0, 30)])
def test_a_migration_is_a_day_that_many_old_stories_share(
    archive: Archive, moved: int, others: int, marked: int
) -> None:
    """At least 20 stories and at least a fifth of all."""
    dated: Dates = [*[(OLD, MOVED)] * moved, *[(OLD, None)] * others]
    assert mark(archive, dated) == list(range(marked))


def test_an_edit_on_the_day_of_a_migration_is_no_migration(archive: Archive) -> None:
    """A fresh story's, one just 180 days old, and one of unknown age: only what is known to be old is marked."""
    half_a_year = MOVED - timedelta(days=180)
    fresh: Dates = [(MOVED - timedelta(hours=3), MOVED), (half_a_year, MOVED), (None, MOVED)]
    dated: Dates = [*[(OLD, MOVED)] * 20, *fresh, (half_a_year - timedelta(days=1), MOVED)]
    assert mark(archive, dated) == [*range(20), 23]


def test_the_day_of_a_migration_is_londons_and_its_mark_can_go_again(archive: Archive) -> None:
    """Half past eleven at night by UTC is the next day in summer; with more stories, a fifth is more."""
    evening = datetime(2025, 7, 1, 23, 30, tzinfo=UTC)
    morning = datetime(2025, 7, 2, 8, tzinfo=UTC)
    dated: Dates = [*[(OLD, evening)] * 10, *[(OLD, morning)] * 10]
    assert len(mark(archive, dated)) == 20
    assert mark(archive, [*dated, *([(OLD, None)] * 81)]) == []


# Through a whole crawl


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("source", ["rest", "feed", "sitemap"])
def test_a_crawl_takes_instants_from_the_lists_where_pages_print_only_days(
    tmp_path: Path, source: str
) -> None:
    """REST first, else the feed; a sitemap says nothing of publication. Reading the captures again changes nothing."""
    with SampleSite(
        newsroom(24), rest=source == "rest", feed=source == "feed", sitemap=source == "sitemap"
    ) as site:
        crawl(site, tmp_path, expect=0)
        stories = {url: post for url, post in truth(site).items() if post.unstructured}
    found = {
        row[0]: row[1:]
        for row in rows(tmp_path, "SELECT url, published_at, sources ->> 'published_at' FROM articles")
    }
    assert stories
    for url, post in stories.items():
        day = f"{post.published_at:%Y-%m-%d}"
        if source == "sitemap":
            assert found[url][1] in ("address", "label")
            assert len(found[url][0]) == len(day)
        else:
            assert found[url] == (instant(post.published_at), source)
    said = rows(tmp_path, "SELECT DISTINCT source FROM evidence WHERE source IN ('rest', 'feed')")
    assert said == ([] if source == "sitemap" else [(source,)])
