"""Canonical addresses, and what kind of page an address can lead to."""

from __future__ import annotations

import random
import time

import pytest

from uknip_crawler.errors import AddressRefused, HostRefused, UrlRefused
from uknip_crawler.sites import load_site
from uknip_crawler.urls import AddressKind, address_date, canonicalise, classify, post_number, slug

SITE = load_site()
BASE = "https://uknip.co.uk"
STORY = f"{BASE}/news/uk/breaking/van-leaves-road-in-ryde/"


@pytest.mark.fault("W01")
@pytest.mark.parametrize(
    "variant",
    [
        STORY,
        f" {STORY}\n",
        STORY.replace("https", "http"),
        STORY.replace("//", "//www."),
        STORY.replace("uknip.co.uk", "UKNIP.co.UK."),
        STORY.replace("uknip.co.uk", "uknip.co.uk:443"),
        f"{STORY}#comments",
        f"{STORY}?utm_source=x&UTM_medium=y&fbclid=z&gclid=1",
        f"{STORY}?replytocom=77#respond",
        f"{STORY}?share=facebook&nb=1",
        f"{STORY}?amp=1",
        f"{STORY}?amp",
        f"{STORY}amp/",
        f"{STORY}amp",
        f"{STORY}?print=print",
        STORY.replace("/breaking/", "/x/../breaking/./"),
        STORY.replace("/breaking/", "/x/%2E%2e/breaking/"),
        "/news/uk/breaking/van-leaves-road-in-ryde/",
        "//uknip.co.uk/news/uk/breaking/van-leaves-road-in-ryde/",
    ],
)
def test_spellings_of_one_address_have_one_canonical_form(variant: str) -> None:
    """Scheme, host, fragment, tracking, comments, AMP and dots make no other page."""
    assert canonicalise(variant, SITE) == STORY


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE}/Breaking/News/breaking/Capital-Letters/",
        f"{BASE}/news/uk/crime/no-slash-at-the-end",
        f"{BASE}/?p=123",
        f"{BASE}/?cat=3&paged=2",
        f"{BASE}/x/?a=1&a=1&b=&c",
        f"{BASE}/x/?q=a+b%20c",
        f"{BASE}//double//slash/",
        f"{BASE}/news/uk/breaking/ciar%C3%A1n/",
        f"{BASE}/",
    ],
)
def test_what_may_matter_stays_as_printed(url: str) -> None:
    """Capitals, slashes and unknown parameters can be another page."""
    assert canonicalise(url, SITE) == url


def test_accents_and_their_escapes_are_one_address() -> None:
    """WordPress prints small letters in escapes, browsers and templates capitals or none (RFC 3986 §6.2.2.1)."""
    spellings = [f"{BASE}/ciarán/", f"{BASE}/ciar%c3%a1n/", f"{BASE}/ciar%C3%A1n/"]
    assert {canonicalise(url, SITE) for url in spellings} == {spellings[2]}


def test_relative_addresses_are_resolved_against_their_page() -> None:
    """`?paged=2` on a tag page is that tag's second page."""
    assert canonicalise("?paged=2", SITE, base=f"{BASE}/tag/m20/") == f"{BASE}/tag/m20/?paged=2"
    assert canonicalise("../m2/", SITE, base=f"{BASE}/tag/m20/") == f"{BASE}/tag/m2/"


@pytest.mark.fault("F16")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://uknip.co.uk.evil.example/",
        "https://notuknip.co.uk/",
        "https://news.uknip.co.uk/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/",
        "https://2130706433/",
        "https://localhost/",
        "https://uknip.co.uk:22/",
        "https://uknip.co.uk:8080/",
        "https://uknip.co.uk:0/",
        "http:///www.uknip.co.uk/",
        "https://uknip。co。uk/",
        "//evil.example/x",
    ],
)
def test_another_host_or_port_is_refused(url: str) -> None:
    """Only the configured site is asked, whatever a page says."""
    with pytest.raises(AddressRefused) as refusal:
        canonicalise(url, SITE)
    assert isinstance(refusal.value, HostRefused) or url in ("https://uknip。co。uk/",)


@pytest.mark.fault("F16")
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:alert(1)",
        "mailto:desk@uknip.co.uk",
        "ftp://uknip.co.uk/",
        "gopher://uknip.co.uk/",
        "https://user@uknip.co.uk/",
        "https://user:secret@uknip.co.uk/",
        "https://@uknip.co.uk/",
        f"{BASE}/a b",
        f"{BASE}/a\r\nHost: evil.example",
        f"{BASE}/a\x00b",
        f"{BASE}/a\tb",
        f"{BASE}\\@evil.example/",
        f"{BASE}/\ud800",
        f"{BASE}/?utm_source=\udfff",
        f"{BASE}:99999/",
        f"{BASE}:x/",
        "https://[uknip.co.uk/",
        f"{BASE}/{'a' * 2100}",
        f"{BASE}/{'é' * 500}",
        f"{BASE}/{'a' * 1_000_000}",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    """Schemes, credentials, controls, nonsense and length."""
    with pytest.raises(UrlRefused):
        canonicalise(url, SITE)


@pytest.mark.fault("F16")
def test_a_site_on_its_own_port_has_no_other() -> None:
    """The sample site and test sites live on loopback."""
    site = load_site("http://127.0.0.1:8000/")
    assert canonicalise("http://127.0.0.1:8000/a/", site) == "http://127.0.0.1:8000/a/"
    for url in ("http://127.0.0.1/a/", "http://127.0.0.1:8001/a/", "http://localhost:8000/a/"):
        with pytest.raises(HostRefused):
            canonicalise(url, site)


