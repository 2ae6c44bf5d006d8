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


def policy(status: int) -> Literal["parse", "allow", "unreachable"]:
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
    text: str = ""

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
        return cls(rules, tuple(dict.fromkeys(rules.sitemaps)), warning, text)

    def allowed(self, url: str, user_agent: str) -> bool:
        """Tell whether `user_agent` (the full header will do) may ask for an absolute URL."""
        return self.rules.can_fetch(url, user_agent)

    def rule_for(self, url: str, user_agent: str) -> str | None:
        """Return the line that decides about an address, or None when no line speaks of it.

        The longest match decides, and of two as long the allowance (RFC 9309 §2.2.2).
        """
        wanted = "allow" if self.allowed(url, user_agent) else "disallow"
        lines = [line for line in self._group_of(user_agent) if line.lower().startswith(wanted)]
        return max((line for line in lines if _decides(line, url)), key=len, default=None)

    def _group_of(self, user_agent: str) -> list[str]:
        """Return the rules for an agent: those of the groups that name it, else those for all (RFC 9309 §2.2.1)."""
        product = user_agent.partition("/")[0].strip().lower()
        groups: dict[str, list[str]] = {}
        agents: list[str] = []
        is_open = False
        for line in (printed.partition("#")[0].strip() for printed in self.text.splitlines()):
            if _GROUP.match(line):
                agents = [*(agents if is_open else []), line.partition(":")[2].strip().lower()]
                is_open = True
            elif line:
                is_open = False
                for agent in agents:
                    groups.setdefault(agent, []).append(line)
        return groups.get(product) or groups.get("*", [])

    def crawl_delay(self, user_agent: str) -> float | None:
        """Return the delay in seconds that robots.txt asks of `user_agent`, or None."""
        return self.rules.crawl_delay(user_agent)


def _decides(line: str, url: str) -> bool:
    """Tell whether a rule speaks of an address: whether it would forbid it, alone."""
    pattern = line.partition(":")[2].strip()
    return bool(pattern) and not Protego.parse(f"User-agent: *\nDisallow: {pattern}").can_fetch(url, "*")


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
