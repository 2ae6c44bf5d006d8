"""Hard shapes that stories come in: split sentences, flattened lists, opening subheadings, a credit as the last line.
Each changes what a story is made of, and with it the truth; pages print the result as they print any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

from uknip_crawler.demo.posts import CREDITED_BELOW, InsertedLine, Post
from uknip_crawler.models import Block, BlockKind

SUBHEADED_FIRST = ("block", "modern", "regional")
_OPENINGS = ("What Happened in {town}", "Major Response in {town}", "What We Know So Far", "At a Glance")
_CREDITS = ("Skyline", "Ferry Lane Pictures", "UKNIP")


def shape(
    blocks: tuple[Block, ...], number: int, layout: str, town: str, random: Random
) -> tuple[Block, ...]:
    """Return a story's blocks in the shape that chance gave it: of any three stories with one, two keep it plain."""
    if random.random() < 0.3:
        blocks = flattened(blocks)
    if random.random() < 0.12 and layout in SUBHEADED_FIRST and len(blocks) > 1:
        heading = random.choice(_OPENINGS).format(town=town)
        blocks = (Block(BlockKind.HEADING, heading, level=2), *blocks)
    return split(blocks) if number % 17 == 4 else blocks


def split(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks with the longest one's text split in mid-sentence over two, as pasted releases are."""
    longest = max(range(len(blocks)), key=lambda place: len(blocks[place].text.split()))
    words = blocks[longest].text.split(" ")
    cut = len(words) // 2
    halves = [replace(blocks[longest], text=" ".join(part)) for part in (words[:cut], words[cut:])]
    return (*blocks[:longest], *halves, *blocks[longest + 1 :]) if cut > 5 else blocks


def flattened(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks with each list item as a short paragraph of its own, as a change of editor leaves them."""
    return tuple(
        Block(BlockKind.PARAGRAPH, block.text) if block.kind is BlockKind.LIST_ITEM else block
        for block in blocks
    )


def credited(post: Post, random: Random) -> Post:
    """Return the post, now and then with its only picture credited in the story's last line and nowhere else."""
    alone = post.lead_image and len(post.images) == 1 and len(post.blocks) > 1
    if random.random() >= 0.25 or not alone or not post.lead_image or post.layout not in CREDITED_BELOW:
        return post
    lead = replace(post.lead_image, caption=f"Photo of {post.town}", credit=random.choice(_CREDITS))
    return replace(post, lead_image=lead)


def pieces(content: Sequence[Block | InsertedLine]) -> int:
    """Return how many pieces a page prints the content in: list items that follow one another are one."""
    in_list = [isinstance(piece, Block) and piece.kind is BlockKind.LIST_ITEM for piece in content]
    return len(content) - sum(one and other for one, other in pairwise(in_list))
