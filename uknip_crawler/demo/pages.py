"""HTML of the sample site: layouts of different markup families, and the pages around the stories."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from uknip_crawler.demo.furniture import furniture
from uknip_crawler.demo.hard.layouts import NEW, skin
from uknip_crawler.demo.hard.setting import set_in_boxes
from uknip_crawler.demo.posts import HOUSE_ACCOUNT, InsertedLine, Post, slugify
from uknip_crawler.models import Block, BlockKind, Image
from uknip_crawler.times import LONDON

_MAIL = re.compile(r"[\w.]+@[\w.]+\w")
_MAIL_KEY = 0x42


def us_day(when: datetime) -> str:
    """`September 16, 2020`, London's day."""
    local = when.astimezone(LONDON)
    return f"{local:%B} {local.day}, {local.year}"


def weekday_day(when: datetime) -> str:
    """`Sunday, November 27, 2022`, as header clocks print today's date."""
    return f"{when.astimezone(LONDON):%A}, {us_day(when)}"


def clock_day(when: datetime) -> str:
    """`4:21 pm March 13, 2026`."""
    local = when.astimezone(LONDON)
    return f"{local.hour % 12 or 12}:{local:%M} {'pm' if local.hour >= 12 else 'am'} {us_day(when)}"


def hide_mail(text: str) -> Markup:
    """Return the text escaped, its e-mail addresses hidden as Cloudflare hides them (XOR with a leading key)."""

    def hidden(match: re.Match[str]) -> str:
        code = bytes([_MAIL_KEY, *(byte ^ _MAIL_KEY for byte in match[0].encode())]).hex()
        link = '<a href="/cdn-cgi/l/email-protection" class="__cf_email__" data-cfemail="{}">[email&#160;protected]</a>'
        return link.format(code)

    return Markup(_MAIL.sub(hidden, str(escape(text))))


_LOOK = (
    "body{max-width:60rem;margin:0 auto;padding:0 1rem;font:17px/1.5 Georgia,serif;color:#222}"
    "h1,h2,h3,h4,nav,ul[id=menu-main]{font-family:Arial,sans-serif;line-height:1.2}"
    "ul[id=menu-main]{padding:.6rem 0;border:solid #c00;border-width:3px 0 1px;font-size:14px}"
    "ul[id=menu-main] li{display:inline;margin-right:.8rem}a{color:#a00}img,iframe{max-width:100%}"
    "figure{margin:1rem 0}figcaption,footer,aside,time{font-size:14px;color:#666}"
)


@cache
def stylesheet() -> Markup:
    """Return a plain look and about 50 kB of unused rules, the weight that real pages carry in their head."""
    rule = (
        ".theme-block-{0}-title,.theme-block-{0} .post-meta{{margin:0 0 {1}px;padding:{2}px;color:#{0:03x};}}"
    )
    return Markup(
        "\n".join([_LOOK, *(rule.format(number, number % 40, number % 24) for number in range(520))])
    )


@cache
def script() -> Markup:
    """Return about 25 kB of inline script."""
    line = 'window.themeOptions["module_{0}"]={{"loaded":false,"delay":{1},"target":"#module-{0}"}};'
    return Markup("window.themeOptions={};\n" + "\n".join(line.format(n, n * 25) for n in range(300)))


