"""WordPress's REST list of posts, well and badly answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from uknip_crawler.discovery import Listed, SourceUnusable
from uknip_crawler.discovery.rest import is_past_end, parse_posts, posts_url

STORY = "https://uknip.co.uk/news/uk/breaking/van-leaves-road-in-ryde/"
POST = {"id": 7, "link": STORY, "date_gmt": "2024-07-01T09:00:00", "modified_gmt": "2024-07-02T10:30:00"}
LISTED = Listed(STORY, 7, datetime(2024, 7, 2, 10, 30, tzinfo=UTC), datetime(2024, 7, 1, 9, tzinfo=UTC))
NOTICE = (
    b"<br />\n<b>Notice</b>: Undefined index: x in <b>/srv/wp-content/[x].php</b> on line <b>9</b><br />\n"
)


def body(*posts: object) -> bytes:
    return json.dumps(posts).encode()


def test_a_post_gives_number_address_and_both_times() -> None:
    """The `_gmt` fields are UTC though they carry no zone."""
    listing = parse_posts(body(POST), {"x-wp-TOTAL": "1", "X-WP-TotalPages": "1"})
    assert (listing.entries, listing.complete, listing.total, listing.pages) == ((LISTED,), True, 1, 1)


@pytest.mark.parametrize("value", ["", "many", "-1", "9" * 50, "²"])
def test_junk_for_a_total_is_no_total(value: str) -> None:
    """The caller then knows that it does not know."""
    assert parse_posts(body(POST), {"X-WP-Total": value}).total is None


@pytest.mark.fault("S11")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf", b""),
        (b"\n", b"\n"),
        (NOTICE, b""),
        (b"Notice: Array to string in x.php[]\n", b""),
        (b"", NOTICE),
    ],
)
def test_what_php_prints_around_the_json_is_passed_over(before: bytes, after: bytes) -> None:
    """A byte order mark from a theme file and notices are the usual ones."""
    assert parse_posts(before + body(POST) + after, {}).entries == (LISTED,)


@pytest.mark.fault("S11")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"{}",
        b'{"code":"rest_no_route","message":"No route"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'[{"id":7,"link":"https://uknip.co',
        b"[1, 2, 3]",
        b'[{"@type":"Organization"}]',
        b"<!DOCTYPE html><html><script>[{}]</script></html>",
        b'<html><script>var a = [{"id":1,"link":"/x/"}]</script></html>',
        b"\xff\xfe[\x00]\x00",
        b"[] and more",
    ],
)
def test_anything_but_a_list_of_posts_is_an_error(raw: bytes) -> None:
    """So that the next source is asked, instead of believing in a site without stories."""
    with pytest.raises(SourceUnusable, match=r"^REST: "):
        parse_posts(raw, {})


def test_an_empty_list_is_a_site_without_posts() -> None:
    """Or a query that nothing matches."""
    assert parse_posts(b"[]", {"X-WP-Total": "0"}).entries == ()


@pytest.mark.fault("S12", "W06")
@pytest.mark.parametrize(
    "bad",
    [
        {"id": 2**63},
        {"id": 10**30},
        {"id": 0},
        {"id": -1},
        {"id": True},
        {"id": "7"},
        {"id": None},
        {"id": [7]},
        {"link": None},
        {"link": " "},
        {"link": {"href": STORY}},
        {"status": "draft"},
        {"status": "private"},
    ],
)
def test_a_post_with_an_impossible_value_costs_only_itself(bad: dict[str, object]) -> None:
    """Its neighbour on the page is listed."""
    assert parse_posts(body({**POST, **bad}, POST), {}).entries == (LISTED,)


@pytest.mark.fault("S12")
def test_numbers_that_python_cannot_hold_cost_only_their_post() -> None:
    """1e400 is infinite, and integers of thousands of digits are refused by Python itself."""
    raw = b'[{"id":1e400,"link":"/a"},{"id":%s,"link":"/b"},%s' % (b"9" * 5000, body(POST)[1:])
    assert parse_posts(raw, {}).entries == (LISTED,)


@pytest.mark.parametrize(
    "date", [None, 5, [], "soon", "0000-00-00T00:00:00", "2024-02-30T00:00:00", "\ud800"]
)
def test_a_bad_date_is_no_date(date: object) -> None:
    """The post is listed all the same."""
    assert parse_posts(body({**POST, "modified_gmt": date, "date_gmt": date}), {}).entries == (
        Listed(STORY, 7),
    )


@pytest.mark.fault("S09")
def test_only_the_answer_past_the_last_page_ends_the_paging() -> None:
    """Every other error 400 is an error."""
    past = b'{"code":"rest_post_invalid_page_number","message":"","data":{"status":400}}'
    assert is_past_end(400, past)
    assert is_past_end(400, NOTICE + past)
    assert not is_past_end(400, b'{"code":"rest_invalid_param"}')
    assert not is_past_end(404, past)
    assert not is_past_end(400, b"<html>Bad Request</html>")


def test_all_posts_are_asked_for_by_number() -> None:
    """A number never changes, so pages do not shift while they are read; new posts come last."""
    parts = urlsplit(posts_url("https://uknip.co.uk/", page=3))
    assert (parts.netloc, parts.path) == ("uknip.co.uk", "/wp-json/wp/v2/posts")
    assert parse_qs(parts.query) == {
        "per_page": ["100"],
        "orderby": ["id"],
        "order": ["asc"],
        "_fields": ["id,link,date_gmt,modified_gmt,title"],
        "page": ["3"],
    }


def test_changes_are_asked_for_in_utc() -> None:
    """11:00 at +01:00 is 10:00Z, and the zone is printed: WordPress would else read the site's own time."""
    query = parse_qs(
        urlsplit(
            posts_url(
                "https://uknip.co.uk/",
                modified_after=datetime(2024, 7, 1, 11, tzinfo=timezone(timedelta(hours=1))),
            )
        ).query
    )
    assert (query["modified_after"], query["orderby"]) == (["2024-07-01T10:00:00Z"], ["modified"])
