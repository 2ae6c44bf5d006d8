"""Furniture taken out of a body, line by line, each line reported with the rule that took it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice

from uknip_crawler.extraction.body.embeds import is_player
from uknip_crawler.extraction.body.images import credit_line
from uknip_crawler.extraction.body.leading import MAX_LABEL_WORDS, lines_that_lead
from uknip_crawler.extraction.body.particulars import Particulars
from uknip_crawler.extraction.metadata.headline import Headline
from uknip_crawler.extraction.page import Element
from uknip_crawler.extraction.page.places import ancestors
from uknip_crawler.extraction.page.raw import RawBlock
from uknip_crawler.extraction.page.text import is_cut, is_sentence, key
from uknip_crawler.models import BlockKind, Image, Stripped
from uknip_crawler.sites import Furniture, Site, fold

_HOME = re.compile(r"(?i)^home\b[\s»>/|›–-]*")
_VOICE = re.compile(r"(?i)\b(?:we|our|us|you|your)\b(?![^“\"‘]*[”\"])")
MIN_TEASER = 40
MAX_FURNITURE = 600
MAX_LINES_ABOVE = 8


@dataclass(frozen=True, slots=True)
class Context:
    """What a page says besides its body: `labels` are folded section names, `alts` keys of images' alt texts; whether
    the story goes on, on a page of its own; its `particulars`."""

    site: Site
    headline: Headline
    labels: frozenset[str]
    alts: frozenset[str]
    has_image: bool = False
    url: str = ""
    goes_on: bool = False
    particulars: Particulars = Particulars()  # noqa: RUF009  frozen


@dataclass(slots=True)
class Cleaned:
    """`crumb` is the section a breadcrumb line named, `credit` a credit that stood in the last line."""

    blocks: list[RawBlock]
    furniture: list[Stripped] = field(default_factory=list)
    crumb: str | None = None
    credit: tuple[str | None, str] | None = None


def clean(blocks: list[RawBlock], context: Context) -> Cleaned:
    """Return the story alone."""
    result = Cleaned([])
    for block in blocks:
        bare = _without_tokens(block, context.site.furniture)
        if bare is None:
            result.furniture.append(Stripped(block.text, "token"))
        else:
            result.blocks.append(bare)
    result.crumb = (
        next((crumb for b in result.blocks if (crumb := _crumb(b.text, context)) is not None), None) or None
    )
    echo = next((block for block in result.blocks if block.is_text), None)
    _cut_tail(result, context)
    _drop(result, lambda block: _line_rule(block, context))
    _drop_particulars(result, context)
    _drop_before_story(result, context)
    _drop_teasers(result)
    _drop_links(result, context)
    _take_credits(result, context)
    if not context.goes_on:
        _drop_trailing_headings(result)
    if not any(block.is_text for block in result.blocks) and echo is not None:
        _restore_only_line(result, echo, context)
    return result


def without_token(text: str, token: re.Pattern[str]) -> str:
    """Return text without the tokens; words on both sides stay whole and apart."""

    def gap(match: re.Match[str]) -> str:
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        return "" if not before.strip() or not after.strip() or after in ".,;:!?)’”" else " "

    shorter = token.sub(gap, text)
    return text if shorter == text else re.sub(r"\s+([.,;:!?])", r"\1", " ".join(shorter.split()))


def _without_tokens(block: RawBlock, furniture: Furniture) -> RawBlock | None:
    """Return the block without shortcodes, a bare video address as an embed, or None when nothing is left."""
    if not block.is_text:
        return block
    text = block.text
    if "[" in text:
        for token in furniture.tokens:
            text = without_token(text, token)
    if not text:
        return None
    block = replace(block, text=text)
    return replace(block, kind=BlockKind.EMBED, text="", url=text) if is_player_line(text) else block


def is_player_line(text: str) -> bool:
    """Tell whether a line is nothing but the address of a video or a post: an embed that failed."""
    return bool(re.fullmatch(r"https?://[^\s<>\"]+", text)) and is_player(text)


def _drop(result: Cleaned, rule_of: Callable[[RawBlock], str | None]) -> None:
    kept = []
    for block in result.blocks:
        rule = rule_of(block) if block.is_text and not block.is_spared else None
        if rule is None:
            kept.append(block)
        else:
            result.furniture.append(Stripped(block.text, rule))
    result.blocks = kept


def _line_rule(block: RawBlock, context: Context) -> str | None:
    """Return the rule under which a line is furniture wherever it stands."""
    text, furniture = block.text, context.site.furniture
    if len(text) > MAX_FURNITURE:
        return None
    folded, words = fold(text), key(text)
    if not words:
        return "lone_mark"
    if folded in furniture.lines or folded in furniture.tail:
        return "line"
    if folded.startswith(furniture.starts):
        return "opening"
    if any(pattern.fullmatch(folded) for pattern in (*furniture.patterns, *furniture.tail_patterns)):
        return "pattern"
    if words in context.headline.echoes:
        return "headline_echo"
    if _crumb(text, context) is not None:
        return "breadcrumb"
    if words in context.alts and (len(words.split()) <= 25 and not is_sentence(text)):
        return "alt_echo"
    if is_cut(text) and any(words.startswith(f"{echo} ") for echo in context.headline.echoes):
        return "auto_standfirst"
    return None


def _crumb(text: str, context: Context) -> str | None:
    """Return the section named by a line `Home Breaking <headline>`, "" if it names none, None for another line."""
    match = _HOME.match(text)
    if not match:
        return None
    rest = text[match.end() :]
    words = key(rest.rstrip(".…"))
    for echo in sorted(context.headline.echoes, key=len, reverse=True):
        if words == echo or words.endswith(f" {echo}"):
            lead = len(words) - len(echo)
            return rest[:lead].strip(" »>/|›–-") if lead else ""
    if is_cut(text):  # a breadcrumb that shortens the headline
        own = key(context.headline.text)
        parts = [part.strip() for part in re.split(r"[»>/|›]", rest)]
        if len(parts) > 1 and own.startswith(key(parts[-1].rstrip(".…"))):
            return parts[-2]
    return None


def _cut_tail(result: Cleaned, context: Context) -> None:
    """Cut from the first tail marker after which the story does not go on; one in mid-story costs its own box."""
    index = _next_marker(result.blocks, 0, context)
    while index is not None:
        blocks = result.blocks
        goes_on = _goes_on(blocks, index, context)
        ends = len(blocks) if goes_on is None else _end_of_box(blocks, index, goes_on)
        result.furniture += [Stripped(b.text, "tail") for b in blocks[index:ends] if b.text and b.is_text]
        del blocks[index:ends]
        index = _next_marker(blocks, index, context)


def _next_marker(blocks: list[RawBlock], start: int, context: Context) -> int | None:
    furniture, begun = context.site.furniture, start > 0
    for index, block in enumerate(blocks):
        if not block.is_text or index < start:
            continue
        folded = fold(block.text)
        if folded in furniture.tail or any(pattern.fullmatch(folded) for pattern in furniture.tail_patterns):
            if begun:
                return index
        elif not begun and block.kind is not BlockKind.HEADING:
            begun = _line_rule(block, context) is None and not _is_label_line(block, context)
    return None


def _goes_on(blocks: list[RawBlock], marker: int, context: Context) -> int | None:
    """Return where the story goes on after a marker: with a long sentence of its own in a place it has stood in."""
    homes = [block.element.getparent() for block in blocks[:marker] if block.is_told]
    places = {_place_of(home) for home in homes if home is not None}
    found = [
        index
        for index, block in enumerate(blocks[marker + 1 :], marker + 1)
        if block.is_told
        and not block.links
        and not _VOICE.search(block.text)
        and _place_of(block.element.getparent()) in places
        and _line_rule(block, context) is None
    ]
    is_teased = len(found) > 1 and all(blocks[index - 1].linked > 0.9 for index in found)
    return found[0] if found and not is_teased else None


def _place_of(parent: Element | None) -> tuple[object, ...]:
    """Return what brothers and cousins share: what holds them both, and the wrappers' own names."""
    if parent is None:
        return ()
    names = parent.get("class") or ""
    return (parent.getparent(), parent.tag, names) if names else (parent,)


