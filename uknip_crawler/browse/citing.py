"""How a story is cited: as plain text, BibTeX and CSL-JSON, with the capture that the words rest on.

CSL-JSON: https://github.com/citation-style-language/schema/blob/master/schemas/input/csl-data.json.
BibTeX in UTF-8, as BibLaTeX, Zotero and JabRef read it; what TeX would act on is escaped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from uknip_crawler.browse.times import london_date, london_day, london_time

MEDIA_TYPES = {
    "txt": "text/plain; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
    "json": "application/vnd.citationstyles.csl+json",
}
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_ACTS = re.compile(r"[\\{}$&#_%~^]")
_IN_ADDRESS = {"\\": "%5C", "{": "%7B", "}": "%7D", " ": "%20"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Cited:
    """What a citation says. Times as the archive writes them; `kept_at` is the story's page in the reading room."""

    key: str
    title: str
    authors: tuple[str, ...]
    publication: str
    section: str | None
    published_at: str | None
    url: str
    language: str | None
    captured_at: str
    sha256: str
    kept_at: str


def cited_story(story: Any, authors: list[str], publication: str, kept_at: str) -> Cited:
    """Return what a row of articles says of itself; signs that act on a terminal or turn text round are left out."""
    year = (story["published_at"] or story["captured_at"])[:4]
    host = re.sub(r"[^a-z0-9]", "", publication.partition(".")[0].lower()) or "story"
    return Cited(
        key=f"{host}{year if year.isdigit() else ''}-{kept_at.rpartition('/')[2][:8]}",
        title=_plain(story["headline"]) or "(no headline)",
        authors=tuple(_plain(name) for name in authors),
        publication=publication,
        section=_plain(story["section"] or "") or None,
        published_at=story["published_at"],
        url=_plain(story["url"]),
        language=story["language"],
        captured_at=story["captured_at"],
        sha256=story["body_sha256"],
        kept_at=kept_at,
    )


def as_text(cited: Cited) -> str:
    """Return one line to be pasted into a footnote."""
    people = ", ".join(cited.authors)
    day = london_day(cited.published_at) if _parts(cited.published_at) else "undated"
    opening = f"{people}, " if people else ""
    return (
        f"{opening}“{cited.title}”, {cited.publication}, {day}, {cited.url}. Captured {london_time(cited.captured_at)} "
        f"(London); SHA-256 of the text {cited.sha256}.\n"
    )


def as_bibtex(cited: Cited) -> str:
    """Return an `@online` entry (BibLaTeX; plain BibTeX styles take it for `@misc`)."""
    day = _parts(cited.published_at)
    fields = {
        "title": f"{{{_escaped(cited.title)}}}",
        "author": " and ".join(f"{{{_escaped(name)}}}" for name in cited.authors),
        "organization": _escaped(cited.publication),
        "date": "-".join(day),
        "year": day[0] if day else "",
        "url": _CONTROLS.sub("", "".join(_IN_ADDRESS.get(sign, sign) for sign in cited.url)),
        "urldate": "-".join(_parts(cited.captured_at)),
        "language": _escaped(_plain(cited.language or "")),
        "note": _escaped(f"Captured {cited.captured_at}; SHA-256 of the text {cited.sha256}"),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@online{{{cited.key},\n{lines}}}\n"


def as_csl(cited: Cited) -> str:
    """Return CSL-JSON: a list of one item."""
    item: dict[str, Any] = {
        "id": cited.key,
        "type": "article-newspaper",
        "title": cited.title,
        "author": [{"literal": name} for name in cited.authors],
        "container-title": cited.publication,
        "section": cited.section,
        "issued": _date(cited.published_at),
        "accessed": _date(cited.captured_at),
        "URL": cited.url,
        "language": cited.language,
        "archive": cited.kept_at,
        "note": f"Captured {cited.captured_at}; SHA-256 of the text {cited.sha256}",
    }
    given = {name: value for name, value in item.items() if value}
    return json.dumps([given], ensure_ascii=False, indent=2) + "\n"


def day_numbers(moment: str | None) -> str:
    """Return `2024/06/14`, as Highwire's tags want days, in London; nothing where there is none."""
    return "/".join(_parts(moment))


def _parts(moment: str | None) -> tuple[str, ...]:
    """Return year, month and day in London as text; nothing for what is no time."""
    match = _DAY.fullmatch(london_date(moment) or "")
    return match.groups() if match else ()


def _date(moment: str | None) -> dict[str, Any]:
    parts = _parts(moment)
    return {"date-parts": [[int(part) for part in parts]]} if parts else {}


def _escaped(text: str) -> str:
    return _ACTS.sub(lambda sign: _TEX[sign[0]], text)


def _plain(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())
