"""How a site wants to be asked, as far as its redirects tell."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from uknip_crawler.sites import Site
from uknip_crawler.urls import is_own_host

_MAX_COOKIES = 4096  # characters of a header


class Origin:
    """The scheme and host it redirects to, once it has (`www.`, https), and `cookies`.

    Cookies are sent only where a redirect would not be left without them, and are forgotten with the run.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.cookies: dict[str, str] = {}
        self._origin: tuple[str, str] = urlsplit(site.base_url)[:2]

    def wire_url(self, url: str) -> str:
        """Return the address to ask for one of the site's; one of another host stays as it is."""
        parts = urlsplit(url)
        return urlunsplit((*self._origin, *parts[2:])) if is_own_host(parts.hostname, self._site) else url

    def cookie_header(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the header that tells the site its cookies and those of a chain of redirects; none for none."""
        pairs = [f"{name}={value}" for name, value in (self.cookies | dict(more)).items()]
        while pairs and len("; ".join(pairs)) > _MAX_COOKIES:
            pairs.pop()
        return {"Cookie": "; ".join(pairs)} if pairs else {}

    def learn(self, asked: str, target: str) -> bool:
        """Adopt the origin of a redirect within the site; return whether it was another than the one asked."""
        origin = urlsplit(target)[:2]
        if urlsplit(asked)[:2] == origin:
            return False
        self._origin = origin
        return True
