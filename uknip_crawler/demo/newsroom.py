"""The invented newsroom: a deterministic stock of posts that can be worked on as editors work on a site."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from random import Random

from uknip_crawler.demo import desk, shapes
from uknip_crawler.demo.hard import layouts as hard_layouts
from uknip_crawler.demo.hard import room
from uknip_crawler.demo.pictures import illustrate, lead_image
from uknip_crawler.demo.posts import ERAS, HOUSE_ACCOUNT, REBUILT, Era, Post, Status, only, slugify
from uknip_crawler.demo.prose import Draft, Writer
from uknip_crawler.models import Block, Image

YEARS = timedelta(days=3 * 365)
DRAFTS = 2
NEW_STORIES = 3
SUBHEADED = ("modern", "regional")
PROMOS = (
    "Join thousands of neighbours who get the story before anybody else.",
    "New: pictures from the scene, straight to your phone, free of charge.",
    "Our reporters now send alerts around the clock, every day of the year.",
    "Half of the county already follows our alerts. Do you?",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of text (`correction`, `headline` or `update`) under one address."""

    post_id: int
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Move:
    """A change of address (`slug` or `section`) without a change of text; the old path answers 301."""

    post_id: int
    old_path: str
    new_path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A story taken away: its path answers 404, or 301 to `guess_path`, which is a different story's."""

    post_id: int
    path: str
    guess_id: int | None = None
    guess_path: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Exactly what the newsroom did at `at`. `published` holds the paths of the new stories by post id."""

    at: datetime
    edited: tuple[Edit, ...]
    moved: tuple[Move, ...]
    deleted: tuple[Removal, ...]
    trashed: tuple[Removal, ...]
    unpublished: tuple[Removal, ...]
    published: dict[int, str]
    promo: str


class Newsroom:
    """Posts 1..`stories`, published over the three years before `now`, and two drafts after them.

    The same arguments give the same posts, byte for byte; `now` is aware UTC. `generation` rises with every
    day's work, and with it the wording of the promo on every page. `old_paths` maps each address that a story
    has left to its post id. `layouts` names the layouts to keep to; ValueError if one of them has no era. A `hard`
    newsroom has more layouts (and needs eighty stories), other prose, and furniture among its paragraphs.
    """

    def __init__(
        self,
        stories: int = 60,
        *,
        seed: int = 1,
        now: datetime,
        eras: Sequence[Era] | None = None,
        layouts: Collection[str] | None = None,
        hard: bool = False,
    ) -> None:
        if now.tzinfo is None:
            raise ValueError("now must be aware")
        self.now = now.replace(microsecond=0)
        self.generation = 0
        self.posts: dict[int, Post] = {}
        self.old_paths: dict[str, int] = {}
        self.seed, self.hard = seed, hard
        self._slugs: set[str] = set()
        eras = eras or (hard_layouts.eras(stories) if hard else ERAS)
        eras = eras if layouts is None else only(eras, layouts)
        self._era = eras[-1]
        for number, when in enumerate(self._times(stories), start=1):
            self._add(number, when, next(era for era in eras if number / stories <= era.until))
        self._waiting = list(range(stories + 1, stories + DRAFTS + 1))
        for number in self._waiting:
            self._add(number, self.now, self._era, Status.DRAFT)

    @property
    def promo(self) -> str:
        return PROMOS[self.generation % len(PROMOS)]

    def published(self) -> list[Post]:
        """Return the stories that the site serves, newest first."""
        live = (post for post in self.posts.values() if post.status is Status.PUBLISH)
        return sorted(live, key=lambda post: (post.published_at, post.post_id), reverse=True)

    def truth(self, base_url: str = "") -> list[Post]:
        """Return the published posts by id; picture addresses are absolute when a base URL is given."""
        posts = sorted(self.published(), key=lambda post: post.post_id)
        return [_with_absolute_pictures(post, base_url.rstrip("/")) for post in posts]

    def guess(self, path: str) -> Post | None:
        """Return the story WordPress offers for an unknown path: the first whose slug begins like it."""
        wanted = path.rstrip("/").rpartition("/")[2]
        live = (post for post in self.posts.values() if post.status is Status.PUBLISH)
        return next((post for post in live if wanted and post.slug.startswith(wanted)), None)

    def work(self, now: datetime) -> Work:
        """Do a day's editing, all of it stamped `now`, and tell what was done; no story is touched twice.

        Raises ValueError when `now` is not after the newsroom's last instant, or too few stories are left.
        """
        since, random = self._begin(now)
        free = self._free(random)
        trash, follow_up = self._pair(free)
        first = max(self.posts) + 1
        published = self._publish(
            since, [*self._waiting[:1], *range(first, first + NEW_STORIES)], {first: follow_up}
        )
        del self._waiting[:1]
        return Work(
            at=self.now,
            edited=tuple(self._edit(_take(free, desk.can[kind]), kind, random) for kind in desk.can),
            moved=tuple(
                self._move(_take(free, desk.has_section_path), kind) for kind in ("section", "slug", "slug")
            ),
            deleted=(self._remove(_take(free), Status.DELETED),),
            trashed=(self._remove(trash, Status.TRASH),),
            unpublished=(self._remove(_take(free), Status.DRAFT),),
            published=published,
            promo=self.promo,
        )

    def busy_day(self, now: datetime, *, new: int, edited: int, deleted: int) -> Work:
        """Do exactly so much, as `work` does it, and move nothing; no story is touched twice.

        Raises ValueError when `now` is not after the newsroom's last instant, or too few stories are left.
        """
        since, random = self._begin(now)
        free = self._free(random)
        kinds = list(islice(cycle(desk.can), edited))
        first = max(self.posts) + 1
        return Work(
            at=self.now,
            edited=tuple(self._edit(_take(free, desk.can[kind]), kind, random) for kind in kinds),
            moved=(),
            deleted=tuple(self._remove(_take(free), Status.DELETED) for _ in range(deleted)),
            trashed=(),
            unpublished=(),
            published=self._publish(since, range(first, first + new)),
            promo=self.promo,
        )

    def redesign(self, now: datetime) -> None:
        """Show every story, old and new, in a layout never seen before; no word and no address changes.

        Raises ValueError when `now` is not after the newsroom's last instant.
        """
        self._begin(now)
        self._era = REBUILT
        self.posts = {number: replace(post, layout=REBUILT.layout) for number, post in self.posts.items()}

    def _begin(self, now: datetime) -> tuple[datetime, Random]:
        """Begin another day; return when the one before ended, and the new day's own chance."""
        if now <= self.now:
            raise ValueError("the newsroom works forwards in time")
        since, self.now = self.now, now.replace(microsecond=0)
        self.generation += 1
        return since, Random(f"{self.seed} work {self.generation}")

    def _times(self, stories: int) -> Iterator[datetime]:
        # the youngest is two hours old; every twentieth came at 23:30 UTC, in summer the next day in London
        random = Random(f"{self.seed} times")
        for number in range(1, stories + 1):
            age = YEARS * ((stories - number) / stories) + timedelta(hours=2, seconds=random.randrange(600))
            when = (self.now - age).replace(microsecond=0)
            yield when.replace(hour=23, minute=30) - timedelta(days=1) if number % 20 == 5 else when

    def _add(
        self,
        number: int,
        when: datetime,
        era: Era,
        status: Status = Status.PUBLISH,
        *,
        after: Post | None = None,
    ) -> Post:
        """Write a post; `after` names one whose slug this one's must begin like."""
        post = self._compose(number, when, era, status)
        twin = self.posts.get(number - 3)
        if after:
            post = desk.begin_like(post, after)
        elif self.generation == 0 and number % 8 == 0 and twin and not twin.unstructured:
            post = desk.copy(post, twin) if number % 24 == 0 else desk.begin_like(post, twin)
        self._slugs.add(post.slug)
        post = shapes.credited(post, Random(f"{self.seed} credit {number}"))
        self.posts[number] = room.furnished(post, list(self.posts.values()), self.seed) if self.hard else post
        return self.posts[number]

    def _compose(self, number: int, when: datetime, era: Era, status: Status) -> Post:
        random = Random(f"{self.seed} post {number}")
        draft, layout = self._draft(random, number, when, era.layout), era.layout
        later = timedelta(seconds=random.randrange(300, 200_000) if random.random() < 0.4 else 0)
        blocks = illustrate(draft, number, when, layout, random)
        blocks = shapes.shape(blocks, number, layout, draft.town, Random(f"{self.seed} shape {number}"))
        return Post(
            post_id=number,
            slug=slugify(draft.headline),
            scheme=era.scheme,
            layout=layout,
            headline=draft.headline,
            kicker=draft.kicker if layout in ("modern", "regional") and random.random() < 0.5 else None,
            standfirst=draft.standfirst if layout == "jnews" and random.random() < 0.5 else None,
            section=draft.section,
            tags=draft.tags,
            printed_author=draft.author if layout != "plain" and random.random() < 0.4 else HOUSE_ACCOUNT,
            published_at=when,
            modified_at=min(when + later, self.now),
            blocks=blocks,
            lead_image=lead_image(draft, number, when, layout, random),
            town=draft.town,
            force=draft.force,
            status=status,
        )

    def _draft(self, random: Random, number: int, when: datetime, layout: str) -> Draft:
        for _ in range(50):
            older = list(self.posts.values()) if self.hard else []
            writer = (
                room.author(random, when, number, layout, older, self.seed)
                if self.hard
                else Writer(random, when)
            )
            draft = writer.draft(plain=layout == "plain", subheadings=layout in SUBHEADED)
            if slugify(draft.headline) not in self._slugs:
                return draft
        return replace(draft, headline=f"{draft.headline}, {when:%d %B %Y} at {when:%H.%M.%S}")

    def _free(self, random: Random) -> list[Post]:
        """Return the stories that can be worked on without touching another's slug, in this day's own order."""
        live = self.published()
        families = _families(live)
        bound = families.keys() | {one.post_id for kin in families.values() for one in kin}
        free = [
            post
            for post in live
            if post.post_id not in bound and not post.unstructured and len(post.blocks) > 3
        ]
        random.shuffle(free)
        return free

    def _pair(self, free: list[Post]) -> tuple[Post, Post | None]:
        """Return a story to trash, and that same story if a follow-up for WordPress to guess must be written."""
        live = self.published()
        families = _families(live)
        for post in live:
            kin = families.get(post.post_id)
            if kin and not post.unstructured and not any(one.copy_of for one in kin):
                return post, None
        post = _take(free)
        return post, post

    def _publish(
        self, since: datetime, numbers: Sequence[int], after: Mapping[int, Post | None] | None = None
    ) -> dict[int, str]:
        """Publish posts at even distances; `after` names for a number the post whose slug its own begins like."""
        paths = {}
        for place, number in enumerate(numbers, start=1):
            when = (since + (self.now - since) * (place / len(numbers))).replace(microsecond=0)
            if draft := self.posts.get(number):
                post = replace(draft, status=Status.PUBLISH, published_at=when, modified_at=when)
                self.posts[number] = post
            else:
                post = self._add(number, when, self._era, after=(after or {}).get(number))
            paths[number] = post.path
        return paths

    def _edit(self, post: Post, kind: str, random: Random) -> Edit:
        self.posts[post.post_id] = replace(desk.edit(post, kind, random, self.now), modified_at=self.now)
        return Edit(post.post_id, post.path, kind)

    def _move(self, post: Post, kind: str) -> Move:
        moved = replace(desk.move(post, kind), modified_at=self.now)
        self.posts[post.post_id] = moved
        self.old_paths.pop(moved.path, None)
        self.old_paths[post.path] = post.post_id
        self._slugs.add(moved.slug)
        return Move(post.post_id, post.path, moved.path, kind)

    def _remove(self, post: Post, status: Status) -> Removal:
        self.posts[post.post_id] = replace(post, status=status, modified_at=self.now)
        guess = self.guess(post.path)
        return Removal(post.post_id, post.path, *((guess.post_id, guess.path) if guess else (None, None)))


def _families(live: Sequence[Post]) -> dict[int, list[Post]]:
    """Return, of each story whose slug others begin with, those others."""
    ordered = sorted(live, key=lambda post: post.slug)
    slugs = [post.slug for post in ordered]
    ends = [bisect_left(slugs, f"{slug}\x7f") for slug in slugs]  # slugs are ASCII
    return {
        post.post_id: ordered[place + 1 : end]
        for place, (post, end) in enumerate(zip(ordered, ends, strict=True))
        if end > place + 1
    }


def _take(free: list[Post], fits: Callable[[Post], bool] = lambda post: True) -> Post:
    """Remove and return the first fitting story; ValueError when the newsroom has become too small."""
    for place, post in enumerate(free):
        if fits(post):
            return free.pop(place)
    raise ValueError("too few stories to work on: start with more")


def _with_absolute_pictures(post: Post, base_url: str) -> Post:
    def absolute(image: Image) -> Image:
        return replace(image, url=base_url + image.url)

    def block(one: Block) -> Block:
        return replace(one, image=absolute(one.image)) if one.image else one

    lead = absolute(post.lead_image) if post.lead_image else None
    return replace(post, lead_image=lead, blocks=tuple(block(one) for one in post.blocks))
