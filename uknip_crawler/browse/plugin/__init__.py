"""Our Datasette plugin: the reading room, readable cells, safe links, security headers.

Datasette loads it in every instance of the environment, so each hook first asks whether `uknip browse` started
this one. A package, not a module: only then does Datasette find templates/ and static/ under Python 3.11.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import Any

from datasette import __version__
from datasette.utils import escape_fts
from datasette.utils.asgi import NotFound
from markupsafe import Markup
from pluggy import HookimplMarker
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # one SQLite library a process

from uknip_crawler.browse.blocks import block_summary
from uknip_crawler.browse.bounds import bound
from uknip_crawler.browse.charts import colour_of
from uknip_crawler.browse.links import address, is_web_address, web_link
from uknip_crawler.browse.metadata import DATABASE_NAME, PLUGIN_NAME, QUERIES
from uknip_crawler.browse.pages import View, answer, is_own, routes
from uknip_crawler.browse.pages.addresses import permalink
from uknip_crawler.browse.pages.asking import Page, query
from uknip_crawler.browse.security import NONCE, Asgi, ScriptNonces, guarded
from uknip_crawler.browse.times import london_time, time_element

hookimpl = HookimplMarker("datasette")


def _is_ours(datasette: Any, database: str | None = DATABASE_NAME) -> bool:
    return database == DATABASE_NAME and datasette.plugin_config(PLUGIN_NAME) is not None


@hookimpl(trylast=True)  # after Datasette has registered its own
def prepare_connection(conn: Any, database: str, datasette: Any) -> None:
    """Bound what a query may take; make the search box answer to a lone quote, a NUL and nothing at all too."""
    if _is_ours(datasette, database) or (database == "_memory" and _is_ours(datasette)):
        bound(conn)
        conn.create_function("escape_fts", 1, _escape_search)


def _escape_search(words: Any) -> str:
    # one line, no NUL: Datasette's quoting relies on both
    return escape_fts(" ".join(str(words or "").replace("\0", " ").split())) or '""'


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Give templates our words for times, links and query strings, and their scripts a nonce."""
    if not _is_ours(datasette):
        return
    env.add_extension(ScriptNonces)
    env.filters |= {
        "time": time_element,
        "london": london_time,
        "number": "{:,}".format,
        "address": address,
        "colour": colour_of,
    }
    env.globals |= {"query_string": query, "uknip_nonce": NONCE.get, "datasette_version": __version__}
    env.globals["permalink"] = lambda url: datasette.urls.path(permalink(url))
    env.globals["site_name"] = datasette.plugin_config(PLUGIN_NAME)["site"]
    env.globals["is_one_of_many"] = datasette.setting("base_url") != "/"


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> Markup | None:
    """Show addresses as links that say nothing of the reader, blocks as a count, query headlines as links."""
    if not _is_ours(datasette, database) or not isinstance(value, str):
        return None
    if table == "articles" and column == "blocks":
        summary = block_summary(value)
        return Markup.escape(summary) if summary else None
    if table is None and column == "headline" and "article_id" in row.keys():  # noqa: SIM118 - a sqlite3.Row
        story = datasette.urls.path(f"/read/story/{row['article_id']}")
        return Markup('<a href="{}">{}</a>').format(story, value)
    return web_link(value) if is_web_address(value) else None


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """Style Datasette's own pages of this archive."""
    # the static address takes the distribution's name, not the plugin's
    return [datasette.urls.static_plugins("uknip", "datasette.css")] if _is_ours(datasette) else []


@hookimpl
def extra_template_vars(datasette: Any) -> dict[str, Any]:
    """Tell our versions of Datasette's templates that this is an archive; else they fall back to the originals."""
    return {"uknip": True, "london_time": london_time} if _is_ours(datasette) else {}


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """List the reading room and the ready-made queries in the menu of every page."""
    if not _is_ours(datasette):
        return []
    return [
        {"href": datasette.urls.instance(), "label": "Reading room"},
        {"href": datasette.urls.table(DATABASE_NAME, "articles"), "label": "Articles"},
        *(
            {"href": datasette.urls.query(DATABASE_NAME, name), "label": query["title"]}
            for name, query in QUERIES.items()
        ),
    ]


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, View]]:
    """Put the reading room before Datasette's own front page."""
    return routes() if _is_ours(datasette) else []


@hookimpl(wrapper=True)  # Datasette awaits every answer that it is given
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, Any]:
    """Answer a wrong address with a page instead, and what Datasette cannot make of one with a line in the log."""
    answers = yield
    if not _is_ours(datasette):
        return answers
    if isinstance(exception, NotFound) and not request.path.endswith(".json"):
        return [answer(datasette, request, Page("missing", {"what": "There is no such page."}, status=404))]
    if isinstance(exception, sqlite3.Error | ValueError | OverflowError) and not is_own(_path(request)):
        line = f"{request.path}: {type(exception).__name__}: {exception}".encode("ascii", "backslashreplace")
        print(line.decode()[:500].replace("\n", " "), file=sys.stderr)
        return [answer(datasette, request, Page("missing", {"what": "This cannot be answered."}, status=400))]
    return answers


def _path(request: Any) -> str:
    """Return the path without what stands before the pages of one of several archives."""
    return str(request.scope.get("route_path") or request.path)


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Asgi], Asgi] | None:
    """Send the security headers that Datasette does not."""
    return guarded if _is_ours(datasette) else None
