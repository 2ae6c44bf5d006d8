"""Addresses: the one canonical form of each, and what kind of page it can lead to."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote_plus, urljoin, urlsplit, urlunsplit

from w3lib.url import safe_url_string

from uknip_crawler.errors import AddressRefused, HostRefused, UrlRefused
from uknip_crawler.sites import Site

MAX_URL_LENGTH = 2083
MAX_PARTS = 50
"""Pages of one story that are asked for; what comes after them is said to be missing."""


class AddressKind(StrEnum):
    """What an address alone tells: article, listing, trap (never asked for), or unknown until seen."""

    ARTICLE = "article"
    LISTING = "listing"
    TRAP = "trap"
    UNKNOWN = "unknown"


_DROPPED = re.compile(
    r"(?i:utm_\w+|fbclid|fb_comment_id|gclid|gclsrc|gad_source|[gw]braid|dclid|msclkid|mc_[ce]id|igsh(?:id)?|twclid|"
    r"yclid|mibextid|srsltid|_ga|_gl|ref_src|replytocom|print|amp|noamp|share|nb|like_comment|unapproved|"
    r"moderation-hash|doing_wp_cron)"
)
_TRAP_QUERY = frozenset(
    {
        "s",
        "attachment_id",
        "feed",
        "rest_route",
        "preview",
        "m",
        "cal",
        "tribe-bar-date",
        "ical",
        "outlook-ical",
    }
)
_SESSION = re.compile(
    r"(?i:(?:php|asp|j)?sess(?:ion)?_?(?:id|key|hash)?(?:s?[a-z]{8})?|asp\.net_sessionid|cfid|cftoken|oscsid|zenid|sid)"
)
_SESSION_VALUE = re.compile(r"(?=.*\d)[\w.,!-]{8,}")
_SESSION_PATH = re.compile(r"(?i);(?:jsessionid|phpsessid|session_?id|sid)=[^/;]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_PLAIN_PATH = re.compile(r"[\w/-]*", re.ASCII)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_AMP_PATH = re.compile(r"(?:/amp)+/?$")
_PART_PATH = re.compile(r"(?P<first>/.*[^/])/(?:(?:page|part)[-_]?)?(?P<number>[1-9]\d{0,2})(?P<slash>/?)")
_NO_STORY = re.compile(r"(?i)/(?:\d+|tag|category|author|comments?)$")
_PART_QUERY = frozenset({"page", "paged", "pg", "part"})
_PLAIN_QUERY = _PART_QUERY | {"p", "page_id", "cat", "tag", "author"}
_SCHEME = re.compile(r"(?i)(https?):/*")
_MANY_SEGMENTS = 12
_VARIABLE = re.compile(
    r"(?i)\d+|(?<![a-z])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_DOTS = {".": ".", "%2e": ".", "..": "..", ".%2e": "..", "%2e.": "..", "%2e%2e": ".."}


def canonicalise(url: str, site: Site, *, base: str | None = None) -> str:
    """Return the canonical form of an address of the site: scheme and host of its base URL, path as printed.

    Capitals, trailing slashes and unknown query parameters stay; fragment, tracking, session, print, AMP and comment
    parameters go; dot segments are resolved and percent escapes written in capitals (RFC 3986 §6.2.2). Relative addresses are resolved against `base` (default: the site's base URL).
    Raises HostRefused for another host or port, UrlRefused for anything that is not a plain http(s) address or not
    below the site's folder.
    """
    if _is_canonical(url, site):
        return url
    parts = _parts(url, base or site.base_url)
    own = _own(parts, site, url)
    path = _AMP_PATH.sub("/", _without_dots(_SESSION_PATH.sub("", parts.path))) or "/"
    if f"{path}/" == own.path:
        path = own.path  # the folder itself
    kept = urlunsplit((own.scheme, own.netloc, path, _without_tracking(parts.query), ""))
    canonical = _ESCAPE.sub(lambda escape: escape[0].upper(), str(safe_url_string(kept)))
    if len(canonical) > MAX_URL_LENGTH:
        raise UrlRefused(f"address of {len(canonical)} characters refused: {url[:80]!r}")
    if not canonical.startswith(site.base_url):
        raise UrlRefused(f"not below {site.base_url}: {url[:80]!r}")
    return canonical


def _is_canonical(url: str, site: Site) -> bool:
    """Tell whether an address needs no closer look, as most of a site's own do not."""
    if not url.startswith(site.base_url) or not _PLAIN_PATH.fullmatch(url, len(site.base_url)):
        return False
    return len(url) <= MAX_URL_LENGTH and not url.endswith(("/amp", "/amp/"))


def given(text: str, site: Site) -> str:
    """Return the canonical form of an address as people have it at hand.

    With or without scheme, slashes lost between the two, or the path alone. Raises as `canonicalise` does.
    """
    text = text.strip()
    if scheme := _SCHEME.match(text):
        return canonicalise(f"{scheme[1].lower()}://{text[scheme.end() :]}", site)
    if re.match(r"(?i)[a-z][a-z0-9+.-]*://", text):
        return canonicalise(text, site)  # refused, by the scheme's name
    if text.startswith("//") or "." in _first_word(text) or names_host(text, site):
        return canonicalise(f"https://{text.removeprefix('//')}", site)
    return canonicalise(text if text.startswith(("/", "?")) else f"{site.folder}{text}", site)


def names_host(text: str, site: Site) -> bool:
    """Tell whether an address at hand begins with the site's host, after a scheme or without one."""
    return is_own_host(_first_word(_SCHEME.sub("", text.strip())).lower(), site)


def _first_word(text: str) -> str:
    return re.split(r"[/?#:]", text.removeprefix("//"), maxsplit=1)[0]


def _own(parts: SplitResult, site: Site, url: str) -> SplitResult:
    """Return the site's own address in parts. Raises HostRefused for an address on another host or port."""
    own = urlsplit(site.base_url)
    if not is_own_host(parts.hostname, site):
        raise HostRefused(f"{parts.hostname or 'no host'} is not {site.host}: {url[:80]!r}")
    if _port(parts.port, parts.scheme) not in _allowed_ports(own.port, own.scheme):
        raise HostRefused(f"port {parts.port} is not the site's: {url[:80]!r}")
    return own


def is_variant(url: str) -> bool:
    """Tell whether an address asks for the AMP or print form of a page, which is another page's markup."""
    parts = urlsplit(url)
    keys = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    return bool(_AMP_PATH.search(parts.path) or keys & {"amp", "print"})


def image_address(url: str, site: Site) -> str:
    """Return the address of an image as it is asked for: as printed, blanks escaped, without its fragment.

    Raises HostRefused when its host is neither the site's nor one of its image hosts, UrlRefused as
    `canonicalise` does.
    """
    url = url.strip().replace(" ", "%20")
    parts = _parts(url, site.base_url)
    if is_own_host(parts.hostname, site):
        _own(parts, site, url)  # its images may stand outside its folder
    elif parts.hostname not in site.image_hosts or _port(parts.port, parts.scheme) not in (80, 443):
        raise HostRefused(f"no image host: {parts.netloc}")
    return str(safe_url_string(urlunsplit(parts._replace(fragment=""))))


def is_own_host(host: str | None, site: Site) -> bool:
    """Tell whether a host is the site's, with or without `www.`."""
    return (host or "").rstrip(".").removeprefix("www.") == site.host


def _parts(url: str, base: str) -> SplitResult:
    """Split an address, made absolute. Raises UrlRefused for anything that is not a plain http(s) address."""
    stripped = url.strip()
    if len(stripped) > 8 * MAX_URL_LENGTH:
        raise UrlRefused(f"address of {len(stripped)} characters refused: {url[:80]!r}")
    if _UNSAFE.search(stripped):
        raise UrlRefused(f"address with blanks, controls or backslashes refused: {url[:80]!r}")
    try:
        parts = urlsplit(urljoin(base, stripped))
        _ = parts.port, parts.hostname  # read here, where they may raise
    except ValueError:
        raise UrlRefused(f"malformed address refused: {url[:80]!r}") from None
    if parts.scheme not in ("http", "https"):
        raise UrlRefused(f"only http and https are asked for, not {parts.scheme or 'nothing'}: {url[:80]!r}")
    if parts.username is not None or parts.password is not None:
        raise UrlRefused(f"address with credentials refused: {url[:80]!r}")
    return parts


def _without_dots(path: str) -> str:
    """Resolve `.` and `..`, also when escaped, so that no address hides behind another's path (RFC 3986 §5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        dots = _DOTS.get(segment.lower())
        if dots is None:
            kept.append(segment)
        elif dots == ".." and len(kept) > 1:
            kept.pop()
    return "/".join(kept) + ("/" if segments[-1].lower() in _DOTS else "")


def _without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if not _is_dropped(*_key_and_value(pair)))


def _key_and_value(pair: str) -> tuple[str, str]:
    key, _, value = pair.partition("=")
    return unquote_plus(key), unquote_plus(value)


def _is_dropped(key: str, value: str) -> bool:
    """Tell whether a parameter says nothing of the page: who came from where, or in which session."""
    return bool(_DROPPED.fullmatch(key) or (_SESSION.fullmatch(key) and _SESSION_VALUE.fullmatch(value)))


def _port(port: int | None, scheme: str) -> int:
    return port if port is not None else (443 if scheme == "https" else 80)


def _allowed_ports(port: int | None, scheme: str) -> frozenset[int]:
    # a site on standard ports is one site over http and https; a port in the base URL is the only one allowed
    return frozenset({80, 443}) if port is None else frozenset({port})


def canonical_or_none(url: str | None, site: Site) -> str | None:
    """Return the canonical form of an address, or None for no address and for one that is not the site's."""
    try:
        return canonicalise(url, site) if url else None
    except AddressRefused:
        return None


def classify(canonical_url: str, site: Site) -> AddressKind:
    """Tell what kind of page a canonical address can lead to, by its form alone."""
    parts = urlsplit(canonical_url)
    path = f"/{parts.path.removeprefix(site.folder)}" if site.folder != "/" else parts.path
    keys = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if keys & _TRAP_QUERY or any(pattern.search(path) for pattern in site.trap_paths):
        return AddressKind.TRAP
    if "p" in keys:
        return AddressKind.UNKNOWN
    if any(pattern.search(path) for pattern in site.article_paths):
        part = part_of(canonical_url)  # only the page tells whether it is a story or the further page of one
        return AddressKind.UNKNOWN if part and part[1] <= MAX_PARTS else AddressKind.ARTICLE
    if any(pattern.search(path) for pattern in site.listing_paths) or keys & {
        "paged",
        "cat",
        "tag",
        "author",
    }:
        return AddressKind.LISTING
    return AddressKind.UNKNOWN


def slug(url: str) -> str:
    """Return the last path segment, which names the story in every address scheme of the site."""
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]


