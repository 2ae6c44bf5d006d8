"""A year left alone: real crawls of the sample site, their clock set, with faults; what was missed, alarmed, and grew.

    uv run python bench/year.py [--every HOURS] [--per-day STORIES] [--days DAYS] [--only FAULT …]

Crawls are `uknip crawl` in processes of their own. They come every other day (`--every`) while nothing happens, with
a budget of sixty requests, and every half hour
around faults, through a quiet night and on Christmas Day. The year of 17,520 half hours is judged beside it, on the
level of what checks measure (`tests/simulated_years.py`). Of a fault it tells in which crawl after it began one ended
otherwise than with 0, in which a finding began, and which. A finding that begins without a fault is a false alarm. Missed is what
the site still had when a fault ended, or at the end of the year, and the archive does not hold word for word. Last come ten
real processes told to stop: in the first second, in the crawl, while stories are read again. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from crawling import EVERYDAY, rows
from living import Memory
from processes import begin
from simulated_years import Habits, episodes, found_at, pace, share_of, year

from uknip_crawler.archive import DATABASE
from uknip_crawler.demo import Newsroom, SampleSite
from uknip_crawler.demo.answers import Answer
from uknip_crawler.demo.posts import Status
from uknip_crawler.health.checks import CHECKS
from uknip_crawler.health.measures import History
from uknip_crawler.models import FAILURES

START = datetime(2025, 3, 1, 6, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
WITHOUT = 20
"""Days without a fault at first, with `--spacing`."""
FEW = 20
"""Crawls without news, at the end: what one costs."""
OPTIONS = (
    *("--delay", "0", "--concurrency", "4", "--json"),
    *("-s", "UKNIP_RETRY_BACKOFF_SECONDS=0.02", "-s", "DOWNLOAD_TIMEOUT=30", "-s", "RETRY_TIMES=1"),
)
BRIEF = ("--budget", "60")
"""What a crawl may ask for while nothing happens, so that a year takes no day."""
CHALLENGE = Path(__file__).parent.parent / "tests" / "pages" / "challenge_page" / "page.html"
FULL_BYTES = 40_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that befalls a site or a machine on a day of the year, for some crawls; for good where it never ends.

    `alarms` names the findings that may begin for it; `crawls` says how many see it; `way` is what befalls the crawl itself.
    """

    name: str
    day: int
    alarms: tuple[str, ...]
    break_it: Callable[[World], None] = lambda world: None
    mend_it: Callable[[World], None] = lambda world: None
    crawls: int = 4
    way: str = ""
    every: timedelta = HALF_HOUR

    @property
    def at(self) -> datetime:
        return START.replace(hour=9, minute=15) + timedelta(days=self.day)


@dataclass(slots=True)
class World:
    """The newsroom, its site, the archive and the clock."""

    site: SampleSite
    archive: Path
    per_day: float
    dice: random.Random = field(default_factory=lambda: random.Random(4))
    worked: datetime = START
    is_silent: bool = False
    seen: dict[int, str] = field(default_factory=dict)
    ran: list[Ran] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def newsroom(self) -> Newsroom:
        return self.site.newsroom

    def work(self, now: datetime) -> None:
        """Publish what a newsroom would have published since, one story in ten edited, one in two hundred deleted."""
        due, moment = 0.0, self.worked
        while moment < now:
            due += pace(Habits(self.per_day), moment) / 4
            moment += timedelta(minutes=15)
        new = 0 if self.is_silent else _round(due, self.dice)
        edited = _round(new / 10, self.dice)
        deleted = _round(new / 200, self.dice)
        if new:
            self.newsroom.busy_day(now, new=new, edited=edited, deleted=deleted)
        self.worked = now

    def crawl(self, now: datetime, way: str = "", options: tuple[str, ...] = ()) -> Ran:
        limit = FULL_BYTES if way == "full" else None
        began = time.perf_counter()
        command = ("crawl", self.site.base_url, "--archive", str(self.archive), *OPTIONS, *options)
        running = begin(*command, now=now, limit_bytes=limit)
        if way == "killed" and not running.has_ended(self.dice.uniform(0.1, 0.5)):
            os.killpg(running.pid, signal.SIGKILL)
        memory = Memory()
        with memory.watching(running.pid):
            done = running.end()
        ran = Ran(now, done.returncode, time.perf_counter() - began, done.stderr[-300:])
        if done.stdout.startswith("{"):
            report = json.loads(done.stdout)
            ran.requests = int(report["requests"])
            ran.findings = tuple(one["name"] for one in report["findings"])
        if done.returncode < 0:
            status = begin("status", "--archive", str(self.archive), "--json", now=now).end()
            if status.stdout.startswith("{"):
                ran.findings = tuple(one["name"] for one in json.loads(status.stdout)["findings"])
        ran.megabytes = memory.largest
        self.ran.append(ran)
        return ran

    def missed(self, since: datetime) -> list[str]:
        """Return the stories that the site has and published since then, and the archive does not hold word for word."""
        held = dict(rows(self.archive, "SELECT url, body FROM articles"))
        held |= dict(
            rows(
                self.archive,
                "SELECT a.url, b.body FROM aliases AS a JOIN articles AS b ON b.id = a.article_id",
            )
        )
        posts = self.newsroom.truth(self.site.base_url.rstrip("/"))
        return [
            post.path
            for post in posts
            if post.published_at >= since and held.get(self.site.url(post.path)) != post.body
        ]

    def gone(self) -> list[str]:
        """Return the deleted stories that the archive does not hold."""
        held = {
            url for (url,) in rows(self.archive, "SELECT url FROM articles UNION SELECT url FROM aliases")
        }
        return [
            post.path
            for post in self.newsroom.posts.values()
            if post.status is Status.DELETED and self.site.url(post.path) not in held
        ]