def _end_of_box(blocks: list[RawBlock], marker: int, goes_on: int) -> int:
    """Return the index after what belongs to a marker: its wrapper's blocks, or the lines below it that link."""
    story = {e for index in (*range(marker), goes_on) for e in ancestors(blocks[index].element)}
    wrapper = next((e for e in reversed(ancestors(blocks[marker].element)) if e not in story), None)
    end = marker + 1
    while end < goes_on:
        block = blocks[end]
        boxed = wrapper is not None and wrapper in ancestors(block.element)
        leads = block.is_text and (block.linked > 0.6 or (is_cut(block.text) and end < goes_on))
        if not boxed and not leads and (block.is_text or not block.image or block.linked < 0.6):
            break
        end += 1
    return end


def _drop_particulars(result: Cleaned, context: Context) -> None:
    gone = context.particulars.lines_of(result.blocks)
    result.furniture += [Stripped(result.blocks[index].text, "particulars") for index in sorted(gone)]
    result.blocks = [block for index, block in enumerate(result.blocks) if index not in gone]


def _drop_before_story(result: Cleaned, context: Context) -> None:
    for _ in range(MAX_LINES_ABOVE):
        first, second = islice((*(b for b in result.blocks if b.is_text), None, None), 2)
        if first is None or second is None:
            return
        opening = key(first.text.rstrip("….] ["))
        if _is_label_line(first, context):
            rule = "labels"
        elif is_cut(first.text) and key(second.text).startswith(opening):
            rule = "auto_standfirst"
        else:
            return
        result.blocks.remove(first)
        result.furniture.append(Stripped(first.text, rule))