def part_of(url: str) -> tuple[str, int] | None:
    """Return (address of the first page, N) where an address has the form of page N of a story, or None.

    `/slug/2/`, `/slug/page/2/`, `/slug/part-2/`, `?page=2` and the like. The form alone proves nothing:
    `/m-25/101/` may be a story of its own.
    """
    parts = urlsplit(url)
    kept: list[str] = []
    number = 0
    for pair in parts.query.split("&"):
        key, _, value = pair.partition("=")
        if key in _PART_QUERY and re.fullmatch(r"[1-9]\d{0,2}", value) and not number:
            number = int(value)
        elif pair:
            kept.append(pair)
    if number:
        named = kept or parts.path.strip("/")  # the home page is no story
        return (urlunsplit(parts._replace(query="&".join(kept))), number) if named else None
    match = _PART_PATH.fullmatch(parts.path)
    first = re.sub(r"/(?:page|part)$", "", match["first"]) if match else ""
    if match is None or not first or _NO_STORY.search(first):
        return None
    return urlunsplit(parts._replace(path=first + match["slash"])), int(match["number"])


def is_same_address(one: str, other: str) -> bool:
    """Tell whether two canonical addresses differ by no more than a slash at the end of the path."""
    return one == other or _without_slash(one) == _without_slash(other)