@cache
def mega_menu() -> Markup:
    """Return 300 links to places elsewhere, as the menus of real pages hold."""
    item = (
        '<li class="menu-item menu-item-type-custom menu-item-{0}"><a href="https://places.example/{1}/{0}/">'
        '<span class="menu-text">{2} {3}</span></a></li>'
    )
    names = ("Ash", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel", "Ivy", "Juniper")
    kinds = ("Bay", "Cross", "Down", "End", "Ford", "Green", "Hill", "Isle", "Lock", "Mere")
    rows = [
        (400 + n, ["north", "south", "mid"][n % 3], names[n % 10], kinds[n // 10 % 10]) for n in range(300)
    ]
    return Markup("\n".join(item.format(*row) for row in rows))


@cache
def widgets() -> Markup:
    """Return footer widgets: forty small boxes, five elements each."""
    box = (
        '<div id="widget-{0}" class="footer-widget footer-widget-{0}"><h5>Our {0}. edition</h5>'
        '<div class="textwidget"><span>Printed on Fridays.</span> <a href="https://print.example/{0}/">Order</a></div></div>'
    )
    return Markup("\n".join(box.format(number) for number in range(1, 41)))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("uknip_crawler.demo", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "us_day": us_day,
        "weekday_day": weekday_day,
        "clock_day": clock_day,
        "mail": hide_mail,
        "slugify": slugify,
    }
    return environment


class Pages:
    """Renders pages for one base URL (no trailing slash), one promo wording and one instant `now`.

    `seed` is a hard newsroom's, None another's.
    """

    def __init__(
        self,
        base_url: str,
        *,
        now: datetime,
        promo: str,
        sections: Iterable[str],
        tags: Iterable[str],
        seed: int | None = None,
    ) -> None:
        self.base_url = base_url
        self._seed = seed
        self._promo = promo
        self._site = {
            "base": base_url,
            "now": now.astimezone(LONDON),
            "promo": promo,
            "css": stylesheet(),
            "js": script(),
            "mega": mega_menu(),
            "widgets": widgets(),
            "sections": [(name, slugify(name)) for name in sections],
            "tags": [(name, slugify(name)) for name in tags],
        }

    def _render(self, template: str, **values: Any) -> bytes:
        return _environment().get_template(template).render(site=self._site, **values).encode()

    def story(self, post: Post, others: Sequence[Post], *, bare: bool = False) -> bytes:
        """Return a story's page in its own layout, or the AMP and print version when `bare`."""
        return self._render(
            "amp.html" if bare else f"{post.layout}.html",
            post=post,
            others=others,
            thumbnail="has-post-thumbnail " if self._seed is None or post.lead_image else "",
            part=skin(self._seed or 0, post.layout) if post.layout in NEW else None,
            flow=flow(post, wrapped=post.post_id % 11 == 3, drop_cap=post.post_id % 13 == 5),
            extras=furniture(post, others, self._promo),
            description=post.standfirst or f"{post.opening[:150]}...",
            json_ld=_json_ld(post, self.base_url),
            br=Markup("<br><br>\n"),
        )

    def listing(
        self,
        title: str,
        posts: Sequence[Post],
        *,
        path: str,
        body_class: str,
        previous_path: str | None = None,
        next_path: str | None = None,
        whole: bool = False,
        extra: Sequence[tuple[str, str]] = (),
    ) -> bytes:
        """Return a listing page; `whole` prints each story's paragraphs in full, `extra` are (text, path) links."""
        values = {
            "path": path,
            "body_class": body_class,
            "previous_path": previous_path,
            "next_path": next_path,
        }
        return self._render("listing.html", title=title, posts=posts, whole=whole, extra=extra, **values)

    def page(
        self,
        title: str,
        texts: Sequence[str],
        *,
        body_class: str = "page-template-default page page-id-2",
        og_type: str = "website",
        image: Image | None = None,
    ) -> bytes:
        """Return a page that is no story: contact, attachment, not found."""
        values = {"texts": texts, "body_class": body_class, "og_type": og_type, "image": image}
        return self._render("page.html", title=title, **values)


def flow(post: Post, *, wrapped: bool = False, drop_cap: bool = False) -> list[dict[str, Any]]:
    """Return what stands in the post as templates print it: list items that follow one another are one list.

    `wrapped` breaks lines as e-mail does, `drop_cap` sets the first letter apart. `ordinal` counts paragraphs.
    `open` and `close` are markup around a piece, for layouts that keep stories in boxes.
    """
    common = {"open": "", "close": "", "tag": post.setting.tag}
    groups: list[dict[str, Any]] = []
    ordinal = 0
    for kind, run in groupby(post.content, key=_kind):
        if kind == BlockKind.LIST_ITEM:
            groups.append({**common, "kind": kind, "points": [block.text for block in run]})
            continue
        for block in run:
            if isinstance(block, InsertedLine):
                groups.append({**common, "kind": kind, "text": block.shown, "line": block, "ordinal": None})
                continue
            ordinal += kind == BlockKind.PARAGRAPH
            text = (
                textwrap.fill(block.text, 75, break_on_hyphens=False)
                if wrapped and kind == BlockKind.PARAGRAPH
                else block.text
            )
            group = {**common, "kind": kind, "text": text, "image": block.image, "url": block.url}
            drop = drop_cap and kind == BlockKind.PARAGRAPH and ordinal == 1 and text[:1].isalpha()
            bold = kind == BlockKind.HEADING and post.setting.bold_headings
            groups.append({**group, "ordinal": ordinal, "drop_cap": drop, "bold": bold})
    return set_in_boxes(groups, post)


def _kind(piece: Block | InsertedLine) -> str:
    return "insert" if isinstance(piece, InsertedLine) else piece.kind.value


def story_html(post: Post, base_url: str) -> str:
    """Return the post's own content as the feed and REST carry it: without a layout's furniture."""
    piece = _environment().get_template("_story.html").module.piece  # type: ignore[attr-defined]
    parts = [f"{group['open']}{piece(group, base_url)}{group['close']}" for group in flow(post)]
    return "".join((*parts, f"<p>{escape(post.credit_line)}</p>\n" if post.credit_line else ""))


def _json_ld(post: Post, base_url: str) -> Markup:
    """Return schema.org data: one NewsArticle with London time in the jnews layout, elsewhere a graph in UTC."""
    zone, url = (LONDON if post.layout == "jnews" else None), base_url + post.path
    person = "Organization" if post.printed_author == HOUSE_ACCOUNT else "Person"
    article: dict[str, Any] = {
        "@type": "NewsArticle",
        "@id": f"{url}#article",
        "headline": post.headline,
        "mainEntityOfPage": {"@id": url},
        "url": url,
        "datePublished": (post.published_at.astimezone(zone) if zone else post.published_at).isoformat(),
        "dateModified": (post.modified_at.astimezone(zone) if zone else post.modified_at).isoformat(),
        "author": {"@type": person, "name": post.printed_author},
        "publisher": {
            "@type": "Organization",
            "name": "UKNIP",
            "logo": f"{base_url}/wp-content/uploads/logo.png",
        },
        "articleSection": [post.section],
        "keywords": list(post.tags),
        "inLanguage": "en-GB",
    }
    if post.lead_image:
        article["image"] = {
            "@type": "ImageObject",
            "url": base_url + post.lead_image.url,
            "width": 320,
            "height": 200,
        }
    data = article if post.layout == "jnews" else {"@graph": [article, *_surroundings(post, url, base_url)]}
    text = json.dumps({"@context": "https://schema.org"} | data, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def _surroundings(post: Post, url: str, base_url: str) -> list[dict[str, Any]]:
    crumbs = [
        ("Home", f"{base_url}/"),
        (post.section, f"{base_url}/category/{post.section_slug}/"),
        (post.headline, url),
    ]
    items = [
        {"@type": "ListItem", "position": place, "name": name, "item": item}
        for place, (name, item) in enumerate(crumbs, start=1)
    ]
    return [
        {
            "@type": "WebPage",
            "@id": url,
            "url": url,
            "name": f"{post.headline} – UKNIP",
            "inLanguage": "en-GB",
        },
        {"@type": "BreadcrumbList", "@id": f"{url}#breadcrumb", "itemListElement": items},
        {"@type": "WebSite", "@id": f"{base_url}/#website", "url": f"{base_url}/", "name": "UKNIP"},
    ]