@dataclass(slots=True)
class Ran:
    at: datetime
    status: int
    seconds: float
    said: str
    requests: int = 0
    findings: tuple[str, ...] = ()
    megabytes: float = 0.0


def _round(number: float, dice: random.Random) -> int:
    return int(number) + (dice.random() < number % 1)


# What befalls them


def answering(fault: Callable[[Answer], Answer], *targets: str) -> Callable[[World], None]:
    return lambda world: world.site.fail.update(dict.fromkeys(targets or ("*",), fault))


def heal(world: World) -> None:
    world.site.fail.clear()


def _status(code: int, *, only_stories: bool = False) -> Callable[[Answer], Answer]:
    """Answer so; stories alone are told by their validators."""
    return lambda answer: Answer(code, b"<h1>Sorry</h1>") if answer.validated or not only_stories else answer


def _challenged(answer: Answer) -> Answer:
    return Answer(403, CHALLENGE.read_bytes())


def _challenged_kindly(answer: Answer) -> Answer:
    return Answer(200, CHALLENGE.read_bytes()) if answer.validated else answer


def _emptied(answer: Answer) -> Answer:
    """Show an error of the template in the place of every story's text."""
    if not answer.validated:
        return answer
    start, *_ = answer.body.partition(b"<p")
    end = answer.body.rpartition(b"</p>")[2]
    return replace(answer, body=start + b"<p>[shortcode missing]</p>" + end)


def redesign(world: World) -> None:
    world.newsroom.redesign(world.worked + timedelta(minutes=1))


def new_permalinks(world: World) -> None:
    """Give every story an address of another scheme; the old ones answer 301."""
    room = world.newsroom
    for number, post in list(room.posts.items()):
        moved = replace(post, scheme="F", modified_at=world.worked)
        room.posts[number] = moved
        room.old_paths.pop(moved.path, None)
        room.old_paths[post.path] = number
    room._era = room._era._replace(scheme="F")
    room.generation += 1


def silence(world: World) -> None:
    world.is_silent = True


def news(world: World) -> None:
    world.is_silent = False