def _without_slash(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/")))


def is_numbered(url: str) -> bool:
    """Tell whether an address ends in a number below a name: `/floods-in-kent/2020/` may be a story, `/2020/05/` not."""
    return re.search(r"/[^/]*[^\W\d_][^/]*/\d+/?$", urlsplit(url).path) is not None


def post_number(url: str) -> int | None:
    """Return N of a WordPress shortlink `…/?p=N`, or None."""
    try:
        value = dict(parse_qsl(urlsplit(url).query)).get("p", "")
    except ValueError:  # a feed's guid may be anything
        return None
    return int(value) or None if value.isascii() and value.isdigit() and len(value) <= 18 else None


def address_date(url: str) -> tuple[int, int, int] | None:
    """Return (year, month, day) printed in a dated address such as `/2020/04/26/slug/`, or None.

    Only shapes are checked; whether the day exists is the caller's to ask.
    """
    match = re.search(r"(?:^|/)((?:19|20)\d{2})/(\d{2})/(\d{2})/[^/]+", urlsplit(url).path)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def space_of(url: str) -> str | None:
    """Return the form that an address shares with others that a site may make without end, or None for one of its own.

    `/events/#/` for calendars, `/more/+` for paths that grow, `?key` for parameters besides WordPress's own. The form
    says nothing of what the pages are: stories may share one too.
    """
    parts = urlsplit(url)
    keys = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)} - _PLAIN_QUERY
    if keys:
        return "?" + "&".join(sorted(keys))
    segments = [segment for segment in parts.path.split("/") if segment]
    for number, segment in enumerate(segments):
        if segments[:number].count(segment) > 1 or (number and segments[number - 1] == segment):
            return f"/{'/'.join(dict.fromkeys(segments[:number]))}/+"
    if len(segments) > _MANY_SEGMENTS:
        return f"/{'/'.join(segments[:2])}/+"
    form = _VARIABLE.sub("#", parts.path)
    return form if form != parts.path else None
