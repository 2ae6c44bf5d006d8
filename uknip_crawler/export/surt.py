"""The key by which indexes of captures are sorted and searched: SURT, "sort-friendly URI reordering transform".

As the Internet Archive's WaybackURLKeyMaker makes it, which pywb and cdxj-indexer follow: https://pypi.org/project/surt/.
Session ids stay in, and so do numbers in place of hosts: an archive has no such addresses.
"""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

_WWW = re.compile(r"www\d*\.")
_AS_IT_IS = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_PORTS = {"http": 80, "https": 443}


def surt(url: str) -> str:
    """Return `uk,co,example)/path?query` for an address of http or https, anything else as it is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    if parts.scheme not in _PORTS or not host:
        return url
    labels = _WWW.sub("", host, count=1) if _WWW.match(host) else host
    key = ",".join(reversed(labels.split(".")))
    key += f":{port}" if port not in (None, _PORTS[parts.scheme]) else ""
    query = "&".join(sorted(_escaped(parts.query).split("&"), key=lambda pair: pair.split("=", 1)))
    return f"{key}){_path(parts.path)}" + (f"?{query}" if query else "")


def _path(path: str) -> str:
    kept: list[str] = []
    for segment in _escaped(path).split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


def _escaped(text: str) -> str:
    """Return a text in lower case, unescaped as long as that changes it, and escaped once."""
    data = text.encode("utf-8", "surrogatepass")
    while (plain := unquote_to_bytes(data)) != data:
        data = plain
    return quote_from_bytes(data, safe=_AS_IT_IS).lower()
