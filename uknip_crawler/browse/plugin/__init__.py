"""Our Datasette plugin: article pages, readable cells, safe links, security headers.

Datasette loads it in every instance of the environment, so each hook first asks whether `uknip browse` started
this one. A package, not a module: only then does Datasette find templates/ and static/ under Python 3.11.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from datasette.utils import escape_fts
from markupsafe import Markup
from pluggy import HookimplMarker

from uknip_crawler.browse.article_page import (
    block_summary,
    grouped_blocks,
    is_web_address,
    london_time,
    parts,
)
from uknip_crawler.browse.metadata import DATABASE_NAME, PLUGIN_NAME

hookimpl = HookimplMarker("datasette")

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

_SHOWN_ADDRESS_CHARACTERS = 80
_BLANK_SEARCH = re.compile(rb"(?:^|(?<=&))_search=(?:\+|%20)*(?:&|$)")


def _is_ours(datasette: Any, database: str | None = DATABASE_NAME) -> bool:
    return database == DATABASE_NAME and datasette.plugin_config(PLUGIN_NAME) is not None


@hookimpl(trylast=True)  # after Datasette has registered its own
def prepare_connection(conn: Any, database: str, datasette: Any) -> None:
    """Make the search box answer to a lone quote, a NUL and nothing at all too."""
    if _is_ours(datasette, database):
        conn.create_function("escape_fts", 1, _escape_search)


def _escape_search(words: Any) -> str:
    # one line, no NUL: Datasette's quoting relies on both
    return escape_fts(" ".join(str(words or "").replace("\0", " ").split())) or '""'


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
        address = datasette.urls.row(database, "articles", str(row["article_id"]))
        return Markup('<a href="{}">{}</a>').format(address, value)
    return web_link(value) if is_web_address(value) else None


def web_link(address: str) -> Markup:
    """Return a link to a page outside; the text is shortened, the target is not."""
    shown = (
        address if len(address) <= _SHOWN_ADDRESS_CHARACTERS else f"{address[:_SHOWN_ADDRESS_CHARACTERS]}…"
    )
    return Markup('<a href="{}" rel="noreferrer noopener nofollow">{}</a>').format(address, shown)


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """Add our style; static files go by the name of the distribution."""
    return [datasette.urls.static_plugins("uknip", "uknip.css")] if _is_ours(datasette) else []


@hookimpl
def extra_template_vars(database: str | None, table: str | None, datasette: Any) -> dict[str, Any]:
    """Give the templates of articles what they print; without it they fall back to Datasette's own."""
    if table != "articles" or not _is_ours(datasette, database):
        return {}

    async def article_parts(article_id: int) -> dict[str, Any]:
        return await parts(datasette.get_database(database), article_id)

    return {
        "uknip_parts": article_parts,
        "uknip_blocks": grouped_blocks,
        "london_time": london_time,
        "is_web_address": is_web_address,
        "web_link": web_link,
    }


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """List the ready-made queries in the menu of every page."""
    if not _is_ours(datasette):
        return []
    queries = datasette.metadata("queries", database=DATABASE_NAME, fallback=False) or {}
    articles = {"href": datasette.urls.table(DATABASE_NAME, "articles"), "label": "Articles"}
    return [
        articles,
        *(
            {"href": datasette.urls.query(DATABASE_NAME, name), "label": query["title"]}
            for name, query in queries.items()
        ),
    ]


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Asgi], Asgi] | None:
    """Send the security headers that Datasette does not; take a blank search for none."""
    if not _is_ours(datasette):
        return None
    headers = [
        (b"content-security-policy", _content_security_policy(datasette).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ]

    def wrap(app: Asgi) -> Asgi:
        async def with_headers(scope: Any, receive: Any, send: Any) -> None:
            async def send_with_headers(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message = message | {"headers": [*message.get("headers", []), *headers]}
                await send(message)

            if (
                "query_string" in scope
            ):  # the form of filters sends its empty search box, which would match nothing
                scope = scope | {"query_string": _BLANK_SEARCH.sub(b"", scope["query_string"])}
            await app(scope, receive, send_with_headers)

        return with_headers

    return wrap


def _content_security_policy(datasette: Any) -> str:
    """Allow our own files and the few inline scripts of Datasette's own templates, by digest; nothing from elsewhere."""
    digests = " ".join(f"'sha256-{digest}'" for digest in _inline_script_digests(datasette))
    return (
        f"default-src 'none'; script-src 'self' {digests}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _inline_script_digests(datasette: Any) -> list[str]:
    environment = datasette.jinja_env
    names = ("_close_open_menus.html", "_codemirror_foot.html", "table.html")
    sources = [environment.loader.get_source(environment, f"default:{name}")[0] for name in names]
    scripts = [
        script for source in sources for script in re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    ]
    written = [script.replace("{{ datasette_allow_facet }}", "true") for script in scripts]
    return [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in written]
