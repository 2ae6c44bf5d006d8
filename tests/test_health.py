"""A crawl is held against the archive's own history and a few floors: every break is found, quiet times are not."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from simulated_years import START, Habits, episodes, found_at, runs_until, share_of, year

from uknip_crawler.health.checks import CHECKS
from uknip_crawler.health.judging import binomial_from, judge, poisson_to
from uknip_crawler.health.measures import Fact, History, Ran, Share

BROKEN_AT = datetime(2025, 5, 20, 9, tzinfo=UTC)  # a Tuesday, eleven weeks on
EVERY_SIXTH_HOUR = 12


def broken_by(*measures: str, **kept: object) -> History:
    """Return a history in which all pages are amiss by some measures from BROKEN_AT on."""

    well = spring()
    runs = []
    for ran in well.runs:
        if ran.started_at >= BROKEN_AT:
            for name in measures:
                ran = share_of(ran, name)
            ran = replace(ran, **kept)  # type: ignore[arg-type]
        runs.append(ran)
    return History(runs, well.published)


@cache
def spring() -> History:
    return year(5, days=83)


@pytest.mark.parametrize("per_day", [60, 12, 3])
def test_quiet_weeks_nights_and_christmas_are_no_alarm(per_day: float) -> None:
    """From July into January: two quiet weeks in August, every night and weekend, Christmas Day without a story."""
    history = year(21, Habits(per_day=per_day), days=320)
    assert episodes(history, every=EVERY_SIXTH_HOUR, since=datetime(2025, 7, 1, tzinfo=UTC)) == {}


@pytest.mark.parametrize(("per_day", "within_days"), [(60, 1.0), (30, 2.0), (6, 10.0)])
def test_silence_is_found_the_sooner_the_more_a_site_publishes(per_day: float, within_days: float) -> None:
    """It is told since when, and how many stories were to be expected."""
    history = year(7, Habits(per_day=per_day), days=100, silent=lambda moment: moment >= BROKEN_AT)
    number = runs_until(history, "silence", BROKEN_AT)
    assert number is not None
    assert number * timedelta(minutes=30) <= timedelta(days=within_days)
    finding = found_at(history, BROKEN_AT + timedelta(days=within_days))["silence"]
    last = history.last_story(BROKEN_AT)
    assert finding.since == last
    assert f"{finding.value:.0f} hours" in finding.what


@pytest.mark.parametrize(
    ("measure", "name", "within"),
    [
        ("no_story", "no_story", 1),
        ("walls", "walls", 1),
        ("failed", "failed_pages", 1),
        ("new_layout", "new_layout", 1),
        ("undated", "dates", 2),
        ("moved", "moved", 2),
        ("gone", "gone", 2),
        ("lists", "lists", 2),
        ("down", "site_down", 2),
        ("killed", "killed", 2),
        ("untrusted", "untrusted", 2),
        ("doubtful", "doubtful", 2),
        ("unfiled", "sections", 4),
        ("unsigned", "authors", 12),
        ("unillustrated", "images", 12),
    ],
)
def test_what_breaks_is_found_within_few_crawls(measure: str, name: str, within: int) -> None:
    """Within two where pages hardly ever fail that way; what reporters leave out now and then takes some stories more."""
    history = broken_by(measure)
    number = runs_until(history, name, BROKEN_AT)
    assert number is not None
    assert number <= within
    found = found_at(history, history.runs[history.first_since(BROKEN_AT) + number - 1].started_at)
    assert set(found) == {name}
    assert abs(found[name].since - BROKEN_AT) <= timedelta(hours=2)
    assert found[name].check.remedy


@pytest.mark.parametrize(("words", "name"), [((9, 8, 7), "short_bodies"), ((4000, 5000), "long_bodies")])
def test_bodies_of_another_length_are_found(words: tuple[int, ...], name: str) -> None:
    """Nothing left of the text, or all of the page taken for it: five new stories are enough."""
    history = broken_by(words=words)
    number = runs_until(history, name, BROKEN_AT)
    assert number is not None
    assert number <= 3


def test_what_heals_is_found_well_again() -> None:
    """A day of pages without dates is no finding a day later."""
    healed = BROKEN_AT + timedelta(days=1)

    well, broken = spring(), broken_by("undated")
    runs = [
        bad if bad.started_at < healed else good for good, bad in zip(well.runs, broken.runs, strict=True)
    ]
    history = History(runs, well.published)
    assert "dates" in found_at(history, healed - timedelta(hours=1))
    assert "dates" not in found_at(history, healed + timedelta(hours=8))


def test_a_collapse_that_is_no_silence_is_found() -> None:
    """One story in twenty still comes through; three days tell it from a quiet week."""

    def thins(moment: datetime) -> bool:
        return moment >= BROKEN_AT and (moment - BROKEN_AT) // timedelta(minutes=30) % 20 != 0

    history = year(7, days=90, silent=thins)
    found = found_at(history, BROKEN_AT + timedelta(days=3))
    assert [name for name in found if name in ("silence", "few_stories")] == ["few_stories"]


def test_without_a_history_only_floors_hold() -> None:
    """Half of ten undated stories are too many for any site; half of ten without a section may be its habit."""
    shares = {"undated": Share(6, 10), "unfiled": Share(10, 10)}
    history = History([Ran(1, START, shares)], [])
    assert [one.name for one in judge(history, START)] == ["dates"]
    assert judge(History([Ran(1, START, {"undated": Share(5, 10)})], []), START) == []
    assert judge(History([], []), START) == []


@pytest.mark.parametrize(
    ("fact", "amiss", "well"),
    [
        ("free_bytes", Fact(1e9), Fact(3e9)),
        ("accuracy", Fact(0.85), Fact(0.99)),
        ("drifting", Fact(1), Fact(0)),
        ("missing", Fact(0.2, 50), Fact(0.2, 5)),
    ],
)
def test_figures_have_their_floors(fact: str, amiss: Fact, well: Fact) -> None:
    """Whatever the history says; a share of a handful says nothing."""
    history = History([Ran(1, START)], [])
    assert [one.check.measure for one in judge(history, START, {fact: amiss})] == [fact]
    assert judge(history, START, {fact: well}) == []


def test_a_crawl_that_does_not_come_is_overdue() -> None:
    """By the distances between those that did; a weekly one is not overdue after five days."""
    hourly = History([Ran(n, START + n * timedelta(hours=1)) for n in range(30)], [])
    assert "overdue" not in found_at(hourly, START + timedelta(days=2))
    assert "overdue" in found_at(hourly, START + timedelta(days=3))
    weekly = History([Ran(n, START + n * timedelta(days=7)) for n in range(8)], [])
    assert "overdue" not in found_at(weekly, START + timedelta(days=54))


def test_nothing_that_comes_after_the_moment_is_seen() -> None:
    """So one history can be asked at each of its hours."""
    history = broken_by("no_story")
    assert found_at(history, BROKEN_AT - timedelta(minutes=1)) == {}


def test_chances_are_those_of_the_textbooks() -> None:
    """Eight heads or more of ten: 56 of 1,024. No event where two are expected: e to the minus two."""
    assert binomial_from(8, 10, 0.5) == pytest.approx(56 / 1024)
    assert binomial_from(0, 10, 0.3) == pytest.approx(1)
    assert poisson_to(0, 2) == pytest.approx(math.exp(-2))
    assert poisson_to(1, 2) == pytest.approx(3 * math.exp(-2))
    assert poisson_to(0, 0) == 1


def test_every_check_says_what_to_do_and_where_its_bounds_come_from() -> None:
    """One line each."""
    for check in CHECKS.values():
        assert all(text and "\n" not in text for text in (check.what, check.remedy, check.because)), (
            check.name
        )