def _is_label_line(block: RawBlock, context: Context) -> bool:
    """Tell whether a line above the story only names sections or a kicker: `BREAKING Cosham HAMPSHIRE`."""
    words = block.text.replace(",", " ").split()
    if not 0 < len(words) <= MAX_LABEL_WORDS or is_sentence(block.text):
        return False
    folded = fold(block.text)
    if (
        folded in context.labels
        or folded in context.site.kickers
        or folded == fold(context.headline.kicker or "")
    ):
        return True
    titled = all(word[0].isupper() or not word[0].isalnum() for word in words)
    known = any(fold(word) in context.labels for word in words)
    return titled and known and (any(word.isupper() for word in words) or block.linked > 0.6)


def _drop_teasers(result: Cleaned) -> None:
    """Drop runs of two or more openings of other stories, each cut with an ellipsis, once a story has begun."""
    blocks = result.blocks
    cut = [block.is_text and is_cut(block.text) and len(block.text) >= MIN_TEASER for block in blocks]
    linked = [block.linked > 0.9 for block in blocks]
    begins = next(
        (i for i, b in enumerate(blocks) if b.is_text and b.kind is not BlockKind.HEADING), len(blocks)
    )
    drop: set[int] = set()
    index = begins + 1
    while index < len(blocks):
        end = index
        while end < len(blocks) and (cut[end] or linked[end] or not blocks[end].is_text):
            end += 1
        if sum(cut[index:end]) > 1:
            first = next(i for i in range(index, end) if cut[i] or linked[i])
            drop.update(range(first, end))
        index = end + 1
    result.furniture += [Stripped(blocks[i].text, "teasers") for i in sorted(drop) if blocks[i].is_text]
    result.blocks = [block for i, block in enumerate(blocks) if i not in drop]


def _drop_links(result: Cleaned, context: Context) -> None:
    leading = lines_that_lead(result.blocks, context.site, context.url)
    if not any(block.is_text and index not in leading for index, block in enumerate(result.blocks)):
        return
    result.furniture += [Stripped(result.blocks[index].text, "links") for index in sorted(leading)]
    result.blocks = [block for index, block in enumerate(result.blocks) if index not in leading]


def _take_credits(result: Cleaned, context: Context) -> None:
    """Move credits that stand in lines of their own, last or under an image, to their images."""
    last = next((block for block in reversed(result.blocks) if block.is_text), None)
    kept: list[RawBlock] = []
    for block in result.blocks:
        above = kept[-1] if kept and kept[-1].image else None
        is_last = block is last and context.has_image and any(other.is_text for other in kept)
        found = credit_line(block.text) if block.kind is BlockKind.PARAGRAPH and (above or is_last) else None
        if found is None:
            kept.append(block)
            continue
        result.furniture.append(Stripped(block.text, "credit"))
        if above and above.image:
            kept[-1] = replace(above, image=with_credit(above.image, found))
        else:
            result.credit = found
    result.blocks = kept


def with_credit(image: Image, credit: tuple[str | None, str]) -> Image:
    """Return the image with a credit line's content where it has none of its own."""
    return replace(image, caption=image.caption or credit[0], credit=image.credit or credit[1])


def _drop_trailing_headings(result: Cleaned) -> None:
    """Drop headings without text below them; closing sentences that a page sets as headings are text."""
    while texts := [block for block in result.blocks if block.is_text]:
        last = texts[-1]
        if last.kind is not BlockKind.HEADING or len(texts) == 1 or _is_closing_sentence(last.text):
            return
        result.blocks.remove(last)
        result.furniture.append(Stripped(last.text, "trailing_heading"))


def _is_closing_sentence(text: str) -> bool:
    words = len(text.split())
    return is_sentence(text) and (words >= 12 or (words >= 6 and not text.rstrip("\"'’”)").endswith("?")))


def _restore_only_line(result: Cleaned, line: RawBlock, context: Context) -> None:
    """Put back the one line of a story whose whole text repeats its headline."""
    if (
        line.kind is BlockKind.PARAGRAPH
        and key(line.text) == key(context.headline.text)
        and is_sentence(line.text)
    ):
        result.blocks.insert(0, line)
        result.furniture.remove(Stripped(line.text, "headline_echo"))