def test_canonical_is_final_and_nothing_but_a_refusal_escapes() -> None:
    """3,000 mangled addresses: each has a canonical form that is its own, or is refused."""
    dice = random.Random(11)
    pieces = [
        "/",
        "?",
        "#",
        "&",
        "=",
        ":",
        "@",
        "%",
        "%2e",
        "..",
        "[",
        "]",
        "é",
        "\u202e",
        "\ud800",
        "amp",
        "p=1",
        "//",
        ";",
    ]
    began, accepted = time.process_time(), 0
    for _ in range(3000):
        url = list(f"{STORY}?a=1&utm_source=2")
        for _ in range(dice.randint(1, 5)):
            url.insert(dice.randrange(len(url)), dice.choice(pieces))
        try:
            canonical = canonicalise("".join(url), SITE)
        except AddressRefused:
            continue
        accepted += 1
        assert canonicalise(canonical, SITE) == canonical
        assert classify(canonical, SITE) in AddressKind
    assert accepted > 1000
    assert time.process_time() - began < 2


ARTICLES = [
    "/2020/01/12/breaking/m999-closed-following-collision/",
    "/2020/04/26/a-trialist-is-well/",
    "/2020/05/29/news-appeal-for-information-in-ryde/",
    "/breaking/news-277999/two-lanes-closed-near-a-town/",
    "/isle-of-wight/news-21999/car-fractures-pipe/",
    "/kent/gravesend/news-235999/a-nested-category/",
    "/blog/2022/05/17/police-close-a-road/",
    "/Breaking/News/breaking/a-teen-was-arrested/",
    "/News/breaking/house-fire/",
    "/news/uk/uk-news/man-hurt-in-fake-interview/",
    "/news/uk/breaking/no-slash-at-the-end",
    "/news/uk/travel/story-2",
]
LISTINGS = [
    "/",
    "/page/2/",
    "/Breaking/News/tag/m999/",
    "/Breaking/News/tag/m999/page/3/",
    "/Breaking/News/page/2/",
    "/News/category/crime/",
    "/news/uk/page/2/",
    "/news/uk/tag/kent/",
    "/news/uk/author/uknip247/",
    "/news/uk/breaking/page/2/",
    "/category/breaking/kent/",
    "/tag/m20",
    "/?paged=2",
    "/?cat=4",
]
TRAPS = [
    "/2020/",
    "/2020/04/",
    "/2020/04/26/",
    "/2019/10/09/page/2",
    "/blog/2022/05/",
    "/2999/12/",
    "/?s=fire",
    "/?m=202004",
    "/?attachment_id=5",
    "/?feed=rss2",
    "/?rest_route=/wp/v2/posts",
    "/?p=5&preview=true",
    "/wp-json/wp/v2/posts",
    "/wp-login.php",
    "/feed/",
    "/news/uk/breaking/a-story/feed/",
    "/news/uk/breaking/a-story/comment-page-2/",
    "/news/uk/breaking/a-story/attachment/picture/",
    "/news/uk/breaking/a-story/embed/",
    "/news/uk/breaking/picture.jpg",
    "/wp-content/uploads/2024/05/picture.JPG",
    "/search/fire/",
    "/events/calendar/2031-05/",
]
UNKNOWN = ["/?p=123", "/about/", "/news/uk/breaking/", "/contact-us", "/news/"]


@pytest.mark.fault("W01")
@pytest.mark.parametrize(
    ("path", "kind"),
    [(path, AddressKind.ARTICLE) for path in ARTICLES]
    + [(path, AddressKind.LISTING) for path in LISTINGS]
    + [(path, AddressKind.TRAP) for path in TRAPS]
    + [(path, AddressKind.UNKNOWN) for path in UNKNOWN],
)
def test_an_address_tells_its_kind(path: str, kind: AddressKind) -> None:
    """All seven address schemes, the listings of each, and the places that have no end."""
    assert classify(canonicalise(path, SITE), SITE) is kind


def test_the_slug_is_the_last_segment() -> None:
    """With or without a slash at the end."""
    assert slug(STORY) == slug(STORY.rstrip("/")) == "van-leaves-road-in-ryde"


@pytest.mark.parametrize(
    ("url", "number"),
    [
        (f"{BASE}/?p=123", 123),
        (f"{BASE}/?post_type=story&p=4", 4),
        (f"{BASE}/?p=0", None),
        (f"{BASE}/?p=-1", None),
        (f"{BASE}/?p=²", None),
        (f"{BASE}/?p={'9' * 30}", None),
        (f"{BASE}/?page=3", None),
        (STORY, None),
        ("http://[bad/?p=1", None),
        ("", None),
    ],
)
def test_a_shortlink_carries_the_posts_number(url: str, number: int | None) -> None:
    """Feeds print it as guid, so it may be anything."""
    assert post_number(url) == number


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/2020/04/26/a-story/", (2020, 4, 26)),
        ("/2020/01/12/breaking/a-story/", (2020, 1, 12)),
        ("/blog/2022/05/17/a-story/", (2022, 5, 17)),
        ("/news/uk/breaking/2022-in-review/", None),
        ("/2020/04/26/", None),
        ("/wp-content/12020/04/26/x", None),
    ],
)
def test_a_dated_address_prints_the_day(path: str, day: tuple[int, int, int] | None) -> None:
    """Only three of the seven schemes do."""
    assert address_date(f"{BASE}{path}") == day
