"""The reading room's pages: addresses, and how an address becomes an answer.

Each module of this package holds one family of pages; each page is a function from an Ask to a Page.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import Response
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.browse.metadata import DATABASE_NAME
from uknip_crawler.browse.pages import (
    calendar,
    capture,
    changes,
    comparison,
    copies,
    front,
    layouts,
    looks,
    names,
    pictures,
    replay,
    runs,
    search,
    story,
)
from uknip_crawler.browse.pages.asking import Ask, Elsewhere, File, NotHere, Page, Stream, archive_of, query
from uknip_crawler.browse.pages.streaming import Streamed
from uknip_crawler.browse.security import FRAMING_POLICY, POLICY, STRICT_POLICY

View = Callable[[Any, Any], Awaitable[Any]]
Answer = Page | File | Stream

_LIMIT_MS = 10_000
_REMEMBERED_SECONDS = 365 * 24 * 3600

PAGES: dict[str, Callable[[Ask], Answer]] = {
    r"/": front.show,
    r"/read/search": search.show,
    r"/read/search\.(?P<format>csv|jsonl|json)": search.download,
    r"/read/search\.atom": search.follow,
    r"/read/at/(?P<address>.+)": story.show_at,
    rf"/read/story/{story.NAME}": story.show,
    rf"/read/story/{story.NAME}/compare": comparison.show,
    rf"/read/story/{story.NAME}/capture": capture.show,
    rf"/read/story/{story.NAME}/copy/(?P<other>[0-9a-f]{{16}})": copies.show,
    rf"/read/story/{story.NAME}/page": replay.show,
    rf"/read/story/{story.NAME}/page/frame": replay.frame,
    rf"/read/story/{story.NAME}/cite\.(?P<format>txt|bib|json)": story.cite,
    r"/read/(?P<kind>sections|tags|authors|places)": names.show,
    r"/read/changes": changes.show,
    r"/read/changes\.atom": changes.follow,
    r"/read/calendar": calendar.show,
    r"/read/pictures": pictures.show,
    r"/read/picture/(?P<sha256>[0-9a-f]{64})": pictures.file,
    r"/read/layouts": layouts.show,
    r"/read/layouts/(?P<name>[^/]{1,64})": layouts.show_one,
    r"/read/furniture": layouts.show_furniture,
    r"/read/looks": looks.choose,
    r"/read/runs": runs.show,
    r"/read/runs/(?P<id>\d{1,18})": runs.show_one,
    r"/read/ledger": runs.show_ledger,
}
"""Every page by the pattern of its address."""


def routes() -> list[tuple[str, View]]:
    """Return the pages as Datasette registers them: a pattern that takes the whole path, and a view."""
    return [(f"^{pattern}$", _view(build)) for pattern, build in PAGES.items()]


def is_own(path: str) -> bool:
    """Tell whether an address is one of the reading room's pages, not of Datasette's."""
    return any(re.fullmatch(pattern, path) for pattern in PAGES)


def _view(build: Callable[[Ask], Answer]) -> View:
    async def view(request: Any, datasette: Any) -> Any:
        database = datasette.get_database(DATABASE_NAME)
        root = datasette.absolute_url(request, datasette.urls.path("/")).rstrip("/")
        ask = Ask(request.args, request.url_vars, archive_of(database), request.query_string, root)

        def built(connection: Any) -> Answer:
            with sqlite_timelimit(connection, _LIMIT_MS):
                return build(ask.on(connection))

        try:
            found = await database.execute_fn(built)
        except Elsewhere as error:
            lead = Response.redirect(
                str(datasette.urls.path(str(error))), headers={"cache-control": "no-cache"}
            )
            for name, value in error.remember.items():
                lead.set_cookie(name, value, max_age=_REMEMBERED_SECONDS, httponly=True, samesite="strict")
            return lead
        except NotHere as error:
            found = Page("missing", {"what": str(error)}, status=404)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            found = Page("missing", {"what": "This took too long and was stopped."}, status=503)
        if isinstance(found, Stream):
            return Streamed(found)
        if isinstance(found, File):
            return Response(found.content, headers=found.headers, content_type=found.media_type)
        return await answer(datasette, request, found)

    return view


async def answer(datasette: Any, request: Any, page: Page) -> Any:
    """Return a page that may run no script and is asked for anew each time."""
    own = (page.canonical and datasette.urls.path(page.canonical)) or request.path + query(
        **{name: request.args.get(name) for name in page.keeps}
    )
    context = page.context | {
        "canonical": own if page.status == 200 else None,
        "looks": looks.looks(request.cookies),
        "choices": looks.CHOICES,
        "this_page": request.full_path[len(datasette.urls.path("/")) - 1 :],
    }
    name = page.template if page.media_type else f"{page.template}.html"
    text = await datasette.render_template(f"uknip/{name}", context, request=request)
    headers = {POLICY: FRAMING_POLICY if page.frames else STRICT_POLICY, "cache-control": "no-cache"}
    media_type = page.media_type or "text/html; charset=utf-8"
    return Response(text, status=page.status, headers=headers, content_type=media_type)
