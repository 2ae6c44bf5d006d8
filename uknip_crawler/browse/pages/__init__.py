"""The reading room's pages: addresses, and how an address becomes an answer.

Each module of this package holds one family of pages; each page is a function from an Ask to a Page.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette.utils import sqlite_timelimit
from datasette.utils.asgi import Response

from uknip_crawler.browse.metadata import DATABASE_NAME
from uknip_crawler.browse.pages import (
    calendar,
    capture,
    comparison,
    front,
    layouts,
    pictures,
    runs,
    search,
    story,
)
from uknip_crawler.browse.pages.asking import Ask, File, NotHere, Page, archive_of
from uknip_crawler.browse.security import POLICY, STRICT_POLICY

View = Callable[[Any, Any], Awaitable[Any]]

_LIMIT_MS = 10_000

PAGES: dict[str, Callable[[Ask], Page | File]] = {
    r"/": front.show,
    r"/read/search": search.show,
    r"/read/story/(?P<id>\d{1,18})": story.show,
    r"/read/story/(?P<id>\d{1,18})/compare": comparison.show,
    r"/read/story/(?P<id>\d{1,18})/capture": capture.show,
    r"/read/calendar": calendar.show,
    r"/read/pictures": pictures.show,
    r"/read/picture/(?P<sha256>[0-9a-f]{64})": pictures.file,
    r"/read/layouts": layouts.show,
    r"/read/layouts/(?P<name>[^/]{1,64})": layouts.show_one,
    r"/read/furniture": layouts.show_furniture,
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


def _view(build: Callable[[Ask], Page | File]) -> View:
    async def view(request: Any, datasette: Any) -> Any:
        database = datasette.get_database(DATABASE_NAME)
        ask = Ask(request.args, request.url_vars, archive_of(database))

        def built(connection: Any) -> Page | File:
            with sqlite_timelimit(connection, _LIMIT_MS):
                return build(ask.on(connection))

        try:
            found = await database.execute_fn(built)
        except NotHere as error:
            found = Page("missing", {"what": str(error)}, status=404)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            found = Page("missing", {"what": "This took too long and was stopped."}, status=503)
        if isinstance(found, File):
            return Response(found.content, headers=found.headers, content_type=found.media_type)
        return await answer(datasette, request, found)

    return view


async def answer(datasette: Any, request: Any, page: Page) -> Any:
    """Return a page as HTML that may run no script and is asked for anew each time."""
    html = await datasette.render_template(f"uknip/{page.template}.html", page.context, request=request)
    headers = {POLICY: STRICT_POLICY, "cache-control": "no-cache"}
    return Response.html(html, status=page.status, headers=headers)
