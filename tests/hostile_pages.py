"""Pages made to crash, stall or mislead what reads them, each with what it may become; also weighed by bench/hostile.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Hostile:
    """`row` of docs/faults.md, the page's bytes by its name, and its outcome; a story must be whole (`end`) or have the `flag`.

    Without an outcome several are right: a whole story, one that is flagged, or a failure with a name.
    """

    row: str
    body: Callable[[str], bytes]
    outcome: str | None = "stored"
    flag: str = ""
    media_type: str = "text/html; charset=utf-8"


def end(name: str) -> str:
    """Return the last line of a page, which nobody else says."""
    return f"The bell at Quenby was rung at the end of the service by the {name}, and all went home."


def story(name: str, middle: str = "", head: str = "") -> str:
    start = f"The bell of the {name} was mended on Friday by the verger, who had a ladder and an hour."
    return (
        f"<!doctype html><html lang=en-GB><head><meta charset=utf-8><title>Bell of the {name} mended</title>{head}</head>"
        f"<body class='single single-post'><article><h1>Bell of the {name} mended by the verger</h1><div class='entry-content'>"
        f"<p>{start}</p>{middle}<p>{end(name)}</p></div></article></body></html>"
    )


def page(middle: str = "", head: str = "") -> Callable[[str], bytes]:
    return lambda name: story(name, middle, head).encode()


def date(printed: str) -> str:
    return f'<meta property="article:published_time" content="{printed}">'


PAGES: dict[str, Hostile] = {
    "nine bytes": Hostile("X01", lambda _: b"<svg>html", "extract_error"),
    "bad base": Hostile("X02", page(head='<base href="http://[bad">')),
    "250 deep": Hostile("X03", page("<div>" * 250 + "deep" + "</div>" * 250), flag="truncated_parse"),
    "300 deep": Hostile("X03", page("<div>" * 300 + "deep" + "</div>" * 300), flag="truncated_parse"),
    "controls": Hostile("X04", page("<p>Rung\x00 \x01\x08twice\x1f.</p>")),
    "invalid UTF-8": Hostile("X05", lambda name: story(name, "<p>Rung @@ twice.</p>").encode().replace(b"@@", b"\xff\xc3\x28\xed\xa0\x80")),
    "says Latin-1": Hostile("X06", page("<p>A caf\u00e9 was open.</p>"), media_type="text/html; charset=iso-8859-1"),
    "says UTF-16": Hostile("X07", lambda name: story(name).replace("charset=utf-8", "charset=utf-16").encode(), media_type="text/html"),
    "junk date": Hostile("X08", page(head=date("2024-13-45T99:00:00"))),
    "zero date": Hostile("X08", page(head=date("0000-00-00T00:00:00"))),
    "refrain": Hostile("X09", page("<p>Ring it again, sang the whole of the choir at Quenby on that day.</p>" * 3), flag="repeated_paragraphs"),
    "unclosed comment": Hostile("X10", page(f"<!-- never closed {'x' * 500}"), flag="truncated_parse"),
    "odd JSON-LD": Hostile("X12", page(head='<script type="application/ld+json">{"@graph":[7,null,{"@type":["NewsArticle"],"headline":{"a":[]},"author":9,"datePublished":[[]],"image":{"url":3}}]}</script>')),
    "giant colspan": Hostile("X13", page("<table>" + "<tr><td colspan=99999999>Row</td><td rowspan=99999999>Cell</td></tr>" * 50 + "</table>")),
    "PDF as HTML": Hostile("X14", lambda _: b"%PDF-1.7\n" + bytes(range(256)) * 40, "not_article"),
    "100,000 attributes": Hostile("X16", page("<i " + " ".join(f"a{n}=1" for n in range(100_000)) + "></i>"), None),
    "attribute of 10 MB": Hostile("X16", page(f"<p title='{'x' * 10_000_000}'>ab</p>"), None),
    "password": Hostile("W05", lambda _: b"<html><body class='single single-post postid-9'><h1>Protected: A story</h1><form class='post-password-form'><input name='post_password' type='password'></form></body></html>", "protected"),
    "soft 404": Hostile("W07", lambda _: b"<html><head><title>Page not found</title></head><body class='error404'><h1>Page not found</h1><p>Nothing was found at this location.</p></body></html>", "soft_404"),
}  # fmt: skip

COSTLY: dict[str, Hostile] = {
    "125,000 paragraphs": Hostile("X16", page("<p>ab</p>" * 125_000), None),
    "text of 11 MB": Hostile("X16", page("<p>" + "word " * 2_200_000 + "</p>"), None),
}
"""Pages that take seconds, which a crawl reads several times."""
