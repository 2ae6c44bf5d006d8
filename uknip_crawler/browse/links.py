"""Which of an archive's texts may become links, and the links themselves: they say nothing of the reader."""

from __future__ import annotations

import re

from markupsafe import Markup

_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f\"<>\\]+", re.IGNORECASE)
_SHOWN_CHARACTERS = 80


def is_web_address(text: object) -> bool:
    """Tell whether a text may become a link: http or https, and nothing that is no part of an address."""
    return isinstance(text, str) and _WEB_ADDRESS.fullmatch(text) is not None


def web_link(address: str, text: str | None = None, *, whole: bool = False) -> Markup:
    """Return a link to a page outside; the text is shortened unless it is wanted `whole`, the target is not."""
    shown = address if text is None else text
    if len(shown) > _SHOWN_CHARACTERS and not whole:
        shown = f"{shown[:_SHOWN_CHARACTERS]}…"
    return Markup('<a href="{}" rel="noreferrer noopener nofollow">{}</a>').format(address, shown)


def address(text: str | None, *, whole: bool = False) -> Markup:
    """Return a link where a text may be one, else the text, kept from turning its surroundings round."""
    if text and is_web_address(text):
        return web_link(text, whole=whole)
    return Markup("<bdi>{}</bdi>").format(text or "")
