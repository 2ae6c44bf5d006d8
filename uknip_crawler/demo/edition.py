"""The sample site as it stands after one day's work: which address answers what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from uknip_crawler.demo import syndication
from uknip_crawler.demo.answers import Answer, redirect
from uknip_crawler.demo.newsroom import Newsroom
from uknip_crawler.demo.pages import Pages
from uknip_crawler.demo.pictures import png
from uknip_crawler.demo.posts import HOUSE_ACCOUNT, Post, slugify
from uknip_crawler.times import LONDON

PER_PAGE = 10
_KEPT = 2048
PRIVATE_PATH = "/private/breaking/news-999999/embargoed-briefing-on-harbour-fire/"
STATIC_PAGES = {
    "/about/": ("About Us", "We are a small invented newsroom and this is a sample site."),
    "/contact/": ("Contact", "Write to the desk, or ring between nine and five on weekdays."),
    "/privacy-policy/": ("Privacy Policy", "We keep nothing about you, because none of this is real."),
}


@dataclass(frozen=True, slots=True)
class Doors:
    """Which ways in the site offers besides its home page, and how many URLs a sitemap file holds."""

    rest: bool = True
    sitemap: bool = True
    feed: bool = True
    listings: bool = True
    sitemap_urls: int = 25


class Edition:
    """Answers requests for one state of the newsroom; pages are rendered when asked for, and the latest kept.

    `base_url` has no trailing slash. Drafts and trash are nowhere; a left address answers 301, an unknown one
    301 to a story whose slug begins like it (WordPress's redirect_guess_404_permalink), or 404.
    """

    def __init__(self, newsroom: Newsroom, base_url: str, doors: Doors) -> None:
        self.base_url, self.doors = base_url, doors
        self._newsroom = newsroom
        self._posts = newsroom.published()
        self._by_id = {post.post_id: post for post in self._posts}
        self._by_path = {post.path: post for post in self._posts}
        self._old = {path: self._by_id[n].path for path, n in newsroom.old_paths.items() if n in self._by_id}
        self._pictures = {image.url for post in self._posts for image in post.images}
        self._furniture_at = newsroom.now if newsroom.generation else None
        self._by_section, self._by_tag, self._by_author = self._archives()
        tags = Counter(tag for post in self._posts for tag in (*post.tags, post.town, post.force))
        self._pages = Pages(
            base_url,
            now=newsroom.now,
            promo=newsroom.promo,
            seed=newsroom.seed if newsroom.hard else None,
            sections=sorted({post.section for post in self._posts}),
            tags=[name for name, _ in sorted(tags.items(), key=lambda pair: (-pair[1], pair[0]))[:24]],
        )
        self._story = lru_cache(_KEPT)(self._render_story)
        self.answer = lru_cache(_KEPT)(self._answer)

    def _archives(self) -> tuple[dict[str, list[Post]], ...]:
        sections: dict[str, list[Post]] = {}
        tags: dict[str, list[Post]] = {}
        authors: dict[str, list[Post]] = {slugify(HOUSE_ACCOUNT): []}
        for post in self._posts:
            sections.setdefault(post.section_slug, []).append(post)
            authors.setdefault(slugify(post.printed_author), []).append(post)
            for tag in dict.fromkeys(slugify(name) for name in (*post.tags, post.town, post.force)):
                tags.setdefault(tag, []).append(post)
        return sections, tags, authors

    def _answer(self, target: str) -> Answer:
        """Return the answer to a request target such as `/feed/?paged=2`."""
        parts = urlsplit("//host" + target)
        path, query = parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))
        return (
            self._by_query(path, query)
            or self._article(path, query)
            or self._machine(path, query)
            or self._listing(path)
            or self._other(path)
            or self._elsewhere(path)
        )

    def _by_query(self, path: str, query: Mapping[str, str]) -> Answer | None:
        if path != "/":
            return None
        if "p" in query:
            post = self._by_id.get(int(query["p"])) if re.fullmatch(r"[0-9]{1,9}", query["p"]) else None
            return redirect(self.base_url + post.path) if post else self._not_found()
        if "s" in query:
            found = [post for post in self._posts if query["s"].lower() in post.headline.lower()]
            return self._archive("Search results", found, "/?s=", 1, "search search-results")
        return None

    def _article(self, path: str, query: Mapping[str, str]) -> Answer | None:
        if post := self._by_path.get(path):
            return self._story(post.post_id, "print" in query)
        for amp in ("amp/", "amp", "/amp/", "/amp"):
            if path.endswith(amp) and (post := self._by_path.get(path.removesuffix(amp))):
                return self._story(post.post_id, True)
        if (match := re.fullmatch(r".*/attachment/picture-([0-9]{1,9})/", path)) and int(
            match[1]
        ) in self._by_id:
            post = self._by_id[int(match[1])]
            body_class = f"attachment attachmentid-{90000 + post.post_id} attachment-png"
            return Answer(200, self._pages.page(post.slug, [], body_class=body_class, image=post.lead_image))
        return None

    def others(self, post: Post) -> list[Post]:
        """Return the stories that a story's page points to: the newest."""
        return [other for other in self._posts[:14] if other.post_id != post.post_id][:13]

    def _render_story(self, post_id: int, bare: bool) -> Answer:
        post = self._by_id[post_id]
        others = self.others(post)
        body = self._pages.story(post, others, bare=bare)
        changed = max(post.modified_at, self._furniture_at) if self._furniture_at else post.modified_at
        return Answer(200, body, validated=True, modified_at=changed)

    def _machine(self, path: str, query: Mapping[str, str]) -> Answer | None:
        if path == "/robots.txt":
            return self._robots()
        if path.startswith("/wp-json/"):
            if self.doors.rest and path.rstrip("/") == "/wp-json/wp/v2/posts":
                return syndication.rest_posts(self.base_url, self._posts, query)
            return syndication.rest_error(404, "rest_no_route", "No route was found matching the URL.")
        if path.rstrip("/") == "/feed":
            page = query.get("paged", "1")
            number = int(page) if re.fullmatch(r"[0-9]{1,6}", page) else 1
            found = syndication.feed(self.base_url, self._posts, number) if self.doors.feed else None
            return found or self._not_found()
        return self._sitemap(path)

    def _robots(self) -> Answer:
        lines = [
            "User-agent: *",
            "Disallow: /wp-admin/",
            "Disallow: /private/",
            "Allow: /wp-admin/admin-ajax.php",
            "",
        ]
        lines += [f"Sitemap: {self.base_url}/sitemap_index.xml"] if self.doors.sitemap else []
        return Answer(200, "\n".join(lines).encode(), "text/plain; charset=utf-8")

    def _sitemap(self, path: str) -> Answer | None:
        if not path.endswith(".xml"):
            return None
        if not self.doors.sitemap:
            return self._not_found()
        posts, size = sorted(self._posts, key=lambda post: post.post_id), self.doors.sitemap_urls
        chunks = [posts[start : start + size] for start in range(0, len(posts), size)]
        match = re.fullmatch(r"/post-sitemap([1-9][0-9]{0,5})\.xml", path)
        if match and int(match[1]) <= len(chunks):
            chunk = chunks[int(match[1]) - 1]
            pictures = [post.lead_image.url if post.lead_image else None for post in chunk]
            pages = [(p.path, p.modified_at, picture) for p, picture in zip(chunk, pictures, strict=True)]
            return syndication.sitemap(self.base_url, pages)
        if path == "/page-sitemap.xml":
            return syndication.sitemap(
                self.base_url, [(page, self._newsroom.now, None) for page in ("/", *STATIC_PAGES)]
            )
        if path == "/sitemap_index.xml":
            return syndication.sitemap_index(self.base_url, chunks, self._newsroom.now)
        return redirect(f"{self.base_url}/sitemap_index.xml") if path == "/sitemap.xml" else self._not_found()

    def _listing(self, path: str) -> Answer | None:
        if path == "/":
            return self._home(1)
        if not self.doors.listings:
            return None
        if match := re.fullmatch(r"/page/([1-9][0-9]{0,5})/", path):
            return self._home(int(match[1]))
        kinds = {"category": self._by_section, "Breaking/News/tag": self._by_tag, "author": self._by_author}
        match = re.fullmatch(
            r"/(category|Breaking/News/tag|author)/([^/]+)/(?:page/([1-9][0-9]{0,5})/)?", path
        )
        if match:
            kind, name, posts = match[1], match[2], kinds[match[1]].get(match[2])
            if posts is None:
                return self._not_found()
            word = kind.rpartition("/")[2]
            classes = f"archive {word} {word}-{name}"
            title, root = name.replace("-", " ").title(), f"/{kind}/{name}/"
            return self._archive(title, posts, root, int(match[3] or 1), classes, whole=word == "tag")
        return self._calendar(path)

    def _home(self, page: int) -> Answer:
        day = self._newsroom.now.astimezone(LONDON)
        extra = [
            ("Staff briefing", PRIVATE_PATH),
            ("Calendar", f"/{day:%Y/%m}/"),
            ("Search: fire", "/?s=fire"),
        ]
        classes = "home blog" if page == 1 else f"home blog paged paged-{page}"
        return self._archive("UK News in Pictures", self._posts, "/", page, classes, extra=extra)

    def _archive(
        self,
        title: str,
        posts: Sequence[Post],
        root: str,
        page: int,
        body_class: str,
        *,
        whole: bool = False,
        extra: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        chosen = posts[(page - 1) * PER_PAGE : page * PER_PAGE]
        if page > 1 and not chosen:
            return self._not_found()
        more = self.doors.listings and len(posts) > page * PER_PAGE and "?" not in root
        before = root if page == 2 else f"{root}page/{page - 1}/"
        return Answer(
            200,
            self._pages.listing(
                title,
                chosen,
                path=root if page == 1 else f"{root}page/{page}/",
                body_class=body_class,
                previous_path=before if page > 1 else None,
                next_path=f"{root}page/{page + 1}/" if more else None,
                whole=whole,
                extra=extra,
            ),
        )

    def _calendar(self, path: str) -> Answer | None:
        """Answer any day or month whatever, each with a link to the next: a trap without end."""
        match = re.fullmatch(r"/([12][0-9]{3})/([0-9]{2})/(?:([0-9]{2})/)?", path)
        try:
            first = date(int(match[1]), int(match[2]), int(match[3] or 1)) if match else None
        except ValueError:
            return self._not_found()
        if first is None:
            return None
        width = 10 if match and match[3] else 7
        days = {post: post.published_at.astimezone(LONDON).date().isoformat()[:width] for post in self._posts}
        posts = [post for post, day in days.items() if day == first.isoformat()[:width]]
        following = first + timedelta(days=1 if width == 10 else 31)
        address = f"/{following:%Y/%m/%d}/" if width == 10 else f"/{following:%Y/%m}/"
        body = self._pages.listing(
            f"{first:%d %B %Y}", posts[:50], path=path, body_class="archive date", extra=[("Next", address)]
        )
        return Answer(200, body)

    def _other(self, path: str) -> Answer | None:
        if path in STATIC_PAGES:
            title, text = STATIC_PAGES[path]
            return Answer(200, self._pages.page(title, [text]))
        if path == PRIVATE_PATH:
            texts = [
                "Nobody who reads robots.txt ever sees this paragraph about the harbour fire.",
                "More to follow.",
            ]
            classes = "post-template-default single single-post postid-999999"
            return Answer(
                200, self._pages.page("Embargoed briefing", texts, body_class=classes, og_type="article")
            )
        if path in self._pictures:
            return Answer(200, png(path), "image/png")
        return None

    def _elsewhere(self, path: str) -> Answer:
        other_form = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        target = self._old.get(path) or self._old.get(other_form)
        if other_form in self._by_path:
            target = other_form
        if not target and (guessed := self._newsroom.guess(path)):
            target = guessed.path
        return redirect(self.base_url + target) if target else self._not_found()

    def _not_found(self) -> Answer:
        text = "It looks like nothing was found at this location."
        return Answer(404, self._pages.page("Page not found", [text], body_class="error404"))
