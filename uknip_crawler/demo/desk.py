"""What editors do to one post: correct, rename, update, move, copy. Pure: a post in, a new post out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import Random

from uknip_crawler.demo.posts import Post, slugify
from uknip_crawler.demo.prose import Writer
from uknip_crawler.models import Block, BlockKind

# a figure in running text: not part of a road, a clock time, a reference or a telephone number
_FIGURE = re.compile(r"(?<![\w.,/£])\d{1,2}(?=[ -][a-z])")
_SECTIONS = ("Breaking", "UK News", "Travel", "Crime")


def edit(post: Post, kind: str, random: Random, now: datetime) -> Post:
    """Return the post with its text changed: a figure corrected, the headline rewritten, or an update added."""
    if kind == "correction":
        return replace(post, blocks=_corrected(post.blocks))
    if kind == "headline":
        return replace(post, headline=f"{post.headline} as enquiries continue")
    return replace(post, blocks=(*post.blocks, Writer(random, now).update()))


def move(post: Post, kind: str) -> Post:
    """Return the post under another slug or in another section; its text stays as it was."""
    if kind == "slug":
        return replace(post, slug=f"updated-{post.slug}"[:190])
    return replace(post, section=next(name for name in _SECTIONS if name != post.section))


def begin_like(post: Post, other: Post) -> Post:
    """Return the post with a slug that merely begins like the other's, as different stories' slugs do."""
    return replace(post, slug=f"{other.slug}-{slugify(post.town)}-{post.post_id}")


def copy(post: Post, original: Post) -> Post:
    """Return the post as a second copy of another story: its headline and text, one update, slug ending `-2`."""
    update = Block(BlockKind.PARAGRAPH, f"Update: {original.force} said enquiries were continuing.")
    return replace(
        post,
        slug=f"{original.slug}-2",
        headline=original.headline,
        blocks=(*original.blocks, update),
        town=original.town,
        force=original.force,
        copy_of=original.post_id,
    )


def has_section_path(post: Post) -> bool:
    """Tell whether a change of section changes the post's address."""
    return post.scheme in ("C", "G")


def _has_figure(post: Post) -> bool:
    return any(block.kind is BlockKind.PARAGRAPH and _FIGURE.search(block.text) for block in post.blocks)


def _corrected(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    changed = list(blocks)
    for place, block in enumerate(blocks):
        if block.kind is BlockKind.PARAGRAPH and (match := _FIGURE.search(block.text)):
            text = block.text[: match.start()] + str(int(match[0]) + 1) + block.text[match.end() :]
            changed[place] = replace(block, text=text)
            break
    return tuple(changed)


can: dict[str, Callable[[Post], bool]] = {
    "correction": _has_figure,
    "headline": lambda post: True,
    "update": lambda post: True,
}
"""The kinds of edit, and which posts each can be done to."""