_REST, _FEED, _MAP = "/wp-json/wp/v2/posts", "/feed/", "/sitemap_index.xml"
FAULTS = (
    Fault("outage (503)", 70, ("site_down", "failed_pages", "lists"), answering(_status(503)), heal),
    Fault("feed lost", 80, ("lists",), answering(_status(404), _FEED), heal),
    Fault("REST closed", 90, ("lists",), answering(_status(401), _REST), heal),
    Fault("sitemap lost", 100, ("lists",), answering(_status(404), _MAP), heal),
    Fault("all lists lost", 105, ("lists",), answering(_status(404), _REST, _FEED, _MAP), heal),
    Fault("challenge pages (403)", 110, ("walls", "site_down", "lists", "failed_pages"), answering(_challenged), heal),
    Fault("challenge pages (200)", 120, ("walls",), answering(_challenged_kindly), heal),
    Fault("disk full", 130, (), way="full", crawls=3),
    Fault("killed", 140, ("killed",), way="killed", crawls=3),
    Fault("template empty", 150, ("walls", "no_story", "short_bodies"), answering(_emptied), heal),
    Fault("stories answer 404", 185, ("gone", "walls"), answering(_status(404, only_stories=True)), heal),
    Fault("stories answer 500", 195, ("failed_pages", "site_down"), answering(_status(500, only_stories=True)), heal),
    Fault("redesign", 205, ("new_layout", "untrusted", "doubtful"), redesign, crawls=8),
    Fault("permalinks changed", 245, ("moved",), new_permalinks, crawls=6),
    Fault("silence", 270, ("silence", "few_stories"), silence, news, crawls=30, every=timedelta(hours=8)),
)  # fmt: skip
AFTERWARDS = timedelta(days=1)
"""A fault is still felt so long after its end: what was deferred comes in."""
AFTER = 3
"""Half-hourly crawls after a fault has ended."""
NIGHTS = (60,)
"""Days whose night is crawled every half hour, besides Christmas Day."""


@dataclass(slots=True)
class Told:
    fault: Fault
    statuses: list[int] = field(default_factory=list)
    stopped_in: int | None = None
    found_in: int | None = None
    found: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        names = ", ".join(f"{name} ({crawl})" for name, crawl in self.found.items()) or "none"
        statuses = " ".join(map(str, self.statuses))
        missed = f"; MISSED {len(self.missed)}: {self.missed[:2]}" if self.missed else ""
        return f"{self.fault.name:24} loud in {self.stopped_in or '-'}; findings: {names}; statuses {statuses}{missed}"


def calm(world: World, until: datetime, every: timedelta, false: list[str], ends: datetime) -> None:
    """Crawl until a moment; note what is found without a fault."""
    moment = world.worked + every
    while moment < until:
        dense = any(
            START + timedelta(days=day, hours=16) <= moment < START + timedelta(days=day + 1)
            for day in NIGHTS
        )
        dense |= (moment.month, moment.day) == (12, 25) and moment.hour < 18
        world.work(moment)
        known = set(world.ran[-1].findings) if world.ran else set()
        ran = world.crawl(moment, options=BRIEF)
        if moment > ends:
            false += [f"{moment:%d %b %H:%M} {name}" for name in ran.findings if name not in known]
            if ran.status not in (0, 3) or (ran.status == 3 and not ran.findings):
                false.append(f"{moment:%d %b %H:%M} status {ran.status}: {ran.said[-200:]}")
        moment += HALF_HOUR if dense else every


def befall(world: World, fault: Fault) -> Told:
    told = Told(fault)
    moment = fault.at
    world.work(moment)
    world.crawl(moment)
    moment += HALF_HOUR
    known = set(world.ran[-1].findings)
    began = world.worked
    fault.break_it(world)
    for number in range(1, fault.crawls + 1):
        moment = max(moment, world.newsroom.now + timedelta(minutes=2))
        world.work(moment)
        ran = world.crawl(moment, fault.way)
        told.statuses.append(ran.status)
        if ran.status and told.stopped_in is None:
            told.stopped_in = number
        for name in ran.findings:
            if name not in known:
                told.found.setdefault(name, number)
        moment += fault.every
    if not fault.way and "challenge" not in fault.name and "stories" not in fault.name:
        told.missed = (
            world.missed(began) if "outage" not in fault.name and "template" not in fault.name else []
        )
    fault.mend_it(world)
    for _ in range(AFTER):
        world.work(moment)
        told.statuses.append(world.crawl(moment).status)
        moment += HALF_HOUR
    return told


# The year


def live(
    world: World, days: int, every: timedelta, faults: tuple[Fault, ...]
) -> tuple[list[Told], list[str]]:
    told: list[Told] = []
    false: list[str] = []
    world.crawl(START)
    ends = START
    for fault in faults:
        if fault.day >= days:
            break
        calm(world, fault.at, every, false, ends)
        told.append(befall(world, fault))
        ends = world.worked + AFTERWARDS
        print(told[-1].line, flush=True)
    calm(world, START + timedelta(days=days), every, false, ends)
    return told, false


