"""The standfirst: a summary in words of its own, told apart from excerpts that plugins make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from uknip_crawler.extraction.metadata.headline import Headline
from uknip_crawler.extraction.page import classes
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.structured import Structured, text, types_of
from uknip_crawler.extraction.page.text import is_cut, key, one_line

_STANDFIRST = re.compile(
    r"(?:.*[-_])?(?:standfirst|subtitle|sub-?title|subhead(?:line)?|dek|psub-title)(?:[-_].*)?|excerpt"
)
_SUMMARY = re.compile(r"(?:.*[-_])?(?:excerpt|summary)")
_OF_SITE = frozenset({"WebSite", "Organization", "NewsMediaOrganization"})
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>|<!--.{0,300}?-->")
_SHORTCODE = re.compile(r"\[/?[a-z][a-z_-]{2,}(?:\s[^\]]*)?\]")
_LABELS = re.compile(
    r"^(?:(?:(?:estimated )?reading time:?\s*(?:<|&lt;|about)?\s*\d+\s*min(?:ute)?s?|\d+\s*min(?:ute)?s? read|\d+ (?:total )?views?)"
    r"[\s,.|·•–-]*)+",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\s*[(\[]?(?:(?:Read|See|Learn|Find [Oo]ut|View|READ|VIEW) (?:[Mm]ore|MORE)"
    r"|(?:Read|View) (?:[Tt]he )?(?:[Ff]ull |[Ww]hole |[Rr]est [Oo]f (?:[Tt]he )?)?(?:[Ss]tory|[Aa]rticle|[Pp]ost|[Ee]ntry)"
    r"|(?:Continue|Keep|CONTINUE) (?:[Rr]eading|READING)|Read [Oo]n|More [Dd]etails)\b(?:[:\s].{0,200})?[\s»›→>…)\].]*$"
)
MIN_RUN = 3
"""Words in a row that count as the story's own."""
SHARE_OF_STORY, SHARE_OF_CUT = 0.8, 0.5
MAX_WORDS = 150


def standfirst_block(blocks: Iterable[RawBlock], data: Structured) -> RawBlock | None:
    """Return the block that the page marks as the standfirst, if it does. One above the story that is called its
    summary is it only where the head says the same: themes call openings so as well."""
    said = {key(summary) for name in ("og:description", "description") for summary in data.meta.get(name, ())}
    begun = False
    for block in blocks:
        if not block.is_text or len(block.text.split()) <= 3:
            continue
        names = [token.lower() for token in classes(block.element)]
        is_summary = not begun and any(map(_SUMMARY.fullmatch, names)) and key(block.text) in said
        if is_summary or any(map(_STANDFIRST.fullmatch, names)):
            return block
        begun = begun or block.is_told
    return None


def own_standfirst(
    printed: str | None, data: Structured, body: str, headline: Headline
) -> tuple[str | None, str]:
    """Return (standfirst, source): a summary in its own words, not the story's opening or the headline again."""
    sites = {
        key(found)
        for n in data.nodes
        if _OF_SITE.intersection(types_of(n))
        if (found := text(n.get("description")))
    }
    descriptions = (
        ("markup", printed),
        ("json-ld", text(data.article.get("description"))),
        ("meta", data.first("og:description", "description", "twitter:description")),
    )
    story = key(body)
    for source, said in descriptions:
        words = _bare(said or "", headline)
        bare = key(words)
        if len(bare.split()) < 4 or bare in sites or _SHORTCODE.search(words):
            continue
        if (
            any(bare == echo or bare.startswith(f"{echo} ") for echo in headline.echoes)
            or bare in headline.text
        ):
            continue
        if not _is_excerpt(bare, story, is_cut(words)):
            return words, source
    return None, ""


def _bare(words: str, headline: Headline) -> str:
    """Return a summary without markup, a plugin's labels before it, and the link to the story behind it."""
    words = one_line(_TAG.sub(" ", words)) if "<" in words else words
    words = _LABELS.sub("", words)
    shorter = _MORE.sub("", words)
    if shorter != words or is_cut(words):
        for echo in sorted(headline.echoes, key=len, reverse=True):
            count = len(echo.split())
            if len(shorter.split()) > count and key(" ".join(shorter.split()[-count:])) == echo:
                shorter = " ".join(shorter.split()[:-count])
                break
    return shorter.strip()


def _is_excerpt(bare: str, story: str, cut: bool) -> bool:
    """Tell whether a summary is made of the story's own words: its opening, cut in mid-word, labels in between."""
    words = bare.split()[:MAX_WORDS]
    opening = story.split()[: 3 * len(words) + 100]
    if bare in story or (cut and story.startswith(" ".join(words[:6]))):
        return True
    runs = SequenceMatcher(None, words, opening, autojunk=False).get_matching_blocks()
    held = sum(run.size for run in runs if run.size >= MIN_RUN)
    return held >= (SHARE_OF_CUT if cut else SHARE_OF_STORY) * len(words)
