"""robots.txt by RFC 9309: may this address be asked for, and how often?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self

from protego import Protego

MAX_BYTES = 512 * 1024
"""What is read of a longer file; RFC 9309 §2.5 asks for at least 500 KiB."""

_MAX_COMBINATIONS = 2_000_000
_GROUP = re.compile(r"\s*user[- ]?agent\b", re.IGNORECASE)
_DENY_ALL = "User-agent: *\nDisallow: /\n"


def verdict(status: int) -> Literal["parse", "allow", "unreachable"]:
    """Tell what robots.txt's final HTTP status means (RFC 9309 §2.3.1).

    429 asks us to wait, so it counts as unreachable; so does a redirect that leads nowhere.
    """
    if 200 <= status < 300:
        return "parse"
    return "allow" if 400 <= status < 500 and status != 429 else "unreachable"


@dataclass(frozen=True, slots=True)
class Robots:
    """A robots.txt as read. `sitemaps` are as printed; `warning` says in one line what was wrong with it."""

    rules: Protego
    sitemaps: tuple[str, ...] = ()
    warning: str | None = None

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read the first 512 KiB of a robots.txt; never raises.

        UTF-16 is obeyed with a warning, an HTML page allows everything with a warning, and a file made to
        cost time (agents × rules) forbids everything with a warning.
        """
        text, warning = _text(body)
        lines = text.splitlines()
        agents = sum(1 for line in lines if _GROUP.match(line))
        if text.lstrip().startswith("<") and not agents:
            text, warning = "", "an HTML page; everything is allowed"
        if agents * len(lines) > _MAX_COMBINATIONS:
            text, warning = _DENY_ALL, f"{agents} user-agent lines; too many to read, everything is forbidden"
        rules = Protego.parse(text)
        return cls(rules, tuple(dict.fromkeys(rules.sitemaps)), warning)

    def allowed(self, url: str, user_agent: str) -> bool:
        """Tell whether `user_agent` (the full header will do) may ask for an absolute URL."""
        return self.rules.can_fetch(url, user_agent)

    def crawl_delay(self, user_agent: str) -> float | None:
        """Return the delay in seconds that robots.txt asks of `user_agent`, or None."""
        return self.rules.crawl_delay(user_agent)


def _text(body: bytes) -> tuple[str, str | None]:
    encoding = _utf16(body[:4])
    text = body[:MAX_BYTES].decode(encoding or "utf-8-sig", "replace").lstrip("\ufeff")
    warning = "UTF-16 instead of UTF-8; read nevertheless" if encoding else None
    if len(body) > MAX_BYTES:
        text = text[: text.rfind("\n") + 1]  # half a rule would forbid more than the whole one
        warning = f"{len(body)} bytes; read to {MAX_BYTES}"
    return text, warning


def _utf16(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if len(head) > 1 and (head[0] == 0) != (head[1] == 0):
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    return None