def by_feed_alone(folder: Path) -> None:
    """Lose the feed of a site that has no other list; where REST answers, nobody asks for it and nothing is lost."""
    room = Newsroom(40, now=START - timedelta(hours=1), eras=EVERYDAY)
    with SampleSite(room, rest=False, sitemap=False) as site:
        world = World(site, folder / "by-feed", 60.0)
        for number in range(4):
            world.work(moment := START + number * HALF_HOUR)
            world.crawl(moment)
        print(
            befall(
                world, Fault("feed lost, the only list", 0, ("lists",), answering(_status(404), _FEED), heal)
            ).line
        )


def cost_of_nothing(world: World) -> float:
    """Return the bytes by which a crawl without news lets the database grow."""
    path, moment = world.archive / DATABASE, world.worked
    before = _database_bytes(path)
    for _ in range(FEW):
        moment += HALF_HOUR
        world.crawl(moment)
    return (_database_bytes(path) - before) / FEW


def _database_bytes(path: Path) -> int:
    return sum(
        file.stat().st_size for file in path.parent.glob(f"{path.name}*") if not file.name.endswith("shm")
    )


def _median(values: Iterator[float]) -> float:
    return statistics.median([*values] or [0.0])


# Told to stop


def stops(world: World, folder: Path) -> Iterator[tuple[str, float, int, int]]:
    """Yield of ten real processes when they were told to stop, the seconds to their end, the status, and failures recorded."""
    dice = random.Random(9)
    kept = folder / "kept"
    shutil.copytree(world.archive, kept)
    outdated = folder / "outdated"
    shutil.copytree(world.archive, outdated)
    _outdate(outdated)
    plans = [("first second", kept, dice.uniform(0.05, 1.0), 0) for _ in range(3)]
    plans += [("crawl", None, 0.0, dice.randrange(10, 200)) for _ in range(4)]
    plans += [("reading again", outdated, dice.uniform(0.2, 3.0), -1) for _ in range(3)]
    for number, (when, source, seconds, requests) in enumerate(plans):
        archive = folder / f"stop-{number}"
        if source:
            shutil.copytree(source, archive)
        yield (when, *_stop(world, archive, seconds, requests, group=number % 2 == 0))
        shutil.rmtree(archive, ignore_errors=True)


def _stop(
    world: World, archive: Path, seconds: float, requests: int, *, group: bool
) -> tuple[float, int, int]:
    log = archive.with_suffix(".log")
    known = rows(archive, "SELECT coalesce(max(id), 0) FROM fetches")[0][0] if archive.exists() else 0
    world.site.requests.clear()
    command = [sys.executable, "-m", "uknip_crawler", "crawl", world.site.base_url, "--archive", str(archive)]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *OPTIONS], stdout=subprocess.DEVNULL, stderr=file, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if requests > 0 and len(world.site.requests) >= requests:
                break
            if requests < 0 and "reading" in log.read_text():
                break
            if requests == 0:
                break
            time.sleep(0.02)
        time.sleep(seconds)
        sent = time.monotonic()
        (os.killpg if group else os.kill)(process.pid, signal.SIGTERM)
        status = process.wait(timeout=120)
        took = time.monotonic() - sent
    failed = 0
    if (archive / DATABASE).exists():
        named = ", ".join(f"'{outcome}'" for outcome in FAILURES)
        failed = rows(archive, f"SELECT count(*) FROM fetches WHERE id > {known} AND outcome IN ({named})")[
            0
        ][0]
    return took, status, failed


def _outdate(archive: Path) -> None:
    """Have every story to be read again after the next crawl."""
    from uknip_crawler.archive import Archive

    with Archive(archive) as opened, opened.transaction():
        opened.db.execute("DELETE FROM studies")
        opened.db.execute("UPDATE layouts SET state = 'learning', rules = NULL")
        opened.db.execute("UPDATE articles SET extractor_version = ''")
        opened.db.execute("UPDATE runs SET derived_at = NULL WHERE id = (SELECT max(id) FROM runs)")


def judged_year() -> None:
    """Judge every half hour of a year, without faults and with each; print what was found, and in which crawl."""
    for per_day in (60.0, 12.0):
        history = year(11, Habits(per_day=per_day))
        found = episodes(history)
        alarms = {name: [f"{moment:%d %b}" for moment in moments] for name, moments in found.items()}
        print(
            f"measures alone, {per_day:.0f} a day: {len(history.runs):,} crawls judged, false alarms {alarms or 0}",
            flush=True,
        )
        print(
            "  found in crawl: " + ", ".join(f"{name} {_found_in(history, name)}" for name in BROKEN),
            flush=True,
        )


