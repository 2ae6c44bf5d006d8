"""robots.txt as RFC 9309 means it, and as servers really send it."""

from __future__ import annotations

import time

import pytest

from uknip_crawler.discovery.robots import MAX_BYTES, Robots, policy

AGENT = "uknip/0.1 (+https://archive.example/contact)"
BASE = "https://uknip.co.uk"
PRIVATE = f"{BASE}/private/page/"
PUBLIC = f"{BASE}/news/uk/breaking/a-story/"
RULES = (
    b"User-agent: *\nDisallow: /private/\nCrawl-delay: 7\nSitemap: https://uknip.co.uk/sitemap_index.xml\n"
)


def permissions(body: bytes) -> tuple[bool, bool]:
    robots = Robots.parse(body)
    return robots.allowed(PUBLIC, AGENT), robots.allowed(PRIVATE, AGENT)


@pytest.mark.fault("R01", "R02")
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "parse"),
        (204, "parse"),
        (401, "allow"),
        (403, "allow"),
        (404, "allow"),
        (410, "allow"),
        (429, "unreachable"),
        (500, "unreachable"),
        (503, "unreachable"),
        (301, "unreachable"),
        (304, "unreachable"),
        (0, "unreachable"),
    ],
)
def test_a_status_says_whether_there_are_rules(status: int, expected: str) -> None:
    """RFC 9309 §2.3.1: a missing file allows everything, a broken server nothing."""
    assert policy(status) == expected


def test_rules_delay_and_sitemaps_are_read() -> None:
    """The plain case."""
    robots = Robots.parse(RULES + RULES)
    assert permissions(RULES) == (True, False)
    assert robots.crawl_delay(AGENT) == 7.0
    assert robots.sitemaps == ("https://uknip.co.uk/sitemap_index.xml",)
    assert robots.warning is None


def test_an_empty_file_allows_everything() -> None:
    """And asks for no delay."""
    assert permissions(b"") == (True, True)
    assert Robots.parse(b"").crawl_delay(AGENT) is None


def test_a_group_of_our_own_beats_the_group_for_all() -> None:
    """RFC 9309 §2.2.1: groups are not merged with `*`."""
    assert permissions(b"User-agent: *\nDisallow: /\n\nUser-agent: UKNIP\nDisallow: /private/\n") == (
        True,
        False,
    )


def test_the_longest_rule_wins() -> None:
    """RFC 9309 §2.2.2."""
    assert permissions(b"User-agent: *\nDisallow: /\nAllow: /news/\n") == (True, False)


@pytest.mark.fault("R05")
def test_a_byte_order_mark_is_no_part_of_the_first_rule() -> None:
    """Without care the first group would be lost."""
    assert permissions(b"\xef\xbb\xbf" + RULES) == (True, False)
    assert Robots.parse(b"\xef\xbb\xbf" + RULES).warning is None


@pytest.mark.fault("R05")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_obeyed_with_a_warning(encoding: str) -> None:
    """The publisher's wish is plain, though the encoding is wrong."""
    body = RULES.decode().encode(encoding)
    assert permissions(body) == (True, False)
    assert "UTF-16" in (Robots.parse(body).warning or "")


@pytest.mark.fault("R05")
def test_an_html_page_allows_everything_with_a_warning() -> None:
    """A start page served for every unknown address holds no rules."""
    robots = Robots.parse(b"\n<!DOCTYPE html><html><body>Disallow: /</body></html>")
    assert robots.allowed(PRIVATE, AGENT)
    assert "HTML" in (robots.warning or "")


@pytest.mark.fault("R04")
def test_only_the_first_512_kib_are_read() -> None:
    """The last line may be half a rule, which would forbid more than the whole; it is not read."""
    filler = b"# filler\n" * (MAX_BYTES // 9)
    head = (RULES + filler)[: MAX_BYTES - 11]
    robots = Robots.parse(head + b"\nDisallow: /news-archive/\nDisallow: /tips/\n")
    assert not robots.allowed(PRIVATE, AGENT)
    assert robots.allowed(PUBLIC, AGENT)
    assert robots.allowed(f"{BASE}/tips/", AGENT)
    assert str(MAX_BYTES) in (robots.warning or "")


@pytest.mark.fault("R04")
def test_28_mb_of_rules_take_less_than_two_seconds() -> None:
    """The rules of the part that is read hold."""
    body = RULES + b"Disallow: /other/path/\n" * 1_300_000
    began = time.process_time()
    assert permissions(body) == (True, False)
    assert time.process_time() - began < 2


@pytest.mark.fault("R06")
def test_agents_times_rules_made_to_cost_time_forbid_everything() -> None:
    """15,000 agents that share 20,000 rules would be 300 million rules in memory."""
    body = b"".join(b"User-agent: a%d\n" % number for number in range(15_000)) + b"Disallow: /x\n" * 20_000
    began = time.process_time()
    robots = Robots.parse(body)
    assert not robots.allowed(PUBLIC, AGENT)
    assert robots.warning
    assert time.process_time() - began < 2


@pytest.mark.fault("R06")
def test_a_pattern_of_forty_stars_takes_less_than_a_second() -> None:
    """Backtracking would take longer than the universe."""
    robots = Robots.parse(b"User-agent: *\nDisallow: /" + b"*a" * 40 + b"*b$\n")
    began = time.process_time()
    assert robots.allowed(f"{BASE}/{'a' * 2000}", AGENT)
    assert not robots.allowed(f"{BASE}/{'a' * 2000}b", AGENT)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("delay", [b"nan", b"inf", b"-5", b"soon", b"1e999"])
def test_an_impossible_delay_is_no_delay(delay: bytes) -> None:
    """It must not stop the crawl for ever."""
    assert Robots.parse(b"User-agent: *\nCrawl-delay: " + delay).crawl_delay(AGENT) is None
