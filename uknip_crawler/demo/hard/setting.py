"""Stories in columns and boxes, as page builders and block editors leave them in the post."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from uknip_crawler.demo.posts import Post

_WIDTHS = ((100,), (66, 33), (50, 50), (33, 66), (100,))


def set_in_boxes(groups: list[dict[str, Any]], post: Post) -> list[dict[str, Any]]:
    """Return the pieces of a post with the markup of its boxes in `open` and `close`."""
    random = Random(f"boxes {post.post_id} {post.slug}")
    match post.setting.boxes:
        case "columns":
            _in_columns(groups, post.setting.builder, random)
        case "media":
            _in_media_box(groups, random)
    return groups


def _in_columns(groups: list[dict[str, Any]], builder: str, random: Random) -> None:
    start = 0
    while start < len(groups):
        row = groups[start : start + random.randint(2, 6)]
        start += len(row)
        widths = random.choice(_WIDTHS) if len(row) > 1 else (100,)
        cut = random.randint(1, len(row) - 1) if len(widths) > 1 else len(row)
        row[0]["open"] = f'<div class="{builder}-row"><div class="{builder}-row__inner">\n'
        for width, column in zip(widths, (row[:cut], row[cut:]), strict=False):
            number = f"{random.randrange(16**6):06x}"
            column[0]["open"] += (
                f'<div class="{builder}-col {builder}-col-{width} {builder}-node-{number}">'
                f'<div class="{builder}-module"><div class="{builder}-rich-text">\n'
            )
            column[-1]["close"] = "</div></div></div>\n"
        row[-1]["close"] += "</div></div>\n"


def _in_media_box(groups: list[dict[str, Any]], random: Random) -> None:
    """Set a picture and the piece after it side by side, or a few pieces without a picture in a box of their own."""
    for one, other in pairwise(groups):
        if one["kind"] == "image" and other["kind"] == "paragraph":
            one["open"] = '<div class="wp-block-media-text is-stacked-on-mobile">\n'
            other["open"], other["close"] = '<div class="wp-block-media-text__content">\n', "</div></div>\n"
            return
    first = random.randrange(len(groups))
    last = min(first + random.randint(0, 2), len(groups) - 1)
    groups[first]["open"] = (
        '<div class="wp-block-group has-background"><div class="wp-block-group__inner-container">\n'
    )
    groups[last]["close"] = "</div></div>\n"