def _found_in(well: History, check: str) -> str:
    """Return in which crawls after it a fault is found, broken on ten days of the year."""
    measure = CHECKS[check].measure
    crawls = []
    for number in range(10):
        broken_at = datetime(2025, 5, 12, 9, tzinfo=UTC) + timedelta(days=21 * number)
        runs = [share_of(ran, measure) if ran.started_at >= broken_at else ran for ran in well.runs]
        history = History(runs, well.published)
        first = history.first_since(broken_at)
        late = (
            n
            for n, ran in enumerate(runs[first : first + 96], 1)
            if check in found_at(history, ran.started_at)
        )
        crawls.append(next(late, 97))
    return f"{statistics.median(crawls):.0f} (at most {max(crawls)})"


BROKEN = [name for name, check in CHECKS.items() if check.kind in ("share", "streak")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=float, default=48, metavar="HOURS")
    parser.add_argument("--per-day", type=float, default=8, metavar="STORIES")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--only", nargs="*", metavar="FAULT", help="the beginnings of their names")
    parser.add_argument("--spacing", type=int, metavar="DAYS", help="a fault every so many days, for a trial")
    parser.add_argument("--skip-measures", action="store_true")
    options = parser.parse_args()
    if options.spacing:
        print(f"faults every {options.spacing} days from day {WITHOUT} on")
    faults = tuple(one for one in FAULTS if options.only is None or one.name.startswith(tuple(options.only)))
    if options.spacing:
        faults = tuple(replace(one, day=WITHOUT + options.spacing * n) for n, one in enumerate(faults))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        newsroom = Newsroom(60, now=START - timedelta(hours=1), eras=EVERYDAY)
        with SampleSite(newsroom, sitemap_urls=1_000) as site:
            world = World(site, Path(folder) / "archive", options.per_day)
            began = time.perf_counter()
            told, false = live(world, options.days, timedelta(hours=options.every), faults)
            took = time.perf_counter() - began
            tell(world, told, false, took)
            by_feed_alone(Path(folder))
            ends = list(stops(world, Path(folder)))
            for when, seconds, status, failed in ends:
                print(
                    f"  told to stop in {when}: {seconds:.2f} s, status {status}, {failed} failures recorded"
                )
            print(
                f"stopped: median {statistics.median(e[1] for e in ends):.2f} s, at most {max(e[1] for e in ends):.2f} s"
            )
    if not options.skip_measures:
        judged_year()


def tell(world: World, told: list[Told], false: list[str], took: float) -> None:
    print(f"{len(world.ran):,} crawls in {took:,.0f} s, {len(world.newsroom.posts):,} stories, "
          f"{sum(ran.requests for ran in world.ran):,} requests")  # fmt: skip
    loud = [one for one in told if one.stopped_in and one.stopped_in <= 2]
    named = [one for one in told if any(c <= 2 for c in one.found.values())]
    print(f"{len(told)} faults: {len(loud)} loud within two crawls, {len(named)} with a finding within two")
    strange = {one.fault.name: [n for n in one.found if n not in one.fault.alarms] for one in told}
    print(
        f"findings of another name: { {name: found for name, found in strange.items() if found} or 'none' }"
    )
    print(f"false alarms: {len(false)} {false}")
    missed = world.missed(START - timedelta(days=3 * 366))
    print(f"missed at the end: {len(missed)} {missed[:5]}; deleted ones not held: {len(world.gone())}")
    third = len(world.ran) // 3
    first, last = world.ran[5:third], world.ran[-third:]
    for what, part in (("first third", first), ("last third", last)):
        still = [ran for ran in part if not ran.status]
        print(f"{what}: {_median(ran.seconds for ran in still):.2f} s a crawl, largest process {_median(ran.megabytes for ran in still):.0f} MB "
              f"(at most {max((ran.megabytes for ran in part), default=0):.0f})")  # fmt: skip
    size = _database_bytes(world.archive / DATABASE)
    files = [file.stat().st_size for file in (world.archive / "warc").iterdir()]
    nothing = cost_of_nothing(world)
    print(f"database {size / 1e6:.1f} MB, captures {sum(files) / 1e6:.1f} MB in {len(files):,} files; "
          f"a crawl without news adds {nothing:,.0f} bytes: {nothing * 17_520 / 1e6:.0f} MB in 17,520")  # fmt: skip


if __name__ == "__main__":
    main()
