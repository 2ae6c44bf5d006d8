"""The truth about the sample pages, from what the generator put on them: JSON Lines, one object a story.

Fields: `url`, `post_id`, `layout`, `headline`, `kicker`, `standfirst`, `authors`, `section`, `tags`, `published_at` and
`modified_at` (UTC instants in ISO 8601, or London's bare day where the page prints no time of day), `body`, `blocks`,
`images`, `embeds`, and `furniture`: the lines inside the element that holds the story which are no story. What a
layout does not show of its stories is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from uknip_crawler.demo.furniture import Furniture, furniture
from uknip_crawler.demo.posts import Post
from uknip_crawler.demo.server import SampleSite
from uknip_crawler.times import LONDON


def records(site: SampleSite) -> Iterator[dict[str, Any]]:
    """Yield the truth about every story that the running site serves now, by post id."""
    for post in site.newsroom.truth(site.base_url):
        yield record(post, site.url(post.path), furniture(post, site.others(post), site.newsroom.promo))


def record(post: Post, url: str, around: Furniture) -> dict[str, Any]:
    """Return the truth about one page; the post's picture addresses are taken as they are."""
    told = not post.unstructured
    day = post.published_at.astimezone(LONDON).date()
    return {
        "url": url,
        "post_id": post.post_id if told else None,
        "layout": post.layout,
        "headline": post.headline,
        "kicker": post.kicker,
        "standfirst": post.standfirst,
        "authors": list(post.authors) if told else None,
        "section": post.section if told else None,
        "tags": list(post.tags) if told else None,
        "published_at": (post.published_at if told else day).isoformat(),
        "modified_at": post.modified_at.isoformat() if told else None,
        "body": post.body,
        "blocks": [block.as_json() for block in post.blocks],
        "images": [asdict(image) for image in post.images],
        "embeds": list(post.embeds),
        "furniture": list(around.lines),
    }


def write(site: SampleSite, path: Path) -> int:
    """Write the truth about all stories to a file and return how many there are."""
    lines = [json.dumps(one, ensure_ascii=False) for one in records(site)]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return len(lines)
