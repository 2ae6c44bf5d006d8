"""The layouts of the hard site: how many stories each shows, and how its editors set them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from uknip_crawler.demo.posts import Era, Setting

FEW_PAGES = {"pamphlet": 3, "almanac": 5}
NEW = ("columns", "mediatext", "pasted", "tabloid", *FEW_PAGES)
# layout, address scheme, weight
_ORDER = (
    ("plain", "A", 2), ("plain", "B", 3), ("classic", "C", 6), ("pamphlet", "C", 0), ("newspaper", "C", 6), ("columns", "C", 8),
    ("newspaper", "D", 2), ("jnews", "E", 6), ("mediatext", "F", 8), ("soledad", "G", 7), ("builder", "G", 7), ("almanac", "G", 0),
    ("block", "G", 7), ("pasted", "G", 7), ("modern", "G", 7), ("tabloid", "G", 9), ("regional", "G", 8),
)  # fmt: skip
LAYOUTS = tuple(dict.fromkeys(layout for layout, _, _ in _ORDER))
# the share of a layout's stories that are set in `div`s, and in boxes of a kind
_DIVS = {"pasted": 0.7, "mediatext": 0.1, "classic": 0.1, "tabloid": 0.08}
_BOXES = {
    "columns": ("columns", 0.8),
    "mediatext": ("media", 0.5),
    "tabloid": ("columns", 0.06),
    "pasted": ("media", 0.04),
}
_WORDS = {
    "shell": ("shell", "wrap", "site", "canvas"), "head": ("masthead", "top", "banner", "crown"), "story": ("story", "article", "entry", "piece"),
    "title": ("title", "heading", "headline", "name"), "meta": ("meta", "info", "line", "facts"), "hero": ("hero", "lead-image", "picture", "thumb"),
    "body": ("body", "content", "copy", "text"), "box": ("box", "panel", "module", "unit"), "more": ("more", "next", "related", "latest"),
    "side": ("side", "rail", "aside", "extra"), "tags": ("tags", "topics", "filed", "labels"), "row": ("row", "grid", "strip", "band"),
    "col": ("col", "cell", "column", "track"),
}  # fmt: skip


def eras(stories: int) -> tuple[Era, ...]:
    """Return the history of a hard site of so many stories: a layout of three pages and one of five, whatever their
    number. Raises ValueError under eighty stories, for which there are too many layouts."""
    if stories < 80:
        raise ValueError("a hard site has eighty stories at least")
    left, weights, until, found = (
        stories - sum(FEW_PAGES.values()),
        sum(row[2] for row in _ORDER),
        0.0,
        list[Era](),
    )
    for layout, scheme, weight in _ORDER:
        until += FEW_PAGES.get(layout, weight * left / weights)
        found.append(Era((int(until + 0.5) + 0.5) / stories, scheme, layout))
    found[-1] = found[-1]._replace(until=1.01)
    return tuple(found)


def setting(seed: int, layout: str, random: Random) -> Setting:
    """Return how chance sets one story of a layout; the page builder is the site's own."""
    boxes, often = _BOXES.get(layout, ("", 0.0))
    return Setting(
        tag="div" if random.random() < _DIVS.get(layout, 0.0) else "p",
        boxes=boxes if random.random() < often else "",
        builder=Random(f"{seed} builder").choice(("fl", "vc", "bld", "kb", "et")),
        bold_headings=random.random() < 0.5,
    )


def skin(seed: int, layout: str) -> Callable[[str], str]:
    """Return what names the classes of a new layout: other names with every seed."""
    random = Random(f"{seed} skin {layout}")
    prefix = "".join(random.sample("bcdfghjklmnprstvwz", random.choice((2, 3))))
    joint = random.choice(("-", "__", "_"))
    names = {part: prefix + joint + random.choice(words) for part, words in _WORDS.items()}
    return names.__getitem__
