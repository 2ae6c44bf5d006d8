"""What sets a hard newsroom apart from the other: who writes its stories, and what is done to them before they go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

from uknip_crawler.demo.hard.clutter import cluttered
from uknip_crawler.demo.hard.layouts import FEW_PAGES, setting
from uknip_crawler.demo.hard.stories import Author, prose
from uknip_crawler.demo.posts import Post

WITHOUT_PICTURE = 0.11
"""On top of the tenth that the newsroom leaves without: a fifth in all."""
WITH_EMERGENCY_LINE = ("modern", "regional", "columns", "tabloid")


def author(
    random: Random, when: datetime, number: int, layout: str, older: Sequence[Post], seed: int
) -> Author:
    """Return who writes a story; in one layout a quarter of the stories end in the same call."""
    own = Random(f"{seed} emergency")
    chosen, line = own.choice(WITH_EMERGENCY_LINE), own.choice(prose()["alike"]["emergency"])
    emergency = line if layout == chosen and Random(f"{seed} emergency {number}").random() < 0.25 else None
    return Author(random, when, seed=seed, number=number, older=older, emergency=emergency)


def furnished(post: Post, older: Sequence[Post], seed: int) -> Post:
    """Return the post set as its layout's editors do, with their furniture in it."""
    random = Random(f"{seed} setting {post.post_id}")
    if random.random() < WITHOUT_PICTURE:
        post = replace(post, lead_image=None)
    post = replace(post, setting=setting(seed, post.layout, random))
    return cluttered(post, older, seed, few_pages=post.layout in FEW_PAGES)
