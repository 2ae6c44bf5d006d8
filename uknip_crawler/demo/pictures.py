"""The newsroom's pictures: which story shows what, and the PNG files themselves, drawn from their names."""

from __future__ import annotations

import struct
import zlib
from colorsys import hsv_to_rgb
from datetime import datetime
from functools import lru_cache
from math import sin, tau
from random import Random

from uknip_crawler.demo.posts import slugify, title_case
from uknip_crawler.demo.prose import Draft, Writer
from uknip_crawler.models import Block, BlockKind, Image

WIDTH, HEIGHT = 320, 200


def lead_image(draft: Draft, number: int, when: datetime, layout: str, random: Random) -> Image | None:
    """Return the picture at the head of a story, with the alt text its layout's plugin made; one in ten has none."""
    if random.random() < 0.1:
        return None
    captioned = layout == "modern" and random.random() < 0.5
    return Image(
        url=f"/wp-content/uploads/{when:%Y/%m}/{slugify(draft.town)}-{number}.png",
        alt=_alt(draft, when, layout, random),
        caption=draft.caption if captioned else None,
        credit=draft.credit if captioned else None,
    )


def _alt(draft: Draft, when: datetime, layout: str, random: Random) -> str:
    if layout == "plain":
        return draft.headline.lower()
    if layout == "classic":
        return f"screenshot {when:%Y %m %d} at {when:%H.%M.%S}"
    if layout == "modern" and random.random() < 0.3:  # a stock picture keeps another story's headline
        return title_case(Writer(random, when).draft().headline)
    return title_case(draft.headline)


def illustrate(draft: Draft, number: int, when: datetime, layout: str, random: Random) -> tuple[Block, ...]:
    """Return the story's blocks with now and then a picture or an embed set among them."""
    blocks = list(draft.blocks)
    if len(blocks) > 4 and layout != "plain" and random.random() < 0.3:
        url = f"/wp-content/uploads/{when:%Y/%m}/scene-{number}.png"
        picture = Image(url, alt=f"scene {number}", caption=draft.caption, credit=draft.credit)
        blocks.insert(2, Block(BlockKind.IMAGE, image=picture))
    if len(blocks) > 4 and random.random() < 0.3:
        blocks.insert(len(blocks) - 1, Block(BlockKind.EMBED, url=_embed(layout, random)))
    return tuple(blocks)


def _embed(layout: str, random: Random) -> str:
    video = "".join(random.choices("abcdefghjkmnpqrstuvwxyzABCDEFGH23456789", k=11))
    if layout == "plain":
        return f"https://youtu.be/{video}"
    if random.random() < 0.5:
        return f"https://www.youtube.com/embed/{video}"
    return f"https://twitter.com/example/status/{random.randrange(10**17, 10**18)}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=512)
def png(name: str, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Return an RGB picture of `width` x `height` pixels, hills under a sky, drawn from `name` (PNG 1.2, 8 bits)."""
    random = Random(name)
    hue = random.random()
    sky = [_colour(hue + 0.08 * row / height, 0.35, 0.62 + 0.33 * row / height) for row in range(height)]
    hills = [
        (_ridge(random, width, height, 0.45 + 0.17 * depth), _colour(hue + 0.5, 0.30, 0.55 - 0.16 * depth))
        for depth in range(3)
    ]
    rows = b"".join(b"\x00" + _row(row, sky[row], hills, width) for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _colour(hue: float, saturation: float, value: float) -> bytes:
    return bytes(round(255 * part) for part in hsv_to_rgb(hue % 1, saturation, value))


def _ridge(random: Random, width: int, height: int, level: float) -> list[int]:
    """Return for each column the row at which a hill begins."""
    waves = [(random.uniform(1, 5), random.uniform(0, tau), random.uniform(0.01, 0.07)) for _ in range(3)]
    return [
        round(
            height
            * (level + sum(size * sin(tau * turns * x / width + phase) for turns, phase, size in waves))
        )
        for x in range(width)
    ]


def _row(row: int, sky: bytes, hills: list[tuple[list[int], bytes]], width: int) -> bytes:
    line = [sky] * width
    for ridge, colour in hills:
        line = [colour if begins <= row else behind for begins, behind in zip(ridge, line, strict=True)]
    return b"".join(line)
