"""The newsroom's pictures: which story shows what, and the PNG files themselves, drawn from their names."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime
from functools import lru_cache
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
    """Return an RGB picture of `width` x `height` pixels whose colours follow from `name` (PNG 1.2, 8 bits)."""
    seed = zlib.crc32(name.encode())
    sky, ground = seed.to_bytes(4, "big")[:3], (seed ^ 0x5A5A5A5A).to_bytes(4, "big")[:3]
    horizon = height // 3 + seed % (height // 3)
    rows = b"".join(b"\x00" + (sky if row < horizon else ground) * width for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
