"""How the reader wants the room: size of the text, keys or none. Kept in the reader's own browser, in two cookies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from uknip_crawler.browse.pages.asking import Ask, Elsewhere

CHOICES: dict[str, tuple[str, ...]] = {"text": ("normal", "small", "large", "largest"), "keys": ("on", "off")}
"""Each thing to choose with what it may be, first what it is unless chosen."""


def choose(ask: Ask) -> NoReturn:
    """Remember what is chosen and lead back to the page it was chosen on."""
    chosen = {name: value for name, values in CHOICES.items() if (value := ask.text(name)) in values}
    back = ask.text("back", 4000)
    own = back.startswith("/") and not back.startswith("//") and "\\" not in back
    raise Elsewhere(back if own else "/", remember=chosen)


def looks(cookies: Mapping[str, str]) -> dict[str, str]:
    """Return what a reader has chosen, by the cookies that came with a request."""
    return {
        name: value if (value := cookies.get(name)) in values else values[0]
        for name, values in CHOICES.items()
    }
